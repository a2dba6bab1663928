//! The title: whether it stands, what is owed for it, what is controlled.

use super::review::own;
use crate::case::TermKey;
use crate::case::rules::{reckoned, wrong_phase};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::ids::EntryId;
use crate::permit::commands::Command;
use crate::permit::events::{AnnulmentGround, ContributionKind};
use crate::permit::state::{Stage, Title};
use crate::permit::{CONTROL, INSTALMENT, LATE_PAYMENT, SELF_ANNULMENT};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::Unit;
use jiff::civil::Date;

/// The stages of a title that stands.
pub(crate) const TITLED_FITS: &[&str] = &[
    Stage::Granted.as_str(),
    Stage::GrantedBySilence.as_str(),
    Stage::EffectSuspended.as_str(),
    Stage::InWorks.as_str(),
    Stage::Finished.as_str(),
    Stage::UsabilityControl.as_str(),
    Stage::Usable.as_str(),
];
/// The stages of a control.
const CONTROLLED_FITS: &[&str] = &[
    Stage::UnderControl.as_str(),
    Stage::UsabilityControl.as_str(),
    Stage::ConformationOrdered.as_str(),
];
/// The stage in which compliance is awaited.
pub(crate) const ORDERED_FITS: &[&str] = &[Stage::ConformationOrdered.as_str()];

pub(super) fn title(case: &Case) -> Option<&Title> {
    own(case)?.title()
}

pub(super) fn there_is_a_title(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if title(case).is_some() { Ok(()) } else { wrong_phase(case, TITLED_FITS) }
}

pub(super) fn the_title_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if title(case).is_some_and(Title::stands) { Ok(()) } else { wrong_phase(case, TITLED_FITS) }
}

pub(super) fn the_title_is_not_annulled(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if title(case).is_some_and(|t| t.annulled_on.is_none()) {
        Ok(())
    } else {
        wrong_phase(case, TITLED_FITS)
    }
}

/// The comune annuls within six months; beyond only what a final criminal judgement established
/// as false, or what a court annulled itself.
pub(super) fn annulment_is_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::Annul { ground: AnnulmentGround::OwnAnnulment, .. }) =
        command
    else {
        return Ok(());
    };
    let end = reckoned(case, &TermKey::of(SELF_ANNULMENT), ctx)?.and_then(|t| t.reckoning.end);
    match end {
        Some(end) if ctx.today() > end => Err(Rejection::new(Code::DateTooLate)
            .with("field", "annulled_on")
            .with("date", ctx.today())
            .with("latest", end)),
        _ => Ok(()),
    }
}

pub(super) fn the_judgement_is_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::Annul { ground, reference, .. })
            if *ground != AnnulmentGround::OwnAnnulment && reference.trim().is_empty() =>
        {
            Err(Rejection::new(Code::ReasonsMissing).with("field", "reference"))
        }
        _ => Ok(()),
    }
}

/// Instalments are due from today on and add up to the whole.
pub(super) fn instalments_add_up(
    _: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::DetermineContribution {
        amount_cents, instalments, ..
    }) = command
    else {
        return Ok(());
    };
    if *amount_cents == 0 || instalments.iter().any(|i| i.amount_cents == 0) {
        return Err(Rejection::new(Code::FormIncomplete).with("field", "amount_cents"));
    }
    if let Some(early) = instalments.iter().find(|i| i.due_on < ctx.today()) {
        return Err(Rejection::new(Code::DateTooEarly)
            .with("field", "due_on")
            .with("date", early.due_on)
            .with("earliest", ctx.today()));
    }
    let sum = instalments.iter().fold(0_u128, |sum, i| sum + u128::from(i.amount_cents));
    if sum == u128::from(*amount_cents) {
        Ok(())
    } else {
        Err(Rejection::new(Code::AmountsDiffer).with("amount", amount_cents).with("sum", sum))
    }
}

/// Works take the place of urbanisation charges alone, and of no more than is open.
pub(super) fn the_contribution_can_be_offset(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::OffsetContribution {
        contribution, amount_cents, ..
    }) = command
    else {
        return Ok(());
    };
    let part = title(case).and_then(|t| t.contributions.get(contribution));
    let Some(part) = part.filter(|p| p.kind == ContributionKind::Urbanisation) else {
        return Err(Rejection::new(Code::UnknownContribution).with("contribution", contribution));
    };
    let open: u64 = part.instalments.values().map(|i| i.open_cents()).sum();
    if *amount_cents == 0 {
        Err(Rejection::new(Code::FormIncomplete).with("field", "amount_cents"))
    } else if *amount_cents > open {
        Err(Rejection::new(Code::AmountTooHigh).with("amount", amount_cents).with("open", open))
    } else {
        Ok(())
    }
}

pub(super) fn the_instalment_is_open(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RecordPayment { instalment, .. }) = command else {
        return Ok(());
    };
    match title(case).and_then(|t| t.instalment(instalment)) {
        Some((_, i)) if i.open_cents() > 0 => Ok(()),
        Some(_) => Err(Rejection::new(Code::InstalmentPaid).with("instalment", instalment)),
        None => Err(Rejection::new(Code::UnknownInstalment).with("instalment", instalment)),
    }
}

pub(super) fn the_amount_is_not_too_much(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RecordPayment { instalment, amount_cents, .. }) = command
    else {
        return Ok(());
    };
    let open =
        title(case).and_then(|t| t.instalment(instalment)).map_or(0, |(_, i)| i.open_cents());
    if *amount_cents == 0 {
        Err(Rejection::new(Code::FormIncomplete).with("field", "amount_cents"))
    } else if *amount_cents > open {
        Err(Rejection::new(Code::AmountTooHigh).with("amount", amount_cents).with("open", open))
    } else {
        Ok(())
    }
}

/// The surcharge on what is paid late, in percent: 10, 20, 40 in the three steps of art. 42 c. 2,
/// not cumulative; afterwards the last one stands and collection begins.
pub(crate) fn surcharge_percent(
    case: &Case,
    instalment: &EntryId,
    paid_on: Date,
    ctx: &Context<'_>,
) -> Result<u8, Rejection> {
    let over = |rule: &str| {
        let key = TermKey::instance(rule, *instalment);
        let end = reckoned(case, &key, ctx)?.and_then(|t| t.reckoning.end);
        Ok::<_, Rejection>(end.is_some_and(|end| paid_on > end))
    };
    if !over(INSTALMENT)? {
        return Ok(0);
    }
    let step = if !over(LATE_PAYMENT[0])? {
        "late_payment_percent_1"
    } else if !over(LATE_PAYMENT[1])? {
        "late_payment_percent_2"
    } else {
        "late_payment_percent_3"
    };
    let rules = ctx.rule_set(case.rules_version())?;
    let percent = rules.policy_number(step).and_then(|n| u8::try_from(n).ok());
    percent.ok_or_else(|| Rejection::new(Code::TermUncomputable).with("reason", step))
}

pub(super) fn the_new_holder_is_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::Transfer { person, .. })
            if person.family_name.trim().is_empty() =>
        {
            Err(Rejection::new(Code::FormIncomplete).with("field", "person.family_name"))
        }
        _ => Ok(()),
    }
}

pub(super) fn a_control_is_under_way(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case).and_then(|s| s.control()) {
        Some((_, c)) if !c.ended && !c.prohibited && case_allows(case) => Ok(()),
        _ => wrong_phase(case, CONTROLLED_FITS),
    }
}

/// A withdrawn notice is controlled no more; an annulled title has nothing to control.
fn case_allows(case: &Case) -> bool {
    title(case).is_none_or(|t| t.annulled_on.is_none())
}

/// One order at a time: the control waits for compliance with it.
pub(super) fn no_compliance_is_awaited(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case).and_then(|s| s.control()).and_then(|(_, c)| c.ordered) {
        Some((_, on)) => Err(Rejection::new(Code::RequestAlreadyOpen).with("date", on)),
        None => Ok(()),
    }
}

/// After its term a control acts only by own annulment (L. 241/1990 art. 19 c. 4).
pub(super) fn the_control_is_not_over(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match reckoned(case, &TermKey::of(CONTROL), ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if ctx.today() > end => Err(Rejection::new(Code::SilenceFormed)
            .with("term", CONTROL)
            .with("end", end)
            .with("date", ctx.today())),
        _ => Ok(()),
    }
}

pub(super) fn thirty_days_at_least(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::OrderConformation { comply_within, .. }) = command else {
        return Ok(());
    };
    let enough = match comply_within.unit {
        Unit::Days | Unit::WorkingDays => comply_within.count >= 30,
        // The shortest month has twenty-eight days.
        Unit::Months => comply_within.count >= 2,
        Unit::Years => comply_within.count >= 1,
    };
    if enough {
        Ok(())
    } else {
        Err(Rejection::new(Code::TimeTooShort).with("field", "comply_within").with("least", "30d"))
    }
}

pub(super) fn conformation_was_ordered(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case).and_then(|s| s.control()) {
        Some((_, c)) if c.ordered.is_some() => Ok(()),
        _ => wrong_phase(case, ORDERED_FITS),
    }
}
