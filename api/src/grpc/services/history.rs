//! The log for analysts.

use super::Shared;
use super::shared::{Call, accessed};
use crate::app::house::Open;
use crate::app::policy::Area;
use crate::app::{AppError, Town, load};
use crate::grpc::convert::{Fields, timestamp_message};
use crate::grpc::limits::STREAM_BUFFER;
use crate::grpc::pseudonyms;
use crate::grpc::show;
use crate::grpc::status::status;
use pratica_domain::case::Procedure;
use pratica_domain::ids::CaseId;
use pratica_domain::term::{first_instant_after, rome_date};
use pratica_domain::{Case, Role, evolve_in_place};
use pratica_proto::history::v1::history_service_server::HistoryService;
use pratica_proto::history::v1::{
    GetCaseAsOfRequest, GetCaseAsOfResponse, ReadEventsRequest, ReadEventsResponse,
    RecordedEvent as RecordedEventMessage,
};
use pratica_store::codec;
use pratica_store::{Direction, Filter, Position, RecordedEvent, Revision, StreamName};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// How many events are read from the log at a time.
const PAGE: usize = 500;

#[tonic::async_trait]
impl HistoryService for Shared {
    type ReadEventsStream = ReceiverStream<Result<ReadEventsResponse, Status>>;

    async fn read_events(
        &self,
        request: Request<ReadEventsRequest>,
    ) -> Result<Response<Self::ReadEventsStream>, Status> {
        let (call, m) = self.open(request)?;
        let open = self.town_for(&call, &m.comune, Area::History).map_err(status)?;
        let reading = Reading::new(open, &m, &call).map_err(status)?;
        if reading.personal {
            let case = m.case_id.parse::<CaseId>().ok();
            let all = if case.is_none() { "every case" } else { "" };
            accessed(&call, open, case, all.to_owned());
        }
        let (sender, receiver) = mpsc::channel(STREAM_BUFFER);
        let shared = self.clone();
        let comune = open.town.comune.clone();
        tokio::spawn(async move {
            let Some(open) = shared.house.get(&comune) else { return };
            if let Err(error) = reading.run(open, &sender).await {
                // A reader that is gone needs no reason.
                let _ = sender.send(Err(status(error))).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn get_case_as_of(
        &self,
        request: Request<GetCaseAsOfRequest>,
    ) -> Result<Response<GetCaseAsOfResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let mut f = Fields::default();
            let id = f.parse::<CaseId>("case_id", &m.case_id);
            let effective = f.date_optional("effective_date", m.effective_date);
            let known = f.date_optional("known_date", m.known_date);
            let ready = match (id, effective, known) {
                (Some(id), Some(effective), Some(known)) => Some((id, effective, known)),
                _ => None,
            };
            let (id, effective, known) = f.finish(ready)?;
            super::cases::visible_case(&call, open, &m.case_id).await?;
            let stream = stream_of(open, id).await?.ok_or(AppError::NotFound("case"))?;
            let all = load::events(&open.town, &stream, Revision::FIRST, Revision::END).await?;
            let mut kept: Vec<&RecordedEvent> = all
                .iter()
                .filter(|e| known.is_none_or(|day| e.recorded_at < first_instant_after(day)))
                .filter(|e| effective.is_none_or(|day| e.occurred_at < first_instant_after(day)))
                .collect();
            kept.sort_by_key(|e| e.revision);
            let mut case = Case::default();
            for recorded in &kept {
                evolve_in_place(&mut case, &load::open(&open.town, recorded)?);
            }
            if case.file.opening.is_none() {
                return Err(AppError::NotFound("case as of that date"));
            }
            let language = call.language(&m.language);
            let internal = call.principal.role.is_staff();
            let today = known.or(effective).unwrap_or_else(|| rome_date(open.town.clock.now()));
            let detail = show::detail(&open.town, id, &case, language, today, internal)?;
            Ok(GetCaseAsOfResponse { case: Some(detail), events: kept.len() as u64 })
        };
        answer.await.map(Response::new).map_err(status)
    }
}

async fn stream_of(open: &Open, id: CaseId) -> Result<Option<StreamName>, AppError> {
    for procedure in Procedure::ALL {
        let stream = open.town.case_stream(procedure, id)?;
        let revision = open
            .town
            .log
            .stream_revision(&stream)
            .await
            .map_err(|e| AppError::store("reading a stream", e))?;
        if revision.is_some() {
            return Ok(Some(stream));
        }
    }
    Ok(None)
}

/// What a ReadEvents call asks for.
struct Reading {
    filter: Filter,
    after: Position,
    types: Vec<String>,
    limit: u64,
    personal: bool,
}

impl Reading {
    fn new(open: &Open, m: &ReadEventsRequest, call: &Call) -> Result<Self, AppError> {
        let mut f = Fields::default();
        let case = f.parse_optional::<CaseId>("case_id", &m.case_id);
        let known = |p: &str| Procedure::ALL.iter().any(|k| k.as_str() == p);
        if !m.procedure.is_empty() && !known(&m.procedure) {
            f.refuse("procedure", "residency, permit or enrolment");
        }
        let case = f.finish(case)?;
        let comune = &open.town.comune;
        let prefixes: Vec<String> = match (case, m.procedure.as_str()) {
            (Some(case), _) => {
                Procedure::ALL.iter().map(|p| format!("{comune}.{}-{case}", p.as_str())).collect()
            }
            (None, "") => Vec::new(),
            (None, procedure) => vec![format!("{comune}.{procedure}-")],
        };
        Ok(Reading {
            filter: if prefixes.is_empty() { Filter::all() } else { Filter::prefixes(prefixes) },
            after: Position::new(m.after_position),
            types: m.event_types.clone(),
            limit: if m.limit == 0 { u64::MAX } else { m.limit },
            // Analysts work with facts; only who runs the office reads names in history.
            personal: call.principal.role == Role::Head,
        })
    }

    fn wants(&self, event: &RecordedEvent) -> bool {
        self.types.is_empty()
            || self.types.iter().any(|t| {
                if t.ends_with('.') {
                    event.event_type.starts_with(t.as_str())
                } else {
                    *event.event_type == **t
                }
            })
    }

    async fn run(
        self,
        open: &Open,
        sender: &mpsc::Sender<Result<ReadEventsResponse, Status>>,
    ) -> Result<(), AppError> {
        let mut after = self.after;
        let mut sent = 0;
        loop {
            let page = open
                .town
                .log
                .read_all(after, Direction::Forwards, &self.filter, PAGE)
                .await
                .map_err(|e| AppError::store("reading the log", e))?;
            for event in page.events.iter().filter(|e| self.wants(e)) {
                let message = ReadEventsResponse {
                    event: Some(recorded(&open.town, event, self.personal)?),
                    position: event.position.get(),
                };
                if sender.send(Ok(message)).await.is_err() {
                    return Ok(());
                }
                sent += 1;
                if sent >= self.limit {
                    return Ok(());
                }
            }
            after = page.next;
            // The cursor moves on over what the filter passed by.
            let moved = ReadEventsResponse { event: None, position: after.get() };
            if sender.send(Ok(moved)).await.is_err() || page.next >= page.head {
                return Ok(());
            }
        }
    }
}

/// An event as history shows it: to an analyst without personal data, never opened, and with
/// pseudonyms for the accounts that acted or take part.
fn recorded(
    town: &Town,
    event: &RecordedEvent,
    personal: bool,
) -> Result<RecordedEventMessage, AppError> {
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| AppError::Fault {
        doing: "reading a payload",
        source,
        transient: false,
    };
    let mut metadata = event.metadata().map_err(|e| AppError::store("reading metadata", e))?;
    let opened = match personal {
        true => codec::open_payload(event, &town.vault)
            .map_err(|e| AppError::vault("opening a payload", e))?,
        false => None,
    };
    let text = opened.as_ref().map_or(&*event.payload, |opened| opened.as_slice());
    let mut payload: serde_json::Value =
        serde_json::from_slice(text).map_err(|e| fault(Box::new(e)))?;
    if personal {
        show::mark_erased(&mut payload);
    } else {
        show::without_personal(&mut payload);
        pseudonyms::put(&town.vault, &mut payload);
        metadata.actor = town.vault.pseudonym("account", &metadata.actor);
    }
    let id = |id: Option<uuid::Uuid>| id.map(|i| i.to_string()).unwrap_or_default();
    Ok(RecordedEventMessage {
        position: event.position.get(),
        stream: event.stream.as_str().to_owned(),
        revision: event.revision.get(),
        r#type: event.event_type.to_string(),
        schema_version: u32::from(event.schema_version),
        event_id: event.id.to_string(),
        occur_time: Some(timestamp_message(event.occurred_at)),
        record_time: Some(timestamp_message(event.recorded_at)),
        payload_json: payload.to_string(),
        actor: metadata.actor,
        role: metadata.role,
        request_id: id(metadata.request_id),
        correlation_id: metadata.correlation_id.to_string(),
        causation_id: id(metadata.causation_id),
        rules_version: metadata.rules_version,
        on_behalf_of_party_id: metadata.on_behalf_of.unwrap_or_default(),
    })
}
