//! What can go wrong with the views, one enum for the crate's edge. No personal data in a text.

use std::path::PathBuf;

use pratica_domain::term::TermError;
use pratica_store::error::is_damage;
use pratica_store::{Position, StoreError};

/// Why a view could not be written or asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// An event that cannot be folded. The views stand before it until it, or this program, is
    /// mended: no event is ever skipped.
    #[error("the views stop before position {position}: {detail}")]
    Poison {
        /// Where it stands.
        position: Position,
        /// What is wrong with it.
        detail: String,
        /// The error that showed it, where there is one.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The terms of a case cannot be reckoned. Add the rules that it pinned, then go on.
    #[error("the views stop at position {position}: the terms of a case cannot be reckoned")]
    Terms {
        /// The last event of the case in the batch.
        position: Position,
        /// Why.
        #[source]
        source: TermError,
    },
    /// Events were handed over that do not follow on the last applied one.
    #[error("the views are at position {at}, but the next event handed over is {next}")]
    Gap {
        /// Where the views are.
        at: Position,
        /// The event that does not follow.
        next: Position,
    },
    /// The log could not be read.
    #[error("the log could not be read for the views")]
    Log(#[from] StoreError),
    /// The file of the views could not be read or written.
    #[error("the views' file failed while {doing}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// The error underneath.
        #[source]
        source: rusqlite::Error,
    },
    /// The directory of the views could not be changed.
    #[error("{path} could not be changed")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error underneath.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{path} is not a file of Pratica's views")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A rebuild is under way already: wait for it.
    #[error("the views are being built again already")]
    Rebuilding,
    /// A row of the views does not have its shape. Rebuild the views.
    #[error("a row of the views cannot be read ({detail}); rebuild them")]
    Damaged {
        /// What is wrong.
        detail: String,
    },
    /// The page token is not one of this query: it was made by another, or is none.
    #[error("the page token does not belong to this query; begin again without it")]
    PageToken,
}

/// What SQLite answers when a read fails with EIO.
const NOT_GIVEN_BACK: i32 = rusqlite::ffi::SQLITE_IOERR_CORRUPTFS;

impl ViewError {
    /// Whether the file of the views is damaged, or the disk does not give back what it holds: then it
    /// is made again from the log.
    pub fn is_damage(&self) -> bool {
        match self {
            ViewError::Damaged { .. } => true,
            ViewError::Sqlite { source, .. } => {
                is_damage(source)
                    || source.sqlite_error().is_some_and(|e| e.extended_code == NOT_GIVEN_BACK)
            }
            _ => false,
        }
    }
}

/// Says what was being done when SQLite failed.
pub(crate) fn sql(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> ViewError {
    move |source| ViewError::Sqlite { doing, source }
}

impl From<rusqlite::Error> for ViewError {
    fn from(source: rusqlite::Error) -> Self {
        ViewError::Sqlite { doing: "running a statement", source }
    }
}
