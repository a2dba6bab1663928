//! When personal data may be erased, and who stands in the way.

use super::Erasure;
use crate::case::commands::Command;
use crate::case::rules::{reckoned_all, refuse};
use crate::context::Context;
use crate::decider::{self, Case};
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::term::{Keep, Retention};
use jiff::civil::Date;

/// The rule that comes before all others, of every command.
const NOT_ERASED: (&str, &str) =
    ("the_case_still_has_its_data", "D.Lgs. 42/2004 art. 21; GDPR art. 5 par. 1 lett. e");

/// Once its erasure is authorised a case takes nothing but the record that it is done.
pub(crate) fn the_case_still_has_its_data(case: &Case, command: &str) -> Result<(), Rejection> {
    let disposal = &case.file.disposal;
    if !disposal.is_final() || command == "case.record_erasure" {
        return Ok(());
    }
    let (rule, article) = NOT_ERASED;
    let on = disposal.erased_on().map_or_else(|| "-".to_owned(), |day| day.to_string());
    Err(Rejection::new(Code::CaseErased).with("date", on).under(rule, article))
}

/// A hold stands that could be lifted.
pub(crate) fn a_hold_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.disposal.is_held() { Ok(()) } else { refuse(Code::UnknownHold) }
}

/// The hold that is to be lifted is one of this case.
pub(crate) fn the_hold_is_known(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(Command::LiftHold { hold, .. }) = command else { return Ok(()) };
    if case.file.disposal.holds.contains_key(hold) { Ok(()) } else { refuse(Code::UnknownHold) }
}

/// A judgement, an inspection or a request keeps the papers as they are.
pub(crate) fn no_hold_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.disposal.is_held() { refuse(Code::LegalHold) } else { Ok(()) }
}

/// The conservation plan lets go of the case: its time has run, and is not without end.
pub(crate) fn the_retention_is_over(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let (retention, until) = kept(case, ctx)?;
    let class = retention.map_or("-", |r| r.class.as_str()).to_owned();
    match until {
        None => Err(Rejection::new(Code::KeptForEver).with("class", class)),
        Some(until) if ctx.today() <= until => {
            Err(Rejection::new(Code::RetentionRuns).with("class", class).with("until", until))
        }
        Some(_) => Ok(()),
    }
}

/// The class of a case by the rules in force today, and the last day on which it is kept: none if
/// for ever, or if it has not ended.
pub(super) fn kept<'a>(
    case: &Case,
    ctx: &'a Context<'a>,
) -> Result<(Option<&'a Retention>, Option<Date>), Rejection> {
    let rules = ctx.rules_in_force(ctx.today())?;
    let (Some(opening), Some(closure)) = (&case.file.opening, &case.file.closure) else {
        return Ok((None, None));
    };
    let retention = rules.retention_of(opening.procedure.as_str(), &opening.kind);
    let until = retention.map(|r| r.keep).unwrap_or(Keep::ForEver).until(closure.closed_on);
    Ok((retention, until))
}

/// No term of the case waits for its end: a title that lives on, a report that is due.
pub(crate) fn nothing_is_due_any_more(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let open = reckoned_all(case, ctx)?
        .into_iter()
        .find(|t| t.is_open() && t.reckoning.end.is_none_or(|end| t.expired_for != Some(end)));
    match open {
        None => Ok(()),
        Some(term) => Err(Rejection::new(Code::TermsStillRun).with("term", term.key)),
    }
}

/// Nobody has proposed the erasure yet.
pub(crate) fn no_erasure_is_proposed(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.disposal.erasure {
        Erasure::None => Ok(()),
        _ => refuse(Code::ErasureProposed),
    }
}

/// Somebody has proposed it.
pub(crate) fn an_erasure_is_proposed(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.disposal.erasure {
        Erasure::Proposed { .. } => Ok(()),
        _ => refuse(Code::NoErasureProposed),
    }
}

/// Who proposed it does not authorise it.
pub(crate) fn who_authorises_did_not_propose(
    case: &Case,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    match &case.file.disposal.erasure {
        Erasure::Proposed { by, .. } if *by == ctx.actor.id => refuse(Code::FourEyes),
        _ => Ok(()),
    }
}

/// The archival authority's act is named.
pub(crate) fn the_authorisation_is_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Case(Command::AuthoriseErasure { reference })
            if reference.trim().is_empty() =>
        {
            refuse(Code::AuthorisationMissing)
        }
        _ => Ok(()),
    }
}

/// The erasure is authorised, and so may be put on record as done.
pub(crate) fn an_erasure_is_authorised(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.disposal.erasure {
        Erasure::Authorised { .. } => Ok(()),
        _ => refuse(Code::NoErasureAuthorised),
    }
}
