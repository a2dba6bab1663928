//! Ranking (*graduatoria*) and the assignment of places: a pure function of what it is given.
//!
//! One order a list, total by construction: the keys of the criteria first, the application's own
//! number last. Places over all lists by deferred acceptance with applicants proposing, so that
//! nobody gains by hiding what they prefer. The same input gives the same bytes on every machine;
//! whoever holds the document computes it again.
//!
//! What must never enter: names, reasons of health, money. The keys are numbers that the call
//! made fit for publication; a hash is taken by the caller and handed in.

mod diff;
mod document;
mod error;
mod lots;
mod matching;
mod model;
mod order;
mod read;

pub use diff::{Crossing, Move, Why, moves};
pub use document::{Document, Header, LOT, LotsDrawn, Stage};
pub use error::{RankingError, ReadError};
pub use lots::{Hash, OF_LOTS, commitment_of, is_of_lots, lot};
pub use matching::assign;
pub use model::{Application, Better, Choice, Input, Key, List, ListId, Reserve, Seat};
pub use order::{Deciding, Ranked, order};
pub use read::{Verified, read, verify};

/// Orders and places of a whole input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// For each list, best first.
    pub orders: Vec<Vec<Ranked>>,
    /// For each application, the place it gets.
    pub seats: Vec<Option<Seat>>,
}

/// Ranks every list and assigns the places.
pub fn rank(input: &Input) -> Ranking {
    let orders = order(input);
    let seats = assign(input, &orders);
    Ranking { orders, seats }
}
