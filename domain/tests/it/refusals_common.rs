//! Where the rules of the common commands refuse.

use crate::given::{CASE, Given};
use crate::refusals::{
    Row, in_conflict, known_documents_only, proposed, requested, row, tomorrow, without_reasons,
};
use crate::scenarios::*;
use crate::support::day;
use pratica_domain::case::{Command as Common, RepresentationTitle, TermKey};
use pratica_domain::ids::SubjectId;
use pratica_domain::{Command, RejectionCode as Code};
use uuid::Uuid;

pub(crate) fn rows() -> Vec<Row> {
    let stranger = SubjectId(Uuid::from_u128(4));
    let grant = |case: &Given| {
        let mut command = sample("case.grant_representation", case);
        if let Command::Case(Common::GrantRepresentation { agent, .. }) = &mut command {
            *agent = stranger;
        }
        command
    };
    let unproved = |case: &Given| {
        let mut command = sample("case.grant_representation", case);
        if let Command::Case(Common::GrantRepresentation { title, evidence, .. }) = &mut command {
            (*title, *evidence) = (RepresentationTitle::Heir, None);
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
        row(
            "the_power_is_proved",
            Code::EvidenceMissing,
            "of an heir without a document",
            declared(),
            unproved(&declared()),
        ),
        row(known, Code::UnknownParty, "for a stranger", declared(), grant(&declared())),
        row(
            "somebody_is_represented",
            Code::UnknownRepresentation,
            "of nobody",
            declared(),
            sample("case.end_representation", &declared()),
        ),
        row(
            known,
            Code::UnknownRepresentation,
            "that was never granted",
            represented.clone(),
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
            "a_request_can_be_answered",
            Code::UnknownRequest,
            "when none was sent",
            under_check(),
            sample("case.answer_request", &under_check()),
        ),
        row(
            "the_request_is_open",
            Code::UnknownRequest,
            "to a request that nobody sent",
            requested(),
            sample("case.answer_request", &under_check()),
        ),
        documents("case.answer_request", requested()),
        future("case.answer_request", requested()),
        row(
            "a_request_waits",
            Code::UnknownRequest,
            "when none was sent",
            under_check(),
            sample("case.cancel_request", &under_check()),
        ),
        row(
            "the_request_is_open",
            Code::UnknownRequest,
            "of a request that nobody sent",
            requested(),
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
        row(
            "a_suspension_holds",
            Code::TermNotSuspended,
            "when none was declared",
            under_check().on("2026-03-12"),
            untrue.clone(),
        ),
        row(
            "dates_are_plausible",
            Code::DateTooEarly,
            "before it was suspended",
            suspended.clone(),
            early,
        ),
        row("the_term_runs", Code::TermNotSuspended, "what is not suspended", suspended, untrue),
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
    .into_iter()
    .chain(disposal())
    .collect()
}

fn disposal() -> Vec<Row> {
    let ask = |rule, code, on, case: Given, name: &str| {
        let command = sample(name, &case);
        row(rule, code, on, case, command)
    };
    let unnamed = |name: &str, case: Given| {
        let command = without_reasons(sample(name, &case));
        row("reasons_are_given", Code::ReasonsMissing, "without words", case, command)
    };
    let propose = "case.propose_erasure";
    let authorise = "case.authorise_erasure";
    let over = "the_retention_is_over";
    let other_hold = Common::LiftHold {
        hold: pratica_domain::ids::EntryId(Uuid::from_u128(3)),
        reason: "Giudicato".to_owned(),
        reference: "Sentenza".to_owned(),
    };
    let no_reference = Common::AuthoriseErasure { reference: " ".to_owned() };
    // The report to the Prefect is due, and nobody has put its end on record.
    let report_due = cancelled().on("2066-04-03");
    let proposed_by_bruno = erasure_proposed().by(crate::given::officer("bruno"));
    vec![
        unnamed("case.place_hold", long_ended()),
        ask("a_hold_stands", Code::UnknownHold, "when none stands", confirmed(), "case.lift_hold"),
        row("the_hold_is_known", Code::UnknownHold, "of another case", held(), other_hold),
        unnamed("case.lift_hold", held()),
        ask("the_case_is_closed", Code::CaseNotClosed, "before its end", under_check(), propose),
        ask("no_hold_stands", Code::LegalHold, "under a legal hold", held(), propose),
        ask(
            over,
            Code::RetentionRuns,
            "on the last day of the forty years",
            confirmed().on("2066-03-20"),
            propose,
        ),
        ask(
            over,
            Code::KeptForEver,
            "of what is kept for ever",
            crate::permit_scenarios::refused().on("2200-01-01"),
            propose,
        ),
        ask(
            "nothing_is_due_any_more",
            Code::TermsStillRun,
            "while a report is due",
            report_due,
            propose,
        ),
        ask(
            "no_erasure_is_proposed",
            Code::ErasureProposed,
            "a second time",
            erasure_proposed(),
            propose,
        ),
        ask(
            "an_erasure_is_proposed",
            Code::NoErasureProposed,
            "of what nobody proposed",
            long_ended(),
            authorise,
        ),
        ask(
            "who_authorises_did_not_propose",
            Code::FourEyes,
            "by who proposed it",
            erasure_proposed(),
            authorise,
        ),
        row(
            "the_authorisation_is_named",
            Code::AuthorisationMissing,
            "without its act",
            proposed_by_bruno,
            no_reference,
        ),
        ask(
            "an_erasure_is_authorised",
            Code::NoErasureAuthorised,
            "before the authorisation",
            erasure_proposed(),
            "case.record_erasure",
        ),
    ]
}
