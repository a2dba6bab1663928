//! Where an event stands: its revision within a stream, its position within the whole log.
//!
//! Two types, because confusing the two loses or repeats events (a checkpoint of one kind used
//! as the other compiles in many event stores, and skips). Never add a conversion between them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The place of an event within its stream; the first event has revision 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The revision of the first event of every stream.
    pub const FIRST: Self = Self(0);
    /// Beyond every revision: a backward read from here starts at the newest event.
    pub const END: Self = Self(u64::MAX >> 1);

    /// The revision with this number, counted from 0.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, counted from 0.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The place of an event within the whole log; the first event has position 1, without gaps.
///
/// As a checkpoint it means "everything up to and including this has been seen".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first event: the checkpoint of who has seen nothing, the head of an empty log.
    pub const START: Self = Self(0);
    /// Beyond every event: a backward read from here starts at the head.
    pub const END: Self = Self(u64::MAX >> 1);

    /// The position with this number, counted from 1 (0 is [`Position::START`]).
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, counted from 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the caller believes about a stream when appending to it.
///
/// There is no "any": whoever appends has read what they decide upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// The stream has no events yet.
    NoStream,
    /// The last event of the stream has this revision.
    Exact(Revision),
}

impl Expected {
    /// Whether the belief is true of a stream whose last revision is `actual`.
    #[must_use]
    pub fn holds(self, actual: Option<Revision>) -> bool {
        self.revision() == actual
    }

    /// The last revision believed in; `None` for a stream without events.
    #[must_use]
    pub const fn revision(self) -> Option<Revision> {
        match self {
            Self::NoStream => None,
            Self::Exact(revision) => Some(revision),
        }
    }
}

impl From<Option<Revision>> for Expected {
    fn from(revision: Option<Revision>) -> Self {
        revision.map_or(Self::NoStream, Self::Exact)
    }
}
