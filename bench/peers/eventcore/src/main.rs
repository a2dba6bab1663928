//! eventcore-sqlite beside Pratica.

use eventcore_sqlite::{SqliteEventStore, rusqlite};
use eventcore_types::{
    BatchSize, Event, EventFilter, EventPage, EventReader as _, EventStore as _, StreamId,
    StreamVersion, StreamWrites, collect_events,
};
use peer_harness::{About, Note, Peer, Same};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// An event of eventcore carries its stream's name; with it, the JSON has the common length.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct NoteAdded {
    stream: StreamId,
    #[serde(flatten)]
    note: Note,
}

impl Event for NoteAdded {
    fn stream_id(&self) -> &StreamId {
        &self.stream
    }

    fn event_type_name() -> &'static str {
        "case.note_added"
    }
}

struct EventCore {
    store: SqliteEventStore,
    note: Note,
    length: usize,
}

impl EventCore {
    fn event(&self, stream: &StreamId) -> anyhow::Result<NoteAdded> {
        let mut event = NoteAdded { stream: stream.clone(), note: self.note.clone() };
        let beyond = serde_json::to_string(&event)?.len().saturating_sub(self.length);
        let value = &mut event.note.text.value;
        value.truncate(value.len().saturating_sub(beyond));
        Ok(event)
    }

    async fn append_events(&self, stream: String, events: u64) -> anyhow::Result<()> {
        let stream = StreamId::try_new(stream)?;
        let mut writes =
            StreamWrites::new().register_stream(stream.clone(), StreamVersion::new(0))?;
        for _ in 0..events {
            writes = writes.append(self.event(&stream)?)?;
        }
        self.store.append_events(writes).await?;
        Ok(())
    }
}

impl Peer for EventCore {
    type Writer = ();

    async fn open(directory: &Path, same: Same) -> anyhow::Result<(Self, About)> {
        let connection = rusqlite::Connection::open(directory.join("eventcore.db"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |r| r.get(0))?;
        let level: i64 = connection.query_row("PRAGMA synchronous", [], |r| r.get(0))?;
        let about = About {
            engine: format!("SQLite {}", rusqlite::version()),
            durability: format!("{mode}, synchronous={level}"),
        };
        let store = SqliteEventStore::from_connection(connection);
        store.migrate().await?;
        let (note, length) = (serde_json::from_str(&same.payload)?, same.payload.len());
        Ok((EventCore { store, note, length }, about))
    }

    async fn writer(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn append(&self, _: &mut (), stream: String) -> anyhow::Result<()> {
        self.append_events(stream, 1).await
    }

    async fn fill(&self, stream: String, events: u64) -> anyhow::Result<()> {
        self.append_events(stream, events).await
    }

    async fn load(&self, stream: &str) -> anyhow::Result<u64> {
        let read = self.store.read_stream::<NoteAdded>(StreamId::try_new(stream)?).await?;
        let events = collect_events(read).await?;
        let folded = events.iter().fold((0, ""), |(n, _), e| (n + 1, &e.note.text.value));
        Ok(std::hint::black_box(folded).0)
    }

    async fn replay(&self) -> anyhow::Result<u64> {
        anyhow::bail!("eventcore leaves the view to its user")
    }

    async fn count(&self) -> anyhow::Result<u64> {
        let (mut page, mut count) = (EventPage::first(BatchSize::new(1000)), 0);
        loop {
            let read = self.store.read_events::<NoteAdded>(EventFilter::all(), page).await?;
            count += read.len() as u64;
            match page.next_from_results(&read) {
                Some(next) => page = next,
                None => return Ok(count),
            }
        }
    }
}

fn main() -> anyhow::Result<()> {
    peer_harness::serve::<EventCore>()
}
