//! Following the log: catch up, then be told of what is new, over any reader.
//!
//! It holds no state but a position, and reads through the same paging as everybody: what a
//! subscription delivers is what a reader would have read, so that it can neither skip nor
//! double. Never give it a buffer of live events beside the pages: joining two sources is where
//! other systems lose events.

use std::sync::Arc;

use tokio::sync::watch;

use crate::error::StoreError;
use crate::event::RecordedEvent;
use crate::log::{Direction, EventReader, Filter};
use crate::revision::Position;

/// What a subscription brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The next events, in order; never empty.
    Events {
        /// The events.
        events: Vec<RecordedEvent>,
        /// Resume from here once they are handled: at or after the last of them.
        position: Position,
    },
    /// Everything up to here has been delivered and there is no more for now. Comes once each
    /// time the head is reached, also when all that lay between was filtered out, so that a
    /// checkpoint can move on.
    CaughtUp {
        /// Where the log ended.
        position: Position,
    },
}

/// Catches up with the log from a position, then follows it.
pub struct Subscription {
    reader: Arc<dyn EventReader>,
    head: watch::Receiver<Position>,
    filter: Filter,
    position: Position,
    announced: Option<Position>,
    batch: usize,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription")
            .field("position", &self.position)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

impl Subscription {
    /// How many events a delivery holds at most, unless [`Subscription::batch`] says otherwise.
    pub const DEFAULT_BATCH: usize = 500;

    /// Delivers everything strictly after a position ([`Position::START`] for everything).
    #[must_use]
    pub fn new(reader: Arc<dyn EventReader>, after: Position, filter: Filter) -> Self {
        let head = reader.watch_head();
        let batch = Self::DEFAULT_BATCH;
        Self { reader, head, filter, position: after, announced: None, batch }
    }

    /// Sets how many events a delivery holds at most; at least one.
    #[must_use]
    pub fn batch(mut self, events: usize) -> Self {
        self.batch = events.max(1);
        self
    }

    /// Up to where everything has been delivered.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Brings what comes next, waiting for it as long as it takes.
    ///
    /// Dropping the future loses nothing: the next call begins where the last delivery ended.
    /// After an error the same call may be repeated.
    ///
    /// # Errors
    /// [`StoreError::BeyondHead`] when the log ends before the position resumed from: waiting
    /// there would skip what comes in between. Otherwise the errors of reading.
    pub async fn next(&mut self) -> Result<Delivery, StoreError> {
        loop {
            let page = self
                .reader
                .read_all(self.position, Direction::Forwards, &self.filter, self.batch)
                .await?;
            if self.position > page.head {
                return Err(StoreError::BeyondHead { position: self.position, head: page.head });
            }
            // From here to a return there is no await: delivered and moved on is one step.
            self.position = page.next;
            if !page.events.is_empty() {
                return Ok(Delivery::Events { events: page.events, position: page.next });
            }
            if page.next < page.head {
                continue; // a stretch in which nothing matched
            }
            if self.announced != Some(self.position) {
                self.announced = Some(self.position);
                return Ok(Delivery::CaughtUp { position: self.position });
            }
            let position = self.position;
            if let Err(closed) = self.head.wait_for(|head| *head > position).await {
                return Err(StoreError::unavailable("waiting for new events", closed));
            }
        }
    }
}
