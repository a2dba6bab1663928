//! What a command contains: people, documents, requests, dates, reasons.

use super::refuse;
use crate::case::commands::Command;
use crate::case::events::RepresentationTitle;
use crate::case::state::RequestState;
use crate::context::Context;
use crate::decider::{self, Case};
use crate::ids::DocumentId;
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::civil::Date;

/// Whoever declared a conflict does no further act on the case (art. 6-bis); and nobody who works
/// for the comune acts in a case that is their own, or in which they represent somebody.
pub(super) fn who_acts_has_no_conflict(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    let account = ctx.actor.id.as_str();
    if ctx.actor.role.is_staff()
        && case.file.parties.values().any(|p| p.account.as_deref() == Some(account))
    {
        return refuse(Code::OwnCase);
    }
    if case.file.conflicts.contains(&ctx.actor.id) {
        refuse(Code::ConflictOfInterest)
    } else {
        Ok(())
    }
}

/// Nobody is given a case in which they declared a conflict.
pub(super) fn who_is_chosen_has_no_conflict(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let chosen = match command {
        decider::Command::Case(Command::Assign { officer, .. }) => officer.as_ref(),
        decider::Command::Case(Command::NameResponsible { officer }) => Some(officer),
        _ => None,
    };
    match chosen {
        Some(officer) if case.file.conflicts.contains(officer) => {
            Err(Rejection::new(Code::OfficerInConflict).with("officer", officer))
        }
        _ => Ok(()),
    }
}

/// The parties, documents, requests and cases that a command names must be there.
pub(super) fn parties_and_documents_are_known(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(command) = command else { return Ok(()) };
    let file = &case.file;
    let known = |ids: &[DocumentId]| match ids.iter().find(|id| !file.documents.contains_key(id)) {
        Some(id) => Err(Rejection::new(Code::UnknownDocument).with("document", id)),
        None => Ok(()),
    };
    match command {
        Command::GrantRepresentation { agent, principal, evidence, .. } => {
            for subject in [agent, principal] {
                if !file.parties.contains_key(subject) {
                    return Err(Rejection::new(Code::UnknownParty).with("party", subject));
                }
            }
            known(evidence.as_slice())
        }
        Command::EndRepresentation { representation, .. } => {
            if file.representations.contains_key(representation) {
                Ok(())
            } else {
                refuse(Code::UnknownRepresentation)
            }
        }
        Command::SendMessage { documents, .. }
        | Command::AnswerRequest { documents, .. }
        | Command::FileObservations { documents, .. } => known(documents),
        Command::AddDocument { replaces: Some(old), .. } => match file.documents.get(old) {
            None => Err(Rejection::new(Code::UnknownDocument).with("document", old)),
            Some(d) => match d.replaced_by {
                Some(by) => Err(Rejection::new(Code::DocumentReplaced).with("document", by)),
                None => Ok(()),
            },
        },
        Command::RecordRegistration { document, number, .. } => {
            match file.documents.get(document) {
                None => Err(Rejection::new(Code::UnknownDocument).with("document", document)),
                Some(d) => match d.number {
                    Some(n) if n != *number => {
                        Err(Rejection::new(Code::AlreadyRegistered).with("number", n))
                    }
                    _ => Ok(()),
                },
            }
        }
        Command::Link { other, .. } if *other == ctx.case_id => refuse(Code::LinkToItself),
        _ => Ok(()),
    }
}

/// A parent says who they are (DPR 445/2000 art. 46); everybody else who acts for another proves it
/// with a document: a mandate, the act of inheritance, the company's register.
pub(super) fn the_power_is_proved(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    match command {
        decider::Command::Case(Command::GrantRepresentation { title, evidence: None, .. })
            if *title != RepresentationTitle::Parent =>
        {
            refuse(Code::EvidenceMissing)
        }
        _ => Ok(()),
    }
}

/// No fact lies in the future, none before the filing or the fact that it follows.
pub(super) fn dates_are_plausible(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(command) = command else { return Ok(()) };
    let filed = case.file.opening.as_ref().map(|o| o.filed_on);
    let notice = case.file.terms.last_notice().map(|n| n.sent.0);
    let (field, date, not_before) = match command {
        Command::AddDocument { dated_on, .. } => ("dated_on", *dated_on, None),
        Command::SendRequest { sent_on, .. } => ("sent_on", *sent_on, filed),
        Command::AnswerRequest { answered_on, request, .. } => {
            ("answered_on", *answered_on, case.file.requests.get(request).map(|r| r.sent_on))
        }
        // What was not registered yet can't be threatened with annulment.
        Command::SendNotice { sent_on, .. } => {
            ("sent_on", *sent_on, crate::case::procedure::notice_not_before(case))
        }
        Command::RecordNoticeReceipt { received_on, .. } => ("received_on", *received_on, notice),
        Command::FileObservations { filed_on, .. } => ("filed_on", *filed_on, notice),
        Command::SuspendTerm { suspended_on, .. } => ("suspended_on", *suspended_on, filed),
        Command::ResumeTerm { resumed_on, suspension } => {
            ("resumed_on", *resumed_on, case.file.suspended_on.get(suspension).copied().or(filed))
        }
        _ => return Ok(()),
    };
    date_within(field, date, not_before, ctx)
}

/// A date of the past, and not before what it follows.
pub(crate) fn date_within(
    field: &'static str,
    date: Date,
    not_before: Option<Date>,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let today = ctx.today();
    if date > today {
        return Err(Rejection::new(Code::DateInFuture)
            .with("field", field)
            .with("date", date)
            .with("latest", today));
    }
    match not_before {
        Some(earliest) if date < earliest => Err(Rejection::new(Code::DateTooEarly)
            .with("field", field)
            .with("date", date)
            .with("earliest", earliest)),
        _ => Ok(()),
    }
}

/// Every act and every change of hands says why (art. 3).
pub(super) fn reasons_are_given(
    _: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(command) = command else { return Ok(()) };
    let (field, text) = match command {
        Command::EndRepresentation { reason, .. }
        | Command::DeclareConflict { reason, .. }
        | Command::CancelRequest { reason, .. }
        | Command::WithdrawProposal { reason }
        | Command::SuspendTerm { reason, .. } => ("reason", reason),
        Command::ExtendTerm { reason, basis, .. } => {
            if basis.trim().is_empty() {
                return Err(Rejection::new(Code::ReasonsMissing).with("field", "basis"));
            }
            ("reason", reason)
        }
        Command::AddNote { text }
        | Command::SendMessage { text, .. }
        | Command::FileObservations { text, .. }
        | Command::SendRequest { text, .. } => ("text", text),
        Command::PlaceHold { reason, reference } | Command::LiftHold { reason, reference, .. } => {
            if reference.trim().is_empty() {
                return Err(Rejection::new(Code::ReasonsMissing).with("field", "reference"));
            }
            ("reason", reason)
        }
        Command::Propose { reasons, .. } => ("reasons", reasons),
        Command::SendNotice { reasons, .. } => {
            let empty = reasons.is_empty() || reasons.iter().any(|r| r.trim().is_empty());
            return if empty {
                Err(Rejection::new(Code::ReasonsMissing).with("field", "reasons"))
            } else {
                Ok(())
            };
        }
        _ => return Ok(()),
    };
    if text.trim().is_empty() {
        Err(Rejection::new(Code::ReasonsMissing).with("field", field))
    } else {
        Ok(())
    }
}

/// A request is answered or taken back once. An answer that comes after the request's own term
/// is still received.
pub(super) fn the_request_is_open(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(
        Command::AnswerRequest { request, .. } | Command::CancelRequest { request, .. },
    ) = command
    else {
        return Ok(());
    };
    let late_answer = matches!(command, decider::Command::Case(Command::AnswerRequest { .. }));
    match case.file.requests.get(request).map(|r| r.state) {
        None => refuse(Code::UnknownRequest),
        Some(RequestState::Open) => Ok(()),
        Some(RequestState::Lapsed) if late_answer => Ok(()),
        Some(_) => refuse(Code::RequestNotOpen),
    }
}
