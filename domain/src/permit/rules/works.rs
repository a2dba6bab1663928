//! Works: their start and end, more time for them, and the report of usability.

use super::review::own;
use super::title::title;
use crate::case::TermKey;
use crate::case::rules::{reckoned, refuse, wrong_phase};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::permit::commands::Command;
use crate::permit::events::WorksTerm;
use crate::permit::state::{Stage, Works};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::TermStatus;
use jiff::civil::Date;

pub(super) fn the_title_has_effect(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match title(case) {
        Some(t) if t.effect_suspended => refuse(Code::EffectSuspended),
        _ => Ok(()),
    }
}

pub(super) fn works_did_not_start(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match title(case).map(|t| t.works) {
        Some(Works::Started(on) | Works::Finished(on, _)) => {
            Err(Rejection::new(Code::WorksStarted).with("date", on))
        }
        _ => Ok(()),
    }
}

pub(super) fn works_are_under_way(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match title(case).map(|t| t.works) {
        Some(Works::Started(_)) => Ok(()),
        _ => wrong_phase(case, &[Stage::InWorks.as_str(), Stage::UsabilityControl.as_str()]),
    }
}

/// After the term's end, unless more time was asked for and nobody answered.
fn in_time(
    case: &Case,
    field: &'static str,
    date: Date,
    term: WorksTerm,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    if title(case).is_some_and(|t| t.pending_extension(term).is_some()) {
        return Ok(());
    }
    match reckoned(case, &TermKey::of(term.rule()), ctx)?.and_then(|t| t.reckoning.end) {
        Some(end) if date > end => Err(Rejection::new(Code::DateTooLate)
            .with("field", field)
            .with("date", date)
            .with("latest", end)),
        _ => Ok(()),
    }
}

pub(super) fn works_start_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::StartWorks { started_on }) => {
            in_time(case, "started_on", *started_on, WorksTerm::Start, ctx)
        }
        _ => Ok(()),
    }
}

pub(super) fn works_finish_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::FinishWorks { finished_on }) => {
            in_time(case, "finished_on", *finished_on, WorksTerm::Finish, ctx)
        }
        _ => Ok(()),
    }
}

fn term_of(command: &decider::Command) -> Option<WorksTerm> {
    match command {
        decider::Command::Permit(
            Command::RequestExtension { term, .. } | Command::ExtendByLaw { term, .. },
        ) => Some(*term),
        _ => None,
    }
}

/// Only the term that runs can be lengthened: that of the start before works start, that of the
/// end afterwards.
pub(super) fn the_works_term_runs(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let Some(term) = term_of(command) else { return Ok(()) };
    let key = TermKey::of(term.rule());
    match reckoned(case, &key, ctx)? {
        Some(t) if matches!(t.reckoning.status, TermStatus::Running) => Ok(()),
        _ => Err(Rejection::new(Code::TermNotRunning).with("term", key)),
    }
}

pub(super) fn no_extension_is_pending(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let Some(term) = term_of(command) else { return Ok(()) };
    match title(case).and_then(|t| t.pending_extension(term)) {
        Some((_, asked)) => {
            Err(Rejection::new(Code::ExtensionPending).with("date", asked.requested_on))
        }
        None => Ok(()),
    }
}

/// More time is asked for before the term ends, or it lapses by law (art. 15 c. 2).
pub(super) fn it_is_asked_before_the_end(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::RequestExtension { term, requested_on, .. }) => {
            in_time(case, "requested_on", *requested_on, *term, ctx)
        }
        _ => Ok(()),
    }
}

pub(super) fn an_extension_was_asked(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let open = |t: &crate::permit::Title| t.extensions.values().any(|e| e.granted.is_none());
    if title(case).is_some_and(open) { Ok(()) } else { refuse(Code::UnknownExtension) }
}

pub(super) fn the_extension_is_open(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(
        Command::GrantExtension { extension, .. } | Command::RefuseExtension { extension, .. },
    ) = command
    else {
        return Ok(());
    };
    match title(case).and_then(|t| t.extensions.get(extension)) {
        Some(asked) if asked.granted.is_none() => Ok(()),
        _ => Err(Rejection::new(Code::UnknownExtension).with("extension", extension)),
    }
}

/// The whole is reported when works have ended, a part of it when they are under way.
pub(super) fn works_allow_a_report(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::ReportUsability { partial, .. }) = command else {
        return Ok(());
    };
    let allowed = match own(case).and_then(|s| s.title()).map(|t| t.works) {
        Some(Works::Finished(..)) => true,
        Some(Works::Started(_)) => *partial,
        _ => false,
    };
    if allowed {
        Ok(())
    } else {
        wrong_phase(case, &[Stage::Finished.as_str(), Stage::InWorks.as_str()])
    }
}
