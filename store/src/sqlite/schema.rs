//! What the log looks like on disk, and how the file is opened.
//!
//! Whoever opens the file with a plain viewer finds the view `event_log`. The tables refuse every
//! change, also one made with a foreign tool: history is written once. Never change `FORMAT 1`
//! below; a new format gets a new number and a way to come from the old one.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Options;
use super::fold::checkpoint;
use super::pool::plan_once;
use crate::error::{StoreError, is_damage};

/// Marks the file as a log of Pratica: `PRAT` in ASCII, in SQLite's header.
pub const APPLICATION_ID: i32 = 0x5052_4154;
/// The format of the tables, in SQLite's `user_version`.
pub const FORMAT: i32 = 1;
/// The first SQLite without the WAL reset race that can corrupt a file with two connections.
pub const OLDEST_SQLITE: &str = "3.51.3";
const OLDEST_SQLITE_NUMBER: i32 = 3_051_003;

/// The tables.
///
/// - No row is ever updated: the last revision of a stream is the last entry of the index
///   `(stream_id, revision)`, so that an append need not touch a second page to note it, and
///   there is no second truth to disagree.
/// - Times are nanoseconds since 1970, so that they come back exactly as they went in.
/// - `events_in_order` makes the database itself refuse a gap or a replacement (`INSERT OR
///   REPLACE` deletes without asking the delete trigger unless `recursive_triggers` is on, which
///   a foreign tool will not have set).
/// - `requests_once` keeps the first of two: the writer sees that nothing was inserted, and
///   answers with the first outcome.
const TABLES: &str = "
CREATE TABLE streams (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE events (
    position       INTEGER PRIMARY KEY,
    stream_id      INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    event_id       BLOB    NOT NULL,
    type           TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    occurred_at    INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    metadata       TEXT    NOT NULL,
    payload        TEXT    NOT NULL,
    UNIQUE (stream_id, revision)
) STRICT;

CREATE TABLE requests (
    request_id     BLOB    PRIMARY KEY,
    fingerprint    BLOB    NOT NULL,
    stream_id      INTEGER NOT NULL,
    first_revision INTEGER,
    revision       INTEGER,
    position       INTEGER NOT NULL,
    event_count    INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER events_in_order BEFORE INSERT ON events
WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM events)
  OR NEW.revision IS NOT
     (SELECT coalesce(max(revision), -1) + 1 FROM events WHERE stream_id = NEW.stream_id)
BEGIN SELECT RAISE(ABORT, 'events are appended in order, without gaps'); END;

CREATE TRIGGER requests_once BEFORE INSERT ON requests
WHEN EXISTS (SELECT 1 FROM requests WHERE request_id = NEW.request_id)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER streams_once BEFORE INSERT ON streams
WHEN EXISTS (SELECT 1 FROM streams WHERE id = NEW.id OR name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the stream exists'); END;

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
CREATE TRIGGER requests_never_change BEFORE UPDATE ON requests
BEGIN SELECT RAISE(ABORT, 'requests are never changed'); END;
CREATE TRIGGER requests_never_go BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'requests are never deleted'); END;
CREATE TRIGGER streams_never_change BEFORE UPDATE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never changed'); END;
CREATE TRIGGER streams_never_go BEFORE DELETE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never deleted'); END;

CREATE VIEW event_log AS
SELECT e.position,
       s.name AS stream,
       e.revision,
       e.type,
       e.schema_version,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.occurred_at / 1e9, 'unixepoch') AS occurred_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.recorded_at / 1e9, 'unixepoch') AS recorded_at,
       e.metadata ->> '$.actor' AS actor,
       e.metadata ->> '$.role'  AS role,
       e.payload,
       e.metadata,
       lower(hex(e.event_id)) AS event_id
FROM events e JOIN streams s ON s.id = e.stream_id;
";

/// Refuses to run on an SQLite that is not safe for a log. Also for other databases kept by this
/// program.
///
/// # Errors
/// [`StoreError::SqliteTooOld`].
pub fn require_safe_sqlite() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE_NUMBER {
        return Err(StoreError::SqliteTooOld { found: rusqlite::version(), needed: OLDEST_SQLITE });
    }
    Ok(())
}

/// Opens the one writing connection: makes the tables in a new file, refuses a file that is not
/// ours or of another format.
pub(super) fn open_for_writing(path: &Path, options: &Options) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(sql("opening"))?;
    prepare(&mut connection, path, options)?;
    Ok(connection)
}

fn prepare(c: &mut Connection, path: &Path, options: &Options) -> Result<(), StoreError> {
    let opening = sql("opening the log");
    c.busy_timeout(options.busy_timeout).map_err(&opening)?;
    // Look before the first write: a file that is not ours must stay as it is.
    let is_new = identify(c, path)?;
    let mode: String =
        c.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(&opening)?;
    if mode != "wal" {
        let error = format!("the file system cannot keep a write-ahead log (got `{mode}`)");
        return Err(StoreError::unavailable("opening the log", error));
    }
    c.pragma_update(None, "synchronous", "FULL").map_err(&opening)?;
    c.pragma_update(None, "recursive_triggers", true).map_err(&opening)?;
    c.pragma_update(None, "cache_size", -i64::from(options.cache_kib)).map_err(&opening)?;
    // Who writes folds the write-ahead log in, so as to hear of a failure.
    c.pragma_update(None, "wal_autocheckpoint", 0).map_err(&opening)?;
    // After a burst behind a slow reader the write-ahead log shrinks again to 64 MiB.
    c.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024).map_err(&opening)?;
    if let Some(pages) = options.max_pages {
        c.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .map_err(&opening)?;
    }
    if is_new {
        // One transaction: a crash here leaves a file without tables, which is new again.
        let tx = c.transaction().map_err(&opening)?;
        tx.execute_batch(TABLES).map_err(&opening)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(&opening)?;
        tx.pragma_update(None, "user_version", FORMAT).map_err(&opening)?;
        tx.commit().map_err(&opening)?;
    } else {
        fold_in(c)?;
    }
    c.set_prepared_statement_cache_capacity(32);
    plan_once(c).map_err(&opening)?;
    Ok(())
}

/// Folds the write-ahead log that was found into the file, and flushes it. Who wrote it may have died
/// before its flush, or the flush failed and the system took it for done: it can be read and is not
/// on the disk. Nobody may be told of it before it is.
fn fold_in(c: &Connection) -> Result<(), StoreError> {
    let doing = "folding in what was written before";
    if checkpoint(c, "FULL").map_err(sql(doing))? {
        return Ok(());
    }
    let error = "another program has been reading the log since before: close it and start again";
    Err(StoreError::unavailable(doing, error))
}

/// Whether the file is empty; refuses what is not a log of this format.
fn identify(c: &Connection, path: &Path) -> Result<bool, StoreError> {
    let number = |pragma| -> Result<i32, StoreError> {
        c.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
            .map_err(sql("reading the header of the log"))
    };
    let (application_id, format) = (number("application_id")?, number("user_version")?);
    let tables: i64 = c
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sql("reading the schema of the log"))?;
    if application_id == 0 && format == 0 && tables == 0 {
        return Ok(true);
    }
    if application_id != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_path_buf(), found: application_id });
    }
    if format != FORMAT {
        let path = path.to_path_buf();
        return Err(StoreError::WrongFormat { path, found: format, supported: FORMAT });
    }
    Ok(false)
}

/// Turns SQLite's error into the store's: damage is told apart from being out of reach.
pub(super) fn sql(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match is_damage(&error) {
        true => StoreError::Corrupt {
            position: None,
            detail: format!("SQLite reports damage while {doing}"),
            source: Some(error.into()),
        },
        false => StoreError::unavailable(doing, error),
    }
}
