//! Messages of school applications to domain commands.

use super::Fields;
use super::casework::Asking;
use jiff::Timestamp;
use pratica_domain::Role;
use pratica_domain::case::Channel;
use pratica_domain::ids::{CaseId, DocumentId, EntryId, OfficeId, OfficerId, SchoolId};
use pratica_domain::school::Facts;
use pratica_domain::school::enrolment::{
    Appeal, CallView, Command, Form, Ground, Isee, LossGround, VaccineProof,
};
use pratica_proto::enrolment::v1 as proto;
use std::collections::BTreeMap;

/// The most facts that a message may state.
const FACTS_MAX: usize = 200;

fn facts(f: &mut Fields, all: BTreeMap<String, i64>, at: Vec<proto::SchoolFacts>) -> Option<Facts> {
    if all.len() + at.iter().map(|s| s.facts.len()).sum::<usize>() > FACTS_MAX {
        f.refuse("facts", format!("at most {FACTS_MAX}"));
        return None;
    }
    let schools: Vec<Option<(SchoolId, BTreeMap<String, i64>)>> = at
        .into_iter()
        .enumerate()
        .map(|(n, stated)| {
            let school = f.parse(&format!("school_facts[{n}].school"), &stated.school)?;
            Some((school, stated.facts))
        })
        .collect();
    let at = schools.into_iter().collect::<Option<_>>()?;
    Some(Facts { all, at })
}

fn form(
    f: &mut Fields,
    schools: &[String],
    facts: Option<Facts>,
    twins: &[String],
    siblings: &[String],
) -> Option<Form> {
    let choices = f.parse_all::<SchoolId>("schools", schools);
    let twins = f.parse_all::<CaseId>("twin_case_ids", twins);
    let siblings = f.parse_all::<CaseId>("sibling_case_ids", siblings);
    Some(Form { choices: choices?, facts: facts?, twins: twins?, siblings: siblings? })
}

fn appeal(f: &mut Fields, appeal: Option<proto::ActAppeal>) -> Option<Appeal> {
    let appeal = appeal.unwrap_or_default();
    match u16::try_from(appeal.term_days) {
        Ok(term_days) => Some(Appeal { authority: appeal.authority, term_days }),
        Err(_) => {
            f.refuse("appeal.term_days", "at most 65535");
            None
        }
    }
}

pub(crate) fn file_application(
    m: proto::FileApplicationRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
    call: CallView,
    office: OfficeId,
    now: Timestamp,
) -> Option<Command> {
    let citizen = asking.principal.role == Role::Citizen;
    let stated = facts(f, m.facts, m.school_facts);
    let form = form(f, &m.schools, stated, &m.twin_case_ids, &m.sibling_case_ids);
    let applicant = f.person("applicant", m.applicant);
    let child = f.person("child", m.child);
    let account = f.parse_optional::<OfficerId>("account", &m.account);
    let channel = if citizen {
        Some(Channel::Portal)
    } else {
        f.choice("channel", m.channel, |c: proto::FilingChannel| match c {
            proto::FilingChannel::Unspecified => None,
            proto::FilingChannel::Portal => Some(Channel::Portal),
            proto::FilingChannel::Pec => Some(Channel::Pec),
            proto::FilingChannel::Counter => Some(Channel::Counter),
            proto::FilingChannel::Post => Some(Channel::Post),
        })
    };
    let filed_at = f.instant_optional("file_time", m.file_time);
    let attachments: Vec<_> = m
        .attachments
        .into_iter()
        .enumerate()
        .map(|(i, a)| f.document(&format!("attachments[{i}]"), Some(a)))
        .collect();
    let own = citizen.then(|| asking.principal.account.to_string());
    Some(Command::File {
        call,
        applicant: applicant?,
        account: own.or(account?.map(|a| a.to_string())),
        child: child?,
        form: form?,
        channel: channel?,
        // Only who receives paper and mail may say that a filing came earlier than now.
        filed_at: filed_at?.filter(|_| !citizen).unwrap_or(now),
        office,
        attachments: attachments.into_iter().collect::<Option<_>>()?,
    })
}

pub(crate) fn amend_application(
    m: proto::AmendApplicationRequest,
    f: &mut Fields,
    call: CallView,
) -> Option<Command> {
    let stated = facts(f, m.facts, m.school_facts);
    let form = form(f, &m.schools, stated, &m.twin_case_ids, &m.sibling_case_ids);
    Some(Command::Amend { call, form: form? })
}

pub(crate) fn complete_application(
    m: proto::CompleteApplicationRequest,
    f: &mut Fields,
    call: CallView,
) -> Option<Command> {
    let request = f.parse::<EntryId>("request_entry_id", &m.request_entry_id);
    let facts = facts(f, m.facts, m.school_facts);
    Some(Command::Complete { call, request: request?, facts: facts? })
}

pub(crate) fn score_application(
    m: proto::ScoreApplicationRequest,
    _: &mut Fields,
    call: CallView,
) -> Option<Command> {
    Some(Command::Score { call, set_aside: m.set_aside.into_iter().collect() })
}

pub(crate) fn answer_observation(
    m: proto::AnswerObservationRequest,
    f: &mut Fields,
    call: CallView,
) -> Option<Command> {
    let observation = f.parse::<EntryId>("observation_id", &m.observation_id);
    let reasons = f.text("reasons", m.reasons);
    let stated = facts(f, m.facts, m.school_facts);
    Some(Command::AnswerObservation {
        call,
        observation: observation?,
        accepted: m.accepted,
        reasons: reasons?,
        set_aside: m.set_aside.into_iter().collect(),
        correct: stated.filter(|_| m.correct_facts),
    })
}

pub(crate) fn set_fee(_: proto::SetFeeRequest, _: &mut Fields, call: CallView) -> Option<Command> {
    Some(Command::SetFee { fee: call.plan.criteria.fee.clone() })
}

pub(crate) fn admit_application(
    _: proto::AdmitApplicationRequest,
    _: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    Some(Command::Admit)
}

pub(crate) fn exclude_application(
    m: proto::ExcludeApplicationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let ground = f.choice("ground", m.ground, |g: proto::ExclusionGround| match g {
        proto::ExclusionGround::Unspecified => None,
        proto::ExclusionGround::OutOfTime => Some(Ground::OutOfTime),
        proto::ExclusionGround::OutsideAge => Some(Ground::OutsideAge),
        proto::ExclusionGround::NotResident => Some(Ground::NotResident),
        proto::ExclusionGround::NotCompleted => Some(Ground::NotCompleted),
        proto::ExclusionGround::Duplicate => Some(Ground::Duplicate),
        proto::ExclusionGround::FalseStatement => Some(Ground::FalseStatement),
    });
    let reasons = f.text("reasons", m.reasons);
    let appeal = appeal(f, m.appeal);
    Some(Command::Exclude { ground: ground?, reasons: reasons?, appeal: appeal? })
}

pub(crate) fn record_isee(
    m: proto::RecordIseeRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let protocol = f.text("protocol", m.protocol);
    let valid_until = f.date("valid_until_date", m.valid_until_date);
    let isee = Isee {
        cents: m.isee_cents,
        protocol: protocol?,
        valid_until: valid_until?,
        with_omissions: m.with_omissions,
    };
    Some(Command::RecordIsee { isee })
}

pub(crate) fn file_observation(
    m: proto::FileObservationRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let text = f.text("text", m.text);
    Some(Command::FileObservation { text: text? })
}

pub(crate) fn accept_offer(
    m: proto::AcceptOfferRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let offer = f.parse::<EntryId>("offer_id", &m.offer_id);
    let receipt = f.text("deposit_receipt", m.deposit_receipt);
    let deposit_receipt = Some(receipt?).filter(|r| !r.is_empty());
    Some(Command::Accept { offer: offer?, deposit_receipt })
}

pub(crate) fn renounce_offer(
    m: proto::RenounceOfferRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let offer = f.parse::<EntryId>("offer_id", &m.offer_id);
    Some(Command::Renounce { offer: offer? })
}

pub(crate) fn record_vaccines(
    m: proto::RecordVaccinesRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let stated_on = f.date_or("list_date", m.list_date, asking.today);
    Some(Command::RecordVaccines { in_order: m.in_order, stated_on: stated_on? })
}

pub(crate) fn invite_vaccine_proof(
    m: proto::InviteVaccineProofRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let sent_on = f.date_or("send_date", m.send_date, asking.today);
    Some(Command::InviteVaccineProof { sent_on: sent_on? })
}

pub(crate) fn file_vaccine_proof(
    m: proto::FileVaccineProofRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let proof = f.choice("proof", m.proof, |p: proto::VaccineProof| match p {
        proto::VaccineProof::Unspecified => None,
        proto::VaccineProof::Vaccination => Some(VaccineProof::Vaccination),
        proto::VaccineProof::Exemption => Some(VaccineProof::Exemption),
        proto::VaccineProof::Postponement => Some(VaccineProof::Postponement),
        proto::VaccineProof::FormalRequest => Some(VaccineProof::FormalRequest),
    });
    let document = f.parse_optional::<DocumentId>("document_id", &m.document_id);
    Some(Command::FileVaccineProof { proof: proof?, document: document? })
}

pub(crate) fn start_attendance(
    m: proto::StartAttendanceRequest,
    f: &mut Fields,
    asking: &Asking<'_>,
) -> Option<Command> {
    let started_on = f.date_or("start_date", m.start_date, asking.today);
    Some(Command::StartAttendance { started_on: started_on? })
}

pub(crate) fn leave_place(
    m: proto::LeavePlaceRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let reason = f.text("reason", m.reason);
    Some(Command::Leave { reason: Some(reason?).filter(|r| !r.is_empty()) })
}

pub(crate) fn declare_loss(
    m: proto::DeclareLossRequest,
    f: &mut Fields,
    _: &Asking<'_>,
) -> Option<Command> {
    let ground = f.choice("ground", m.ground, |g: proto::LossGround| match g {
        proto::LossGround::Unspecified => None,
        proto::LossGround::Absence => Some(LossGround::Absence),
        proto::LossGround::Arrears => Some(LossGround::Arrears),
        proto::LossGround::Vaccines => Some(LossGround::Vaccines),
    });
    let reasons = f.text("reasons", m.reasons);
    let appeal = appeal(f, m.appeal);
    let told_on = f.date("tell_date", m.tell_date);
    Some(Command::DeclareLoss {
        ground: ground?,
        reasons: reasons?,
        appeal: appeal?,
        told_on: told_on?,
    })
}
