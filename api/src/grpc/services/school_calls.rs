//! The commands and views of school calls.

use super::Shared;
use super::shared::{
    Call as Caller, CommandMessage, fingerprint, given, on, opening, page_size, view_error,
};
use crate::app::policy::Area;
use crate::app::school::{CallCommand, CallOutcome as Done};
use crate::app::{AppError, Violation};
use crate::grpc::convert::call::plan_message;
use crate::grpc::convert::call_requests as read;
use crate::grpc::convert::{Fields, date_message};
use crate::grpc::limits::STREAM_BUFFER;
use crate::grpc::show;
use crate::grpc::status::{status, unblock};
use crate::messages::{Facts, Language, plain, text};
use pratica_domain::ids::CallId;
use pratica_domain::ranking::{Crossing, Move, Stage, moves};
use pratica_domain::school::call::{Call, Command, Published};
use pratica_projections::{CallRow, PageRequest};
use pratica_proto::common::v1::EventSummary;
use pratica_proto::enrolment::v1::call_service_server::CallService;
use pratica_proto::enrolment::v1::*;
use pratica_store::Position;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

opening!(DraftCallRequest);
on!(
    call_id: ReviseCallRequest,
    PublishCallRequest,
    RevealSeedRequest,
    PublishProvisionalRankingRequest,
    ApproveDefinitiveRankingRequest,
    StartOffersRequest,
    ChangePlacesRequest,
);

/// How many rows of a ranking a page has if nothing is asked for, and at most.
const ROWS_DEFAULT: usize = 100;
const ROWS_MAX: usize = 1_000;
/// How many bytes of a document one message of a stream carries.
const PART_BYTES: usize = 256 * 1024;

/// Writes one rpc a command: the message, its reader, the answer.
macro_rules! rpcs {
    ($( $rpc:ident : $request:ident => $response:ident by $area:ident ),+ $(,)? ; $($own:tt)*) => {
        #[tonic::async_trait]
        impl CallService for Shared {
            $( async fn $rpc(
                &self,
                request: Request<$request>,
            ) -> Result<Response<$response>, Status> {
                let outcome = self
                    .on_a_call(request, stringify!($rpc), Area::$area, read::$rpc)
                    .await
                    .map_err(status)?;
                Ok(Response::new($response { outcome: Some(outcome) }))
            } )+
            $($own)*
        }
    };
}

rpcs! {
    draft_call: DraftCallRequest => DraftCallResponse by SchoolDesk,
    revise_call: ReviseCallRequest => ReviseCallResponse by SchoolDesk,
    publish_call: PublishCallRequest => PublishCallResponse by SchoolActs,
    reveal_seed: RevealSeedRequest => RevealSeedResponse by SchoolActs,
    publish_provisional_ranking: PublishProvisionalRankingRequest
        => PublishProvisionalRankingResponse by SchoolActs,
    approve_definitive_ranking: ApproveDefinitiveRankingRequest
        => ApproveDefinitiveRankingResponse by SchoolActs,
    start_offers: StartOffersRequest => StartOffersResponse by SchoolActs,
    change_places: ChangePlacesRequest => ChangePlacesResponse by SchoolActs;

    type ExportRankingStream = ReceiverStream<Result<ExportRankingResponse, Status>>;

    async fn list_calls(
        &self,
        request: Request<ListCallsRequest>,
    ) -> Result<Response<ListCallsResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&caller, &m.comune, Area::SchoolCalls)?;
            self.reached(open, m.min_position).await?;
            let found = open.town.views.calls().await.map_err(view_error)?;
            let language = caller.language("");
            let staff = caller.principal.role.is_staff();
            // A draft is the office's own.
            let shown = found.value.iter().filter(|c| staff || c.phase != "drafted");
            Ok(ListCallsResponse {
                calls: shown.map(|c| summary(c, language)).collect(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_call(
        &self,
        request: Request<GetCallRequest>,
    ) -> Result<Response<GetCallResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let (open, id, call) =
                self.the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolCalls).await?;
            let language = caller.language("");
            // What the views say of it is to be as new as the stream.
            let head = open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
            open.town.wait_for_views(head).await?;
            let rows = open.town.views.calls().await.map_err(view_error)?.value;
            let row = rows.iter().find(|r| r.call == id).ok_or(AppError::NotFound("call"))?;
            let rankings = [("provisional", &call.provisional), ("definitive", &call.definitive)];
            Ok(GetCallResponse {
                call: Some(summary(row, language)),
                plan: call.plan.as_deref().map(plan_message),
                rankings: rankings
                    .into_iter()
                    .filter_map(|(stage, p)| p.as_ref().map(|p| ranking(stage, p)))
                    .collect(),
                actions: actions(&call, open, language),
                seed_commitment: call.seed_commitment.clone().unwrap_or_default(),
                etag: call.events.saturating_sub(1).to_string(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_ranking(
        &self,
        request: Request<GetRankingRequest>,
    ) -> Result<Response<GetRankingResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let (open, id, call) =
                self.the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolCalls).await?;
            let published = published(&call, &m.stage)?;
            let page = PageRequest {
                size: page_size(m.page_size, ROWS_DEFAULT, ROWS_MAX),
                after: (!m.page_token.is_empty()).then_some(m.page_token),
            };
            let views = &open.town.views;
            let found =
                views.call_ranks(id, &m.stage, &m.list, &page).await.map_err(view_error)?;
            let keys = published.document.as_deref().map(|d| d.input.keys()).unwrap_or_default();
            Ok(GetRankingResponse {
                keys: keys.iter().map(|k| k.name.clone()).collect(),
                rows: found
                    .value
                    .rows
                    .into_iter()
                    .map(|row| RankingRow {
                        rank: row.rank,
                        application: row.application.to_string(),
                        values: row.keys,
                        decided_by: row.decided_by,
                        seat: row.seat,
                    })
                    .collect(),
                next_page_token: found.value.next.unwrap_or_default(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn export_ranking(
        &self,
        request: Request<ExportRankingRequest>,
    ) -> Result<Response<Self::ExportRankingStream>, Status> {
        let (caller, m) = self.open(request)?;
        let (_, _, call) = self
            .the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolCalls)
            .await
            .map_err(status)?;
        let published = published(&call, &m.stage).map_err(status)?;
        let (document, mut sha256) = (published.text.clone(), published.facts.sha256.clone());
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        tokio::spawn(async move {
            let mut rest: &str = &document;
            while !rest.is_empty() {
                // A document is ASCII, so that any place is the beginning of a character.
                let (part, after) = rest.split_at(rest.len().min(PART_BYTES));
                let part = ExportRankingResponse {
                    text: part.to_owned(),
                    sha256: std::mem::take(&mut sha256),
                };
                rest = after;
                if sender.send(Ok(part)).await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn recompute_ranking(
        &self,
        request: Request<RecomputeRankingRequest>,
    ) -> Result<Response<RecomputeRankingResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let (open, id, call) =
                self.the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolDesk).await?;
            let published_sha256 = published(&call, &m.stage)?.facts.sha256.clone();
            let computed_sha256 = open.school.recompute(id, stage(&m.stage)?).await?;
            let same = published_sha256 == computed_sha256;
            Ok(RecomputeRankingResponse { published_sha256, computed_sha256, same })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn explain_moves(
        &self,
        request: Request<ExplainMovesRequest>,
    ) -> Result<Response<ExplainMovesResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let (_, _, call) =
                self.the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolCalls).await?;
            let document = |p: Option<&Published>| p.and_then(|p| p.document.clone());
            let (Some(old), Some(new)) =
                (document(call.provisional.as_ref()), document(call.definitive.as_ref()))
            else {
                return Err(AppError::NotFound("definitive ranking"));
            };
            let from = match m.page_token.as_str() {
                "" => 0,
                token => token.parse::<usize>().map_err(|_| {
                    let rule = "belongs to another query: begin again without it";
                    AppError::Invalid(vec![Violation::new("page_token", rule)])
                })?,
            };
            let size = page_size(m.page_size, ROWS_DEFAULT, ROWS_MAX);
            let language = caller.language("");
            let all = moves(&old, &new);
            let rows = all.iter().skip(from).take(size).map(|m| move_message(m, language));
            let next = from.saturating_add(size);
            Ok(ExplainMovesResponse {
                moves: rows.collect(),
                next_page_token: if next < all.len() { next.to_string() } else { String::new() },
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn list_offers(
        &self,
        request: Request<ListOffersRequest>,
    ) -> Result<Response<ListOffersResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let (open, id, _) =
                self.the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolDesk).await?;
            let found = open.town.views.call_offers(id).await.map_err(view_error)?;
            Ok(ListOffersResponse {
                offers: found
                    .value
                    .into_iter()
                    .map(|o| OpenOffer {
                        offer_id: o.offer.to_string(),
                        application: o.application.to_string(),
                        list: o.list,
                        rank: o.rank,
                        offer_date: Some(date_message(o.offered_on)),
                        due_date: o.due_on.map(date_message),
                    })
                    .collect(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn list_places(
        &self,
        request: Request<ListPlacesRequest>,
    ) -> Result<Response<ListPlacesResponse>, Status> {
        let (caller, m) = self.open(request)?;
        let answer = async {
            let (open, id, _) =
                self.the_call(&caller, &m.comune, &m.call_id, m.min_position, Area::SchoolCalls).await?;
            let found = open.town.views.call_lists(id).await.map_err(view_error)?;
            Ok(ListPlacesResponse {
                lists: found
                    .value
                    .into_iter()
                    .map(|l| PlacesRow {
                        free: l.free(),
                        list: l.list,
                        places: l.places,
                        taken: l.taken,
                        offered: l.offered,
                        first_choices: l.first_choices,
                        choices: l.choices,
                        renounced: l.renounced,
                        lapsed: l.lapsed,
                    })
                    .collect(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }
}

impl Shared {
    /// Runs one command of a call: every field violation at once, then the desk.
    async fn on_a_call<M: CommandMessage>(
        &self,
        request: Request<M>,
        rpc: &'static str,
        area: Area,
        read: impl FnOnce(M, &mut Fields) -> Option<Command>,
    ) -> Result<CallOutcome, AppError> {
        let (caller, message) = self.open(request).map_err(|_| AppError::Denied)?;
        let head = message.head();
        let open = self.town_for(&caller, &head.comune, area)?;
        let fingerprint = fingerprint(&open.town, &caller.principal, rpc, &message.content());
        let mut fields = Fields::default();
        let request_id = fields.request_id(&head.request_id);
        let call = match &head.id {
            Some(id) => fields.parse::<CallId>("call_id", id).map(Some),
            None => Some(None),
        };
        if head.id.is_some() && head.etag.is_empty() && !head.validate_only {
            fields.refuse("etag", "required: the etag that the call was last read with");
        }
        let command = read(message, &mut fields);
        let ready = match (request_id, call, command) {
            (Some(request_id), Some(call), Some(command)) => Some((request_id, call, command)),
            _ => None,
        };
        let (request_id, call, command) = fields.finish(ready)?;
        let done = open
            .school
            .act(CallCommand {
                principal: &caller.principal,
                call,
                command,
                request_id,
                fingerprint,
                etag: (!head.etag.is_empty()).then_some(head.etag),
                validate_only: head.validate_only,
                causation_id: None,
            })
            .await?;
        Ok(outcome(&done, caller.language("")))
    }

    /// Waits for the process between calls and applications, and then for the views.
    async fn reached(
        &self,
        open: &crate::app::house::Open,
        min_position: u64,
    ) -> Result<(), AppError> {
        if min_position == 0 {
            return Ok(());
        }
        given(open, min_position).await?;
        open.school.wait(Position::new(min_position)).await?;
        // What the process did for it stands after it.
        let head = open.town.log.head().await;
        let head = head.map_err(|e| AppError::store("reading the head", e))?;
        open.town.wait_for_views(head).await
    }

    async fn the_call<'a>(
        &'a self,
        caller: &Caller,
        comune: &str,
        id: &str,
        min_position: u64,
        area: Area,
    ) -> Result<(&'a crate::app::house::Open, CallId, std::sync::Arc<Call>), AppError> {
        let open = self.town_for(caller, comune, area)?;
        let mut fields = Fields::default();
        let id = fields.parse::<CallId>("call_id", id);
        let id = fields.finish(id)?;
        self.reached(open, min_position).await?;
        let call = open.school.call(id).await?.ok_or(AppError::NotFound("call"))?;
        let draft = call.phase <= pratica_domain::school::call::Phase::Drafted;
        if draft && !caller.principal.role.is_staff() {
            return Err(AppError::NotFound("call"));
        }
        Ok((open, id, call))
    }
}

fn stage(text: &str) -> Result<Stage, AppError> {
    match text {
        "provisional" => Ok(Stage::Provisional),
        "definitive" => Ok(Stage::Definitive),
        _ => Err(AppError::Invalid(vec![Violation::new("stage", "provisional or definitive")])),
    }
}

fn published<'a>(call: &'a Call, of: &str) -> Result<&'a Published, AppError> {
    let found = match stage(of)? {
        Stage::Provisional => call.provisional.as_ref(),
        Stage::Definitive => call.definitive.as_ref(),
    };
    found.ok_or(AppError::NotFound("ranking"))
}

fn phase_text(language: Language, phase: &str) -> String {
    plain(language, &format!("call_phase.{phase}"))
}

fn outcome(done: &Done, language: Language) -> CallOutcome {
    let phase = done.call.phase.as_str();
    let events =
        done.events.iter().filter(|e| e.event_type() != "call.ranking_page").map(|event| {
            EventSummary {
                r#type: event.event_type().to_owned(),
                text: show::told(language, event),
            }
        });
    CallOutcome {
        call_id: done.id.to_string(),
        etag: done.call.events.saturating_sub(1).to_string(),
        position: done.position.get(),
        phase: phase.to_owned(),
        phase_text: phase_text(language, phase),
        events: events.collect(),
        replayed: done.replayed,
    }
}

fn summary(row: &CallRow, language: Language) -> CallSummary {
    CallSummary {
        call_id: row.call.to_string(),
        title: row.title.clone(),
        school_year: i32::from(row.school_year),
        phase: row.phase.clone(),
        phase_text: phase_text(language, &row.phase),
        criteria: row.criteria.clone(),
        open_date: Some(date_message(row.opens_on)),
        close_date: Some(date_message(row.closes_on)),
        end_date: Some(date_message(row.ends_on)),
        observe_until_date: row.observations_until.map(date_message),
        applications: row.applications,
    }
}

fn ranking(stage: &str, published: &Published) -> RankingSummary {
    let facts = &published.facts;
    RankingSummary {
        stage: stage.to_owned(),
        sha256: facts.sha256.clone(),
        publish_date: Some(date_message(facts.published_on)),
        as_of_position: facts.as_of_position,
        applications: facts.applications,
        act: facts.act.clone().unwrap_or_default(),
    }
}

/// For each command: whether the call's own state allows it, or the first rule that does not.
fn actions(call: &Call, open: &crate::app::house::Open, language: Language) -> Vec<CallAction> {
    open.school
        .available(call)
        .into_iter()
        .map(|(command, refusal)| match refusal {
            None => CallAction { command: command.to_owned(), allowed: true, ..Default::default() },
            Some(r) => CallAction {
                command: command.to_owned(),
                allowed: false,
                reason: r.code.as_str().to_owned(),
                rule: r.rule.to_owned(),
                article: r.article.to_owned(),
                unblock: unblock(language, &r),
            },
        })
        .collect()
}

fn move_message(m: &Move, language: Language) -> RankingMove {
    let mut facts = Facts::new();
    facts.insert("from".to_owned(), m.from.map(|n| n.to_string()).unwrap_or_default());
    facts.insert("to".to_owned(), m.to.map(|n| n.to_string()).unwrap_or_default());
    facts.insert("list".to_owned(), m.list.to_string());
    facts.insert("crossed".to_owned(), m.why.crossed.len().to_string());
    let key = match (m.from, m.to, m.why.keys.is_empty()) {
        (None, _, _) => "school.entered",
        (_, None, _) => "school.left",
        (Some(_), Some(_), false) => "school.corrected",
        (Some(_), Some(_), true) => "school.moved",
    };
    RankingMove {
        list: m.list.to_string(),
        application: m.application.to_string(),
        from_rank: m.from.unwrap_or_default(),
        to_rank: m.to.unwrap_or_default(),
        changes: m
            .why
            .keys
            .iter()
            .map(|(key, from, to)| KeyChange { key: key.clone(), from_value: *from, to_value: *to })
            .collect(),
        crossed_by: m
            .why
            .crossed
            .iter()
            .map(|(application, how)| CrossedBy {
                application: application.to_string(),
                how: match how {
                    Crossing::Overtook => "overtook",
                    Crossing::Entered => "entered",
                    Crossing::FellBehind => "fell_behind",
                    Crossing::Left => "left",
                }
                .to_owned(),
            })
            .collect(),
        text: text(language, key, &facts),
    }
}
