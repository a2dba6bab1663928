//! Writing batches of events into the views: rows, counts and checkpoint in one transaction.
//!
//! What can be worked out without the database is worked out first, stream by stream and on
//! several threads (`prepare`); then each touched case is written once, and only what differs.
//! While one batch is written, the next may be worked out.
//! What must never enter: reading the log (what is missing is handed over), a clock, effects.

pub(crate) mod apart;
mod args;
mod cases;
pub(crate) mod deltas;
mod meta;
pub(crate) mod prepare;
mod rows;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use pratica_domain::Case;
use pratica_store::{BlindIndex, Position, RecordedEvent, StreamName};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::cache::Cache;
use crate::derive::Derived;
use crate::error::{ViewError, sql};
use crate::rules::Rules;
use crate::schema;
use cases::Cases;
use meta::Meta;
use prepare::{Before, Loaded, Prepared};

/// A case as the views hold it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: i64,
    pub case: Case,
    pub derived: Arc<Derived>,
}

/// The one writer of a file.
pub(crate) struct Writer {
    worker: Worker,
    /// What is worked out and not written yet.
    batch: Option<Prepared>,
    tables: Tables,
}

/// The cases that are kept as they stand.
pub(crate) type Kept = Cache<StreamName, Box<Entry>>;

/// Works batches out, one after the other.
pub(crate) struct Worker {
    /// Up to where the log is worked out.
    position: Position,
    cache: Kept,
    index: Arc<dyn BlindIndex>,
}

/// Writes batches that are worked out.
struct Tables {
    connection: Connection,
    meta: Meta,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        cached_cases: usize,
        index: Arc<dyn BlindIndex>,
    ) -> Result<Writer, ViewError> {
        let cache = Cache::new(cached_cases);
        Writer::of(connection, Worker { position: Position::START, cache, index })
    }

    /// A writer that goes on with the cases which another kept.
    pub(crate) fn of(connection: Connection, mut worker: Worker) -> Result<Writer, ViewError> {
        let meta = Meta::read(&connection)?;
        if worker.position != meta.position {
            worker.forget(meta.position);
        }
        Ok(Writer { worker, batch: None, tables: Tables { connection, meta } })
    }

    /// Up to where the log is applied.
    pub(crate) fn position(&self) -> Position {
        self.tables.meta.position
    }

    /// Up to where the log is worked out: beyond the position by what is not written yet.
    pub(crate) fn worked_out(&self) -> Position {
        self.worker.position
    }

    /// Has all batches from here on be one transaction: for a file that nobody reads before it is
    /// complete, and that is given up when one of them fails. A page is then written once, and not
    /// with every batch that touches it.
    pub(crate) fn begin_bulk(&self) -> Result<(), ViewError> {
        self.tables.connection.execute_batch("BEGIN IMMEDIATE").map_err(sql("beginning a bulk"))
    }

    /// Ends the bulk, and gives the connection for what is done once the writing is over.
    pub(crate) fn end_bulk(self) -> Result<(Worker, Connection), ViewError> {
        let (worker, connection) = (self.worker, self.tables.connection);
        connection.execute_batch("COMMIT").map_err(sql("committing a bulk"))?;
        Ok((worker, connection))
    }

    /// Closes it, and gives what it kept of cases. What is worked out and not written is given up.
    pub(crate) fn cases(self) -> Kept {
        self.worker.cache
    }

    /// Makes sure that what is there was built by these rules: views of others start empty. What
    /// was worked out and is not written is given up.
    pub(crate) fn use_rules(&mut self, rules: &Rules) -> Result<(), ViewError> {
        if self.batch.take().is_some() {
            self.worker.forget(self.tables.meta.position);
        }
        let digest = rules.digest();
        let Tables { connection, meta } = &mut self.tables;
        if meta.rules == Some(digest) {
            return Ok(());
        }
        if meta.position > Position::START {
            tracing::info!("rules or calendar have changed: the views are built again");
        }
        let tx = connection.transaction().map_err(sql("changing the rules"))?;
        schema::empty(&tx).map_err(sql("emptying the views"))?;
        let empty = Meta::of(digest);
        empty.write(&tx)?;
        tx.commit().map_err(sql("changing the rules"))?;
        *meta = empty;
        self.worker.forget(Position::START);
        Ok(())
    }

    /// The streams of these events whose earlier events are needed first.
    pub(crate) fn missing(&self, events: &[RecordedEvent]) -> BTreeMap<StreamName, u64> {
        self.worker.missing(events)
    }

    /// Applies events that follow on what is worked out. `loaded` holds the cases, folded up to the
    /// first event here, that [`Writer::missing`] named.
    pub(crate) fn apply(
        &mut self,
        events: &[RecordedEvent],
        loaded: Loaded,
        rules: &Rules,
    ) -> Result<(), ViewError> {
        self.work_out(events, loaded, rules)?;
        self.write()
    }

    /// Works events out that follow on what is worked out, while what is not written yet is
    /// written; [`Writer::write`] writes what was worked out last.
    pub(crate) fn work_out(
        &mut self,
        events: &[RecordedEvent],
        loaded: Loaded,
        rules: &Rules,
    ) -> Result<(), ViewError> {
        if events.is_empty() {
            return Ok(());
        }
        let Writer { worker, batch, tables } = self;
        let worked_out = match batch.take() {
            None => worker.work_out(events, loaded, rules),
            Some(before) => std::thread::scope(|scope| {
                let writing = scope.spawn(move || tables.write(&before));
                let worked_out = worker.work_out(events, loaded, rules);
                let written =
                    writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                written.and(worked_out)
            }),
        };
        let worked_out = worked_out.map(|prepared| self.batch = Some(prepared));
        self.settled(worked_out)
    }

    /// Writes what was worked out last.
    pub(crate) fn write(&mut self) -> Result<(), ViewError> {
        let written = self.batch.take().map_or(Ok(()), |batch| self.tables.write(&batch));
        self.settled(written)
    }

    /// After an error everything is worked out again from what is written.
    fn settled<T>(&mut self, done: Result<T, ViewError>) -> Result<T, ViewError> {
        if done.is_err() {
            self.worker.forget(self.tables.meta.position);
        }
        done
    }
}

impl Worker {
    /// See [`Writer::missing`].
    fn missing(&self, events: &[RecordedEvent]) -> BTreeMap<StreamName, u64> {
        let mut seen = HashSet::new();
        let mut missing = BTreeMap::new();
        for event in events {
            if !prepare::is_of_a_case(event) || !seen.insert(&event.stream) {
                continue;
            }
            if event.revision.get() > 0 && !self.cache.has(&event.stream) {
                missing.insert(event.stream.clone(), event.revision.get());
            }
        }
        missing
    }

    fn work_out(
        &mut self,
        events: &[RecordedEvent],
        mut loaded: Loaded,
        rules: &Rules,
    ) -> Result<Prepared, ViewError> {
        let before = |stream: &StreamName| {
            let known = self.cache.take(stream).map(Before::Known);
            let folded = || loaded.remove(stream).map(Box::new).map(Before::Folded);
            known.or_else(folded).unwrap_or(Before::Nothing)
        };
        let (prepared, entries) = prepare::prepare(events, before, rules, &*self.index)?;
        for (stream, entry) in entries {
            self.cache.put(stream, entry);
        }
        self.position = prepared.position;
        Ok(prepared)
    }

    fn forget(&mut self, position: Position) {
        self.cache.clear();
        self.position = position;
    }
}

impl Tables {
    fn write(&mut self, batch: &Prepared) -> Result<(), ViewError> {
        let mut meta = self.meta.clone();
        meta.applied(batch);
        // In a bulk one is open already, for all batches.
        let tx = match self.connection.is_autocommit() {
            true => {
                Some(Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate))
            }
            false => None,
        };
        let tx = tx.transpose().map_err(sql("beginning a batch"))?;
        rows(&self.connection, batch)?;
        meta.write(&self.connection)?;
        if let Some(tx) = tx {
            tx.commit().map_err(sql("committing a batch"))?;
        }
        self.meta = meta;
        Ok(())
    }
}

fn rows(tx: &Connection, batch: &Prepared) -> Result<(), ViewError> {
    let mut cases = Cases::new(tx)?;
    for case in &batch.cases {
        cases.write(case)?;
    }
    cases.end()?;
    rows::steps(tx, &batch.steps)?;
    for fact in &batch.school {
        crate::school::write::write(tx, fact)?;
    }
    for act in &batch.register {
        rows::register(tx, act)?;
    }
    Ok(())
}
