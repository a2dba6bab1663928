//! Silence, the notice of rejection, and who decides.

use super::phase;
use crate::case::TermKey;
use crate::case::rules::{refuse, silence_has_not_formed};
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
