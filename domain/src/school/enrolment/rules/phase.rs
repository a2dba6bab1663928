//! Which phase a command fits.

use crate::case::rules::{reckoned, wrong_phase};
use crate::case::{CaseFile, TermKey};
use crate::context::Context;
use crate::decider::{self, Case, ProcedureState};
use crate::ids::EntryId;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::school::enrolment::OBSERVATIONS;
use crate::school::enrolment::commands::Command;
use crate::school::enrolment::state::{Application, Phase, State};

type Checked = Result<(), Rejection>;

/// Phase and application, once filed.
pub(in crate::school::enrolment) fn own(case: &Case) -> Option<(Phase, &Application)> {
    match &case.procedure {
        ProcedureState::Enrolment(State::Filed(phase, application)) => Some((*phase, application)),
        _ => None,
    }
}

pub(super) fn fits(case: &Case, phases: &[Phase]) -> Checked {
    if own(case).is_some_and(|(phase, _)| phases.contains(&phase)) {
        return Ok(());
    }
    let words: Vec<&str> = phases.iter().map(|p| p.as_str()).collect();
    wrong_phase(case, &words)
}

pub(super) fn it_waits_for_admission(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::Filed])
}

/// Scored again is allowed until the ranking: the office may find its own slip.
pub(super) fn it_was_admitted(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::Admitted, Phase::Scored])
}

/// Whoever stands in the definitive ranking has a position that only annulment takes away.
pub(super) fn it_can_still_be_excluded(case: &Case, _: &Context<'_>) -> Checked {
    let before = [Phase::Filed, Phase::Admitted, Phase::Scored, Phase::RankedProvisionally];
    fits(case, &before)
}

pub(super) fn it_stands_in_the_definitive_ranking(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::WaitingList, Phase::Offered])
}

/// An application is changed freely until the window closes, and never after it.
pub(super) fn the_window_is_open(case: &Case, ctx: &Context<'_>) -> Checked {
    fits(case, &[Phase::Filed, Phase::Admitted])?;
    match own(case) {
        Some((_, app)) if ctx.today() > app.pinned.closes_on => {
            Err(Rejection::new(Code::WindowClosed).with("end", app.pinned.closes_on))
        }
        _ => Ok(()),
    }
}

/// Points are given once nothing can be changed any more.
pub(super) fn the_window_is_over(case: &Case, ctx: &Context<'_>) -> Checked {
    match own(case) {
        Some((_, app)) if ctx.today() <= app.pinned.closes_on => {
            Err(Rejection::new(Code::WindowOpen).with("end", app.pinned.closes_on))
        }
        _ => Ok(()),
    }
}

/// Observations are filed while the provisional ranking is open to them.
pub(super) fn observations_are_still_open(case: &Case, ctx: &Context<'_>) -> Checked {
    fits(case, &[Phase::RankedProvisionally])?;
    let end = reckoned(case, &TermKey::of(OBSERVATIONS), ctx)?.and_then(|t| t.reckoning.end);
    match end {
        Some(end) if ctx.today() > end => {
            Err(Rejection::new(Code::ObservationsClosed).with("end", end))
        }
        _ => Ok(()),
    }
}

pub(super) fn an_observation_waits(case: &Case, _: &Context<'_>) -> Checked {
    fits(case, &[Phase::RankedProvisionally])?;
    let waits = |app: &Application| app.observations.values().any(|o| o.accepted.is_none());
    if own(case).is_some_and(|(_, app)| waits(app)) {
        Ok(())
    } else {
        Err(Rejection::new(Code::UnknownObservation))
    }
}

pub(super) fn the_observation_is_open(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let decider::Command::Enrolment(Command::AnswerObservation { observation, .. }) = command
    else {
        return Ok(());
    };
    let known = |id: &EntryId| own(case).and_then(|(_, app)| app.observations.get(id));
    match known(observation) {
        Some(o) if o.accepted.is_none() => Ok(()),
        _ => Err(Rejection::new(Code::UnknownObservation)),
    }
}

/// Open requests to the family.
pub(super) fn open_requests(file: &CaseFile) -> usize {
    file.requests.values().filter(|r| r.state == crate::case::RequestState::Open).count()
}
