//! The commands that every procedure knows.

use super::Shared;
use super::shared::rpcs;
use crate::grpc::convert::casework as read;
use pratica_proto::cases::v1::casework_service_server::CaseworkService;
use pratica_proto::cases::v1::*;

rpcs! { CaseworkService:
    add_party: AddPartyRequest => AddPartyResponse,
    grant_representation: GrantRepresentationRequest => GrantRepresentationResponse,
    end_representation: EndRepresentationRequest => EndRepresentationResponse,
    assign_case: AssignCaseRequest => AssignCaseResponse,
    name_responsible: NameResponsibleRequest => NameResponsibleResponse,
    declare_conflict: DeclareConflictRequest => DeclareConflictResponse,
    add_note: AddNoteRequest => AddNoteResponse,
    send_message: SendMessageRequest => SendMessageResponse,
    add_document: AddDocumentRequest => AddDocumentResponse,
    send_request: SendRequestRequest => SendRequestResponse,
    answer_request: AnswerRequestRequest => AnswerRequestResponse,
    cancel_request: CancelRequestRequest => CancelRequestResponse,
    send_rejection_notice: SendRejectionNoticeRequest => SendRejectionNoticeResponse,
    record_notice_receipt: RecordNoticeReceiptRequest => RecordNoticeReceiptResponse,
    file_observations: FileObservationsRequest => FileObservationsResponse,
    link_case: LinkCaseRequest => LinkCaseResponse,
    propose_decision: ProposeDecisionRequest => ProposeDecisionResponse,
    withdraw_proposal: WithdrawProposalRequest => WithdrawProposalResponse,
    withdraw_case: WithdrawCaseRequest => WithdrawCaseResponse,
    reopen_case: ReopenCaseRequest => ReopenCaseResponse,
    suspend_term: SuspendTermRequest => SuspendTermResponse,
    resume_term: ResumeTermRequest => ResumeTermResponse,
    extend_term: ExtendTermRequest => ExtendTermResponse;
}
