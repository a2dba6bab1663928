//! Turns an allowed command about the case's papers into its event.

use super::rules::kept;
use super::{
    Erased, Erasure, ErasureAuthorised, ErasureProposed, HoldLifted, HoldPlaced, archive_subject,
};
use crate::case::commands::Command;
use crate::case::events::Event;
use crate::context::Context;
use crate::decider::Case;
use crate::ids::{EntryId, SubjectId};
use crate::people::Personal;
use crate::rejection::{Rejection, RejectionCode as Code};

/// The event of a command about the case's papers; none if it is about something else.
pub(in crate::case) fn decide(
    case: &Case,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Option<Event>, Rejection> {
    let file = &case.file;
    let owner = file.applicant().map_or(SubjectId(ctx.case_id.0), |(subject, _)| *subject);
    let reason = |text: &str| Personal::new(owner, text.trim().to_owned());
    let reference =
        |text: &str| Personal::new(archive_subject(ctx.case_id), text.trim().to_owned());
    let today = ctx.today();
    let event: Event = match command {
        Command::PlaceHold { reason: why, reference: act } => HoldPlaced {
            hold: EntryId(ctx.new_id("hold")),
            reason: reason(why),
            reference: reference(act),
            placed_on: today,
        }
        .into(),
        Command::LiftHold { hold, reason: why, reference: act } => HoldLifted {
            hold: *hold,
            reason: reason(why),
            reference: reference(act),
            lifted_on: today,
        }
        .into(),
        Command::ProposeErasure => {
            let (retention, until) = kept(case, ctx)?;
            let (Some(retention), Some(kept_until), Some(closure)) =
                (retention, until, &file.closure)
            else {
                return Err(Rejection::new(Code::KeptForEver).with("class", "-"));
            };
            ErasureProposed {
                erasure: EntryId(ctx.new_id("erasure")),
                by: ctx.actor.id.clone(),
                class: retention.class.clone(),
                ended_on: closure.closed_on,
                kept_until,
                basis: retention.article.clone(),
                rules_version: ctx.rules_in_force(today)?.version.clone(),
                proposed_on: today,
            }
            .into()
        }
        Command::AuthoriseErasure { reference: act } => {
            let Erasure::Proposed { erasure, .. } = file.disposal.erasure else {
                return Err(Rejection::new(Code::NoErasureProposed));
            };
            ErasureAuthorised {
                erasure,
                by: ctx.actor.id.clone(),
                reference: reference(act),
                authorised_on: today,
            }
            .into()
        }
        Command::RecordErasure { keys } => {
            let Erasure::Authorised { erasure } = file.disposal.erasure else {
                return Err(Rejection::new(Code::NoErasureAuthorised));
            };
            Erased { erasure, keys: *keys, erased_on: today }.into()
        }
        _ => return Ok(None),
    };
    Ok(Some(event))
}

/// Whether what the command asks for is the case's state already.
pub(in crate::case) fn stands_already(case: &Case, command: &Command, ctx: &Context<'_>) -> bool {
    let disposal = &case.file.disposal;
    match command {
        Command::PlaceHold { .. } => disposal.holds.contains_key(&EntryId(ctx.new_id("hold"))),
        Command::LiftHold { hold, .. } => disposal.holds.get(hold) == Some(&false),
        Command::ProposeErasure => matches!(&disposal.erasure, Erasure::Proposed { erasure, .. }
            if erasure.0 == ctx.new_id("erasure")),
        Command::AuthoriseErasure { .. } => disposal.is_final(),
        Command::RecordErasure { .. } => disposal.erased_on().is_some(),
        _ => false,
    }
}
