//! Turns an allowed command into the facts it records. Every refusal stands in `rules`.

mod conference;
mod filing;
mod silence;
mod title;

pub(crate) use silence::end_of_term;

use super::commands::Command;
use super::events::{
    Annulled, Archived, AttestationRequested, ChangesAnswered, ConformationOrdered,
    ConformationReported, ConstraintsRecorded, Contested, Controlled, DeclaredComplex,
    Event as Own, FoundIrreceivable, Issued, OpinionInterrupted, OpinionReceived, OpinionRequested,
    OpinionResumed, OppositionEnded, OppositionRaised, Prohibited, RefusalEffect, Refused,
    SafeguardsApplied, SafeguardsEnded, SubstituteInvoked,
};
use super::rules::{additions_effect, half_of_the_term, opinion_end, review_key};
use super::state::{Application, State};
use super::{DECISION, DECISION_AFTER_NOTICE, SILENCE};
use crate::case::rules::{reckoned, wrong_phase};
use crate::case::{self, ClockEffect, LateStatement, RequestKind, TermKey};
use crate::context::Context;
use crate::decider::{Case, ProcedureState};
use crate::event::Event;
use crate::ids::{EntryId, SubjectId};
use crate::people::Personal;
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::civil::Date;

pub(crate) fn decide(
    case: &Case,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let today = ctx.today();
    let own = |event: Own| Ok(vec![Event::Permit(event)]);
    let text = |words: &str| personal(case, words, ctx);
    let entry = |purpose: &str| EntryId(ctx.new_id(purpose));
    match command.clone() {
        Command::File { form, channel, filed_at, office, attachments } => {
            filing::file(&form, channel, filed_at, office, &attachments, ctx)
        }
        Command::FindIrreceivable { grounds, reasons, appeal } => {
            own(FoundIrreceivable { grounds, reasons: text(&reasons), found_on: today, appeal }
                .into())
        }
        Command::RequestAdditions { text: words, sent_on, answer_within } => {
            let (clock, basis) = additions_effect(case, sent_on, ctx)?;
            let sent = case::RequestSent {
                request: entry("request"),
                kind: RequestKind::Additions,
                text: text(&words),
                sent_on,
                answer_within,
                clock,
                basis: basis.to_owned(),
            };
            Ok(vec![Event::Case(sent.into())])
        }
        Command::RequestChanges { text: words, sent_on, answer_within } => {
            let sent = case::RequestSent {
                request: entry("request"),
                kind: RequestKind::Correction,
                text: text(&words),
                sent_on,
                answer_within,
                clock: ClockEffect::Suspends { term: review_key(), cap_days: None },
                basis: "DPR 380/2001 art. 20 c. 4".to_owned(),
            };
            Ok(vec![Event::Case(sent.into())])
        }
        Command::AnswerChanges { request, answered_on, adheres } => {
            let rules = ctx.rule_set(case.rules_version())?;
            let by_answer = rules.policy_text("minor_changes_suspend_until") == Some("answer");
            let resumes = adheres && by_answer;
            let mut events = vec![Event::Permit(
                ChangesAnswered { request, answered_on, adheres, resumes }.into(),
            )];
            if !adheres {
                let documents = Vec::new();
                let answered = case::RequestAnswered { request, answered_on, documents };
                events.push(Event::Case(answered.into()));
            }
            Ok(events)
        }
        Command::DeclareComplex { reasons } => {
            own(DeclaredComplex { declared_on: today, reasons: text(&reasons) }.into())
        }
        Command::ApplySafeguards {
            applied_on,
            plan_adopted_on,
            sent_for_approval,
            plan,
            reasons,
        } => own(SafeguardsApplied {
            suspension: entry("safeguards"),
            applied_on,
            plan_adopted_on,
            sent_for_approval,
            plan: plan.trim().to_owned(),
            reasons: text(&reasons),
        }
        .into()),
        Command::EndSafeguards { ended_on } => {
            let Some((suspension, _)) = pending(case)?.safeguarded() else {
                return Err(Rejection::new(Code::TermNotSuspended));
            };
            own(SafeguardsEnded { suspension, ended_on, by_law: false }.into())
        }
        Command::RecordConstraints { constraints, authorisations_held, reasons } => {
            own(ConstraintsRecorded {
                constraints,
                authorisations_held,
                recorded_on: today,
                reasons: text(&reasons),
            }
            .into())
        }
        Command::RequestOpinion { body, kind, sensitive, requested_on } => own(OpinionRequested {
            opinion: entry("opinion"),
            body: body.trim().to_owned(),
            kind,
            sensitive,
            requested_on,
        }
        .into()),
        Command::InterruptOpinion { opinion, asked_on } => {
            own(OpinionInterrupted { opinion, asked_on }.into())
        }
        Command::ResumeOpinion { opinion, received_on } => {
            own(OpinionResumed { opinion, received_on }.into())
        }
        Command::RecordOpinion { opinion, received_on, tenor, text: words } => {
            let end = opinion_end(case, &opinion, ctx)?;
            let late = end.is_some_and(|end| received_on > end);
            own(OpinionReceived { opinion, received_on, tenor, text: text(&words), late }.into())
        }
        Command::ConveneConference { form, convened_on, meeting_on, bodies } => {
            conference::convene(case, form, convened_on, meeting_on, &bodies, ctx)
        }
        Command::RecordDetermination { body, received_on, position, reasons } => {
            conference::determination(case, body, received_on, position, &reasons, ctx)
        }
        Command::OpenMeeting { opened_on } => conference::meeting(case, opened_on),
        Command::ConcludeConference { positive, reasons, .. } => {
            conference::conclude(case, positive, &reasons, ctx)
        }
        Command::RaiseOpposition { body, raised_on } => {
            own(OppositionRaised { body, raised_on }.into())
        }
        Command::EndOpposition { upheld, ended_on, reference } => {
            own(OppositionEnded { upheld, ended_on, reference: text(&reference) }.into())
        }
        Command::Issue { conditions, reasons, departure } => own(Issued {
            issued_on: today,
            conditions: optional(&conditions).map(&text),
            reasons: optional(&format!("{}\n{}", reasons.trim(), departure.trim())).map(&text),
            conference: None,
            late: late_statement(case, today, ctx)?,
        }
        .into()),
        Command::Refuse { reasons, answers, appeal, departure } => {
            let ineffective = matches!(&case.procedure, ProcedureState::Permit(s) if s.title().is_some())
                && ctx.rule_set(case.rules_version())?.policy_text("late_refusal_in_building")
                    == Some("ineffective");
            own(Refused {
                refused_on: today,
                reasons: text(&format!("{}\n{}", reasons.trim(), departure.trim())),
                answers: optional(&answers).map(&text),
                appeal,
                effect: if ineffective {
                    RefusalEffect::Ineffective
                } else {
                    RefusalEffect::Effective
                },
                late: late_statement(case, today, ctx)?,
            }
            .into())
        }
        Command::Archive { reasons, answers, appeal } => own(Archived {
            archived_on: today,
            reasons: text(&reasons),
            answers: optional(&answers).map(&text),
            appeal,
        }
        .into()),
        Command::RequestAttestation { requested_on } => {
            own(AttestationRequested { request: entry("attestation"), requested_on }.into())
        }
        Command::AnswerAttestation => silence::answer_attestation(case, ctx),
        Command::InvokeSubstitute { on_request, substitute } => own(SubstituteInvoked {
            invoked_on: today,
            on_request,
            substitute,
            within: half_of_the_term(case, ctx)?,
        }
        .into()),
        Command::Annul { ground, reference, reasons, appeal } => own(Annulled {
            annulled_on: today,
            ground,
            reference: said(case, &reference, ctx),
            reasons: text(&reasons),
            appeal,
        }
        .into()),
        Command::RecordContest { forum, contested_on, reference } => own(Contested {
            contest: entry("contest"),
            forum,
            contested_on,
            reference: said(case, &reference, ctx),
        }
        .into()),
        Command::OrderConformation { comply_within, reasons, appeal } => own(ConformationOrdered {
            order: entry("conformation"),
            ordered_on: today,
            comply_within,
            reasons: text(&reasons),
            appeal,
        }
        .into()),
        Command::ReportConformation { reported_on } => {
            let ordered = state(case)?.control().and_then(|(_, control)| control.ordered);
            let Some((order, _)) = ordered else {
                return wrong_phase(case, super::rules::ORDERED_FITS);
            };
            own(ConformationReported { order, reported_on }.into())
        }
        Command::Prohibit { reasons, appeal } => own(Prohibited {
            of: state(case)?.control().map_or(Controlled::Notice, |(of, _)| of),
            prohibited_on: today,
            reasons: Some(text(&reasons)),
            appeal: Some(appeal),
        }
        .into()),
        other => title::decide(case, other, ctx),
    }
}

/// Free text about the case belongs to the applicant.
fn said(case: &Case, words: &str, ctx: &Context<'_>) -> Option<Personal<String>> {
    (!words.trim().is_empty()).then(|| personal(case, words, ctx))
}

fn personal(case: &Case, words: &str, ctx: &Context<'_>) -> Personal<String> {
    let owner = case.file.applicant().map_or(SubjectId(ctx.case_id.0), |(subject, _)| *subject);
    Personal::new(owner, words.trim().to_owned())
}

fn optional(words: &str) -> Option<&str> {
    Some(words.trim()).filter(|w| !w.is_empty())
}

fn state(case: &Case) -> Result<&State, Rejection> {
    match &case.procedure {
        ProcedureState::Permit(state) => Ok(state),
        _ => wrong_phase(case, super::rules::PENDING_FITS),
    }
}

fn pending(case: &Case) -> Result<&Application, Rejection> {
    match state(case)? {
        State::Pending(a) => Ok(a),
        _ => wrong_phase(case, super::rules::PENDING_FITS),
    }
}

/// An act after its term says so (L. 241/1990 art. 2 c. 9-quinquies): the term of the decision
/// once it was proposed, otherwise the latest day of the whole procedure.
fn late_statement(
    case: &Case,
    today: Date,
    ctx: &Context<'_>,
) -> Result<Option<LateStatement>, Rejection> {
    for rule in [DECISION_AFTER_NOTICE, DECISION, SILENCE] {
        if let Some(term) = reckoned(case, &TermKey::of(rule), ctx)? {
            return Ok(case::late_after(term.reckoning.end, today));
        }
    }
    Ok(None)
}
