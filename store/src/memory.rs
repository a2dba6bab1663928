//! The log in memory: the shortest store that keeps the contract.
//!
//! It is the reference the others are compared with, and the store of fast tests. Nothing here
//! survives the process; never offer it for production.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::StoreError;
use crate::event::{
    AppendRequest, Appended, EncodedAppend, RecordedEvent, RequestRecord, StreamName,
};
use crate::log::{Direction, EventAppender, EventReader, Filter, Fut, Page};
use crate::revision::{Position, Revision};

/// How many events a filtered read looks at before it answers. Small, so that tests against this
/// store meet the pages without events that a large log also gives.
const SCAN_EVENTS: usize = 64;

/// A log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    state: Mutex<State>,
    head: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct State {
    /// The event at position `n` has index `n - 1`.
    events: Vec<RecordedEvent>,
    /// The indices of a stream's events; the event of revision `n` is the `n`-th of them.
    streams: HashMap<StreamName, Vec<usize>>,
    requests: HashMap<Uuid, RequestRecord>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self { state: Mutex::default(), head: watch::Sender::new(Position::START) }
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // No code below leaves the state half changed, so that a poisoned lock is still sound.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn head(&self) -> Position {
        Position::new(self.events.len() as u64)
    }

    fn revision(&self, stream: &StreamName) -> Option<Revision> {
        let count = self.streams.get(stream)?.len() as u64;
        count.checked_sub(1).map(Revision::new)
    }

    fn append(&mut self, append: EncodedAppend) -> Result<Appended, StoreError> {
        let EncodedAppend { stream, expected, events, request, recorded_at, .. } = append;
        if let Some(request) = &request
            && let Some(record) = self.requests.get(&request.id)
        {
            return record.answer(request, &stream);
        }
        let actual = self.revision(&stream);
        if !expected.holds(actual) {
            return Err(StoreError::Conflict { stream, expected, actual });
        }
        let event_count = events.len() as u64;
        let first = actual.map_or(Revision::FIRST, Revision::next);
        let mut revision = first;
        for event in events {
            self.streams.entry(stream.clone()).or_default().push(self.events.len());
            self.events.push(RecordedEvent {
                position: self.head().next(),
                stream: stream.clone(),
                revision,
                id: event.id,
                event_type: Arc::from(event.event_type),
                schema_version: event.schema_version,
                occurred_at: event.occurred_at,
                recorded_at,
                metadata_json: event.metadata.into_bytes().into(),
                payload: event.payload.into_bytes().into(),
            });
            revision = revision.next();
        }
        let appended = Appended {
            revision: self.revision(&stream),
            position: self.head(),
            first_revision: (event_count > 0).then_some(first),
            replayed: false,
        };
        if let Some(request) = request {
            let record = RequestRecord {
                fingerprint: request.fingerprint,
                stream,
                first_revision: appended.first_revision,
                revision: appended.revision,
                position: appended.position,
                event_count,
            };
            self.requests.insert(request.id, record);
        }
        Ok(appended)
    }

    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Vec<RecordedEvent> {
        let Some(indices) = self.streams.get(stream) else { return Vec::new() };
        let all = indices.iter().map(|&index| &self.events[index]);
        match direction {
            Direction::Forwards => all.filter(|e| e.revision >= from).take(max).cloned().collect(),
            Direction::Backwards => {
                all.rev().filter(|e| e.revision <= from).take(max).cloned().collect()
            }
        }
    }

    fn read_all(&self, from: Position, direction: Direction, filter: &Filter, max: usize) -> Page {
        let budget = if filter.is_all() { max } else { SCAN_EVENTS };
        let mut page = Page { events: Vec::new(), next: from, head: self.head() };
        let mut look = |event: &RecordedEvent| {
            if page.events.len() < max {
                page.next = event.position;
                if filter.matches(&event.stream) && filter.matches_name(&event.event_type) {
                    page.events.push(event.clone());
                }
            }
        };
        let at = usize::try_from(from.get()).unwrap_or(usize::MAX);
        match direction {
            Direction::Forwards => {
                self.events.iter().skip(at).take(budget).for_each(&mut look);
            }
            Direction::Backwards => {
                let before = at.saturating_sub(1).min(self.events.len());
                self.events[..before].iter().rev().take(budget).for_each(&mut look);
            }
        }
        // Nothing lies before position 1, and nothing was there to look at: that is the end.
        let ended = page.next.get() <= 1 || page.next == from;
        if direction == Direction::Backwards && max > 0 && ended {
            page.next = Position::START;
        }
        page
    }
}

impl EventReader for MemoryLog {
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Fut<'_, Vec<RecordedEvent>> {
        let events = self.state().read_stream(stream, from, direction, max);
        Box::pin(async move { Ok(events) })
    }

    fn read_all(
        &self,
        from: Position,
        direction: Direction,
        filter: &Filter,
        max: usize,
    ) -> Fut<'_, Page> {
        let page = self.state().read_all(from, direction, filter, max);
        Box::pin(async move { Ok(page) })
    }

    fn head(&self) -> Fut<'_, Position> {
        Box::pin(async { Ok(self.state().head()) })
    }

    fn stream_revision(&self, stream: &StreamName) -> Fut<'_, Option<Revision>> {
        let revision = self.state().revision(stream);
        Box::pin(async move { Ok(revision) })
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn find_request(&self, id: Uuid) -> Fut<'_, Option<RequestRecord>> {
        Box::pin(async move { Ok(self.state().requests.get(&id).cloned()) })
    }
}

impl EventAppender for MemoryLog {
    fn append(&self, request: AppendRequest) -> Fut<'_, Appended> {
        Box::pin(async move {
            let append = request.encode()?;
            let mut state = self.state();
            let appended = state.append(append)?;
            // Published under the lock, so that the heads are published in order.
            self.head.send_replace(state.head());
            Ok(appended)
        })
    }
}
