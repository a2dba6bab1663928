//! What a filing and a dated command must contain.

use crate::case::rules::{date_within, refuse};
use crate::context::Context;
use crate::decider::{self, Case, ProcedureState};
use crate::permit::commands::Command;
use crate::permit::events::{Content, Ground, Kind};
use crate::permit::state::{State, Works};
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::civil::Date;

/// A filing names who asks, what is to be built and where; a variant names what it varies.
pub(super) fn the_form_can_be_a_case(
    _: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(Command::File { form, .. }) = command else { return Ok(()) };
    let missing = |field: &str| Err(Rejection::new(Code::FormIncomplete).with("field", field));
    if form.applicant.family_name.trim().is_empty() {
        return missing("applicant.family_name");
    }
    if form.works.trim().is_empty() {
        return missing("works");
    }
    if form.site.address.municipality.trim().is_empty() {
        return missing("site.address.municipality");
    }
    if form.designer.as_ref().is_some_and(|d| d.family_name.trim().is_empty()) {
        return missing("designer.family_name");
    }
    if form.by_mandate && form.designer.is_none() {
        return missing("designer");
    }
    if form.assents_needed.iter().any(|body| body.trim().is_empty()) {
        return missing("assents_needed");
    }
    match form.follows {
        None if form.kind.follows_another() => missing("follows"),
        Some(other) if other == ctx.case_id => refuse(Code::LinkToItself),
        _ => Ok(()),
    }
}

/// The grounds of irreceivability that an application shows by itself.
pub fn defects(kind: Kind, content: &Content) -> Vec<Ground> {
    let checks = [
        (content.entitlement.is_none(), Ground::EntitlementMissing),
        (!content.drawings && kind != Kind::Communication, Ground::DrawingsMissing),
        (!content.asseveration, Ground::AsseverationMissing),
    ];
    checks.into_iter().filter(|(broken, _)| *broken).map(|(_, ground)| ground).collect()
}

pub(super) fn a_ground_is_named(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Permit(Command::FindIrreceivable { grounds, .. })
            if grounds.is_empty() =>
        {
            refuse(Code::NoGroundOfIrreceivability)
        }
        _ => Ok(()),
    }
}

/// A time that is given is at least a day.
pub(super) fn a_length_is_given(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(command) = command else { return Ok(()) };
    let (field, length) = match command {
        Command::RequestAdditions { answer_within, .. }
        | Command::RequestChanges { answer_within, .. } => ("answer_within", answer_within),
        Command::GrantExtension { by, .. } | Command::ExtendByLaw { by, .. } => ("by", by),
        _ => return Ok(()),
    };
    if length.count == 0 {
        Err(Rejection::new(Code::FormIncomplete).with("field", field))
    } else {
        Ok(())
    }
}

/// No fact lies in the future, none before the fact that it follows.
pub(super) fn dates_are_plausible(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Permit(command) = command else { return Ok(()) };
    if let Command::File { filed_at, .. } = command {
        return if *filed_at > ctx.now {
            Err(Rejection::new(Code::DateInFuture)
                .with("field", "filed_at")
                .with("date", filed_at)
                .with("latest", ctx.now))
        } else {
            Ok(())
        };
    }
    let Some((field, date)) = command.dated() else { return Ok(()) };
    date_within(field, date, follows(case, command), ctx)
}

/// The day of the fact that the command's fact follows.
fn follows(case: &Case, command: &Command) -> Option<Date> {
    let filed = case.file.opening.as_ref().map(|o| o.filed_on);
    let ProcedureState::Permit(state) = &case.procedure else { return filed };
    let opinion = |id| state.application().and_then(|a| a.opinions.get(id));
    let round = || state.application().and_then(|a| a.conferences.last());
    let before = match command {
        Command::AnswerChanges { request, .. } => {
            case.file.requests.get(request).map(|r| r.sent_on)
        }
        Command::EndSafeguards { .. } => {
            state.application().and_then(|a| a.safeguarded()).map(|s| s.1)
        }
        Command::InterruptOpinion { opinion: id, .. }
        | Command::RecordOpinion { opinion: id, .. } => opinion(id).map(|o| o.requested_on),
        Command::ResumeOpinion { opinion: id, .. } => {
            opinion(id).and_then(|o| o.interrupted).map(|i| i.0)
        }
        Command::RecordDetermination { .. } | Command::OpenMeeting { .. } => {
            round().map(|r| r.convened_on)
        }
        Command::RaiseOpposition { .. } => round().and_then(|r| r.concluded).map(|c| c.1),
        Command::EndOpposition { .. } => {
            state.title().and_then(|t| t.opposed).map(|(_, raised_on)| raised_on)
        }
        Command::FinishWorks { .. } => match state.title().map(|t| t.works) {
            Some(Works::Started(on)) => Some(on),
            _ => None,
        },
        Command::ReportUsability { partial, .. } => {
            match (state.title().map(|t| t.works), partial) {
                (Some(Works::Finished(_, on)), false) => Some(on),
                (Some(Works::Started(on) | Works::Finished(on, _)), true) => Some(on),
                _ => None,
            }
        }
        Command::ReportConformation { .. } => {
            state.control().and_then(|(_, control)| control.ordered).map(|o| o.1)
        }
        // A payment may precede the day of the determination; never the title.
        _ => state.title().map(|t| t.granted_on),
    };
    match (before, &**state) {
        (Some(on), _) => Some(on),
        (None, State::NotFiled) => None,
        (None, _) => filed,
    }
}
