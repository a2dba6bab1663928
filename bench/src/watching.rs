//! W6: how long a change takes from its commit to whoever watches the case, while clerks work at
//! half of what the server can take; and L1: ten times what it can take, as an open loop, so that waiting counts.

use crate::Size;
use crate::clients::{Authorised, authorised, closed_loop};
use crate::commands::{Clerk, declaration};
use crate::figures::{Figure, Times};
use crate::place::{COMUNE, Place};
use crate::report::{Goal, Report};
use crate::resident::Server;
use crate::serving;
use anyhow::Context as _;
use pratica_api::grpc::auth::ServerKey;
use pratica_domain::Role;
use pratica_proto::cases::v1::cases_service_client::CasesServiceClient;
use pratica_proto::cases::v1::casework_service_client::CaseworkServiceClient;
use pratica_proto::cases::v1::watch_case_response::Content;
use pratica_proto::cases::v1::{AddNoteRequest, GetCaseRequest, WatchCaseRequest};
use pratica_proto::residency::v1::residency_service_client::ResidencyServiceClient;
use pratica_store::Position;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

const WATCHERS: usize = 32;
/// Connections of the open loop: the server takes so many streams of each.
const CONNECTIONS: usize = 64;
/// Calls of the open loop that wait for their answer at once: eight times what the server lets in.
const WAITING: usize = 8_192;
/// How often somebody else calls meanwhile.
const APART: Duration = Duration::from_millis(50);

pub(crate) async fn push(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let mut place = Place::open(&size.directory.join("w6"))?;
    let (served, key) = serving::pratica(&mut place).await?;
    let commits = Commits::watch(place.open_town()?.town.log.watch_head());
    let (mut p50, mut p99) = (Figure::default(), Figure::default());
    let (mut whole_p50, mut whole_p99) = (Figure::default(), Figure::default());
    let mut count = 0;
    for _ in 0..size.runs {
        let mut tasks = Vec::new();
        for n in 0..WATCHERS {
            let token = serving::token(&key, &format!("officer.{n}"), Role::Officer)?;
            let connection = authorised(&served.url, &token).await?;
            tasks.push(tokio::spawn(watched(connection, size.slice_ms)));
        }
        let (mut times, mut whole) = (Times::default(), Times::default());
        for task in tasks {
            for push in task.await?? {
                times.add(push.seen.saturating_duration_since(commits.of(push.position)?));
                whole.add(push.seen.saturating_duration_since(push.sent));
                count += 1;
            }
        }
        p50.add(times.percentile_us(0.50));
        p99.add(times.percentile_us(0.99));
        whole_p50.add(whole.percentile_us(0.50));
        whole_p99.add(whole.percentile_us(0.99));
    }
    report.row("from the commit to the push on WatchCase, p50", "us", &p50, None);
    report.row("the same, p99", "us", &p99, Some(Goal::AtMost(20_000.0)));
    report.row("from sending the command to the push, p50", "us", &whole_p50, None);
    report.row("the same, p99", "us", &whole_p99, None);
    report.note(format!(
        "{count} changes, each pushed once; {WATCHERS} clerks who wait as long as they work; a \
         thread of its own notes when the log's head moves, which is right after the commit"
    ));
    served.stop().await
}

/// When the log's head came to where.
#[derive(Clone)]
struct Commits(Arc<Mutex<Vec<(Position, Instant)>>>);

impl Commits {
    /// Notes it from now on, on a thread that does nothing else; it ends with the log.
    fn watch(mut head: watch::Receiver<Position>) -> Commits {
        let commits = Commits(Arc::default());
        let (noted, runtime) = (commits.clone(), tokio::runtime::Handle::current());
        std::thread::spawn(move || {
            while runtime.block_on(head.changed()).is_ok() {
                let now = (*head.borrow_and_update(), Instant::now());
                noted.0.lock().unwrap_or_else(PoisonError::into_inner).push(now);
            }
        });
        commits
    }

    /// When the event of a position was committed.
    fn of(&self, position: u64) -> anyhow::Result<Instant> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = noted.partition_point(|(head, _)| head.get() < position);
        noted.get(first).map(|(_, at)| *at).context("a push of what nobody saw committed")
    }
}

/// A change that was pushed.
struct Pushed {
    position: u64,
    sent: Instant,
    seen: Instant,
}

/// Notes on a case, each waited for on the stream; a pause as long as the work follows.
async fn watched(connection: Authorised, slice_ms: u64) -> anyhow::Result<Vec<Pushed>> {
    let mut residency = ResidencyServiceClient::new(connection.clone());
    let filed = residency.file_declaration(declaration()).await?.into_inner();
    let filed = filed.outcome.context("a filing without an outcome")?;
    let (mut etag, case_id) = (filed.etag, filed.case_id);
    let watch = WatchCaseRequest {
        comune: COMUNE.to_owned(),
        case_id: case_id.clone(),
        after_position: filed.position,
        language: String::new(),
    };
    let mut cases = CasesServiceClient::new(connection.clone());
    let mut stream = cases.watch_case(watch).await?.into_inner();
    let (seen, mut sees) = mpsc::channel(16);
    let following = tokio::spawn(async move {
        while let Some(message) = stream.message().await? {
            let Some(Content::Case(case)) = message.content else { continue };
            let revision: u64 = case.summary.context("no summary")?.etag.parse()?;
            if seen.send((revision, Instant::now())).await.is_err() {
                break;
            }
        }
        anyhow::Ok(())
    });
    let mut casework = CaseworkServiceClient::new(connection);
    let mut pushed = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(slice_ms) {
        let sent = Instant::now();
        let note = AddNoteRequest {
            comune: COMUNE.to_owned(),
            case_id: case_id.clone(),
            request_id: Uuid::new_v4().to_string(),
            etag: etag.clone(),
            validate_only: false,
            text: "No name on the bell.".to_owned(),
        };
        let outcome = casework.add_note(note).await?.into_inner().outcome.context("no outcome")?;
        loop {
            let (revision, seen) = sees.recv().await.context("the stream ended")?;
            if revision >= outcome.etag.parse()? {
                pushed.push(Pushed { position: outcome.position, sent, seen });
                break;
            }
        }
        etag = outcome.etag;
        tokio::time::sleep(sent.elapsed()).await;
    }
    drop(sees);
    following.abort();
    Ok(pushed)
}

/// What became of the calls of an open loop.
#[derive(Default)]
struct Fates {
    accepted: Times,
    refused: u64,
    /// Refused by the transport before anything of it was looked at: a connection had all its
    /// streams open. HTTP/2 lets the client send such a call again (RFC 9113, section 8.7).
    refused_streams: u64,
    /// Not sent: so many of the clients' calls were waiting already.
    held_back: u64,
}

impl Fates {
    fn count(&mut self, answer: Result<(), tonic::Status>, took: Duration) -> anyhow::Result<()> {
        match answer {
            Ok(()) => self.accepted.add(took),
            Err(status) if status.code() == Code::ResourceExhausted => {
                let advised = status.get_error_details().retry_info().is_some();
                anyhow::ensure!(advised, "a refusal without advice: {status:?}");
                self.refused += 1;
            }
            Err(status) if is_refused_stream(&status) => self.refused_streams += 1,
            Err(status) => anyhow::bail!("{status:?}"),
        }
        Ok(())
    }
}

/// What the transport says of itself, somewhere among the causes.
fn is_refused_stream(status: &tonic::Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.to_string().contains("refused stream") {
            return true;
        }
        cause = error.source();
    }
    false
}

pub(crate) async fn overload(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let directory = size.directory.join("l1");
    let place = Place::open(&directory)?;
    let key = ServerKey::open(&directory)?;
    drop(place);
    let server = Server::start(&directory)?;
    let mut connections = Vec::new();
    for n in 0..CONNECTIONS {
        let token = serving::token(&key, &format!("officer.{n}"), Role::Officer)?;
        connections.push(authorised(&server.url, &token).await?);
    }
    let mut clerk = Clerk::new(0, connections[0].clone());
    clerk.next().await?;
    let case = clerk.case_id.clone();
    let slice = Duration::from_millis(size.slice_ms);
    let mut before = closed(&connections, &case, slice).await?;
    let capacity = before.count() as f64 / slice.as_secs_f64();
    let resident = server.memory("VmRSS")?;
    let lasts = slice * u32::try_from(size.runs)?;
    let token = serving::token(&key, "officer.apart", Role::Officer)?;
    let (url, asked) = (server.url.clone(), case.clone());
    let apart = std::thread::spawn(move || somebody_apart(&url, &token, &asked, lasts));
    let mut fates = open_loop(&connections, &case, capacity * 10.0, lasts).await?;
    let apart = tokio::task::spawn_blocking(move || apart.join()).await?;
    let mut apart = apart.map_err(|_| anyhow::anyhow!("who called apart panicked"))??;
    let most = server.memory("VmHWM")?;
    let mut after = closed(&connections, &case, slice).await?;
    let one = |value: f64| {
        let mut figure = Figure::default();
        figure.add(value);
        figure
    };
    report.row("capacity: GetCase, closed loop", "/s", &one(capacity), None);
    report.row("its p99", "us", &one(before.percentile_us(0.99)), None);
    let per_second = |n: u64| one(n as f64 / lasts.as_secs_f64());
    let accepted = fates.accepted.count() as u64;
    report.row("accepted at ten times that", "/s", &per_second(accepted), None);
    report.row(
        "p99 of what was accepted, the clients' own queues included",
        "us",
        &one(fates.accepted.percentile_us(0.99)),
        None,
    );
    let told = "refused with the time to come back";
    report.row(told, "/s", &per_second(fates.refused), None);
    let streams = "refused by the transport: all streams of a connection are open";
    report.row(streams, "/s", &per_second(fates.refused_streams), None);
    report.row(
        "not sent: the clients' own queues are full",
        "/s",
        &per_second(fates.held_back),
        None,
    );
    let calls = apart.accepted.count() as u64 + apart.refused + apart.refused_streams;
    let meanwhile = format!("somebody apart who called {calls} times meanwhile");
    report.row(
        format!("{meanwhile}: refused"),
        "",
        &one((apart.refused + apart.refused_streams) as f64),
        None,
    );
    report.row(format!("{meanwhile}: p50"), "us", &one(apart.accepted.percentile_us(0.50)), None);
    report.row(format!("{meanwhile}: p99"), "us", &one(apart.accepted.percentile_us(0.99)), None);
    report.row("p99 right afterwards", "us", &one(after.percentile_us(0.99)), None);
    report.row("the server's memory before", "MB", &one(resident), None);
    report.row("the most it ever was", "MB", &one(most), None);
    report.note(format!("{:.0} s; every refusal told when to come back", lasts.as_secs_f64()));
    server.stop()
}

async fn call(connection: &Authorised, case: &str) -> Result<(), tonic::Status> {
    let get = GetCaseRequest {
        comune: COMUNE.to_owned(),
        case_id: case.to_owned(),
        ..GetCaseRequest::default()
    };
    CasesServiceClient::new(connection.clone()).get_case(get).await.map(drop)
}

async fn closed(connections: &[Authorised], case: &str, slice: Duration) -> anyhow::Result<Times> {
    let clients = connections.iter().map(|c| (c.clone(), case.to_owned())).collect();
    let (times, _, _) = closed_loop(clients, slice, |(connection, case)| async move {
        call(&connection, &case).await?;
        Ok((connection, case))
    })
    .await?;
    Ok(times)
}

/// Calls now and then from a thread of its own, so that only the server's queue is in its times and
/// not that of the many clients.
fn somebody_apart(url: &str, token: &str, case: &str, lasts: Duration) -> anyhow::Result<Fates> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connection = authorised(url, token).await?;
        let mut fates = Fates::default();
        let mut turn = interval(APART);
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let begun = Instant::now();
        while begun.elapsed() < lasts {
            turn.tick().await;
            let sent = Instant::now();
            fates.count(call(&connection, case).await, sent.elapsed())?;
        }
        Ok(fates)
    })
}

/// Calls at their times, whatever became of those before, while fewer than [`WAITING`] wait.
async fn open_loop(
    connections: &[Authorised],
    case: &str,
    per_second: f64,
    lasts: Duration,
) -> anyhow::Result<Fates> {
    let (fate, told) = mpsc::channel(WAITING);
    let counting = tokio::spawn(count(told));
    let waiting = Arc::new(Semaphore::new(WAITING));
    let mut tick = interval(Duration::from_millis(5));
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (begun, mut due, mut held_back) = (Instant::now(), 0_u64, 0);
    while begun.elapsed() < lasts {
        tick.tick().await;
        let now = (begun.elapsed().as_secs_f64() * per_second) as u64;
        for n in due..now {
            let Ok(waits) = Arc::clone(&waiting).try_acquire_owned() else {
                held_back += 1;
                continue;
            };
            let connection = connections[n as usize % connections.len()].clone();
            let (case, fate) = (case.to_owned(), fate.clone());
            let at = begun + Duration::from_secs_f64(n as f64 / per_second);
            tokio::spawn(async move {
                let answer = call(&connection, &case).await;
                drop(waits);
                // Who counts is there until all have told.
                let _ = fate.send((answer, at.elapsed())).await;
            });
        }
        due = now;
    }
    drop(fate);
    Ok(Fates { held_back, ..counting.await?? })
}

async fn count(
    mut told: mpsc::Receiver<(Result<(), tonic::Status>, Duration)>,
) -> anyhow::Result<Fates> {
    let mut fates = Fates::default();
    while let Some((answer, took)) = told.recv().await {
        fates.count(answer, took)?;
    }
    Ok(fates)
}
