//! The read side of Pratica: views in one SQLite file per comune, built from the log alone.
//!
//! [`Projector`] is the one writer: it follows the log and writes rows and checkpoint of a batch
//! in one transaction. [`Views`] asks: a handle that is cheap to clone and outlives a
//! [`Views::rebuild`], which builds a new file beside the one that serves and swaps it in.
//! [`Desk`] keeps what people save for themselves; that is not in the log and has its own file.
//!
//! What must never enter: appending to the log (it is seen through `EventReader` only), side
//! effects of any kind, a clock (`today` is an argument), an async runtime.

pub mod admission;
mod cache;
mod content;
mod dates;
mod derive;
mod desk;
mod digest;
mod error;
mod projector;
mod query;
mod rebuild;
mod recount;
mod rules;
mod schema;
mod school;
mod types;
mod views;
mod writer;

pub use derive::split::{TimeSplit, time_split};
pub use desk::Desk;
pub use digest::Digest;
pub use error::ViewError;
pub use projector::Projector;
pub use recount::{Recount, RecountOf, recount};
pub use rules::Rules;
pub use school::types::{CallRow, ListRow, OfferRow, RankRow};
pub use types::{
    Access, Annulment, AsOf, CaseFilter, CaseRow, Counts, DisposalRow, DisposalStage, Distribution,
    DueTerm, PageRequest, Paged, Queue, RegistrationRow, SavedView, SearchKey, StatRow,
    TimelineRow, ViewStatus, WorklistQuery,
};
pub use views::{Views, ViewsOptions};
