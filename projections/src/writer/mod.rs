//! Writing a batch of events into the views: rows, counts and checkpoint in one transaction.
//!
//! What can be worked out without the database is worked out first, stream by stream and on
//! several threads (`prepare`); then each touched case is written once, and only what differs.
//! What must never enter: reading the log (what is missing is handed over), a clock, effects.

mod args;
mod cases;
pub(crate) mod deltas;
mod meta;
pub(crate) mod prepare;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pratica_domain::Case;
use pratica_store::{BlindIndex, Position, RecordedEvent, StreamName};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::cache::Cache;
use crate::derive::{Derived, derive};
use crate::error::{ViewError, sql};
use crate::rules::Rules;
use crate::schema;
use deltas::Deltas;
use meta::Meta;
use prepare::{Before, Prepared, Touched};

/// A case as the views hold it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: i64,
    pub case: Case,
    pub derived: Derived,
}

/// The one writer of a file.
pub(crate) struct Writer {
    connection: Connection,
    cache: Cache<StreamName, Box<Entry>>,
    meta: Meta,
    index: Arc<dyn BlindIndex>,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        cached_cases: usize,
        index: Arc<dyn BlindIndex>,
    ) -> Result<Writer, ViewError> {
        let meta = Meta::read(&connection)?;
        Ok(Writer { connection, cache: Cache::new(cached_cases), meta, index })
    }

    /// Up to where the log is applied.
    pub(crate) fn position(&self) -> Position {
        self.meta.position
    }

    /// The connection, for what is done once the writing is over.
    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    /// Makes sure that what is there was built by these rules: views of others start empty.
    pub(crate) fn use_rules(&mut self, rules: &Rules) -> Result<(), ViewError> {
        let digest = rules.digest();
        if self.meta.rules == Some(digest) {
            return Ok(());
        }
        if self.meta.position > Position::START {
            tracing::info!("rules or calendar have changed: the views are built again");
        }
        let tx = self.connection.transaction().map_err(sql("changing the rules"))?;
        schema::empty(&tx).map_err(sql("emptying the views"))?;
        let meta = Meta::of(digest);
        meta.write(&tx)?;
        tx.commit().map_err(sql("changing the rules"))?;
        self.meta = meta;
        self.cache.clear();
        Ok(())
    }

    /// The streams of these events whose earlier events are needed first.
    pub(crate) fn missing(&self, events: &[RecordedEvent]) -> BTreeMap<StreamName, u64> {
        let mut seen = BTreeSet::new();
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

    /// Applies events that follow on the position. `loaded` holds the cases, folded up to the
    /// first event here, that [`Writer::missing`] named.
    pub(crate) fn apply(
        &mut self,
        events: &[RecordedEvent],
        mut loaded: BTreeMap<StreamName, Case>,
        rules: &Rules,
    ) -> Result<(), ViewError> {
        let Some(last) = events.last() else { return Ok(()) };
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(sql("beginning a batch"))?;
        let (cache, index) = (&mut self.cache, &*self.index);
        let before = |stream: &StreamName| -> Result<Before, ViewError> {
            if let Some(entry) = cache.take(stream) {
                return Ok(Before::Known(entry));
            }
            let Some(case) = loaded.remove(stream) else { return Ok(Before::Nothing) };
            let position = last.position;
            let mut derived = derive(&case, rules, None)
                .map_err(|source| ViewError::Terms { position, source })?;
            derived.keys = prepare::keys(&case, stream, index, None, position)?;
            let key = cases::key(&tx, stream, position)?;
            Ok(Before::Known(Box::new(Entry { key, case, derived })))
        };
        let mut meta = self.meta.clone();
        let written = prepare::prepare(events, before, rules, index).and_then(|prepared| {
            meta.applied(&prepared, last.position);
            write(&tx, prepared, &mut meta)
        });
        match written.and_then(|entries| {
            tx.commit().map_err(sql("committing a batch"))?;
            Ok(entries)
        }) {
            Ok(entries) => {
                self.meta = meta;
                for (stream, entry) in entries {
                    self.cache.put(stream, entry);
                }
                Ok(())
            }
            Err(error) => {
                // What was taken out of the cache is gone with the failed batch.
                self.cache.clear();
                Err(error)
            }
        }
    }
}

fn write(
    tx: &Transaction<'_>,
    prepared: Prepared,
    meta: &mut Meta,
) -> Result<Vec<(StreamName, Box<Entry>)>, ViewError> {
    let mut deltas = Deltas::default();
    let mut keys = HashMap::with_capacity(prepared.cases.len());
    let mut entries = Vec::with_capacity(prepared.cases.len());
    for case in prepared.cases {
        let key = match case.key {
            Some(key) => key,
            None => {
                meta.cases += 1;
                meta.cases
            }
        };
        cases::write(tx, key, &case, &mut deltas)?;
        keys.insert(case.index, key);
        let Touched { stream, case, after, .. } = *case;
        entries.push((stream, Box::new(Entry { key, case, derived: after })));
    }
    let key_of = |step: &rows::Step| keys.get(&step.case).copied().unwrap_or_default();
    rows::steps(tx, prepared.steps.iter().map(|step| (step, key_of(step))))?;
    for fact in &prepared.school {
        crate::school::write::write(tx, fact)?;
    }
    for act in &prepared.register {
        rows::register(tx, act)?;
    }
    deltas.write(tx)?;
    meta.write(tx)?;
    Ok(entries)
}
