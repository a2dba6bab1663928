//! Writing on a thread of its own, so that neither who works batches out nor who writes them waits
//! for the end of the other's batch.
//!
//! For a rebuild, whose file is given up at the first error. What must never enter: trying again.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use pratica_store::{Position, RecordedEvent, StreamName};

use super::prepare::{Loaded, Prepared};
use super::{Tables, Worker, Writer};
use crate::error::ViewError;
use crate::rules::Rules;

/// How many batches wait to be written, beside the one that is: each holds what forty
/// thousand events come to at most.
const WAITING: usize = 1;

/// A writer whose batches are written apart.
pub(crate) struct Apart {
    worker: Worker,
    batches: SyncSender<Prepared>,
    writing: JoinHandle<Result<Tables, ViewError>>,
}

impl Apart {
    /// What the writer has worked out must be written.
    pub(crate) fn new(writer: Writer) -> Apart {
        let Writer { worker, mut tables, .. } = writer;
        let (batches, waiting) = sync_channel::<Prepared>(WAITING);
        let writing = std::thread::spawn(move || {
            for batch in waiting {
                tables.write(&batch)?;
            }
            Ok(tables)
        });
        Apart { worker, batches, writing }
    }

    /// As [`Writer::worked_out`].
    pub(crate) fn worked_out(&self) -> Position {
        self.worker.position
    }

    /// As [`Writer::missing`].
    pub(crate) fn missing(&self, events: &[RecordedEvent]) -> BTreeMap<StreamName, u64> {
        self.worker.missing(events)
    }

    /// Works events out that follow on what is worked out, and has them written. False when the
    /// writing has failed: [`Apart::end`] says how.
    pub(crate) fn work_out(
        &mut self,
        events: &[RecordedEvent],
        loaded: Loaded,
        rules: &Rules,
    ) -> Result<bool, ViewError> {
        if events.is_empty() {
            return Ok(true);
        }
        let prepared = self.worker.work_out(events, loaded, rules)?;
        Ok(self.batches.send(prepared).is_ok())
    }

    /// Waits until all is written.
    pub(crate) fn end(self) -> Result<Writer, ViewError> {
        let Apart { worker, batches, writing } = self;
        drop(batches);
        let tables = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Writer { worker, batch: None, tables })
    }
}
