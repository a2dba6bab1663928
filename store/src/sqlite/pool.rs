//! A few threads that read a database, each with a read-only connection of its own.
//!
//! SQLite blocks, and async code must not: queries go to these threads. The number of threads
//! and the queue are bounded; who comes when it is full waits. What reads a few rows by an index
//! takes less time than handing it over to a thread and back would, and runs where it is asked
//! for, on connections kept for that: as long as the system has the pages in memory. While such
//! queries wait for the disk they go to the threads as well, so that many wait at a time, and who
//! asks does not block. Never write here: the connections cannot.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::schema::sql;
use crate::error::StoreError;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Connections for short queries, used where these are asked for.
const NEAR: usize = 2;

/// Threads that read one SQLite file. Dropping it finishes what is queued.
pub struct ReaderPool {
    /// For short queries; one that is in use is not here.
    near: Mutex<Vec<Connection>>,
    disk: Arc<Disk>,
    queue: Arc<Queue>,
    room: Arc<Semaphore>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<(Job, OwnedSemaphorePermit)>,
    closed: bool,
}

impl std::fmt::Debug for ReaderPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReaderPool").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

impl ReaderPool {
    /// Opens a file that exists, with this many threads (at least one) and room for this many
    /// waiting queries (at least one). `cache_kib` is the page cache of a connection for short
    /// queries; the threads share as much as all of these have.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be opened.
    pub fn open(
        path: &Path,
        threads: usize,
        queue: usize,
        cache_kib: u32,
    ) -> Result<Self, StoreError> {
        let threads = threads.max(1);
        let open = |cache_kib: i64| {
            let connection = open_for_reading(path)?;
            connection
                .pragma_update(None, "cache_size", -cache_kib)
                .map_err(sql("setting up a reader"))?;
            Ok(connection)
        };
        let near = (0..NEAR).map(|_| open(cache_kib.into())).collect::<Result<_, StoreError>>()?;
        let shared_kib = i64::from(cache_kib) * NEAR as i64 / threads as i64;
        let mut pool = Self {
            near: Mutex::new(near),
            disk: Arc::default(),
            queue: Arc::default(),
            room: Arc::new(Semaphore::new(queue.clamp(1, Semaphore::MAX_PERMITS))),
            threads: Vec::new(),
        };
        for number in 0..threads {
            let connection = open(shared_kib)?;
            let queue = Arc::clone(&pool.queue);
            let thread = std::thread::Builder::new()
                .name(format!("pratica-read-{number}"))
                .spawn(move || queue.serve(connection))
                .map_err(|error| StoreError::unavailable("starting a reader", error))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Runs a query that reads a few rows by an index, here and now; on one of the threads when all
    /// connections for such queries are in use, or such queries had to wait for the disk lately.
    ///
    /// # Errors
    /// As [`ReaderPool::run`].
    pub async fn run_short<R, F>(&self, query: F) -> Result<R, StoreError>
    where
        F: FnOnce(&mut Connection) -> R + Send + 'static,
        R: Send + 'static,
    {
        let disk = Arc::clone(&self.disk);
        let query = move |connection: &mut Connection| disk.watching(|| query(connection));
        let free = match self.disk.is_slow() {
            true => None,
            false => self.near.lock().unwrap_or_else(PoisonError::into_inner).pop(),
        };
        let Some(mut connection) = free else { return self.run(query).await };
        let result = catch_unwind(AssertUnwindSafe(|| query(&mut connection)));
        settle(&connection);
        self.near.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result.map_err(|_| {
            StoreError::unavailable("running a query", std::io::Error::other("it panicked"))
        })
    }

    /// Runs a query on one of the threads, as soon as one is free.
    ///
    /// Use `prepare_cached`: the connection stays. Read several things inside one transaction
    /// where they must be of one moment. When the future is dropped before the query began, it
    /// does not run.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the query panicked. The query's own errors are in `R`.
    pub async fn run<R, F>(&self, query: F) -> Result<R, StoreError>
    where
        F: FnOnce(&mut Connection) -> R + Send + 'static,
        R: Send + 'static,
    {
        let room = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|error| StoreError::unavailable("queueing a query", error))?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if !reply.is_closed() {
                // Nobody waits any more: then there is nobody to tell either.
                drop(reply.send(query(connection)));
            }
        });
        self.queue.push(job, room);
        answer.await.map_err(|error| StoreError::unavailable("running a query", error))
    }

    /// Runs a query that nobody waits for when a thread is free, unless the queue is full.
    pub(super) fn run_aside(&self, query: impl FnOnce(&mut Connection) + Send + 'static) {
        if let Ok(room) = Arc::clone(&self.room).try_acquire_owned() {
            self.queue.push(Box::new(query), room);
        }
    }
}

impl Drop for ReaderPool {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reader thread panicked");
            }
        }
    }
}

/// Whether short queries wait for the disk, told by how long they take.
///
/// One may also be long because other threads had the processor: so one alone proves nothing, and
/// it takes more than a few among many.
#[derive(Debug, Default)]
struct Disk {
    score: AtomicU32,
}

impl Disk {
    /// What a few rows take from the system's cache, several times over.
    const LONG: Duration = Duration::from_millis(1);
    /// What a long query adds; a quick one takes one off.
    const WEIGHT: u32 = 8;
    const SLOW_FROM: u32 = 2 * Self::WEIGHT;
    const MOST: u32 = 8 * Self::WEIGHT;

    fn is_slow(&self) -> bool {
        self.score.load(Ordering::Relaxed) >= Self::SLOW_FROM
    }

    fn watching<R>(&self, query: impl FnOnce() -> R) -> R {
        let begun = Instant::now();
        let result = query();
        self.took(begun.elapsed());
        result
    }

    fn took(&self, time: Duration) {
        let score = self.score.load(Ordering::Relaxed);
        let next = match time >= Self::LONG {
            true => (score + Self::WEIGHT).min(Self::MOST),
            false => score.saturating_sub(1),
        };
        // Two at the same moment may count as one: it is an estimate.
        if next != score {
            self.score.store(next, Ordering::Relaxed);
        }
    }
}

impl Queue {
    fn push(&self, job: Job, room: OwnedSemaphorePermit) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).jobs.push_back((job, room));
        self.ready.notify_one();
    }

    fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.ready.notify_all();
    }

    fn next(&self) -> Option<Job> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .ready
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        // The place in the queue is free again from here on.
        state.jobs.pop_front().map(|(job, _room)| job)
    }

    fn serve(&self, mut connection: Connection) {
        while let Some(job) = self.next() {
            // A query that panics takes its own caller down, not the thread.
            if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                tracing::error!("a query panicked");
            }
            settle(&connection);
        }
    }
}

/// Runs queries of one moment: what they read is of one snapshot.
///
/// # Errors
/// When SQLite cannot begin or end the transaction. A panic in between leaves it open; the pool
/// then rolls it back.
pub fn in_snapshot<R>(
    c: &Connection,
    queries: impl FnOnce(&Connection) -> R,
) -> rusqlite::Result<R> {
    c.prepare_cached("BEGIN")?.execute([])?;
    let read = queries(c);
    c.prepare_cached("COMMIT")?.execute([])?;
    Ok(read)
}

/// Ends what a query that panicked left open.
fn settle(c: &Connection) {
    if !c.is_autocommit()
        && let Err(error) = c.execute_batch("ROLLBACK")
    {
        tracing::error!(error = &error as &dyn std::error::Error, "a reader cannot end its query");
    }
}

/// Opens a connection that cannot write.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let c = Connection::open_with_flags(path, flags).map_err(sql("opening a reader"))?;
    // Readers only ever wait here while another one folds in what a crash left behind.
    c.busy_timeout(Duration::from_secs(5)).map_err(sql("opening a reader"))?;
    c.set_prepared_statement_cache_capacity(64);
    plan_once(&c).map_err(sql("opening a reader"))?;
    Ok(c)
}

/// Has SQLite keep the plan that it made for a statement. It would look at the values bound to it,
/// `LIMIT ?` among them, and so parse and plan the statement anew for each execution.
pub fn plan_once(c: &Connection) -> rusqlite::Result<()> {
    c.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{Disk, ReaderPool};
    use std::thread::ThreadId;
    use std::time::Duration;

    const QUICK: Duration = Duration::from_micros(50);
    const WAITED: Duration = Duration::from_millis(4);

    #[test]
    fn a_disk_is_slow_when_queries_wait_for_it_and_not_for_one_that_was_interrupted() {
        let disk = Disk::default();
        for n in 0..1000 {
            disk.took(if n % 20 == 0 { WAITED } else { QUICK });
            assert!(!disk.is_slow(), "one in twenty is no slow disk");
        }
        disk.took(WAITED);
        disk.took(WAITED);
        assert!(disk.is_slow());
        for _ in 0..1000 {
            disk.took(WAITED);
        }
        let quick = (0..1000).take_while(|_| {
            disk.took(QUICK);
            disk.is_slow()
        });
        assert!(quick.count() < 64, "it is believed to be quick again after a bounded number");
    }

    #[tokio::test]
    async fn short_queries_leave_the_runtime_while_the_disk_is_slow() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.db");
        rusqlite::Connection::open(&path)
            .and_then(|c| c.execute_batch("CREATE TABLE t(n)"))
            .expect("a file");
        let pool = ReaderPool::open(&path, 2, 2, 64).expect("a pool");
        let here = std::thread::current().id();
        let ran_on = async || -> ThreadId {
            pool.run_short(|_| std::thread::current().id()).await.expect("an answer")
        };
        assert_eq!(ran_on().await, here);
        pool.disk.took(WAITED);
        pool.disk.took(WAITED);
        assert_ne!(ran_on().await, here, "the disk is slow");
        // Each of these is quick, so that in the end they come back.
        let mut away = 0;
        while ran_on().await != here {
            away += 1;
            assert!(away < 1000, "short queries never came back");
        }
    }
}
