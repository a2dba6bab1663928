//! The commands of the building permit.

use super::Shared;
use super::cases::visible_case;
use super::shared::{at_least, opening, rpcs};
use crate::app::AppError;
use crate::grpc::convert::permit as read;
use crate::grpc::show;
use crate::grpc::status::status;
use pratica_domain::case::Procedure;
use pratica_proto::permit::v1::permit_service_server::PermitService;
use pratica_proto::permit::v1::*;
use tonic::{Request, Response, Status};

opening!(FilePermitRequest);

rpcs! { PermitService:
    find_irreceivable: FindIrreceivableRequest => FindIrreceivableResponse,
    request_additions: RequestAdditionsRequest => RequestAdditionsResponse,
    request_changes: RequestChangesRequest => RequestChangesResponse,
    answer_changes: AnswerChangesRequest => AnswerChangesResponse,
    declare_complex: DeclareComplexRequest => DeclareComplexResponse,
    apply_safeguards: ApplySafeguardsRequest => ApplySafeguardsResponse,
    end_safeguards: EndSafeguardsRequest => EndSafeguardsResponse,
    record_constraints: RecordConstraintsRequest => RecordConstraintsResponse,
    request_opinion: RequestOpinionRequest => RequestOpinionResponse,
    interrupt_opinion: InterruptOpinionRequest => InterruptOpinionResponse,
    resume_opinion: ResumeOpinionRequest => ResumeOpinionResponse,
    record_opinion: RecordOpinionRequest => RecordOpinionResponse,
    convene_conference: ConveneConferenceRequest => ConveneConferenceResponse,
    record_determination: RecordDeterminationRequest => RecordDeterminationResponse,
    open_meeting: OpenMeetingRequest => OpenMeetingResponse,
    conclude_conference: ConcludeConferenceRequest => ConcludeConferenceResponse,
    raise_opposition: RaiseOppositionRequest => RaiseOppositionResponse,
    end_opposition: EndOppositionRequest => EndOppositionResponse,
    issue_permit: IssuePermitRequest => IssuePermitResponse,
    refuse_permit: RefusePermitRequest => RefusePermitResponse,
    archive_application: ArchiveApplicationRequest => ArchiveApplicationResponse,
    request_attestation: RequestAttestationRequest => RequestAttestationResponse,
    answer_attestation: AnswerAttestationRequest => AnswerAttestationResponse,
    invoke_substitute: InvokeSubstituteRequest => InvokeSubstituteResponse,
    annul_permit: AnnulPermitRequest => AnnulPermitResponse,
    record_contest: RecordContestRequest => RecordContestResponse,
    publish_permit: PublishPermitRequest => PublishPermitResponse,
    determine_contribution: DetermineContributionRequest => DetermineContributionResponse,
    offset_contribution: OffsetContributionRequest => OffsetContributionResponse,
    record_payment: RecordPaymentRequest => RecordPaymentResponse,
    start_works: StartWorksRequest => StartWorksResponse,
    finish_works: FinishWorksRequest => FinishWorksResponse,
    request_extension: RequestExtensionRequest => RequestExtensionResponse,
    grant_extension: GrantExtensionRequest => GrantExtensionResponse,
    refuse_extension: RefuseExtensionRequest => RefuseExtensionResponse,
    extend_by_law: ExtendByLawRequest => ExtendByLawResponse,
    declare_lapse: DeclareLapseRequest => DeclareLapseResponse,
    transfer_permit: TransferPermitRequest => TransferPermitResponse,
    report_usability: ReportUsabilityRequest => ReportUsabilityResponse,
    order_conformation: OrderConformationRequest => OrderConformationResponse,
    report_conformation: ReportConformationRequest => ReportConformationResponse,
    prohibit_activity: ProhibitActivityRequest => ProhibitActivityResponse;

    async fn get_permit(
        &self,
        request: Request<GetPermitRequest>,
    ) -> Result<Response<GetPermitResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            at_least(open, m.min_position).await?;
            let (_, case) = visible_case(&call, open, &m.case_id).await?;
            let permit = show::permit(&open.town, &case)?;
            let head =
                open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
            Ok(GetPermitResponse { permit: Some(permit), as_of_position: head.get() })
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn file_permit(
        &self,
        request: Request<FilePermitRequest>,
    ) -> Result<Response<FilePermitResponse>, Status> {
        let outcome = self
            .command(
                request,
                "file_permit",
                Some(Procedure::Permit),
                |message, fields, asking, open| {
                    let office = open.town.settings.office(Procedure::Permit).ok()?;
                    let now = open.town.clock.now();
                    read::file_permit(message, fields, asking, office, now).map(Into::into)
                },
            )
            .await?;
        Ok(Response::new(FilePermitResponse { outcome: Some(outcome) }))
    }
}
