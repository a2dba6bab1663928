//! Terms: the notice, silence, suspensions and expiry.

use super::refuse;
use crate::case::commands::Command;
use crate::case::procedure;
use crate::case::terms::{ReckonedTerm, TermKey};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::{TermOwner, TermStatus};
use jiff::civil::Date;

pub(super) fn a_notice_was_sent(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.terms.last_notice().is_some() { Ok(()) } else { refuse(Code::NoNotice) }
}

/// One notice of rejection a case: a second would suspend twice what the law suspends once.
pub(super) fn no_notice_is_open(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.terms.last_notice() {
        Some(n) => Err(Rejection::new(Code::NoticeAlreadySent).with("date", n.sent.0)),
        None => Ok(()),
    }
}

/// The receipt is recorded once; the day it moved the clocks to is not rewritten.
pub(super) fn receipt_is_not_on_record(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.terms.last_notice().and_then(|n| n.received) {
        Some((on, _)) => Err(Rejection::new(Code::ReceiptAlreadyRecorded).with("date", on)),
        None => Ok(()),
    }
}

/// Once the term of silence is over, silence has decided, whether or not that is on record yet:
/// nothing that would keep it from being recorded comes in between.
pub(crate) fn silence_has_not_decided(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    if !procedure::silence_would_decide(case, ctx)? {
        return Ok(());
    }
    for key in procedure::silent_terms(case) {
        silence_has_not_formed(case, &key, ctx.today(), ctx)?;
    }
    Ok(())
}

/// The notice is sent while the term of the silence still runs: afterwards silence has formed and
/// a contrary act is ineffective (art. 2 c. 8-bis).
pub(super) fn the_notice_is_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(Command::SendNotice { sent_on, .. }) = command else {
        return Ok(());
    };
    for key in procedure::silent_terms(case) {
        silence_has_not_formed(case, &key, *sent_on, ctx)?;
    }
    Ok(())
}

/// Refuses an act dated after the end of a term whose silence decides.
pub(crate) fn silence_has_not_formed(
    case: &Case,
    key: &TermKey,
    act_on: Date,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match reckoned(case, key, ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if act_on > end => Err(Rejection::new(Code::SilenceFormed)
            .with("term", key)
            .with("end", end)
            .with("date", act_on)),
        _ => Ok(()),
    }
}

/// Reckons a clock of the case with the rules it pinned.
pub(crate) fn reckoned(
    case: &Case,
    key: &TermKey,
    ctx: &Context<'_>,
) -> Result<Option<ReckonedTerm>, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    case.file
        .terms
        .reckon(key, rules, ctx.calendar)
        .map_err(|e| Rejection::new(Code::TermUncomputable).with("term", key).with("reason", e))
}

/// Every clock of the case.
pub(crate) fn reckoned_all(case: &Case, ctx: &Context<'_>) -> Result<Vec<ReckonedTerm>, Rejection> {
    if case.file.terms.keys().next().is_none() {
        return Ok(Vec::new());
    }
    let rules = ctx.rule_set(case.rules_version())?;
    case.file
        .terms
        .reckon_all(rules, ctx.calendar)
        .map_err(|e| Rejection::new(Code::TermUncomputable).with("term", "-").with("reason", e))
}

/// What the office lacks suspends its own term of conclusion, never the time that a citizen has.
pub(super) fn it_is_a_term_of_conclusion(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(
        Command::SendRequest { suspends: Some(term), .. } | Command::SuspendTerm { term, .. },
    ) = command
    else {
        return Ok(());
    };
    let is_one = match procedure::suspendable_terms(case) {
        Some(terms) => terms.contains(term),
        None => {
            term.entry().is_none()
                && reckoned(case, term, ctx)?.is_some_and(|t| t.rule.owner == TermOwner::Office)
        }
    };
    if is_one { Ok(()) } else { Err(Rejection::new(Code::UnknownTerm).with("term", term)) }
}

/// A term that does not run can't be suspended or extended; one that is not suspended can't resume.
pub(super) fn the_term_runs(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let key = match command {
        decider::Command::Case(Command::SendRequest { suspends: Some(term), .. }) => term,
        decider::Command::Case(
            Command::SuspendTerm { term, .. } | Command::ExtendTerm { term, .. },
        ) => term,
        decider::Command::Case(Command::ResumeTerm { suspension, .. }) => {
            return match case.file.suspensions.get(suspension) {
                Some((_, true)) => Ok(()),
                _ => Err(Rejection::new(Code::TermNotSuspended).with("suspension", suspension)),
            };
        }
        _ => return Ok(()),
    };
    match reckoned(case, key, ctx)? {
        None => Err(Rejection::new(Code::UnknownTerm).with("term", key)),
        Some(t) if matches!(t.reckoning.status, TermStatus::Running) => match t.reckoning.end {
            Some(end) if end < ctx.today() => {
                Err(Rejection::new(Code::TermNotRunning).with("term", key).with("end", end))
            }
            _ => Ok(()),
        },
        Some(_) => Err(Rejection::new(Code::TermNotRunning).with("term", key)),
    }
}

/// Terms are suspended for missing information once only, for at most thirty days.
pub(super) fn the_suspension_is_the_first(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    use crate::case::events::ClockEffect;
    let term = match command {
        decider::Command::Case(Command::SendRequest { suspends: Some(term), .. }) => term,
        decider::Command::Case(Command::SuspendTerm { term, .. }) => term,
        _ => return Ok(()),
    };
    let by_request = case
        .file
        .requests
        .values()
        .any(|r| matches!(&r.clock, ClockEffect::Suspends { term: t, .. } if t == term));
    if by_request || case.file.suspensions.values().any(|(t, _)| t == term) {
        return Err(Rejection::new(Code::SuspensionSpent).with("term", term));
    }
    Ok(())
}

/// A term expires when its last day is over, as the case's clocks stand now.
pub(super) fn the_term_has_run_out(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(Command::ExpireTerm { term, due_on }) = command else {
        return Ok(());
    };
    match reckoned(case, term, ctx)? {
        None => Err(Rejection::new(Code::UnknownTerm).with("term", term)),
        Some(t) if t.has_run_out(ctx.today()) && t.reckoning.end == Some(*due_on) => Ok(()),
        Some(t) => {
            let end = t.reckoning.end.map_or_else(|| "-".to_owned(), |d| d.to_string());
            Err(Rejection::new(Code::TermNotExpired).with("term", term).with("end", end))
        }
    }
}
