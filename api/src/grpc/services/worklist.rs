//! The clerks' queue of work.

use super::Shared;
use super::shared::{Call, accessed, at_least, fingerprint, page_size, view_error};
use crate::app::handler::{CommandRequest, Target, execute};
use crate::app::house::Open;
use crate::app::policy::Area;
use crate::app::{AppError, Violation};
use crate::grpc::convert::Fields;
use crate::grpc::limits::{BULK_MAX, HEARTBEAT, STREAM_BUFFER};
use crate::grpc::show;
use crate::grpc::status::{reason, status};
use crate::messages::Language;
use jiff::ToSpan as _;
use jiff::civil::Date;
use pratica_domain::case::Command as CaseCommand;
use pratica_domain::ids::{CaseId, OfficeId, OfficerId, derived};
use pratica_domain::term::rome_date;
use pratica_projections::{PageRequest, Queue as ViewQueue, WorklistQuery as ViewQuery};
use pratica_proto::worklist::v1::worklist_service_server::WorklistService;
use pratica_proto::worklist::v1::*;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

#[tonic::async_trait]
impl WorklistService for Shared {
    async fn list_worklist(
        &self,
        request: Request<ListWorklistRequest>,
    ) -> Result<Response<ListWorklistResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Worklist)?;
            at_least(open, m.min_position).await?;
            let today = rome_date(open.town.clock.now());
            let access = self.access(&call, today)?;
            let query = match m.view_name.as_str() {
                "" => m.query.unwrap_or_default(),
                name => self.saved_view(&call, open, name).await?,
            };
            let query = view_query(&call, query, today)?;
            let page = PageRequest {
                size: page_size(m.page_size, 50, 200),
                after: (!m.page_token.is_empty()).then_some(m.page_token),
            };
            let found = open
                .town
                .views
                .worklist(&access, &query, today, &page)
                .await
                .map_err(view_error)?;
            accessed(&call, open, found.value.rows.iter().map(|r| r.case), String::new());
            let language = call.language(&m.language);
            Ok(ListWorklistResponse {
                cases: found
                    .value
                    .rows
                    .iter()
                    .map(|r| show::row(&open.town, r, today, language, true))
                    .collect::<Result<_, _>>()?,
                next_page_token: found.value.next.unwrap_or_default(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn count_worklist(
        &self,
        request: Request<CountWorklistRequest>,
    ) -> Result<Response<CountWorklistResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Worklist)?;
            at_least(open, m.min_position).await?;
            let (counts, as_of_position) = self.counts(&call, open, &m.office).await?;
            Ok(CountWorklistResponse { counts: Some(counts), as_of_position })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn save_view(
        &self,
        request: Request<SaveViewRequest>,
    ) -> Result<Response<SaveViewResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Worklist)?;
            let mut f = Fields::default();
            let name = f.required("name", m.name);
            let query = m.query;
            if query.is_none() {
                f.refuse("query", "required");
            }
            let (name, query) = f.finish(name.zip(query))?;
            let today = rome_date(open.town.clock.now());
            view_query(&call, query.clone(), today)?;
            let text = crate::app::deliver::hex(&query.encode_to_vec());
            let account = call.principal.account.as_str();
            let view = pratica_projections::SavedView { name: name.clone(), query: text };
            open.town.views.save_view(account, &view).await.map_err(view_error)?;
            Ok(SaveViewResponse { view: Some(SavedView { name, query: Some(query) }) })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn list_views(
        &self,
        request: Request<ListViewsRequest>,
    ) -> Result<Response<ListViewsResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Worklist)?;
            let account = call.principal.account.as_str();
            let saved = open.town.views.saved_views(account).await.map_err(view_error)?;
            let views = saved
                .into_iter()
                .map(|v| Ok(SavedView { query: Some(read_view(&v.query)?), name: v.name }))
                .collect::<Result<_, AppError>>()?;
            Ok(ListViewsResponse { views })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn delete_view(
        &self,
        request: Request<DeleteViewRequest>,
    ) -> Result<Response<DeleteViewResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Worklist)?;
            let account = call.principal.account.as_str();
            let deleted =
                open.town.views.delete_view(account, &m.name).await.map_err(view_error)?;
            Ok(DeleteViewResponse { deleted })
        };
        answer.await.map(Response::new).map_err(status)
    }

    type WatchWorklistStream = ReceiverStream<Result<WatchWorklistResponse, Status>>;

    async fn watch_worklist(
        &self,
        request: Request<WatchWorklistRequest>,
    ) -> Result<Response<Self::WatchWorklistStream>, Status> {
        let (call, m) = self.open(request)?;
        self.town_for(&call, &m.comune, Area::Worklist).map_err(status)?;
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        let shared = self.clone();
        tokio::spawn(async move {
            if let Err(error) = shared.follow_counts(&call, &m, &sender).await {
                // A reader that is gone needs no reason.
                let _ = sender.send(Err(status(error))).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn bulk_assign(
        &self,
        request: Request<BulkAssignRequest>,
    ) -> Result<Response<BulkAssignResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Worklist)?;
            let mut f = Fields::default();
            let request_id = f.request_id(&m.request_id);
            let office = f.parse::<OfficeId>("office", &m.office);
            let officer = f.parse_optional::<OfficerId>("officer", &m.officer);
            let cases = f.parse_all::<CaseId>("case_ids", &m.case_ids);
            if m.case_ids.is_empty() || m.case_ids.len() > BULK_MAX {
                f.refuse("case_ids", format!("1 to {BULK_MAX} cases"));
            }
            let ready = match (request_id, office, officer, cases) {
                (Some(r), Some(office), Some(officer), Some(cases)) => {
                    Some((r, office, officer, cases))
                }
                _ => None,
            };
            let (request_id, office, officer, cases) = f.finish(ready)?;
            let command =
                CaseCommand::Assign { office, officer, reason: m.reason.trim().to_owned() };
            let hash = fingerprint(
                &open.town,
                &call.principal,
                "bulk_assign",
                &BulkAssignRequest { validate_only: false, case_ids: Vec::new(), ..m.clone() },
            );
            let language = call.language("");
            let mut results = Vec::with_capacity(cases.len());
            for case in cases {
                let bulk = Bulk { call: &call, open, request_id, hash, language };
                results.push(bulk.one(case, &command, m.validate_only).await?);
            }
            Ok(BulkAssignResponse { results })
        };
        answer.await.map(Response::new).map_err(status)
    }
}

/// One bulk command; each case is decided by itself, as if it had been asked alone.
struct Bulk<'a> {
    call: &'a Call,
    open: &'a Open,
    request_id: Uuid,
    hash: [u8; 32],
    language: Language,
}

impl Bulk<'_> {
    async fn one(
        &self,
        case: CaseId,
        command: &CaseCommand,
        validate_only: bool,
    ) -> Result<BulkResult, AppError> {
        let request = CommandRequest {
            principal: &self.call.principal,
            target: Target::Existing(case),
            command: command.clone().into(),
            request_id: derived(self.request_id, &case.to_string()),
            fingerprint: self.hash,
            etag: None,
            validate_only,
            causation_id: None,
            correlation_id: Some(self.request_id),
        };
        let mut result = BulkResult { case_id: case.to_string(), ..BulkResult::default() };
        match execute(&self.open.town, request).await {
            Ok(done) => {
                let outcome = show::outcome(&self.open.town, &done, self.language)?;
                result.done = true;
                result.due_date = outcome.deadlines.iter().find_map(|d| d.due_date);
                result.outcome = Some(outcome);
            }
            // A refusal of one case is a result; a fault stops the whole.
            Err(AppError::Rejected(rejection)) => {
                result.reason = rejection.code.to_string();
                result.reason_text = reason(self.language, &rejection);
            }
            Err(AppError::Denied | AppError::NotFound(_)) => {
                result.reason = "NOT_FOUND".to_owned();
                result.reason_text =
                    crate::messages::plain(self.language, "rejection.CASE_NOT_FOUND");
            }
            Err(error) => return Err(error),
        }
        Ok(result)
    }
}

impl Shared {
    async fn counts(
        &self,
        call: &Call,
        open: &Open,
        office: &str,
    ) -> Result<(WorklistCounts, u64), AppError> {
        let today = rome_date(open.town.clock.now());
        let office = own_office(call, office)?;
        let access = self.access(call, today)?;
        let officer = Some(&call.principal.account);
        let found =
            open.town.views.counts(&access, &office, officer, today).await.map_err(view_error)?;
        let c = found.value;
        let counts = WorklistCounts {
            open: c.open,
            unassigned: c.unassigned,
            mine: c.mine,
            overdue: c.overdue,
            due_within_7_days: c.due_within_7_days,
            waiting_for_citizen: c.waiting_for_citizen,
        };
        Ok((counts, found.position.get()))
    }

    async fn saved_view(
        &self,
        call: &Call,
        open: &Open,
        name: &str,
    ) -> Result<WorklistQuery, AppError> {
        let account = call.principal.account.as_str();
        let view = open.town.views.saved_view(account, name).await.map_err(view_error)?;
        read_view(&view.ok_or(AppError::NotFound("saved view"))?.query)
    }

    async fn follow_counts(
        &self,
        call: &Call,
        m: &WatchWorklistRequest,
        sender: &mpsc::Sender<Result<WatchWorklistResponse, Status>>,
    ) -> Result<(), AppError> {
        use watch_worklist_response::Content;
        let open = self.town_for(call, &m.comune, Area::Worklist)?;
        let mut views = open.town.watch_views();
        let mut last = None;
        loop {
            views.borrow_and_update();
            let (counts, as_of_position) = self.counts(call, open, &m.office).await?;
            if last.as_ref() != Some(&counts) {
                let content = Some(Content::Counts(counts));
                let said = sender.send(Ok(WatchWorklistResponse { content, as_of_position })).await;
                if said.is_err() {
                    return Ok(());
                }
                last = Some(counts);
            }
            loop {
                tokio::select! {
                    moved = views.changed() => match moved {
                        Ok(()) => break,
                        Err(_) => return Ok(()),
                    },
                    () = sender.closed() => return Ok(()),
                    () = self.house.closing() => return Ok(()),
                    () = tokio::time::sleep(HEARTBEAT) => {
                        let content = Some(Content::Heartbeat(true));
                        let beat = WatchWorklistResponse { content, as_of_position };
                        if sender.send(Ok(beat)).await.is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
}

/// The office of a query: the one named, or the caller's only one.
fn own_office(call: &Call, office: &str) -> Result<OfficeId, AppError> {
    let mut f = Fields::default();
    let mut own = call.principal.offices.iter();
    let office = match (office, own.next(), own.next()) {
        ("", Some(only), None) => Some(only.clone()),
        ("", _, _) => {
            f.refuse("office", "required: the token names no office, or more than one");
            None
        }
        (named, _, _) => f.parse("office", named),
    };
    f.finish(office)
}

fn view_query(call: &Call, m: WorklistQuery, today: Date) -> Result<ViewQuery, AppError> {
    let mut f = Fields::default();
    let queue = match Queue::try_from(m.queue) {
        Ok(Queue::Unspecified | Queue::Office) => Some(ViewQueue::Office),
        Ok(Queue::Mine) => Some(ViewQueue::Mine),
        Ok(Queue::Unassigned) => Some(ViewQueue::Unassigned),
        Ok(Queue::Overdue) => Some(ViewQueue::Overdue),
        Ok(Queue::WaitingForCitizen) => Some(ViewQueue::WaitingForCitizen),
        Err(_) => {
            f.refuse("query.queue", "one of the values of its enum");
            None
        }
    };
    let office = f.parse_optional::<OfficeId>("query.office", &m.office);
    let officer = f.parse_optional::<OfficerId>("query.officer", &m.officer);
    let due_to = match m.due_within_days {
        None => Some(None),
        Some(days) if days <= 3650 => Some(today.checked_add(i64::from(days).days()).ok()),
        Some(_) => {
            f.refuse("query.due_within_days", "at most 3650");
            None
        }
    };
    let by_filing = match WorklistOrder::try_from(m.order) {
        Ok(order) => order == WorklistOrder::Filing,
        Err(_) => {
            f.refuse("query.order", "one of the values of its enum");
            false
        }
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let ready = match (queue, office, officer, due_to) {
        (Some(queue), Some(office), Some(officer), Some(due_to)) => Some(ViewQuery {
            queue,
            office,
            officer: match (queue, officer) {
                (ViewQueue::Mine, None) => Some(call.principal.account.clone()),
                (_, officer) => officer,
            },
            due_to,
            procedure: some(m.procedure),
            phase: some(m.phase),
            by_filing,
        }),
        _ => None,
    };
    f.finish(ready)
}

/// A saved query is kept as the message itself, in hexadecimal, so that it means what it meant.
fn read_view(text: &str) -> Result<WorklistQuery, AppError> {
    let query =
        crate::app::deliver::unhex(text).and_then(|b| WorklistQuery::decode(b.as_slice()).ok());
    query.ok_or_else(|| {
        AppError::Invalid(vec![Violation::new("view_name", "cannot be read: save it again")])
    })
}
