//! Which phase a command fits, and what others ask of the phase.

use crate::case::TermKey;
use crate::case::rules::{refuse, wrong_phase};
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::residency::events::Kind;
use crate::residency::state::{EX_OFFICIO, Phase, State};
use crate::residency::{CHECKS, REGISTRATION};
use jiff::civil::Date;

/// The phases of a declaration that is not registered yet.
const BEFORE_REGISTRATION: &[&str] = &[Phase::Declared.as_str(), Phase::AwaitingConsulate.as_str()];
/// The phases of the checks.
const UNDER_WAY: &[&str] = &[
    Phase::UnderCheck.as_str(),
    Phase::NoticePending.as_str(),
    Phase::ObservationWindow.as_str(),
    Phase::UnderReview.as_str(),
];
/// The phases of the checks, and the cases that the office opened.
const CHECKED: &[&str] = &[
    Phase::UnderCheck.as_str(),
    Phase::NoticePending.as_str(),
    Phase::ObservationWindow.as_str(),
    Phase::UnderReview.as_str(),
    EX_OFFICIO,
];
/// The phases of the checks, and the kinds of what the office opened that checks may clear.
const CLEARED: &[&str] = &[
    Phase::UnderCheck.as_str(),
    Phase::NoticePending.as_str(),
    Phase::ObservationWindow.as_str(),
    Phase::UnderReview.as_str(),
    Kind::Untraceable.as_str(),
    Kind::AbodeNotRenewed.as_str(),
];
/// The phases in which there is something to tell another authority.
const REPORTED: &[&str] = &[
    Phase::AwaitingConsulate.as_str(),
    Phase::UnderCheck.as_str(),
    Phase::NoticePending.as_str(),
    Phase::ObservationWindow.as_str(),
    Phase::UnderReview.as_str(),
    Phase::Ended.as_str(),
    EX_OFFICIO,
];
/// The phase in which a notice of rejection can be sent.
pub(crate) const NOTICE_FITS: &[&str] = &[Phase::UnderCheck.as_str()];
/// The phases of a declaration that has not ended.
pub(crate) const DECLARED_FITS: &[&str] = &[
    Phase::Declared.as_str(),
    Phase::AwaitingConsulate.as_str(),
    Phase::UnderCheck.as_str(),
    Phase::NoticePending.as_str(),
    Phase::ObservationWindow.as_str(),
    Phase::UnderReview.as_str(),
];

pub(super) fn own(case: &Case) -> Option<&State> {
    match &case.procedure {
        ProcedureState::Residency(state) => Some(state),
        _ => None,
    }
}

pub(super) fn phase(case: &Case) -> Option<Phase> {
    match own(case) {
        Some(State::Declared(phase, _)) => Some(*phase),
        _ => None,
    }
}

pub(super) fn it_is_not_registered_yet(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::Declared | Phase::AwaitingConsulate) => Ok(()),
        _ => wrong_phase(case, BEFORE_REGISTRATION),
    }
}

pub(super) fn checks_are_under_way(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(
            Phase::UnderCheck
            | Phase::NoticePending
            | Phase::ObservationWindow
            | Phase::UnderReview,
        ) => Ok(()),
        _ => wrong_phase(case, UNDER_WAY),
    }
}

pub(super) fn it_is_a_residency_case(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if own(case).is_some() { Ok(()) } else { refuse(Code::WrongProcedure) }
}

/// Checks end well for a declaration, and for a person found after all or whose permit was renewed.
pub(super) fn there_are_checks_to_close(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::ExOfficio(x)) if x.kind != Kind::ExOfficioRegistration => Ok(()),
        _ if checks_are_under_way(case, ctx).is_ok() => Ok(()),
        _ => wrong_phase(case, CLEARED),
    }
}

pub(super) fn the_office_opened_it(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::ExOfficio(_)) => Ok(()),
        _ => wrong_phase(case, &[EX_OFFICIO]),
    }
}

pub(super) fn the_consular_form_is_there(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::AwaitingConsulate) => refuse(Code::ConsularFormMissing),
        _ => Ok(()),
    }
}

pub(super) fn the_consulate_is_awaited(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match phase(case) {
        Some(Phase::AwaitingConsulate) => Ok(()),
        _ => wrong_phase(case, &[Phase::AwaitingConsulate.as_str()]),
    }
}

/// A dwelling is visited while the case is open, unless the persons leave for abroad.
pub(super) fn visits_make_sense(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::Declared(Phase::Ended, _)) => wrong_phase(case, CHECKED),
        Some(State::Declared(_, d)) if d.kind.leaves() => wrong_phase(case, CHECKED),
        Some(State::Declared(..) | State::ExOfficio(_)) => Ok(()),
        _ => wrong_phase(case, CHECKED),
    }
}

/// The terms that start anew when a case is opened again: what was never registered has to be
/// registered first.
pub(crate) fn restarts(state: &State) -> Vec<TermKey> {
    match state {
        State::Declared(_, d) if d.registered_on.is_some() => vec![TermKey::of(CHECKS)],
        State::Declared(_, d) if d.kind.leaves() => vec![TermKey::of(REGISTRATION)],
        State::Declared(..) => vec![TermKey::of(REGISTRATION), TermKey::of(CHECKS)],
        _ => Vec::new(),
    }
}

/// Whether the office opened the case.
pub(crate) fn is_ex_officio(state: &State) -> bool {
    matches!(state, State::ExOfficio(_) | State::ExOfficioEnded(_))
}

/// The day of registration, once registered.
pub(crate) fn registered_on(case: &Case) -> Option<Date> {
    match own(case) {
        Some(State::Declared(_, d)) => d.registered_on,
        _ => None,
    }
}

/// Whether a notice of rejection can be sent in this state: registration comes first.
pub(crate) fn notice_is_possible(state: &State) -> bool {
    matches!(state, State::Declared(Phase::UnderCheck, _))
}

/// Whether a registration stands that the end of the case would have to undo.
pub(crate) fn has_provisional_effect(case: &Case) -> bool {
    matches!(own(case), Some(State::Declared(_, d)) if d.registered_on.is_some())
}

pub(super) fn there_is_something_to_report(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::Declared(phase, _)) if *phase != Phase::Declared => Ok(()),
        Some(State::ExOfficio(_) | State::ExOfficioEnded(_)) => Ok(()),
        _ => wrong_phase(case, REPORTED),
    }
}
