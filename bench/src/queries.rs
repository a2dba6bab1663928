//! W5: what clerks read, at different numbers of cases, beside an empty call.

use crate::Size;
use crate::clients::{Authorised, authorised, call_nothing, closed_loop};
use crate::figures::{Rate, Times};
use crate::fill::{Filler, OFFICERS};
use crate::place::{COMUNE, Place};
use crate::report::{Goal, Report};
use crate::serving;
use anyhow::Context as _;
use pratica_domain::Role;
use pratica_domain::ids::CaseId;
use pratica_proto::cases::v1::GetCaseRequest;
use pratica_proto::cases::v1::cases_service_client::CasesServiceClient;
use pratica_proto::worklist::v1::worklist_service_client::WorklistServiceClient;
use pratica_proto::worklist::v1::{ListWorklistRequest, Queue, WorklistQuery};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const CLIENTS: usize = 16;
const PAGE: i32 = 50;

#[derive(Clone, Copy)]
enum Query {
    Case,
    Worklist,
}

pub(crate) async fn run(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let empty = serving::empty().await?;
    let slice = Duration::from_millis(size.slice_ms);
    let mut first: Option<(Rate, Rate)> = None;
    for cases in &size.cases {
        let mut place = Place::open(&size.directory.join(format!("w5-{cases}")))?;
        let begun = Instant::now();
        let ids = {
            let open = place.open_town()?;
            let ids = Filler::new(open)?.cases(*cases, 0).await?;
            let head = open.town.log.head().await?;
            report.note(format!(
                "{cases} cases are {} events, made in {:.0} s",
                head.get(),
                begun.elapsed().as_secs_f64()
            ));
            Arc::new(ids)
        };
        place.settle().await?;
        let (served, key) = serving::pratica(&mut place).await?;
        let mut connections = Vec::new();
        for n in 0..CLIENTS {
            let officer = format!("officer.{}", n as u64 % OFFICERS);
            let token = serving::token(&key, &officer, Role::Officer)?;
            connections.push(authorised(&served.url, &token).await?);
        }
        let (mut one, mut list, mut nothing) = (Rate::default(), Rate::default(), Rate::default());
        for _ in 0..size.runs {
            let (times, took) = call_nothing(&empty.url, CLIENTS, slice).await?;
            nothing.add(times, took);
            let (times, took) = ask(&connections, &ids, Query::Case, slice).await?;
            one.add(times, took);
            let (times, took) = ask(&connections, &ids, Query::Worklist, slice).await?;
            list.add(times, took);
        }
        report.rate(&format!("empty call, {CLIENTS} clients"), &nothing);
        for (name, rate) in [("GetCase", &one), ("ListWorklist", &list)] {
            report.rate(&format!("{name}, {cases} cases"), rate);
            report.ratio(
                &format!("{name} over the empty call, {cases} cases"),
                &rate.per_second,
                &nothing.per_second,
                Some(Goal::AtLeast(0.6)),
            );
        }
        if let Some((small_one, small_list)) = &first {
            let goal = Some(Goal::AtMost(1.5));
            let what = |name| format!("{name}: p99 at {cases} cases over {}", size.cases[0]);
            report.ratio(&what("GetCase"), &one.p99_us, &small_one.p99_us, goal);
            report.ratio(&what("ListWorklist"), &list.p99_us, &small_list.p99_us, goal);
        } else {
            first = Some((one, list));
        }
        served.stop().await?;
    }
    report.note(format!("a page of the worklist has {PAGE} cases of an office of {OFFICERS}"));
    empty.stop().await
}

/// A clerk who reads.
struct Asker {
    cases: CasesServiceClient<Authorised>,
    worklist: WorklistServiceClient<Authorised>,
    ids: Arc<Vec<CaseId>>,
    turn: usize,
}

impl Asker {
    async fn case(mut self) -> anyhow::Result<Asker> {
        // Any case is asked for as often as any other: no locality helps a cache.
        let random = Uuid::new_v4().as_u128();
        let id = self.ids[usize::try_from(random % self.ids.len() as u128)?];
        let request = GetCaseRequest {
            comune: COMUNE.to_owned(),
            case_id: id.to_string(),
            ..GetCaseRequest::default()
        };
        let answer = self.cases.get_case(request).await?.into_inner();
        let summary = answer.case.and_then(|c| c.summary).context("an empty answer")?;
        anyhow::ensure!(summary.case_id == id.to_string(), "another case was answered");
        Ok(self)
    }

    async fn worklist(mut self) -> anyhow::Result<Asker> {
        self.turn += 1;
        let queue = [Queue::Mine, Queue::Office][self.turn % 2];
        let query = WorklistQuery { queue: queue.into(), ..WorklistQuery::default() };
        let request = ListWorklistRequest {
            comune: COMUNE.to_owned(),
            query: Some(query),
            page_size: PAGE,
            ..ListWorklistRequest::default()
        };
        let answer = self.worklist.list_worklist(request).await?.into_inner();
        anyhow::ensure!(!answer.cases.is_empty(), "an empty worklist");
        Ok(self)
    }
}

async fn ask(
    connections: &[Authorised],
    ids: &Arc<Vec<CaseId>>,
    query: Query,
    slice: Duration,
) -> anyhow::Result<(Times, Duration)> {
    let askers = connections
        .iter()
        .map(|connection| Asker {
            cases: CasesServiceClient::new(connection.clone()),
            worklist: WorklistServiceClient::new(connection.clone()),
            ids: Arc::clone(ids),
            turn: 0,
        })
        .collect();
    let (times, took, _) = match query {
        Query::Case => closed_loop(askers, slice, Asker::case).await?,
        Query::Worklist => closed_loop(askers, slice, Asker::worklist).await?,
    };
    Ok((times, took))
}
