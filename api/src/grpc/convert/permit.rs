//! Messages of the building permit to domain commands.

use super::Fields;
use super::casework::Asking;
use jiff::Timestamp;
use pratica_domain::Role;
use pratica_domain::case::Tenor;
use pratica_domain::ids::{CaseId, OfficeId, OfficerId};
use pratica_domain::permit::{
    AnnulmentGround, BodyForm, Command, ConferenceForm, Constraint, ContributionKind, Entitlement,
    ExtensionGround, Form, Forum, Ground, InstalmentForm, Kind, OpinionKind, Parcel, Position,
    Site, WorksTerm,
};
use pratica_proto::permit::v1 as proto;

fn permit_kind(value: proto::PermitKind) -> Option<Kind> {
    match value {
        proto::PermitKind::Unspecified => None,
        proto::PermitKind::NewConstruction => Some(Kind::NewConstruction),
        proto::PermitKind::UrbanRestructuring => Some(Kind::UrbanRestructuring),
        proto::PermitKind::Restructuring => Some(Kind::Restructuring),
        proto::PermitKind::Variant => Some(Kind::Variant),
        proto::PermitKind::Remainder => Some(Kind::Remainder),
        proto::PermitKind::Notice => Some(Kind::Notice),
        proto::PermitKind::Communication => Some(Kind::Communication),
        proto::PermitKind::Regularisation => Some(Kind::Regularisation),
    }
}

fn entitlement(value: proto::Entitlement) -> Option<Entitlement> {
    match value {
        proto::Entitlement::Unspecified => None,
        proto::Entitlement::Owner => Some(Entitlement::Owner),
        proto::Entitlement::CoOwner => Some(Entitlement::CoOwner),
        proto::Entitlement::RealRight => Some(Entitlement::RealRight),
        proto::Entitlement::Other => Some(Entitlement::Other),
    }
}

fn constraint(value: proto::Constraint) -> Option<Constraint> {
    match value {
        proto::Constraint::Unspecified => None,
        proto::Constraint::Hydrogeological => Some(Constraint::Hydrogeological),
        proto::Constraint::Environmental => Some(Constraint::Environmental),
        proto::Constraint::Landscape => Some(Constraint::Landscape),
        proto::Constraint::Cultural => Some(Constraint::Cultural),
    }
}

fn irreceivability_ground(value: proto::IrreceivabilityGround) -> Option<Ground> {
    match value {
        proto::IrreceivabilityGround::Unspecified => None,
        proto::IrreceivabilityGround::EntitlementMissing => Some(Ground::EntitlementMissing),
        proto::IrreceivabilityGround::DrawingsMissing => Some(Ground::DrawingsMissing),
        proto::IrreceivabilityGround::AsseverationMissing => Some(Ground::AsseverationMissing),
        proto::IrreceivabilityGround::NoPermitNeeded => Some(Ground::NoPermitNeeded),
        proto::IrreceivabilityGround::ManifestlyUnfounded => Some(Ground::ManifestlyUnfounded),
    }
}

fn opinion_kind(value: proto::OpinionKind) -> Option<OpinionKind> {
    match value {
        proto::OpinionKind::Unspecified => None,
        proto::OpinionKind::Opinion => Some(OpinionKind::Opinion),
        proto::OpinionKind::Evaluation => Some(OpinionKind::Evaluation),
        proto::OpinionKind::Assent => Some(OpinionKind::Assent),
    }
}

fn tenor(value: proto::Tenor) -> Option<Tenor> {
    match value {
        proto::Tenor::Unspecified => None,
        proto::Tenor::Favourable => Some(Tenor::Favourable),
        proto::Tenor::Negative => Some(Tenor::Negative),
    }
}

fn conference_form(value: proto::ConferenceForm) -> Option<ConferenceForm> {
    match value {
        proto::ConferenceForm::Unspecified => None,
        proto::ConferenceForm::Simplified => Some(ConferenceForm::Simplified),
        proto::ConferenceForm::Synchronous => Some(ConferenceForm::Synchronous),
    }
}

fn position(value: proto::Position) -> Option<Position> {
    match value {
        proto::Position::Unspecified => None,
        proto::Position::Assent => Some(Position::Assent),
        proto::Position::Conditional => Some(Position::Conditional),
        proto::Position::Surmountable => Some(Position::Surmountable),
        proto::Position::Insurmountable => Some(Position::Insurmountable),
    }
}

fn annulment_ground(value: proto::AnnulmentGround) -> Option<AnnulmentGround> {
    match value {
        proto::AnnulmentGround::Unspecified => None,
        proto::AnnulmentGround::OwnAnnulment => Some(AnnulmentGround::OwnAnnulment),
        proto::AnnulmentGround::FalseRepresentation => Some(AnnulmentGround::FalseRepresentation),
        proto::AnnulmentGround::Judgement => Some(AnnulmentGround::Judgement),
    }
}

fn forum(value: proto::Forum) -> Option<Forum> {
    match value {
        proto::Forum::Unspecified => None,
        proto::Forum::Administration => Some(Forum::Administration),
        proto::Forum::Court => Some(Forum::Court),
    }
}

fn contribution_kind(value: proto::ContributionKind) -> Option<ContributionKind> {
    match value {
        proto::ContributionKind::Unspecified => None,
        proto::ContributionKind::Urbanisation => Some(ContributionKind::Urbanisation),
        proto::ContributionKind::ConstructionCost => Some(ContributionKind::ConstructionCost),
    }
}

fn works_term(value: proto::WorksTerm) -> Option<WorksTerm> {
    match value {
        proto::WorksTerm::Unspecified => None,
        proto::WorksTerm::Start => Some(WorksTerm::Start),
        proto::WorksTerm::Finish => Some(WorksTerm::Finish),
    }
}

fn extension_ground(value: proto::ExtensionGround) -> Option<ExtensionGround> {
    match value {
        proto::ExtensionGround::Unspecified => None,
        proto::ExtensionGround::SupervenedFacts => Some(ExtensionGround::SupervenedFacts),
        proto::ExtensionGround::SizeOrDifficulty => Some(ExtensionGround::SizeOrDifficulty),
        proto::ExtensionGround::PublicFinancing => Some(ExtensionGround::PublicFinancing),
        proto::ExtensionGround::UnfoundedBlock => Some(ExtensionGround::UnfoundedBlock),
    }
}

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

fn instalments(
    f: &mut Fields,
    instalments: Vec<proto::InstalmentInput>,
) -> Option<Vec<InstalmentForm>> {
    let read: Vec<Option<InstalmentForm>> = instalments
        .into_iter()
        .enumerate()
        .map(|(i, part)| {
            let due_on = f.date(&format!("instalments[{i}].due_date"), part.due_date);
            Some(InstalmentForm { amount_cents: part.amount_cents, due_on: due_on? })
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

pub(crate) fn annul_permit(
    m: proto::AnnulPermitRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let ground = f.choice("ground", m.ground, annulment_ground);
    let reference = f.text("reference", m.reference);
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::Annul {
        ground: ground?,
        reference: reference?,
        reasons: reasons?,
        appeal: appeal?,
    })
}

pub(crate) fn record_contest(
    m: proto::RecordContestRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let forum = f.choice("forum", m.forum, forum);
    let contested_on = f.date("contest_date", m.contest_date);
    let reference = f.text("reference", m.reference);
    Some(Command::RecordContest {
        forum: forum?,
        contested_on: contested_on?,
        reference: reference?,
    })
}

pub(crate) fn publish_permit(
    m: proto::PublishPermitRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let published_on = f.date("publish_date", m.publish_date);
    let reference = f.text("reference", m.reference);
    Some(Command::Publish { published_on: published_on?, reference: reference? })
}

pub(crate) fn determine_contribution(
    m: proto::DetermineContributionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let kind = f.choice("kind", m.kind, contribution_kind);
    let instalments = instalments(f, m.instalments);
    Some(Command::DetermineContribution {
        kind: kind?,
        amount_cents: m.amount_cents,
        instalments: instalments?,
    })
}

pub(crate) fn offset_contribution(
    m: proto::OffsetContributionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let contribution = f.parse("contribution_id", &m.contribution_id);
    let agreement = f.text("agreement", m.agreement);
    Some(Command::OffsetContribution {
        contribution: contribution?,
        amount_cents: m.amount_cents,
        agreement: agreement?,
    })
}

pub(crate) fn record_payment(
    m: proto::RecordPaymentRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let instalment = f.parse("instalment_id", &m.instalment_id);
    let paid_on = f.date("payment_date", m.payment_date);
    Some(Command::RecordPayment {
        instalment: instalment?,
        paid_on: paid_on?,
        amount_cents: m.amount_cents,
    })
}

pub(crate) fn start_works(
    m: proto::StartWorksRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let started_on = f.date("start_date", m.start_date);
    Some(Command::StartWorks { started_on: started_on? })
}

pub(crate) fn finish_works(
    m: proto::FinishWorksRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let finished_on = f.date("finish_date", m.finish_date);
    Some(Command::FinishWorks { finished_on: finished_on? })
}

pub(crate) fn request_extension(
    m: proto::RequestExtensionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let term = f.choice("term", m.term, works_term);
    let requested_on = f.date("request_date", m.request_date);
    let reasons = f.text("reasons", m.reasons);
    Some(Command::RequestExtension { term: term?, requested_on: requested_on?, reasons: reasons? })
}

pub(crate) fn grant_extension(
    m: proto::GrantExtensionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let extension = f.parse("extension_id", &m.extension_id);
    let by = f.length("by", m.by);
    let ground = f.choice("ground", m.ground, extension_ground);
    let reasons = f.text("reasons", m.reasons);
    Some(Command::GrantExtension {
        extension: extension?,
        by: by?,
        ground: ground?,
        reasons: reasons?,
    })
}

pub(crate) fn refuse_extension(
    m: proto::RefuseExtensionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let extension = f.parse("extension_id", &m.extension_id);
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::RefuseExtension { extension: extension?, reasons: reasons?, appeal: appeal? })
}

pub(crate) fn extend_by_law(
    m: proto::ExtendByLawRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let term = f.choice("term", m.term, works_term);
    let by = f.length("by", m.by);
    let basis = f.text("basis", m.basis);
    Some(Command::ExtendByLaw { term: term?, by: by?, basis: basis? })
}

pub(crate) fn declare_lapse(
    m: proto::DeclareLapseRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let in_force_on = f.date("in_force_date", m.in_force_date);
    let reference = f.text("reference", m.reference);
    Some(Command::DeclareLapse { in_force_on: in_force_on?, reference: reference? })
}

pub(crate) fn transfer_permit(
    m: proto::TransferPermitRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let person = f.person("person", m.person);
    let account =
        f.parse_optional::<OfficerId>("account", &m.account).map(|a| a.map(|a| a.to_string()));
    let transferred_on = f.date("transfer_date", m.transfer_date);
    let deed = f.text("deed", m.deed);
    Some(Command::Transfer {
        person: person?,
        account: account?,
        transferred_on: transferred_on?,
        deed: deed?,
    })
}

pub(crate) fn report_usability(
    m: proto::ReportUsabilityRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reported_on = f.date("report_date", m.report_date);
    Some(Command::ReportUsability { reported_on: reported_on?, partial: m.partial })
}

pub(crate) fn order_conformation(
    m: proto::OrderConformationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let comply_within = f.length("comply_within", m.comply_within);
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::OrderConformation {
        comply_within: comply_within?,
        reasons: reasons?,
        appeal: appeal?,
    })
}

pub(crate) fn report_conformation(
    m: proto::ReportConformationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reported_on = f.date("report_date", m.report_date);
    Some(Command::ReportConformation { reported_on: reported_on? })
}

pub(crate) fn prohibit_activity(
    m: proto::ProhibitActivityRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::Prohibit { reasons: reasons?, appeal: appeal? })
}
