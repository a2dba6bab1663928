//! Silence, the notice of rejection, the decision, and what is said of elapsed terms.

use super::defects;
use super::review::{own, pending};
use crate::case::rules::{reckoned, refuse, silence_has_not_formed, wrong_phase};
use crate::case::{Channel, ClockEffect, RequestState, TermKey};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::permit::commands::Command;
use crate::permit::state::{Application, Stage, State};
use crate::permit::{DECISION, DECISION_AFTER_NOTICE, REVIEW, SILENCE, SILENCE_EARLIEST};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::{Length, RuleSet, TermError, TermRuleId, TermStatus, Unit};
use jiff::civil::Date;

/// The stages of an application that awaits its end.
pub(crate) const PENDING_FITS: &[&str] = &[
    Stage::UnderReview.as_str(),
    Stage::AwaitingAdditions.as_str(),
    Stage::AdditionsMissing.as_str(),
    Stage::AwaitingChanges.as_str(),
    Stage::SuspendedBySafeguards.as_str(),
    Stage::InConference.as_str(),
    Stage::NoticePending.as_str(),
    Stage::ObservationWindow.as_str(),
    Stage::Proposed.as_str(),
];
/// The stages in which a notice of rejection can be sent.
pub(crate) const NOTICE_FITS: &[&str] = &[
    Stage::UnderReview.as_str(),
    Stage::AdditionsMissing.as_str(),
    Stage::AwaitingChanges.as_str(),
    Stage::Proposed.as_str(),
];

/// The term whose end in silence grants.
pub(crate) fn silent_terms(state: &State) -> Vec<TermKey> {
    match state {
        State::Pending(_) => vec![TermKey::of(SILENCE)],
        _ => Vec::new(),
    }
}

/// What a notice suspends: nothing where the forty days stand in place of the general rule.
pub(crate) fn notice_suspends(case: &Case, ctx: &Context<'_>) -> Result<Vec<TermKey>, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    if rules.policy_text("notice_in_building") == Some("forty_days") {
        return Ok(Vec::new());
    }
    Ok([REVIEW, SILENCE, DECISION, DECISION_AFTER_NOTICE].map(TermKey::of).to_vec())
}

/// After a notice the final act has forty days instead of thirty (c. 6): silence comes as much
/// later, by any reading.
pub(crate) fn notice_extends(
    case: &Case,
    ctx: &Context<'_>,
) -> Result<Vec<(TermKey, Length, &'static str)>, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    let length = |rule: &str| {
        rules
            .term(&TermRuleId::from(rule))
            .map(|r| r.length)
            .map_err(|e: TermError| Rejection::new(Code::TermUncomputable).with("reason", e))
    };
    let more = length(DECISION_AFTER_NOTICE)?.count.saturating_sub(length(DECISION)?.count);
    if more == 0 {
        return Ok(Vec::new());
    }
    let by = Length::days(more);
    let keys = [SILENCE, SILENCE_EARLIEST].map(TermKey::of);
    Ok(keys.map(|key| (key, by, "DPR 380/2001 art. 20 c. 6")).to_vec())
}

/// A notice can be sent unless the applicant's additions are awaited or a conference goes on: its
/// negative determination is the notice.
pub(crate) fn notice_is_possible(case: &Case, state: &State) -> bool {
    let State::Pending(a) = state else { return false };
    let awaited = case.file.requests.values().any(|r| {
        r.state == RequestState::Open && matches!(r.clock, ClockEffect::Interrupts { .. })
    });
    !awaited && a.conference().is_none() && a.safeguarded().is_none()
}

/// Whether the end of the term in silence would grant, as the case stands.
pub(crate) fn silence_would_grant(case: &Case, ctx: &Context<'_>) -> Result<bool, Rejection> {
    if pending(case).is_none() {
        return Ok(false);
    }
    match reckoned(case, &TermKey::of(SILENCE), ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) => silence_would_grant_on(case, end, ctx),
        None => Ok(false),
    }
}

/// Whether silence whose term ends on a day grants: never on constrained property, unless the
/// authorisations are held and the text of 18 December 2025 is in force on that day; not while a
/// conference keeps it off; not after a case was opened again, for which no article gives silence
/// an effect.
pub(crate) fn silence_would_grant_on(
    case: &Case,
    due_on: Date,
    ctx: &Context<'_>,
) -> Result<bool, Rejection> {
    let Some(a) = pending(case) else { return Ok(false) };
    Ok(silence_grants(case, a, due_on, ctx.rule_set(case.rules_version())?))
}

/// The same for whoever has the rules and no decision to make.
pub fn silence_grants(case: &Case, a: &Application, due_on: Date, rules: &RuleSet) -> bool {
    if a.silence_is_off() || !case.file.reopenings.is_empty() {
        return false;
    }
    if a.constraints.is_empty() {
        return true;
    }
    let from = rules.policy_text("constrained_silence_from").and_then(|d| d.parse::<Date>().ok());
    a.authorisations_held && from.is_some_and(|from| due_on >= from)
}

pub(crate) fn can_be_reopened(state: &State, outcome: &str) -> bool {
    matches!(state, State::Ended(_)) && matches!(outcome, "refused" | "irreceivable" | "archived")
}

/// The terms that start anew when a case is opened again.
pub(crate) fn restarts() -> Vec<TermKey> {
    [REVIEW, SILENCE, SILENCE_EARLIEST].map(TermKey::of).to_vec()
}

/// Safeguards, and additions or changes that are awaited, hold the decision up.
pub(super) fn nothing_holds_the_decision_up(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let Some(a) = pending(case) else { return Ok(()) };
    if let Some((_, on)) = a.safeguarded() {
        return Err(Rejection::new(Code::SafeguardsHold).with("date", on));
    }
    let open = case
        .file
        .requests
        .values()
        .find(|r| r.state == RequestState::Open && r.clock != ClockEffect::None);
    match open {
        Some(r) => Err(Rejection::new(Code::RequestAlreadyOpen).with("date", r.sent_on)),
        None => Ok(()),
    }
}

/// On constrained property the comune alone cannot grant: authorisations are held, or the bodies
/// assented in a conference or outside.
pub(super) fn the_constraints_are_authorised(
    case: &Case,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let Some(a) = pending(case) else { return Ok(()) };
    let assented = a.opinions.values().any(|o| o.sensitive && o.is_assent());
    let conferred = a.conferences.iter().any(|c| matches!(c.concluded, Some((true, _))));
    if a.constraints.is_empty() || a.authorisations_held || assented || conferred {
        return Ok(());
    }
    let names: Vec<_> = a.constraints.iter().map(|c| c.as_str()).collect();
    Err(Rejection::new(Code::AuthorisationsMissing).with("constraints", names.join(", ")))
}

/// What the filing lacked was asked for and answered.
pub(super) fn nothing_is_missing(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let Some(a) = pending(case) else { return Ok(()) };
    let defects = defects(a.kind, &a.content);
    let answered =
        case.file.requests.values().any(|r| matches!(r.state, RequestState::Answered(_)));
    // What an older system checked is not checked again.
    let imported = case.file.opening.as_ref().is_some_and(|o| o.channel == Channel::Import);
    if defects.is_empty() || answered || imported {
        return Ok(());
    }
    let grounds: Vec<_> = defects.iter().map(|g| g.as_str()).collect();
    Err(Rejection::new(Code::NotReceivable).with("grounds", grounds.join(", ")))
}

pub(super) fn acceptance_after_a_notice_is_reasoned(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::Issue { reasons, .. })
            if case.file.terms.last_notice().is_some() && reasons.trim().is_empty() =>
        {
            Err(Rejection::new(Code::ReasonsMissing).with("field", "reasons"))
        }
        _ => Ok(()),
    }
}

/// A refusal after silence is ineffective (L. 241/1990 art. 2 c. 8-bis); whether that reaches
/// building is disputed: policy `late_refusal_in_building`.
pub(super) fn the_refusal_comes_before_silence(
    case: &Case,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let Some(state) = own(case) else { return Ok(()) };
    let rules = ctx.rule_set(case.rules_version())?;
    let policy = rules.policy_text("late_refusal_in_building").unwrap_or("refuse");
    match state {
        State::Titled(_, title) if title.by_silence && title.stands() && policy == "refuse" => {
            Err(Rejection::new(Code::SilenceFormed)
                .with("term", SILENCE)
                .with("end", title.granted_on.yesterday().unwrap_or(title.granted_on))
                .with("date", ctx.today()))
        }
        // Silence that is over and not on record yet: it is put on record first.
        State::Pending(_) if policy != "effective" && silence_would_grant(case, ctx)? => {
            silence_has_not_formed(case, &TermKey::of(SILENCE), ctx.today(), ctx)
        }
        _ => Ok(()),
    }
}

/// An application that awaits its end, or a title by silence where the comune reads the law so.
pub(super) fn it_can_be_refused(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::Pending(a)) => match a.conference() {
            Some(round) => {
                Err(Rejection::new(Code::ConferenceUnderWay).with("date", round.convened_on))
            }
            None => Ok(()),
        },
        Some(State::Titled(a, title))
            if title.by_silence && title.stands() && a.late_refusal_on.is_none() =>
        {
            Ok(())
        }
        _ => match &case.file.closure {
            Some(closure) => Err(Rejection::new(Code::CaseClosed)
                .with("outcome", closure.outcome)
                .with("date", closure.closed_on)),
            None => wrong_phase(case, PENDING_FITS),
        },
    }
}

/// Only what was decided, by an act or by silence, can be contested.
pub(super) fn there_is_a_decision(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if own(case).is_some() && case.file.closure.is_some() {
        Ok(())
    } else {
        refuse(Code::CaseNotClosed)
    }
}

pub(super) fn it_is_an_application(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case) {
        Some(State::Pending(_) | State::Titled(..) | State::Ended(_)) => Ok(()),
        _ => wrong_phase(case, PENDING_FITS),
    }
}

pub(super) fn an_attestation_was_asked(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let open = |a: &Application| a.attestations.values().any(|answered| !answered);
    if own(case).and_then(State::application).is_some_and(open) {
        Ok(())
    } else {
        refuse(Code::NoAttestationAsked)
    }
}

/// The acts that stand against an attestation of elapsed terms; none if silence granted.
pub(crate) fn acts_against_attestation(case: &Case) -> Vec<String> {
    let Some(state) = own(case) else { return Vec::new() };
    let act = match state {
        State::Titled(_, title) if title.by_silence && title.annulled_on.is_none() => {
            return Vec::new();
        }
        State::Titled(_, title) if title.annulled_on.is_some() => "annulled",
        State::Titled(..) => "granted",
        State::Ended(_) => case.file.closure.as_ref().map_or("ended", |c| c.outcome),
        State::Pending(a) => match state.stage(&case.file) {
            Stage::AwaitingAdditions | Stage::AdditionsMissing => "additions_requested",
            Stage::AwaitingChanges => "changes_requested",
            Stage::SuspendedBySafeguards => "suspended",
            Stage::InConference => "in_conference",
            Stage::NoticePending | Stage::ObservationWindow => "notice_of_rejection",
            _ if !a.constraints.is_empty() => "constrained_property",
            _ => "term_running",
        },
        _ => "not_an_application",
    };
    vec![act.to_owned()]
}

/// The office is late when the latest day of the procedure is over and silence did not decide.
pub(super) fn the_office_is_late(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    if silence_would_grant(case, ctx)? {
        // Once silence grants there is no inertia left to remedy.
        silence_has_not_formed(case, &TermKey::of(SILENCE), ctx.today(), ctx)?;
    }
    let term = reckoned(case, &TermKey::of(SILENCE), ctx)?;
    let running = term.filter(|t| matches!(t.reckoning.status, TermStatus::Running));
    match running.and_then(|t| t.reckoning.end) {
        Some(end) if ctx.today() > end => Ok(()),
        Some(end) => {
            Err(Rejection::new(Code::TermNotExpired).with("term", SILENCE).with("end", end))
        }
        None => Err(Rejection::new(Code::TermNotExpired).with("term", SILENCE).with("end", "-")),
    }
}

pub(super) fn the_substitute_has_no_conflict(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::InvokeSubstitute { substitute, .. })
            if case.file.conflicts.contains(substitute) =>
        {
            Err(Rejection::new(Code::OfficerInConflict).with("officer", substitute))
        }
        _ => Ok(()),
    }
}

/// Half of the original term, an odd day dropped (L. 241/1990 art. 2 c. 9-ter); doubled if it was.
pub(crate) fn half_of_the_term(case: &Case, ctx: &Context<'_>) -> Result<Length, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    let rule = rules
        .term(&TermRuleId::from(SILENCE))
        .map_err(|e| Rejection::new(Code::TermUncomputable).with("reason", e))?;
    let doubled = pending(case).is_some_and(|a| a.complex);
    let part = if doubled { rule.doubled_part.unwrap_or(rule.length).count } else { 0 };
    let count = (rule.length.count + part) / 2;
    Ok(Length {
        count,
        unit: if rule.length.unit == Unit::Days { Unit::Days } else { rule.length.unit },
    })
}
