//! One comune with everything that is its own: log, views, rules, clock. No path leads to another.

use super::clock::Clock;
use super::error::AppError;
use super::lead::Lead;
use super::load::Kept;
use super::settings::Settings;
use moka::sync::Cache;
use pratica_domain::case::Procedure;
use pratica_domain::ids::{CaseId, ComuneId};
use pratica_domain::people::Personal;
use pratica_projections::{Rules, Views};
use pratica_store::sqlite::Cause;
use pratica_store::{ClusterLog, EventStore, Position, Revision, StoreError, StreamName, Vault};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How many folded cases a comune keeps in memory; the least used go first.
pub const CACHED_CASES: u64 = 20_000;
/// How long a caller waits for a process or a view when the call has no deadline of its own.
pub const WAIT: Duration = Duration::from_secs(10);

/// How long a node waits for what another one recorded.
const CATCH_UP: Duration = Duration::from_secs(3);

/// One comune.
pub struct Town {
    /// Which.
    pub comune: ComuneId,
    /// Its directory.
    pub directory: PathBuf,
    /// What belongs to it.
    pub settings: Settings,
    /// The log.
    pub log: Arc<dyn EventStore>,
    /// The keys of its personal data.
    pub vault: Arc<Vault>,
    /// The status views.
    pub views: Views,
    /// Rules and calendar.
    pub rules: Arc<Rules>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The cluster that keeps the log, where one does: `log` is then this node's way to it.
    pub cluster: Option<Arc<ClusterLog>>,
    /// Whether this node does what must be done once at a time.
    pub lead: Lead,
    /// Folded cases. A stale one costs a conflict and a reload, never a wrong decision.
    pub(crate) cases: Cache<CaseId, Kept>,
    /// How far the views are.
    pub(crate) viewed: watch::Sender<Position>,
    /// Whether the views follow the log.
    pub(crate) following: watch::Sender<bool>,
    /// How far the register's process is.
    pub(crate) registered: watch::Sender<Position>,
    /// Why the writer of the file that keeps the log has stopped, once it has.
    stopped: watch::Receiver<Option<Cause>>,
}

impl Town {
    /// Puts a comune together.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the comune, named once")]
    pub fn new(
        comune: ComuneId,
        directory: PathBuf,
        settings: Settings,
        log: Arc<dyn EventStore>,
        vault: Arc<Vault>,
        views: Views,
        rules: Arc<Rules>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Town {
            comune,
            directory,
            settings,
            log,
            vault,
            views,
            rules,
            clock,
            cluster: None,
            lead: Lead::alone(),
            cases: Cache::new(CACHED_CASES),
            viewed: watch::Sender::new(Position::START),
            following: watch::Sender::new(true),
            registered: watch::Sender::new(Position::START),
            stopped: watch::channel(None).1,
        }
    }

    /// The same, told when the writer of the file that keeps its log has stopped.
    #[must_use]
    pub fn told_of_stop(mut self, stopped: watch::Receiver<Option<Cause>>) -> Self {
        self.stopped = stopped;
        self
    }

    /// The same, one node of several over a cluster that keeps the log.
    #[must_use]
    pub fn in_cluster(mut self, cluster: Arc<ClusterLog>, lead: Lead) -> Self {
        (self.cluster, self.lead) = (Some(cluster), lead);
        self
    }

    /// The stream of a case.
    ///
    /// # Errors
    /// Never for a valid comune and procedure; the store's rule on names is checked all the same.
    pub fn case_stream(&self, procedure: Procedure, case: CaseId) -> Result<StreamName, AppError> {
        self.stream(&format!("{}-{case}", procedure.as_str()))
    }

    /// The stream of a year's protocol register.
    ///
    /// # Errors
    /// As [`Town::case_stream`].
    pub fn register_stream(&self, year: i16) -> Result<StreamName, AppError> {
        self.stream(&format!("register-{year}"))
    }

    /// Opens personal data that a view holds sealed, for who may see it. What is erased stays so.
    ///
    /// # Errors
    /// When it was altered, or the vault is older than the log.
    pub fn read<T>(&self, stream: &str, data: &Personal<T>) -> Result<Personal<T>, AppError>
    where
        T: serde::de::DeserializeOwned + Default + Clone,
    {
        self.vault
            .read(stream, data.clone())
            .map_err(|error| AppError::vault("opening personal data", error))
    }

    /// Waits until this node has what another recorded: of a case, up to what somebody who sends an
    /// etag has seen. Who names a revision that is nowhere waits in vain, for [`CATCH_UP`], and is
    /// refused then.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn catch_up(&self, case: CaseId, etag: &str) -> Result<(), AppError> {
        let (Some(_), Ok(revision)) = (&self.cluster, etag.parse()) else { return Ok(()) };
        let revision = Revision::new(revision);
        let streams = Procedure::ALL
            .into_iter()
            .map(|procedure| self.case_stream(procedure, case))
            .collect::<Result<Vec<_>, _>>()?;
        let mut heads = self.log.watch_head();
        let reached = async {
            loop {
                heads.borrow_and_update();
                for stream in &streams {
                    let last = self.log.stream_revision(stream).await;
                    let last = last.map_err(|e| AppError::store("reading a case", e))?;
                    if last >= Some(revision) {
                        return Ok(());
                    }
                }
                if heads.changed().await.is_err() {
                    return Ok(());
                }
            }
        };
        tokio::time::timeout(CATCH_UP, reached).await.unwrap_or(Ok(()))
    }

    /// Whether this node's copy of the log may be behind: cut off from the cluster, or catching up.
    pub fn is_behind(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| {
            let standing = *cluster.standing().borrow();
            !standing.connected || !standing.caught_up
        })
    }

    pub(crate) fn stream(&self, rest: &str) -> Result<StreamName, AppError> {
        StreamName::parse(&format!("{}.{rest}", self.comune))
            .map_err(|e| AppError::store("naming a stream", e))
    }

    /// Waits until the views have a position.
    ///
    /// # Errors
    /// `NotReached` when that takes longer than [`WAIT`].
    pub async fn wait_for_views(&self, position: Position) -> Result<(), AppError> {
        reach(&self.viewed, position, "the views").await
    }

    /// Waits until the register's process has a position.
    ///
    /// # Errors
    /// As [`Town::wait_for_views`]; at once when the log's writer has stopped, and it never will.
    pub async fn wait_for_register(&self, position: Position) -> Result<(), AppError> {
        tokio::select! {
            biased;
            reached = reach(&self.registered, position, "the protocol register") => reached,
            stopped = self.stopped() => Err(stopped),
        }
    }

    /// Ready when the log's writer has stopped.
    async fn stopped(&self) -> AppError {
        let mut stopped = self.stopped.clone();
        let cause = stopped.wait_for(Option::is_some).await.ok().and_then(|cause| cause.clone());
        match cause {
            Some(source) => {
                AppError::store("waiting for the protocol register", StoreError::Stopped { source })
            }
            None => std::future::pending().await,
        }
    }

    /// Tells who waits that the views have a position.
    pub fn views_reached(&self, position: Position) {
        self.viewed.send_replace(position);
    }

    /// Says whether the views follow the log.
    pub fn views_follow(&self, follow: bool) {
        self.following.send_replace(follow);
    }

    /// Whether the views follow the log, as it changes.
    pub fn watch_following(&self) -> watch::Receiver<bool> {
        self.following.subscribe()
    }

    /// How far the views are, as it changes.
    pub fn watch_views(&self) -> watch::Receiver<Position> {
        self.viewed.subscribe()
    }

    /// How far the register's process is.
    pub fn registered_to(&self) -> Position {
        *self.registered.borrow()
    }
}

async fn reach(
    sender: &watch::Sender<Position>,
    position: Position,
    what: &'static str,
) -> Result<(), AppError> {
    let mut receiver = sender.subscribe();
    let reached = tokio::time::timeout(WAIT, receiver.wait_for(|p| *p >= position)).await;
    match reached {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(AppError::NotReached { what, position: position.get() }),
    }
}
