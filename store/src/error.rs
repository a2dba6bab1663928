//! What can go wrong with the log, one enum for the whole crate edge.
//!
//! Each text says what to do. Never put payloads, metadata or a refused name into one: an error
//! is logged and shown, and personal data must not travel that way.

use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use crate::event::StreamName;
use crate::revision::{Expected, Position, Revision};

/// Any error as a source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why the log did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The stream has moved on (or does not exist): nothing was written. Read it again, decide
    /// again.
    #[error("stream {stream} is {}, not {} as expected; read it again and decide again",
        at(*.actual), at(.expected.revision()))]
    Conflict {
        /// The stream appended to.
        stream: StreamName,
        /// What the caller believed.
        expected: Expected,
        /// The last revision there is; `None` when the stream has no events.
        actual: Option<Revision>,
    },
    /// The request id was used before, with another content or on another stream: nothing was
    /// written. A client must make a new id for each new request.
    #[error("request id {request_id} was already used for a different request")]
    RequestReused {
        /// The id used twice.
        request_id: Uuid,
    },
    /// Not a stream name. The name itself is left out: who gets it wrong may have put a person
    /// into it.
    #[error("not a stream name (`<comune>.<kind>-<rest>`): {reason}")]
    InvalidStreamName {
        /// The rule broken.
        reason: &'static str,
    },
    /// An event that could not be read again later: nothing was written.
    #[error("event number {index} of the append cannot be stored: {reason}")]
    InvalidEvent {
        /// Which event of the append, counted from 0.
        index: usize,
        /// The rule broken.
        reason: &'static str,
        /// The parser's own error, where there is one.
        #[source]
        source: Option<BoxError>,
    },
    /// More than one append may hold: nothing was written. Split the request.
    #[error("the append holds {found} {unit}; at most {limit} are allowed")]
    TooLarge {
        /// How much there was.
        found: usize,
        /// How much there may be.
        limit: usize,
        /// Of what: `bytes` or `events`.
        unit: &'static str,
    },
    /// A reader claims to have seen events that are not in the log, as after restoring an older
    /// backup. Following from there would skip events: rebuild the reader.
    #[error("position {position} lies beyond the head of the log ({head}); rebuild this reader")]
    BeyondHead {
        /// Where the reader says it is.
        position: Position,
        /// Where the log ends.
        head: Position,
    },
    /// What is stored is not what the log wrote. Stop, keep the files, restore from a backup.
    #[error("the log is damaged{}: {detail}", near(*.position))]
    Corrupt {
        /// The first position that departs, where it is known.
        position: Option<Position>,
        /// What is wrong there.
        detail: String,
        /// The error that showed it, where there is one.
        #[source]
        source: Option<BoxError>,
    },
    /// The log could not be reached. Whether an append was stored is then unknown: repeat it
    /// with the same request id, which is answered with the first outcome.
    #[error("the log is unavailable while {doing}; repeat with the same request id")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// The error underneath.
        #[source]
        source: BoxError,
    },
    /// A database beside the log could not be used; the log is not concerned. See that its disk has
    /// room, is sound and may be written, and try again; a damaged one is restored from a backup.
    #[error("{} cannot be used while {doing}: see that its disk has room, is sound and may be written", .path.display())]
    Beside {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The error underneath.
        #[source]
        source: BoxError,
    },
    /// A database is damaged, which mostly is one beside the log. Nothing of it is repaired or written
    /// over: keep the file, and restore it from a backup.
    #[error("{} is damaged, as was found while {doing}: keep the file, and restore a backup", .path.display())]
    DamagedBeside {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// The error that showed it.
        #[source]
        source: BoxError,
    },
    /// The cluster that keeps the log does not answer this node: its copy can be read, and nothing is
    /// recorded. Nothing was written; repeat with the same request id, here or at another node.
    #[error("this node is cut off from the cluster: it reads, and records nothing")]
    CutOff,
    /// The writer has stopped for good, after a failed flush, a full disk or an error it cannot
    /// judge. Nothing is acknowledged any more. Look at the cause, mend it (free space, check
    /// the disk), run `verify`, restart; repeat unanswered requests with the same request id.
    #[error("the log's writer has stopped; mend the cause, verify the log and restart")]
    Stopped {
        /// The error that stopped it.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync + 'static>,
    },
    /// Another process, or another part of this one, has the log open for writing.
    #[error("{} is held by another writer; one log has exactly one writing process", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The file is an SQLite database, but not a log of Pratica.
    #[error("{} is not a log of Pratica (application id {found:#010x})", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id found in it.
        found: i32,
    },
    /// The log was written in a format that this program does not know.
    #[error("{} has log format {found}, this program reads format {supported}; use the program version that wrote it", .path.display())]
    WrongFormat {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: i32,
        /// The format this program reads and writes.
        supported: i32,
    },
    /// The SQLite linked in is one with a known bug that can corrupt a log (the WAL reset race,
    /// mended in 3.51.3).
    #[error("SQLite {found} is too old: {needed} or later is needed to keep a log safely")]
    SqliteTooOld {
        /// The version linked in.
        found: &'static str,
        /// The oldest version allowed.
        needed: &'static str,
    },
}

impl StoreError {
    /// Whether the same request, unchanged and with the same request id, may succeed later.
    #[must_use]
    pub fn may_be_retried(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Beside { .. } | Self::Stopped { .. } | Self::CutOff
        )
    }

    pub(crate) fn corrupt(position: Option<Position>, detail: impl Into<String>) -> Self {
        Self::Corrupt { position, detail: detail.into(), source: None }
    }

    pub(crate) fn unavailable(doing: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Unavailable { doing, source: source.into() }
    }
}

/// Whether SQLite says that a file of this program is damaged, not that it is out of reach. A value of
/// another type than its column is read as was never written.
pub fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error {
        FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) => true,
        error => matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
    }
}

fn at(revision: Option<Revision>) -> String {
    revision.map_or_else(|| "without events".to_owned(), |r| format!("at revision {r}"))
}

fn near(position: Option<Position>) -> String {
    position.map_or_else(String::new, |p| format!(" at position {p}"))
}
