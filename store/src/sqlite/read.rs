//! The queries of the readers.
//!
//! Millions of events pass through here in a replay, so that nothing is parsed and little is
//! allocated: stream names come from a cache, event types are shared within a page. Never decode
//! a payload here.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::pool::in_snapshot;
use super::schema::sql;
use crate::error::StoreError;
use crate::event::{RecordedEvent, RequestRecord, StreamName};
use crate::log::{Direction, Filter, Page};
use crate::revision::{Position, Revision};

/// How many stream names are kept in memory: some 10 MiB.
const NAMES: usize = 65_536;

const READING: &str = "reading the log";
/// In nanoseconds.
const SECOND: i64 = 1_000_000_000;
/// For how many events room is made before it is known how many match.
const ROOM: usize = 1024;
/// The same for one stream.
const STREAM_ROOM: usize = 64;

/// Names by the number of their stream. Streams are never renamed, so that it is never stale.
///
/// Numbers are given in turn, so that a number's place is its remainder: no hashing, and a stream
/// only makes way for another of the same remainder.
#[derive(Debug)]
pub(super) struct StreamNames(RwLock<Box<[Option<Named>]>>);

type Named = (i64, StreamName);

impl Default for StreamNames {
    fn default() -> Self {
        Self(RwLock::new(vec![None; NAMES].into()))
    }
}

impl StreamNames {
    fn get(&self, c: &Connection, id: i64) -> Result<StreamName, StoreError> {
        let place = usize::try_from(id).unwrap_or(0) % NAMES;
        if let Some((found, name)) = &self.0.read().unwrap_or_else(PoisonError::into_inner)[place]
            && *found == id
        {
            return Ok(name.clone());
        }
        let name: Option<String> = c
            .prepare_cached("SELECT name FROM streams WHERE id = ?1")
            .and_then(|mut s| s.query_row([id], |row| row.get(0)).optional())
            .map_err(sql(READING))?;
        let name = name.ok_or_else(|| StoreError::corrupt(None, format!("no stream {id}")))?;
        let name = StreamName::parse(&name)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner)[place] = Some((id, name.clone()));
        Ok(name)
    }
}

/// What is asked of the whole log.
pub(super) struct Wanted {
    pub(super) from: Position,
    pub(super) direction: Direction,
    pub(super) filter: Filter,
    pub(super) max: usize,
    /// How many events to look at.
    pub(super) scan: usize,
    /// How many bytes of payloads end a page.
    pub(super) bytes: usize,
}

macro_rules! columns {
    () => {
        "SELECT position, stream_id, revision, event_id, type, schema_version, occurred_at, \
         recorded_at, metadata, payload FROM events "
    };
}

pub(super) fn stream(
    c: &Connection,
    stream: &StreamName,
    from: Revision,
    direction: Direction,
    max: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let query = match direction {
        Direction::Forwards => concat!(
            columns!(),
            "WHERE stream_id = (SELECT id FROM streams WHERE name = ?1) AND revision >= ?2 \
             ORDER BY revision LIMIT ?3"
        ),
        Direction::Backwards => concat!(
            columns!(),
            "WHERE stream_id = (SELECT id FROM streams WHERE name = ?1) AND revision <= ?2 \
             ORDER BY revision DESC LIMIT ?3"
        ),
    };
    let mut statement = c.prepare_cached(query).map_err(sql(READING))?;
    let mut rows = statement
        .query((stream.as_str(), integer(from.get()), integer(max as u64)))
        .map_err(sql(READING))?;
    let mut types = Types::default();
    let mut events = Vec::with_capacity(max.min(STREAM_ROOM));
    while let Some(row) = rows.next().map_err(sql(READING))? {
        events.push(event(row, stream.clone(), &mut types)?);
    }
    Ok(events)
}

pub(super) fn all(
    c: &mut Connection,
    names: &StreamNames,
    wanted: &Wanted,
) -> Result<Page, StoreError> {
    // One transaction: the head is of the same moment as the rows, or a reader could pass over
    // events committed between the two.
    in_snapshot(c, |c| page(c, names, wanted)).map_err(sql(READING))?
}

fn page(c: &Connection, names: &StreamNames, wanted: &Wanted) -> Result<Page, StoreError> {
    let &Wanted { from, direction, ref filter, max, scan, bytes } = wanted;
    let head = head(c)?;
    let mut page = Page { events: Vec::with_capacity(room(wanted, head)), next: from, head };
    let query = match direction {
        Direction::Forwards => {
            concat!(columns!(), "WHERE position > ?1 ORDER BY position LIMIT ?2")
        }
        Direction::Backwards => {
            concat!(columns!(), "WHERE position < ?1 ORDER BY position DESC LIMIT ?2")
        }
    };
    let mut statement = c.prepare_cached(query).map_err(sql(READING))?;
    let mut rows =
        statement.query((integer(from.get()), integer(scan as u64))).map_err(sql(READING))?;
    let mut types = Types::default();
    let mut read = 0;
    while page.events.len() < max
        && read < bytes
        && let Some(row) = rows.next().map_err(sql(READING))?
    {
        page.next = Position::new(unsigned(row, 0)?);
        if !filter.is_all() && !filter.matches_name(name_of(row, page.next)?) {
            continue;
        }
        let name = names.get(c, row.get(1).map_err(sql(READING))?)?;
        if filter.matches(&name) {
            let event = event(row, name, &mut types)?;
            read += event.payload.len();
            page.events.push(event);
        }
    }
    let ended = page.next.get() <= 1 || page.next == from;
    if direction == Direction::Backwards && max > 0 && ended {
        page.next = Position::START;
    }
    Ok(page)
}

/// From how many events at a time on somebody is taken to go through the whole log.
const REPLAY: usize = 5_000;
/// In how many pieces the next events are touched, each by a thread of its own.
const PIECES: u64 = 2;

/// How many events tell whether the system has their pages in memory.
const SAMPLE: u64 = 500;
/// What counting an event takes at most when it has: several times as much as was measured.
const FROM_MEMORY: Duration = Duration::from_nanos(500);

/// The events that whoever replays the log will ask for next, in pieces; none for anybody else.
///
/// SQLite reads a page of 4 KiB at a time, and so gets a fraction of what the disk gives when
/// several ask.
pub(super) fn ahead(wanted: &Wanted, head: Position) -> Vec<Range<u64>> {
    let forwards = wanted.direction == Direction::Forwards;
    if !forwards || wanted.scan.min(wanted.max) < REPLAY {
        return Vec::new();
    }
    let scan = wanted.scan as u64;
    let from = wanted.from.get().saturating_add(scan).min(head.get());
    let until = from.saturating_add(scan).min(head.get());
    let piece = (until - from).div_ceil(PIECES).max(1);
    (0..PIECES)
        .map(|n| from + n * piece..(from + (n + 1) * piece).min(until))
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// Has the system read the pages of the events after `start` up to `end`, unless it seems to have
/// them: the first of them tell.
pub(super) fn touch(c: &Connection, events: &Range<u64>) {
    let first = events.start.saturating_add(SAMPLE).min(events.end);
    let begun = Instant::now();
    let touched = count(c, events.start, first).and_then(|n| {
        let quick = u32::try_from(n).is_ok_and(|n| begun.elapsed() < FROM_MEMORY * n);
        if quick { Ok(n) } else { count(c, first, events.end) }
    });
    if let Err(error) = touched {
        // Whoever reads them is told.
        tracing::debug!(error = &error as &dyn std::error::Error, "events cannot be read ahead");
    }
}

/// Counts events one by one, for which their pages are read.
fn count(c: &Connection, after: u64, until: u64) -> rusqlite::Result<i64> {
    c.prepare_cached(
        "SELECT count(*) FROM events NOT INDEXED WHERE position > ?1 AND position <= ?2",
    )?
    .query_row((integer(after), integer(until)), |row| row.get(0))
}

/// For how many events room is made: of a whole log it is known how many there are.
fn room(wanted: &Wanted, head: Position) -> usize {
    let there = match wanted.direction {
        Direction::Forwards => head.get().saturating_sub(wanted.from.get()),
        Direction::Backwards => head.get().min(wanted.from.get()),
    };
    let there = usize::try_from(there).unwrap_or(usize::MAX).min(wanted.max);
    if wanted.filter.is_all() { there } else { there.min(ROOM) }
}

/// The name of the event in a row of `columns!`.
fn name_of<'a>(row: &'a Row<'_>, position: Position) -> Result<&'a str, StoreError> {
    row.get_ref(4).map_err(sql(READING))?.as_str().map_err(|error| StoreError::Corrupt {
        position: Some(position),
        detail: "its name is no text".to_owned(),
        source: Some(error.into()),
    })
}

pub(super) fn head(c: &Connection) -> Result<Position, StoreError> {
    c.prepare_cached("SELECT max(position) FROM events")
        .and_then(|mut s| s.query_row([], |row| row.get::<_, Option<i64>>(0)))
        .map(|head| head.map_or(Position::START, |head| Position::new(head.unsigned_abs())))
        .map_err(sql(READING))
}

pub(super) fn stream_revision(
    c: &Connection,
    stream: &StreamName,
) -> Result<Option<Revision>, StoreError> {
    c.prepare_cached(
        "SELECT max(revision) FROM events \
         WHERE stream_id = (SELECT id FROM streams WHERE name = ?1)",
    )
    .and_then(|mut s| s.query_row([stream.as_str()], |row| row.get::<_, Option<i64>>(0)))
    .map(|revision| revision.map(|r| Revision::new(r.unsigned_abs())))
    .map_err(sql(READING))
}

pub(super) fn request(c: &Connection, id: Uuid) -> Result<Option<RequestRecord>, StoreError> {
    let found = c
        .prepare_cached(
            "SELECT r.fingerprint, s.name, r.first_revision, r.revision, r.position, r.event_count \
             FROM requests r JOIN streams s ON s.id = r.stream_id WHERE r.request_id = ?1",
        )
        .and_then(|mut s| {
            s.query_row([id.as_bytes()], |row| {
                Ok((
                    row.get::<_, [u8; 32]>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<i64>>(2)?,
                    row.get::<_, Option<i64>>(3)?,
                    row.get::<_, i64>(4)?,
                    row.get::<_, i64>(5)?,
                ))
            })
            .optional()
        })
        .map_err(sql(READING))?;
    let Some((fingerprint, stream, first_revision, revision, position, event_count)) = found else {
        return Ok(None);
    };
    Ok(Some(RequestRecord {
        fingerprint,
        stream: StreamName::parse(&stream)?,
        first_revision: first_revision.map(|r| Revision::new(r.unsigned_abs())),
        revision: revision.map(|r| Revision::new(r.unsigned_abs())),
        position: Position::new(position.unsigned_abs()),
        event_count: event_count.unsigned_abs(),
    }))
}

/// The event types met in a page: each allocated once.
#[derive(Default)]
pub(super) struct Types {
    /// The last one first: events of a kind come in rows, and comparing a few is quicker than
    /// hashing.
    known: Vec<Arc<str>>,
}

impl Types {
    fn get(&mut self, name: &str) -> Arc<str> {
        let place = self.known.iter().position(|known| &**known == name).unwrap_or_else(|| {
            self.known.push(name.into());
            self.known.len() - 1
        });
        self.known.swap(0, place);
        Arc::clone(&self.known[0])
    }
}

pub(super) fn event(
    row: &Row,
    stream: StreamName,
    types: &mut Types,
) -> Result<RecordedEvent, StoreError> {
    let position = Position::new(unsigned(row, 0)?);
    let bytes = |index| row.get_ref(index).map_err(sql(READING));
    let damaged = |error: FromSqlError| StoreError::Corrupt {
        position: Some(position),
        detail: "a column holds something else than was written".to_owned(),
        source: Some(error.into()),
    };
    let time = |index| -> Result<Timestamp, StoreError> {
        let nanoseconds: i64 = row.get(index).map_err(sql(READING))?;
        // By hand, since jiff would divide 128 bits, twice for every event of a replay.
        let (seconds, rest) = (nanoseconds.div_euclid(SECOND), nanoseconds.rem_euclid(SECOND));
        i32::try_from(rest)
            .ok()
            .and_then(|rest| Timestamp::new(seconds, rest).ok())
            .ok_or_else(|| StoreError::corrupt(Some(position), format!("the time {nanoseconds}")))
    };
    Ok(RecordedEvent {
        position,
        stream,
        revision: Revision::new(unsigned(row, 2)?),
        id: Uuid::from_slice(bytes(3)?.as_blob().map_err(damaged)?)
            .map_err(|error| StoreError::corrupt(Some(position), error.to_string()))?,
        event_type: types.get(bytes(4)?.as_str().map_err(damaged)?),
        schema_version: row.get(5).map_err(sql(READING))?,
        occurred_at: time(6)?,
        recorded_at: time(7)?,
        metadata_json: bytes(8)?.as_bytes().map_err(damaged)?.into(),
        payload: bytes(9)?.as_bytes().map_err(damaged)?.into(),
    })
}

fn unsigned(row: &Row, index: usize) -> Result<u64, StoreError> {
    let number: i64 = row.get(index).map_err(sql(READING))?;
    u64::try_from(number).map_err(|_| StoreError::corrupt(None, format!("the number {number}")))
}

/// For SQLite, whose integers end at [`Position::END`]; what lies beyond means the same.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Wanted, ahead};
    use crate::log::{Direction, Filter};
    use crate::revision::Position;

    fn asked(from: u64, scan: usize, direction: Direction) -> Wanted {
        let filter = Filter::all();
        Wanted { from: Position::new(from), direction, filter, max: scan, scan, bytes: usize::MAX }
    }

    #[test]
    fn who_reads_a_few_of_many_has_nothing_read_ahead() {
        let looked_at = 20_000;
        let wanted = Wanted { max: 64, ..asked(0, looked_at, Direction::Forwards) };
        assert!(ahead(&wanted, Position::new(100_000)).is_empty());
    }

    #[test]
    fn what_comes_after_a_page_of_a_replay_is_read_ahead_once_and_no_further_than_the_log() {
        let of =
            |from, scan, direction, head| ahead(&asked(from, scan, direction), Position::new(head));
        let (on, back) = (Direction::Forwards, Direction::Backwards);
        assert_eq!(of(0, 10_000, on, 100_000), [10_000..15_000, 15_000..20_000]);
        assert_eq!(of(10_000, 10_000, on, 25_001), [20_000..22_501, 22_501..25_001]);
        assert_eq!(of(10_000, 10_000, on, 20_001).first(), Some(&(20_000..20_001)));
        assert!(of(10_000, 10_000, on, 20_000).is_empty(), "the page is the last");
        assert!(of(0, 500, on, 100_000).is_empty(), "no replay");
        assert!(of(100_000, 10_000, back, 100_000).is_empty());
        assert!(of(u64::MAX, usize::MAX, on, 5).is_empty());
    }
}
