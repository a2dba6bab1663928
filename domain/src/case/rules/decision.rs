//! The final act, whatever the procedure: notice first, observations answered, two people,
//! reasons and appeal. A command says through [`Act`] which of these it carries.

use super::{reckoned, refuse};
use crate::case::{Appeal, OBSERVATIONS_RULE, Tenor, TermKey};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};

/// What a command carries of an act; what it has no field for is absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Act<'a> {
    /// The field of the reasons, and the reasons.
    pub reasons: Option<(&'static str, &'a str)>,
    /// The answers to the observations.
    pub answers: Option<&'a str>,
    /// Term and authority of appeal.
    pub appeal: Option<&'a Appeal>,
    /// Which way it goes, and why the proposal is not followed if it is not.
    pub departure: Option<(Tenor, &'a str)>,
}

/// A negative act on an application comes after a notice of rejection.
pub(crate) fn a_notice_came_first(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.terms.last_notice().is_some() { Ok(()) } else { refuse(Code::NoticeRequired) }
}

/// The person must have had the days from receipt, unless observations were filed.
pub(crate) fn observations_could_be_filed(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let Some(notice) = case.file.terms.last_notice() else { return Ok(()) };
    if notice.observed.is_some() {
        return Ok(());
    }
    // The window's own clock, not the notice's: the office may have given more time.
    let window = TermKey::instance(OBSERVATIONS_RULE, notice.notice);
    match reckoned(case, &window, ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if ctx.today() > end => Ok(()),
        Some(end) => Err(Rejection::new(Code::ObservationWindowOpen).with("end", end)),
        None => Err(Rejection::new(Code::ObservationWindowOpen).with("end", "-")),
    }
}

/// A negative act answers the observations.
pub(crate) fn observations_are_answered(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let Some(answers) = command.act().answers else { return Ok(()) };
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

/// Who proposed does not decide; and where the comune wants a proposal first, there is one.
pub(crate) fn who_decides_did_not_propose(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.proposal {
        Some(proposal) if proposal.by == ctx.actor.id => refuse(Code::FourEyes),
        Some(_) => Ok(()),
        None => {
            let rules = ctx.rule_set(case.rules_version())?;
            if rules.policy_flag(crate::case::procedure::proposal_policy(case)) == Some(true) {
                refuse(Code::NoProposal)
            } else {
                Ok(())
            }
        }
    }
}

/// Who departs from the proposal says why.
pub(crate) fn departing_from_the_proposal_is_reasoned(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let Some((tenor, departure)) = command.act().departure else { return Ok(()) };
    match &case.file.proposal {
        Some(p) if p.outcome != tenor && departure.trim().is_empty() => {
            refuse(Code::DepartureUnreasoned)
        }
        _ => Ok(()),
    }
}

/// An act says why (art. 3).
pub(crate) fn the_act_is_reasoned(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command.act().reasons {
        Some((field, text)) if text.trim().is_empty() => {
            Err(Rejection::new(Code::ReasonsMissing).with("field", field))
        }
        _ => Ok(()),
    }
}

/// A notified act states term and authority of appeal (art. 3 c. 4).
pub(crate) fn the_act_states_the_appeal(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command.act().appeal {
        Some(appeal) if appeal.authority.trim().is_empty() || appeal.term_days == 0 => {
            refuse(Code::AppealMissing)
        }
        _ => Ok(()),
    }
}
