//! A store that fails now and then, the same way for the same seed.
//!
//! It wraps a store that keeps the contract, and appends as a network and a machine would have
//! it: a conflict out of nowhere, a crash before the append, a crash after it. Reading passes
//! through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::StoreError;
use crate::event::{AppendRequest, Appended, RecordedEvent, RequestRecord, StreamName};
use crate::log::{Direction, EventAppender, EventReader, EventStore, Filter, Fut, Page};
use crate::revision::{Position, Revision};

/// How often an append fails, each in one of a thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Answered as a conflict, though there is none; nothing written.
    pub conflict: u16,
    /// Answered as unavailable; nothing written.
    pub crash_before: u16,
    /// Answered as unavailable; but written.
    pub crash_after: u16,
}

/// How many faults were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Injected {
    /// Conflicts out of nowhere.
    pub conflicts: u64,
    /// Crashes before an append.
    pub crashes_before: u64,
    /// Crashes after an append that took place.
    pub crashes_after: u64,
}

/// A store with faults.
pub struct FaultyLog {
    inner: Arc<dyn EventStore>,
    faults: Mutex<Faults>,
    random: AtomicU64,
    injected: Mutex<Injected>,
}

impl std::fmt::Debug for FaultyLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyLog").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl FaultyLog {
    /// Wraps a store. The same seed and the same order of appends give the same faults.
    #[must_use]
    pub fn new(inner: Arc<dyn EventStore>, seed: u64, faults: Faults) -> Self {
        Self {
            inner,
            faults: Mutex::new(faults),
            random: AtomicU64::new(seed),
            injected: Mutex::default(),
        }
    }

    /// Changes how often it fails from now on; [`Faults::default`] for never.
    pub fn set(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// How many faults were made so far.
    #[must_use]
    pub fn injected(&self) -> Injected {
        *self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number below a thousand: one step of SplitMix64.
    fn draw(&self) -> u16 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u16::try_from((z ^ (z >> 31)) % 1000).unwrap()
    }

    fn count(&self, change: impl FnOnce(&mut Injected)) {
        change(&mut self.injected.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn crash(doing: &'static str) -> StoreError {
    StoreError::unavailable(doing, std::io::Error::other("injected crash"))
}

impl EventAppender for FaultyLog {
    fn append(&self, request: AppendRequest) -> Fut<'_, Appended> {
        let faults = *self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        // Always one draw an append, so that a fault does not shift the ones after it.
        let drawn = self.draw();
        let (conflict, before, after) = (
            faults.conflict,
            faults.conflict + faults.crash_before,
            faults.conflict + faults.crash_before + faults.crash_after,
        );
        Box::pin(async move {
            if drawn < conflict {
                let actual = self.inner.stream_revision(&request.stream).await?;
                self.count(|i| i.conflicts += 1);
                let (stream, expected) = (request.stream, request.expected);
                return Err(StoreError::Conflict { stream, expected, actual });
            }
            if drawn < before {
                self.count(|i| i.crashes_before += 1);
                return Err(crash("appending"));
            }
            let appended = self.inner.append(request).await?;
            if drawn < after {
                self.count(|i| i.crashes_after += 1);
                return Err(crash("answering an append"));
            }
            Ok(appended)
        })
    }
}

impl EventReader for FaultyLog {
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Fut<'_, Vec<RecordedEvent>> {
        self.inner.read_stream(stream, from, direction, max)
    }

    fn read_all(
        &self,
        from: Position,
        direction: Direction,
        filter: &Filter,
        max: usize,
    ) -> Fut<'_, Page> {
        self.inner.read_all(from, direction, filter, max)
    }

    fn head(&self) -> Fut<'_, Position> {
        self.inner.head()
    }

    fn stream_revision(&self, stream: &StreamName) -> Fut<'_, Option<Revision>> {
        self.inner.stream_revision(stream)
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.inner.watch_head()
    }

    fn find_request(&self, id: Uuid) -> Fut<'_, Option<RequestRecord>> {
        self.inner.find_request(id)
    }
}
