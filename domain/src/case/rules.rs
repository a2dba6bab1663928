//! The rules of the common commands: one named function a rule, one ordered list a command.

use super::commands::Command;
use super::events::ReopeningGround;
use super::state::RequestState;
use super::terms::{ReckonedTerm, TermKey};
use crate::context::Context;
use crate::decider::{self, Action, Case, Check, ProcedureState, Rule};
use crate::ids::DocumentId;
use crate::rejection::{Rejection, RejectionCode as Code};
use crate::residency;
use crate::term::{TermOwner, TermStatus};
use jiff::civil::Date;

macro_rules! rule {
    ($check:ident, $kind:ident, $article:literal) => {
        Rule { name: stringify!($check), article: $article, check: Check::$kind($check) }
    };
}
pub(crate) use rule;

pub(crate) const OPENED: Rule = rule!(the_case_was_opened, Standing, "");
pub(crate) const OPEN: Rule = rule!(the_case_is_open, Standing, "L. 241/1990 art. 2 c. 1");
pub(crate) const NO_CONFLICT: Rule =
    rule!(who_acts_has_no_conflict, Standing, "L. 241/1990 art. 6-bis");
const NOTICE_OPEN: Rule = rule!(a_notice_was_sent, Standing, "L. 241/1990 art. 10-bis");
const ONE_NOTICE: Rule = rule!(no_notice_is_open, Standing, "L. 241/1990 art. 10-bis");
const NOTICE_FITS: Rule = rule!(the_phase_allows_a_notice, Standing, "L. 241/1990 art. 10-bis");
const PEOPLE: Rule = rule!(parties_and_documents_are_known, Content, "");
const DATES: Rule = rule!(dates_are_plausible, Content, "L. 241/1990 art. 18-bis");
const REASONED: Rule = rule!(reasons_are_given, Content, "L. 241/1990 art. 3");
const OFFICER_FREE: Rule = rule!(who_is_chosen_has_no_conflict, Content, "L. 241/1990 art. 6-bis");
const REQUEST_OPEN: Rule = rule!(the_request_is_open, Content, "");
const IN_TIME: Rule = rule!(the_notice_is_in_time, Content, "L. 241/1990 arts. 2 c. 8-bis, 20");
pub(crate) const SILENT: Rule =
    rule!(silence_has_not_decided, Standing, "L. 241/1990 arts. 2 c. 8-bis, 20");
const CONCLUSION: Rule = rule!(it_is_a_term_of_conclusion, Content, "L. 241/1990 art. 2 c. 7");
const RUNNING: Rule = rule!(the_term_runs, Content, "L. 241/1990 art. 2 c. 7");
const ONCE: Rule = rule!(the_suspension_is_the_first, Content, "L. 241/1990 art. 2 c. 7");

const fn action(command: &'static str, rules: &'static [Rule]) -> Action {
    Action { command, rules, offered: true }
}

/// The common commands with their rules, in order of precedence.
pub const ACTIONS: &[Action] = &[
    action("case.add_party", &[OPENED, OPEN, NO_CONFLICT]),
    action("case.grant_representation", &[OPENED, OPEN, NO_CONFLICT, PEOPLE]),
    action("case.end_representation", &[OPENED, OPEN, NO_CONFLICT, PEOPLE, REASONED]),
    action("case.assign", &[OPENED, OPEN, OFFICER_FREE]),
    action("case.name_responsible", &[OPENED, OPEN, OFFICER_FREE]),
    action("case.declare_conflict", &[OPENED, OPEN, REASONED]),
    action("case.add_note", &[OPENED, NO_CONFLICT, REASONED]),
    action("case.send_message", &[OPENED, NO_CONFLICT, REASONED, PEOPLE]),
    action("case.add_document", &[OPENED, NO_CONFLICT, PEOPLE, DATES]),
    action(
        "case.send_request",
        &[OPENED, OPEN, NO_CONFLICT, REASONED, DATES, CONCLUSION, RUNNING, ONCE],
    ),
    action("case.answer_request", &[OPENED, OPEN, REQUEST_OPEN, PEOPLE, DATES]),
    action("case.cancel_request", &[OPENED, OPEN, NO_CONFLICT, REQUEST_OPEN, REASONED]),
    action(
        "case.send_notice",
        &[OPENED, OPEN, NO_CONFLICT, ONE_NOTICE, NOTICE_FITS, REASONED, DATES, IN_TIME],
    ),
    action(
        "case.record_notice_receipt",
        &[OPENED, OPEN, NOTICE_OPEN, rule!(receipt_is_not_on_record, Standing, ""), DATES],
    ),
    action("case.file_observations", &[OPENED, OPEN, NOTICE_OPEN, REASONED, PEOPLE, DATES]),
    action("case.link", &[OPENED, PEOPLE]),
    action(
        "case.propose",
        &[OPENED, OPEN, NO_CONFLICT, rule!(no_proposal_stands, Standing, ""), REASONED],
    ),
    action(
        "case.withdraw_proposal",
        &[OPENED, OPEN, NO_CONFLICT, rule!(a_proposal_stands, Standing, ""), REASONED],
    ),
    action(
        "case.withdraw",
        &[
            OPENED,
            rule!(withdrawal_is_in_time, Standing, "L. 241/1990 art. 2"),
            rule!(there_is_an_application, Standing, "L. 241/1990 art. 2 c. 1"),
            SILENT,
        ],
    ),
    action(
        "case.reopen",
        &[
            OPENED,
            rule!(the_case_is_closed, Standing, ""),
            NO_CONFLICT,
            rule!(the_law_reopens_it, Content, "L. 241/1990 arts. 21-nonies, 10-bis"),
        ],
    ),
    action(
        "case.suspend_term",
        &[OPENED, OPEN, NO_CONFLICT, REASONED, DATES, CONCLUSION, RUNNING, ONCE],
    ),
    action("case.resume_term", &[OPENED, OPEN, NO_CONFLICT, DATES, RUNNING]),
    action("case.extend_term", &[OPENED, OPEN, NO_CONFLICT, REASONED, RUNNING]),
    Action {
        command: "case.expire_term",
        rules: &[OPENED, rule!(the_term_has_run_out, Content, "c.c. art. 2963")],
        offered: false,
    },
    Action { command: "case.record_registration", rules: &[OPENED, PEOPLE], offered: false },
];

pub(crate) fn refuse(code: Code) -> Result<(), Rejection> {
    Err(Rejection::new(code))
}

/// Whether the case was opened at all.
fn the_case_was_opened(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.opening.is_some() { Ok(()) } else { refuse(Code::CaseNotOpened) }
}

/// Whether the case has no final act yet.
pub(crate) fn the_case_is_open(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.closure {
        None => Ok(()),
        Some(closure) => Err(Rejection::new(Code::CaseClosed)
            .with("outcome", closure.outcome)
            .with("date", closure.closed_on)),
    }
}

fn the_case_is_closed(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.closure.is_some() { Ok(()) } else { refuse(Code::CaseNotClosed) }
}

/// Whoever declared a conflict does no further act on the case (art. 6-bis).
fn who_acts_has_no_conflict(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    if case.file.conflicts.contains(&ctx.actor.id) {
        refuse(Code::ConflictOfInterest)
    } else {
        Ok(())
    }
}

/// Nobody is given a case in which they declared a conflict.
fn who_is_chosen_has_no_conflict(
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

fn a_notice_was_sent(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.terms.last_notice().is_some() { Ok(()) } else { refuse(Code::NoNotice) }
}

/// One notice of rejection a case: a second would suspend twice what the law suspends once.
fn no_notice_is_open(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.terms.last_notice() {
        Some(n) => Err(Rejection::new(Code::NoticeAlreadySent).with("date", n.sent.0)),
        None => Ok(()),
    }
}

/// The receipt is recorded once; the day it moved the clocks to is not rewritten.
fn receipt_is_not_on_record(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match case.file.terms.last_notice().and_then(|n| n.received) {
        Some((on, _)) => Err(Rejection::new(Code::ReceiptAlreadyRecorded).with("date", on)),
        None => Ok(()),
    }
}

/// Whether the procedure knows a notice of rejection now.
fn the_phase_allows_a_notice(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    let allowed = match &case.procedure {
        ProcedureState::Residency(state) => residency::rules::notice_is_possible(state),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => false,
    };
    if allowed { Ok(()) } else { wrong_phase(case) }
}

pub(crate) fn wrong_phase(case: &Case) -> Result<(), Rejection> {
    Err(Rejection::new(Code::WrongPhase).with("phase", case.phase()))
}

fn no_proposal_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.proposal.is_some() { refuse(Code::ProposalStands) } else { Ok(()) }
}

fn a_proposal_stands(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    if case.file.proposal.is_some() { Ok(()) } else { refuse(Code::NoProposal) }
}

/// An application can be given up until its final act.
fn withdrawal_is_in_time(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match &case.file.closure {
        Some(c) => Err(Rejection::new(Code::WithdrawalTooLate)
            .with("outcome", c.outcome)
            .with("date", c.closed_on)),
        None => Ok(()),
    }
}

/// What the office opened itself is nobody's application, so nobody can give it up.
fn there_is_an_application(case: &Case, _: &Context<'_>) -> Result<(), Rejection> {
    match &case.procedure {
        ProcedureState::Residency(state) if residency::rules::is_ex_officio(state) => {
            wrong_phase(case)
        }
        _ => Ok(()),
    }
}

/// Once the term of silence is over, silence has decided, whether or not that is on record yet:
/// nothing that would keep it from being recorded comes in between.
pub(crate) fn silence_has_not_decided(case: &Case, ctx: &Context<'_>) -> Result<(), Rejection> {
    if !residency::rules::silence_would_confirm(case, ctx)? {
        return Ok(());
    }
    for key in silent_terms(case) {
        silence_has_not_formed(case, &key, ctx.today(), ctx)?;
    }
    Ok(())
}

/// Only a judgement, an appeal or the comune's own annulment reopens, and only a negative end;
/// what was confirmed is undone by a new case (DPR 223/1989 arts. 11 and 15).
fn the_law_reopens_it(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(Command::Reopen { ground, reference }) = command else {
        return Ok(());
    };
    if reference.trim().is_empty() {
        return Err(Rejection::new(Code::ReasonsMissing).with("field", "reference"));
    }
    let outcome = case.file.closure.as_ref().map_or("", |c| c.outcome);
    let possible = match ground {
        ReopeningGround::JudicialAnnulment
        | ReopeningGround::AppealUpheld
        | ReopeningGround::OwnAnnulment => match &case.procedure {
            // Who asked to be cancelled got what they asked for; who did not may appeal.
            ProcedureState::Residency(state) if residency::rules::is_ex_officio(state) => {
                outcome == "cancelled"
            }
            _ => matches!(outcome, "position_restored" | "irreceivable"),
        },
    };
    if possible {
        Ok(())
    } else {
        Err(Rejection::new(Code::ReopeningNotForeseen).with("outcome", outcome))
    }
}

/// The parties, documents, requests and cases that a command names must be there.
fn parties_and_documents_are_known(
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

/// No fact lies in the future, none before the filing or the fact that it follows.
fn dates_are_plausible(
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
            ("sent_on", *sent_on, residency::rules::registered_on(case).or(filed))
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
fn reasons_are_given(
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
fn the_request_is_open(
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

/// The notice is sent while the term of the silence still runs: afterwards silence has formed and
/// a contrary act is ineffective (art. 2 c. 8-bis).
fn the_notice_is_in_time(
    case: &Case,
    command: &decider::Command,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let decider::Command::Case(Command::SendNotice { sent_on, .. }) = command else {
        return Ok(());
    };
    for key in silent_terms(case) {
        silence_has_not_formed(case, &key, *sent_on, ctx)?;
    }
    Ok(())
}

/// The terms whose end has a legal effect, which a notice of rejection suspends.
pub(crate) fn silent_terms(case: &Case) -> Vec<TermKey> {
    match &case.procedure {
        ProcedureState::Residency(_) => vec![TermKey::of(residency::CHECKS)],
        ProcedureState::Imported(_) | ProcedureState::NotOpened => Vec::new(),
    }
}

/// The terms that start anew when a closed case is opened again.
pub(crate) fn restarts(case: &Case) -> Vec<TermKey> {
    match &case.procedure {
        ProcedureState::Residency(state) => residency::rules::restarts(state),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => Vec::new(),
    }
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

/// What the office lacks suspends its own term of conclusion, never the time that a citizen has.
fn it_is_a_term_of_conclusion(
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
    let is_one = match &case.procedure {
        ProcedureState::Residency(_) => silent_terms(case).contains(term),
        ProcedureState::Imported(_) | ProcedureState::NotOpened => {
            term.entry().is_none()
                && reckoned(case, term, ctx)?.is_some_and(|t| t.rule.owner == TermOwner::Office)
        }
    };
    if is_one { Ok(()) } else { Err(Rejection::new(Code::UnknownTerm).with("term", term)) }
}

/// A term that does not run can't be suspended or extended; one that is not suspended can't resume.
fn the_term_runs(
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
fn the_suspension_is_the_first(
    case: &Case,
    command: &decider::Command,
    _: &Context<'_>,
) -> Result<(), Rejection> {
    use super::events::ClockEffect;
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
fn the_term_has_run_out(
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
