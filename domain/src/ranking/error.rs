//! What is wrong with an input or a document, named so that somebody can mend it.

use super::model::ListId;
use crate::ids::CaseId;

/// An input that cannot be ranked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RankingError {
    /// A list stands twice.
    #[error("the list {0} stands twice: each list has one row")]
    ListTwice(ListId),
    /// An application stands twice.
    #[error("the application {0} stands twice: each has one row")]
    ApplicationTwice(CaseId),
    /// A choice names a list that is not there.
    #[error("the application {application} chooses {list}, which is not among the lists")]
    UnknownList {
        /// Whose.
        application: CaseId,
        /// Which.
        list: String,
    },
    /// A list is chosen twice.
    #[error("the application {application} chooses {list} twice: each choice is another list")]
    ChoiceTwice {
        /// Whose.
        application: CaseId,
        /// Which.
        list: ListId,
    },
    /// A choice has another number of values than there are keys.
    #[error("the application {application} has {found} values for {list}: there are {keys} keys")]
    Values {
        /// Whose.
        application: CaseId,
        /// For which list.
        list: ListId,
        /// How many values.
        found: usize,
        /// How many keys.
        keys: usize,
    },
    /// More places are reserved than a list has.
    #[error("{list} reserves {reserved} of {places} places: no more than there are")]
    ReservedBeyondPlaces {
        /// Which list.
        list: ListId,
        /// How many are reserved.
        reserved: u64,
        /// How many there are.
        places: u32,
    },
    /// A word that cannot stand in a document.
    #[error("{0:?} cannot stand in a ranking: 1 to 64 characters, no blanks, none of =;:>")]
    Word(String),
}

/// A document that cannot be read, or does not say what its input gives.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A line does not have its shape.
    #[error("line {line}: {what}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What was expected there.
        what: String,
    },
    /// The input cannot be ranked.
    #[error("the input cannot be ranked")]
    Input(#[from] RankingError),
    /// The document is not what its own input gives.
    #[error(
        "line {line} differs from what the input gives: it says {found:?}, computed {computed:?}"
    )]
    Differs {
        /// The first line that differs, from 1.
        line: usize,
        /// What it says.
        found: String,
        /// What comes out.
        computed: String,
    },
    /// The seed is not the one that was committed to.
    #[error("the seed's hash is {computed}: the commitment published before was {committed}")]
    Commitment {
        /// The hash of the seed that the document names.
        computed: String,
        /// The commitment.
        committed: String,
    },
    /// A lot is not what the seed gives.
    #[error("the application {application} has lot {found}: the seed gives {computed}")]
    Lot {
        /// Whose.
        application: CaseId,
        /// What it says.
        found: i64,
        /// What comes out.
        computed: i64,
    },
}
