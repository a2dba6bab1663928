//! W5: what clerks read, at different numbers of cases, beside an empty call: a case and a page of
//! the worklist in every run, and each of the other queries once.

use crate::Size;
use crate::clients::{Authorised, authorised, call_nothing, closed_loop};
use crate::figures::{Rate, Times};
use crate::fill::OFFICERS;
use crate::grown::{Grown, Towns};
use crate::place::{COMUNE, Place};
use crate::raw;
use crate::ready::Answers;
use crate::report::{Goal, Report};
use crate::serving::{self, Served};
use anyhow::Context as _;
use pratica_domain::Role;
use pratica_domain::ids::CaseId;
use pratica_proto::cases::v1::cases_service_client::CasesServiceClient;
use pratica_proto::cases::v1::cases_service_server::CasesServiceServer;
use pratica_proto::cases::v1::{
    GetCaseRequest, GetCaseResponse, GetTimelineRequest, ListCasesRequest, SearchCasesRequest,
};
use pratica_proto::register::v1::ListRegistrationsRequest;
use pratica_proto::register::v1::register_service_client::RegisterServiceClient;
use pratica_proto::statistics::v1::GetStatisticsRequest;
use pratica_proto::statistics::v1::statistics_service_client::StatisticsServiceClient;
use pratica_proto::worklist::v1::worklist_service_client::WorklistServiceClient;
use pratica_proto::worklist::v1::worklist_service_server::WorklistServiceServer;
use pratica_proto::worklist::v1::{
    CountWorklistRequest, ListWorklistRequest, ListWorklistResponse, Queue, WorklistQuery,
};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tonic::service::Routes;
use uuid::Uuid;

const CLIENTS: usize = 16;
const PAGE: i32 = 50;
/// Cases whose rows each of so many reads by hand in a run.
const ROWS_BY_HAND: usize = 200;
/// More events than a case has.
const ALL_OF_A_CASE: u64 = 1000;

#[derive(Clone, Copy)]
enum Query {
    Case,
    Worklist,
    Counts,
    Cases,
    Search,
    Timeline,
    Register,
    Statistics,
}

/// Those that have no goal of their own.
const OTHERS: [(&str, Query); 6] = [
    ("CountWorklist", Query::Counts),
    ("ListCases", Query::Cases),
    ("SearchCases by a name and by a number", Query::Search),
    ("GetTimeline", Query::Timeline),
    ("ListRegistrations", Query::Register),
    ("GetStatistics", Query::Statistics),
];

pub(crate) async fn run(size: &Size, towns: &mut Towns, report: &mut Report) -> anyhow::Result<()> {
    let empty = serving::empty().await?;
    let slice = Duration::from_millis(size.slice_ms);
    let mut first: Option<(Rate, Vec<Rate>)> = None;
    for cases in &size.cases {
        let grown = towns.of(*cases, size, report).await?;
        let mut place = Place::open(&grown.directory)?;
        let (served, key) = serving::pratica(&mut place).await?;
        let mut tokens = Vec::new();
        for n in 0..CLIENTS {
            // Who may read the register and the statistics too.
            let officer = format!("officer.{}", n as u64 % OFFICERS);
            tokens.push(serving::token(&key, &officer, Role::Officer)?);
        }
        let askers = Askers::new(&served.url, &tokens, grown.ids.clone()).await?;
        let (calls, alone) = askers.calls_alone(&tokens).await?;
        let (mut one, mut list, mut nothing) = (Rate::default(), Rate::default(), Rate::default());
        let (mut one_alone, mut list_alone) = (Rate::default(), Rate::default());
        let mut rows = Rate::default();
        for _ in 0..size.runs {
            let (times, took) = rows_by_hand(&grown)?;
            rows.add(times, took);
            let (times, took) = call_nothing(&empty.url, CLIENTS, slice).await?;
            nothing.add(times, took);
            for (query, rate, rate_alone) in [
                (Query::Case, &mut one, &mut one_alone),
                (Query::Worklist, &mut list, &mut list_alone),
            ] {
                let (times, took) = askers.ask(query, slice).await?;
                rate.add(times, took);
                let (times, took) = alone.ask(query, slice).await?;
                rate_alone.add(times, took);
            }
        }
        let alone = [one_alone, list_alone];
        let mut all = vec![("GetCase", one), ("ListWorklist", list)];
        let by_hand =
            format!("rusqlite by hand, a case's rows and nothing else, {CLIENTS} at a time");
        for (name, query) in OTHERS {
            let (times, took) = askers.ask(query, slice).await?;
            let mut rate = Rate::default();
            rate.add(times, took);
            all.push((name, rate));
        }
        report.rate(&format!("empty call, {CLIENTS} clients"), &nothing);
        report.rate(&format!("{by_hand}, {cases} cases"), &rows);
        for (n, (name, rate)) in all.iter().enumerate() {
            report.rate(&format!("{name}, {cases} cases"), rate);
            let has_goal = n < 2;
            if let Some(alone) = alone.get(n) {
                report.ratio(
                    &format!("{name} over the empty call, {cases} cases"),
                    &rate.per_second,
                    &nothing.per_second,
                    Some(Goal::AtLeast(0.6)),
                );
                let ready = format!("{name}, its answer ready, {cases} cases");
                report.row(ready.clone(), "/s", &alone.per_second, None);
                let what = format!("{ready}, over the empty call");
                report.ratio(&what, &alone.per_second, &nothing.per_second, None);
            }
            if let Some(small) = first.as_ref().and_then(|(_, rates)| rates.get(n)) {
                let what = format!("{name}: p99 at {cases} cases over {}", size.cases[0]);
                let goal = has_goal.then_some(Goal::AtMost(1.5));
                report.ratio(&what, &rate.p99_us, &small.p99_us, goal);
            }
        }
        if let Some((small, _)) = &first {
            let what = format!("{by_hand}: p99 at {cases} cases over {}", size.cases[0]);
            report.ratio(&what, &rows.p99_us, &small.p99_us, None);
        }
        first.get_or_insert((rows, all.into_iter().map(|(_, rate)| rate).collect()));
        calls.stop().await?;
        served.stop().await?;
    }
    report.note(format!(
        "a page of the worklist has {PAGE} cases of an office of {OFFICERS}; what is not in every \
         run was asked for once"
    ));
    empty.stop().await
}

/// Reads the rows of cases, any as often as any other, on as many threads as there are clients.
fn rows_by_hand(grown: &Grown) -> anyhow::Result<(Times, Duration)> {
    let log = grown.directory.join(COMUNE).join("log.db");
    let readers = (0..CLIENTS).map(|_| raw::reader(&log)).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    let read = |c: Connection| -> anyhow::Result<Times> {
        let mut times = Times::default();
        for _ in 0..ROWS_BY_HAND {
            let id = grown.ids[fastrand::usize(..grown.ids.len())];
            let stream = format!("{COMUNE}.residency-{id}");
            let one = Instant::now();
            let read = raw::read_stream(&c, &stream, ALL_OF_A_CASE)?;
            times.add(one.elapsed());
            anyhow::ensure!(read > 0, "{stream} has no events");
        }
        Ok(times)
    };
    let mut all = Times::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = readers.into_iter().map(|c| scope.spawn(|| read(c))).collect();
        for thread in threads {
            all.join(thread.join().map_err(|_| anyhow::anyhow!("a reader panicked"))??);
        }
        anyhow::Ok(())
    })?;
    Ok((all, begun.elapsed()))
}

/// The clerks of a town.
struct Askers {
    connections: Vec<Authorised>,
    ids: Arc<[CaseId]>,
}

impl Askers {
    async fn new(url: &str, tokens: &[String], ids: Vec<CaseId>) -> anyhow::Result<Askers> {
        let mut connections = Vec::new();
        for token in tokens {
            connections.push(authorised(url, token).await?);
        }
        Ok(Askers { connections, ids: ids.into() })
    }

    async fn ask(&self, query: Query, slice: Duration) -> anyhow::Result<(Times, Duration)> {
        let askers = self
            .connections
            .iter()
            .map(|c| Asker { connection: c.clone(), query, ids: Arc::clone(&self.ids), turn: 0 })
            .collect();
        let (times, took, _) = closed_loop(askers, slice, Asker::ask).await?;
        Ok((times, took))
    }

    /// A server that has nothing but one answer for each of the two, and clerks who ask it.
    async fn calls_alone(&self, tokens: &[String]) -> anyhow::Result<(Served, Askers)> {
        let (asker, id) = self.connections.first().zip(self.ids.first()).context("nobody")?;
        let case = get_case(asker, *id).await?;
        let page = list_worklist(asker, Queue::Office).await?;
        let case = Answers::<CasesServiceServer<()>, GetCaseRequest, _>::new(case);
        let page = Answers::<WorklistServiceServer<()>, ListWorklistRequest, _>::new(page);
        let served = serving::tonic(Routes::new(case).add_service(page)).await?;
        let askers = Askers::new(&served.url, tokens, vec![*id]).await?;
        Ok((served, askers))
    }
}

async fn get_case(c: &Authorised, id: CaseId) -> anyhow::Result<GetCaseResponse> {
    let (comune, case_id) = (COMUNE.to_owned(), id.to_string());
    let request = GetCaseRequest { comune, case_id, ..GetCaseRequest::default() };
    Ok(CasesServiceClient::new(c.clone()).get_case(request).await?.into_inner())
}

async fn list_worklist(c: &Authorised, queue: Queue) -> anyhow::Result<ListWorklistResponse> {
    let query = WorklistQuery { queue: queue.into(), ..WorklistQuery::default() };
    let request = ListWorklistRequest {
        comune: COMUNE.to_owned(),
        query: Some(query),
        page_size: PAGE,
        ..ListWorklistRequest::default()
    };
    Ok(WorklistServiceClient::new(c.clone()).list_worklist(request).await?.into_inner())
}

/// A clerk who reads.
struct Asker {
    connection: Authorised,
    query: Query,
    ids: Arc<[CaseId]>,
    turn: usize,
}

impl Asker {
    async fn ask(mut self) -> anyhow::Result<Asker> {
        self.turn += 1;
        let (comune, c) = (COMUNE.to_owned(), self.connection.clone());
        // Any case is asked for as often as any other: no locality helps a cache.
        let number = usize::try_from(Uuid::new_v4().as_u128() % self.ids.len() as u128)?;
        let case_id = self.ids[number].to_string();
        match self.query {
            Query::Case => {
                let answer = get_case(&c, self.ids[number]).await?;
                let summary = answer.case.and_then(|c| c.summary).context("an empty answer")?;
                anyhow::ensure!(summary.case_id == case_id, "another case was answered");
            }
            Query::Worklist => {
                let queue = [Queue::Mine, Queue::Office][self.turn % 2];
                let page = list_worklist(&c, queue).await?;
                anyhow::ensure!(!page.cases.is_empty(), "an empty worklist");
            }
            Query::Counts => {
                let request = CountWorklistRequest { comune, ..CountWorklistRequest::default() };
                let counts = WorklistServiceClient::new(c).count_worklist(request).await?;
                let counts = counts.into_inner().counts.context("no counts")?;
                anyhow::ensure!(counts.open > 0, "nothing is open");
            }
            Query::Cases => {
                let request =
                    ListCasesRequest { comune, page_size: PAGE, ..ListCasesRequest::default() };
                let page = CasesServiceClient::new(c).list_cases(request).await?.into_inner();
                anyhow::ensure!(!page.cases.is_empty(), "no cases");
            }
            Query::Search => {
                // Each case has an applicant whose name ends in its number.
                let query = match self.turn % 2 {
                    0 => format!("Rossi {number}"),
                    _ => format!("{:07}/2026", number + 1),
                };
                let request = SearchCasesRequest { comune, query, ..SearchCasesRequest::default() };
                let found = CasesServiceClient::new(c).search_cases(request).await?.into_inner();
                anyhow::ensure!(!found.cases.is_empty(), "a case was not found");
            }
            Query::Timeline => {
                let request =
                    GetTimelineRequest { comune, case_id, ..GetTimelineRequest::default() };
                let steps = CasesServiceClient::new(c).get_timeline(request).await?.into_inner();
                anyhow::ensure!(steps.entries.len() > 4, "a timeline without its steps");
            }
            Query::Register => {
                let request = ListRegistrationsRequest {
                    comune,
                    year: 2026,
                    page_size: PAGE,
                    ..ListRegistrationsRequest::default()
                };
                let page =
                    RegisterServiceClient::new(c).list_registrations(request).await?.into_inner();
                anyhow::ensure!(!page.registrations.is_empty(), "an empty register");
            }
            Query::Statistics => {
                let request = GetStatisticsRequest { comune, ..GetStatisticsRequest::default() };
                let rows = StatisticsServiceClient::new(c).get_statistics(request).await?;
                anyhow::ensure!(!rows.into_inner().rows.is_empty(), "no statistics");
            }
        }
        Ok(self)
    }
}
