//! Proof that the log was not edited, not even by who owns the database.
//!
//! A Merkle tree (RFC 6962) over all events in their order; its root is signed now and then, and
//! what was signed is handed to others. An event that is later changed, removed, inserted or moved
//! gives another root than the one that others hold. The tree and proofs are `tlog_tiles`', the
//! signatures `ring`'s; no cryptography of our own may enter, and no personal data.

mod audit;
mod leaf;
mod note;
mod receipt;
mod tree;

pub use audit::{Audited, audit};
pub use leaf::{LEAF_FORM, leaf};
pub use note::{Signer, Verifier};
pub use receipt::{Receipt, Stated, check_consistency, checkpoint, stated};
pub use tlog_tiles::tlog::Hash;
pub use tree::Tree;

use crate::error::{StoreError, is_damage};
use crate::revision::Position;
use crate::sqlite::fold::Unflushed;
use std::sync::Arc;

/// Why something cannot be proved.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The log is not what was signed.
    #[error("the log departs from what was signed, at position {from}{}", until(*from, *to))]
    Departs {
        /// The first position that may be concerned.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The log cannot even be read.
    #[error("the log cannot be read after position {after}")]
    Unreadable {
        /// The last position that could be.
        after: Position,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Two checkpoints of one log contradict each other.
    #[error("the checkpoints of {from} and {to} events are not of one history")]
    Inconsistent {
        /// The older one's size.
        from: u64,
        /// The newer one's size.
        to: u64,
    },
    /// An event is missing before this one.
    #[error("the event before position {position} is missing")]
    Gap {
        /// The event that does not follow.
        position: Position,
    },
    /// The tree does not hold so many events.
    #[error("the tree does not hold {size} events")]
    TooShort {
        /// How many were asked for.
        size: u64,
    },
    /// No such key signed this.
    #[error("the signature is not the log's: wrong key, or the text was altered")]
    Signature,
    /// The event is not in the log that was signed.
    #[error("the event is not in the log that the checkpoint is of: the receipt was altered")]
    NotIncluded,
    /// A text does not have its form.
    #[error("this is not a {0}")]
    Malformed(&'static str),
    /// A key does not have its form.
    #[error("this is not a verification key: NAME+8 hexadecimal digits+base64")]
    Key,
    /// The file is something else.
    #[error("evidence.db is not an evidence tree of Pratica")]
    Foreign,
    /// A proof cannot be made.
    #[error("the tree of evidence.db cannot be read")]
    Tree(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the tree holds contradicts the log, or what was signed of it; the log may be the one that
    /// was altered.
    #[error(
        "evidence.db contradicts {0}: `pratica verify log` says which of them was altered, and where"
    )]
    Contradicts(&'static str),
    /// The tree is not of the log, and the log is what was signed.
    #[error(
        "the log is what was signed, and evidence.db holds another hash of the event at position \
         {position}: evidence.db is damaged; move it away, and the next start makes it again from the \
         log, without its checkpoints"
    )]
    TreeDeparts {
        /// The first position that it departs at.
        position: u64,
    },
    /// A part of the file is damaged.
    #[error(
        "evidence.db is damaged: stop the server and move the file away, and the next start makes it \
         again from the log, without its checkpoints"
    )]
    Damaged(#[source] rusqlite::Error),
    /// A flush of the file failed, and no later one can be trusted.
    #[error(
        "evidence.db could not be flushed, and is not written until the server is started again: see \
         that its disk is sound"
    )]
    Unflushed(#[source] Arc<rusqlite::Error>),
    /// SQLite failed.
    #[error("evidence.db cannot be used: see that its disk has room, is sound and may be written")]
    Sqlite(#[source] rusqlite::Error),
}

impl EvidenceError {
    /// Whether it may pass by itself: nothing is wrong with the file.
    #[must_use]
    pub fn may_be_retried(&self) -> bool {
        matches!(self, EvidenceError::Sqlite(_) | EvidenceError::Unflushed(_))
    }
}

impl From<Unflushed> for EvidenceError {
    fn from(error: Unflushed) -> Self {
        EvidenceError::Unflushed(error)
    }
}

impl From<rusqlite::Error> for EvidenceError {
    fn from(error: rusqlite::Error) -> Self {
        match is_damage(&error) {
            true => EvidenceError::Damaged(error),
            false => EvidenceError::Sqlite(error),
        }
    }
}

impl From<tlog_tiles::tlog::Error> for EvidenceError {
    fn from(error: tlog_tiles::tlog::Error) -> Self {
        EvidenceError::Tree(Box::new(error))
    }
}

fn until(from: u64, to: u64) -> String {
    if from == to { String::new() } else { format!(" to {to}") }
}
