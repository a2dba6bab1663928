//! The log in a cluster of EventStoreDB or KurrentDB, shared by several nodes.
//!
//! The cluster holds the truth: it judges revisions, and only what it acknowledged is recorded. Each
//! node keeps a copy in an embedded log, filled in the order of the cluster's own log and thrown
//! away at will. The copy numbers the comune's events 1, 2, 3, ... in that order, so that positions
//! are the same on every node; it knows every request; and it serves reads when the cluster cannot
//! be reached. An append is answered when the copy has it too: whoever wrote reads it here.
//!
//! The client crate is known to this module alone: another one is a change of `link` and `follow`.
//! What must never enter: a checkpoint of the server's (the copy itself says how far it is), trust
//! in an error (it is read again whether the write was stored), a buffer without bound.

mod append;
mod attempts;
mod follow;
mod lease;
mod link;
mod migrate;
mod names;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::error::StoreError;
use crate::event::{AppendRequest, Appended, RawAppend, RecordedEvent, RequestRecord, StreamName};
use crate::log::{Direction, EventAppender, EventReader, Filter, Fut, Page};
use crate::revision::{Position, Revision};
use crate::sqlite::SqliteLog;

use attempts::Attempts;
pub use lease::Lease;
use link::Link;
pub use migrate::{Moved, move_in};

/// How long an append waits for the cluster, and then for the copy.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests may be judged at the same time: those of one id go one after the other.
const TURNS: usize = 64;

/// How a node stands to its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Whether the node hears from the cluster.
    pub connected: bool,
    /// Whether the copy holds everything that the cluster had when it was last heard from.
    pub caught_up: bool,
}

/// A comune's log in a cluster. Dropping it ends the following; the copy stays.
pub struct ClusterLog {
    shared: Arc<Shared>,
    following: JoinHandle<()>,
}

struct Shared {
    comune: String,
    link: Link,
    copy: Arc<SqliteLog>,
    /// The place in the cluster's own log up to which the copy holds everything of the comune.
    applied: watch::Sender<u64>,
    standing: watch::Sender<Standing>,
    lease: watch::Sender<Option<Lease>>,
    turns: Vec<Mutex<()>>,
    attempts: Attempts,
}

impl std::fmt::Debug for ClusterLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterLog").field("comune", &self.shared.comune).finish_non_exhaustive()
    }
}

impl Drop for ClusterLog {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl ClusterLog {
    /// Begins to follow a comune's log. `connection` is an `esdb://` string with credentials,
    /// `copy` the node's own copy: of this comune in this cluster, or empty.
    ///
    /// Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the connection string cannot be read. That the cluster
    /// cannot be reached is no error: the copy serves until it can.
    pub fn open(connection: &str, comune: &str, copy: Arc<SqliteLog>) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            comune: comune.to_owned(),
            link: Link::new(connection)?,
            copy,
            applied: watch::Sender::new(0),
            standing: watch::Sender::new(Standing::default()),
            lease: watch::Sender::new(None),
            turns: (0..TURNS).map(|_| Mutex::new(())).collect(),
            attempts: Attempts::default(),
        });
        let following = tokio::spawn(follow::follow(Arc::clone(&shared)));
        Ok(Self { shared, following })
    }

    /// How the node stands to its cluster, as it changes.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.shared.standing.subscribe()
    }

    /// Appends what comes from another log, its metadata byte for byte; judged like any append.
    ///
    /// # Errors
    /// As [`EventAppender::append`].
    pub async fn append_raw(&self, append: RawAppend) -> Result<Appended, StoreError> {
        self.shared.append(append.encode()?).await
    }

    /// Waits until the copy holds everything that the cluster has now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when that takes longer than `within`.
    pub async fn caught_up(&self, within: Duration) -> Result<(), StoreError> {
        let mut standing = self.standing();
        let reached = standing.wait_for(|s| s.connected && s.caught_up);
        match tokio::time::timeout(within, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(closed)) => Err(StoreError::unavailable("catching up with the cluster", closed)),
            Err(late) => Err(StoreError::unavailable("catching up with the cluster", late)),
        }
    }
}

impl EventReader for ClusterLog {
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Fut<'_, Vec<RecordedEvent>> {
        self.shared.copy.read_stream(stream, from, direction, max)
    }

    fn read_all(
        &self,
        from: Position,
        direction: Direction,
        filter: &Filter,
        max: usize,
    ) -> Fut<'_, Page> {
        self.shared.copy.read_all(from, direction, filter, max)
    }

    fn head(&self) -> Fut<'_, Position> {
        self.shared.copy.head()
    }

    fn stream_revision(&self, stream: &StreamName) -> Fut<'_, Option<Revision>> {
        self.shared.copy.stream_revision(stream)
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.shared.copy.watch_head()
    }

    fn find_request(&self, id: Uuid) -> Fut<'_, Option<RequestRecord>> {
        self.shared.copy.find_request(id)
    }
}

impl EventAppender for ClusterLog {
    fn append(&self, request: AppendRequest) -> Fut<'_, Appended> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // A task of its own: once started it is carried out, whoever waits for it.
            let append = request.encode()?;
            let carried_out = tokio::spawn(async move { shared.append(append).await });
            match carried_out.await {
                Ok(answer) => answer,
                Err(error) => Err(StoreError::unavailable("appending to the cluster", error)),
            }
        })
    }
}
