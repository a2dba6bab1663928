//! What the views need besides the log: the rules of terms and the comune's calendar.

use pratica_domain::term::{Calendar, RuleBook};

use crate::digest::Digest;

/// The rules and holidays by which terms are reckoned. Given by the shell; never read here.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The rules, in all versions.
    pub book: RuleBook,
    /// National holidays and the comune's own.
    pub calendar: Calendar,
}

impl Rules {
    /// A digest of all of it: due dates in the views are good for these rules only, so that
    /// other rules mean other views.
    pub(crate) fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        // The Debug form is complete, and ordered: the book keeps its versions sorted.
        digest.bytes(format!("{:?}", self.book).as_bytes());
        digest.bytes(self.calendar.version().as_bytes());
        digest
    }
}
