//! Turns an allowed common command into events. Every refusal stands in `rules`.

use super::commands::Command;
use super::events::{self, ClockEffect, Event as CaseEvent, NoticeStopsAt};
use super::procedure::{end_of_term, notice_extends, notice_suspends, restarts};
use super::terms::TermKey;
use crate::context::Context;
use crate::decider::Case;
use crate::event::Event;
use crate::ids::{EntryId, SubjectId, derived};
use crate::people::Personal;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::residency;
use crate::term::first_instant_after;
use jiff::civil::Date;

/// The article behind requests that suspend.
const ART_2_C_7: &str = "L. 241/1990 art. 2 c. 7";
/// The most days a term stays suspended for missing information (L. 241/1990 art. 2 c. 7).
const SUSPENSION_CAP_DAYS: u16 = 30;

pub(crate) fn decide(
    case: &Case,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    if let Command::ExpireTerm { term, due_on } = command {
        return expire(case, term, *due_on, ctx);
    }
    if let Some(event) = super::disposal::decide::decide(case, command, ctx)? {
        return Ok(vec![Event::Case(event)]);
    }
    let file = &case.file;
    let entry = |purpose: &str| EntryId(ctx.new_id(purpose));
    // Free text about the case belongs to the applicant until somebody else is named.
    let owner = file.applicant().map_or(SubjectId(ctx.case_id.0), |(subject, _)| *subject);
    let personal = |text: &str| Personal::new(owner, text.trim().to_owned());
    let event: CaseEvent = match command.clone() {
        Command::AddParty { role, person, account } => {
            let subject = SubjectId(ctx.new_id("party"));
            let person = Personal::new(subject, person);
            events::PartyAdded { subject, role, person, account }.into()
        }
        Command::GrantRepresentation { agent, principal, title, evidence, until } => {
            let representation = entry("representation");
            events::RepresentationGranted {
                representation,
                agent,
                principal,
                title,
                evidence,
                until,
            }
            .into()
        }
        Command::EndRepresentation { representation, reason } => {
            let reason = personal(&reason);
            events::RepresentationEnded { representation, reason }.into()
        }
        Command::Assign { office, officer, reason } => {
            let reason = Some(reason).filter(|r| !r.trim().is_empty()).map(|r| personal(&r));
            events::Assigned { office, officer, reason }.into()
        }
        Command::NameResponsible { officer } => {
            events::ResponsibleNamed { officer, named_on: Some(ctx.today()) }.into()
        }
        Command::DeclareConflict { officer, reason } => {
            let reason = personal(&reason);
            events::ConflictDeclared { officer, reason }.into()
        }
        Command::AddNote { text } => {
            events::NoteAdded { note: entry("note"), text: personal(&text) }.into()
        }
        Command::SendMessage { direction, text, documents } => events::MessageSent {
            message: entry("message"),
            direction,
            text: personal(&text),
            documents,
        }
        .into(),
        Command::AddDocument {
            kind,
            media_type,
            size_bytes,
            sha256,
            direction,
            dated_on,
            replaces,
        } => {
            let version = replaces
                .and_then(|id| file.documents.get(&id))
                .map_or(1, |old| old.version.saturating_add(1));
            events::DocumentAdded {
                document: crate::ids::DocumentId(ctx.new_id("document")),
                kind,
                media_type,
                size_bytes,
                sha256,
                direction,
                dated_on,
                version,
                replaces,
                attached_to: None,
            }
            .into()
        }
        Command::SendRequest { kind, text, sent_on, answer_within, suspends } => {
            let clock = match suspends {
                Some(term) => ClockEffect::Suspends { term, cap_days: Some(SUSPENSION_CAP_DAYS) },
                None => ClockEffect::None,
            };
            let basis = if clock == ClockEffect::None { "L. 241/1990 art. 6" } else { ART_2_C_7 };
            events::RequestSent {
                request: entry("request"),
                kind,
                text: personal(&text),
                sent_on,
                answer_within,
                clock,
                basis: basis.to_owned(),
            }
            .into()
        }
        Command::AnswerRequest { request, answered_on, documents } => {
            events::RequestAnswered { request, answered_on, documents }.into()
        }
        Command::CancelRequest { request, reason } => {
            let reason = personal(&reason);
            events::RequestCancelled { request, cancelled_on: ctx.today(), reason }.into()
        }
        Command::SendNotice { reasons, sent_on, mode } => {
            let stops_at = notice_stops_at(case, ctx)?;
            let notice = events::NoticeSent {
                notice: entry("notice"),
                sent_on,
                mode,
                reasons: reasons.iter().map(|r| personal(r)).collect(),
                suspends: notice_suspends(case, ctx)?,
                stops_at,
            };
            return with_its_extensions(case, notice, ctx);
        }
        Command::RecordNoticeReceipt { received_on, mode } => {
            events::NoticeReceived { notice: notice_id(case)?, received_on, mode }.into()
        }
        Command::FileObservations { filed_on, text, documents } => events::ObservationsFiled {
            observations: entry("observations"),
            notice: notice_id(case)?,
            filed_on,
            text: personal(&text),
            documents,
        }
        .into(),
        Command::Link { other, kind } => events::Linked { other, kind }.into(),
        Command::Propose { outcome, reasons } => events::ProposalMade {
            proposal: entry("proposal"),
            by: ctx.actor.id.clone(),
            outcome,
            reasons: personal(&reasons),
            made_on: Some(ctx.today()),
        }
        .into(),
        Command::WithdrawProposal { reason } => {
            let Some(standing) = &file.proposal else {
                return Err(Rejection::new(Code::NoProposal));
            };
            let reason = personal(&reason);
            events::ProposalWithdrawn { proposal: standing.proposal, reason }.into()
        }
        Command::Withdraw { reason } => events::Withdrawn {
            withdrawn_on: ctx.today(),
            reason: reason.map(|r| personal(&r)),
            undoes_provisional_effect: residency::rules::has_provisional_effect(case),
        }
        .into(),
        Command::Reopen { ground, reference } => events::Reopened {
            ground,
            reference: personal(&reference),
            reopened_on: ctx.today(),
            restarts: restarts(case),
        }
        .into(),
        Command::SuspendTerm { term, suspended_on, reason } => events::TermSuspended {
            term,
            suspension: entry("suspension"),
            suspended_on,
            cap_days: Some(SUSPENSION_CAP_DAYS),
            reason: personal(&reason),
            basis: ART_2_C_7.to_owned(),
        }
        .into(),
        Command::ResumeTerm { suspension, resumed_on } => {
            let Some((term, _)) = file.suspensions.get(&suspension) else {
                return Err(Rejection::new(Code::TermNotSuspended));
            };
            events::TermResumed { term: term.clone(), suspension, resumed_on }.into()
        }
        Command::ExtendTerm { term, by, reason, basis } => {
            let extension = entry("extension");
            let reason = personal(&reason);
            events::TermExtended { term, extension, by, reason, basis }.into()
        }
        Command::RecordRegistration { document, number, registered_on } => {
            events::DocumentRegistered { document, number, registered_on }.into()
        }
        Command::ExpireTerm { term, due_on } => return expire(case, &term, due_on, ctx),
        Command::PlaceHold { .. }
        | Command::LiftHold { .. }
        | Command::ProposeErasure
        | Command::AuthoriseErasure { .. }
        | Command::RecordErasure { .. } => return Ok(Vec::new()),
    };
    Ok(vec![Event::Case(event)])
}

/// The notice, and the terms that the law lengthens on account of it.
pub(crate) fn with_its_extensions(
    case: &Case,
    notice: events::NoticeSent,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let owner = case.file.applicant().map_or(SubjectId(ctx.case_id.0), |(subject, _)| *subject);
    let id = notice.notice;
    let mut all = vec![Event::Case(notice.into())];
    for (term, by, basis) in notice_extends(case, ctx)? {
        let extension = EntryId(derived(id.0, term.as_str()));
        let reason = Personal::new(owner, "Preavviso di rigetto".to_owned());
        let extended =
            events::TermExtended { term, extension, by, reason, basis: basis.to_owned() };
        all.push(Event::Case(extended.into()));
    }
    Ok(all)
}

/// An act after the end of a term says so (L. 241/1990 art. 2 c. 9-quinquies).
pub(crate) fn late_after(end: Option<Date>, today: Date) -> Option<events::LateStatement> {
    end.filter(|end| today > *end).map(|due_on| events::LateStatement {
        due_on,
        days_late: u32::try_from((today - due_on).get_days()).unwrap_or(0),
    })
}

/// From which fact a notice stops the clock, as the case's rules read the law.
pub(crate) fn notice_stops_at(case: &Case, ctx: &Context<'_>) -> Result<NoticeStopsAt, Rejection> {
    let rules = ctx.rule_set(case.rules_version())?;
    Ok(match rules.policy_text("notice_suspends_from") {
        Some("receipt") => NoticeStopsAt::Receipt,
        _ => NoticeStopsAt::Sending,
    })
}

fn notice_id(case: &Case) -> Result<EntryId, Rejection> {
    case.file.terms.last_notice().map(|n| n.notice).ok_or(Rejection::new(Code::NoNotice))
}

/// What the law attaches to the end of a term: silence and lapse are the procedure's to say; the
/// rest is put on record so that nobody overlooks it.
fn expire(
    case: &Case,
    term: &TermKey,
    due_on: Date,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let legal_at = first_instant_after(due_on);
    if let Some(request) = term.entry().filter(|id| case.file.requests.contains_key(id)) {
        return Ok(vec![
            CaseEvent::from(events::RequestLapsed { request, due_on, legal_at }).into(),
        ]);
    }
    if let Some(events) = end_of_term(case, term, due_on, ctx)? {
        return Ok(events);
    }
    let expired = events::TermExpired { term: term.clone(), due_on, legal_at };
    Ok(vec![CaseEvent::from(expired).into()])
}
