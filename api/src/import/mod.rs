//! The legacy import: a town's old case histories as cases with their original dates.
//!
//! `xes` reads, `mapping` says what the older system's words mean, `translate` turns a trace into a
//! case's events, `record` appends them, `count` reads back from the log what is there. A file is
//! read twice: nothing is recorded before all of it has passed every check, and recording again
//! what is there adds nothing.
//!
//! What must never enter: deciders (a history is recorded as it was, not judged), a server.

mod count;
mod error;
pub mod mapping;
mod prepare;
mod progress;
mod record;
mod report;
mod run;
pub mod translate;
pub mod xes;

pub use count::Counted;
pub use error::{Fault, ImportError};
pub use mapping::{Checked, MappingError};
pub use progress::{Progress, Stage};
pub use report::{Differing, Report, Survey, Tally};
pub use run::{check, record};
pub use translate::Plan;
