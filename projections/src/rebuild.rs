//! Building the views again beside the ones that serve, and swapping them.
//!
//! The new file is written in bulk (no journal, one transaction, indexes last), flushed, named
//! `<file>.<n>`, caught up with the live one, and put under the handle between two batches. Queries
//! that began on the old file finish there. At the next start the newest complete file takes the
//! plain name again. What must never enter: effects; a rebuild reads the log and writes a file,
//! nothing else.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use pratica_store::{Delivery, EventReader, Filter, Position, Subscription};

use crate::error::{ViewError, sql};
use crate::projector::{Ahead, fresh, load};
use crate::rules::Rules;
use crate::schema::{self, Found, Mode};
use crate::views::{Generation, Shared, Views};
use crate::writer::Writer;
use crate::writer::apart::Apart;
use crate::writer::prepare::Loaded;

/// How many events the smallest batches have.
const FEW: usize = 2_000;

impl Views {
    /// Builds the views again from the first event on, while the old ones serve, and swaps them:
    /// up to where the log is applied then. What came of it, [`Views::content_digest`] says.
    /// `progress` hears where it is and where the log ends. The projector may go on meanwhile; it
    /// writes to the new file from the swap on.
    ///
    /// Blocks the thread that polls for as long as a batch takes: give it a thread of its own.
    ///
    /// # Errors
    /// [`ViewError::Rebuilding`] when another is under way; otherwise as
    /// [`crate::Projector::apply`]. The old views go on serving then.
    pub async fn rebuild(
        &self,
        reader: Arc<dyn EventReader>,
        rules: &Rules,
        progress: impl FnMut(Position, Position) + Send,
    ) -> Result<Position, ViewError> {
        let shared = &*self.shared;
        if shared.rebuilding.swap(true, Ordering::AcqRel) {
            return Err(ViewError::Rebuilding);
        }
        let _over = Over(shared);
        let number = number_of(&shared.path, &shared.generation().path).unwrap_or(0) + 1;
        let path = numbered(&shared.path, number);
        let building = beside(&shared.path, "new");
        let built = build(shared, &building, &path, reader, rules, progress).await;
        if built.is_err() {
            remove(&building);
            remove(&path);
        }
        built
    }
}

/// Says that a rebuild is over, however it ended.
struct Over<'a>(&'a Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.rebuilding.store(false, Ordering::Release);
    }
}

async fn build(
    shared: &Shared,
    building: &Path,
    path: &Path,
    reader: Arc<dyn EventReader>,
    rules: &Rules,
    progress: impl FnMut(Position, Position) + Send,
) -> Result<Position, ViewError> {
    let options = &shared.options;
    remove(building);
    let connection = schema::open(building, Mode::Bulk, options.cache_kib.max(64 * 1024))?;
    let mut writer = Writer::new(connection, options.cached_cases, Arc::clone(&shared.index))?;
    writer.use_rules(rules)?;
    writer.begin_bulk()?;
    let head = reader.head().await?;
    let log = Subscription::new(Arc::clone(&reader), Position::START, Filter::all());
    let mut run = Run { reader, rules, most: options.rebuild_batch_events, progress };
    let next = run.ahead(log, head);
    let (writer, mut next) = run.advance(writer, next, head).await?;

    let (worker, connection) = writer.end_bulk()?;
    let io = |source| ViewError::Io { path: building.to_path_buf(), source };
    let file = File::open(building).map_err(io)?;
    // What is there already goes to the disk while the indexes are made.
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| file.sync_data());
        let indexed = schema::index(&connection);
        let flushed = flushing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        indexed.and(flushed.map_err(io))
    })?;
    connection.close().map_err(|(_, error)| sql("closing the new views")(error))?;
    file.sync_all().map_err(io)?;
    // Closed before SQLite opens it again, whose locks it would take along.
    drop(file);
    fs::rename(building, path).map_err(io)?;

    let connection = schema::open(path, Mode::Live, options.cache_kib)?;
    let mut writer = Writer::of(connection, worker)?;
    let generation = Arc::new(Generation::open(path, options)?);
    loop {
        let live = {
            let mut live = shared.writer();
            if writer.position() >= live.worked_out() {
                // From here to the end of the block nobody writes: one step for all.
                let old = std::mem::replace(
                    &mut *shared.generation.write().unwrap_or_else(PoisonError::into_inner),
                    generation,
                );
                old.replaced.store(true, Ordering::Release);
                let position = writer.position();
                shared.position.store(position.get(), Ordering::Release);
                let kept = std::mem::replace(&mut *live, writer).cases();
                // Nobody waits until the cases that it kept are freed.
                drop(std::thread::Builder::new().spawn(move || drop(kept)));
                return Ok(position);
            }
            live.worked_out()
        };
        (writer, next) = run.advance(writer, next, live).await?;
    }
}

/// The log on its way into new views.
struct Run<'a, P> {
    reader: Arc<dyn EventReader>,
    rules: &'a Rules,
    /// How many events a batch has at most.
    most: usize,
    progress: P,
}

impl<P: FnMut(Position, Position) + Send> Run<'_, P> {
    /// Applies the log up to a position at least: while a batch is written the next is worked out,
    /// and the one after it read.
    async fn advance(
        &mut self,
        writer: Writer,
        next: Ahead,
        until: Position,
    ) -> Result<(Writer, Ahead), ViewError> {
        let mut writer = Apart::new(writer);
        let worked_out = self.work_out(&mut writer, next, until).await;
        let writer = writer.end()?;
        Ok((writer, worked_out?))
    }

    async fn work_out(
        &mut self,
        writer: &mut Apart,
        mut next: Ahead,
        until: Position,
    ) -> Result<Ahead, ViewError> {
        while writer.worked_out() < until {
            let (delivery, log) = next.get().await;
            next = self.ahead(log, until);
            let Delivery::Events { events, .. } = delivery? else { break };
            next.start().await;
            let events = fresh(writer.worked_out(), &events)?;
            let mut loaded = Loaded::new();
            load(&*self.reader, writer.missing(events), &mut loaded).await?;
            if !writer.work_out(events, loaded, self.rules)? {
                break;
            }
            (self.progress)(writer.worked_out(), until.max(writer.worked_out()));
        }
        Ok(next)
    }

    /// The next batch. Those at both ends are smaller: nothing is written before the first is
    /// worked out, and nothing worked out while the last is written.
    fn ahead(&self, log: Subscription, until: Position) -> Ahead {
        let done = log.position().get();
        let left = until.get().saturating_sub(done);
        let events = usize::try_from(done.min(left / 2)).unwrap_or(usize::MAX);
        Ahead::new(log.batch(events.max(FEW).min(self.most)))
    }
}

/// Puts the newest complete file under the plain name, and clears away what a rebuild or another
/// version left behind. Nobody may have the files open.
pub(crate) fn settle(path: &Path) -> Result<(), ViewError> {
    remove(&beside(path, "new"));
    let mut complete = generations(path)?;
    complete.sort_unstable();
    if let Some(newest) = complete.pop() {
        for older in complete {
            remove(&numbered(path, older));
        }
        let newest = numbered(path, newest);
        if looked(&newest)? == Found::Current {
            // Closing the last connection folds the write-ahead log in and removes it.
            let c = schema::open(&newest, Mode::Live, 1024)?;
            c.close().map_err(|(_, error)| sql("closing the views")(error))?;
            remove(path);
            fs::rename(&newest, path)
                .map_err(|source| ViewError::Io { path: newest.clone(), source })?;
        } else {
            remove(&newest);
        }
    }
    if path.exists() && looked(path)? == Found::OtherVersion {
        tracing::info!("the views are of another version: they are built again");
        remove(path);
    }
    Ok(())
}

/// Looks at a file; a damaged one is of no version.
fn looked(path: &Path) -> Result<Found, ViewError> {
    match schema::look(path) {
        Err(error) if error.is_damage() => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the views' file is damaged: the views are built again from the log"
            );
            Ok(Found::OtherVersion)
        }
        found => found,
    }
}

/// The numbers of the files that rebuilds completed.
fn generations(path: &Path) -> Result<Vec<u64>, ViewError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let io = |source| ViewError::Io { path: directory.to_path_buf(), source };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(io)? {
        let found = directory.join(entry.map_err(io)?.file_name());
        numbers.extend(number_of(&directory.join(path.file_name().unwrap_or_default()), &found));
    }
    Ok(numbers)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

fn numbered(path: &Path, number: u64) -> PathBuf {
    beside(path, &number.to_string())
}

fn number_of(path: &Path, found: &Path) -> Option<u64> {
    let (name, found) = (path.file_name()?.to_str()?, found.file_name()?.to_str()?);
    found.strip_prefix(name)?.strip_prefix('.')?.parse().ok()
}

/// Removes a database and what belongs to it. What cannot be removed is said, and tried again at
/// the next start.
pub(crate) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_os_string();
        name.push(suffix);
        match fs::remove_file(&name) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "a file of old views cannot be removed"),
        }
    }
}
