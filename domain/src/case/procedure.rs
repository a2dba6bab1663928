//! What the kernel asks a procedure: which clocks silence belongs to, whether a notice fits, what
//! an end brings. One match a question, so that a new procedure answers all of them.
//!
//! Never here: an answer itself. Those stand with the procedure.

use super::terms::TermKey;
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::event::Event;
use crate::rejection::Rejection;
use crate::term::Length;
use crate::{permit, residency};
use jiff::civil::Date;

/// The terms whose end in silence has a legal effect.
pub(crate) fn silent_terms(case: &Case) -> Vec<TermKey> {
    match &case.procedure {
        ProcedureState::Residency(_) => vec![TermKey::of(residency::CHECKS)],
        ProcedureState::Permit(state) => permit::rules::silent_terms(state),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => Vec::new(),
    }
}

/// The terms that art. 2 c. 7 of L. 241/1990 lets the office suspend for what it lacks; `None`
/// where every clock of the office is one (imported histories).
pub(crate) fn suspendable_terms(case: &Case) -> Option<Vec<TermKey>> {
    match &case.procedure {
        ProcedureState::Residency(_) => Some(silent_terms(case)),
        // DPR 380/2001 art. 20 c. 4 and 5 have their own requests in the place of art. 2 c. 7.
        ProcedureState::Permit(_) => Some(Vec::new()),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => None,
    }
}

/// The terms that a notice of rejection suspends.
///
/// # Errors
/// `RULES_UNKNOWN` when the case's rules are not here.
pub(crate) fn notice_suspends(case: &Case, ctx: &Context<'_>) -> Result<Vec<TermKey>, Rejection> {
    match &case.procedure {
        ProcedureState::Permit(_) => permit::rules::notice_suspends(case, ctx),
        _ => Ok(silent_terms(case)),
    }
}

/// The terms that a notice of rejection lengthens, by how much, and the article.
///
/// # Errors
/// As [`notice_suspends`].
pub(crate) fn notice_extends(
    case: &Case,
    ctx: &Context<'_>,
) -> Result<Vec<(TermKey, Length, &'static str)>, Rejection> {
    match &case.procedure {
        ProcedureState::Permit(_) => permit::rules::notice_extends(case, ctx),
        _ => Ok(Vec::new()),
    }
}

/// Whether the procedure knows a notice of rejection now, and otherwise in which phases.
pub(crate) fn notice_fits(case: &Case) -> Result<(), &'static [&'static str]> {
    let (allowed, fits) = match &case.procedure {
        ProcedureState::Residency(state) => {
            (residency::rules::notice_is_possible(state), residency::rules::NOTICE_FITS)
        }
        ProcedureState::Permit(state) => {
            (permit::rules::notice_is_possible(case, state), permit::rules::NOTICE_FITS)
        }
        ProcedureState::Imported(_) | ProcedureState::NotOpened => {
            (false, residency::rules::NOTICE_FITS)
        }
    };
    if allowed { Ok(()) } else { Err(fits) }
}

/// The first day on which a notice can have been sent.
pub(crate) fn notice_not_before(case: &Case) -> Option<Date> {
    residency::rules::registered_on(case).or(case.file.opening.as_ref().map(|o| o.filed_on))
}

/// Whether the end of the silent terms would decide the case as it stands.
///
/// # Errors
/// `RULES_UNKNOWN` when the case's rules are not here.
pub(crate) fn silence_would_decide(case: &Case, ctx: &Context<'_>) -> Result<bool, Rejection> {
    match &case.procedure {
        ProcedureState::Residency(_) => residency::rules::silence_would_confirm(case, ctx),
        ProcedureState::Permit(_) => permit::rules::silence_would_grant(case, ctx),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => Ok(false),
    }
}

/// What the end of a term brings besides attention; none if nothing.
///
/// # Errors
/// `RULES_UNKNOWN` when the case's rules are not here.
pub(crate) fn end_of_term(
    case: &Case,
    term: &TermKey,
    due_on: Date,
    ctx: &Context<'_>,
) -> Result<Option<Vec<Event>>, Rejection> {
    match &case.procedure {
        ProcedureState::Residency(_) => residency::silence(case, term, due_on, ctx),
        ProcedureState::Permit(_) => permit::end_of_term(case, term, due_on, ctx),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => Ok(None),
    }
}

/// The policy that says whether a decision waits for a proposal.
pub(crate) fn proposal_policy(case: &Case) -> &'static str {
    match &case.procedure {
        ProcedureState::Permit(_) => "permit_needs_proposal",
        _ => "decision_needs_proposal",
    }
}

/// Why the case is nobody's application: the phases or kinds that a withdrawal fits.
pub(crate) fn not_an_application(case: &Case) -> Option<&'static [&'static str]> {
    match &case.procedure {
        ProcedureState::Residency(state) if residency::rules::is_ex_officio(state) => {
            Some(residency::rules::DECLARED_FITS)
        }
        _ => None,
    }
}

/// Whether the law opens again a case that ended like this.
pub(crate) fn can_be_reopened(case: &Case, outcome: &str) -> bool {
    match &case.procedure {
        // Who asked to be cancelled got what they asked for; who did not may appeal.
        ProcedureState::Residency(state) if residency::rules::is_ex_officio(state) => {
            outcome == "cancelled"
        }
        ProcedureState::Permit(state) => permit::rules::can_be_reopened(state, outcome),
        _ => matches!(outcome, "position_restored" | "irreceivable"),
    }
}

/// The terms that start anew when a closed case is opened again.
pub(crate) fn restarts(case: &Case) -> Vec<TermKey> {
    match &case.procedure {
        ProcedureState::Residency(state) => residency::rules::restarts(state),
        ProcedureState::Permit(_) => permit::rules::restarts(),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => Vec::new(),
    }
}
