//! The engine without the house: SQLite by hand, on the thread that asks.
//!
//! The same PRAGMAs and the same bytes as the log, the least of tables, nothing shared between
//! threads. It shows what SQLite itself costs; it is not a store that one could trust.

use anyhow::Context as _;
use pratica_projections::ViewsOptions;
use rusqlite::{Connection, OptionalExtension as _};
use std::path::Path;

/// A log by hand: positions, revisions per stream, a check of the expected revision.
pub(crate) struct RawLog {
    connection: Connection,
}

impl RawLog {
    pub(crate) fn open(path: &Path) -> anyhow::Result<RawLog> {
        let connection = durable(path)?;
        connection.execute_batch(
            "CREATE TABLE events(position INTEGER PRIMARY KEY, stream TEXT NOT NULL,
                 revision INTEGER NOT NULL, type TEXT NOT NULL, recorded_at INTEGER NOT NULL,
                 metadata TEXT NOT NULL, payload TEXT NOT NULL, UNIQUE(stream, revision)) STRICT;",
        )?;
        Ok(RawLog { connection })
    }

    pub(crate) fn begin(&self) -> anyhow::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    pub(crate) fn commit(&self) -> anyhow::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Within a transaction.
    pub(crate) fn append(
        &self,
        stream: &str,
        expected: i64,
        metadata: &str,
        payload: &str,
    ) -> anyhow::Result<()> {
        let c = &self.connection;
        let last: Option<i64> = c
            .prepare_cached("SELECT max(revision) FROM events WHERE stream = ?")?
            .query_row([stream], |row| row.get(0))?;
        anyhow::ensure!(last.unwrap_or(-1) == expected, "a conflict where there is none");
        c.prepare_cached(
            "INSERT INTO events(stream, revision, type, recorded_at, metadata, payload)
             VALUES(?, ?, 'case.note_added', ?, ?, ?)",
        )?
        .execute((
            stream,
            expected + 1,
            1_772_000_000_000_000_000_i64,
            metadata,
            payload,
        ))?;
        Ok(())
    }

    pub(crate) fn count(&self) -> anyhow::Result<u64> {
        let n: i64 =
            self.connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
        Ok(n.unsigned_abs())
    }
}

fn durable(path: &Path) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    anyhow::ensure!(mode == "wal", "the file system keeps no write-ahead log");
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -16 * 1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    Ok(connection)
}

/// A connection that reads Pratica's own log.
pub(crate) fn reader(log: &Path) -> anyhow::Result<Connection> {
    let flags =
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(log, flags).context("opening the log by hand")
}

/// Goes through the whole log, column by column, and keeps nothing of it; answers how many events
/// there were.
pub(crate) fn read_all(log: &Path) -> anyhow::Result<u64> {
    let c = reader(log)?;
    let mut statement = c.prepare("SELECT * FROM events ORDER BY position")?;
    let columns = statement.column_count();
    let (mut rows, mut events) = (statement.query([])?, 0);
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
        events += 1;
    }
    Ok(events)
}

/// Reads type and payload of the first events of a stream; answers how many there were.
pub(crate) fn read_stream(c: &Connection, stream: &str, max: u64) -> anyhow::Result<usize> {
    let mut statement = c.prepare_cached(
        "SELECT type, payload FROM events \
         WHERE stream_id = (SELECT id FROM streams WHERE name = ?1) ORDER BY revision LIMIT ?2",
    )?;
    let mut rows = statement.query((stream, max.cast_signed()))?;
    let mut events: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(row) = rows.next()? {
        events.push((row.get(0)?, row.get_ref(1)?.as_bytes()?.to_vec()));
    }
    Ok(std::hint::black_box(events).len())
}

/// Replays a log into one view by hand: a row a stream, with its count, last type and last
/// position; a durable transaction with the checkpoint for as many events as a batch of the views.
/// Nothing is decoded.
pub(crate) fn replay(log: &Path, view: &Path) -> anyhow::Result<u64> {
    let (from, to) = (reader(log)?, durable(view)?);
    to.execute_batch(
        "CREATE TABLE cases(stream INTEGER PRIMARY KEY, events INTEGER NOT NULL,
             last_type TEXT NOT NULL, position INTEGER NOT NULL) STRICT;
         CREATE TABLE checkpoint(one INTEGER PRIMARY KEY, position INTEGER NOT NULL) STRICT;",
    )?;
    let batch = i64::try_from(ViewsOptions::default().batch_events)?;
    let mut position = 0_i64;
    loop {
        let mut read = from.prepare_cached(
            "SELECT position, stream_id, type, metadata, payload FROM events \
             WHERE position > ? ORDER BY position LIMIT ?",
        )?;
        let mut rows = read.query((position, batch))?;
        let begun = position;
        to.execute_batch("BEGIN IMMEDIATE")?;
        {
            let mut write = to.prepare_cached(
                "INSERT INTO cases VALUES(?1, 1, ?2, ?3) ON CONFLICT(stream) DO UPDATE \
                 SET events = events + 1, last_type = ?2, position = ?3",
            )?;
            while let Some(row) = rows.next()? {
                position = row.get(0)?;
                std::hint::black_box((row.get_ref(3)?.as_bytes()?, row.get_ref(4)?.as_bytes()?));
                write.execute((row.get::<_, i64>(1)?, row.get_ref(2)?.as_str()?, position))?;
            }
            to.prepare_cached("INSERT OR REPLACE INTO checkpoint VALUES(1, ?)")?
                .execute([position])?;
        }
        to.execute_batch("COMMIT")?;
        if position == begun {
            break;
        }
    }
    let applied: Option<i64> =
        to.query_row("SELECT sum(events) FROM cases", [], |row| row.get(0)).optional()?.flatten();
    Ok(applied.unwrap_or_default().unsigned_abs())
}

/// A table of keys in no order, as cases are found by, kept by hand with the settings of the views.
pub(crate) struct RawKeys {
    connection: Connection,
    rows: i64,
    random: fastrand::Rng,
}

impl RawKeys {
    /// With so many keys in it already.
    pub(crate) fn open(path: &Path, rows: u64) -> anyhow::Result<RawKeys> {
        let connection = durable(path)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
        connection.execute_batch(
            "CREATE TABLE search_keys(key INTEGER NOT NULL, case_key INTEGER NOT NULL,
                 PRIMARY KEY(key, case_key)) WITHOUT ROWID;",
        )?;
        let rows = rows.cast_signed();
        connection.execute(
            "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?1)
             INSERT INTO search_keys SELECT (n - ?1 / 2) * (9223372036854775807 / ?1) * 2, n FROM n",
            [rows],
        )?;
        Ok(RawKeys { connection, rows, random: fastrand::Rng::with_seed(20_260_310) })
    }

    /// Puts so many more in, in their own order, in one transaction.
    pub(crate) fn add(&mut self, keys: usize) -> anyhow::Result<()> {
        let mut new: Vec<i64> = (0..keys).map(|_| self.random.i64(..)).collect();
        new.sort_unstable();
        let tx = self.connection.unchecked_transaction()?;
        {
            let mut insert = tx.prepare_cached("INSERT INTO search_keys VALUES(?, ?)")?;
            for key in new {
                self.rows += 1;
                insert.execute((key, self.rows))?;
            }
        }
        tx.commit()?;
        Ok(())
    }
}
