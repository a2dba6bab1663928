//! Who lives in the town: they read, work, write notes, apply and watch, each one thing after the
//! other.

use super::day::Want;
use super::failed;
use crate::clients::{Authorised, authorised};
use crate::commands::{Clerk, declaration};
use crate::fill::OFFICERS;
use crate::place::COMUNE;
use crate::serving;
use anyhow::Context as _;
use hdrhistogram::Histogram;
use pratica_api::demo::{SCHOOL_OFFICER, Town, family_form};
use pratica_api::grpc::auth::ServerKey;
use pratica_domain::Role;
use pratica_domain::ids::CaseId;
use pratica_proto::cases::v1::cases_service_client::CasesServiceClient;
use pratica_proto::cases::v1::casework_service_client::CaseworkServiceClient;
use pratica_proto::cases::v1::watch_case_response::Content;
use pratica_proto::cases::v1::{
    AddNoteRequest, GetCaseRequest, GetTimelineRequest, WatchCaseRequest, WatchCaseResponse,
};
use pratica_proto::residency::v1::residency_service_client::ResidencyServiceClient;
use pratica_proto::statistics::v1::GetStatisticsRequest;
use pratica_proto::statistics::v1::statistics_service_client::StatisticsServiceClient;
use pratica_proto::worklist::v1::worklist_service_client::WorklistServiceClient;
use pratica_proto::worklist::v1::{ListWorklistRequest, Queue, WorklistQuery};
use serde_json::json;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Connections of who reads.
const READERS: usize = 32;
/// Clerks with a case at hand.
const CLERKS: usize = 48;
/// Officers who write notes on watched cases.
pub(super) const WATCHED: usize = 40;
/// Counters and families that file applications.
const FAMILIES: usize = 48;
/// The longest that is told apart: a minute, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// What became of the calls of a kind, from when they were wanted.
pub(super) struct Fates {
    pub(super) took_us: Histogram<u64>,
    pub(super) refused: u64,
}

impl Fates {
    pub(super) fn new() -> anyhow::Result<Fates> {
        Ok(Fates { took_us: Histogram::new_with_bounds(1, LONGEST_US, 3)?, refused: 0 })
    }

    pub(super) fn took(&mut self, took: Duration) {
        self.took_us.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US));
    }
}

/// What a call came to, and how long after it was wanted.
type Told = mpsc::UnboundedSender<(Want, anyhow::Result<()>, Duration)>;

/// Who lives in the town.
pub(super) struct People {
    readers: Vec<Authorised>,
    clerks: Vec<Clerk>,
    pub(super) noters: Vec<Noter>,
    families: Vec<Family>,
    ids: Arc<Vec<CaseId>>,
}

/// How a day went.
pub(super) struct Lived {
    pub(super) fates: BTreeMap<Want, Fates>,
    pub(super) numbers: u64,
    /// Different cases that applications became.
    pub(super) applications: u64,
    /// The last revision of each watched case.
    pub(super) noted: Arc<Vec<u64>>,
}

impl People {
    pub(super) async fn new(
        url: &str,
        key: &ServerKey,
        ids: Arc<Vec<CaseId>>,
        call: &str,
    ) -> anyhow::Result<People> {
        let officer = async |n: usize| {
            let account = format!("officer.{}", n as u64 % OFFICERS);
            authorised(url, &serving::token(key, &account, Role::Officer)?).await
        };
        let (mut readers, mut clerks, mut noters) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..READERS {
            readers.push(officer(n).await?);
        }
        for n in 0..CLERKS {
            clerks.push(Clerk::new(n, officer(n).await?));
        }
        for n in 0..WATCHED {
            noters.push(Noter::new(n, officer(n).await?).await?);
        }
        let number = Arc::new(AtomicUsize::new(0));
        let families = (0..FAMILIES).map(|_| Family {
            town: Town::new(COMUNE, url, key.clone()),
            call: call.to_owned(),
            number: Arc::clone(&number),
            cases: BTreeSet::new(),
            numbers: 0,
        });
        Ok(People { readers, clerks, noters, families: families.collect(), ids })
    }

    /// Many who watch the cases on which notes are written.
    pub(super) async fn watch(
        &mut self,
        url: &str,
        key: &ServerKey,
        watchers: usize,
        pushed: &mpsc::UnboundedSender<Duration>,
    ) -> anyhow::Result<(watch::Sender<Option<Arc<Vec<u64>>>>, JoinSet<anyhow::Result<()>>)> {
        let (ended, end) = watch::channel(None);
        let mut tasks = JoinSet::new();
        let mut connections = Vec::new();
        for n in 0..READERS {
            let token = serving::token(key, &format!("watcher.{n}"), Role::Officer)?;
            connections.push(authorised(url, &token).await?);
        }
        for n in 0..watchers {
            let of = n % self.noters.len();
            let noter = &self.noters[of];
            let request = WatchCaseRequest {
                comune: COMUNE.to_owned(),
                case_id: noter.case_id.clone(),
                after_position: noter.position,
                language: String::new(),
            };
            let connection = connections[n % connections.len()].clone();
            let stream = CasesServiceClient::new(connection).watch_case(request).await?;
            let watcher = Watcher {
                of,
                stream: stream.into_inner(),
                seen: noter.revision,
                sent: Arc::clone(&noter.sent),
                end: end.clone(),
                pushed: pushed.clone(),
            };
            tasks.spawn(watcher.watch());
        }
        Ok((ended, tasks))
    }

    /// Everybody wants what the schedule says, when it says it.
    pub(super) async fn live(
        self,
        coming: &[(Duration, Want)],
        begun: Instant,
    ) -> anyhow::Result<Lived> {
        let (told, mut tales) = mpsc::unbounded_channel();
        let (work, clerks) = staff(self.clerks, Want::Work, &told, |mut clerk: Clerk| async move {
            let done = clerk.next().await;
            (clerk, done)
        });
        let (note, noters) = staff(self.noters, Want::Note, &told, Noter::note);
        let (apply, families) = staff(self.families, Want::Apply, &told, Family::apply);
        let mut fates = BTreeMap::new();
        for (number, (at, want)) in coming.iter().enumerate() {
            let wanted = begun + *at;
            tokio::time::sleep_until(wanted.into()).await;
            let sent = match want {
                Want::Work => work.send(wanted),
                Want::Note => note.send(wanted),
                Want::Apply => apply.send(wanted),
                Want::Case | Want::Worklist | Want::Timeline | Want::Statistics => {
                    let connection = self.readers[number % self.readers.len()].clone();
                    // Any case is asked for as often as any other.
                    let id = self.ids[number.wrapping_mul(7_919) % self.ids.len()].to_string();
                    let (want, told) = (*want, told.clone());
                    tokio::spawn(async move {
                        let answer = read(want, connection, id).await;
                        // Who counts is there until all have told.
                        let _ = told.send((want, answer, wanted.elapsed()));
                    });
                    Ok(())
                }
            };
            sent.context("nobody is there any more to do it")?;
            while let Ok(tale) = tales.try_recv() {
                count(&mut fates, tale)?;
            }
        }
        drop((work, note, apply, told));
        while let Some(tale) = tales.recv().await {
            count(&mut fates, tale)?;
        }
        let (clerks, noters) = (clerks.join_all().await, noters.join_all().await);
        let families = families.join_all().await;
        let cases: BTreeSet<_> = families.iter().flat_map(|family| &family.cases).collect();
        let mut noted = vec![0; noters.len()];
        for noter in &noters {
            noted[noter.number] = noter.revision;
        }
        Ok(Lived {
            numbers: clerks.iter().map(|clerk| clerk.numbers).sum::<u64>()
                + families.iter().map(|family| family.numbers).sum::<u64>(),
            applications: cases.len() as u64,
            noted: Arc::new(noted),
            fates,
        })
    }
}

/// Takes an answer in; a failure that is no refusal ends the day.
fn count(
    fates: &mut BTreeMap<Want, Fates>,
    (want, answer, took): (Want, anyhow::Result<()>, Duration),
) -> anyhow::Result<()> {
    let fate = match fates.entry(want) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Fates::new()?),
    };
    match answer {
        Ok(()) => fate.took(took),
        Err(error) => match error.downcast_ref::<Status>() {
            Some(status)
                if status.code() == Code::ResourceExhausted
                    && status.get_error_details().retry_info().is_some() =>
            {
                fate.refused += 1;
            }
            _ => return Err(error.context(want.name())),
        },
    }
    Ok(())
}

/// People who do one thing after the other, as it is wanted: who wants something while all are
/// busy waits. They go home when nobody can want anything any more.
fn staff<S, C, F>(
    people: Vec<S>,
    want: Want,
    told: &Told,
    call: C,
) -> (mpsc::UnboundedSender<Instant>, JoinSet<S>)
where
    S: Send + 'static,
    C: Fn(S) -> F + Clone + Send + 'static,
    F: Future<Output = (S, anyhow::Result<()>)> + Send,
{
    let (wanting, queue) = mpsc::unbounded_channel::<Instant>();
    let queue = Arc::new(tokio::sync::Mutex::new(queue));
    let mut tasks = JoinSet::new();
    for mut person in people {
        let (queue, told, call) = (Arc::clone(&queue), told.clone(), call.clone());
        tasks.spawn(async move {
            loop {
                let next = queue.lock().await.recv().await;
                let Some(wanted) = next else { return person };
                let done;
                (person, done) = call(person).await;
                let _ = told.send((want, done, wanted.elapsed()));
            }
        });
    }
    (wanting, tasks)
}

/// Somebody reads.
async fn read(want: Want, connection: Authorised, case_id: String) -> anyhow::Result<()> {
    let comune = COMUNE.to_owned();
    match want {
        Want::Worklist => {
            let query = WorklistQuery { queue: Queue::Mine.into(), ..WorklistQuery::default() };
            let request = ListWorklistRequest {
                comune,
                query: Some(query),
                page_size: 50,
                ..ListWorklistRequest::default()
            };
            let page = WorklistServiceClient::new(connection).list_worklist(request).await?;
            anyhow::ensure!(!page.into_inner().cases.is_empty(), "an empty worklist");
        }
        Want::Timeline => {
            let request = GetTimelineRequest { comune, case_id, ..GetTimelineRequest::default() };
            let page = CasesServiceClient::new(connection).get_timeline(request).await?;
            anyhow::ensure!(!page.into_inner().entries.is_empty(), "an empty history");
        }
        Want::Statistics => {
            let request = GetStatisticsRequest { comune, ..GetStatisticsRequest::default() };
            let answer = StatisticsServiceClient::new(connection).get_statistics(request).await?;
            anyhow::ensure!(!answer.into_inner().rows.is_empty(), "empty statistics");
        }
        Want::Case | Want::Work | Want::Note | Want::Apply => {
            let request =
                GetCaseRequest { comune, case_id: case_id.clone(), ..GetCaseRequest::default() };
            let answer = CasesServiceClient::new(connection).get_case(request).await?.into_inner();
            let found = answer.case.and_then(|case| case.summary).context("an empty answer")?;
            anyhow::ensure!(found.case_id == case_id, "another case was answered");
        }
    }
    Ok(())
}

/// When the note that made a revision was sent.
type Sent = Arc<Mutex<BTreeMap<u64, Instant>>>;

/// An officer who writes notes on a case that others watch.
pub(super) struct Noter {
    number: usize,
    casework: CaseworkServiceClient<Authorised>,
    case_id: String,
    revision: u64,
    position: u64,
    pub(super) numbers: u64,
    sent: Sent,
}

impl Noter {
    async fn new(number: usize, connection: Authorised) -> anyhow::Result<Noter> {
        let mut residency = ResidencyServiceClient::new(connection.clone());
        let filed = residency.file_declaration(declaration()).await?.into_inner();
        let filed = filed.outcome.context("a filing without an outcome")?;
        Ok(Noter {
            number,
            casework: CaseworkServiceClient::new(connection),
            revision: filed.etag.parse()?,
            position: filed.position,
            numbers: filed.registrations.len() as u64,
            case_id: filed.case_id,
            sent: Sent::default(),
        })
    }

    async fn note(mut self) -> (Noter, anyhow::Result<()>) {
        let done = self.write().await;
        (self, done)
    }

    async fn write(&mut self) -> anyhow::Result<()> {
        // A note is one event: its revision is known before it is there.
        let next = self.revision + 1;
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).insert(next, Instant::now());
        let note = AddNoteRequest {
            comune: COMUNE.to_owned(),
            case_id: self.case_id.clone(),
            request_id: Uuid::new_v4().to_string(),
            etag: self.revision.to_string(),
            validate_only: false,
            text: "No name on the bell.".to_owned(),
        };
        let outcome = self.casework.add_note(note).await?.into_inner().outcome;
        let etag = outcome.context("no outcome")?.etag;
        anyhow::ensure!(etag.parse() == Ok(next), "the note has revision {etag}, not {next}");
        self.revision = next;
        Ok(())
    }
}

/// A counter at which families file applications.
struct Family {
    town: Town,
    call: String,
    number: Arc<AtomicUsize>,
    cases: BTreeSet<String>,
    numbers: u64,
}

impl Family {
    async fn apply(mut self) -> (Family, anyhow::Result<()>) {
        let done = self.file().await;
        (self, done)
    }

    async fn file(&mut self) -> anyhow::Result<()> {
        let mut form = family_form(&self.call, self.number.fetch_add(1, Ordering::Relaxed));
        form["request_id"] = json!(Uuid::new_v4());
        let method = "pratica.enrolment.v1.EnrolmentService/FileApplication";
        let answer = self.town.call(SCHOOL_OFFICER, method, form).await.map_err(failed)?;
        let outcome = &answer["outcome"];
        self.cases.insert(outcome["case_id"].as_str().context("no case")?.to_owned());
        self.numbers += outcome["registrations"].as_array().map_or(0, Vec::len) as u64;
        Ok(())
    }
}

/// Somebody who watches a case until its last note of the day.
struct Watcher {
    /// Which of the watched.
    of: usize,
    stream: Streaming<WatchCaseResponse>,
    seen: u64,
    sent: Sent,
    end: watch::Receiver<Option<Arc<Vec<u64>>>>,
    pushed: mpsc::UnboundedSender<Duration>,
}

impl Watcher {
    async fn watch(mut self) -> anyhow::Result<()> {
        loop {
            let last = self.end.borrow_and_update().as_ref().map(|last| last[self.of]);
            if last.is_some_and(|last| self.seen >= last) {
                return Ok(());
            }
            tokio::select! {
                message = self.stream.message() => {
                    let message = message?.context("the stream ended before the day did")?;
                    let Some(Content::Case(case)) = message.content else { continue };
                    let revision = case.summary.context("no summary")?.etag.parse()?;
                    self.sees(revision);
                }
                changed = self.end.changed() => changed?,
            }
        }
    }

    /// A push may be of several notes.
    fn sees(&mut self, revision: u64) {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, at) in sent.range(self.seen + 1..=revision) {
            // Who counts is there until all have told.
            let _ = self.pushed.send(at.elapsed());
        }
        drop(sent);
        self.seen = self.seen.max(revision);
    }
}
