//! Judging one append inside the open transaction, and writing it when it holds.
//!
//! What the writer knows of the tables is kept here, since nobody else writes them. When a
//! transaction fails, this is stale and the writer stops: never use it again after that.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::Answer;
use crate::error::StoreError;
use crate::event::{Appended, EncodedAppend, EncodedEvent, RequestRecord, StreamName};
use crate::revision::{Position, Revision};
use crate::sqlite::read::{self, integer};
use crate::sqlite::schema::sql;

/// How many streams are kept in memory: some 10 MiB.
const STREAMS: usize = 32_768;

/// The end of the log and of the streams last written.
#[derive(Debug)]
pub(super) struct Ledger {
    head: Position,
    last_stream_id: i64,
    streams: HashMap<StreamName, Stream>,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    id: i64,
    revision: Option<Revision>,
    /// Whether its row is there yet.
    exists: bool,
}

impl Ledger {
    pub(super) fn open(c: &Connection, head: Position) -> Result<Self, StoreError> {
        let last_stream_id = c
            .query_row("SELECT coalesce(max(id), 0) FROM streams", [], |row| row.get(0))
            .map_err(sql("opening the log"))?;
        Ok(Self { head, last_stream_id, streams: HashMap::new() })
    }

    pub(super) const fn head(&self) -> Position {
        self.head
    }

    /// Writes an append that holds; answers without writing one that does not. An error means
    /// that the transaction is not to be trusted.
    pub(super) fn judge(
        &mut self,
        c: &Connection,
        append: &EncodedAppend,
    ) -> rusqlite::Result<Answer> {
        let stream = self.stream(c, &append.stream)?;
        if !append.expected.holds(stream.revision) {
            // A known request comes before the revision; to look for it only here, and otherwise
            // to learn of it from the insert, saves the usual append a search.
            if let Some(known) = known(c, append)? {
                return Ok(known);
            }
            return Ok(Err(StoreError::Conflict {
                stream: append.stream.clone(),
                expected: append.expected,
                actual: stream.revision,
            }));
        }
        let appended = self.outcome(stream, append);
        if !insert_request(c, stream.id, append, &appended)? {
            // It was there already; that it is then not found cannot be, and is not glossed over.
            return known(c, append)?.ok_or(rusqlite::Error::StatementChangedRows(0));
        }
        self.write(c, stream, append, &appended)?;
        Ok(Ok(appended))
    }

    fn stream(&self, c: &Connection, name: &StreamName) -> rusqlite::Result<Stream> {
        if let Some(known) = self.streams.get(name) {
            return Ok(*known);
        }
        let found = c
            .prepare_cached(
                "SELECT id, (SELECT max(revision) FROM events WHERE stream_id = id) \
                 FROM streams WHERE name = ?1",
            )?
            .query_row([name.as_str()], |row| {
                let revision: Option<i64> = row.get(1)?;
                let revision = revision.map(|r| Revision::new(r.unsigned_abs()));
                Ok(Stream { id: row.get(0)?, revision, exists: true })
            })
            .optional()?;
        let new = Stream { id: self.last_stream_id + 1, revision: None, exists: false };
        Ok(found.unwrap_or(new))
    }

    /// What the append will have come to.
    fn outcome(&self, stream: Stream, append: &EncodedAppend) -> Appended {
        let count = append.events.len() as u64;
        let first = stream.revision.map_or(Revision::FIRST, Revision::next);
        let last = (first.get() + count).checked_sub(1).map(Revision::new);
        Appended {
            revision: last,
            position: Position::new(self.head.get() + count),
            first_revision: (count > 0).then_some(first),
            replayed: false,
        }
    }

    fn write(
        &mut self,
        c: &Connection,
        stream: Stream,
        append: &EncodedAppend,
        appended: &Appended,
    ) -> rusqlite::Result<()> {
        if append.events.is_empty() && append.request.is_none() {
            return Ok(());
        }
        if !stream.exists {
            c.prepare_cached("INSERT INTO streams (id, name) VALUES (?1, ?2)")?
                .execute((stream.id, append.stream.as_str()))?;
            self.last_stream_id = stream.id;
        }
        let mut insert = c.prepare_cached(
            "INSERT INTO events (position, stream_id, revision, event_id, type, schema_version, \
             occurred_at, recorded_at, metadata, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
             ?9, ?10)",
        )?;
        let mut revision = appended.first_revision.unwrap_or(Revision::FIRST);
        for EncodedEvent {
            id,
            event_type,
            schema_version,
            occurred_at_ns,
            payload,
            metadata,
            ..
        } in &append.events
        {
            self.head = self.head.next();
            insert.execute((
                integer(self.head.get()),
                stream.id,
                integer(revision.get()),
                id.as_bytes(),
                event_type,
                schema_version,
                occurred_at_ns,
                append.recorded_at_ns,
                metadata,
                payload,
            ))?;
            revision = revision.next();
        }
        if self.streams.len() >= STREAMS {
            self.streams.clear();
        }
        let now = Stream { revision: appended.revision, exists: true, ..stream };
        self.streams.insert(append.stream.clone(), now);
        Ok(())
    }
}

/// Whether the request id was new, and is now recorded. An append without one is always new.
fn insert_request(
    c: &Connection,
    stream_id: i64,
    append: &EncodedAppend,
    appended: &Appended,
) -> rusqlite::Result<bool> {
    let Some(request) = &append.request else { return Ok(true) };
    let inserted = c
        .prepare_cached(
            "INSERT INTO requests (request_id, fingerprint, stream_id, first_revision, revision, \
             position, event_count, recorded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            request.id.as_bytes(),
            request.fingerprint,
            stream_id,
            appended.first_revision.map(|r| integer(r.get())),
            appended.revision.map(|r| integer(r.get())),
            integer(appended.position.get()),
            integer(append.events.len() as u64),
            append.recorded_at_ns,
        ))?;
    Ok(inserted == 1)
}

/// The answer to a request id recorded before.
fn known(c: &Connection, append: &EncodedAppend) -> rusqlite::Result<Option<Answer>> {
    let Some(request) = &append.request else { return Ok(None) };
    Ok(match read::request(c, request.id) {
        Ok(None) => None,
        Ok(Some(record)) => Some(RequestRecord::answer(&record, request, &append.stream)),
        Err(error) => Some(Err(error)),
    })
}
