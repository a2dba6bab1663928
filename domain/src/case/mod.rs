//! What every case has, whatever its procedure: people, office, documents, requests, notices,
//! terms, proposals, links. The shared kernel of the three procedures.
//!
//! Never here: a rule of one procedure only, a clock, a store.

mod commands;
mod decide;
mod disposal;
mod events;
pub(crate) mod procedure;
pub mod rules;
mod stands;
mod state;
mod terms;
mod written;

pub use commands::{Attachment, Command};
pub(crate) use decide::{decide, late_after, notice_stops_at, with_its_extensions};
pub(crate) use disposal::rules::the_case_still_has_its_data;
pub use disposal::{Disposal, Erasure, archive_subject};
pub use events::*;
pub(crate) use stands::stands_already;
pub use state::{
    CaseFile, Closure, Document, LEFT_IN_EVENTS, Opening, Party, Proposal, Representation, Request,
    RequestState,
};
pub use terms::{NoticeClock, OBSERVATIONS_RULE, ReckonedTerm, TermKey, Terms};
pub(crate) use written::{attach, write_down, written_id};
