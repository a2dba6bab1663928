//! The cases that the office opens itself (DPR 223/1989 arts. 11, 15).

use super::{ended_before, own};
use crate::case::TermKey;
use crate::case::rules::{reckoned, refuse, wrong_phase};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::residency::commands::Command;
use crate::residency::events::Kind;
use crate::residency::state::State;
use crate::residency::{INVITATION, UNTRACEABLE_ABSENCE};
use jiff::civil::Date;

pub(super) fn the_kind_is_the_offices(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::OpenExOfficio { kind, .. })
            if !kind.is_ex_officio() =>
        {
            Err(Rejection::new(Code::WrongProcedure).with("kind", kind.as_str()))
        }
        _ => Ok(()),
    }
}

pub(super) fn ex_officio(case: &Case) -> Option<&crate::residency::state::ExOfficio> {
    match own(case) {
        Some(State::ExOfficio(x)) => Some(x),
        _ => None,
    }
}

/// The time that an invitation gives runs from the first one: another date would change it.
pub(super) fn the_person_was_not_invited_yet(
    case: &Case,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match ex_officio(case).and_then(|x| x.invited_on) {
        Some(on) => Err(Rejection::new(Code::AlreadyInvited).with("date", on)),
        None => Ok(()),
    }
}

/// The invitation to renew comes six months after the residence permit expired.
pub(super) fn the_permit_expired_long_enough(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(Command::Invite { sent_on }) = command else { return Ok(()) };
    match ex_officio(case) {
        Some(x) if x.kind == Kind::AbodeNotRenewed => {
            let rules = ctx.rule_set(case.rules_version())?;
            ended_before(x.fact_on, "residency.permit_expired", *sent_on, rules, ctx)
        }
        _ => Ok(()),
    }
}

pub(super) fn it_is_about_an_omitted_declaration(
    case: &Case,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.kind == Kind::ExOfficioRegistration => Ok(()),
        _ => wrong_phase(case, &[Kind::ExOfficioRegistration.as_str()]),
    }
}

pub(super) fn it_is_about_a_cancellation(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.kind != Kind::ExOfficioRegistration => Ok(()),
        _ => wrong_phase(case, &[Kind::Untraceable.as_str(), Kind::AbodeNotRenewed.as_str()]),
    }
}

/// The person was invited, and the time that the invitation gave is over.
pub(super) fn the_invitation_ended(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    if ex_officio(case).is_none_or(|x| x.invited_on.is_none()) {
        return refuse(Code::NotInvited);
    }
    term_is_over(case, INVITATION, ctx)
}

/// Start communicated; for an abode that was not renewed, the thirty days of the invitation over.
pub(super) fn the_person_was_told(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.invited_on.is_none() => refuse(Code::NotInvited),
        Some(x) if x.kind == Kind::AbodeNotRenewed => term_is_over(case, INVITATION, ctx),
        _ => Ok(()),
    }
}

pub(super) fn term_is_over(case: &Case, rule: &str, ctx: &Context<'_>) -> Result<(), Rejection> {
    match reckoned(case, &TermKey::of(rule), ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if ctx.today() > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::TooSoon).with("end", end)),
        None => refuse(Code::TooSoon),
    }
}

/// Untraceability needs repeated checks, suitably spaced, that found nobody.
pub(super) fn checks_were_repeated(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let Some(x) = ex_officio(case).filter(|x| x.kind == Kind::Untraceable) else { return Ok(()) };
    let rules = ctx.rule_set(case.rules_version())?;
    let number = |key: &str, default: usize| {
        rules.policy_number(key).and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
    };
    let needed = number("untraceable_checks", 2);
    let spacing_days = number("untraceable_spacing_days", 30);
    let since_found = x.visits.iter().rposition(|(_, _, found)| *found).map_or(0, |i| i + 1);
    let mut days: Vec<_> = x.visits.iter().skip(since_found).map(|(_, on, _)| *on).collect();
    days.sort_unstable();
    let mut counted = 0;
    let mut last: Option<Date> = None;
    for day in days {
        let apart = last.is_none_or(|l| {
            usize::try_from((day - l).get_days()).is_ok_and(|gap| gap >= spacing_days)
        });
        if apart {
            counted += 1;
            last = Some(day);
        }
    }
    if counted >= needed {
        Ok(())
    } else {
        Err(Rejection::new(Code::ChecksMissing)
            .with("counted", counted)
            .with("needed", needed)
            .with("spacing_days", spacing_days))
    }
}

/// The absence lasted a year (ISTAT circular 21/1990).
pub(super) fn the_absence_lasted(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match ex_officio(case) {
        Some(x) if x.kind == Kind::Untraceable => term_is_over(case, UNTRACEABLE_ABSENCE, ctx),
        _ => Ok(()),
    }
}
