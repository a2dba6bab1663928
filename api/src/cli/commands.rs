//! The commands of the domain and the rpc that each is.

/// Every command that people may send, by its stable name, with the method of the contract.
pub const RPCS: &[(&str, &str)] = &[
    ("residency.declare", "pratica.residency.v1.ResidencyService/FileDeclaration"),
    ("residency.complete", "pratica.residency.v1.ResidencyService/CompleteDeclaration"),
    ("residency.find_irreceivable", "pratica.residency.v1.ResidencyService/FindIrreceivable"),
    ("residency.register", "pratica.residency.v1.ResidencyService/RegisterDeclaration"),
    ("residency.record_visit", "pratica.residency.v1.ResidencyService/RecordVisit"),
    ("residency.confirm", "pratica.residency.v1.ResidencyService/ConfirmResidency"),
    ("residency.restore_position", "pratica.residency.v1.ResidencyService/RestorePosition"),
    ("residency.supersede", "pratica.residency.v1.ResidencyService/SupersedeCase"),
    ("residency.end_by_fact", "pratica.residency.v1.ResidencyService/EndByFact"),
    ("residency.open_ex_officio", "pratica.residency.v1.ResidencyService/OpenExOfficio"),
    ("residency.invite", "pratica.residency.v1.ResidencyService/InvitePerson"),
    ("residency.register_ex_officio", "pratica.residency.v1.ResidencyService/RegisterExOfficio"),
    ("residency.cancel", "pratica.residency.v1.ResidencyService/CancelPerson"),
    ("residency.record_consular_form", "pratica.residency.v1.ResidencyService/RecordConsularForm"),
    ("residency.report", "pratica.residency.v1.ResidencyService/RecordReport"),
    ("case.add_party", "pratica.cases.v1.CaseworkService/AddParty"),
    ("case.grant_representation", "pratica.cases.v1.CaseworkService/GrantRepresentation"),
    ("case.end_representation", "pratica.cases.v1.CaseworkService/EndRepresentation"),
    ("case.assign", "pratica.cases.v1.CaseworkService/AssignCase"),
    ("case.name_responsible", "pratica.cases.v1.CaseworkService/NameResponsible"),
    ("case.declare_conflict", "pratica.cases.v1.CaseworkService/DeclareConflict"),
    ("case.add_note", "pratica.cases.v1.CaseworkService/AddNote"),
    ("case.send_message", "pratica.cases.v1.CaseworkService/SendMessage"),
    ("case.add_document", "pratica.cases.v1.CaseworkService/AddDocument"),
    ("case.send_request", "pratica.cases.v1.CaseworkService/SendRequest"),
    ("case.answer_request", "pratica.cases.v1.CaseworkService/AnswerRequest"),
    ("case.cancel_request", "pratica.cases.v1.CaseworkService/CancelRequest"),
    ("case.send_notice", "pratica.cases.v1.CaseworkService/SendRejectionNotice"),
    ("case.record_notice_receipt", "pratica.cases.v1.CaseworkService/RecordNoticeReceipt"),
    ("case.file_observations", "pratica.cases.v1.CaseworkService/FileObservations"),
    ("case.link", "pratica.cases.v1.CaseworkService/LinkCase"),
    ("case.propose", "pratica.cases.v1.CaseworkService/ProposeDecision"),
    ("case.withdraw_proposal", "pratica.cases.v1.CaseworkService/WithdrawProposal"),
    ("case.withdraw", "pratica.cases.v1.CaseworkService/WithdrawCase"),
    ("case.reopen", "pratica.cases.v1.CaseworkService/ReopenCase"),
    ("case.suspend_term", "pratica.cases.v1.CaseworkService/SuspendTerm"),
    ("case.resume_term", "pratica.cases.v1.CaseworkService/ResumeTerm"),
    ("case.extend_term", "pratica.cases.v1.CaseworkService/ExtendTerm"),
];

/// The method of a command.
pub fn rpc(command: &str) -> Option<&'static str> {
    RPCS.iter().find(|(name, _)| *name == command).map(|(_, method)| *method)
}
