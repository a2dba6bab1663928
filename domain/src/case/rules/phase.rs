//! Whether the case takes a command at all: opened, open, closed, in a fitting phase.

use crate::case::commands::Command;
use crate::case::events::ReopeningGround;
use crate::case::procedure;
use crate::case::state::RequestState;
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};

pub(crate) fn refuse(code: Code) -> Result<(), Rejection> {
    Err(Rejection::new(code))
}

/// Whether the case was opened at all.
pub(super) fn the_case_was_opened(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.opening.is_some() { Ok(()) } else { refuse(Code::CaseNotOpened) }
}

/// Whether no filing opened the case yet: a filing opens its own.
pub(crate) fn the_case_is_new(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.opening.is_none() { Ok(()) } else { refuse(Code::CaseAlreadyOpened) }
}

/// Whether the case has no final act yet.
pub(crate) fn the_case_is_open(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.closure {
        None => Ok(()),
        Some(closure) => Err(Rejection::new(Code::CaseClosed)
            .with("outcome", closure.outcome)
            .with("date", closure.closed_on)),
    }
}

pub(super) fn the_case_is_closed(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.closure.is_some() { Ok(()) } else { refuse(Code::CaseNotClosed) }
}

/// Whether the procedure knows a notice of rejection now.
pub(super) fn the_phase_allows_a_notice(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    procedure::notice_fits(case).or_else(|fits| wrong_phase(case, fits))
}

/// The command does not fit where the case stands; `fits` are the phases or kinds that it fits.
pub(crate) fn wrong_phase<T>(case: &Case, fits: &[&str]) -> Result<T, Rejection> {
    Err(Rejection::new(Code::WrongPhase).with("phase", case.phase()).with("fits", fits.join(", ")))
}

/// There is a request that waits for its answer; one whose time ran out may still be answered.
pub(super) fn a_request_can_be_answered(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    some_request(case, |s| matches!(s, RequestState::Open | RequestState::Lapsed))
}

/// There is a request that waits for its answer.
pub(super) fn a_request_waits(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    some_request(case, |s| s == RequestState::Open)
}

fn some_request(case: &Case, fits: impl Fn(RequestState) -> bool) -> Result<(), Rejection> {
    if case.file.requests.is_empty() {
        refuse(Code::UnknownRequest)
    } else if case.file.requests.values().any(|r| fits(r.state)) {
        Ok(())
    } else {
        refuse(Code::RequestNotOpen)
    }
}

/// Somebody acts for a party.
pub(super) fn somebody_is_represented(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.representations.values().any(|r| !r.ended) {
        Ok(())
    } else {
        refuse(Code::UnknownRepresentation)
    }
}

/// A suspension that the office declared still holds.
pub(super) fn a_suspension_holds(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.suspensions.values().any(|(_, open)| *open) {
        Ok(())
    } else {
        refuse(Code::TermNotSuspended)
    }
}

pub(super) fn no_proposal_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.proposal.is_some() { refuse(Code::ProposalStands) } else { Ok(()) }
}

pub(super) fn a_proposal_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.proposal.is_some() { Ok(()) } else { refuse(Code::NoProposal) }
}

/// An application can be given up until its final act.
pub(super) fn withdrawal_is_in_time(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.closure {
        Some(c) => Err(Rejection::new(Code::WithdrawalTooLate)
            .with("outcome", c.outcome)
            .with("date", c.closed_on)),
        None => Ok(()),
    }
}

/// What the office opened itself is nobody's application, so nobody can give it up.
pub(super) fn there_is_an_application(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match procedure::not_an_application(case) {
        Some(fits) => wrong_phase(case, fits),
        None => Ok(()),
    }
}

/// Only a judgement, an appeal or the comune's own annulment reopens, and only a negative end;
/// what was confirmed is undone by a new case (DPR 223/1989 arts. 11 and 15).
pub(super) fn the_law_reopens_it(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(Command::Reopen { ground, reference }) = command else {
        return Ok(());
    };
    if reference.trim().is_empty() {
        return Err(Rejection::new(Code::ReasonsMissing).with("field", "reference"));
    }
    let outcome = case.file.closure.as_ref().map_or("", |c| c.outcome);
    let possible = match ground {
        ReopeningGround::JudicialAnnulment
        | ReopeningGround::AppealUpheld
        | ReopeningGround::OwnAnnulment => procedure::can_be_reopened(case, outcome),
    };
    if possible {
        Ok(())
    } else {
        Err(Rejection::new(Code::ReopeningNotForeseen).with("outcome", outcome))
    }
}
