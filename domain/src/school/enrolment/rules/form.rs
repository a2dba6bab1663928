//! What a filing, a completion and an act must contain.

use super::phase::{open_requests, own};
use crate::case::RequestState;
use crate::case::rules::{date_within, refuse};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::ids::SchoolId;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::school::call::Phase as CallPhase;
use crate::school::criteria::Late;
use crate::school::enrolment::commands::{CallView, Command, Form};
use crate::school::score::Facts;
use crate::term::rome_date;
use std::collections::BTreeSet;

type Checked = Result<(), Rejection>;

fn command_of(command: &decider::Command) -> Option<&Command> {
    match command {
        decider::Command::Enrolment(command) => Some(command),
        _ => None,
    }
}

pub(super) fn the_case_is_new(case: &Case, _: &Context<'_>) -> Checked {
    if case.file.opening.is_none() { Ok(()) } else { refuse(Code::CaseAlreadyOpened) }
}

/// In the window, or after it as the call allows, until the provisional ranking. What counts is
/// the day of receipt, not that of being typed in.
pub(super) fn the_call_takes_applications(
    _: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Checked {
    let Some(Command::File { call, filed_at, .. }) = command_of(command) else { return Ok(()) };
    let (plan, on) = (&call.plan, rome_date(*filed_at));
    let taking =
        matches!(call.phase, CallPhase::Published | CallPhase::WindowOpen | CallPhase::Scoring);
    let in_window = (plan.opens_on..=plan.closes_on).contains(&on);
    // Today decides, too: who types in what came before has until the ranking.
    let late = plan.criteria.late == Late::AfterAllOthers && on > plan.closes_on;
    if taking && ctx.today() >= plan.opens_on && (in_window || late) {
        return Ok(());
    }
    Err(Rejection::new(Code::CallTakesNoApplications)
        .with("phase", call.phase.as_str())
        .with("opens", plan.opens_on)
        .with("closes", plan.closes_on)
        .with("date", on))
}

/// Whether an application received on that day is late.
pub(in crate::school::enrolment) fn is_late(call: &CallView, on: jiff::civil::Date) -> bool {
    on > call.plan.closes_on
}

/// As many schools as the call allows, each once, each with a list for the child's band.
pub(super) fn the_choices_are_of_the_call(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let (call, form, band) = match command_of(command) {
        Some(Command::File { call, form, child, .. }) => {
            let year = call.plan.school_year;
            let born = child.birth_date;
            let band = born.and_then(|b| call.plan.criteria.band_of(b, year)).map(|b| b.id.clone());
            (call, form, band)
        }
        Some(Command::Amend { call, form }) => {
            (call, form, own(case).map(|(_, app)| app.content.band.clone()))
        }
        _ => return Ok(()),
    };
    choices_of(call, form, band.as_ref())
}

fn choices_of(call: &CallView, form: &Form, band: Option<&crate::ids::BandId>) -> Checked {
    let most = call.plan.criteria.most_choices;
    if form.choices.is_empty() || form.choices.len() > usize::from(most) {
        return Err(Rejection::new(Code::ChoicesCount)
            .with("count", form.choices.len())
            .with("most", most));
    }
    let mut seen: BTreeSet<&SchoolId> = BTreeSet::new();
    for school in &form.choices {
        let known = call.plan.schools.get(school);
        // Without a band the child's age is refused by its own rule.
        let has_band =
            |s: &crate::school::call::School| band.is_none_or(|b| s.bands.contains_key(b));
        if !known.is_some_and(has_band) || !seen.insert(school) {
            return Err(Rejection::new(Code::UnknownSchool).with("school", school));
        }
    }
    Ok(())
}

pub(super) fn the_child_is_of_an_age_of_the_call(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let Some(Command::File { call, child, .. }) = command_of(command) else { return Ok(()) };
    let Some(born) = child.birth_date else {
        return Err(Rejection::new(Code::FormIncomplete).with("field", "child.birth_date"));
    };
    if call.plan.criteria.band_of(born, call.plan.school_year).is_none() {
        return refuse(Code::AgeOutsideCall);
    }
    Ok(())
}

/// Only what the criteria ask for is stated; who has to be resident says so.
pub(super) fn the_facts_are_of_the_criteria(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let (call, facts): (&CallView, &Facts) = match command_of(command) {
        Some(Command::File { call, form, .. } | Command::Amend { call, form }) => {
            (call, &form.facts)
        }
        Some(Command::Complete { call, facts, .. }) => (call, facts),
        _ => return Ok(()),
    };
    let criteria = &call.plan.criteria;
    if let Some(unknown) = facts.names().into_iter().find(|f| !criteria.facts.contains_key(*f)) {
        return Err(Rejection::new(Code::UnknownFact).with("fact", unknown));
    }
    if criteria.residents_only && facts.all.get("resident").copied().unwrap_or(0) == 0 {
        return refuse(Code::ResidentsOnly);
    }
    Ok(())
}

pub(super) fn the_request_waits(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let Some(Command::Complete { request, .. }) = command_of(command) else { return Ok(()) };
    match case.file.requests.get(request).map(|r| r.state) {
        None => refuse(Code::UnknownRequest),
        // Until the office decides, what comes late is still received.
        Some(RequestState::Open | RequestState::Answered(_) | RequestState::Lapsed) => Ok(()),
        Some(RequestState::Cancelled) => refuse(Code::RequestNotOpen),
    }
}

pub(super) fn nothing_is_asked_of_the_family(case: &Case, _: &Context<'_>) -> Checked {
    match open_requests(&case.file) {
        0 => Ok(()),
        n => Err(Rejection::new(Code::RequestsOpen).with("count", n)),
    }
}

pub(super) fn the_documents_are_there(case: &Case, _: &Context<'_>) -> Checked {
    let Some((_, app)) = own(case) else { return Ok(()) };
    let there = |kind: &String| {
        case.file.documents.values().any(|d| d.kind == *kind && d.replaced_by.is_none())
    };
    match app.pinned.documents.iter().find(|kind| !there(kind)) {
        Some(kind) => Err(Rejection::new(Code::DocumentsMissing).with("kind", kind)),
        None => Ok(()),
    }
}

/// The attestation has an amount, a protocol of its own and a day until which it is valid.
pub(super) fn the_isee_is_whole(
    _: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Checked {
    let Some(Command::RecordIsee { isee }) = command_of(command) else { return Ok(()) };
    if isee.cents < 0 {
        return Err(Rejection::new(Code::FormIncomplete).with("field", "isee.cents"));
    }
    if isee.protocol.trim().is_empty() {
        return Err(Rejection::new(Code::FormIncomplete).with("field", "isee.protocol"));
    }
    if isee.valid_until < ctx.today() {
        return Err(Rejection::new(Code::DateTooEarly)
            .with("field", "isee.valid_until")
            .with("date", isee.valid_until)
            .with("earliest", ctx.today()));
    }
    Ok(())
}

/// An observation corrects what was overlooked or wrongly taken over, never what happened after
/// the window: what is corrected has to be of the criteria, and its documents in the file since
/// the window.
pub(super) fn only_errors_are_corrected(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let Some(Command::AnswerObservation { call, accepted: true, correct, .. }) =
        command_of(command)
    else {
        return Ok(());
    };
    let Some((_, app)) = own(case) else { return Ok(()) };
    let criteria = &call.plan.criteria;
    let stated = &app.content.facts.value;
    let facts = correct.as_ref().unwrap_or(stated);
    for fact in facts.names() {
        let Some(rule) = criteria.facts.get(fact) else {
            return Err(Rejection::new(Code::UnknownFact).with("fact", fact));
        };
        let same =
            app.content.choices.iter().all(|s| facts.value(fact, s) == stated.value(fact, s));
        let in_time = |kind: &String| {
            case.file
                .documents
                .values()
                .any(|d| d.kind == *kind && d.dated_on <= app.pinned.closes_on)
        };
        // What was stated stands by itself; what was not needs a document of the window.
        let proved = match &rule.proof {
            Some(kind) => in_time(kind) || (same && !in_file(case, kind)),
            None => same,
        };
        if !proved {
            return Err(Rejection::new(Code::LateFact)
                .with("fact", fact)
                .with("end", app.pinned.closes_on));
        }
    }
    Ok(())
}

fn in_file(case: &Case, kind: &str) -> bool {
    case.file.documents.values().any(|d| d.kind == kind && d.replaced_by.is_none())
}

pub(super) fn dates_are_plausible(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Checked {
    let filed = case.file.opening.as_ref().map(|o| o.filed_on);
    match command_of(command) {
        Some(Command::File { filed_at, .. }) if *filed_at > ctx.now => {
            Err(Rejection::new(Code::DateInFuture)
                .with("field", "filed_at")
                .with("date", filed_at)
                .with("latest", ctx.now))
        }
        Some(Command::RecordVaccines { stated_on, .. }) => {
            date_within("stated_on", *stated_on, filed, ctx)
        }
        Some(Command::InviteVaccineProof { sent_on }) => {
            let stated = own(case).and_then(|(_, app)| app.vaccines_stated_on);
            date_within("sent_on", *sent_on, stated, ctx)
        }
        Some(Command::StartAttendance { started_on }) => {
            date_within("started_on", *started_on, filed, ctx)
        }
        _ => Ok(()),
    }
}

pub(super) fn the_act_is_reasoned(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    let (field, text) = match command_of(command) {
        Some(
            Command::Exclude { reasons, .. }
            | Command::DeclareLoss { reasons, .. }
            | Command::AnswerObservation { reasons, .. },
        ) => ("reasons", reasons),
        Some(Command::FileObservation { text }) => ("text", text),
        _ => return Ok(()),
    };
    if text.trim().is_empty() {
        return Err(Rejection::new(Code::ReasonsMissing).with("field", field));
    }
    Ok(())
}

pub(super) fn the_act_states_the_appeal(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Checked {
    match command_of(command) {
        Some(Command::Exclude { appeal, .. } | Command::DeclareLoss { appeal, .. })
            if appeal.authority.trim().is_empty() || appeal.term_days == 0 =>
        {
            refuse(Code::AppealMissing)
        }
        _ => Ok(()),
    }
}
