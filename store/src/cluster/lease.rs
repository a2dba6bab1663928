//! A lease: who of several nodes does what must be done once at a time. It is kept in the log
//! itself, in a stream of its own: taken by an append at the revision that was read, so that of two
//! who try one gets it; ended by time, told by the clock that is given.
//!
//! Every node hears of it by following the log, so that none asks before it is over or given back.
//!
//! It spares double work; nothing rests on it. A node that slept may believe in a lease that is over:
//! what two do then is harmless, because every request of a process is recognised.

use eventstore::RecordedEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

use super::ClusterLog;
use super::append::event_data;
use super::link::Unsaid;
use super::names::{LEASED, lease_stream};
use crate::error::StoreError;
use crate::revision::{Expected, Revision};
use crate::wire::{Facts, Part};

/// How many events of a lease's stream outlive a scavenge.
const KEPT: u64 = 10;

const TAKING: &str = "taking a lease";

/// Who has a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The node.
    pub holder: String,
    /// Until when.
    pub until: Timestamp,
    /// Which of the comune's leases it is: a later one has a higher number.
    #[serde(skip)]
    pub number: u64,
}

/// The lease that an event is.
pub(super) fn read(event: &RecordedEvent) -> Result<Lease, serde_json::Error> {
    let lease: Lease = serde_json::from_slice(&event.data)?;
    Ok(Lease { number: event.revision, ..lease })
}

impl ClusterLog {
    /// Who has the lease, as far as this node has heard since it follows.
    #[must_use]
    pub fn lease(&self) -> watch::Receiver<Option<Lease>> {
        self.shared.lease.subscribe()
    }

    /// Takes the lease or renews it, when it is free, over, or one's own; answers who has it then. One
    /// that ends at once is given back.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the cluster does not say: who asks has no lease then.
    pub async fn take_lease(
        &self,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, StoreError> {
        let unavailable = |error| StoreError::unavailable(TAKING, error);
        let unreadable = |error| StoreError::unavailable(TAKING, error);
        let shared = &self.shared;
        let stream = lease_stream(&shared.comune)?;
        let last = shared.link.event(&stream, None).await.map_err(unavailable)?;
        let expected: Expected = match last {
            None => Expected::NoStream,
            Some(event) => {
                let lease = read(event.get_original_event()).map_err(unreadable)?;
                if lease.holder != holder && lease.until > now {
                    return Ok(lease);
                }
                Expected::Exact(Revision::new(lease.number))
            }
        };
        let number = expected.revision().map_or(Revision::FIRST, Revision::next).get();
        let wanted = Lease { holder: holder.to_owned(), until, number };
        let append = Part { attempt: Uuid::new_v4(), index: 0, of: 1, request: None };
        let facts =
            Facts { schema_version: 1, occurred_at: now, recorded_at: now, append: Some(append) };
        let event = event_data(LEASED, Uuid::new_v4(), &wanted, &facts)?;
        match shared.link.append(&stream, expected, vec![event]).await {
            Ok(_) => {
                if expected == Expected::NoStream
                    && let Err(error) = shared.link.keep_last(&stream, KEPT).await
                {
                    tracing::warn!(comune = shared.comune, %stream, %error,
                        "the lease's old events are kept for ever; limit the stream by hand");
                }
                Ok(wanted)
            }
            // Somebody was first, perhaps this very call: what stands there counts.
            Err(Unsaid::Conflict(_)) => {
                let last = shared.link.event(&stream, None).await.map_err(unavailable)?;
                let last = last.ok_or_else(|| StoreError::unavailable(TAKING, "it is gone"))?;
                read(last.get_original_event()).map_err(unreadable)
            }
            Err(Unsaid::Refused(error)) => Err(error),
            Err(Unsaid::Unknown(error)) => Err(unavailable(error)),
        }
    }
}
