//! Silence, the notice of rejection, and who decides.

use super::phase;
use crate::case::rules::{reckoned, refuse, silence_has_not_formed};
use crate::case::{Tenor, TermKey};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::residency::CHECKS;
use crate::residency::commands::Command;
use crate::residency::state::Phase;

/// Whether the end of the checks' term would confirm by silence as the case stands: before a
/// notice always, after one only where the comune reads the law so (`after_notice_expiry`).
pub(crate) fn silence_would_confirm(case: &Case, ctx: &Context<'_>) -> Result<bool, Rejection> {
    if phase(case).is_none_or(|phase| phase == Phase::Ended) {
        return Ok(false);
    }
    let rules = ctx.rule_set(case.rules_version())?;
    Ok(case.file.terms.last_notice().is_none()
        || rules.policy_text("after_notice_expiry") == Some("confirm"))
}

/// Death or a move ends the case only if silence had not confirmed before.
pub(super) fn it_happened_before_silence(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::EndByFact { happened_on, .. })
            if silence_would_confirm(case, ctx)? =>
        {
            silence_has_not_formed(case, &TermKey::of(CHECKS), *happened_on, ctx)
        }
        _ => Ok(()),
    }
}

pub(super) fn a_notice_came_first(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::UnderCheck) => refuse(Code::NoticeRequired),
        _ => Ok(()),
    }
}

/// The person must have had the days from receipt, unless observations were filed.
pub(super) fn observations_could_be_filed(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::NoticePending | Phase::ObservationWindow) => {}
        _ => return Ok(()),
    }
    // The window's own clock, not the notice's: the office may have given more time.
    let end = match case.file.terms.last_notice() {
        Some(notice) => {
            let window = TermKey::instance(crate::case::OBSERVATIONS_RULE, notice.notice);
            reckoned(case, &window, ctx)?.and_then(|t| t.reckoning.end)
        }
        None => None,
    };
    match end {
        Some(end) if ctx.today() > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::ObservationWindowOpen).with("end", end)),
        None => Err(Rejection::new(Code::ObservationWindowOpen).with("end", "-")),
    }
}

pub(super) fn observations_are_answered(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Residency(Command::RestorePosition { answers, .. }) = command else {
        return Ok(());
    };
    let Some(notice) = case.file.terms.last_notice() else { return Ok(()) };
    let rules = ctx.rule_set(case.rules_version())?;
    let window = notice
        .window(rules, ctx.calendar)
        .map_err(|e| Rejection::new(Code::TermUncomputable).with("reason", e))?;
    let late = window.is_some_and(|w| w.observations_in_time == Some(false));
    // Late observations are weighed while no act is adopted, unless the comune sets them aside.
    let set_aside = late && rules.policy_text("late_observations") == Some("set_aside");
    if notice.observed.is_some() && !set_aside && answers.trim().is_empty() {
        refuse(Code::ObservationsUnanswered)
    } else {
        Ok(())
    }
}

pub(super) fn acceptance_after_a_notice_is_reasoned(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::Confirm { reasons, .. })
            if phase(case) != Some(Phase::UnderCheck) && reasons.trim().is_empty() =>
        {
            Err(Rejection::new(Code::ReasonsMissing).with("field", "reasons"))
        }
        _ => Ok(()),
    }
}

/// Who proposed does not decide; and where the comune wants a proposal first, there is one.
pub(super) fn who_decides_did_not_propose(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.proposal {
        Some(proposal) if proposal.by == ctx.actor.id => refuse(Code::FourEyes),
        Some(_) => Ok(()),
        None => {
            let rules = ctx.rule_set(case.rules_version())?;
            if rules.policy_flag("decision_needs_proposal") == Some(true) {
                refuse(Code::NoProposal)
            } else {
                Ok(())
            }
        }
    }
}

pub(super) fn departing_from_the_proposal_is_reasoned(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let (tenor, departure) = match command {
        decider::Command::Residency(Command::Confirm { departure, .. }) => {
            (Tenor::Favourable, departure)
        }
        decider::Command::Residency(Command::RestorePosition { departure, .. }) => {
            (Tenor::Negative, departure)
        }
        _ => return Ok(()),
    };
    match &case.file.proposal {
        Some(p) if p.outcome != tenor && departure.trim().is_empty() => {
            refuse(Code::DepartureUnreasoned)
        }
        _ => Ok(()),
    }
}

pub(super) fn another_case_supersedes(
    _: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Residency(Command::Supersede { by }) if *by == ctx.case_id => {
            refuse(Code::LinkToItself)
        }
        _ => Ok(()),
    }
}
