//! What is hot inside, one thing at a time: deciding, folding, sealing and opening, encoding and
//! decoding, applying to the views. `cargo bench -p pratica-bench --bench inside`.

use criterion::{BatchSize, Criterion, Throughput};
use jiff::Timestamp;
use pratica_api::app::deliver::written;
use pratica_api::app::settings::Settings;
use pratica_domain::case::Command as CaseCommand;
use pratica_domain::ids::{CaseId, ComuneId};
use pratica_domain::residency::Command as ResidencyCommand;
use pratica_domain::{Actor, Case, Command, Context, Event, Role, decide, evolve, fold};
use pratica_projections::{Rules, Views, ViewsOptions};
use pratica_store::{
    AppendRequest, BlindIndex, Direction, EventAppender as _, EventReader as _, Expected, Filter,
    MasterKey, Metadata, Position, RecordedEvent, SqliteLog, StreamName, Vault, codec, sqlite,
};
use std::hint::black_box;
use std::sync::Arc;
use tokio::runtime::Runtime;
use uuid::Uuid;

#[path = "../src/declaration.rs"]
mod declaration;

/// Notes of a case, after its filing and registration.
const NOTES: usize = 40;
/// Cases of a batch for the views.
const CASES: u128 = 50;

struct Bench {
    comune: ComuneId,
    officer: Actor,
    now: Timestamp,
    rules: Rules,
    vault: Arc<Vault>,
    directory: tempfile::TempDir,
    runtime: Runtime,
}

impl Bench {
    fn new() -> anyhow::Result<Bench> {
        let directory = tempfile::tempdir()?;
        let rules = Settings::read(directory.path())?.rules(directory.path())?;
        let vault = Vault::open(&directory.path().join("keys.db"), &MasterKey::generate()?)?;
        Ok(Bench {
            comune: "collina".parse()?,
            officer: Actor { id: "anna".parse()?, role: Role::Officer, on_behalf_of: None },
            now: "2026-03-10T09:00:00Z".parse()?,
            rules,
            vault: Arc::new(vault),
            directory,
            runtime: Runtime::new()?,
        })
    }

    fn context(&self, case: CaseId) -> Context<'_> {
        Context {
            comune: &self.comune,
            case_id: case,
            now: self.now,
            actor: &self.officer,
            rules: &self.rules.book,
            calendar: &self.rules.calendar,
            request_id: case.0,
            written,
        }
    }

    /// The events of a case: its filing, its registration, its notes.
    fn history(&self, id: CaseId, notes: usize) -> anyhow::Result<Vec<Event>> {
        let (mut case, mut events) = (Case::default(), Vec::new());
        let first = [declaration::declare(7, self.now)?.into(), ResidencyCommand::Register.into()];
        for (n, command) in first.into_iter().chain((0..notes).map(|_| note())).enumerate() {
            let request_id = Uuid::from_u128(id.0.as_u128() + n as u128);
            let context = Context { request_id, ..self.context(id) };
            let decided = decide(&case, &command, &context)
                .map_err(|refused| anyhow::anyhow!("{}: {refused:?}", command.name()))?;
            case = decided.iter().fold(case, evolve);
            events.extend(decided);
        }
        Ok(events)
    }

    /// Cases as the log gives them back.
    fn recorded(
        &self,
        file: &str,
        cases: u128,
        notes: usize,
    ) -> anyhow::Result<Vec<RecordedEvent>> {
        let log = SqliteLog::open(self.directory.path().join(file), sqlite::Options::default())?;
        self.runtime.block_on(async {
            for case in 1..=cases {
                let id = CaseId(Uuid::from_u128(case << 32));
                let stream = stream(id)?;
                let events = self
                    .history(id, notes)?
                    .iter()
                    .map(|event| self.encode(event, &stream))
                    .collect::<Result<_, _>>()?;
                let expected = Expected::NoStream;
                let recorded_at = self.now;
                log.append(AppendRequest { stream, expected, events, request: None, recorded_at })
                    .await?;
            }
            let all = log.read_all(Position::START, Direction::Forwards, &Filter::all(), 100_000);
            Ok(all.await?.events)
        })
    }

    fn encode(
        &self,
        event: &Event,
        stream: &StreamName,
    ) -> Result<pratica_store::NewEvent, pratica_store::StoreError> {
        codec::encode(event, Uuid::new_v4(), stream, self.now, metadata(), &self.vault)
    }
}

fn stream(id: CaseId) -> Result<StreamName, pratica_store::StoreError> {
    StreamName::parse(&format!("collina.residency-{id}"))
}

fn metadata() -> Metadata {
    Metadata {
        actor: "anna".to_owned(),
        role: "officer".to_owned(),
        on_behalf_of: None,
        request_id: None,
        correlation_id: Uuid::from_u128(7),
        causation_id: None,
        rules_version: "italy-2026".to_owned(),
    }
}

fn note() -> Command {
    let text = "Call with the applicant: second floor, no name on the bell.".to_owned();
    CaseCommand::AddNote { text }.into()
}

fn measure(criterion: &mut Criterion) -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let id = CaseId(Uuid::from_u128(7));
    let (events, stream) = (bench.history(id, NOTES)?, stream(id)?);
    let case = fold(&events);
    anyhow::ensure!(case.file.events == events.len() as u64, "not all were folded");

    let (filing, note) = (Command::from(declaration::declare(7, bench.now)?), note());
    criterion.bench_function("decide/a declaration", |b| {
        b.iter(|| decide(&Case::default(), black_box(&filing), &bench.context(id)));
    });
    criterion.bench_function(&format!("decide/a note, after {} events", events.len()), |b| {
        b.iter(|| decide(black_box(&case), &note, &bench.context(CaseId(Uuid::from_u128(8)))));
    });
    let mut group = criterion.benchmark_group("per event");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("fold", |b| b.iter(|| fold(black_box(&events))));
    group.bench_function("encode and seal", |b| {
        b.iter(|| {
            for event in &events {
                black_box(bench.encode(event, &stream)).ok();
            }
        });
    });
    let recorded = bench.recorded("one.db", 1, NOTES)?;
    anyhow::ensure!(recorded.len() == events.len(), "not all were recorded");
    group.bench_function("decode, sealed", |b| {
        b.iter(|| recorded.iter().filter(|event| codec::decode(event).is_ok()).count());
    });
    group.bench_function("unseal and decode", |b| {
        b.iter(|| recorded.iter().filter(|event| codec::open(event, &bench.vault).is_ok()).count());
    });
    group.finish();
    views(&bench, criterion)
}

/// A batch into empty views: rows, counts and checkpoint in one durable transaction.
fn views(bench: &Bench, criterion: &mut Criterion) -> anyhow::Result<()> {
    let batch = bench.recorded("many.db", CASES, 4)?;
    let log = SqliteLog::open(bench.directory.path().join("many.db"), sqlite::Options::default())?;
    let open = |n: u64| {
        let file = bench.directory.path().join(format!("views-{n}.db"));
        let index = Arc::clone(&bench.vault) as Arc<dyn BlindIndex>;
        Views::open(&file, ViewsOptions::default(), index)
    };
    let apply = |n: u64| -> anyhow::Result<(Views, Position)> {
        let (views, mut projector) = open(n)?;
        let done = bench.runtime.block_on(projector.apply(&log, &bench.rules, &batch))?;
        Ok((views, done))
    };
    let last = batch.last().map(|event| event.position);
    anyhow::ensure!(Some(apply(0)?.1) == last, "not all were applied");
    let mut number = 0;
    let mut group = criterion.benchmark_group("per event");
    group.throughput(Throughput::Elements(batch.len() as u64));
    group.bench_function(format!("apply to all views, {} at once", batch.len()), |b| {
        b.iter_batched(
            || {
                number += 1;
                open(number)
            },
            |opened| {
                opened.map(|(views, mut projector)| {
                    let done = projector.apply(&log, &bench.rules, &batch);
                    (views, bench.runtime.block_on(done).is_ok())
                })
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
