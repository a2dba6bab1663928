//! What follows a permit: contribution, works, extensions, usability, control, its end.

use super::choices::{annulment_ground, contribution_kind, extension_ground, forum, works_term};
use super::{Asking, Fields};
use pratica_domain::ids::OfficerId;
use pratica_domain::permit::{Command, InstalmentForm};
use pratica_proto::permit::v1 as proto;

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
