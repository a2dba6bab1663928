//! The log in one SQLite file: the embedded store, one per comune.
//!
//! One thread writes, a few threads read, each with a connection of its own; SQLite's WAL lets
//! them not wait for each other. What is committed together is decided in `write`, what an
//! event looks like on disk in `schema`. Never open a second writing connection: that there is
//! exactly one is what makes positions gapless and visible in order.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::StoreError;
use crate::event::{AppendRequest, Appended, RawAppend, RecordedEvent, RequestRecord, StreamName};
use crate::log::{Direction, EventAppender, EventReader, Filter, Fut, Page};
use crate::revision::{Position, Revision};

mod backup;
pub(crate) mod fold;
mod pool;
mod read;
mod schema;
pub mod travel;
mod verify;
mod write;

pub use backup::{cut, head_of, snapshot};
pub use pool::{ReaderPool, in_snapshot, plan_once};
pub use schema::{APPLICATION_ID, FORMAT, OLDEST_SQLITE, require_safe_sqlite};
pub use verify::{Verified, verify_file};
pub use write::Cause;

/// The version of the SQLite that this program holds.
pub fn version() -> &'static str {
    rusqlite::version()
}

/// How a log is kept. The defaults suit one comune; durability is not among the options.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that read, each with its own connection. At least one.
    pub readers: usize,
    /// How many reads may wait; one more waits before it is queued. At least one.
    pub read_queue: usize,
    /// How many appends may wait; one more waits before it is queued. At least one.
    pub write_queue: usize,
    /// How many appends one commit takes at most.
    pub batch_appends: usize,
    /// How many bytes of events one commit takes at most (one append is always taken).
    pub batch_bytes: usize,
    /// How many events a filtered read looks at before it answers with what it found.
    pub scan_events: usize,
    /// How many bytes of payloads end a page of the whole log, whatever it was asked for: the event
    /// that reaches them is its last.
    pub page_bytes: usize,
    /// How long the writer waits for a stranger's lock on the file, such as a database viewer's.
    pub busy_timeout: Duration,
    /// After how many pages of 4 KiB the write-ahead log is folded into the file; 0 for never.
    pub checkpoint_pages: u32,
    /// The largest the file may grow, in pages of 4 KiB: a quota. When it is reached the writer
    /// stops as if the disk were full. `None` for no limit.
    pub max_pages: Option<u32>,
    /// Page cache of the writer and of each of the two connections for short queries, in KiB; the
    /// threads that read share twice as much.
    pub cache_kib: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 8,
            read_queue: 256,
            write_queue: 1024,
            batch_appends: 512,
            batch_bytes: 4 * 1024 * 1024,
            scan_events: 20_000,
            page_bytes: 64 * 1024 * 1024,
            busy_timeout: Duration::from_secs(5),
            checkpoint_pages: 4000,
            max_pages: None,
            cache_kib: 16 * 1024,
        }
    }
}

/// What the writer has done since the log was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions committed that wrote something: each one flush.
    pub commits: u64,
    /// Appends answered with success, replays included.
    pub appends: u64,
    /// Appends answered from a recorded request id.
    pub replays: u64,
    /// Appends refused: conflicts and reused request ids.
    pub refusals: u64,
    /// Events recorded.
    pub events: u64,
    /// The most appends that one transaction took.
    pub largest_batch: u64,
}

/// A log in one SQLite file. Dropping it writes what is queued and waits for that.
#[derive(Debug)]
pub struct SqliteLog {
    // The order of the fields is the order of closing: the writer drains, the readers end, and
    // only then may another process have the file.
    writer: write::Writer,
    readers: ReaderPool,
    names: Arc<read::StreamNames>,
    path: PathBuf,
    scan_events: usize,
    page_bytes: usize,
    _lock: File,
}

impl SqliteLog {
    /// Opens the log in this file, making it when there is none; the directory must exist.
    ///
    /// Blocks for as long as opening the file takes, and folds in what a crash left behind.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another writer has it, [`StoreError::SqliteTooOld`],
    /// [`StoreError::Foreign`] and [`StoreError::WrongFormat`] when it cannot be kept safely,
    /// [`StoreError::Unavailable`] and [`StoreError::Corrupt`] when it cannot be opened.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        schema::require_safe_sqlite()?;
        let lock = lock(&path)?;
        let connection = schema::open_for_writing(&path, &options)?;
        let writer = write::Writer::start(connection, &options)?;
        let readers =
            ReaderPool::open(&path, options.readers, options.read_queue, options.cache_kib)?;
        let names = Arc::default();
        let Options { scan_events, page_bytes, .. } = options;
        Ok(Self { writer, readers, names, path, scan_events, page_bytes, _lock: lock })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the writer has done since the log was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.writer.stats()
    }

    /// Why the writer has stopped for good, once it has: nothing is recorded any more, reading goes on.
    #[must_use]
    pub fn watch_stopped(&self) -> watch::Receiver<Option<Cause>> {
        self.writer.watch_stopped()
    }

    /// The threads that read, for queries of one's own over the log's tables.
    #[must_use]
    pub const fn readers(&self) -> &ReaderPool {
        &self.readers
    }

    /// Appends what comes from another log, its metadata byte for byte; judged like any append.
    ///
    /// # Errors
    /// As [`EventAppender::append`].
    pub async fn append_raw(&self, append: RawAppend) -> Result<Appended, StoreError> {
        self.writer.append(append.encode()?).await
    }

    /// Goes through the whole log and checks all that was promised of it: positions and
    /// revisions without gaps, JSON that can be parsed, requests that name the events they
    /// recorded, and SQLite's own check. Meanwhile the log serves.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the first position that departs.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        verify::verify(&self.readers).await
    }

    /// Writes a copy of the log, of one moment, to a file that must not exist yet. Meanwhile the
    /// log serves. When it is answered the copy is complete and flushed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be written; no half copy is left under `target`.
    pub async fn backup_to(&self, target: impl AsRef<Path>) -> Result<(), StoreError> {
        backup::backup(self.path.clone(), target.as_ref().to_path_buf()).await
    }
}

/// Takes the lock beside the log: `log.lock` for `log.db`. It is the operating system's, and so
/// falls with the process however that ends.
fn lock(path: &Path) -> Result<File, StoreError> {
    let path = path.with_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| StoreError::unavailable("opening the lock file", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path }),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(StoreError::unavailable("locking the log", error))
        }
    }
}

impl EventReader for SqliteLog {
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Fut<'_, Vec<RecordedEvent>> {
        let stream = stream.clone();
        Box::pin(async move {
            self.readers.run_short(move |c| read::stream(c, &stream, from, direction, max)).await?
        })
    }

    fn read_all(
        &self,
        from: Position,
        direction: Direction,
        filter: &Filter,
        max: usize,
    ) -> Fut<'_, Page> {
        let (names, filter) = (Arc::clone(&self.names), filter.clone());
        let scan = if filter.is_all() { max } else { self.scan_events };
        let bytes = self.page_bytes;
        Box::pin(async move {
            let wanted = read::Wanted { from, direction, filter, max, scan, bytes };
            for events in read::ahead(&wanted, self.writer.head()) {
                self.readers.run_aside(move |c| read::touch(c, &events));
            }
            self.readers.run(move |c| read::all(c, &names, &wanted)).await?
        })
    }

    fn head(&self) -> Fut<'_, Position> {
        // What the writer has published is committed and readable; no need to ask the file.
        Box::pin(async { Ok(self.writer.head()) })
    }

    fn stream_revision(&self, stream: &StreamName) -> Fut<'_, Option<Revision>> {
        let stream = stream.clone();
        Box::pin(async move {
            self.readers.run_short(move |c| read::stream_revision(c, &stream)).await?
        })
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.writer.watch_head()
    }

    fn find_request(&self, id: Uuid) -> Fut<'_, Option<RequestRecord>> {
        Box::pin(async move { self.readers.run_short(move |c| read::request(c, id)).await? })
    }
}

impl EventAppender for SqliteLog {
    fn append(&self, request: AppendRequest) -> Fut<'_, Appended> {
        Box::pin(async move { self.writer.append(request.encode()?).await })
    }
}
