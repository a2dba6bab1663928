//! All comuni of one installation, their processes, and the clock that they share.

use super::clock::Clock;
use super::erasure;
use super::error::{AppError, chain};
use super::evidence::{Evidence, tree_path};
use super::follow::Follower;
use super::keys::{MasterKeys, vault_path};
use super::lead::Lead;
use super::policy::Principal;
use super::register;
use super::school;
use super::settings::Settings;
use super::ticker;
use super::town::Town;
use anyhow::Context as _;
use jiff::Timestamp;
use pratica_domain::ids::{ComuneId, InvalidId};
use pratica_domain::term::{first_instant_after, first_instant_of, rome_date};
use pratica_projections::{Projector, Views, ViewsOptions};
use pratica_store::access::AccessLog;
use pratica_store::{BlindIndex, ClusterLog, EventReader, EventStore, Position, SqliteLog, sqlite};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinSet;

/// How long a process that failed waits before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The projector of each comune's views, to be handed to [`House::start`].
pub type Projectors = Vec<(ComuneId, Projector)>;

/// One comune with the desk of its register.
pub struct Open {
    /// The comune.
    pub town: Arc<Town>,
    /// Who gives out its protocol numbers.
    pub desk: Arc<register::Desk>,
    /// Who keeps its school calls.
    pub school: Arc<school::Desk>,
    /// Who read what.
    pub access: Arc<AccessLog>,
    /// Proof that its log was not altered.
    pub evidence: Arc<Evidence>,
    /// Its log as the embedded store, for backup and verification.
    pub embedded: Arc<SqliteLog>,
}

/// All comuni of one installation.
pub struct House {
    open: BTreeMap<ComuneId, Open>,
    /// The clock of all.
    pub clock: Arc<dyn Clock>,
    ticker: Principal,
    archive: Principal,
    moving: Mutex<()>,
    stop: watch::Sender<bool>,
    closing: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl House {
    /// Opens the directories of the comuni, creating what is not there.
    ///
    /// # Errors
    /// When a directory, a log, views or settings cannot be opened; the chain says which and why.
    pub fn open(
        data: &Path,
        comuni: &[ComuneId],
        clock: Arc<dyn Clock>,
        keys: &MasterKeys,
    ) -> anyhow::Result<(Arc<House>, Projectors)> {
        let mut open = BTreeMap::new();
        let mut projectors = Vec::new();
        for comune in comuni {
            let (opened, projector) = open_town(data, comune, Arc::clone(&clock), keys)
                .with_context(|| format!("cannot open the comune {comune}"))?;
            open.insert(comune.clone(), opened);
            projectors.push((comune.clone(), projector));
        }
        let house = House {
            open,
            clock,
            ticker: system("ticker")?,
            archive: system("archive")?,
            moving: Mutex::new(()),
            stop: watch::Sender::new(false),
            closing: watch::Sender::new(false),
            tasks: Mutex::new(JoinSet::new()),
        };
        Ok((Arc::new(house), projectors))
    }

    /// A comune of this installation.
    pub fn get(&self, comune: &ComuneId) -> Option<&Open> {
        self.open.get(comune)
    }

    /// Every comune.
    pub fn all(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// The comuni whose log this node may be behind with, and how far it has each: to be said in
    /// every answer.
    pub fn behind(&self) -> Vec<(&ComuneId, Position)> {
        let behind = self.open.iter().filter(|(_, open)| open.town.is_behind());
        behind.map(|(comune, open)| (comune, *open.embedded.watch_head().borrow())).collect()
    }

    /// Starts what runs beside requests: for each comune its views, its register and its ticker.
    pub async fn start(self: &Arc<Self>, projectors: Projectors) {
        let mut tasks = self.tasks.lock().await;
        for (comune, projector) in projectors {
            let Some(open) = self.open.get(&comune) else { continue };
            tasks.spawn(follow_views(Arc::clone(&open.town), projector, self.stop.subscribe()));
            tasks.spawn(stopped(self.stop.subscribe(), run_process(Arc::clone(&open.desk))));
            let (town, school) = (Arc::clone(&open.town), Arc::clone(&open.school));
            tasks.spawn(stopped(self.stop.subscribe(), async move {
                town.lead.while_leading(|| run_process(Arc::clone(&school))).await;
            }));
            tasks.spawn(stopped(
                self.stop.subscribe(),
                run_evidence(Arc::clone(&open.town), Arc::clone(&open.evidence)),
            ));
            let (town, archive) = (Arc::clone(&open.town), self.archive.clone());
            // Who moves the clock by hand has what is due proposed on the way.
            let by_day = self.clock.manual().is_none();
            tasks.spawn(stopped(self.stop.subscribe(), async move {
                town.lead.while_leading(|| erasure::run(&town, &archive, by_day)).await;
            }));
            let town = Arc::clone(&open.town);
            let stop = self.stop.subscribe();
            tasks.spawn(async move {
                stopped(stop, town.lead.keep()).await;
                town.lead.give_back().await;
            });
            if self.clock.manual().is_none() {
                let (town, calls) = (Arc::clone(&open.town), Arc::clone(&open.school));
                tasks.spawn(stopped(self.stop.subscribe(), async move {
                    town.lead.while_leading(|| calls.run_clock()).await;
                }));
                let (town, principal) = (Arc::clone(&open.town), self.ticker.clone());
                tasks.spawn(stopped(self.stop.subscribe(), async move {
                    town.lead.while_leading(|| ticker::run(&town, &principal)).await;
                }));
            }
        }
    }

    /// Asks every stream that would live for ever to end.
    pub fn close_streams(&self) {
        self.closing.send_replace(true);
    }

    /// Ready when streams are to end.
    pub async fn closing(&self) {
        // The house outlives its streams, so the sender is there.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Stops the processes and waits until they have ended.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut tasks = self.tasks.lock().await;
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a process ended badly");
            }
        }
    }

    /// Moves the manual clock, from the end of one term to the next, so that everything that falls
    /// due on the way takes its effect at its own time. Returns how many terms did.
    ///
    /// # Errors
    /// `Invalid` when the clock is not manual or would go back; a fault when a comune cannot follow.
    pub async fn advance(&self, to: Timestamp) -> Result<u64, AppError> {
        let _one = self.moving.lock().await;
        let invalid =
            |rule: &str| AppError::Invalid(vec![super::error::Violation::new("to_time", rule)]);
        let Some(clock) = self.clock.manual() else {
            return Err(invalid(
                "this server's clock is the system's; start it with --manual-clock",
            ));
        };
        if to < self.clock.now() {
            return Err(invalid("the clock only moves forward"));
        }
        let mut expired = self.expire_all().await?;
        while let Some(stop) = self.next_stop(to).await? {
            clock.advance_to(stop);
            expired += self.expire_all().await?;
        }
        clock.advance_to(to);
        let expired = expired + self.expire_all().await?;
        for open in self.open.values() {
            erasure::propose_due(&open.town, &self.archive).await?;
        }
        Ok(expired)
    }

    async fn expire_all(&self) -> Result<u64, AppError> {
        let mut expired = 0;
        // What another node leads falls due there.
        for open in self.open.values().filter(|open| open.town.lead.leads()) {
            // What a term brings about may free a place, and an offer starts a term.
            loop {
                let before = open.school.settle().await?;
                expired += ticker::expire_due(&open.town, &self.ticker).await?;
                open.school.tick().await?;
                let head = open.school.settle().await?;
                open.town.wait_for_register(head).await?;
                if head == before {
                    break;
                }
            }
        }
        Ok(expired)
    }

    async fn next_stop(&self, to: Timestamp) -> Result<Option<Timestamp>, AppError> {
        let now = self.clock.now();
        let mut next: Option<Timestamp> = None;
        for open in self.open.values() {
            let from = rome_date(now);
            let end = open.town.views.next_end(from).await.map_err(AppError::views)?.value;
            let calls = open.town.views.next_call_day(from).await.map_err(AppError::views)?.value;
            let stops = [end.map(first_instant_after), calls.map(first_instant_of)];
            for at in stops.into_iter().flatten().filter(|at| *at > now && *at <= to) {
                next = Some(next.map_or(at, |n| n.min(at)));
            }
        }
        Ok(next)
    }
}

/// Pratica itself in one of its offices.
///
/// # Errors
/// When the name is not an account's.
pub fn system(account: &str) -> Result<Principal, InvalidId> {
    Ok(Principal::system(account.parse()?))
}

fn open_town(
    data: &Path,
    comune: &ComuneId,
    clock: Arc<dyn Clock>,
    keys: &MasterKeys,
) -> anyhow::Result<(Open, Projector)> {
    let directory = data.join(comune.as_str());
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let settings = Settings::read(&directory)?;
    let rules = Arc::new(settings.rules(&directory)?);
    let log_path = directory.join("log.db");
    let embedded = SqliteLog::open(&log_path, sqlite::Options::default())
        .with_context(|| cannot_open(&log_path, "restore a backup"))?;
    let embedded = Arc::new(embedded);
    let has_events = *embedded.watch_head().borrow() > Position::START;
    let vault = Arc::new(match &settings.log.keys {
        Some(shared) => keys.open_shared(comune, &directory, shared)?,
        None => keys
            .open(comune, &directory, has_events)
            .with_context(|| cannot_open(&vault_path(&directory), "restore a backup"))?,
    });
    let (log, cluster) = kept_in(&settings, comune, &embedded, &clock)?;
    let index: Arc<dyn BlindIndex> = Arc::clone(&vault) as Arc<dyn BlindIndex>;
    let views_path = directory.join("views.db");
    let (views, projector) = Views::open(&views_path, ViewsOptions::default(), index)
        .with_context(|| cannot_open(&views_path, "move it away: it is made again from the log"))?;
    let access_path = directory.join("access.db");
    let access = AccessLog::open(&access_path, clock.now()).with_context(|| {
        cannot_open(&access_path, "keep it, move it away and restore the record from a backup")
    })?;
    let access = Arc::new(access);
    let head = *embedded.watch_head().borrow();
    let evidence = Evidence::open(comune, &directory, &settings.evidence, &vault, head)
        .with_context(|| {
            let made_again = "move it away: it is made again from the log, without its checkpoints";
            cannot_open(&tree_path(&directory), made_again)
        })?;
    let evidence = Arc::new(evidence);
    let town = Town::new(comune.clone(), directory, settings, log, vault, views, rules, clock)
        .told_of_stop(embedded.watch_stopped());
    let town = match cluster {
        Some((cluster, lead)) => town.in_cluster(cluster, lead),
        None => town,
    };
    let town = Arc::new(town);
    let desk = Arc::new(register::Desk::new(Arc::clone(&town), system("register")?));
    let school = Arc::new(school::Desk::new(Arc::clone(&town), system("school")?));
    Ok((Open { town, desk, school, access, evidence, embedded }, projector))
}

/// Which file cannot be opened, and what helps against what it may be.
fn cannot_open(path: &Path, if_damaged: &str) -> String {
    let path = path.display();
    format!("cannot open {path} (may this user read and write it? if it is damaged, {if_damaged})")
}

/// The log: embedded, or in the cluster that the settings name, with the embedded one as a copy.
#[expect(clippy::type_complexity, reason = "two things that come together or not at all")]
fn kept_in(
    settings: &Settings,
    comune: &ComuneId,
    embedded: &Arc<SqliteLog>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Arc<dyn EventStore>, Option<(Arc<ClusterLog>, Lead)>)> {
    let Some(connection) = settings.log.cluster()? else {
        return Ok((Arc::clone(embedded) as Arc<dyn EventStore>, None));
    };
    let cluster = ClusterLog::open(&connection, comune.as_str(), Arc::clone(embedded))?;
    let cluster = Arc::new(cluster);
    let seconds = settings.log.lease_seconds;
    let lead = Lead::by_lease(Arc::clone(&cluster), Arc::clone(clock), seconds);
    Ok((Arc::clone(&cluster) as Arc<dyn EventStore>, Some((cluster, lead))))
}

async fn stopped(mut stop: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => {}
        () = work => {}
    }
}

/// Keeps the views up to date, again after a failure. A damaged file is made again from the log; any
/// other failure is tried again, and nothing is passed over. Applying is work for a thread of its
/// own, not for the runtime's.
async fn follow_views(town: Arc<Town>, mut projector: Projector, stop: watch::Receiver<bool>) {
    let runtime = tokio::runtime::Handle::current();
    let followed = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            town.views_reached(projector.position());
            let viewed = Arc::clone(&town);
            projector.on_applied(Box::new(move |position| viewed.views_reached(position)));
            let damage = Arc::new(Notify::new());
            let told = Arc::clone(&damage);
            town.views.on_damage(Box::new(move || told.notify_one()));
            let mut stop = stop;
            loop {
                match follow_for_now(&town, &mut projector, &damage, &mut stop).await {
                    Following::Stopped => return,
                    Following::Damaged => heal(&town).await,
                    Following::Failed => {}
                }
            }
        });
    });
    if let Err(error) = followed.await {
        tracing::error!(%error, "the views ended badly");
    }
}

/// Why the views do not follow the log any further.
enum Following {
    Stopped,
    Damaged,
    Failed,
}

/// Follows the log until it is told to stop, a query finds the file damaged, or it fails.
async fn follow_for_now(
    town: &Arc<Town>,
    projector: &mut Projector,
    damage: &Notify,
    stop: &mut watch::Receiver<bool>,
) -> Following {
    let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
    let mut stopped = stop.clone();
    let (told, mut tell) = watch::channel(false);
    let stopping = async move {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = damage.notified() => { told.send_replace(true); }
        }
    };
    town.views_follow(true);
    let Err(error) = projector.run(reader, Arc::clone(&town.rules), stopping).await else {
        let damaged = *tell.borrow_and_update();
        return if damaged { Following::Damaged } else { Following::Stopped };
    };
    town.views_follow(false);
    tracing::error!(comune = %town.comune, error = chain(&error),
        "the views stopped following the log and will be tried again");
    // Waiting is for the cause to go away; being told to stop ends it.
    if tokio::time::timeout(RETRY, stop.wait_for(|stop| *stop)).await.is_ok() {
        return Following::Stopped;
    }
    if error.is_damage() { Following::Damaged } else { Following::Failed }
}

/// Builds the views again, beside those that can no longer be read.
async fn heal(town: &Town) {
    tracing::warn!(comune = %town.comune, "the views' file is damaged and is made again");
    let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
    match town.views.rebuild(reader, &town.rules, |_, _| {}).await {
        Ok(position) => {
            town.views_reached(position);
            tracing::info!(comune = %town.comune, "the views are whole again");
        }
        Err(error) => tracing::error!(comune = %town.comune, error = chain(&error),
            "the views cannot be built again"),
    }
}

/// Keeps the evidence up to date, again after a failure: it goes on from the tree's end.
async fn run_evidence(town: Arc<Town>, evidence: Arc<Evidence>) {
    loop {
        if let Err(error) = evidence.run(Arc::clone(&town.log)).await {
            tracing::error!(comune = %town.comune, error = chain(&error),
                "the evidence stopped following the log and will be tried again");
            evidence.halt(&Arc::new(error));
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Runs a process, again after a failure: it goes on from its checkpoint.
async fn run_process(process: Arc<impl Follower>) {
    loop {
        if let Err(error) = process.follow().await {
            tracing::error!(comune = %process.town().comune, process = process.name(),
                error = chain(&error), "a process failed and will be tried again");
        }
        tokio::time::sleep(RETRY).await;
    }
}
