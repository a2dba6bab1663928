//! The injected clock: the system's, or one moved by hand for training and tests.

use jiff::Timestamp;
use std::sync::RwLock;
use tokio::sync::watch;

/// Where the present comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// The manual clock behind it, if it is one.
    fn manual(&self) -> Option<&ManualClock> {
        None
    }
}

/// The system's clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands until it is moved, and only moves forward.
#[derive(Debug)]
pub struct ManualClock {
    now: RwLock<Timestamp>,
    moved: watch::Sender<()>,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        ManualClock { now: RwLock::new(start), moved: watch::Sender::new(()) }
    }

    /// Moves the clock forward; a time before the present one changes nothing and says `false`.
    pub fn advance_to(&self, to: Timestamp) -> bool {
        let mut now = self.now.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if to < *now {
            return false;
        }
        *now = to;
        drop(now);
        self.moved.send_replace(());
        true
    }

    /// Tells when the clock moves.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn manual(&self) -> Option<&ManualClock> {
        Some(self)
    }
}
