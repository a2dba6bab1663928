//! The end of a case's papers (*scarto*): legal holds, and the erasure of its personal data once
//! the conservation plan lets go of it and somebody else has authorised it.
//!
//! ```text
//! ended -> proposed -> authorised -> erased
//!             |
//!             +-- a legal hold, or the case opened again: the proposal falls
//! ```
//!
//! Never here: keys. What is decided here is carried out by the shell, which destroys them.

pub(super) mod decide;
mod events;
pub(super) mod rules;

pub use events::{Erased, ErasureAuthorised, ErasureProposed, HoldLifted, HoldPlaced};

use super::events::Event;
use crate::ids::{CaseId, EntryId, OfficerId, SubjectId, derived};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How far the erasure of a case is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Erasure {
    /// Nobody asked for it.
    #[default]
    None,
    /// Proposed.
    Proposed {
        /// Identifies it.
        erasure: EntryId,
        /// By whom.
        by: OfficerId,
    },
    /// Authorised: nothing is added to the case any more, its keys are being destroyed.
    Authorised {
        /// Identifies it.
        erasure: EntryId,
    },
    /// Done.
    Done {
        /// Identifies it.
        erasure: EntryId,
        /// The day.
        erased_on: Date,
    },
}

/// Legal holds and erasure of one case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disposal {
    /// Legal holds, and whether each still stands.
    pub holds: BTreeMap<EntryId, bool>,
    /// How far the erasure is.
    pub erasure: Erasure,
}

impl Disposal {
    /// Whether a legal hold stands.
    pub fn is_held(&self) -> bool {
        self.holds.values().any(|stands| *stands)
    }

    /// The day on which the personal data was erased.
    pub fn erased_on(&self) -> Option<Date> {
        match &self.erasure {
            Erasure::Done { erased_on, .. } => Some(*erased_on),
            _ => None,
        }
    }

    /// Whether the case takes nothing more: its erasure is authorised or done.
    pub fn is_final(&self) -> bool {
        matches!(self.erasure, Erasure::Authorised { .. } | Erasure::Done { .. })
    }

    /// The name of the stage, as views and messages have it.
    pub fn stage(&self) -> &'static str {
        match self.erasure {
            Erasure::None => "",
            Erasure::Proposed { .. } => "proposed",
            Erasure::Authorised { .. } => "authorised",
            Erasure::Done { .. } => "erased",
        }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::HoldPlaced(e) => {
                self.holds.insert(e.hold, true);
                // What is held is not being erased: who wants it proposes it anew.
                self.falls();
            }
            Event::HoldLifted(e) => {
                self.holds.insert(e.hold, false);
            }
            Event::ErasureProposed(e) => {
                self.erasure = Erasure::Proposed { erasure: e.erasure, by: e.by.clone() };
            }
            Event::ErasureAuthorised(e) => {
                self.erasure = Erasure::Authorised { erasure: e.erasure };
            }
            Event::Erased(e) => {
                self.erasure = Erasure::Done { erasure: e.erasure, erased_on: e.erased_on };
            }
            Event::Reopened(_) => self.falls(),
            _ => {}
        }
    }

    fn falls(&mut self) {
        if matches!(self.erasure, Erasure::Proposed { .. }) {
            self.erasure = Erasure::None;
        }
    }
}

/// Under whom the references of authorisations and holds are kept: nobody's data, so that they
/// outlive the erasure that they justify.
pub fn archive_subject(case: CaseId) -> SubjectId {
    SubjectId(derived(case.0, "archive"))
}
