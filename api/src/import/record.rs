//! Recording cases: many at a time, so that the log commits them together, and bounded.

use super::error::ImportError;
use super::prepare::{Part, Prepared};
use crate::app::Clock;
use pratica_store::{AppendRequest, EventAppender, EventStore, Expected, StoreError};
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many cases are under way at most.
const CASES: usize = 256;
/// How many bytes of events are under way at most.
const BYTES: usize = 16 * 1024 * 1024;

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was recorded now, or what was missing of it.
    New,
    /// It was there, the same.
    Same,
    /// Another history is there under its identity. Nothing of it was touched.
    Other,
}

/// One case that is done with.
pub(super) struct Settled<T> {
    /// What the caller knows it by.
    pub(super) tag: T,
    pub(super) fate: Fate,
    pub(super) appends: u64,
}

/// Cases on their way to the log.
pub(super) struct Recorder<T> {
    log: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    tasks: JoinSet<(Result<Settled<T>, StoreError>, usize)>,
    bytes: usize,
}

impl<T: Send + 'static> Recorder<T> {
    pub(super) fn new(log: Arc<dyn EventStore>, clock: Arc<dyn Clock>) -> Self {
        Recorder { log, clock, tasks: JoinSet::new(), bytes: 0 }
    }

    /// Sends a case on its way, after waiting for others if too much is under way.
    pub(super) async fn send(
        &mut self,
        tag: T,
        case: Prepared,
        mut settled: impl FnMut(Settled<T>),
    ) -> Result<(), ImportError> {
        while !self.tasks.is_empty()
            && (self.tasks.len() >= CASES || self.bytes + case.bytes > BYTES)
        {
            if let Some(done) = self.next().await? {
                settled(done);
            }
        }
        self.bytes += case.bytes;
        let (log, clock) = (Arc::clone(&self.log), Arc::clone(&self.clock));
        self.tasks.spawn(async move {
            let bytes = case.bytes;
            (record(&*log, &*clock, tag, case).await, bytes)
        });
        // The append is queued when the task first runs: let it.
        tokio::task::yield_now().await;
        Ok(())
    }

    /// The next case that is done with; none when all are.
    pub(super) async fn next(&mut self) -> Result<Option<Settled<T>>, ImportError> {
        let Some(done) = self.tasks.join_next().await else { return Ok(None) };
        let (settled, bytes) = done.map_err(ImportError::Task)?;
        self.bytes = self.bytes.saturating_sub(bytes);
        settled.map(Some).map_err(|source| ImportError::Log { doing: "recording a case", source })
    }
}

async fn record<T>(
    log: &dyn EventStore,
    clock: &dyn Clock,
    tag: T,
    case: Prepared,
) -> Result<Settled<T>, StoreError> {
    let mut settled = Settled { tag, fate: Fate::Same, appends: 0 };
    let mut expected = Expected::NoStream;
    for Part { request, events } in case.appends {
        let append = AppendRequest {
            stream: case.stream.clone(),
            expected,
            events,
            request: Some(request),
            recorded_at: clock.now(),
        };
        match EventAppender::append(log, append).await {
            Ok(appended) => {
                if !appended.replayed {
                    settled.fate = Fate::New;
                    settled.appends += 1;
                }
                expected = appended.revision.map_or(Expected::NoStream, Expected::Exact);
            }
            Err(StoreError::RequestReused { .. } | StoreError::Conflict { .. }) => {
                settled.fate = Fate::Other;
                return Ok(settled);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(settled)
}
