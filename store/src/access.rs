//! The record of access: who read which case, by which right, and who searched for what.
//!
//! Appended by a thread of its own, never in the way of an answer. The queue is bounded: when it
//! is full, what does not fit is counted, and the count itself is recorded. What is written in one
//! commit has one row of `seen` for each case, with all its accesses: a list of fifty cases that is
//! asked for a thousand times is not fifty thousand rows. What must never enter: personal data (a
//! search is recorded as its keyed hashes), changing or removing an entry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::error::{BoxError, StoreError, is_damage};
use crate::sqlite::fold::{Folding, NotFolded, leave_unfolded};

/// Marks the file as a record of access: `PRAA`.
const APPLICATION_ID: i32 = 0x5052_4141;
/// How many accesses may wait to be written.
const QUEUE: usize = 10_000;
/// How many one commit takes at most.
const BATCH: usize = 1_000;
/// After how many pages the write-ahead log is folded in.
const FOLDED: i64 = 250;
/// For how long accesses gather before they are committed together: so much of the record may be
/// lost with the process, and the next start says so.
const GATHERING: Duration = Duration::from_millis(100);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS accesses (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    account TEXT NOT NULL,
    role    TEXT NOT NULL,
    access_right TEXT NOT NULL,
    method  TEXT NOT NULL,
    detail  TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS seen (
    case_id  BLOB NOT NULL,
    first    INTEGER NOT NULL,
    accesses TEXT NOT NULL,
    PRIMARY KEY (case_id, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    since  INTEGER NOT NULL,
    clean  INTEGER NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS accesses_never_change BEFORE UPDATE ON accesses
BEGIN SELECT RAISE(ABORT, 'accesses are never changed'); END;
CREATE TRIGGER IF NOT EXISTS accesses_never_go BEFORE DELETE ON accesses
BEGIN SELECT RAISE(ABORT, 'accesses are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS seen_never_changes BEFORE UPDATE ON seen
BEGIN SELECT RAISE(ABORT, 'accesses are never changed'); END;
CREATE TRIGGER IF NOT EXISTS seen_never_goes BEFORE DELETE ON seen
BEGIN SELECT RAISE(ABORT, 'accesses are never deleted'); END;
";

/// Of files of before, which had a row for each case of each access.
const BEFORE: &str = "
INSERT INTO seen SELECT case_id, access, json_array(access) FROM cases;
DROP TABLE cases;
";

/// One read of personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// When.
    pub at: Timestamp,
    /// The account.
    pub account: String,
    /// In which role.
    pub role: String,
    /// By which right, such as `own_office`.
    pub right: String,
    /// The method that was called.
    pub method: String,
    /// What was looked for, as keyed hashes; empty for a plain read.
    pub detail: String,
    /// The cases whose data was in the answer.
    pub cases: Vec<Uuid>,
}

/// An access as it stands in the record, with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, from 1.
    pub id: u64,
    /// What it was.
    pub access: Access,
}

/// Which accesses are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessFilter {
    /// Of this case.
    pub case: Option<Uuid>,
    /// By this account.
    pub account: Option<String>,
    /// Searches for any of these keyed hashes.
    pub details: Option<Vec<String>>,
    /// Older than this number; from the newest if none.
    pub before: Option<u64>,
    /// How many at most.
    pub limit: usize,
}

enum Job {
    Write(Box<Access>),
    /// Answered once everything before it is written.
    Flushed(oneshot::Sender<()>),
}

/// The record of access of one comune. Dropping it writes what is queued.
#[derive(Debug)]
pub struct AccessLog {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    reader: Mutex<Connection>,
    told: Arc<Told>,
}

/// What the one who writes and those who record tell each other.
#[derive(Debug, Default)]
struct Told {
    /// How many accesses are not in the record, and not counted in it either.
    lost: AtomicU64,
    /// Whether a flush of the file failed: the write-ahead log must stay.
    unflushed: AtomicBool,
}

fn sql(path: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        let (path, damaged) = (path.to_path_buf(), is_damage(&error));
        let source = error.into();
        match damaged {
            true => StoreError::DamagedBeside { path, doing, source },
            false => StoreError::Beside { path, doing, source },
        }
    }
}

impl AccessLog {
    /// Opens the record at `now`, making it when there is none. If whoever had it open before did
    /// not close it, what was waiting to be written is gone: that is recorded, from the last
    /// access that was written until now.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when the file is something else, [`StoreError::Beside`],
    /// [`StoreError::DamagedBeside`].
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let opening = sql(path, "opening the record of access");
        let mut writer = Connection::open(path).map_err(&opening)?;
        let id: i32 =
            writer.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(&opening)?;
        let tables: i64 = writer
            .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
            .map_err(&opening)?;
        if id != APPLICATION_ID && tables > 0 {
            return Err(StoreError::Foreign { path: path.to_path_buf(), found: id });
        }
        writer.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).map_err(&opening)?;
        writer.pragma_update(None, "synchronous", "FULL").map_err(&opening)?;
        // As for the log: what was written before and never flushed is flushed before more is.
        let mut folding = Folding::take_over(&writer, FOLDED).map_err(&opening)?;
        let folded = folding.all(&writer, "FULL").map_err(|error| StoreError::Beside {
            path: path.to_path_buf(),
            doing: "folding in what was written before",
            source: match error {
                NotFolded::Unwritten(error) => error.into(),
                NotFolded::Unflushed(error) => error.into(),
            },
        })?;
        if !folded {
            return Err(StoreError::Beside {
                path: path.to_path_buf(),
                doing: "folding in what was written before",
                source: "another program is reading it: close it and start again".into(),
            });
        }
        // One transaction: a power cut must not leave tables that nobody knows for ours.
        let of_before: bool = writer
            .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'cases'", [], |r| r.get(0))
            .map_err(&opening)?;
        let moved = if of_before { BEFORE } else { "" };
        writer
            .execute_batch(&format!(
                "BEGIN; PRAGMA application_id = {APPLICATION_ID}; {TABLES} {moved} COMMIT;"
            ))
            .map_err(&opening)?;
        begin(&mut writer, now).map_err(&opening)?;
        let reader = Connection::open(path).map_err(&opening)?;
        let (queue, jobs) = sync_channel(QUEUE);
        let told = Arc::<Told>::default();
        let writing = Writing { connection: writer, folding, told: Arc::clone(&told) };
        let thread = std::thread::Builder::new()
            .name("pratica-access".to_owned())
            .spawn(move || writing.run(&jobs))
            .map_err(|error| StoreError::unavailable("starting the record of access", error))?;
        let reader = Mutex::new(reader);
        Ok(AccessLog { queue: Some(queue), thread: Some(thread), reader, told })
    }

    /// Records an access, without waiting. What finds the queue full is counted, and the count is
    /// recorded in its place.
    pub fn record(&self, access: Access) {
        let sent = self.queue.as_ref().map(|q| q.try_send(Job::Write(Box::new(access))));
        if let Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) = sent {
            self.told.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything recorded so far is written.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the writer has ended.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let ended = || StoreError::unavailable("recording accesses", "the writer has ended");
        let (done, written) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        // A full queue is being written: a reader may be told to come back.
        queue.try_send(Job::Flushed(done)).map_err(|_| ended())?;
        written.await.map_err(|_| ended())
    }

    /// Reads accesses, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self, filter: &AccessFilter) -> Result<Vec<Recorded>, StoreError> {
        let c = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let path = Path::new(c.path().unwrap_or_default());
        let reading = sql(path, "reading the record of access");
        let before = filter.before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
        let of_case = match filter.case {
            None => "?3 IS NULL",
            Some(_) => {
                "id IN (SELECT j.value FROM seen s, json_each(s.accesses) j WHERE s.case_id = ?3)"
            }
        };
        let mut statement = c
            .prepare_cached(&format!(
                "SELECT id, at, account, role, access_right, method, detail FROM accesses a \
                 WHERE id < ?1 AND (?2 IS NULL OR account = ?2) AND {of_case} \
                   AND (?5 IS NULL OR EXISTS \
                        (SELECT 1 FROM json_each(?5) d WHERE instr(a.detail, d.value) > 0)) \
                 ORDER BY id DESC LIMIT ?4"
            ))
            .map_err(&reading)?;
        let details = filter.details.as_ref().map(|all| serde_json::json!(all).to_string());
        let case = filter.case.map(|id| id.as_bytes().to_vec());
        let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
        let rows = statement
            .query_map(params![before, filter.account, case, limit, details], |row| {
                let at: i64 = row.get(1)?;
                Ok(Recorded {
                    id: row.get::<_, i64>(0)?.cast_unsigned(),
                    access: Access {
                        at: Timestamp::from_microsecond(at).unwrap_or_default(),
                        account: row.get(2)?,
                        role: row.get(3)?,
                        right: row.get(4)?,
                        method: row.get(5)?,
                        detail: row.get(6)?,
                        cases: filter.case.into_iter().collect(),
                    },
                })
            })
            .map_err(&reading)?;
        rows.collect::<Result<_, _>>().map_err(&reading)
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the record of access panicked");
        }
        // It is the last that has the file open.
        if self.told.unflushed.load(Ordering::Relaxed) {
            leave_unfolded(self.reader.get_mut().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// The one who writes.
struct Writing {
    connection: Connection,
    folding: Folding,
    told: Arc<Told>,
}

impl Writing {
    /// Writes until nobody can record any more.
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let batch = gather(first, jobs);
            self.write(&batch);
            for job in batch {
                if let Job::Flushed(done) = job {
                    // Who does not wait any more need not be told.
                    let _ = done.send(());
                }
            }
        }
        // Nobody records any more, and all of it is written: unless some could not be. After a failed
        // flush, too, the write-ahead log takes the number.
        let missed = self.told.lost.swap(0, Ordering::Relaxed);
        let ended = commit(&mut self.connection, &[], missed)
            .and_then(|()| self.connection.execute("UPDATE session SET clean = 1", []).map(drop));
        if let Err(error) = ended {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the record of access could not be closed; the next start will say so"
            );
        }
    }

    /// Writes a batch, or counts it.
    fn write(&mut self, batch: &[Job]) {
        let missed = self.told.lost.swap(0, Ordering::Relaxed);
        let written = self
            .folding
            .sound()
            .map_err(BoxError::from)
            .and_then(|()| commit(&mut self.connection, batch, missed).map_err(BoxError::from));
        if let Err(error) = written {
            let count = batch.iter().filter(|job| matches!(job, Job::Write(_))).count() as u64;
            self.told.lost.fetch_add(missed + count, Ordering::Relaxed);
            tracing::error!(
                file = self.connection.path(),
                error = &*error as &dyn std::error::Error,
                count,
                "accesses could not be recorded, and their number will be: see that the disk has \
                 room, is sound and may be written"
            );
        } else if let Err(error) = self.folding.when_long(&self.connection) {
            self.told.unflushed.store(true, Ordering::Relaxed);
            tracing::error!(
                file = self.connection.path(),
                error = &*error as &dyn std::error::Error,
                "the record of access could not be flushed: accesses are only counted until the \
                 server is started again; see that the disk is sound"
            );
        }
    }
}

/// What comes within a moment of the first, unless somebody waits for it to be written.
fn gather(first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
    let until = Instant::now() + GATHERING;
    let mut batch = vec![first];
    while batch.len() < BATCH
        && matches!(batch.last(), Some(Job::Write(_)))
        && let Ok(job) = jobs.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        batch.push(job);
    }
    batch
}

/// Begins a session; says what may be missing since one that did not end.
fn begin(c: &mut Connection, now: Timestamp) -> rusqlite::Result<()> {
    let tx = c.transaction()?;
    let unclean: Option<i64> = tx
        .query_row("SELECT since FROM session WHERE clean = 0", [], |row| row.get(0))
        .optional()?;
    if let Some(since) = unclean {
        // The end of the record alone: what comes before may be long, or damaged.
        let last: Option<i64> = tx
            .query_row("SELECT at FROM accesses ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        let from = Timestamp::from_microsecond(last.unwrap_or(since).max(since)).unwrap_or(now);
        let gap = Access {
            at: now,
            account: "system".to_owned(),
            role: "system".to_owned(),
            right: "none".to_owned(),
            method: "accesses may be missing: the server did not end by itself".to_owned(),
            detail: format!("from {from} to {now}"),
            cases: Vec::new(),
        };
        insert(&tx, &gap)?;
        tracing::warn!(%from, "accesses may be missing: the server did not end by itself");
    }
    tx.execute("INSERT OR REPLACE INTO session VALUES (1, ?, 0)", [now.as_microsecond()])?;
    tx.commit()
}

fn commit(c: &mut Connection, batch: &[Job], missed: u64) -> rusqlite::Result<()> {
    let tx = c.transaction()?;
    let mut last = Timestamp::UNIX_EPOCH;
    let mut seen: BTreeMap<Uuid, BTreeSet<i64>> = BTreeMap::new();
    for job in batch {
        let Job::Write(access) = job else { continue };
        last = access.at;
        let id = insert(&tx, access)?;
        for case in &access.cases {
            seen.entry(*case).or_default().insert(id);
        }
    }
    for (case, accesses) in seen {
        let Some(first) = accesses.first() else { continue };
        let all: Vec<_> = accesses.iter().map(i64::to_string).collect();
        tx.prepare_cached("INSERT INTO seen VALUES (?, ?, ?)")?.execute((
            case.as_bytes(),
            first,
            format!("[{}]", all.join(",")),
        ))?;
    }
    if missed > 0 {
        insert(
            &tx,
            &Access {
                at: last,
                account: "system".to_owned(),
                role: "system".to_owned(),
                right: "none".to_owned(),
                method: "accesses that could not be recorded".to_owned(),
                detail: missed.to_string(),
                cases: Vec::new(),
            },
        )?;
    }
    tx.commit()?;
    if missed > 0 {
        tracing::error!(missed, "accesses were not recorded, and now their number is");
    }
    Ok(())
}

/// Writes an access, without its cases; answers with its number.
fn insert(c: &Connection, access: &Access) -> rusqlite::Result<i64> {
    c.prepare_cached(
        "INSERT INTO accesses(at, account, role, access_right, method, detail) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute((
        access.at.as_microsecond(),
        &access.account,
        &access.role,
        &access.right,
        &access.method,
        &access.detail,
    ))?;
    Ok(c.last_insert_rowid())
}
