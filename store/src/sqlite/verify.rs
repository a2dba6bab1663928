//! Going through the whole log to see whether it is what it promises to be.
//!
//! It reads page by page, so that neither the readers nor the write-ahead log are held up for
//! long: what was checked cannot change any more. Never repair here.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use serde::de::IgnoredAny;

use super::pool::ReaderPool;
use super::read;
use super::schema::sql;
use crate::error::StoreError;
use crate::event::Metadata;
use crate::revision::Position;

const VERIFYING: &str = "verifying the log";
const PAGE: i64 = 5000;

/// What a sound log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The head up to which it was checked; as many events there are.
    pub head: Position,
    /// How many streams have events.
    pub streams: u64,
    /// How many request ids are recorded.
    pub requests: u64,
}

/// Checks a log that nobody has open for writing, such as a backup's, as [`super::SqliteLog::verify`]
/// does. Nothing is written, not even beside it.
///
/// # Errors
/// [`StoreError::Corrupt`] with the first position that departs, [`StoreError::Unavailable`].
pub async fn verify_file(path: &Path) -> Result<Verified, StoreError> {
    verify(&ReaderPool::open(path, 1, 1, 4 * 1024)?).await
}

pub(super) async fn verify(readers: &ReaderPool) -> Result<Verified, StoreError> {
    let head = readers
        .run(|c| {
            check_file(c)?;
            read::head(c)
        })
        .await??;
    let mut next_revision: HashMap<i64, i64> = HashMap::new();
    let mut seen = 0;
    let end = read::integer(head.get());
    while seen < end {
        (seen, next_revision) =
            readers.run(move |c| check_page(c, seen, end, next_revision)).await??;
    }
    let requests = readers.run(check_requests).await??;
    Ok(Verified { head, streams: next_revision.len() as u64, requests })
}

/// SQLite's own check, of pages and indexes.
fn check_file(c: &mut Connection) -> Result<(), StoreError> {
    let report: String =
        c.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sql(VERIFYING))?;
    if report == "ok" { Ok(()) } else { Err(StoreError::corrupt(None, report)) }
}

/// Checks the events after `seen` and at most up to `end`.
fn check_page(
    c: &mut Connection,
    mut seen: i64,
    end: i64,
    mut next_revision: HashMap<i64, i64>,
) -> Result<(i64, HashMap<i64, i64>), StoreError> {
    let mut statement = c
        .prepare_cached(
            "SELECT e.position, e.stream_id, e.revision, s.id IS NOT NULL, e.metadata, e.payload \
             FROM events e LEFT JOIN streams s ON s.id = e.stream_id \
             WHERE e.position > ?1 AND e.position <= ?2 ORDER BY e.position LIMIT ?3",
        )
        .map_err(sql(VERIFYING))?;
    let mut rows = statement.query([seen, end, PAGE]).map_err(sql(VERIFYING))?;
    let before = seen;
    while let Some(row) = rows.next().map_err(sql(VERIFYING))? {
        let number = |index| row.get::<_, i64>(index).map_err(sql(VERIFYING));
        let (position, stream, revision) = (number(0)?, number(1)?, number(2)?);
        let departs = |detail: String| {
            StoreError::corrupt(Some(Position::new(position.unsigned_abs())), detail)
        };
        if position != seen + 1 {
            return Err(gap(seen));
        }
        let expected = next_revision.entry(stream).or_insert(0);
        if revision != *expected {
            return Err(departs(format!("revision {revision} stands where {expected} should")));
        }
        *expected += 1;
        if number(3)? == 0 {
            return Err(departs("its stream is missing".to_owned()));
        }
        let text = |index| -> Result<&[u8], StoreError> {
            let value = row.get_ref(index).map_err(sql(VERIFYING))?;
            value.as_bytes().map_err(|error| departs(error.to_string()))
        };
        // The parsers' errors tell places, never the text.
        serde_json::from_slice::<Metadata>(text(4)?)
            .map_err(|error| departs(format!("the metadata cannot be decoded: {error}")))?;
        serde_json::from_slice::<IgnoredAny>(text(5)?)
            .map_err(|error| departs(format!("the payload is not JSON: {error}")))?;
        seen = position;
    }
    if seen == before {
        return Err(gap(seen));
    }
    Ok((seen, next_revision))
}

fn gap(seen: i64) -> StoreError {
    let missing = Position::new(seen.unsigned_abs()).next();
    StoreError::corrupt(Some(missing), "the event is missing")
}

/// Checks that every request names what it recorded, and gives their number.
fn check_requests(c: &mut Connection) -> Result<u64, StoreError> {
    let wrong: Option<i64> = c
        .query_row(
            "SELECT r.position FROM requests r LEFT JOIN events e ON e.position = r.position \
             WHERE (r.event_count > 0 AND (e.stream_id IS NOT r.stream_id \
                    OR e.revision IS NOT r.revision \
                    OR r.revision IS NOT r.first_revision + r.event_count - 1)) \
                OR (r.position > 0 AND e.position IS NULL) LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()
        .map_err(sql(VERIFYING))?;
    if let Some(position) = wrong {
        let position = Position::new(position.unsigned_abs());
        return Err(StoreError::corrupt(
            Some(position),
            "a request names other events than it wrote",
        ));
    }
    let count: i64 = c
        .query_row("SELECT count(*) FROM requests", [], |row| row.get(0))
        .map_err(sql(VERIFYING))?;
    Ok(count.unsigned_abs())
}
