//! A town lived through from a seed: citizens file, clerks act as the procedures allow and as they
//! do not, requests are lost, answered late and sent twice, the store fails before and after it
//! wrote, the process crashes, the ticker sleeps for days; school calls run their course beside them.
//! Whatever happens, what was promised holds.
//!
//! A failure prints its seed. `PRATICA_SIMULATION=SEED,STEPS` runs that one;
//! `PRATICA_SIMULATION=SEED,STEPS,TOWNS` as many in a row: the soak of `docs/reliability.md`.

use crate::given::{Given, given};
use crate::{permit_scenarios, scenarios};
use jiff::{Timestamp, ToSpan as _};
use pratica_api::app::error::chain;
use pratica_api::app::house::system;
use pratica_api::app::settings::Settings;
use pratica_api::app::{
    AppError, Clock, CommandRequest, Follower as _, ManualClock, Outcome, Principal, Target,
};
use pratica_api::app::{Town, handler, load, register, school as calls, ticker};
use pratica_domain::case::Procedure;
use pratica_domain::ids::CaseId;
use pratica_domain::permit::Kind as Works;
use pratica_domain::residency::Kind;
use pratica_domain::term::rome_date;
use pratica_domain::{Command, Event, Role, actions_of};
use pratica_projections::{Projector, Rules, Views, ViewsOptions};
use pratica_store::testing::{Faults, FaultyLog};
use pratica_store::{BlindIndex, EventReader, EventStore, MemoryLog, Vault};
use pratica_tests::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

mod checks;
mod places;
mod school;

use checks::{explained, no_effect_early, numbers_without_gap};
use places::Seen;
use school::School;

const START: &str = "2026-03-02T08:00:00Z";
const SEEDS: [u64; 2] = [20_260_302, 7_003];
const STEPS: usize = 350;
/// How many steps lie between two looks at everything.
const LOOK: usize = 175;

/// A request as somebody sent it, to be sent again word for word.
#[derive(Clone)]
struct Sent {
    id: Uuid,
    target: Target,
    command: Command,
    officer: usize,
    /// What was acknowledged: the events' names.
    answered: Option<Vec<&'static str>>,
}

/// What happened, for the report and to see that things do happen.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Tally {
    acknowledged: usize,
    refused: BTreeMap<&'static str, usize>,
    lost: usize,
    repeated: usize,
    crashes: usize,
    expired: usize,
    days: i64,
    school: Seen,
}

/// The process: everything that a crash takes away.
struct Process {
    town: Arc<Town>,
    projector: Projector,
    desk: register::Desk,
    school: Arc<calls::Desk>,
}

struct World {
    random: Random,
    clock: Arc<ManualClock>,
    log: Arc<FaultyLog>,
    vault: Arc<Vault>,
    rules: Arc<Rules>,
    directory: tempfile::TempDir,
    process: Process,
    cases: Vec<CaseId>,
    sent: Vec<Sent>,
    school: School,
    tally: Tally,
}

const FAULTS: Faults = Faults { conflict: 40, crash_before: 40, crash_after: 40 };

fn open(
    directory: &Path,
    clock: &Arc<ManualClock>,
    log: &Arc<FaultyLog>,
    vault: &Arc<Vault>,
    rules: &Arc<Rules>,
) -> anyhow::Result<Process> {
    let index: Arc<dyn BlindIndex> = Arc::clone(vault) as Arc<dyn BlindIndex>;
    let (views, projector) =
        Views::open(&directory.join("views.db"), ViewsOptions::default(), index)?;
    let town = Arc::new(Town::new(
        "vergate".parse()?,
        directory.to_owned(),
        Settings::read(directory)?,
        Arc::clone(log) as Arc<dyn EventStore>,
        Arc::clone(vault),
        views,
        Arc::clone(rules),
        Arc::clone(clock) as Arc<dyn Clock>,
    ));
    town.views_reached(projector.position());
    let desk = register::Desk::new(Arc::clone(&town), system("register")?);
    let school = Arc::new(calls::Desk::new(Arc::clone(&town), system("school")?));
    Ok(Process { town, projector, desk, school })
}

fn officer(number: usize) -> anyhow::Result<Principal> {
    let (name, role) =
        [("anna", Role::Head), ("bruno", Role::Officer), ("carla", Role::Clerk)][number % 3];
    Ok(Principal {
        account: name.parse()?,
        role,
        comuni: BTreeSet::new(),
        offices: ["anagrafe".parse()?, "edilizia".parse()?, "scuola".parse()?].into(),
    })
}

impl World {
    fn new(seed: u64) -> anyhow::Result<World> {
        let directory = tempfile::tempdir()?;
        let clock = Arc::new(ManualClock::new(START.parse()?));
        let log = Arc::new(FaultyLog::new(Arc::new(MemoryLog::new()), seed, FAULTS));
        let vault = Arc::new(Vault::in_memory()?);
        let rules = Arc::new(Settings::read(directory.path())?.rules(directory.path())?);
        let process = open(directory.path(), &clock, &log, &vault, &rules)?;
        Ok(World {
            random: Random::new(seed),
            clock,
            log,
            vault,
            rules,
            directory,
            process,
            cases: Vec::new(),
            sent: Vec::new(),
            school: School::default(),
            tally: Tally::default(),
        })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Everything that was in memory is gone; what was written is there.
    fn crash(self) -> anyhow::Result<World> {
        let World { clock, log, vault, rules, directory, process, mut tally, .. } = self;
        drop(process);
        let process = open(directory.path(), &clock, &log, &vault, &rules)?;
        tally.crashes += 1;
        let World { random, cases, sent, school, .. } = self;
        Ok(World {
            random,
            clock,
            log,
            vault,
            rules,
            directory,
            process,
            cases,
            sent,
            school,
            tally,
        })
    }

    async fn step(mut self) -> anyhow::Result<World> {
        match self.random.below(100) {
            0..=13 => self.file().await?,
            14..=47 => self.act().await?,
            48..=66 => self.school().await?,
            67..=73 => self.repeat().await?,
            74..=80 => self.number_documents().await,
            81..=82 => return self.crash(),
            _ => self.pass_time().await?,
        }
        Ok(self)
    }

    async fn file(&mut self) -> anyhow::Result<()> {
        let on = rome_date(self.now()).to_string();
        let kinds = [Kind::FromOtherComune, Kind::ChangeOfDwelling, Kind::FromAbroadEu];
        let works = [Works::NewConstruction, Works::Variant, Works::Notice];
        let (procedure, command): (Procedure, Command) = if self.random.one_in(3) {
            let kind = *self.random.pick(&works).expect("not empty");
            let form = permit_scenarios::form(kind);
            (Procedure::Permit, permit_scenarios::file_on(form, &on).into())
        } else {
            let kind = *self.random.pick(&kinds).expect("not empty");
            (Procedure::Residency, scenarios::declare_on(scenarios::form(kind), &on).into())
        };
        self.send(Target::New(procedure), command).await
    }

    /// A command for some case: mostly one that its rules allow, now and then any.
    async fn act(&mut self) -> anyhow::Result<()> {
        let Some(id) = self.random.pick(&self.cases).copied() else { return Ok(()) };
        let Some(case) = load::current(&self.process.town, id).await? else { return Ok(()) };
        let seen = self.seen(&case);
        let names: Vec<&str> =
            case.procedure().into_iter().flat_map(actions_of).map(|a| a.command).collect();
        let fitting: Vec<&str> =
            names.iter().copied().filter(|name| seen.refusal_of(name).is_none()).collect();
        let among = if self.random.one_in(5) { &names } else { &fitting };
        let Some(name) = self.random.pick(among).copied() else { return Ok(()) };
        // The ticker and the register have their own ways.
        if ["case.expire_term", "case.record_registration"].contains(&name) {
            return Ok(());
        }
        self.send(Target::Existing(id), scenarios::sample(name, &seen)).await
    }

    /// The case as the domain's samples see it.
    fn seen(&self, case: &pratica_domain::Case) -> Given {
        let mut seen = given([]).at(&self.now().to_string());
        seen.case = case.clone();
        seen
    }

    async fn send(&mut self, target: Target, command: Command) -> anyhow::Result<()> {
        let id =
            Uuid::from_u128(u128::from(self.random.draw()) << 64 | u128::from(self.random.draw()));
        let officer = self.random.below(3);
        let sent = Sent { id, target, command, officer, answered: None };
        self.deliver(sent).await
    }

    /// Something sent before arrives again: as a client does that had no answer, or a network that
    /// delivers twice.
    async fn repeat(&mut self) -> anyhow::Result<()> {
        if self.sent.is_empty() {
            return Ok(());
        }
        let place = self.random.below(self.sent.len());
        let again = self.sent.swap_remove(place);
        self.tally.repeated += 1;
        self.deliver(again).await
    }

    async fn deliver(&mut self, mut sent: Sent) -> anyhow::Result<()> {
        match self.execute(&sent).await {
            Ok(outcome) => {
                let names: Vec<_> = outcome.events.iter().map(Event::event_type).collect();
                if let Some(first) = &sent.answered {
                    anyhow::ensure!(
                        *first == names,
                        "{} was answered {first:?} and then {names:?}",
                        sent.id
                    );
                } else {
                    self.tally.acknowledged += 1;
                }
                let known = match sent.target {
                    Target::New(Procedure::Enrolment) => Some(&mut self.school.applications),
                    Target::New(_) => Some(&mut self.cases),
                    Target::Existing(_) => None,
                };
                if let Some(known) = known.filter(|known| !known.contains(&outcome.case_id)) {
                    known.push(outcome.case_id);
                }
                sent.answered = Some(names);
                self.sent.push(sent);
            }
            Err(AppError::Rejected(rejection)) => {
                anyhow::ensure!(
                    sent.answered.is_none(),
                    "{} was acknowledged and then refused: {rejection}",
                    sent.id
                );
                explained(&sent.command, &rejection)?;
                *self.tally.refused.entry(rejection.rule).or_default() += 1;
            }
            Err(AppError::Denied | AppError::Invalid(_)) => {}
            // No answer: the client keeps the request and may send it again.
            Err(error) => {
                anyhow::ensure!(error_is_of_the_store(&error), "{}", chain(&error));
                self.tally.lost += 1;
                self.sent.push(sent);
            }
        }
        Ok(())
    }

    async fn execute(&self, sent: &Sent) -> Result<Outcome, AppError> {
        let principal = officer(sent.officer).expect("a valid name");
        handler::execute(
            &self.process.town,
            CommandRequest {
                principal: &principal,
                target: sent.target,
                command: sent.command.clone(),
                request_id: sent.id,
                fingerprint: [u8::try_from(sent.officer).unwrap_or_default(); 32],
                etag: None,
                validate_only: false,
                causation_id: None,
                correlation_id: None,
            },
        )
        .await
    }

    /// Hours or days go by; the ticker may be asleep meanwhile.
    async fn pass_time(&mut self) -> anyhow::Result<()> {
        let hours = [1, 3, 24, 24, 72, 240][self.random.below(6)];
        self.tally.days += hours / 24;
        let to = self.now().checked_add(hours.hours())?;
        self.clock.advance_to(to);
        if !self.random.one_in(4) {
            self.tick_calls().await?;
            self.tick().await?;
        }
        Ok(())
    }

    /// The ticker, as often as the store lets it down.
    async fn tick(&mut self) -> anyhow::Result<()> {
        let principal = system("ticker")?;
        for _ in 0..200 {
            let town = Arc::clone(&self.process.town);
            let ticking = ticker::expire_due(&town, &principal);
            let ended = tokio::select! {
                biased;
                ended = ticking => ended,
                failed = follow(&mut self.process, &self.rules) => return Err(failed),
            };
            match ended {
                Ok(count) => {
                    self.tally.expired += usize::try_from(count)?;
                    return Ok(());
                }
                Err(error) => anyhow::ensure!(error_is_of_the_store(&error), "{}", chain(&error)),
            }
        }
        anyhow::bail!("the ticker never came to its end")
    }

    /// The register's process, from its checkpoint, stopped somewhere by a failing store or because
    /// it is through.
    async fn number_documents(&self) {
        let Process { town, desk, .. } = &self.process;
        let through = async {
            // Its own numbers move the head on; it is through when nothing is left.
            while let Ok(head) = town.log.head().await {
                let waited = town.wait_for_register(head).await;
                if waited.is_err() || town.log.head().await.is_ok_and(|now| now == head) {
                    break;
                }
            }
        };
        tokio::select! {
            biased;
            _ = desk.follow() => {}
            () = through => {}
        }
    }

    /// Everything comes to rest, and everything that was promised is looked at.
    async fn look(&mut self) -> anyhow::Result<()> {
        self.log.set(Faults::default());
        // What a term brings about may free a place, and an offer starts a term.
        loop {
            let before = self.log.head().await?;
            self.number_documents().await;
            self.carry().await?;
            self.tick_calls().await?;
            self.tick().await?;
            if self.log.head().await? == before {
                break;
            }
        }
        follow_once(&mut self.process, &self.rules).await?;
        let events = self.log_whole().await?;
        self.replay_equals_live().await?;
        self.rebuilt_equals_incremental().await?;
        self.one_effect_a_request(&events)?;
        no_effect_early(&events)?;
        self.no_effect_missed().await?;
        numbers_without_gap(&events)?;
        self.tally.school = self.calls_keep_their_promises(&events).await?;
        self.log.set(FAULTS);
        Ok(())
    }
}

/// Follows the log with the views for as long as somebody waits for it.
async fn follow(process: &mut Process, rules: &Rules) -> anyhow::Error {
    let mut head = process.town.log.watch_head();
    loop {
        if let Err(error) = follow_once(process, rules).await {
            return error;
        }
        if let Err(error) = head.changed().await {
            return error.into();
        }
    }
}

async fn follow_once(process: &mut Process, rules: &Rules) -> anyhow::Result<()> {
    let reader = Arc::clone(&process.town.log) as Arc<dyn EventReader>;
    let position = process.projector.catch_up(reader, rules).await?;
    process.town.views_reached(position);
    Ok(())
}

/// What a failing store answers, or a wait that it made too long.
fn error_is_of_the_store(error: &AppError) -> bool {
    let text = chain(error);
    matches!(error, AppError::Fault { .. } | AppError::Conflict { .. }) && !text.contains("decode")
}

async fn live(seed: u64, steps: usize) -> anyhow::Result<(Tally, Vec<String>)> {
    let mut world = World::new(seed)?;
    for step in 1..=steps {
        world = world.step().await.map_err(|e| e.context(format!("step {step}")))?;
        if step % LOOK == 0 || step == steps {
            world.look().await.map_err(|e| e.context(format!("after step {step}")))?;
        }
    }
    let events = world.log_whole().await?;
    let lines = events.iter().map(|e| format!("{} {} {}", e.stream, e.event_type, e.id)).collect();
    Ok((world.tally, lines))
}

fn lived(seed: u64, steps: usize) -> (Tally, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let begun = std::time::Instant::now();
    let (tally, events) = runtime
        .block_on(live(seed, steps))
        .unwrap_or_else(|error| panic!("{error:#}\nagain with PRATICA_SIMULATION={seed},{steps}"));
    let refused: usize = tally.refused.values().sum();
    eprintln!(
        "seed {seed}: {} events, {} acknowledged, {refused} refused by {} rules, {} lost, {} sent \
         again, {} crashes, {} terms ran out, {} days, {} calls with {} applications, {} rankings and \
         {} places taken in {:.1} s",
        events.len(),
        tally.acknowledged,
        tally.refused.len(),
        tally.lost,
        tally.repeated,
        tally.crashes,
        tally.expired,
        tally.days,
        tally.school.calls,
        tally.school.applications,
        tally.school.rankings,
        tally.school.accepted,
        begun.elapsed().as_secs_f64()
    );
    (tally, events)
}

#[test]
fn a_town_lived_through_from_a_seed_keeps_every_promise() {
    let asked = std::env::var("PRATICA_SIMULATION").unwrap_or_default();
    let asked: Vec<u64> = asked.split(',').filter_map(|n| n.parse().ok()).collect();
    if let [seed, steps, rest @ ..] = asked.as_slice() {
        let steps = usize::try_from(*steps).unwrap();
        for town in 0..rest.first().copied().unwrap_or(1) {
            lived(seed + town, steps);
        }
        return;
    }
    let mut taken = 0;
    for seed in SEEDS {
        let (tally, _) = lived(seed, STEPS);
        let refused: usize = tally.refused.values().sum();
        assert!(tally.acknowledged > 50 && refused > 5 && tally.lost > 0, "{tally:?}");
        assert!(tally.school.applications > 5 && tally.school.rankings > 0, "{tally:?}");
        taken += tally.school.accepted;
        assert!(tally.crashes > 0 && tally.expired > 0 && tally.repeated > 0, "{tally:?}");
    }
    assert!(taken > 0, "somebody took a place");
}

#[test]
fn the_same_seed_gives_the_same_town() {
    assert_eq!(lived(3, 120), lived(3, 120));
}
