//! The commands of the residency change.

use super::Shared;
use super::shared::{on, opening, rpcs};
use crate::app::load;
use crate::grpc::convert::residency as read;
use crate::grpc::status::status;
use pratica_domain::ProcedureState;
use pratica_domain::case::Procedure;
use pratica_domain::ids::CaseId;
use pratica_domain::residency::Kind;
use pratica_proto::residency::v1::residency_service_server::ResidencyService;
use pratica_proto::residency::v1::*;
use tonic::{Request, Response, Status};

on!(case_id: CompleteDeclarationRequest);
opening!(FileDeclarationRequest, OpenExOfficioRequest);

rpcs! { ResidencyService:
    find_irreceivable: FindIrreceivableRequest => FindIrreceivableResponse,
    register_declaration: RegisterDeclarationRequest => RegisterDeclarationResponse,
    record_visit: RecordVisitRequest => RecordVisitResponse,
    confirm_residency: ConfirmResidencyRequest => ConfirmResidencyResponse,
    restore_position: RestorePositionRequest => RestorePositionResponse,
    supersede_case: SupersedeCaseRequest => SupersedeCaseResponse,
    end_by_fact: EndByFactRequest => EndByFactResponse,
    invite_person: InvitePersonRequest => InvitePersonResponse,
    register_ex_officio: RegisterExOfficioRequest => RegisterExOfficioResponse,
    cancel_person: CancelPersonRequest => CancelPersonResponse,
    record_consular_form: RecordConsularFormRequest => RecordConsularFormResponse,
    record_report: RecordReportRequest => RecordReportResponse;

    async fn file_declaration(
        &self,
        request: Request<FileDeclarationRequest>,
    ) -> Result<Response<FileDeclarationResponse>, Status> {
        let outcome = self
            .command(
                request,
                "file_declaration",
                Some(Procedure::Residency),
                |message, fields, asking, open| {
                    let office = open.town.settings.office(Procedure::Residency).ok()?;
                    let now = open.town.clock.now();
                    read::file_declaration(message, fields, asking, office, now).map(Into::into)
                },
            )
            .await?;
        Ok(Response::new(FileDeclarationResponse { outcome: Some(outcome) }))
    }

    async fn open_ex_officio(
        &self,
        request: Request<OpenExOfficioRequest>,
    ) -> Result<Response<OpenExOfficioResponse>, Status> {
        let outcome = self
            .command(
                request,
                "open_ex_officio",
                Some(Procedure::Residency),
                |message, fields, _, open| {
                    let office = open.town.settings.office(Procedure::Residency).ok()?;
                    read::open_ex_officio(message, fields, office).map(Into::into)
                },
            )
            .await?;
        Ok(Response::new(OpenExOfficioResponse { outcome: Some(outcome) }))
    }

    async fn complete_declaration(
        &self,
        request: Request<CompleteDeclarationRequest>,
    ) -> Result<Response<CompleteDeclarationResponse>, Status> {
        let kind = self.declared_kind(&request).await.map_err(status)?;
        let outcome = self
            .command(request, "complete_declaration", None, |message, fields, asking, _| {
                read::complete_declaration(message, fields, asking, kind).map(Into::into)
            })
            .await?;
        Ok(Response::new(CompleteDeclarationResponse { outcome: Some(outcome) }))
    }
}

impl Shared {
    /// The kind of the declaration that is completed: a completion cannot change it. For a case
    /// that is not there the command itself answers, so that nothing is learned here.
    async fn declared_kind(
        &self,
        request: &Request<CompleteDeclarationRequest>,
    ) -> Result<Kind, crate::app::AppError> {
        let message = request.get_ref();
        let comune = message.comune.parse().ok();
        let open = comune.and_then(|c| self.house.get(&c));
        let (Some(open), Ok(id)) = (open, message.case_id.parse::<CaseId>()) else {
            return Ok(Kind::FromOtherComune);
        };
        let case = load::case(&open.town, id).await?;
        let kind = case.and_then(|case| match &case.procedure {
            ProcedureState::Residency(state) => state.kind(),
            _ => None,
        });
        Ok(kind.unwrap_or(Kind::FromOtherComune))
    }
}
