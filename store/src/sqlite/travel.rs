//! Taking a log elsewhere: its appends as they were made, in order, and a digest of all it holds.
//!
//! Reads the file beside whoever has it open, in one snapshot: a log that is written to meanwhile is
//! read as it was at the beginning.

use std::path::Path;

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, Row, Rows};
use uuid::Uuid;

use super::pool::open_for_reading;
use super::read::{self, Types, event};
use super::schema::sql;
use crate::error::StoreError;
use crate::event::{RawAppend, RawEvent, RecordedEvent, Request, StreamName};
use crate::evidence::leaf;
use crate::revision::{Position, Revision};

const TRAVELLING: &str = "reading the log to take it elsewhere";

const EVENTS: &str = "SELECT e.position, e.stream_id, e.revision, e.event_id, e.type, \
     e.schema_version, e.occurred_at, e.recorded_at, e.metadata, e.payload, s.name \
     FROM events e JOIN streams s ON s.id = e.stream_id WHERE e.position > ?1 ORDER BY e.position";

/// A note comes after the events that were there when it was made.
const REQUESTS: &str = "SELECT r.request_id, r.fingerprint, s.name, r.first_revision, r.revision, \
     r.position, r.event_count, r.recorded_at FROM requests r JOIN streams s ON s.id = r.stream_id \
     WHERE r.position > ?1 OR r.event_count = 0 ORDER BY r.position, r.event_count = 0, r.request_id";

/// What a log holds, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// The last position.
    pub head: Position,
    /// How many request ids are remembered.
    pub requests: u64,
    /// Over every event, as the evidence names it, and every request.
    pub sha256: [u8; 32],
}

/// Digests a log: equal digests mean the same events at the same positions, with the same ids,
/// revisions, times, metadata and payloads, and the same answers to repeated requests.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
pub fn digest(path: &Path) -> Result<Digest, StoreError> {
    let mut c = open_for_reading(path)?;
    let tx = c.transaction().map_err(sql(TRAVELLING))?;
    let mut context = Context::new(&SHA256);
    let mut head = Position::START;
    {
        let mut statement = tx.prepare(EVENTS).map_err(sql(TRAVELLING))?;
        let mut rows = statement.query([0]).map_err(sql(TRAVELLING))?;
        let mut types = Types::default();
        while let Some(row) = rows.next().map_err(sql(TRAVELLING))? {
            let event = recorded(row, &mut types)?;
            head = event.position;
            context.update(leaf(&event).as_bytes());
        }
    }
    let mut requests = 0;
    {
        let mut statement = tx.prepare(REQUESTS).map_err(sql(TRAVELLING))?;
        let mut rows = statement.query([0]).map_err(sql(TRAVELLING))?;
        while let Some(known) = Known::next(&mut rows)? {
            requests += 1;
            context.update(known.text().as_bytes());
        }
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(context.finish().as_ref());
    Ok(Digest { head, requests, sha256 })
}

/// Gives every append after a position, in order, as it was made: with its request where it had one;
/// and every request that recorded nothing, also those of before. Ends early when `each` says so.
/// Answers the head of what was read.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
pub fn appends(
    path: &Path,
    after: Position,
    mut each: impl FnMut(RawAppend) -> bool,
) -> Result<Position, StoreError> {
    let mut c = open_for_reading(path)?;
    let tx = c.transaction().map_err(sql(TRAVELLING))?;
    let head = read::head(&tx)?;
    merge(&tx, after, &mut each)?;
    Ok(head)
}

fn merge(
    c: &Connection,
    after: Position,
    each: &mut impl FnMut(RawAppend) -> bool,
) -> Result<(), StoreError> {
    let from = read::integer(after.get());
    let mut events = c.prepare(EVENTS).map_err(sql(TRAVELLING))?;
    let mut events = events.query([from]).map_err(sql(TRAVELLING))?;
    let mut requests = c.prepare(REQUESTS).map_err(sql(TRAVELLING))?;
    let mut requests = requests.query([from]).map_err(sql(TRAVELLING))?;
    let mut types = Types::default();
    let mut known = Known::next(&mut requests)?;
    while let Some(row) = events.next().map_err(sql(TRAVELLING))? {
        let first = recorded(row, &mut types)?;
        while let Some(note) = known.take_if(|k| k.count == 0 && k.position < first.position.get())
        {
            if !each(note.note()) {
                return Ok(());
            }
            known = Known::next(&mut requests)?;
        }
        let request = known.take_if(|k| k.begins() == Some(first.position.get()));
        let count = request.as_ref().map_or(1, |r| r.count);
        let mut append = RawAppend {
            stream: first.stream.clone(),
            expected: first.revision.get().checked_sub(1).map(Revision::new).into(),
            recorded_at: first.recorded_at,
            request: request.as_ref().map(|r| r.request),
            events: vec![RawEvent::from(first)],
        };
        for _ in 1..count {
            let row = events.next().map_err(sql(TRAVELLING))?;
            let row = row.ok_or_else(|| StoreError::corrupt(None, "half an append at the end"))?;
            append.events.push(recorded(row, &mut types)?.into());
        }
        if request.is_some() {
            known = Known::next(&mut requests)?;
        }
        if !each(append) {
            return Ok(());
        }
    }
    while let Some(note) = known {
        if note.count > 0 {
            return Err(StoreError::corrupt(None, "a request names events that are not there"));
        }
        if !each(note.note()) {
            return Ok(());
        }
        known = Known::next(&mut requests)?;
    }
    Ok(())
}

fn recorded(row: &Row<'_>, types: &mut Types) -> Result<RecordedEvent, StoreError> {
    event(row, name(row, 10)?, types)
}

fn name(row: &Row<'_>, column: usize) -> Result<StreamName, StoreError> {
    let name: String = row.get(column).map_err(sql(TRAVELLING))?;
    StreamName::parse(&name)
}

/// What is remembered of a request.
struct Known {
    request: Request,
    stream: StreamName,
    first_revision: Option<u64>,
    revision: Option<u64>,
    position: u64,
    count: u64,
    recorded_at: Timestamp,
}

impl Known {
    fn next(rows: &mut Rows<'_>) -> Result<Option<Known>, StoreError> {
        let Some(row) = rows.next().map_err(sql(TRAVELLING))? else { return Ok(None) };
        let number = |column| -> Result<Option<u64>, StoreError> {
            let number: Option<i64> = row.get(column).map_err(sql(TRAVELLING))?;
            Ok(number.map(i64::unsigned_abs))
        };
        let id: [u8; 16] = row.get(0).map_err(sql(TRAVELLING))?;
        let fingerprint: [u8; 32] = row.get(1).map_err(sql(TRAVELLING))?;
        let recorded_at: i64 = row.get(7).map_err(sql(TRAVELLING))?;
        Ok(Some(Known {
            request: Request { id: Uuid::from_bytes(id), fingerprint },
            stream: name(row, 2)?,
            first_revision: number(3)?,
            revision: number(4)?,
            position: number(5)?.unwrap_or_default(),
            count: number(6)?.unwrap_or_default(),
            recorded_at: Timestamp::from_nanosecond(recorded_at.into())
                .map_err(|e| StoreError::corrupt(None, e.to_string()))?,
        }))
    }

    /// The position of its first event.
    fn begins(&self) -> Option<u64> {
        (self.count > 0).then(|| (self.position + 1).saturating_sub(self.count))
    }

    /// A request that recorded nothing, as an append.
    fn note(self) -> RawAppend {
        RawAppend {
            stream: self.stream,
            expected: self.revision.map(Revision::new).into(),
            events: Vec::new(),
            request: Some(self.request),
            recorded_at: self.recorded_at,
        }
    }

    fn text(&self) -> String {
        format!(
            "request {} {:?} {} {:?} {:?} {} {} {}\n",
            self.request.id,
            self.request.fingerprint,
            self.stream,
            self.first_revision,
            self.revision,
            self.position,
            self.count,
            self.recorded_at,
        )
    }
}
