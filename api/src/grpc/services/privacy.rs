//! Who saw what: for the data-protection officer, and for citizens about their own cases.

use super::Shared;
use super::cases::visible_case;
use super::shared::page_size;
use crate::app::policy::{self, Area};
use crate::app::{AppError, Violation};
use crate::grpc::convert::timestamp_message;
use crate::grpc::status::status;
use pratica_domain::Role;
use pratica_proto::privacy::v1::privacy_service_server::PrivacyService;
use pratica_proto::privacy::v1::*;
use pratica_store::BlindIndex;
use pratica_store::access::AccessFilter;
use pratica_store::vault::Find;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl PrivacyService for Shared {
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
                    .map(|key| key.key)
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
}
