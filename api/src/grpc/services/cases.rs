//! Reading cases.

use super::Shared;
use super::shared::{Call, accessed, at_least, page_size, view_error};
use crate::app::house::Open;
use crate::app::{AppError, handler, load, policy};
use crate::grpc::convert::Fields;
use crate::grpc::limits::{HEARTBEAT, STREAM_BUFFER};
use crate::grpc::status::{reason, status, unblock};
use crate::grpc::{correspondence, show};
use crate::messages::Language;
use pratica_domain::case::Procedure;
use pratica_domain::ids::{CaseId, ProtocolNumber};
use pratica_domain::people::FiscalCode;
use pratica_domain::term::rome_date;
use pratica_domain::{Case, Context, available_actions};
use pratica_projections::{CaseFilter, PageRequest, SearchKey};
use pratica_proto::cases::v1::cases_service_server::CasesService;
use pratica_proto::cases::v1::*;
use pratica_store::vault::Find;
use pratica_store::{BlindIndex, Revision};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 200;

/// The one case of a query, if the caller may see it: permission before existence.
pub(super) async fn visible_case(
    call: &Call,
    open: &Open,
    case_id: &str,
) -> Result<(CaseId, Arc<Case>), AppError> {
    let mut fields = Fields::default();
    let id = fields.parse::<CaseId>("case_id", case_id);
    let id = fields.finish(id)?;
    let today = rome_date(open.town.clock.now());
    let unseen = || handler::unseen(&call.principal);
    let case = load::current(&open.town, id).await?.ok_or_else(unseen)?;
    if !policy::may_see(&call.principal, &case, today) {
        return Err(unseen());
    }
    accessed(call, open, [id], String::new());
    Ok((id, case))
}

#[tonic::async_trait]
impl CasesService for Shared {
    async fn get_case(
        &self,
        request: Request<GetCaseRequest>,
    ) -> Result<Response<GetCaseResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let (id, case) = visible_case(&call, open, &m.case_id).await?;
            let language = call.language(&m.language);
            let today = rome_date(open.town.clock.now());
            let internal = call.principal.role.is_staff();
            let detail = show::detail(&open.town, id, &case, language, today, internal)?;
            // The case itself is read from the log, so it is as new as the log.
            let head =
                open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
            Ok(GetCaseResponse { case: Some(detail), as_of_position: head.get() })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn list_cases(
        &self,
        request: Request<ListCasesRequest>,
    ) -> Result<Response<ListCasesResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let today = rome_date(open.town.clock.now());
            let access = self.access(&call, today)?;
            let filter = filter(m.filter.unwrap_or_default())?;
            let page = PageRequest {
                size: page_size(m.page_size, PAGE_DEFAULT, PAGE_MAX),
                after: (!m.page_token.is_empty()).then_some(m.page_token),
            };
            let found =
                open.town.views.list_cases(&access, &filter, &page).await.map_err(view_error)?;
            accessed(&call, open, found.value.rows.iter().map(|r| r.case), String::new());
            let language = call.language(&m.language);
            let internal = call.principal.role.is_staff();
            let rows = found.value.rows.iter();
            Ok(ListCasesResponse {
                cases: rows
                    .map(|r| show::row(&open.town, r, today, language, internal))
                    .collect::<Result<_, _>>()?,
                next_page_token: found.value.next.unwrap_or_default(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn search_cases(
        &self,
        request: Request<SearchCasesRequest>,
    ) -> Result<Response<SearchCasesResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let today = rome_date(open.town.clock.now());
            let access = self.access(&call, today)?;
            let limit = page_size(m.page_size, 20, 100);
            let language = call.language(&m.language);
            let mut position = 0;
            let mut cases = Vec::new();
            for key in search_keys(&m.query)? {
                let found =
                    open.town.views.search(&access, &key, limit).await.map_err(view_error)?;
                position = found.position.get();
                for row in found.value {
                    let internal = call.principal.role.is_staff();
                    let row = show::row(&open.town, &row, today, language, internal)?;
                    if cases.len() < limit
                        && !cases.iter().any(|c: &CaseSummary| c.case_id == row.case_id)
                    {
                        cases.push(row);
                    }
                }
            }
            let ids: Vec<CaseId> = cases.iter().filter_map(|c| c.case_id.parse().ok()).collect();
            accessed(&call, open, ids, searched_for(open, &m.query));
            Ok(SearchCasesResponse { cases, as_of_position: position })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_timeline(
        &self,
        request: Request<GetTimelineRequest>,
    ) -> Result<Response<GetTimelineResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let (id, case) = visible_case(&call, open, &m.case_id).await?;
            let page = PageRequest {
                size: page_size(m.page_size, PAGE_DEFAULT, PAGE_MAX),
                after: (!m.page_token.is_empty()).then_some(m.page_token),
            };
            let internal = call.principal.role.is_staff();
            let found = open.town.views.timeline(id, internal, &page).await.map_err(view_error)?;
            let language = call.language(&m.language);
            let rules = open.town.rules.book.version(case.rules_version());
            let rows = found.value.rows.iter();
            Ok(GetTimelineResponse {
                entries: rows.map(|r| show::timeline(r, rules, language)).collect(),
                next_page_token: found.value.next.unwrap_or_default(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn list_correspondence(
        &self,
        request: Request<ListCorrespondenceRequest>,
    ) -> Result<Response<ListCorrespondenceResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let (id, case) = visible_case(&call, open, &m.case_id).await?;
            let procedure = case.procedure().unwrap_or(Procedure::Residency);
            let stream = open.town.case_stream(procedure, id)?;
            let events = load::events(&open.town, &stream, Revision::FIRST, Revision::END).await?;
            let internal = call.principal.role.is_staff();
            let mut entries = Vec::new();
            for recorded in &events {
                entries.extend(correspondence::entry(&open.town, recorded, internal)?);
            }
            let as_of_position = events.last().map_or(0, |e| e.position.get());
            Ok(ListCorrespondenceResponse { entries, as_of_position })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn explain_deadlines(
        &self,
        request: Request<ExplainDeadlinesRequest>,
    ) -> Result<Response<ExplainDeadlinesResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let (_, case) = visible_case(&call, open, &m.case_id).await?;
            let language = call.language(&m.language);
            let today = rome_date(open.town.clock.now());
            let mut deadlines = show::deadlines(&open.town, &case, today, language, true)?;
            deadlines.retain(|d| m.term.is_empty() || d.term == m.term);
            let head =
                open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
            Ok(ExplainDeadlinesResponse { deadlines, as_of_position: head.get() })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_available_actions(
        &self,
        request: Request<GetAvailableActionsRequest>,
    ) -> Result<Response<GetAvailableActionsResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let (id, case) = visible_case(&call, open, &m.case_id).await?;
            let language = call.language(&m.language);
            Ok(GetAvailableActionsResponse {
                actions: actions(&call, open, id, &case, language),
                etag: crate::app::handler::etag(&case),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    type WatchCaseStream = ReceiverStream<Result<WatchCaseResponse, Status>>;

    async fn watch_case(
        &self,
        request: Request<WatchCaseRequest>,
    ) -> Result<Response<Self::WatchCaseStream>, Status> {
        let (call, m) = self.open(request)?;
        let open = self.town(&call, &m.comune).map_err(status)?;
        visible_case(&call, open, &m.case_id).await.map_err(status)?;
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        let shared = self.clone();
        tokio::spawn(async move {
            if let Err(error) = shared.follow(&call, &m, &sender).await {
                // A reader that is gone needs no reason.
                let _ = sender.send(Err(status(error))).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl Shared {
    /// Sends the case whenever the views moved and its etag with them. Permission is checked each
    /// time: who lost it while watching is told so.
    async fn follow(
        &self,
        call: &Call,
        m: &WatchCaseRequest,
        sender: &mpsc::Sender<Result<WatchCaseResponse, Status>>,
    ) -> Result<(), AppError> {
        use watch_case_response::Content;
        let open = self.town(call, &m.comune)?;
        let language = call.language(&m.language);
        let mut views = open.town.watch_views();
        let mut seen = (m.after_position > 0).then_some(m.after_position);
        let mut etag: Option<String> = None;
        let mut caught_up = false;
        loop {
            let position = views.borrow_and_update().get();
            let (id, case) = visible_case(call, open, &m.case_id).await?;
            let now = crate::app::handler::etag(&case);
            let changed = match (&etag, seen) {
                (Some(last), _) => *last != now,
                (None, Some(after)) => changed_after(open, id, after).await?,
                (None, None) => true,
            };
            if changed {
                let today = rome_date(open.town.clock.now());
                let internal = call.principal.role.is_staff();
                let detail = show::detail(&open.town, id, &case, language, today, internal)?;
                if !say(sender, Content::Case(detail), position).await {
                    return Ok(());
                }
            }
            etag = Some(now);
            seen = None;
            if !caught_up && !say(sender, Content::CaughtUp(true), position).await {
                return Ok(());
            }
            caught_up = true;
            loop {
                tokio::select! {
                    moved = views.changed() => match moved {
                        Ok(()) => break,
                        Err(_) => return Ok(()),
                    },
                    () = sender.closed() => return Ok(()),
                    () = self.house.closing() => return Ok(()),
                    () = tokio::time::sleep(HEARTBEAT) => {
                        if !say(sender, Content::Heartbeat(true), position).await {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
}

async fn changed_after(open: &Open, id: CaseId, after: u64) -> Result<bool, AppError> {
    let row = open.town.views.case_row(id).await.map_err(view_error)?.value;
    Ok(row.is_none_or(|row| row.position.get() > after))
}

async fn say(
    sender: &mpsc::Sender<Result<WatchCaseResponse, Status>>,
    content: watch_case_response::Content,
    position: u64,
) -> bool {
    sender.send(Ok(WatchCaseResponse { content: Some(content), position })).await.is_ok()
}

fn filter(m: pratica_proto::cases::v1::CaseFilter) -> Result<CaseFilter, AppError> {
    let mut f = Fields::default();
    let office = f.parse_optional("filter.office", &m.office);
    let officer = f.parse_optional("filter.officer", &m.officer);
    let from = f.date_optional("filter.filed_from_date", m.filed_from_date);
    let to = f.date_optional("filter.filed_to_date", m.filed_to_date);
    let closed = match OpenState::try_from(m.open_state) {
        Ok(OpenState::Unspecified) => Some(None),
        Ok(OpenState::Open) => Some(Some(false)),
        Ok(OpenState::Closed) => Some(Some(true)),
        Err(_) => {
            f.refuse("filter.open_state", "one of the values of its enum");
            None
        }
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let ready = match (office, officer, from, to, closed) {
        (Some(office), Some(officer), Some(filed_from), Some(filed_to), Some(closed)) => {
            Some(CaseFilter {
                procedure: some(m.procedure),
                kind: some(m.kind),
                phase: some(m.phase),
                office,
                officer,
                closed,
                filed_from,
                filed_to,
            })
        }
        _ => None,
    };
    f.finish(ready)
}

/// What was looked for, as the record of access keeps it: keyed hashes of all its readings.
fn searched_for(open: &Open, query: &str) -> String {
    let vault = &open.town.vault;
    let readings =
        [Find::FiscalCode(query), Find::Name(query), Find::Address(query), Find::Parcel(query)];
    let keys = readings.into_iter().filter_map(|find| vault.find(find));
    keys.map(|key| key.to_string()).collect::<Vec<_>>().join(" ")
}

/// What a search text may be, the most telling reading first.
fn search_keys(query: &str) -> Result<Vec<SearchKey>, AppError> {
    let query = query.trim();
    let mut keys = Vec::new();
    if let Ok(number) = query.parse::<ProtocolNumber>() {
        keys.push(SearchKey::Protocol(number));
    } else if let Ok(case) = query.parse::<CaseId>() {
        keys.push(SearchKey::Case(case));
    } else if let Ok(code) = FiscalCode::parse(query) {
        keys.push(SearchKey::FiscalCode(code.as_str().to_owned()));
    } else if query.chars().count() >= 3 {
        keys.push(SearchKey::Reference(query.to_owned()));
        keys.push(SearchKey::NamePrefix(query.to_owned()));
        keys.push(SearchKey::AddressPrefix(query.to_owned()));
        keys.push(SearchKey::Parcel(query.to_owned()));
    } else {
        let mut f = Fields::default();
        f.refuse(
            "query",
            "a protocol number such as 0000042/2026, a fiscal code, a case id, a reference, or at \
             least three letters of a family name",
        );
        return f.finish(None);
    }
    Ok(keys)
}

/// Every command of the procedure for this caller: what the case refuses, and what the caller may
/// not do at all.
fn actions(
    call: &Call,
    open: &Open,
    id: CaseId,
    case: &Case,
    language: Language,
) -> Vec<AvailableAction> {
    let town = &open.town;
    let now = town.clock.now();
    let actor = call.principal.actor();
    let ctx = Context {
        comune: &town.comune,
        case_id: id,
        now,
        actor: &actor,
        rules: &town.rules.book,
        calendar: &town.rules.calendar,
        request_id: id.0,
        written: crate::app::deliver::written,
    };
    let relation = policy::relation(&call.principal, Some(case), rome_date(now));
    available_actions(case, &ctx)
        .into_iter()
        .filter(|a| !matches!(a.command, "residency.declare" | "residency.open_ex_officio"))
        .map(|a| {
            let permitted = policy::may_command(&call.principal, a.command, relation);
            let mut action = AvailableAction {
                command: a.command.to_owned(),
                available: permitted && a.refusal.is_none(),
                ..AvailableAction::default()
            };
            if !permitted {
                action.reason = "PERMISSION_DENIED".to_owned();
                action.reason_text =
                    crate::messages::plain(language, "rejection.PERMISSION_DENIED");
                action.unblock_text = crate::messages::plain(language, "unblock.PERMISSION_DENIED");
            } else if let Some(refusal) = a.refusal {
                action.reason = refusal.code.to_string();
                action.reason_text = reason(language, &refusal);
                action.unblock_text = unblock(language, &refusal);
                action.article = refusal.article.to_owned();
            }
            action
        })
        .collect()
}
