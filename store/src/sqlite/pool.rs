//! A few threads that read a database, each with a read-only connection of its own.
//!
//! SQLite blocks, and async code must not: queries go to these threads. The number of threads
//! and the queue are bounded; who comes when it is full waits. What reads a few rows by an index
//! takes less time than handing it over to a thread and back would, and runs where it is asked
//! for, on connections kept for that. Never write here: the connections cannot.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::schema::sql;
use crate::error::StoreError;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Threads that read one SQLite file. Dropping it finishes what is queued.
pub struct ReaderPool {
    /// For short queries; one that is in use is not here.
    near: Mutex<Vec<Connection>>,
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
    /// waiting queries (at least one). `setup` is called once for each connection, for settings
    /// such as the cache size.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] or [`StoreError::Corrupt`] when it cannot be opened.
    pub fn open<S>(path: &Path, threads: usize, queue: usize, setup: S) -> Result<Self, StoreError>
    where
        S: Fn(&Connection) -> rusqlite::Result<()>,
    {
        let mut near = Vec::new();
        for _ in 0..threads.max(1) {
            let connection = open_for_reading(path)?;
            setup(&connection).map_err(sql("setting up a reader"))?;
            near.push(connection);
        }
        let mut pool = Self {
            near: Mutex::new(near),
            queue: Arc::default(),
            room: Arc::new(Semaphore::new(queue.clamp(1, Semaphore::MAX_PERMITS))),
            threads: Vec::new(),
        };
        for number in 0..threads.max(1) {
            let connection = open_for_reading(path)?;
            setup(&connection).map_err(sql("setting up a reader"))?;
            let queue = Arc::clone(&pool.queue);
            let thread = std::thread::Builder::new()
                .name(format!("pratica-read-{number}"))
                .spawn(move || queue.serve(connection))
                .map_err(|error| StoreError::unavailable("starting a reader", error))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// Runs a query that reads a few rows by an index, here and now; when all connections for such
    /// queries are in use, on one of the threads.
    ///
    /// # Errors
    /// As [`ReaderPool::run`].
    pub async fn run_short<R, F>(&self, query: F) -> Result<R, StoreError>
    where
        F: FnOnce(&mut Connection) -> R + Send + 'static,
        R: Send + 'static,
    {
        let free = self.near.lock().unwrap_or_else(PoisonError::into_inner).pop();
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
