//! The conferenza: who, by when, with what outcome, and who may oppose it.

use super::review::{own, pending};
use crate::case::TermKey;
use crate::case::rules::{reckoned, refuse, wrong_phase};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::ids::EntryId;
use crate::permit::commands::Command;
use crate::permit::events::{ConferenceForm, Position};
use crate::permit::state::{Application, Conference};
use crate::permit::{BODY, BODY_SENSITIVE, MEETING, OPPOSITION};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::{TermRuleId, simple_term};
use jiff::civil::Date;

/// Within it from the end of the bodies' terms the meeting is held (art. 14-bis c. 2 lett. d).
const MEETING_WINDOW: &str = "permit.conference_meeting_window";
/// Convened within it a conference keeps silence off (L. 241/1990 art. 20 c. 2).
const IN_TIME: &str = "permit.conference_in_time";

pub(crate) fn conference_under_way(case: &Case) -> Result<&Conference, Rejection> {
    match pending(case).and_then(Application::conference) {
        Some(round) => Ok(round),
        None => wrong_phase(case, &["in_conference"]),
    }
}

pub(super) fn a_conference_is_under_way(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    conference_under_way(case).map(|_| ())
}

pub(super) fn no_conference_is_under_way(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match pending(case).and_then(Application::conference) {
        Some(round) => {
            Err(Rejection::new(Code::ConferenceUnderWay).with("date", round.convened_on))
        }
        None => Ok(()),
    }
}

/// After a negative determination the conference starts again only on observations (c. 5).
pub(super) fn another_round_follows_observations(
    case: &Case,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let held = pending(case).is_some_and(|a| !a.conferences.is_empty());
    let observed = case.file.terms.last_notice().is_some_and(|n| n.observed.is_some());
    if held && !observed { refuse(Code::ConferenceConcluded) } else { Ok(()) }
}

pub(super) fn bodies_are_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::ConveneConference { bodies, .. })
            if bodies.is_empty() || bodies.iter().any(|b| b.name.trim().is_empty()) =>
        {
            Err(Rejection::new(Code::FormIncomplete).with("field", "bodies"))
        }
        _ => Ok(()),
    }
}

fn end_of(
    case: &Case,
    rule: &str,
    from: Date,
    ctx: &Context<'_>,
) -> Result<Option<Date>, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    let uncomputable =
        |e: crate::term::TermError| Rejection::new(Code::TermUncomputable).with("reason", e);
    let rule = rules.term(&TermRuleId::from(rule)).map_err(uncomputable)?;
    let saturday = rules.saturday_is_working(rule);
    let term = simple_term(from, rule.length, saturday, ctx.calendar).map_err(uncomputable)?;
    Ok(term.end)
}

/// A meeting of the simplified form falls within ten days after the bodies' terms; one of the
/// synchronous form within thirty days.
pub(super) fn the_meeting_has_a_lawful_day(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::ConveneConference {
        form,
        convened_on,
        meeting_on,
        bodies,
    }) = command
    else {
        return Ok(());
    };
    let (earliest, latest) = match form {
        ConferenceForm::Synchronous => {
            (Some(*convened_on), end_of(case, MEETING, *convened_on, ctx)?)
        }
        ConferenceForm::Simplified => {
            let sensitive = bodies.iter().any(|b| b.sensitive);
            let rule = if sensitive { BODY_SENSITIVE } else { BODY };
            let answered = end_of(case, rule, *convened_on, ctx)?;
            let latest = match answered {
                Some(from) => end_of(case, MEETING_WINDOW, from, ctx)?,
                None => None,
            };
            (answered, latest)
        }
    };
    let say = |code, key, limit: Date| {
        Err(Rejection::new(code)
            .with("field", "meeting_on")
            .with("date", meeting_on)
            .with(key, limit))
    };
    match (earliest, latest) {
        (Some(limit), _) if *meeting_on < limit => say(Code::DateTooEarly, "earliest", limit),
        (_, Some(limit)) if *meeting_on > limit => say(Code::DateTooLate, "latest", limit),
        _ => Ok(()),
    }
}

/// Whether a conference convened on a day keeps silence from granting: where the comune reads the
/// law so, and within thirty days from filing (L. 241/1990 art. 20 c. 1 and 2).
pub(crate) fn conference_keeps_silence_off(
    case: &Case,
    convened_on: Date,
    ctx: &Context<'_>,
) -> Result<bool, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    if rules.policy_text("silence_during_conference") == Some("forms") {
        return Ok(false);
    }
    let Some(filed_on) = case.file.opening.as_ref().map(|o| o.filed_on) else { return Ok(false) };
    Ok(end_of(case, IN_TIME, filed_on, ctx)?.is_some_and(|end| convened_on <= end))
}

pub(super) fn the_body_takes_part(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RecordDetermination { body, .. }) = command else {
        return Ok(());
    };
    if conference_under_way(case)?.bodies.contains_key(body) {
        Ok(())
    } else {
        Err(Rejection::new(Code::UnknownBody).with("body", body))
    }
}

/// The clock of a body, by what it protects.
fn body_key(case: &Case, body: &EntryId) -> Result<TermKey, Rejection> {
    let round = conference_under_way(case)?;
    let Some(invited) = round.bodies.get(body) else {
        return Err(Rejection::new(Code::UnknownBody).with("body", body));
    };
    let rule = if invited.sensitive { BODY_SENSITIVE } else { BODY };
    Ok(TermKey::instance(rule, *body))
}

/// The end of a body's term.
pub(crate) fn body_end(
    case: &Case,
    body: &EntryId,
    ctx: &Context<'_>,
) -> Result<Option<Date>, Rejection> {
    let key = body_key(case, body)?;
    Ok(reckoned(case, &key, ctx)?.and_then(|t| t.reckoning.end))
}

/// What comes after a body's term is ineffective: its silence has become assent. In the meeting
/// positions may be given until the end.
pub(super) fn the_determination_is_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RecordDetermination { body, received_on, .. }) = command
    else {
        return Ok(());
    };
    if conference_under_way(case)?.met_on.is_some() {
        return Ok(());
    }
    match body_end(case, body, ctx)? {
        Some(end) if *received_on > end => Err(Rejection::new(Code::SilenceFormed)
            .with("term", body_key(case, body)?)
            .with("end", end)
            .with("date", received_on)),
        _ => Ok(()),
    }
}

/// A body determines once; in the meeting it may change its position. A determination that was
/// received in time and recorded late takes the place of a silence that was none.
pub(super) fn the_body_said_nothing_yet(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RecordDetermination { body, .. }) = command else {
        return Ok(());
    };
    let round = conference_under_way(case)?;
    match round.bodies.get(body).and_then(|b| b.received_on) {
        Some(on) if round.met_on.is_none() => {
            Err(Rejection::new(Code::BodyHasDetermined).with("date", on))
        }
        _ => Ok(()),
    }
}

pub(super) fn it_did_not_meet_yet(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match conference_under_way(case)?.met_on {
        Some(on) => Err(Rejection::new(Code::ConferenceMet).with("date", on)),
        None => Ok(()),
    }
}

/// The determination waits for the bodies; in the meeting who is silent assents (c. 6).
pub(super) fn the_positions_are_known(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let round = conference_under_way(case)?;
    let awaited = round.awaited();
    if awaited > 0 && round.met_on.is_none() {
        Err(Rejection::new(Code::PositionsAwaited).with("bodies", awaited))
    } else {
        Ok(())
    }
}

/// In writing: positive on assents and conditions alone, negative on dissent that cannot be
/// overcome, and a meeting in all other cases (c. 5 and 6). In the meeting positions prevail.
pub(super) fn the_outcome_follows_the_positions(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::ConcludeConference { positive, .. }) = command else {
        return Ok(());
    };
    let round = conference_under_way(case)?;
    if round.met_on.is_some() {
        return Ok(());
    }
    let has = |wanted| round.bodies.values().any(|b| b.position == Some(wanted));
    let lawful = if has(Position::Insurmountable) {
        !positive
    } else if has(Position::Surmountable) {
        return refuse(Code::MeetingNeeded);
    } else {
        *positive
    };
    if lawful {
        Ok(())
    } else {
        let outcome = if *positive { "negative" } else { "positive" };
        Err(Rejection::new(Code::PositionsSayOtherwise).with("outcome", outcome))
    }
}

pub(super) fn opposition_is_possible(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let suspended = own(case).and_then(|s| s.title()).filter(|t| t.effect_suspended);
    match suspended {
        Some(t) if t.opposed.is_none() && t.stands() => Ok(()),
        _ => wrong_phase(case, &["effect_suspended"]),
    }
}

fn last_round(case: &Case) -> Option<&Conference> {
    own(case).and_then(|s| s.application()).and_then(|a| a.conferences.last())
}

pub(super) fn the_body_may_oppose(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::RaiseOpposition { body, .. })
            if !last_round(case).is_some_and(|r| r.may_oppose.contains(body)) =>
        {
            Err(Rejection::new(Code::UnknownBody).with("body", body))
        }
        _ => Ok(()),
    }
}

pub(super) fn the_opposition_is_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::RaiseOpposition { raised_on, .. }) = command else {
        return Ok(());
    };
    let end = reckoned(case, &TermKey::of(OPPOSITION), ctx)?.and_then(|t| t.reckoning.end);
    match end {
        Some(end) if *raised_on > end => Err(Rejection::new(Code::DateTooLate)
            .with("field", "raised_on")
            .with("date", raised_on)
            .with("latest", end)),
        _ => Ok(()),
    }
}

pub(super) fn an_opposition_was_raised(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match own(case).and_then(|s| s.title()) {
        Some(t) if t.opposed.is_some() => Ok(()),
        _ => wrong_phase(case, &["effect_suspended"]),
    }
}
