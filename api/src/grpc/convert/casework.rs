//! Messages of the common commands to domain commands.

use super::Fields;
use crate::app::Principal;
use jiff::civil::Date;
use pratica_domain::Role;
use pratica_domain::case::{
    Command, DeliveryMode, Direction, LinkKind, PartyRole, ReopeningGround, RepresentationTitle,
    RequestKind, Tenor, TermKey,
};
use pratica_domain::ids::OfficerId;
use pratica_proto::cases::v1 as proto;
use pratica_proto::common::v1 as common;

/// Who asks and on which day, for what a message may leave out.
pub(crate) struct Asking<'a> {
    pub(crate) principal: &'a Principal,
    pub(crate) today: Date,
}

pub(crate) fn direction(f: &mut Fields, field: &str, number: i32) -> Option<Direction> {
    f.choice(field, number, |d: common::Direction| match d {
        common::Direction::Unspecified => None,
        common::Direction::Incoming => Some(Direction::Incoming),
        common::Direction::Outgoing => Some(Direction::Outgoing),
        common::Direction::Internal => Some(Direction::Internal),
    })
}

fn mode(f: &mut Fields, number: i32) -> Option<DeliveryMode> {
    f.choice("mode", number, |m: proto::DeliveryMode| match m {
        proto::DeliveryMode::Unspecified => None,
        proto::DeliveryMode::Pec => Some(DeliveryMode::Pec),
        proto::DeliveryMode::Send => Some(DeliveryMode::Send),
        proto::DeliveryMode::RegisteredLetter => Some(DeliveryMode::RegisteredLetter),
        proto::DeliveryMode::Hand => Some(DeliveryMode::Hand),
        proto::DeliveryMode::Deemed => Some(DeliveryMode::Deemed),
    })
}

fn term(f: &mut Fields, field: &str, text: &str) -> Option<TermKey> {
    // Refusals quote it, so that it is a term's name or nothing.
    let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._#-".contains(c);
    let text = text.trim();
    if text.is_empty() || !text.chars().all(named) {
        f.refuse(field, "required: a term of the case, such as residency.checks");
        return None;
    }
    Some(TermKey::of(text))
}

fn officer_optional(f: &mut Fields, text: &str) -> Option<Option<OfficerId>> {
    f.parse_optional("officer", text)
}

pub(crate) fn add_party(
    m: proto::AddPartyRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let role = f.choice("role", m.role, |r: proto::PartyRole| match r {
        proto::PartyRole::Unspecified => None,
        proto::PartyRole::Applicant => Some(PartyRole::Applicant),
        proto::PartyRole::Member => Some(PartyRole::Member),
        proto::PartyRole::Intervener => Some(PartyRole::Intervener),
        proto::PartyRole::Representative => Some(PartyRole::Representative),
    });
    let person = f.person("person", m.person);
    let account = f.parse_optional::<OfficerId>("account", &m.account);
    Some(Command::AddParty {
        role: role?,
        person: person?,
        account: account?.map(|a| a.to_string()),
    })
}

pub(crate) fn grant_representation(
    m: proto::GrantRepresentationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let agent = f.parse("agent_party_id", &m.agent_party_id);
    let principal = f.parse("principal_party_id", &m.principal_party_id);
    let title = f.choice("title", m.title, |t: proto::RepresentationTitle| match t {
        proto::RepresentationTitle::Unspecified => None,
        proto::RepresentationTitle::Parent => Some(RepresentationTitle::Parent),
        proto::RepresentationTitle::Guardian => Some(RepresentationTitle::Guardian),
        proto::RepresentationTitle::Mandate => Some(RepresentationTitle::Mandate),
        proto::RepresentationTitle::Heir => Some(RepresentationTitle::Heir),
        proto::RepresentationTitle::Company => Some(RepresentationTitle::Company),
    });
    let evidence = f.parse_optional("evidence_document_id", &m.evidence_document_id);
    let until = f.date_optional("until_date", m.until_date);
    Some(Command::GrantRepresentation {
        agent: agent?,
        principal: principal?,
        title: title?,
        evidence: evidence?,
        until: until?,
    })
}

pub(crate) fn end_representation(
    m: proto::EndRepresentationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let representation = f.parse("representation_id", &m.representation_id);
    let reason = f.text("reason", m.reason);
    Some(Command::EndRepresentation { representation: representation?, reason: reason? })
}

pub(crate) fn assign_case(
    m: proto::AssignCaseRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let office = f.parse("office", &m.office);
    let officer = officer_optional(f, &m.officer);
    let reason = f.text("reason", m.reason);
    Some(Command::Assign { office: office?, officer: officer?, reason: reason? })
}

pub(crate) fn name_responsible(
    m: proto::NameResponsibleRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let officer = f.parse("officer", &m.officer);
    Some(Command::NameResponsible { officer: officer? })
}

pub(crate) fn declare_conflict(
    m: proto::DeclareConflictRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let officer = officer_optional(f, &m.officer);
    let reason = f.text("reason", m.reason);
    let officer = officer?.unwrap_or_else(|| asking.principal.account.clone());
    Some(Command::DeclareConflict { officer, reason: reason? })
}

pub(crate) fn add_note(
    m: proto::AddNoteRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let text = f.text("text", m.text);
    Some(Command::AddNote { text: text? })
}

pub(crate) fn send_message(
    m: proto::SendMessageRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let direction = if asking.principal.role == Role::Citizen {
        Some(Direction::Incoming)
    } else {
        direction(f, "direction", m.direction)
    };
    let text = f.text("text", m.text);
    let documents = f.parse_all("document_ids", &m.document_ids);
    Some(Command::SendMessage { direction: direction?, text: text?, documents: documents? })
}

pub(crate) fn add_document(
    m: proto::AddDocumentRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let document = f.document("document", m.document);
    let direction = if asking.principal.role == Role::Citizen {
        Some(Direction::Incoming)
    } else {
        direction(f, "direction", m.direction)
    };
    let dated_on = f.date_or("document_date", m.document_date, asking.today);
    let replaces = f.parse_optional("replaces_document_id", &m.replaces_document_id);
    let document = document?;
    Some(Command::AddDocument {
        kind: document.kind,
        media_type: document.media_type,
        size_bytes: document.size_bytes,
        sha256: document.sha256,
        direction: direction?,
        dated_on: dated_on?,
        replaces: replaces?,
    })
}

pub(crate) fn send_request(
    m: proto::SendRequestRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let kind = f.choice("kind", m.kind, |k: proto::RequestKind| match k {
        proto::RequestKind::Unspecified => None,
        proto::RequestKind::Additions => Some(RequestKind::Additions),
        proto::RequestKind::Correction => Some(RequestKind::Correction),
        proto::RequestKind::Clarification => Some(RequestKind::Clarification),
        proto::RequestKind::Payment => Some(RequestKind::Payment),
        proto::RequestKind::Appearance => Some(RequestKind::Appearance),
    });
    let text = f.text("text", m.text);
    let sent_on = f.date_or("send_date", m.send_date, asking.today);
    let answer_within = f.length("answer_within", m.answer_within);
    let suspends = match m.suspends_term.as_str() {
        "" => Some(None),
        text => term(f, "suspends_term", text).map(Some),
    };
    Some(Command::SendRequest {
        kind: kind?,
        text: text?,
        sent_on: sent_on?,
        answer_within: answer_within?,
        suspends: suspends?,
    })
}

pub(crate) fn answer_request(
    m: proto::AnswerRequestRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let request = f.parse("request_entry_id", &m.request_entry_id);
    let answered_on = f.date_or("answer_date", m.answer_date, asking.today);
    let documents = f.parse_all("document_ids", &m.document_ids);
    Some(Command::AnswerRequest {
        request: request?,
        answered_on: answered_on?,
        documents: documents?,
    })
}

pub(crate) fn cancel_request(
    m: proto::CancelRequestRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let request = f.parse("request_entry_id", &m.request_entry_id);
    let reason = f.text("reason", m.reason);
    Some(Command::CancelRequest { request: request?, reason: reason? })
}

pub(crate) fn send_rejection_notice(
    m: proto::SendRejectionNoticeRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let reasons: Vec<Option<String>> = m
        .reasons
        .into_iter()
        .enumerate()
        .map(|(i, r)| f.text(&format!("reasons[{i}]"), r))
        .collect();
    let sent_on = f.date_or("send_date", m.send_date, asking.today);
    let mode = mode(f, m.mode);
    Some(Command::SendNotice {
        reasons: reasons.into_iter().collect::<Option<_>>()?,
        sent_on: sent_on?,
        mode: mode?,
    })
}

pub(crate) fn record_notice_receipt(
    m: proto::RecordNoticeReceiptRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let received_on = f.date_or("receive_date", m.receive_date, asking.today);
    let mode = mode(f, m.mode);
    Some(Command::RecordNoticeReceipt { received_on: received_on?, mode: mode? })
}

pub(crate) fn file_observations(
    m: proto::FileObservationsRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    // Only the counter may say that observations came on an earlier day.
    let date = if asking.principal.role == Role::Citizen { None } else { m.file_date };
    let filed_on = f.date_or("file_date", date, asking.today);
    let text = f.text("text", m.text);
    let documents = f.parse_all("document_ids", &m.document_ids);
    Some(Command::FileObservations { filed_on: filed_on?, text: text?, documents: documents? })
}

pub(crate) fn link_case(
    m: proto::LinkCaseRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let other = f.parse("other_case_id", &m.other_case_id);
    let kind = f.choice("kind", m.kind, |k: proto::LinkKind| match k {
        proto::LinkKind::Unspecified => None,
        proto::LinkKind::VariantOf => Some(LinkKind::VariantOf),
        proto::LinkKind::CorrectionOf => Some(LinkKind::CorrectionOf),
        proto::LinkKind::FollowUpOf => Some(LinkKind::FollowUpOf),
        proto::LinkKind::Supersedes => Some(LinkKind::Supersedes),
        proto::LinkKind::SameHousehold => Some(LinkKind::SameHousehold),
        proto::LinkKind::Siblings => Some(LinkKind::Siblings),
    });
    Some(Command::Link { other: other?, kind: kind? })
}

pub(crate) fn propose_decision(
    m: proto::ProposeDecisionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let outcome = f.choice("tenor", m.tenor, |t: proto::Tenor| match t {
        proto::Tenor::Unspecified => None,
        proto::Tenor::Favourable => Some(Tenor::Favourable),
        proto::Tenor::Negative => Some(Tenor::Negative),
    });
    let reasons = f.text("reasons", m.reasons);
    Some(Command::Propose { outcome: outcome?, reasons: reasons? })
}

pub(crate) fn withdraw_proposal(
    m: proto::WithdrawProposalRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reason = f.text("reason", m.reason);
    Some(Command::WithdrawProposal { reason: reason? })
}

pub(crate) fn withdraw_case(
    m: proto::WithdrawCaseRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reason = f.text("reason", m.reason);
    Some(Command::Withdraw { reason: Some(reason?).filter(|r| !r.trim().is_empty()) })
}

pub(crate) fn reopen_case(
    m: proto::ReopenCaseRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let ground = f.choice("ground", m.ground, |g: proto::ReopeningGround| match g {
        proto::ReopeningGround::Unspecified => None,
        proto::ReopeningGround::JudicialAnnulment => Some(ReopeningGround::JudicialAnnulment),
        proto::ReopeningGround::AppealUpheld => Some(ReopeningGround::AppealUpheld),
        proto::ReopeningGround::OwnAnnulment => Some(ReopeningGround::OwnAnnulment),
    });
    let reference = f.text("reference", m.reference);
    Some(Command::Reopen { ground: ground?, reference: reference? })
}

pub(crate) fn suspend_term(
    m: proto::SuspendTermRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let term = term(f, "term", &m.term);
    let suspended_on = f.date_or("suspend_date", m.suspend_date, asking.today);
    let reason = f.text("reason", m.reason);
    Some(Command::SuspendTerm { term: term?, suspended_on: suspended_on?, reason: reason? })
}

pub(crate) fn resume_term(
    m: proto::ResumeTermRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let suspension = f.parse("suspension_id", &m.suspension_id);
    let resumed_on = f.date_or("resume_date", m.resume_date, asking.today);
    Some(Command::ResumeTerm { suspension: suspension?, resumed_on: resumed_on? })
}

pub(crate) fn extend_term(
    m: proto::ExtendTermRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let term = term(f, "term", &m.term);
    let by = f.length("by", m.by);
    let reason = f.text("reason", m.reason);
    let basis = f.text("basis", m.basis);
    Some(Command::ExtendTerm { term: term?, by: by?, reason: reason?, basis: basis? })
}
