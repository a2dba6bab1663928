//! The phases of a residency change, as variants: what is not possible in a phase has no variant.

use super::events::{Authority, Content, Event, Kind, RegistrationMode};
use super::{
    CHECKS, CONSULAR_DECLARATION, CONSULAR_FORM_YEAR, INVITATION, PREFECT_REPORT, REGISTRATION,
    UNTRACEABLE_ABSENCE,
};
use crate::case::{self, CaseFile, TermKey};
use crate::event::Event as AnyEvent;
use crate::ids::EntryId;
use crate::term::ClockOperation;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// What a declaration folds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The kind.
    pub kind: Kind,
    /// Content in force: as filed, or as completed.
    pub content: Content,
    /// The day of registration, once registered.
    pub registered_on: Option<Date>,
    /// Visits: identifier, day in Rome.
    pub visits: Vec<(EntryId, Date)>,
    /// The day of the declaration to the consulate, once its form arrived.
    pub consular_on: Option<Date>,
    /// Who was told of it, and when.
    pub reports: BTreeSet<(Authority, Date)>,
}

/// What a case that the office opened folds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExOfficio {
    /// The kind.
    pub kind: Kind,
    /// The day that the law counts from.
    pub fact_on: Date,
    /// The day of the invitation.
    pub invited_on: Option<Date>,
    /// Visits: identifier, day in Rome, whether somebody was found.
    pub visits: Vec<(EntryId, Date, bool)>,
    /// Who was told of it, and when.
    pub reports: BTreeSet<(Authority, Date)>,
}

/// Where a declaration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Filed; receivability and registration are due within two working days.
    Declared,
    /// Filed for abroad; the consular form is awaited.
    AwaitingConsulate,
    /// Registered, provisionally effective, under check.
    UnderCheck,
    /// The notice of rejection was sent; its receipt is not on record.
    NoticePending,
    /// The notice was received; observations may be filed.
    ObservationWindow,
    /// Observations were filed or their window ended; the decision is due.
    UnderReview,
    /// Ended; the case's closure says how.
    Ended,
}

impl Phase {
    /// The word in views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Declared => "declared",
            Phase::AwaitingConsulate => "awaiting_consulate",
            Phase::UnderCheck => "under_check",
            Phase::NoticePending => "notice_pending",
            Phase::ObservationWindow => "observation_window",
            Phase::UnderReview => "under_review",
            Phase::Ended => "ended",
        }
    }
}

/// The phase of what the office opened, in the words of views.
pub(crate) const EX_OFFICIO: &str = "ex_officio";

/// Where a residency case stands.
#[expect(clippy::large_enum_variant, reason = "the small variants are rare and short-lived")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// The case was opened and says nothing yet.
    #[default]
    NotDeclared,
    /// It began with a declaration.
    Declared(Phase, Declaration),
    /// The office began it.
    ExOfficio(ExOfficio),
    /// The office began it, and it ended.
    ExOfficioEnded(ExOfficio),
}

impl State {
    /// The phase in the words of views.
    pub fn phase(&self) -> &'static str {
        match self {
            State::NotDeclared => "not_opened",
            State::Declared(phase, _) => phase.as_str(),
            State::ExOfficio(_) => EX_OFFICIO,
            State::ExOfficioEnded(_) => "ended",
        }
    }

    /// The kind, once known.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            State::NotDeclared => None,
            State::Declared(_, d) => Some(d.kind),
            State::ExOfficio(x) | State::ExOfficioEnded(x) => Some(x.kind),
        }
    }
}

/// Folds one event, common or own, into the state.
#[must_use]
pub fn evolve(state: State, event: &AnyEvent) -> State {
    match (state, event) {
        (State::NotDeclared, AnyEvent::Residency(e)) => begin(e),
        (State::Declared(phase, declaration), AnyEvent::Residency(e)) => {
            advance(phase, declaration, e)
        }
        (State::Declared(Phase::Ended, d), AnyEvent::Case(case::Event::Reopened(_))) => {
            State::Declared(reopened_phase(&d), d)
        }
        (State::ExOfficioEnded(case), AnyEvent::Case(case::Event::Reopened(_))) => {
            State::ExOfficio(case)
        }
        (State::Declared(phase, declaration), AnyEvent::Case(e)) => {
            State::Declared(notice_phase(phase, e), declaration)
        }
        (State::ExOfficio(case), AnyEvent::Residency(e)) => pursue(case, e),
        (State::ExOfficioEnded(mut case), AnyEvent::Residency(Event::Reported(e))) => {
            case.reports.insert((e.to, e.reported_on));
            State::ExOfficioEnded(case)
        }
        (State::ExOfficio(case), AnyEvent::Case(case::Event::Withdrawn(_))) => {
            State::ExOfficioEnded(case)
        }
        (state, _) => state,
    }
}

fn begin(event: &Event) -> State {
    match event {
        Event::Declared(e) => {
            let phase = if e.kind == Kind::ToAbroadItalian {
                Phase::AwaitingConsulate
            } else {
                Phase::Declared
            };
            let declaration = Declaration {
                kind: e.kind,
                content: e.content.clone(),
                registered_on: None,
                visits: Vec::new(),
                consular_on: None,
                reports: BTreeSet::new(),
            };
            State::Declared(phase, declaration)
        }
        Event::OpenedExOfficio(e) => State::ExOfficio(ExOfficio {
            kind: e.kind,
            fact_on: e.fact_on,
            invited_on: None,
            visits: Vec::new(),
            reports: BTreeSet::new(),
        }),
        _ => State::NotDeclared,
    }
}

fn advance(phase: Phase, mut declaration: Declaration, event: &Event) -> State {
    let phase = match event {
        Event::Completed(e) => {
            declaration.content = e.content.clone();
            phase
        }
        Event::Registered(e) => {
            declaration.registered_on = Some(e.registered_on);
            Phase::UnderCheck
        }
        Event::VisitRecorded(e) => {
            declaration.visits.push((e.visit, crate::term::rome_date(e.visited_at)));
            phase
        }
        Event::ConsularFormReceived(e) => {
            declaration.consular_on = Some(e.declared_on);
            Phase::Declared
        }
        Event::Reported(e) => {
            declaration.reports.insert((e.to, e.reported_on));
            phase
        }
        _ if event.closes().is_some() => Phase::Ended,
        _ => phase,
    };
    State::Declared(phase, declaration)
}

/// Where a case goes on whose final act was annulled: to the decision, with the notice of the
/// first round standing; if it never was registered, to where receivability is judged.
fn reopened_phase(d: &Declaration) -> Phase {
    if d.registered_on.is_some() {
        Phase::UnderReview
    } else if d.kind == Kind::ToAbroadItalian && d.consular_on.is_none() {
        Phase::AwaitingConsulate
    } else {
        Phase::Declared
    }
}

fn notice_phase(phase: Phase, event: &case::Event) -> Phase {
    match (phase, event) {
        (Phase::UnderCheck, case::Event::NoticeSent(_)) => Phase::NoticePending,
        (Phase::NoticePending, case::Event::NoticeReceived(_)) => Phase::ObservationWindow,
        (Phase::NoticePending | Phase::ObservationWindow, case::Event::ObservationsFiled(_)) => {
            Phase::UnderReview
        }
        (Phase::ObservationWindow, case::Event::TermExpired(e))
            if e.term.rule().as_str() == case::OBSERVATIONS_RULE =>
        {
            Phase::UnderReview
        }
        (_, case::Event::Withdrawn(_)) => Phase::Ended,
        (phase, _) => phase,
    }
}

fn pursue(mut case: ExOfficio, event: &Event) -> State {
    match event {
        Event::Invited(e) => case.invited_on = Some(e.sent_on),
        Event::VisitRecorded(e) => {
            let found = e.outcome == super::events::VisitOutcome::Present;
            case.visits.push((e.visit, crate::term::rome_date(e.visited_at), found));
        }
        Event::Reported(e) => {
            case.reports.insert((e.to, e.reported_on));
        }
        _ if event.closes().is_some() => return State::ExOfficioEnded(case),
        _ => {}
    }
    State::ExOfficio(case)
}

/// The clocks that the procedure's own events move.
pub(crate) fn run_clocks(file: &mut CaseFile, _state: &State, event: &AnyEvent) {
    let AnyEvent::Residency(event) = event else { return };
    let name = event.event_type();
    let Some(filed_on) = file.opening.as_ref().map(|o| o.filed_on) else { return };
    let mut start = |rule: &str, on: Date, basis: &str| {
        let entry = file.entry(ClockOperation::Start { on }, name, basis);
        file.terms.start(TermKey::of(rule), None, entry);
    };
    match event {
        Event::Declared(e) if e.kind == Kind::ToAbroadItalian => {
            start(CONSULAR_DECLARATION, filed_on, "L. 470/1988 art. 6");
            start(CONSULAR_FORM_YEAR, filed_on, "L. 470/1988 art. 6");
        }
        Event::Declared(e) => {
            start(REGISTRATION, filed_on, "DL 5/2012 art. 5 c. 3");
            if !e.kind.leaves() {
                start(CHECKS, filed_on, "DPR 223/1989 art. 18-bis");
            }
        }
        Event::ConsularFormReceived(e) => {
            start(REGISTRATION, e.received_on, "L. 470/1988 art. 6");
            stop(file, CONSULAR_DECLARATION, e.declared_on, name);
            stop(file, CONSULAR_FORM_YEAR, e.received_on, name);
        }
        Event::Registered(e) if e.mode != RegistrationMode::ExOfficio => {
            stop(file, REGISTRATION, e.registered_on, name);
        }
        Event::OpenedExOfficio(e) if e.kind == Kind::Untraceable => {
            start(UNTRACEABLE_ABSENCE, e.fact_on, "DPR 223/1989 art. 11 c. 1 lett. c");
        }
        Event::Invited(e) => start(INVITATION, e.sent_on, "DPR 223/1989 arts. 11, 15"),
        Event::Cancelled(e) if e.appeal.is_some() => {
            start(PREFECT_REPORT, e.cancelled_on, "DPR 223/1989 art. 11 c. 2");
        }
        Event::Reported(e) => stop(file, PREFECT_REPORT, e.reported_on, name),
        Event::ConfirmedBySilence(e) => file.terms.mark_expired(&TermKey::of(CHECKS), e.due_on),
        _ => {}
    }
}

fn stop(file: &mut CaseFile, rule: &str, on: Date, name: &str) {
    let entry = file.entry(ClockOperation::Stop { on }, name, "");
    file.terms.push(&TermKey::of(rule), entry);
}
