//! Which of several nodes does what must be done once at a time: gives out protocol numbers, tells
//! school calls, lets terms expire. With the embedded log there is one node, and it always does.
//!
//! Nothing rests on it: two that lead at once do double work and no harm.

use super::clock::Clock;
use jiff::SignedDuration;
use pratica_store::ClusterLog;
use pratica_store::cluster::Lease;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long a node that stops tries to give it back.
const GIVING_BACK: Duration = Duration::from_secs(1);
const NOTHING: SignedDuration = SignedDuration::ZERO;

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

    /// Takes the lease when it is free and renews it when half of it is over, until dropped. Who has
    /// it is heard from the log: the cluster is asked only to take it.
    pub async fn keep(&self) {
        let Some(seat) = &self.seat else { return std::future::pending().await };
        let mut heard = seat.cluster.lease();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut known: Option<Lease> = None;
        loop {
            tokio::select! {
                _ = look.tick() => {}
                Ok(()) = heard.changed() => {}
            }
            if let Some(lease) = &*heard.borrow_and_update()
                && known.as_ref().is_none_or(|known| known.number < lease.number)
            {
                known = Some(lease.clone());
            }
            let now = seat.clock.now();
            let due = known.as_ref().is_none_or(|lease| {
                let early = if lease.holder == seat.node { seat.lasts / 2 } else { NOTHING };
                lease.until <= now + early
            });
            if due {
                match seat.cluster.take_lease(&seat.node, now, now + seat.lasts).await {
                    Ok(lease) => known = Some(lease),
                    // It may still be ours: until the end of what we know, and no longer.
                    Err(error) => tracing::warn!(
                        error = super::error::chain(&error),
                        "the lease could not be asked for"
                    ),
                }
            }
            let now = seat.clock.now();
            let leads = known.as_ref().is_some_and(|l| l.holder == seat.node && l.until > now);
            if self.leading.send_if_modified(|was| std::mem::replace(was, leads) != leads) {
                tracing::info!(node = seat.node, leads, "who leads has changed");
            }
        }
    }

    /// Gives the lease back, where this node has it: another need not wait until it is over.
    pub async fn give_back(&self) {
        let Some(seat) = self.seat.as_ref().filter(|_| self.leading.send_replace(false)) else {
            return;
        };
        let now = seat.clock.now();
        let given = seat.cluster.take_lease(&seat.node, now, now);
        match tokio::time::timeout(GIVING_BACK, given).await {
            Ok(Ok(_)) => tracing::info!(node = seat.node, "the lease was given back"),
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(node = seat.node, "the lease was not given back: it ends by itself");
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
