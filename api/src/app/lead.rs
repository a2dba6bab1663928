//! Which of several nodes does what must be done once at a time: gives out protocol numbers, tells
//! school calls, lets terms expire. With the embedded log there is one node, and it always does.
//!
//! Nothing rests on it: two that lead at once do double work and no harm.

use super::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use pratica_store::ClusterLog;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The lease's name.
const NAME: &str = "work";
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Whether this node leads a comune.
pub struct Lead {
    leading: watch::Sender<bool>,
    seat: Option<Seat>,
}

/// What it leads by.
struct Seat {
    cluster: Arc<ClusterLog>,
    clock: Arc<dyn Clock>,
    node: String,
    lasts: SignedDuration,
}

impl Lead {
    /// The only node of a comune.
    pub fn alone() -> Self {
        Lead { leading: watch::Sender::new(true), seat: None }
    }

    /// One of several: it leads while it has the lease, of so many seconds.
    pub fn by_lease(cluster: Arc<ClusterLog>, clock: Arc<dyn Clock>, seconds: u32) -> Self {
        let node = Uuid::new_v4().to_string();
        let lasts = SignedDuration::from_secs(seconds.max(1).into());
        let seat = Some(Seat { cluster, clock, node, lasts });
        Lead { leading: watch::Sender::new(false), seat }
    }

    /// Whether this node leads, as it changes.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.leading.subscribe()
    }

    /// Whether this node leads now.
    pub fn leads(&self) -> bool {
        *self.leading.borrow()
    }

    /// Takes the lease when it is free and renews it when a third of it is left, until dropped.
    pub async fn keep(&self) {
        let Some(seat) = &self.seat else { return std::future::pending().await };
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut until: Option<Timestamp> = None;
        loop {
            look.tick().await;
            let now = seat.clock.now();
            if until.is_some_and(|until| now + seat.lasts / 3 < until) {
                continue;
            }
            let taken = seat.cluster.take_lease(NAME, &seat.node, now, now + seat.lasts).await;
            match taken {
                Ok(lease) => until = (lease.holder == seat.node).then_some(lease.until),
                // It may still be ours: until the end of what we know, and no longer.
                Err(error) => {
                    until = until.filter(|until| *until > seat.clock.now());
                    tracing::warn!(
                        error = super::error::chain(&error),
                        "the lease could not be asked for"
                    );
                }
            }
            let leads = until.is_some();
            if self.leading.send_if_modified(|was| std::mem::replace(was, leads) != leads) {
                tracing::info!(node = seat.node, leads, "who leads has changed");
            }
        }
    }

    /// Does work while this node leads, from the beginning whenever it begins to.
    pub async fn while_leading<F: Future<Output = ()>>(&self, work: impl Fn() -> F) {
        loop {
            let mut leading = self.watch();
            // The sender is `self`'s: it is there.
            let _ = leading.wait_for(|leads| *leads).await;
            tokio::select! {
                () = work() => return,
                _ = leading.wait_for(|leads| !*leads) => {}
            }
        }
    }
}
