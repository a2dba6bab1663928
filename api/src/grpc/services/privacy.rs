//! Who saw what, for the data-protection officer and for citizens about their own cases; legal
//! holds and erasures, for who keeps the archive.

use super::Shared;
use super::cases::visible_case;
use super::shared::{Call, at_least, page_size, rpcs};
use crate::app::house::Open;
use crate::app::policy::{self, Area};
use crate::app::{AppError, Violation, erasure, handler, load};
use crate::grpc::convert::{Fields, date_message, papers as read, timestamp_message};
use crate::grpc::show;
use crate::grpc::status::status;
use jiff::civil::Date;
use pratica_domain::ids::CaseId;
use pratica_domain::term::rome_date;
use pratica_domain::{Case, Role};
use pratica_projections::{DisposalRow, DisposalStage};
use pratica_proto::privacy::v1::privacy_service_server::PrivacyService;
use pratica_proto::privacy::v1::*;
use pratica_store::BlindIndex;
use pratica_store::access::AccessFilter;
use pratica_store::vault::Find;
use tonic::{Request, Response, Status};

/// How many cases a page of erasures holds, and at most.
const PAGE: (usize, usize) = (100, 500);

rpcs! { PrivacyService:
    place_hold: PlaceHoldRequest => PlaceHoldResponse,
    lift_hold: LiftHoldRequest => LiftHoldResponse,
    propose_erasure: ProposeErasureRequest => ProposeErasureResponse,
    authorise_erasure: AuthoriseErasureRequest => AuthoriseErasureResponse;

    async fn list_accesses(
        &self,
        request: Request<ListAccessesRequest>,
    ) -> Result<Response<ListAccessesResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let officer = policy::may_use(&call.principal, Area::Access);
            if !officer && call.principal.role != Role::Citizen {
                return Err(AppError::Denied);
            }
            let case = if officer {
                let invalid =
                    |_| AppError::Invalid(vec![Violation::new("case_id", "a case's id, or empty")]);
                let id = Some(m.case_id.as_str()).filter(|id| !id.is_empty());
                id.map(str::parse::<uuid::Uuid>).transpose().map_err(invalid)?
            } else {
                let (id, _) = visible_case(&call, open, &m.case_id).await?;
                Some(id.0)
            };
            let vault = &open.town.vault;
            let searched = Some(m.searched_for.as_str()).filter(|s| officer && !s.is_empty());
            let details = searched.map(|text| {
                [Find::FiscalCode(text), Find::Name(text), Find::Address(text), Find::Parcel(text)]
                    .into_iter()
                    .filter_map(|find| vault.find(find))
                    .map(|key| key.to_string())
                    .collect()
            });
            let filter = AccessFilter {
                case,
                account: Some(m.account).filter(|a| officer && !a.is_empty()),
                details,
                before: Some(m.before_id).filter(|id| *id > 0),
                limit: page_size(m.page_size, 100, 500),
            };
            let read = |e| AppError::store("reading the record of access", e);
            open.access.flush().await.map_err(read)?;
            let access = std::sync::Arc::clone(&open.access);
            let found = tokio::task::spawn_blocking(move || access.list(&filter))
                .await
                .map_err(|e| AppError::Fault {
                    doing: "reading the record of access",
                    source: Box::new(e),
                    transient: true,
                })?
                .map_err(read)?;
            let accesses = found
                .into_iter()
                .map(|recorded| AccessEntry {
                    id: recorded.id,
                    access_time: Some(timestamp_message(recorded.access.at)),
                    account: if officer { recorded.access.account } else { String::new() },
                    role: recorded.access.role,
                    access_right: recorded.access.right,
                    method: recorded.access.method,
                    detail: if officer { recorded.access.detail } else { String::new() },
                })
                .collect();
            Ok(ListAccessesResponse { accesses })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn list_erasures(
        &self,
        request: Request<ListErasuresRequest>,
    ) -> Result<Response<ListErasuresResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town_for(&call, &m.comune, Area::Papers)?;
            at_least(open, m.min_position).await?;
            let mut fields = Fields::default();
            let stage = fields.choice("stage", m.stage, |stage: ErasureStage| Some(match stage {
                ErasureStage::Unspecified => return None,
                ErasureStage::Due => None,
                ErasureStage::Proposed => Some(DisposalStage::Proposed),
                ErasureStage::Authorised => Some(DisposalStage::Authorised),
                ErasureStage::Erased => Some(DisposalStage::Erased),
                ErasureStage::Held => Some(DisposalStage::Held),
            }));
            let stage = fields.finish(stage)?;
            let size = page_size(m.page_size, PAGE.0, PAGE.1);
            let rows = match stage {
                None => erasure::due(&open.town, size).await?,
                Some(stage) => {
                    let after = i64::try_from(m.after).unwrap_or(i64::MAX);
                    let found = open.town.views.disposals(stage, after, size).await;
                    found.map_err(AppError::views)?.value
                }
            };
            let last = rows.last().map_or(0, |row| row.key.unsigned_abs());
            let next_after = if stage.is_some() && rows.len() == size { last } else { 0 };
            let today = rome_date(open.town.clock.now());
            let mut erasures = Vec::with_capacity(rows.len());
            for row in rows {
                if let Some((case, _)) = load::sealed(&open.town, row.case).await? {
                    erasures.push(view(open, &row, &case, today));
                }
            }
            Ok(ListErasuresResponse { erasures, next_after })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_erasure_receipt(
        &self,
        request: Request<GetErasureReceiptRequest>,
    ) -> Result<Response<GetErasureReceiptResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async { self.erasure_receipt(&call, &m).await };
        answer.await.map(Response::new).map_err(status)
    }
}

impl Shared {
    async fn erasure_receipt(
        &self,
        call: &Call,
        m: &GetErasureReceiptRequest,
    ) -> Result<GetErasureReceiptResponse, AppError> {
        let open = self.town_for(call, &m.comune, Area::Papers)?;
        let mut fields = Fields::default();
        let id = fields.parse::<CaseId>("case_id", &m.case_id);
        let id = fields.finish(id)?;
        let record = erasure::record_of(&open.town, id).await?;
        let receipt = open.evidence.receipt(&record.recorded).await?;
        let (keys, erased_on) = (record.event.keys, record.event.erased_on);
        let event = pratica_domain::Event::Case(record.event.into());
        Ok(GetErasureReceiptResponse {
            receipt: receipt.to_string(),
            text: show::told(call.language(""), &event),
            authorisation_reference: record.reference,
            keys,
            erase_date: Some(date_message(erased_on)),
            verification_key: open.evidence.verifier().to_string(),
        })
    }
}

/// A case on the way to its end, with nothing personal.
fn view(open: &Open, row: &DisposalRow, case: &Case, today: Date) -> ErasureView {
    let rules = open.town.rules.book.in_force_on(today);
    let retention = rules.and_then(|rules| rules.retention_of(&row.procedure, &row.kind));
    let until = retention.zip(row.closed_on).and_then(|(r, ended)| r.keep.until(ended));
    let stage = match (row.stage.as_str(), row.held) {
        (_, true) => ErasureStage::Held,
        ("proposed", _) => ErasureStage::Proposed,
        ("authorised", _) => ErasureStage::Authorised,
        ("erased", _) => ErasureStage::Erased,
        _ => ErasureStage::Due,
    };
    let holds = case.file.disposal.holds.iter().filter(|(_, stands)| **stands);
    ErasureView {
        case_id: row.case.to_string(),
        procedure: row.procedure.clone(),
        kind: row.kind.clone(),
        close_date: row.closed_on.map(date_message),
        retention_class: retention.map(|r| r.class.clone()).unwrap_or_default(),
        keep_until_date: until.map(date_message),
        stage: stage.into(),
        etag: handler::etag(case),
        erase_date: row.erased_on.map(date_message),
        hold_ids: holds.map(|(hold, _)| hold.to_string()).collect(),
    }
}
