//! Messages of the residency change to domain commands.

use super::Fields;
use super::casework::Asking;
use jiff::Timestamp;
use pratica_domain::Role;
use pratica_domain::ids::OfficeId;
use pratica_domain::residency::{
    Annex, Authority, Command, EndingFact, Form, Ground, Kind, MemberForm, OccupationTitle,
    VisitOutcome,
};
use pratica_proto::residency::v1 as proto;

fn kind(f: &mut Fields, number: i32) -> Option<Kind> {
    f.choice("kind", number, |k: proto::ResidencyKind| match k {
        proto::ResidencyKind::Unspecified => None,
        proto::ResidencyKind::FromOtherComune => Some(Kind::FromOtherComune),
        proto::ResidencyKind::FromAbroadAire => Some(Kind::FromAbroadAire),
        proto::ResidencyKind::FromAbroadEu => Some(Kind::FromAbroadEu),
        proto::ResidencyKind::FromAbroadNonEu => Some(Kind::FromAbroadNonEu),
        proto::ResidencyKind::ChangeOfDwelling => Some(Kind::ChangeOfDwelling),
        proto::ResidencyKind::ToAbroadItalian => Some(Kind::ToAbroadItalian),
        proto::ResidencyKind::ToAbroadForeigner => Some(Kind::ToAbroadForeigner),
        proto::ResidencyKind::FamilyChange => Some(Kind::FamilyChange),
        proto::ResidencyKind::NoFixedAbode => Some(Kind::NoFixedAbode),
        proto::ResidencyKind::ExOfficioRegistration => Some(Kind::ExOfficioRegistration),
        proto::ResidencyKind::Untraceable => Some(Kind::Untraceable),
        proto::ResidencyKind::AbodeNotRenewed => Some(Kind::AbodeNotRenewed),
    })
}

fn form(
    f: &mut Fields,
    kind: Option<Kind>,
    form: Option<proto::DeclarationForm>,
    asking: &Asking<'_>,
) -> Option<Form> {
    let Some(form) = form else {
        f.refuse("form", "required");
        return None;
    };
    let fact_on = f.date_optional("form.fact_date", form.fact_date);
    let address = f.address("form.address", form.address);
    let title = match proto::OccupationTitle::try_from(form.title) {
        Ok(proto::OccupationTitle::Unspecified) => Some(None),
        _ => f
            .choice("form.title", form.title, |t: proto::OccupationTitle| match t {
                proto::OccupationTitle::Unspecified => None,
                proto::OccupationTitle::Owner => Some(OccupationTitle::Owner),
                proto::OccupationTitle::Lease => Some(OccupationTitle::Lease),
                proto::OccupationTitle::Loan => Some(OccupationTitle::Loan),
                proto::OccupationTitle::PublicHousing => Some(OccupationTitle::PublicHousing),
                proto::OccupationTitle::Usufruct => Some(OccupationTitle::Usufruct),
                proto::OccupationTitle::Other => Some(OccupationTitle::Other),
            })
            .map(Some),
    };
    let title_details = f.text("form.title_details", form.title_details);
    let members: Vec<Option<MemberForm>> =
        form.members.into_iter().enumerate().map(|(i, member)| one(f, i, member, asking)).collect();
    Some(Form {
        kind: kind?,
        ministry_form: form.ministry_form,
        fact_on: fact_on?,
        address: address?,
        title: title?,
        title_details: title_details?,
        members: members.into_iter().collect::<Option<_>>()?,
        family_consent: form.family_consent,
        other_parent_told: form.other_parent_told,
    })
}

fn one(
    f: &mut Fields,
    index: usize,
    member: proto::DeclarationMember,
    asking: &Asking<'_>,
) -> Option<MemberForm> {
    let field = format!("form.members[{index}]");
    let person = f.person(&format!("{field}.person"), member.person);
    let account = f.parse_optional::<pratica_domain::ids::OfficerId>(
        &format!("{field}.account"),
        &member.account,
    );
    let annex = match proto::Annex::try_from(member.annex) {
        Ok(proto::Annex::Unspecified) => Some(None),
        Ok(proto::Annex::A) => Some(Some(Annex::A)),
        Ok(proto::Annex::B) => Some(Some(Annex::B)),
        Err(_) => {
            f.refuse(format!("{field}.annex"), "one of the values of its enum");
            None
        }
    };
    // A citizen who files is the applicant: that is how they find their case again.
    let own = (asking.principal.role == Role::Citizen && index == 0)
        .then(|| asking.principal.account.to_string());
    Some(MemberForm {
        person: person?,
        account: own.or(account?.map(|a| a.to_string())),
        signed: member.signed,
        identity_copy: member.identity_copy,
        annex: annex?,
        origin: member.origin,
    })
}

pub(crate) fn file_declaration(
    m: proto::FileDeclarationRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
    office: OfficeId,
    now: Timestamp,
) -> Option<Command> {
    let kind = kind(f, m.kind);
    let form = form(f, kind, m.form, asking);
    let citizen = asking.principal.role == Role::Citizen;
    let channel = f.channel(m.channel, citizen);
    // Only who receives paper and mail may say that a filing came earlier than now.
    let filed_at = f.instant_optional("file_time", m.file_time);
    let attachments = f.documents("attachments", m.attachments);
    let own_office = f.parse_optional::<OfficeId>("office", &m.office);
    Some(Command::Declare {
        form: form?,
        channel: channel?,
        filed_at: filed_at?.filter(|_| !citizen).unwrap_or(now),
        office: own_office?.unwrap_or(office),
        attachments: attachments?,
    })
}

pub(crate) fn complete_declaration(
    m: proto::CompleteDeclarationRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
    kind: Kind,
) -> Option<Command> {
    let form = form(f, Some(kind), m.form, asking);
    Some(Command::Complete { form: form? })
}

pub(crate) fn find_irreceivable(
    m: proto::FindIrreceivableRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let grounds: Vec<Option<Ground>> = m
        .grounds
        .into_iter()
        .enumerate()
        .map(|(i, number)| {
            f.choice(&format!("grounds[{i}]"), number, |g: proto::ReceivabilityGround| match g {
                proto::ReceivabilityGround::Unspecified => None,
                proto::ReceivabilityGround::NotOnMinistryForm => Some(Ground::NotOnMinistryForm),
                proto::ReceivabilityGround::MandatoryFieldsMissing => {
                    Some(Ground::MandatoryFieldsMissing)
                }
                proto::ReceivabilityGround::SignatureMissing => Some(Ground::SignatureMissing),
                proto::ReceivabilityGround::IdentityCopyMissing => {
                    Some(Ground::IdentityCopyMissing)
                }
                proto::ReceivabilityGround::OccupationTitleMissing => {
                    Some(Ground::OccupationTitleMissing)
                }
                proto::ReceivabilityGround::AnnexMissing => Some(Ground::AnnexMissing),
                proto::ReceivabilityGround::FamilyConsentMissing => {
                    Some(Ground::FamilyConsentMissing)
                }
                proto::ReceivabilityGround::OtherParentNotTold => Some(Ground::OtherParentNotTold),
            })
        })
        .collect();
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::FindIrreceivable {
        grounds: grounds.into_iter().collect::<Option<_>>()?,
        reasons: reasons?,
        appeal: appeal?,
    })
}

pub(crate) fn register_declaration(
    _: proto::RegisterDeclarationRequest,
    _: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    Some(Command::Register)
}

pub(crate) fn record_visit(
    m: proto::RecordVisitRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let visited_at = f.instant_optional("visit_time", m.visit_time);
    if visited_at == Some(None) {
        f.refuse("visit_time", "required");
    }
    let outcome = f.choice("outcome", m.outcome, |o: proto::VisitOutcome| match o {
        proto::VisitOutcome::Unspecified => None,
        proto::VisitOutcome::Present => Some(VisitOutcome::Present),
        proto::VisitOutcome::Absent => Some(VisitOutcome::Absent),
        proto::VisitOutcome::Discrepant => Some(VisitOutcome::Discrepant),
    });
    let report = f.text("report", m.report);
    Some(Command::RecordVisit { visited_at: visited_at??, outcome: outcome?, report: report? })
}

pub(crate) fn confirm_residency(
    m: proto::ConfirmResidencyRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let departure = f.text("departure_reasons", m.departure_reasons);
    Some(Command::Confirm { reasons: reasons?, departure: departure? })
}

pub(crate) fn restore_position(
    m: proto::RestorePositionRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let answers = f.text("answers", m.answers);
    let appeal = f.appeal("appeal", m.appeal);
    let departure = f.text("departure_reasons", m.departure_reasons);
    Some(Command::RestorePosition {
        reasons: reasons?,
        answers: answers?,
        appeal: appeal?,
        departure: departure?,
    })
}

pub(crate) fn supersede_case(
    m: proto::SupersedeCaseRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let by = f.parse("by_case_id", &m.by_case_id);
    Some(Command::Supersede { by: by? })
}

pub(crate) fn end_by_fact(
    m: proto::EndByFactRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let fact = f.choice("fact", m.fact, |x: proto::EndingFact| match x {
        proto::EndingFact::Unspecified => None,
        proto::EndingFact::Death => Some(EndingFact::Death),
        proto::EndingFact::Move => Some(EndingFact::Move),
    });
    let happened_on = f.date("happen_date", m.happen_date);
    Some(Command::EndByFact { fact: fact?, happened_on: happened_on? })
}

pub(crate) fn open_ex_officio(
    m: proto::OpenExOfficioRequest,
    f: &mut Fields,
    office: OfficeId,
) -> Option<Command> {
    let kind = kind(f, m.kind);
    let person = f.person("person", m.person);
    let address = f.address("address", m.address);
    let fact_on = f.date("fact_date", m.fact_date);
    let grounds = f.text("grounds", m.grounds);
    let own_office = f.parse_optional::<OfficeId>("office", &m.office);
    Some(Command::OpenExOfficio {
        kind: kind?,
        person: person?,
        address: address?,
        fact_on: fact_on?,
        grounds: grounds?,
        office: own_office?.unwrap_or(office),
    })
}

pub(crate) fn invite_person(
    m: proto::InvitePersonRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let sent_on = f.date("send_date", m.send_date);
    Some(Command::Invite { sent_on: sent_on? })
}

pub(crate) fn register_ex_officio(
    _: proto::RegisterExOfficioRequest,
    _: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    Some(Command::RegisterExOfficio)
}

pub(crate) fn cancel_person(
    m: proto::CancelPersonRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reasons = f.text("reasons", m.reasons);
    let appeal = f.appeal("appeal", m.appeal);
    Some(Command::Cancel { reasons: reasons?, appeal: appeal? })
}

pub(crate) fn record_consular_form(
    m: proto::RecordConsularFormRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let received_on = f.date("receive_date", m.receive_date);
    let declared_on = f.date("declare_date", m.declare_date);
    Some(Command::RecordConsularForm { received_on: received_on?, declared_on: declared_on? })
}

pub(crate) fn record_report(
    m: proto::RecordReportRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let to = f.choice("authority", m.authority, |a: proto::ReportAuthority| match a {
        proto::ReportAuthority::Unspecified => None,
        proto::ReportAuthority::PublicSecurity => Some(Authority::PublicSecurity),
        proto::ReportAuthority::ComuneOfOrigin => Some(Authority::ComuneOfOrigin),
        proto::ReportAuthority::Prefect => Some(Authority::Prefect),
        proto::ReportAuthority::Questore => Some(Authority::Questore),
        proto::ReportAuthority::Prosecutor => Some(Authority::Prosecutor),
    });
    let reported_on = f.date("report_date", m.report_date);
    let reference = f.text("reference", m.reference);
    Some(Command::Report { to: to?, reported_on: reported_on?, reference: reference? })
}
