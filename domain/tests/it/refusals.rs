//! Each rule of each command refuses somewhere: a new rule without a row here fails.
//!
//! The rows are printed into `docs/procedures/` too.

use std::collections::BTreeSet;

use pratica_domain::case::{Command as Common, TermKey};
use pratica_domain::ids::{CaseId, DocumentId, SubjectId};
use pratica_domain::residency::{Command as Own, EndingFact, Kind, VisitOutcome};
use pratica_domain::{Command, RejectionCode as Code, all_actions};
use uuid::Uuid;

use crate::given::{CASE, Given, nothing_yet, officer};
use crate::scenarios::*;
use crate::support::day;

pub(crate) struct Row {
    pub(crate) command: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) code: Code,
    /// The case in words, for the documentation.
    pub(crate) on: &'static str,
    case: Given,
    ask: Command,
}

fn row(
    rule: &'static str,
    code: Code,
    on: &'static str,
    case: Given,
    ask: impl Into<Command>,
) -> Row {
    let ask = ask.into();
    Row { command: ask.name(), rule, code, on, case, ask }
}

/// The same text emptied, in whichever command it stands.
fn without_reasons(command: Command) -> Command {
    let mut command = command;
    match &mut command {
        Command::Case(
            Common::EndRepresentation { reason: text, .. }
            | Common::DeclareConflict { reason: text, .. }
            | Common::CancelRequest { reason: text, .. }
            | Common::WithdrawProposal { reason: text }
            | Common::SuspendTerm { reason: text, .. }
            | Common::ExtendTerm { reason: text, .. }
            | Common::AddNote { text }
            | Common::SendMessage { text, .. }
            | Common::FileObservations { text, .. }
            | Common::SendRequest { text, .. }
            | Common::Propose { reasons: text, .. },
        )
        | Command::Residency(
            Own::FindIrreceivable { reasons: text, .. }
            | Own::RestorePosition { reasons: text, .. }
            | Own::Cancel { reasons: text, .. }
            | Own::Confirm { reasons: text, .. }
            | Own::OpenExOfficio { grounds: text, .. }
            | Own::RecordVisit { report: text, .. },
        ) => " ".clone_into(text),
        Command::Case(Common::SendNotice { reasons, .. }) => reasons.clear(),
        other => panic!("{} has no reasons", other.name()),
    }
    command
}

fn without_appeal(command: Own) -> Own {
    let mut command = command;
    if let Own::FindIrreceivable { appeal, .. }
    | Own::RestorePosition { appeal, .. }
    | Own::Cancel { appeal, .. } = &mut command
    {
        appeal.term_days = 0;
    }
    command
}

/// The sample as it would be asked on the day after.
fn tomorrow(name: &str, case: &Given) -> Command {
    sample(name, &case.clone().later(1))
}

fn known_documents_only(name: &str, case: &Given) -> Command {
    let unknown = DocumentId(Uuid::from_u128(5));
    let mut command = sample(name, case);
    match &mut command {
        Command::Case(
            Common::SendMessage { documents, .. }
            | Common::AnswerRequest { documents, .. }
            | Common::FileObservations { documents, .. },
        ) => documents.push(unknown),
        Command::Case(Common::AddDocument { replaces, .. }) => *replaces = Some(unknown),
        Command::Case(Common::RecordRegistration { document, .. }) => *document = unknown,
        other => panic!("{} names no document", other.name()),
    }
    command
}

fn requested() -> Given {
    under_check()
        .on("2026-03-12")
        .when(ask_additions("2026-03-12", 20, true))
        .then(["case.request_sent"])
}

fn proposed(name: &'static str) -> Given {
    let case = under_review();
    let mut propose = sample("case.propose", &case);
    if let (Command::Case(Common::Propose { outcome, .. }), "negative") = (&mut propose, name) {
        *outcome = pratica_domain::case::Tenor::Negative;
    }
    case.by(officer("bruno")).when(propose).then(["case.proposal_made"])
}

fn in_conflict(case: Given) -> Given {
    let conflict =
        Common::DeclareConflict { officer: "dora".parse().unwrap(), reason: "Parente".to_owned() };
    case.when(conflict).then(["case.conflict_declared"])
}

/// The rules that many commands share, asked of every command that has them.
fn shared() -> Vec<Row> {
    let withdrawn = under_check().when(Common::Withdraw { reason: None }).then(["case.withdrawn"]);
    let conflict = in_conflict(declared()).by(officer("dora"));
    let conflict_then_closed = in_conflict(under_review())
        .on("2026-04-27")
        .when(restore())
        .then(["residency.position_restored"])
        .by(officer("dora"));
    let mut rows = Vec::new();
    for action in all_actions() {
        for rule in action.rules {
            let (code, on, case) = match rule.name {
                "the_case_was_opened" => {
                    (Code::CaseNotOpened, "before any filing", nothing_yet().on(FILED))
                }
                "the_case_is_new" => {
                    (Code::CaseAlreadyOpened, "a second filing in one case", declared())
                }
                "the_case_is_open" => (Code::CaseClosed, "after the end", withdrawn.clone()),
                "who_acts_has_no_conflict" => {
                    let case = if action.command == "case.reopen" {
                        conflict_then_closed.clone()
                    } else {
                        conflict.clone()
                    };
                    (Code::ConflictOfInterest, "by who declared a conflict", case)
                }
                _ => continue,
            };
            let ask = sample(action.command, &case);
            rows.push(row(rule.name, code, on, case, ask));
        }
    }
    rows
}

fn common() -> Vec<Row> {
    let stranger = SubjectId(Uuid::from_u128(4));
    let grant = |case: &Given| {
        let mut command = sample("case.grant_representation", case);
        if let Command::Case(Common::GrantRepresentation { agent, .. }) = &mut command {
            *agent = stranger;
        }
        command
    };
    let represented = {
        let case = declared();
        let grant = sample("case.grant_representation", &case);
        case.when(grant).then(["case.representation_granted"])
    };
    let late = under_check().on(CHECKS_OVER);
    let suspended = {
        let case = under_check().on("2026-03-12");
        let suspend = sample("case.suspend_term", &case);
        case.when(suspend).then(["case.term_suspended"])
    };
    let early =
        Common::ResumeTerm { suspension: suspended.suspension(), resumed_on: day("2026-03-11") };
    let untrue = Common::ResumeTerm {
        suspension: pratica_domain::ids::EntryId(Uuid::from_u128(3)),
        resumed_on: day("2026-03-12"),
    };
    let other_term = |case: &Given| Common::SuspendTerm {
        term: TermKey::of("residency.registration"),
        suspended_on: case.context().today(),
        reason: "Dati".to_owned(),
    };
    let mut request_other = ask_additions("2026-03-04", 20, true);
    if let Common::SendRequest { suspends, .. } = &mut request_other {
        *suspends = Some(TermKey::of("residency.registration"));
    }
    let in_conflict_case = in_conflict(declared());
    let assign = |name: &str| {
        let mut command = sample(name, &in_conflict_case);
        if let Command::Case(Common::Assign { officer, .. }) = &mut command {
            *officer = Some("dora".parse().unwrap());
        }
        if let Command::Case(Common::NameResponsible { officer }) = &mut command {
            *officer = "dora".parse().unwrap();
        }
        command
    };
    let reasons = |name: &str, case: Given| {
        let ask = without_reasons(sample(name, &case));
        row("reasons_are_given", Code::ReasonsMissing, "without words", case, ask)
    };
    let documents = |name: &str, case: Given| {
        let ask = known_documents_only(name, &case);
        let on = "with a document that is not in the case";
        row("parties_and_documents_are_known", Code::UnknownDocument, on, case, ask)
    };
    let future = |name: &str, case: Given| {
        let ask = tomorrow(name, &case);
        row("dates_are_plausible", Code::DateInFuture, "dated tomorrow", case, ask)
    };
    let known = "parties_and_documents_are_known";
    let over = "after the term ended";
    vec![
        row(known, Code::UnknownParty, "for a stranger", declared(), grant(&declared())),
        row(
            known,
            Code::UnknownRepresentation,
            "of nobody",
            declared(),
            sample("case.end_representation", &declared()),
        ),
        reasons("case.end_representation", represented),
        row(
            "who_is_chosen_has_no_conflict",
            Code::OfficerInConflict,
            "to an officer in conflict",
            in_conflict_case.clone(),
            assign("case.assign"),
        ),
        row(
            "who_is_chosen_has_no_conflict",
            Code::OfficerInConflict,
            "an officer in conflict",
            in_conflict_case.clone(),
            assign("case.name_responsible"),
        ),
        reasons("case.declare_conflict", declared()),
        reasons("case.add_note", declared()),
        reasons("case.send_message", declared()),
        documents("case.send_message", declared()),
        documents("case.add_document", declared()),
        future("case.add_document", declared()),
        reasons("case.send_request", under_check()),
        future("case.send_request", under_check()),
        row(
            "it_is_a_term_of_conclusion",
            Code::UnknownTerm,
            "that would suspend the two working days",
            under_check(),
            request_other,
        ),
        row(
            "the_term_runs",
            Code::TermNotRunning,
            over,
            late.clone(),
            sample("case.send_request", &late),
        ),
        row(
            "the_suspension_is_the_first",
            Code::SuspensionSpent,
            "that would suspend a second time",
            requested(),
            sample("case.send_request", &requested()),
        ),
        row(
            "the_request_is_open",
            Code::UnknownRequest,
            "to a request that nobody sent",
            under_check(),
            sample("case.answer_request", &under_check()),
        ),
        documents("case.answer_request", requested()),
        future("case.answer_request", requested()),
        row(
            "the_request_is_open",
            Code::UnknownRequest,
            "of a request that nobody sent",
            under_check(),
            sample("case.cancel_request", &under_check()),
        ),
        reasons("case.cancel_request", requested()),
        row(
            "no_notice_is_open",
            Code::NoticeAlreadySent,
            "a second notice",
            notice_pending(),
            sample("case.send_notice", &notice_pending()),
        ),
        row(
            "the_phase_allows_a_notice",
            Code::WrongPhase,
            "before registration",
            declared(),
            sample("case.send_notice", &declared()),
        ),
        reasons("case.send_notice", under_check()),
        future("case.send_notice", under_check()),
        row(
            "the_notice_is_in_time",
            Code::SilenceFormed,
            "sent on day forty-six",
            late.clone(),
            sample("case.send_notice", &late),
        ),
        row(
            "a_notice_was_sent",
            Code::NoNotice,
            "without a notice",
            under_check(),
            sample("case.record_notice_receipt", &under_check()),
        ),
        row(
            "receipt_is_not_on_record",
            Code::ReceiptAlreadyRecorded,
            "on another day than recorded",
            window_open(),
            receive("2026-04-06"),
        ),
        future("case.record_notice_receipt", notice_pending()),
        row(
            "a_notice_was_sent",
            Code::NoNotice,
            "without a notice",
            under_check(),
            sample("case.file_observations", &under_check()),
        ),
        reasons("case.file_observations", window_open()),
        documents("case.file_observations", window_open()),
        future("case.file_observations", window_open()),
        row(
            known,
            Code::LinkToItself,
            "to itself",
            declared(),
            Common::Link { other: CASE, kind: pratica_domain::case::LinkKind::Siblings },
        ),
        row(
            "no_proposal_stands",
            Code::ProposalStands,
            "while one stands",
            proposed("favourable"),
            sample("case.propose", &proposed("favourable")),
        ),
        reasons("case.propose", under_check()),
        row(
            "a_proposal_stands",
            Code::NoProposal,
            "without one",
            under_check(),
            sample("case.withdraw_proposal", &under_check()),
        ),
        reasons("case.withdraw_proposal", proposed("favourable")),
        row(
            "withdrawal_is_in_time",
            Code::WithdrawalTooLate,
            "after the final act",
            confirmed(),
            Common::Withdraw { reason: None },
        ),
        row(
            "there_is_an_application",
            Code::WrongPhase,
            "of what the office opened",
            untraceable(),
            Common::Withdraw { reason: None },
        ),
        row(
            "silence_has_not_decided",
            Code::SilenceFormed,
            over,
            late.clone(),
            Common::Withdraw { reason: None },
        ),
        row(
            "the_case_is_closed",
            Code::CaseNotClosed,
            "while it is open",
            under_check(),
            sample("case.reopen", &under_check()),
        ),
        row(
            "the_law_reopens_it",
            Code::ReopeningNotForeseen,
            "of a confirmed case",
            confirmed(),
            sample("case.reopen", &confirmed()),
        ),
        reasons("case.suspend_term", under_check()),
        future("case.suspend_term", under_check()),
        row(
            "it_is_a_term_of_conclusion",
            Code::UnknownTerm,
            "the two working days",
            under_check(),
            other_term(&under_check()),
        ),
        row(
            "the_term_runs",
            Code::TermNotRunning,
            over,
            late.clone(),
            sample("case.suspend_term", &late),
        ),
        row(
            "the_suspension_is_the_first",
            Code::SuspensionSpent,
            "a second time",
            requested(),
            sample("case.suspend_term", &requested()),
        ),
        row("dates_are_plausible", Code::DateTooEarly, "before it was suspended", suspended, early),
        row(
            "the_term_runs",
            Code::TermNotSuspended,
            "what is not suspended",
            under_check().on("2026-03-12"),
            untrue,
        ),
        reasons("case.extend_term", under_check()),
        row(
            "the_term_runs",
            Code::TermNotRunning,
            over,
            late.clone(),
            sample("case.extend_term", &late),
        ),
        row(
            "the_term_has_run_out",
            Code::TermNotExpired,
            "on the last day",
            under_check().on(CHECKS_END),
            sample("case.expire_term", &under_check()),
        ),
        documents("case.record_registration", declared()),
    ]
}

fn own() -> Vec<Row> {
    let late = under_check().on(CHECKS_OVER);
    let late_declared = declared().on(CHECKS_OVER);
    let unsigned = {
        let mut form = form(Kind::FromOtherComune);
        form.members[0].signed = false;
        filed(form)
    };
    let leaving = || filed(form(Kind::ToAbroadItalian));
    let reasons = |rule, ask: Command, case: Given| {
        row(rule, Code::ReasonsMissing, "without words", case, without_reasons(ask))
    };
    let act = "the_act_is_reasoned";
    let future = |name: &str, case: Given| {
        let ask = tomorrow(name, &case);
        row("dates_are_plausible", Code::DateInFuture, "dated tomorrow", case, ask)
    };
    let phase = |rule, on, name: &str, case: Given| {
        let ask = sample(name, &case);
        row(rule, Code::WrongPhase, on, case, ask)
    };
    let silent = |name: &str, case: &Given| {
        let ask = sample(name, case);
        let on = "after the term ended";
        row("silence_has_not_decided", Code::SilenceFormed, on, case.clone(), ask)
    };
    let irreceivable = |change: fn(&mut Own)| {
        let Command::Residency(mut ask) = sample("residency.find_irreceivable", &declared()) else {
            unreachable!()
        };
        change(&mut ask);
        ask
    };
    let mut empty_form = form(Kind::FromOtherComune);
    empty_form.members.clear();
    let unanswered = {
        let mut ask = restore();
        if let Own::RestorePosition { answers, .. } = &mut ask {
            answers.clear();
        }
        ask
    };
    let registered = "once registered";
    let told = |kind| {
        ex_officio(kind).when(Own::Invite { sent_on: day(FILED) }).then(["residency.invited"])
    };
    let short_absence = nothing_yet()
        .on(FILED)
        .when(open(Kind::Untraceable, "2025-06-01"))
        .then(["case.opened", "case.party_added", "residency.opened_ex_officio"])
        .when(Own::Invite { sent_on: day(FILED) })
        .then(["residency.invited"])
        .when(visit(FILED, VisitOutcome::Absent))
        .then(["residency.visit_recorded"])
        .on("2026-04-10")
        .when(visit("2026-04-10", VisitOutcome::Absent))
        .then(["residency.visit_recorded"]);
    let recent_permit = nothing_yet()
        .on(FILED)
        .when(open(Kind::AbodeNotRenewed, "2025-12-01"))
        .then(["case.opened", "case.party_added", "residency.opened_ex_officio"]);
    let proposed_then = |by: &str, tenor| proposed(tenor).by(officer(by));
    vec![
        row(
            "the_form_can_be_a_case",
            Code::FormIncomplete,
            "of nobody",
            nothing_yet().on(FILED),
            declare_on(empty_form, FILED),
        ),
        future("residency.declare", nothing_yet().on(FILED)),
        phase("it_is_not_registered_yet", registered, "residency.complete", under_check()),
        silent("residency.complete", &late_declared),
        row(
            "the_form_can_be_a_case",
            Code::SeparateCasesNeeded,
            "with another reason to move",
            declared(),
            Own::Complete { form: form(Kind::ChangeOfDwelling) },
        ),
        phase("it_is_not_registered_yet", registered, "residency.find_irreceivable", under_check()),
        silent("residency.find_irreceivable", &late_declared),
        row(
            "a_ground_is_named",
            Code::NoGroundOfIrreceivability,
            "without a ground",
            declared(),
            irreceivable(|ask| {
                if let Own::FindIrreceivable { grounds, .. } = ask {
                    grounds.clear();
                }
            }),
        ),
        reasons(act, irreceivable(|_| {}).into(), declared()),
        row(
            "the_act_states_the_appeal",
            Code::AppealMissing,
            "without the appeal",
            declared(),
            without_appeal(irreceivable(|_| {})),
        ),
        phase(
            "it_is_not_registered_yet",
            "what the office opened",
            "residency.register",
            untraceable(),
        ),
        row(
            "the_consular_form_is_there",
            Code::ConsularFormMissing,
            "while the consulate is silent",
            leaving(),
            Own::Register,
        ),
        row(
            "the_declaration_is_receivable",
            Code::NotReceivable,
            "without a signature",
            unsigned,
            Own::Register,
        ),
        phase("visits_make_sense", "to who leaves", "residency.record_visit", leaving()),
        reasons(act, visit(FILED, VisitOutcome::Absent).into(), declared()),
        future("residency.record_visit", declared()),
        phase("there_are_checks_to_close", "before registration", "residency.confirm", declared()),
        silent("residency.confirm", &late),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            proposed_then("bruno", "favourable"),
            confirm(),
        ),
        reasons("acceptance_after_a_notice_is_reasoned", confirm().into(), under_review()),
        row(
            "departing_from_the_proposal_is_reasoned",
            Code::DepartureUnreasoned,
            "against the proposal, unreasoned",
            proposed_then("carla", "negative"),
            confirm(),
        ),
        phase(
            "checks_are_under_way",
            "before registration",
            "residency.restore_position",
            declared(),
        ),
        silent("residency.restore_position", &late),
        row(
            "a_notice_came_first",
            Code::NoticeRequired,
            "without a notice",
            under_check(),
            restore(),
        ),
        row(
            "observations_could_be_filed",
            Code::ObservationWindowOpen,
            "on the last day for observations",
            window_open().on("2026-04-17"),
            restore(),
        ),
        row(
            "who_decides_did_not_propose",
            Code::FourEyes,
            "by who proposed",
            proposed_then("bruno", "negative"),
            restore(),
        ),
        reasons(act, restore().into(), under_review()),
        row(
            "observations_are_answered",
            Code::ObservationsUnanswered,
            "without an answer to them",
            under_review(),
            unanswered,
        ),
        row(
            "the_act_states_the_appeal",
            Code::AppealMissing,
            "without the appeal",
            under_review(),
            without_appeal(restore()),
        ),
        row(
            "departing_from_the_proposal_is_reasoned",
            Code::DepartureUnreasoned,
            "against the proposal, unreasoned",
            proposed_then("carla", "favourable"),
            restore(),
        ),
        row(
            "it_is_a_residency_case",
            Code::WrongProcedure,
            "of an imported history",
            imported(),
            Own::Supersede { by: CaseId(Uuid::from_u128(8)) },
        ),
        silent("residency.supersede", &late),
        row(
            "another_case_supersedes",
            Code::LinkToItself,
            "by itself",
            under_check(),
            Own::Supersede { by: CASE },
        ),
        row(
            "it_is_a_residency_case",
            Code::WrongProcedure,
            "of an imported history",
            imported(),
            Own::EndByFact { fact: EndingFact::Death, happened_on: day("2011-02-01") },
        ),
        future("residency.end_by_fact", under_check()),
        row(
            "it_happened_before_silence",
            Code::SilenceFormed,
            "a move after the term ended",
            late.clone(),
            sample("residency.end_by_fact", &late),
        ),
        row(
            "the_kind_is_the_offices",
            Code::WrongProcedure,
            "of a kind that is declared",
            nothing_yet().on(FILED),
            open(Kind::ChangeOfDwelling, FILED),
        ),
        reasons(act, open(Kind::Untraceable, FILED).into(), nothing_yet().on(FILED)),
        row(
            "dates_are_plausible",
            Code::DateInFuture,
            "on a fact of tomorrow",
            nothing_yet().on(FILED),
            open(Kind::Untraceable, "2026-03-03"),
        ),
        phase("the_office_opened_it", "of a declaration", "residency.invite", declared()),
        row(
            "the_permit_expired_long_enough",
            Code::TooSoon,
            "three months after the permit",
            recent_permit.clone(),
            sample("residency.invite", &recent_permit),
        ),
        future("residency.invite", ex_officio(Kind::Untraceable)),
        phase(
            "the_office_opened_it",
            "of a declaration",
            "residency.register_ex_officio",
            declared(),
        ),
        phase(
            "it_is_about_an_omitted_declaration",
            "of who is untraceable",
            "residency.register_ex_officio",
            untraceable(),
        ),
        row(
            "the_invitation_ended",
            Code::TooSoon,
            "while the invitation runs",
            told(Kind::ExOfficioRegistration),
            Own::RegisterExOfficio,
        ),
        phase("the_office_opened_it", "of a declaration", "residency.cancel", declared()),
        phase(
            "it_is_about_a_cancellation",
            "of who should be registered",
            "residency.cancel",
            told(Kind::ExOfficioRegistration),
        ),
        row(
            "the_person_was_told",
            Code::NotInvited,
            "without telling the person",
            ex_officio(Kind::Untraceable),
            cancel(),
        ),
        row(
            "checks_were_repeated",
            Code::ChecksMissing,
            "without checks",
            told(Kind::Untraceable),
            cancel(),
        ),
        row(
            "the_absence_lasted",
            Code::TooSoon,
            "before a year of absence",
            short_absence,
            cancel(),
        ),
        reasons(act, cancel().into(), untraceable()),
        row(
            "the_act_states_the_appeal",
            Code::AppealMissing,
            "without the appeal",
            untraceable(),
            without_appeal(cancel()),
        ),
        phase(
            "the_consulate_is_awaited",
            "of who comes",
            "residency.record_consular_form",
            declared(),
        ),
        future("residency.record_consular_form", leaving()),
        phase(
            "there_is_something_to_report",
            "before registration",
            "residency.report",
            declared(),
        ),
        future("residency.report", under_check()),
    ]
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = shared();
    rows.extend(common());
    rows.extend(own());
    rows
}

#[test]
fn each_rule_refuses_with_its_own_name_and_code() {
    for row in rows() {
        let Row { command, rule, code, on, case, ask } = row;
        let outcome = case.when(ask);
        let found = outcome.rejection().map(|r| (r.rule, r.code));
        assert_eq!(found, Some((rule, code)), "{command} {on}");
    }
}

#[test]
fn every_rule_of_every_command_has_a_case_in_which_it_refuses() {
    let tried: BTreeSet<_> = rows().iter().map(|row| (row.command, row.rule)).collect();
    let mut listed = BTreeSet::new();
    for action in all_actions() {
        for rule in action.rules {
            assert!(
                listed.insert((action.command, rule.name)),
                "{} lists {} twice",
                action.command,
                rule.name
            );
        }
    }
    let missing: Vec<_> = listed.difference(&tried).collect();
    assert!(missing.is_empty(), "no case refuses by {missing:?}: add a row");
    let stale: Vec<_> = tried.difference(&listed).collect();
    assert!(stale.is_empty(), "rows of rules that no list has: {stale:?}");
}
