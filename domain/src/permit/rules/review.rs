//! The review: additions, minor changes, safeguards, opinions.

use super::PENDING_FITS;
use crate::case::rules::{reckoned, refuse, wrong_phase};
use crate::case::{ClockEffect, RequestKind, RequestState, TermKey};
use crate::context::Context;
use crate::decider::{self, Case, ProcedureState};
use crate::ids::EntryId;
use crate::permit::commands::Command;
use crate::permit::state::{Application, Opinion, State};
use crate::permit::{ADDITIONS_REQUEST, CONFERENCE_ADDITIONS, REVIEW};
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::civil::Date;

/// The most days a term stays suspended for missing information (L. 241/1990 art. 2 c. 7).
const SUSPENSION_CAP_DAYS: u16 = 30;

pub(crate) fn review_key() -> TermKey {
    TermKey::of(REVIEW)
}

pub(super) fn own(case: &Case) -> Option<&State> {
    match &case.procedure {
        ProcedureState::Permit(state) => Some(state),
        _ => None,
    }
}

pub(super) fn pending(case: &Case) -> Option<&Application> {
    match own(case) {
        Some(State::Pending(a)) => Some(a),
        _ => None,
    }
}

pub(super) fn it_awaits_its_end(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if pending(case).is_some() { Ok(()) } else { wrong_phase(case, PENDING_FITS) }
}

/// What c. 4 and 5 allow comes before the proposal.
pub(super) fn there_is_no_proposal_yet(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match pending(case) {
        Some(a) if a.proposed_on.is_some() => refuse(Code::ProposalStands),
        _ => Ok(()),
    }
}

/// One request at a time holds the clock: never two that suspend or interrupt at once.
pub(super) fn nothing_is_awaited_from_the_applicant(
    case: &Case,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let held = case
        .file
        .requests
        .values()
        .find(|r| r.state == RequestState::Open && r.clock != ClockEffect::None);
    match held {
        Some(r) => Err(Rejection::new(Code::RequestAlreadyOpen).with("date", r.sent_on)),
        None => Ok(()),
    }
}

/// A second request has no effect on the clock; where the comune wants it so, there is none.
pub(super) fn a_second_request_is_allowed(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let first = case.file.requests.values().any(|r| r.kind == RequestKind::Additions);
    let rules = ctx.rule_set(case.rules_version())?;
    if first && rules.policy_text("second_additions_request") == Some("refuse") {
        Err(Rejection::new(Code::SuspensionSpent).with("term", REVIEW))
    } else {
        Ok(())
    }
}

/// What a request for additions does to the clock: the first within thirty days interrupts (art.
/// 20 c. 5); in a conference it suspends once, within its fifteen days (L. 241/1990 arts. 14-bis
/// c. 2 lett. b, 2 c. 7); any other has no effect.
pub(crate) fn additions_effect(
    case: &Case,
    sent_on: Date,
    ctx: &Context<'_>,
) -> Result<(ClockEffect, &'static str), Rejection> {
    let term = review_key();
    let none = (ClockEffect::None, "L. 241/1990 art. 6");
    let in_time = |key: &TermKey| {
        let end = reckoned(case, key, ctx)?.and_then(|t| t.reckoning.end);
        Ok::<_, Rejection>(end.is_some_and(|end| sent_on <= end))
    };
    let additions = || case.file.requests.values().filter(|r| r.kind == RequestKind::Additions);
    if let Some(round) = pending(case).and_then(Application::conference) {
        let spent =
            additions().any(|r| r.clock != ClockEffect::None && r.sent_on >= round.convened_on);
        let key = TermKey::instance(CONFERENCE_ADDITIONS, round.conference);
        if spent || !in_time(&key)? {
            return Ok(none);
        }
        let clock = ClockEffect::Suspends { term, cap_days: Some(SUSPENSION_CAP_DAYS) };
        return Ok((clock, "L. 241/1990 arts. 14-bis c. 2 lett. b, 2 c. 7"));
    }
    let spent = additions().any(|r| matches!(r.clock, ClockEffect::Interrupts { .. }));
    if spent || !in_time(&TermKey::of(ADDITIONS_REQUEST))? {
        return Ok(none);
    }
    Ok((ClockEffect::Interrupts { term }, "DPR 380/2001 art. 20 c. 5"))
}

/// Changes are asked for within the term of the review (c. 4).
pub(super) fn changes_are_asked_within_the_review(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RequestChanges { sent_on, .. }) = command else {
        return Ok(());
    };
    match reckoned(case, &review_key(), ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if *sent_on <= end => Ok(()),
        Some(end) => Err(Rejection::new(Code::DateTooLate)
            .with("field", "sent_on")
            .with("date", sent_on)
            .with("latest", end)),
        None => Err(Rejection::new(Code::TermNotRunning).with("term", REVIEW)),
    }
}

fn asked_for_changes(case: &Case, id: &EntryId) -> bool {
    let answered = pending(case).is_some_and(|a| a.changes_answered.contains(id));
    !answered
        && case.file.requests.get(id).is_some_and(|r| {
            r.state == RequestState::Open
                && r.kind == RequestKind::Correction
                && matches!(r.clock, ClockEffect::Suspends { .. })
        })
}

pub(super) fn changes_are_awaited(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.requests.keys().any(|id| asked_for_changes(case, id)) {
        Ok(())
    } else {
        refuse(Code::RequestNotOpen)
    }
}

pub(super) fn it_is_the_request_for_changes(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::AnswerChanges { request, .. })
            if !asked_for_changes(case, request) =>
        {
            refuse(Code::UnknownRequest)
        }
        _ => Ok(()),
    }
}

/// The additions were asked for, interrupted the term, and never came.
pub(super) fn additions_never_came(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let lapsed = case.file.requests.values().any(|r| {
        r.state == RequestState::Lapsed && matches!(r.clock, ClockEffect::Interrupts { .. })
    });
    if lapsed { Ok(()) } else { wrong_phase(case, &["additions_missing"]) }
}

pub(super) fn no_safeguards_hold(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match pending(case).and_then(Application::safeguarded) {
        Some((_, on)) => Err(Rejection::new(Code::SafeguardsHold).with("date", on)),
        None => Ok(()),
    }
}

pub(super) fn safeguards_hold(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if pending(case).and_then(Application::safeguarded).is_some() {
        Ok(())
    } else {
        wrong_phase(case, &["suspended_by_safeguards"])
    }
}

/// Safeguards rest on a plan that was adopted before they are applied, and still hold in time.
pub(super) fn the_plan_was_adopted_before(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::ApplySafeguards {
        applied_on,
        plan_adopted_on,
        plan,
        ..
    }) = command
    else {
        return Ok(());
    };
    if plan.trim().is_empty() {
        return Err(Rejection::new(Code::FormIncomplete).with("field", "plan"));
    }
    if plan_adopted_on > applied_on {
        return Err(Rejection::new(Code::DateTooLate)
            .with("field", "plan_adopted_on")
            .with("date", plan_adopted_on)
            .with("latest", applied_on));
    }
    Ok(())
}

fn is_awaited(opinion: &Opinion) -> bool {
    opinion.received_on.is_none()
}

fn is_interrupted(opinion: &Opinion) -> bool {
    is_awaited(opinion) && opinion.interrupted.is_some_and(|(_, received)| received.is_none())
}

fn some_opinion(case: &Case, fits: fn(&Opinion) -> bool) -> Result<(), Rejection> {
    if pending(case).is_some_and(|a| a.opinions.values().any(fits)) {
        Ok(())
    } else {
        refuse(Code::UnknownOpinion)
    }
}

fn the_opinion<'a>(case: &'a Case, command: &decider::Command) -> Option<&'a Opinion> {
    let decider::Command::Permit(
        Command::InterruptOpinion { opinion, .. }
        | Command::ResumeOpinion { opinion, .. }
        | Command::RecordOpinion { opinion, .. },
    ) = command
    else {
        return None;
    };
    pending(case)?.opinions.get(opinion)
}

pub(super) fn an_opinion_is_awaited(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    some_opinion(case, is_awaited)
}

pub(super) fn the_opinion_is_awaited(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match the_opinion(case, command) {
        Some(o) if is_awaited(o) => Ok(()),
        _ => refuse(Code::UnknownOpinion),
    }
}

/// A body may ask for more once only.
pub(super) fn it_was_not_interrupted_yet(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match the_opinion(case, command) {
        Some(o) if o.interrupted.is_some() || o.lapsed.is_some() => {
            Err(Rejection::new(Code::SuspensionSpent).with("term", "permit.opinion"))
        }
        _ => Ok(()),
    }
}

pub(super) fn an_opinion_is_interrupted(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    some_opinion(case, is_interrupted)
}

pub(super) fn the_opinion_is_interrupted(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match the_opinion(case, command) {
        Some(o) if is_interrupted(o) => Ok(()),
        _ => refuse(Code::UnknownOpinion),
    }
}

/// The end of a body's term outside a conference.
pub(crate) fn opinion_end(
    case: &Case,
    opinion: &EntryId,
    ctx: &Context<'_>,
) -> Result<Option<Date>, Rejection> {
    let Some(asked) = pending(case).and_then(|a| a.opinions.get(opinion)) else { return Ok(None) };
    let key = TermKey::instance(crate::permit::state::opinion_rule(asked), *opinion);
    Ok(reckoned(case, &key, ctx)?.and_then(|t| t.reckoning.end))
}
