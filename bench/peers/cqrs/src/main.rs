//! cqrs-es with sqlite-es beside Pratica; its default of synchronous=NORMAL set to FULL.

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{
    EventStoreAggregateContext, GenericQuery, PersistedEventRepository as _, PersistedEventStore,
    QueryReplay,
};
use cqrs_es::{Aggregate, DomainEvent, EventEnvelope, EventStore as _, View};
use peer_harness::{About, Note, Peer, Same};
use serde::{Deserialize, Serialize};
use sqlite_es::{SqliteEventRepository, SqliteViewRepository};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Pool, Sqlite};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct NoteAdded(Note);

impl DomainEvent for NoteAdded {
    fn event_type(&self) -> String {
        "case.note_added".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Case {
    notes: u64,
    last: String,
}

impl Aggregate for Case {
    type Command = NoteAdded;
    type Event = NoteAdded;
    type Error = std::convert::Infallible;
    type Services = ();
    const TYPE: &'static str = "case";

    async fn handle(
        &mut self,
        command: NoteAdded,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, event: NoteAdded) {
        self.notes += 1;
        self.last = event.0.text.value;
    }
}

/// A row a case: how many events, and the last one's number.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CaseView {
    events: u64,
    last: usize,
}

impl View<Case> for CaseView {
    fn update(&mut self, event: &EventEnvelope<Case>) {
        self.events += 1;
        self.last = event.sequence;
    }
}

struct Cqrs {
    pool: Pool<Sqlite>,
    store: PersistedEventStore<SqliteEventRepository, Case>,
    event: NoteAdded,
    metadata: HashMap<String, String>,
}

impl Cqrs {
    /// With what is known of a stream that must be new, so that nothing needs to be loaded.
    async fn append_events(&self, stream: String, events: u64) -> anyhow::Result<()> {
        let context = EventStoreAggregateContext::<Case> {
            aggregate_id: stream,
            aggregate: Case::default(),
            current_sequence: 0,
            current_snapshot: None,
        };
        let events: Vec<NoteAdded> = (0..events).map(|_| self.event.clone()).collect();
        let count = events.len();
        let stored = self.store.commit(events, context, self.metadata.clone()).await?;
        anyhow::ensure!(stored.len() == count, "not all were stored");
        Ok(())
    }
}

impl Peer for Cqrs {
    type Writer = ();

    async fn open(directory: &Path, same: Same) -> anyhow::Result<(Self, About)> {
        let options = SqliteConnectOptions::new()
            .filename(directory.join("cqrs.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        // As many connections as its own default pool has.
        let pool = SqlitePoolOptions::new().max_connections(10).connect_with(options).await?;
        let one = |sql: &'static str| sqlx::query_scalar::<_, String>(sql).fetch_one(&pool);
        let about = About {
            engine: format!("SQLite {}", one("SELECT sqlite_version()").await?),
            durability: format!(
                "{}, synchronous={}",
                one("PRAGMA journal_mode").await?,
                sqlx::query_scalar::<_, i64>("PRAGMA synchronous").fetch_one(&pool).await?
            ),
        };
        // The tables that sqlite-es documents, with a view's.
        sqlx::raw_sql(
            "CREATE TABLE events (
                 aggregate_type text NOT NULL, aggregate_id text NOT NULL,
                 sequence integer CHECK (sequence >= 0) NOT NULL, event_type text NOT NULL,
                 event_version text NOT NULL, payload text NOT NULL, metadata text NOT NULL,
                 PRIMARY KEY (aggregate_type, aggregate_id, sequence)) STRICT;
             CREATE TABLE case_view (
                 view_id text NOT NULL, version integer CHECK (version >= 0) NOT NULL,
                 payload text NOT NULL, PRIMARY KEY (view_id)) STRICT;",
        )
        .execute(&pool)
        .await?;
        let store = PersistedEventStore::new_event_store(SqliteEventRepository::new(pool.clone()));
        let event = serde_json::from_str(&same.payload)?;
        let metadata = same.metadata.into_iter().collect();
        Ok((Cqrs { pool, store, event, metadata }, about))
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
        let loaded = self.store.load_aggregate(stream).await?;
        Ok(std::hint::black_box(loaded.aggregate).notes)
    }

    /// Its own way: each event loads the view's row and commits it again.
    async fn replay(&self) -> anyhow::Result<u64> {
        sqlx::query("DELETE FROM case_view").execute(&self.pool).await?;
        let view = SqliteViewRepository::<CaseView, Case>::new("case_view", self.pool.clone());
        // Without a handler it drops its errors.
        let failed = Arc::new(Mutex::new(Vec::new()));
        let handler = |failed: &Arc<Mutex<Vec<String>>>| {
            let failed = Arc::clone(failed);
            Box::new(move |error| {
                if let Ok(mut failed) = failed.lock() {
                    failed.push(format!("{error}"));
                }
            })
        };
        let mut query = GenericQuery::new(Arc::new(view));
        query.use_error_handler(handler(&failed));
        let mut replay: QueryReplay<_, _, Case> =
            QueryReplay::new(SqliteEventRepository::new(self.pool.clone()), query);
        replay.use_error_handler(handler(&failed));
        replay.replay_all().await?;
        let failed = failed.lock().map_err(|_| anyhow::anyhow!("a handler panicked"))?.clone();
        anyhow::ensure!(failed.is_empty(), "{failed:?}");
        let sum = "SELECT coalesce(sum(payload ->> 'events'), 0) FROM case_view";
        let known: i64 = sqlx::query_scalar(sum).fetch_one(&self.pool).await?;
        Ok(known.unsigned_abs())
    }

    async fn count(&self) -> anyhow::Result<u64> {
        let repository = SqliteEventRepository::new(self.pool.clone());
        let mut stream = repository.stream_all_events::<Case>().await?;
        let mut count = 0;
        while let Some(event) = stream.next::<Case>(&[]).await {
            event?;
            count += 1;
        }
        Ok(count)
    }
}

fn main() -> anyhow::Result<()> {
    peer_harness::serve::<Cqrs>()
}
