//! The protocol register.

use super::Shared;
use super::shared::{Call, accessed, at_least, fingerprint, page_size, view_error};
use crate::app::AppError;
use crate::app::house::Open;
use crate::app::policy::Area;
use crate::app::register::{Numbered, daily_hash};
use crate::grpc::convert::{Fields, casework};
use crate::grpc::show;
use crate::grpc::status::status;
use pratica_domain::ids::{ProtocolNumber, SubjectId, derived};
use pratica_domain::people::Personal;
use pratica_domain::register::{ActCommand, Entry};
use pratica_domain::term::rome_date;
use pratica_projections::PageRequest;
use pratica_proto::register::v1::register_service_server::RegisterService;
use pratica_proto::register::v1::*;
use tonic::{Request, Response, Status};
use uuid::Uuid;

#[tonic::async_trait]
impl RegisterService for Shared {
    async fn list_registrations(
        &self,
        request: Request<ListRegistrationsRequest>,
    ) -> Result<Response<ListRegistrationsResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Register)?;
            at_least(open, m.min_position).await?;
            let mut f = Fields::default();
            let day = f.date_optional("register_date", m.register_date);
            let today = rome_date(open.town.clock.now());
            let year = match i16::try_from(m.year) {
                Ok(0) => Some(today.year()),
                Ok(year) if (1800..2200).contains(&year) => Some(year),
                _ => {
                    f.refuse("year", "a year, or 0 for the present one");
                    None
                }
            };
            let (year, day) = f.finish(year.zip(day))?;
            let page = PageRequest {
                size: page_size(m.page_size, 50, 200),
                after: (!m.page_token.is_empty()).then_some(m.page_token),
            };
            let found =
                open.town.views.register_list(year, day, &page).await.map_err(view_error)?;
            accessed(&call, open, found.value.rows.iter().filter_map(|r| r.case), String::new());
            Ok(ListRegistrationsResponse {
                registrations: found
                    .value
                    .rows
                    .iter()
                    .map(|r| show::registration(&open.town, r))
                    .collect::<Result<_, _>>()?,
                next_page_token: found.value.next.unwrap_or_default(),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_registration(
        &self,
        request: Request<GetRegistrationRequest>,
    ) -> Result<Response<GetRegistrationResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Register)?;
            at_least(open, m.min_position).await?;
            let mut f = Fields::default();
            let number = f.parse::<ProtocolNumber>("number", &m.number);
            let number = f.finish(number)?;
            let found = open.town.views.registration(number).await.map_err(view_error)?;
            let row = found.value.ok_or(AppError::NotFound("registration"))?;
            accessed(&call, open, row.case, String::new());
            Ok(GetRegistrationResponse {
                registration: Some(show::registration(&open.town, &row)?),
                as_of_position: found.position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn register_document(
        &self,
        request: Request<RegisterDocumentRequest>,
    ) -> Result<Response<RegisterDocumentResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::RegisterDesk)?;
            let today = rome_date(open.town.clock.now());
            let mut f = Fields::default();
            let request_id = f.request_id(&m.request_id);
            let direction = casework::direction(&mut f, "direction", m.direction);
            let correspondent = f.required("correspondent", m.correspondent);
            let object = f.required("object", m.object);
            let document = f.document("document", m.document);
            let filed_on = f.date_or("filing_date", m.filing_date, today);
            let entry = entry(request_id, direction, correspondent, object, document, filed_on);
            let (request_id, entry) = f.finish(request_id.zip(entry))?;
            let numbered = Numbered { entry, request_id, causation_id: None };
            let numbers = open.desk.register(&[&numbered]).await?;
            let number = numbers.first().map(|(n, _)| show::number(*n));
            let head = head(open).await?;
            Ok(RegisterDocumentResponse { number, position: head })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn annul_registration(
        &self,
        request: Request<AnnulRegistrationRequest>,
    ) -> Result<Response<AnnulRegistrationResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::RegisterDesk)?;
            let hash = fingerprint(&open.town, &call.principal, "annul_registration", &m);
            let mut f = Fields::default();
            let request_id = f.request_id(&m.request_id);
            let number = f.parse::<ProtocolNumber>("number", &m.number);
            let reason = f.text("reason", m.reason);
            let authorisation = f.text("authorisation", m.authorisation);
            let ready = match (request_id, number, reason, authorisation) {
                (Some(id), Some(number), Some(reason), Some(authorisation)) => {
                    Some((id, number, ActCommand::Annul { number, reason, authorisation }))
                }
                _ => None,
            };
            let (id, number, command) = f.finish(ready)?;
            let position = open.desk.act(&call.principal, number.year, &command, id, hash).await?;
            Ok(AnnulRegistrationResponse { position: position.get() })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn close_day(
        &self,
        request: Request<CloseDayRequest>,
    ) -> Result<Response<CloseDayResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::RegisterDesk)?;
            let hash = fingerprint(&open.town, &call.principal, "close_day", &m);
            let mut f = Fields::default();
            let request_id = f.request_id(&m.request_id);
            let day = f.date("day_date", m.day_date);
            let (id, day) = f.finish(request_id.zip(day))?;
            let head = head(open).await?;
            at_least(open, head).await?;
            let rows = open.town.views.registrations_of_day(day).await.map_err(view_error)?.value;
            let lines: Vec<String> = rows
                .iter()
                .map(|r| {
                    let direction = show::word(&r.direction);
                    format!("{}\t{}\t{direction}\t{}", r.number, r.registered_on, r.sha256)
                })
                .collect();
            let sha256 = daily_hash(lines.iter().map(String::as_str));
            let first = rows.first().map(|r| r.number.number);
            let last = match rows.last() {
                Some(row) => row.number.number,
                None => open
                    .town
                    .views
                    .last_number_to(day)
                    .await
                    .map_err(view_error)?
                    .value
                    .unwrap_or_default(),
            };
            let command = ActCommand::CloseDay { day, first, last, sha256: sha256.clone() };
            let position = open.desk.act(&call.principal, day.year(), &command, id, hash).await?;
            Ok(CloseDayResponse {
                first_number: first.unwrap_or_default(),
                last_number: last,
                sha256,
                position: position.get(),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn open_emergency(
        &self,
        request: Request<OpenEmergencyRequest>,
    ) -> Result<Response<OpenEmergencyResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::RegisterDesk)?;
            let hash = fingerprint(&open.town, &call.principal, "open_emergency", &m);
            let mut f = Fields::default();
            let request_id = f.request_id(&m.request_id);
            let reason = f.text("reason", m.reason);
            let opened_at = f.instant_optional("open_time", m.open_time);
            let ready = match (request_id, reason, opened_at) {
                (Some(id), Some(reason), Some(opened_at)) => Some((id, reason, opened_at)),
                _ => None,
            };
            let (id, reason, opened_at) = f.finish(ready)?;
            let now = open.town.clock.now();
            let opened_at = opened_at.unwrap_or(now);
            let year = open.desk.emergency_year().await?;
            let command = ActCommand::OpenEmergency { reason, opened_at };
            let position = open.desk.act(&call.principal, year, &command, id, hash).await?;
            Ok(OpenEmergencyResponse { position: position.get() })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn close_emergency(
        &self,
        request: Request<CloseEmergencyRequest>,
    ) -> Result<Response<CloseEmergencyResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = self.recover(&call, m);
        answer.await.map(Response::new).map_err(status)
    }
}

impl Shared {
    /// Every entry gets its number before the emergency register is closed; the same request again
    /// gives the same numbers, so that a failure half way is mended by asking again.
    async fn recover(
        &self,
        call: &Call,
        m: CloseEmergencyRequest,
    ) -> Result<CloseEmergencyResponse, AppError> {
        let open = self.town_for(call, &m.comune, Area::RegisterDesk)?;
        let hash = fingerprint(&open.town, &call.principal, "close_emergency", &m);
        let mut f = Fields::default();
        let request_id = f.request_id(&m.request_id);
        let mut numbered = Vec::with_capacity(m.entries.len());
        for (index, e) in m.entries.into_iter().enumerate() {
            let field = |name: &str| format!("entries[{index}].{name}");
            if e.emergency_number == 0 {
                f.refuse(field("emergency_number"), "required, from 1");
            }
            let direction = casework::direction(&mut f, &field("direction"), e.direction);
            let correspondent = f.required(&field("correspondent"), e.correspondent);
            let object = f.required(&field("object"), e.object);
            let document = f.document(&field("document"), e.document);
            let filed_on = f.date(&field("filing_date"), e.filing_date);
            let id = request_id.map(|id| derived(id, &format!("emergency {}", e.emergency_number)));
            if let (Some(id), Some(mut entry)) =
                (id, entry(id, direction, correspondent, object, document, filed_on))
            {
                entry.emergency_number = Some(e.emergency_number);
                numbered.push(Numbered { entry, request_id: id, causation_id: None });
            }
        }
        let request_id = f.finish(request_id)?;
        let entries: Vec<_> = numbered.iter().collect();
        let numbers = open.desk.register(&entries).await?;
        let recovered: Vec<(u32, ProtocolNumber)> = numbered
            .iter()
            .zip(&numbers)
            .filter_map(|(n, (number, _))| Some((n.entry.emergency_number?, *number)))
            .collect();
        let year = open.desk.emergency_year().await?;
        let command = ActCommand::CloseEmergency { recovered: recovered.clone() };
        let position = open.desk.act(&call.principal, year, &command, request_id, hash).await?;
        Ok(CloseEmergencyResponse {
            recovered: recovered
                .into_iter()
                .map(|(emergency_number, number)| RecoveredEntry {
                    emergency_number,
                    number: Some(show::number(number)),
                })
                .collect(),
            position: position.get(),
        })
    }
}

fn entry(
    request_id: Option<Uuid>,
    direction: Option<pratica_domain::case::Direction>,
    correspondent: Option<String>,
    object: Option<String>,
    document: Option<pratica_domain::case::Attachment>,
    filed_on: Option<jiff::civil::Date>,
) -> Option<Entry> {
    Some(Entry {
        direction: direction?,
        correspondent: Personal::new(SubjectId(request_id?), correspondent?),
        object: Personal::new(SubjectId(request_id?), object?),
        sha256: document?.sha256,
        case: None,
        document: None,
        filed_on: Some(filed_on?),
        emergency_number: None,
    })
}

async fn head(open: &Open) -> Result<u64, AppError> {
    let head = open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
    Ok(head.get())
}
