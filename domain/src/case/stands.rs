//! Idempotence: what a command asks for may stand already, and then nothing is recorded.
//!
//! Facts that add up (notes, requests, notices) are recognised by the identifier that their
//! request gives them; changes of a single value by the value.

use super::commands::Command;
use super::state::RequestState;
use crate::context::Context;
use crate::decider::Case;

/// Whether what the command asks for is the case's state already.
pub(crate) fn stands_already(case: &Case, command: &Command, ctx: &Context<'_>) -> bool {
    let file = &case.file;
    let made = |purpose: &str| crate::ids::EntryId(ctx.new_id(purpose));
    match command {
        Command::AddParty { .. } => {
            file.parties.contains_key(&crate::ids::SubjectId(ctx.new_id("party")))
        }
        Command::GrantRepresentation { .. } => {
            file.representations.contains_key(&made("representation"))
        }
        Command::EndRepresentation { representation, .. } => {
            file.representations.get(representation).is_some_and(|r| r.ended)
        }
        Command::Assign { office, officer, .. } => {
            file.office.as_ref() == Some(office) && file.officer == *officer
        }
        Command::NameResponsible { officer } => file.responsible.as_ref() == Some(officer),
        Command::DeclareConflict { officer, .. } => file.conflicts.contains(officer),
        Command::AddNote { .. } => file.entries.contains(&made("note")),
        Command::SendMessage { .. } => file.entries.contains(&made("message")),
        Command::AddDocument { sha256, kind, replaces, .. } => {
            file.documents.iter().any(|(id, d)| {
                id.0 == ctx.new_id("document")
                    || (replaces.is_none()
                        && d.replaced_by.is_none()
                        && d.sha256 == *sha256
                        && d.kind == *kind)
            })
        }
        Command::SendRequest { .. } => file.requests.contains_key(&made("request")),
        Command::AnswerRequest { request, answered_on, .. } => {
            file.requests.get(request).map(|r| r.state)
                == Some(RequestState::Answered(*answered_on))
        }
        Command::CancelRequest { request, .. } => {
            file.requests.get(request).map(|r| r.state) == Some(RequestState::Cancelled)
        }
        Command::SendNotice { .. } => {
            file.terms.last_notice().is_some_and(|n| n.notice == made("notice"))
        }
        Command::RecordNoticeReceipt { received_on, .. } => file
            .terms
            .last_notice()
            .is_some_and(|n| n.received.is_some_and(|(on, _)| on == *received_on)),
        Command::FileObservations { .. } => file.entries.contains(&made("observations")),
        Command::Link { other, kind } => file.links.contains(&(*other, *kind)),
        Command::Propose { .. } => {
            file.proposal.as_ref().is_some_and(|p| p.proposal == made("proposal"))
        }
        Command::Withdraw { .. } => file.closure.as_ref().is_some_and(|c| c.outcome == "withdrawn"),
        Command::SuspendTerm { .. } => file.suspensions.contains_key(&made("suspension")),
        Command::ResumeTerm { suspension, .. } => {
            file.suspensions.get(suspension).is_some_and(|(_, open)| !open)
        }
        Command::ExtendTerm { .. } => file.extensions.contains(&made("extension")),
        Command::ExpireTerm { term, due_on } => {
            file.terms.expired_for(term) == Some(*due_on)
                || term
                    .entry()
                    .and_then(|id| file.requests.get(&id))
                    .is_some_and(|r| r.state == RequestState::Lapsed)
        }
        Command::RecordRegistration { document, number, .. } => {
            file.documents.get(document).is_some_and(|d| d.number == Some(*number))
        }
        Command::Reopen { ground, reference } => {
            file.closure.is_none()
                && file
                    .reopenings
                    .last()
                    .is_some_and(|(g, r)| g == ground && r.value == reference.trim())
        }
        Command::WithdrawProposal { .. } => false,
        Command::PlaceHold { .. }
        | Command::LiftHold { .. }
        | Command::ProposeErasure
        | Command::AuthoriseErasure { .. }
        | Command::RecordErasure { .. } => {
            super::disposal::decide::stands_already(case, command, ctx)
        }
    }
}
