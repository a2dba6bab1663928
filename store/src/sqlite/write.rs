//! The one writer: a thread that commits whatever has queued up in one transaction.
//!
//! A flush costs a hundred times what an insert does; while one is under way the next appends
//! queue up, and share the next flush. Each is judged by itself, in order, against the state that
//! the earlier ones of the same transaction leave; a refused one leaves nothing. All are answered
//! after the commit.
//!
//! Every so many pages it folds the write-ahead log into the file itself (`fold`).
//!
//! After an error that it cannot judge (a failed flush, a full disk, a constraint that a stranger
//! broke) the writer stops for good: what the disk then holds is known only after a restart.
//! Never acknowledge before `COMMIT` has returned, never after a failed one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

use super::fold::Folding;
use super::schema::sql;
use super::{Options, Stats, read};
use crate::error::StoreError;
use crate::event::{Appended, EncodedAppend};
use crate::revision::Position;

mod judge;

use judge::Ledger;

type Answer = Result<Appended, StoreError>;
/// Why a writer stopped for good.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The handle to the writer thread.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` only while dropping: the thread ends when it is gone.
    queue: Option<mpsc::Sender<Job>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Job {
    append: EncodedAppend,
    reply: oneshot::Sender<Answer>,
}

#[derive(Debug)]
struct Shared {
    head: watch::Sender<Position>,
    stopped: watch::Sender<Option<Cause>>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    commits: AtomicU64,
    appends: AtomicU64,
    replays: AtomicU64,
    refusals: AtomicU64,
    events: AtomicU64,
    largest_batch: AtomicU64,
}

impl Writer {
    pub(super) fn start(connection: Connection, options: &Options) -> Result<Self, StoreError> {
        let head = read::head(&connection)?;
        let ledger = Ledger::open(&connection, head)?;
        let folding = Folding::take_over(&connection, options.checkpoint_pages.into())
            .map_err(sql("opening the log"))?;
        let shared = Arc::new(Shared {
            head: watch::Sender::new(head),
            stopped: watch::Sender::new(None),
            counters: Counters::default(),
        });
        let (queue, jobs) = mpsc::channel(options.write_queue.max(1));
        let work = Work {
            connection,
            jobs,
            ledger,
            shared: Arc::clone(&shared),
            batch_appends: options.batch_appends.max(1),
            batch_bytes: options.batch_bytes,
            folding,
        };
        let thread = std::thread::Builder::new()
            .name("pratica-write".to_owned())
            .spawn(move || work.run())
            .map_err(|error| StoreError::unavailable("starting the writer", error))?;
        Ok(Self { queue: Some(queue), shared, thread: Some(thread) })
    }

    pub(super) async fn append(&self, append: EncodedAppend) -> Answer {
        let (reply, answer) = oneshot::channel();
        let Some(queue) = &self.queue else { return Err(self.shared.stopped()) };
        if queue.send(Job { append, reply }).await.is_err() {
            return Err(self.shared.stopped());
        }
        answer.await.unwrap_or_else(|_| Err(self.shared.stopped()))
    }

    pub(super) fn head(&self) -> Position {
        *self.shared.head.borrow()
    }

    pub(super) fn watch_head(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    pub(super) fn watch_stopped(&self) -> watch::Receiver<Option<Cause>> {
        self.shared.stopped.subscribe()
    }

    pub(super) fn stats(&self) -> Stats {
        let Counters { commits, appends, replays, refusals, events, largest_batch } =
            &self.shared.counters;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: get(commits),
            appends: get(appends),
            replays: get(replays),
            refusals: get(refusals),
            events: get(events),
            largest_batch: get(largest_batch),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread of the log panicked");
        }
    }
}

impl Shared {
    fn stopped(&self) -> StoreError {
        // Without a cause only when the thread panicked, which says so itself.
        let source = self.stopped.borrow().clone().unwrap_or_else(|| {
            Arc::new(std::io::Error::other("the writer thread of the log has ended"))
        });
        StoreError::Stopped { source }
    }
}

struct Work {
    connection: Connection,
    jobs: mpsc::Receiver<Job>,
    ledger: Ledger,
    shared: Arc<Shared>,
    batch_appends: usize,
    batch_bytes: usize,
    folding: Folding,
}

/// Why a transaction did not take place.
enum Failed {
    /// Nothing was begun: another time may do.
    Busy(rusqlite::Error),
    /// What the disk holds is not known.
    Stop(rusqlite::Error),
}

impl Work {
    /// Until the handle is gone and the queue is empty.
    fn run(mut self) {
        while let Some(first) = self.jobs.blocking_recv() {
            let batch = self.gather(first);
            if self.shared.stopped.borrow().is_some() {
                for job in batch {
                    answer(job.reply, Err(self.shared.stopped()));
                }
                continue;
            }
            match self.commit(&batch) {
                Ok(answers) => {
                    self.acknowledge(batch, answers);
                    if let Err(error) = self.folding.when_long(&self.connection) {
                        self.stop(Vec::new(), error);
                    }
                }
                Err(Failed::Busy(error)) => {
                    let cause: Cause = Arc::new(error);
                    for job in batch {
                        let error = StoreError::unavailable(
                            "another program writes to the log",
                            Arc::clone(&cause),
                        );
                        answer(job.reply, Err(error));
                    }
                }
                Err(Failed::Stop(error)) => self.stop(batch, Arc::new(error)),
            }
        }
    }

    fn gather(&mut self, first: Job) -> Vec<Job> {
        let mut bytes = first.append.bytes;
        let mut batch = vec![first];
        while batch.len() < self.batch_appends
            && bytes < self.batch_bytes
            && let Ok(job) = self.jobs.try_recv()
        {
            bytes += job.append.bytes;
            batch.push(job);
        }
        batch
    }

    fn commit(&mut self, batch: &[Job]) -> Result<Vec<Answer>, Failed> {
        let c = &self.connection;
        execute(c, "BEGIN IMMEDIATE").map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failed::Busy(error),
            _ => Failed::Stop(error),
        })?;
        let mut answers = Vec::with_capacity(batch.len());
        for job in batch {
            answers.push(self.ledger.judge(c, &job.append).map_err(Failed::Stop)?);
        }
        execute(c, "COMMIT").map_err(Failed::Stop)?;
        Ok(answers)
    }

    fn acknowledge(&self, batch: Vec<Job>, answers: Vec<Answer>) {
        let count = |counter: &AtomicU64, by: u64| counter.fetch_add(by, Ordering::Relaxed);
        let counters = &self.shared.counters;
        let mut wrote = false;
        for (job, outcome) in batch.iter().zip(&answers) {
            match outcome {
                Ok(appended) => {
                    count(&counters.appends, 1);
                    if appended.replayed {
                        count(&counters.replays, 1);
                    } else {
                        count(&counters.events, job.append.events.len() as u64);
                        wrote |= !job.append.events.is_empty() || job.append.request.is_some();
                    }
                }
                Err(_) => {
                    count(&counters.refusals, 1);
                }
            }
        }
        count(&counters.commits, u64::from(wrote));
        counters.largest_batch.fetch_max(batch.len() as u64, Ordering::Relaxed);
        // The head first: who has the answer finds the head at least there.
        let head = self.ledger.head();
        self.shared.head.send_if_modified(|old| std::mem::replace(old, head) != head);
        for (job, outcome) in batch.into_iter().zip(answers) {
            answer(job.reply, outcome);
        }
    }

    fn stop(&self, batch: Vec<Job>, error: Arc<rusqlite::Error>) {
        tracing::error!(
            file = self.connection.path(),
            error = &*error as &dyn std::error::Error,
            "the writer of the log stops; mend the cause, verify the log and restart"
        );
        // Readers go on; that the rollback may fail as well changes nothing for them.
        if !self.connection.is_autocommit()
            && let Err(error) = execute(&self.connection, "ROLLBACK")
        {
            tracing::error!(error = &error as &dyn std::error::Error, "the rollback failed too");
        }
        self.shared.stopped.send_replace(Some(error));
        for job in batch {
            answer(job.reply, Err(self.shared.stopped()));
        }
    }
}

fn execute(c: &Connection, statement: &str) -> rusqlite::Result<()> {
    c.prepare_cached(statement)?.execute([]).map(drop)
}

fn answer(reply: oneshot::Sender<Answer>, answer: Answer) {
    // Nobody waits any more: then there is nobody to tell either.
    drop(reply.send(answer));
}
