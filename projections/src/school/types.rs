//! What queries about calls answer.

use jiff::civil::Date;
use pratica_domain::ids::{CallId, CaseId, EntryId};

/// A call as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRow {
    /// Which.
    pub call: CallId,
    /// Its title.
    pub title: String,
    /// The year in which the school year begins.
    pub school_year: i16,
    /// Where it stands.
    pub phase: String,
    /// Name and version of its criteria.
    pub criteria: String,
    /// The window.
    pub opens_on: Date,
    /// The last day of the window.
    pub closes_on: Date,
    /// The last day of the school year.
    pub ends_on: Date,
    /// The last day for observations, once the provisional ranking is out.
    pub observations_until: Option<Date>,
    /// Applications filed.
    pub applications: u64,
}

/// A list of a call with its counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// School and band, `centro/medi`.
    pub list: String,
    /// Places.
    pub places: u32,
    /// Applications that want it most.
    pub first_choices: u32,
    /// Applications that want it.
    pub choices: u32,
    /// Offers that wait for an answer.
    pub offered: u32,
    /// Places accepted.
    pub taken: u32,
    /// Offers renounced.
    pub renounced: u32,
    /// Offers lapsed in silence.
    pub lapsed: u32,
}

impl ListRow {
    /// Places neither taken nor offered.
    pub fn free(&self) -> u32 {
        self.places.saturating_sub(self.taken).saturating_sub(self.offered)
    }
}

/// An offer that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferRow {
    /// Which.
    pub offer: EntryId,
    /// To whom.
    pub application: CaseId,
    /// In which list.
    pub list: String,
    /// The place in the list.
    pub rank: u32,
    /// The day.
    pub offered_on: Date,
    /// The last day, once the application's own clock runs.
    pub due_on: Option<Date>,
}

/// A row of a ranking, as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankRow {
    /// The place, from 1.
    pub rank: u32,
    /// The application's number.
    pub application: CaseId,
    /// The published keys, in their order.
    pub keys: Vec<i64>,
    /// What puts it before the next: a key, `number`, or `last`.
    pub decided_by: String,
    /// The place it gets: `-`, a list, or a list and a group.
    pub seat: String,
}
