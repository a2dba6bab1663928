//! Messages of the building permit to domain commands: from the application to the final act.

mod choices;
mod title;

use super::Fields;
use super::casework::Asking;
use choices::{
    conference_form, constraint, entitlement, irreceivability_ground, opinion_kind, permit_kind,
    position, tenor,
};
use jiff::Timestamp;
use pratica_domain::Role;
use pratica_domain::ids::{CaseId, OfficeId, OfficerId};
use pratica_domain::permit::{BodyForm, Command, Form, Kind, Parcel, Site};
use pratica_proto::permit::v1 as proto;

pub(crate) use title::{
    annul_permit, declare_lapse, determine_contribution, extend_by_law, finish_works,
    grant_extension, offset_contribution, order_conformation, prohibit_activity, publish_permit,
    record_contest, record_payment, refuse_extension, report_conformation, report_usability,
    request_extension, start_works, transfer_permit,
};

fn bodies(f: &mut Fields, bodies: Vec<proto::BodyInput>) -> Option<Vec<BodyForm>> {
    let read: Vec<Option<BodyForm>> = bodies
        .into_iter()
        .enumerate()
        .map(|(i, b)| {
            let name = f.required(&format!("bodies[{i}].name"), b.name);
            Some(BodyForm { name: name?, sensitive: b.sensitive })
        })
        .collect();
    read.into_iter().collect()
}

fn form(
    f: &mut Fields,
    kind: Option<Kind>,
    form: Option<proto::PermitForm>,
    asking: &Asking<'_>,
) -> Option<Form> {
    let Some(form) = form else {
        f.refuse("form", "required");
        return None;
    };
    let applicant = f.person("form.applicant", form.applicant);
    let account = f.parse_optional::<OfficerId>("form.account", &form.account);
    let unsaid = form.entitlement == i32::from(proto::Entitlement::Unspecified);
    let entitled = if unsaid {
        Some(None)
    } else {
        f.choice("form.entitlement", form.entitlement, entitlement).map(Some)
    };
    let designer = match form.designer {
        Some(person) => f.person("form.designer", Some(person)).map(Some),
        None => Some(None),
    };
    let designer_account =
        f.parse_optional::<OfficerId>("form.designer_account", &form.designer_account);
    let works = f.text("form.works", form.works);
    let address = f.address("form.address", form.address);
    let constraints = f.choices("form.constraints", &form.constraints, constraint);
    let follows = f.parse_optional::<CaseId>("form.follows_case_id", &form.follows_case_id);
    // A citizen who files takes part: as the designer on a mandate, otherwise as the applicant.
    let own =
        (asking.principal.role == Role::Citizen).then(|| asking.principal.account.to_string());
    let (own, own_designer) = if form.by_mandate { (None, own) } else { (own, None) };
    Some(Form {
        kind: kind?,
        applicant: applicant?,
        account: own.or(account?.map(|a| a.to_string())),
        entitlement: entitled?,
        designer: designer?,
        designer_account: own_designer.or(designer_account?.map(|a| a.to_string())),
        by_mandate: form.by_mandate,
        drawings: form.drawings,
        asseveration: form.asseveration,
        works: works?,
        site: Site {
            address: address?,
            parcels: form
                .parcels
                .into_iter()
                .map(|p| Parcel { sheet: p.sheet, number: p.number, unit: p.unit })
                .collect(),
        },
        constraints: constraints?.into_iter().collect(),
        authorisations_held: form.authorisations_held,
        assents_needed: form.assents_needed,
        follows: follows?,
    })
}

pub(crate) fn file_permit(
    m: proto::FilePermitRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
    office: OfficeId,
    now: Timestamp,
) -> Option<Command> {
    let kind = f.choice("kind", m.kind, permit_kind);
    let form = form(f, kind, m.form, asking);
    let citizen = asking.principal.role == Role::Citizen;
    let channel = f.channel(m.channel, citizen);
    // Only who receives paper and mail may say that a filing came earlier than now.
    let filed_at = f.instant_optional("file_time", m.file_time);
    let attachments = f.documents("attachments", m.attachments);
    let own_office = f.parse_optional::<OfficeId>("office", &m.office);
    Some(Command::File {
        form: Box::new(form?),
        channel: channel?,
        filed_at: filed_at?.filter(|_| !citizen).unwrap_or(now),
        office: own_office?.unwrap_or(office),
        attachments: attachments?,
    })
}

pub(crate) fn find_irreceivable(
    m: proto::FindIrreceivableRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let grounds = f.choices("grounds", &m.grounds, irreceivability_ground);
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::FindIrreceivable { grounds: grounds?, reasons: reasons?, appeal: appeal? })
}

pub(crate) fn request_additions(
    m: proto::RequestAdditionsRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let text = f.text("text", m.text);
    let sent_on = f.date("send_date", m.send_date);
    let answer_within = f.length("answer_within", m.answer_within);
    Some(Command::RequestAdditions {
        text: text?,
        sent_on: sent_on?,
        answer_within: answer_within?,
    })
}

pub(crate) fn request_changes(
    m: proto::RequestChangesRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let text = f.text("text", m.text);
    let sent_on = f.date("send_date", m.send_date);
    let answer_within = f.length("answer_within", m.answer_within);
    Some(Command::RequestChanges { text: text?, sent_on: sent_on?, answer_within: answer_within? })
}

pub(crate) fn answer_changes(
    m: proto::AnswerChangesRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let request = f.parse("requirement_id", &m.requirement_id);
    let answered_on = f.date("answer_date", m.answer_date);
    Some(Command::AnswerChanges {
        request: request?,
        answered_on: answered_on?,
        adheres: m.adheres,
    })
}

pub(crate) fn declare_complex(
    m: proto::DeclareComplexRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    Some(Command::DeclareComplex { reasons: reasons? })
}

pub(crate) fn apply_safeguards(
    m: proto::ApplySafeguardsRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let applied_on = f.date("apply_date", m.apply_date);
    let plan_adopted_on = f.date("plan_adoption_date", m.plan_adoption_date);
    let plan = f.text("plan", m.plan);
    let reasons = f.text("reasons", m.reasons);
    Some(Command::ApplySafeguards {
        applied_on: applied_on?,
        plan_adopted_on: plan_adopted_on?,
        sent_for_approval: m.sent_for_approval,
        plan: plan?,
        reasons: reasons?,
    })
}

pub(crate) fn end_safeguards(
    m: proto::EndSafeguardsRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let ended_on = f.date("end_date", m.end_date);
    Some(Command::EndSafeguards { ended_on: ended_on? })
}

pub(crate) fn record_constraints(
    m: proto::RecordConstraintsRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let constraints =
        f.choices("constraints", &m.constraints, constraint).map(|c| c.into_iter().collect());
    let reasons = f.text("reasons", m.reasons);
    Some(Command::RecordConstraints {
        constraints: constraints?,
        authorisations_held: m.authorisations_held,
        reasons: reasons?,
    })
}

pub(crate) fn request_opinion(
    m: proto::RequestOpinionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let body = f.text("body", m.body);
    let kind = f.choice("kind", m.kind, opinion_kind);
    let requested_on = f.date("request_date", m.request_date);
    Some(Command::RequestOpinion {
        body: body?,
        kind: kind?,
        sensitive: m.sensitive,
        requested_on: requested_on?,
    })
}

pub(crate) fn interrupt_opinion(
    m: proto::InterruptOpinionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let opinion = f.parse("opinion_id", &m.opinion_id);
    let asked_on = f.date("ask_date", m.ask_date);
    Some(Command::InterruptOpinion { opinion: opinion?, asked_on: asked_on? })
}

pub(crate) fn resume_opinion(
    m: proto::ResumeOpinionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let opinion = f.parse("opinion_id", &m.opinion_id);
    let received_on = f.date("receive_date", m.receive_date);
    Some(Command::ResumeOpinion { opinion: opinion?, received_on: received_on? })
}

pub(crate) fn record_opinion(
    m: proto::RecordOpinionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let opinion = f.parse("opinion_id", &m.opinion_id);
    let received_on = f.date("receive_date", m.receive_date);
    let tenor = f.choice("tenor", m.tenor, tenor);
    let text = f.text("text", m.text);
    Some(Command::RecordOpinion {
        opinion: opinion?,
        received_on: received_on?,
        tenor: tenor?,
        text: text?,
    })
}

pub(crate) fn convene_conference(
    m: proto::ConveneConferenceRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let form = f.choice("form", m.form, conference_form);
    let convened_on = f.date("convene_date", m.convene_date);
    let meeting_on = f.date("meeting_date", m.meeting_date);
    let bodies = bodies(f, m.bodies);
    Some(Command::ConveneConference {
        form: form?,
        convened_on: convened_on?,
        meeting_on: meeting_on?,
        bodies: bodies?,
    })
}

pub(crate) fn record_determination(
    m: proto::RecordDeterminationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let body = f.parse("body_id", &m.body_id);
    let received_on = f.date("receive_date", m.receive_date);
    let position = f.choice("position", m.position, position);
    let reasons = f.text("reasons", m.reasons);
    Some(Command::RecordDetermination {
        body: body?,
        received_on: received_on?,
        position: position?,
        reasons: reasons?,
    })
}

pub(crate) fn open_meeting(
    m: proto::OpenMeetingRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let opened_on = f.date("open_date", m.open_date);
    Some(Command::OpenMeeting { opened_on: opened_on? })
}

pub(crate) fn conclude_conference(
    m: proto::ConcludeConferenceRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let answers = f.text("answers", m.answers);
    Some(Command::ConcludeConference { positive: m.positive, reasons: reasons?, answers: answers? })
}

pub(crate) fn raise_opposition(
    m: proto::RaiseOppositionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let body = f.parse("body_id", &m.body_id);
    let raised_on = f.date("raise_date", m.raise_date);
    Some(Command::RaiseOpposition { body: body?, raised_on: raised_on? })
}

pub(crate) fn end_opposition(
    m: proto::EndOppositionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let ended_on = f.date("end_date", m.end_date);
    let reference = f.text("reference", m.reference);
    Some(Command::EndOpposition { upheld: m.upheld, ended_on: ended_on?, reference: reference? })
}

pub(crate) fn issue_permit(
    m: proto::IssuePermitRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let conditions = f.text("conditions", m.conditions);
    let reasons = f.text("reasons", m.reasons);
    let departure = f.text("departure_reasons", m.departure_reasons);
    Some(Command::Issue { conditions: conditions?, reasons: reasons?, departure: departure? })
}

pub(crate) fn refuse_permit(
    m: proto::RefusePermitRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let answers = f.text("answers", m.answers);
    let appeal = f.appeal("appeal", m.appeal);
    let departure = f.text("departure_reasons", m.departure_reasons);
    Some(Command::Refuse {
        reasons: reasons?,
        answers: answers?,
        appeal: appeal?,
        departure: departure?,
    })
}

pub(crate) fn archive_application(
    m: proto::ArchiveApplicationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let answers = f.text("answers", m.answers);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::Archive { reasons: reasons?, answers: answers?, appeal: appeal? })
}

pub(crate) fn request_attestation(
    m: proto::RequestAttestationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let requested_on = f.date("request_date", m.request_date);
    Some(Command::RequestAttestation { requested_on: requested_on? })
}

pub(crate) fn answer_attestation(
    _: proto::AnswerAttestationRequest,
    _: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    Some(Command::AnswerAttestation)
}

pub(crate) fn invoke_substitute(
    m: proto::InvokeSubstituteRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let substitute = f.parse("substitute", &m.substitute);
    Some(Command::InvokeSubstitute { on_request: m.on_request, substitute: substitute? })
}
