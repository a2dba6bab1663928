//! Requests and suspensions (L. 241/1990 art. 2 c. 7), documents and their protocol numbers.

use pratica_domain::case::{Command as Common, TermKey};
use pratica_domain::ids::{DocumentId, ProtocolNumber};
use pratica_domain::process::documents_to_register;
use pratica_domain::residency::CHECKS;
use pratica_domain::{Event, RejectionCode as Code};
use serde_json::json;
use uuid::Uuid;

use crate::given::{CASE, Given};
use crate::scenarios::*;
use crate::support::day;

/// Asked on 12 March, day 10 of 45, so thirty-five are left.
fn asked(within: u32) -> Given {
    under_check()
        .on("2026-03-12")
        .when(ask_additions("2026-03-12", within, true))
        .then(["case.request_sent"])
}

#[test]
fn a_request_suspends_the_term_until_the_answer() {
    let case = asked(20).ends_on(CHECKS, "2026-05-16");
    let request = case.request();
    case.on("2026-03-20")
        .when(answer(request, "2026-03-19"))
        .then(["case.request_answered"])
        .ends_on(CHECKS, "2026-04-23");
}

#[test]
fn a_case_waits_for_the_citizen_while_a_request_or_a_notice_is_unanswered() {
    let waits = |case: &Given| case.case.file.waits_for_citizen();
    assert!(waits(&asked(20)) && waits(&window_open()));
    assert!(!waits(&under_check()) && !waits(&notice_pending()) && !waits(&under_review()));
    let case = window_open();
    let window = TermKey::instance(pratica_domain::case::OBSERVATIONS_RULE, case.notice());
    let over = Common::ExpireTerm { term: window, due_on: day("2026-04-17") };
    let case = case.on("2026-04-18").when(over).then(["case.term_expired"]);
    assert!(!waits(&case), "the window is over");
    assert!(!waits(&asked(20).when(confirm()).then(["residency.confirmed"])));
}

#[test]
fn a_suspension_lasts_thirty_days_at_most_whatever_the_citizen_was_given() {
    let case = asked(60).ends_on(CHECKS, "2026-05-16");
    let request = case.request();
    case.on("2026-05-05")
        .when(answer(request, "2026-05-05"))
        .then(["case.request_answered"])
        .ends_on(CHECKS, "2026-05-16");
}

#[test]
fn a_term_is_suspended_once_even_if_the_request_was_taken_back() {
    let case = asked(20);
    let cancel = sample("case.cancel_request", &case);
    case.clone().when(ask_additions("2026-03-12", 20, true)).rejected(Code::SuspensionSpent);
    case.on("2026-03-16")
        .when(cancel)
        .with("case.request_cancelled", &json!({"cancelled_on": "2026-03-16"}))
        .then(["case.request_cancelled"])
        .ends_on(CHECKS, "2026-04-20")
        .when(ask_additions("2026-03-16", 20, true))
        .rejected(Code::SuspensionSpent)
        .when(ask_additions("2026-03-16", 20, false))
        .then(["case.request_sent"])
        .ends_on(CHECKS, "2026-04-20");
}

#[test]
fn an_answer_after_the_lapse_is_received_and_moves_no_clock() {
    let case = asked(10);
    let request = case.request();
    let own = TermKey::instance("case.additions", request);
    let lapse = Common::ExpireTerm { term: own, due_on: day("2026-03-23") };
    // The tenth day is Sunday 22 March.
    let lapsed = case
        .on("2026-03-24")
        .when(lapse)
        .then(["case.request_lapsed"])
        .ends_on(CHECKS, "2026-04-27");
    lapsed
        .clone()
        .on("2026-04-07")
        .when(answer(request, "2026-04-07"))
        .then(["case.request_answered"])
        .ends_on(CHECKS, "2026-04-27");
    // An answer in time that was recorded late gives the term back its days.
    lapsed
        .when(answer(request, "2026-03-18"))
        .then(["case.request_answered"])
        .ends_on(CHECKS, "2026-04-22");
}

#[test]
fn a_suspension_ends_no_earlier_than_it_began() {
    let case = under_check().on("2026-03-12");
    let suspend = sample("case.suspend_term", &case);
    let case = case.when(suspend.clone()).then(["case.term_suspended"]);
    let resume =
        |on: &str| Common::ResumeTerm { suspension: case.suspension(), resumed_on: day(on) };
    case.clone()
        .on("2026-03-20")
        .when(resume("2026-03-11"))
        .rejected(Code::DateTooEarly)
        .when(resume("2026-03-20"))
        .then(["case.term_resumed"])
        .ends_on(CHECKS, "2026-04-24")
        .when(suspend)
        .rejected(Code::SuspensionSpent);
}

#[test]
fn silence_waits_for_a_suspension_and_comes_by_itself_after_its_cap() {
    let case = under_check().on("2026-03-12");
    let suspend = sample("case.suspend_term", &case);
    case.when(suspend)
        .then(["case.term_suspended"])
        .on(CHECKS_OVER)
        .when(expire(CHECKS, CHECKS_END))
        .rejected(Code::TermNotExpired)
        .on("2026-05-18")
        .when(expire(CHECKS, "2026-05-16"))
        .then(["residency.confirmed_by_silence", "residency.silence_attested"]);
}

#[test]
fn only_the_term_of_conclusion_can_be_suspended() {
    let case = window_open();
    let window = TermKey::instance(pratica_domain::case::OBSERVATIONS_RULE, case.notice());
    for term in [window, TermKey::of("residency.registration")] {
        let suspend = Common::SuspendTerm {
            term,
            suspended_on: day("2026-04-07"),
            reason: "Dati".to_owned(),
        };
        case.clone().when(suspend).rejected(Code::UnknownTerm);
    }
}

#[test]
fn an_extension_lengthens_the_term_and_needs_an_article() {
    let case = under_check();
    let extend = sample("case.extend_term", &case);
    case.clone().when(extend.clone()).then(["case.term_extended"]).ends_on(CHECKS, "2026-04-27");
    case.on(CHECKS_OVER).when(extend).rejected(Code::TermNotRunning);
}

#[test]
fn requests_of_an_imported_case_have_their_own_term() {
    let case = imported().on("2011-02-01");
    case.when(ask_additions("2011-02-01", 14, false))
        .then(["case.request_sent"])
        .ends_on("case.additions", "2011-02-15")
        .ends_on("nl.wabo.regular", "2011-03-07");
}

#[test]
fn every_document_in_or_out_asks_for_a_number_once_and_attachments_share_it() {
    let case = declared();
    let asked: Vec<_> = case
        .log
        .iter()
        .filter_map(|event| documents_to_register(CASE, &case.case, event))
        .map(|to| to.entry)
        .collect();
    assert_eq!(asked.len(), 1, "the attachment shares the declaration's number");
    assert_eq!(asked[0].object.value, "residency: declaration");
    assert_eq!(asked[0].correspondent.value, "Rossi Ada");
    let old = imported().on("2011-02-01");
    let old = old.when(ask_additions("2011-02-01", 14, false)).then(["case.request_sent"]);
    assert!(old.log.iter().all(|e| documents_to_register(CASE, &old.case, e).is_none()));
}

#[test]
fn a_document_gets_one_number_and_keeps_it_even_after_the_end() {
    let number = |number| ProtocolNumber { year: 2026, number };
    let case = confirmed();
    let document = case.document("declaration");
    let record = |n| Common::RecordRegistration {
        document,
        number: number(n),
        registered_on: day("2026-03-20"),
    };
    let unknown = Common::RecordRegistration {
        document: DocumentId(Uuid::from_u128(1)),
        number: number(1),
        registered_on: day("2026-03-20"),
    };
    case.when(record(4))
        .then(["case.document_registered"])
        .when(record(5))
        .rejected(Code::AlreadyRegistered)
        .when(unknown)
        .rejected(Code::UnknownDocument);
}

#[test]
fn a_new_version_replaces_a_document_once() {
    let case = declared();
    let old = case.document("identity_copy");
    let replace = |sha: &str| Common::AddDocument {
        kind: "identity_copy".to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: 3,
        sha256: sha.repeat(32),
        direction: pratica_domain::case::Direction::Incoming,
        dated_on: day(FILED),
        replaces: Some(old),
    };
    case.when(replace("11"))
        .with("case.document_added", &json!({"version": 2}))
        .then(["case.document_added"])
        .when(replace("22"))
        .rejected(Code::DocumentReplaced);
}

#[test]
fn an_ended_case_still_takes_notes_messages_documents_links_and_reports() {
    let case = restored();
    for (name, event) in [
        ("case.add_note", "case.note_added"),
        ("case.send_message", "case.message_sent"),
        ("case.add_document", "case.document_added"),
        ("case.link", "case.linked"),
        ("residency.report", "residency.reported"),
        ("case.record_registration", "case.document_registered"),
    ] {
        case.clone().when(sample(name, &case)).then([event]);
    }
    let open_request = asked(20);
    let request = open_request.request();
    let closed = open_request.when(confirm()).then(["residency.confirmed"]);
    closed.when(answer(request, "2026-03-12")).rejected(Code::CaseClosed);
}

#[test]
fn personal_data_shows_in_no_debug_text() {
    let text = format!("{:?}", under_review().log);
    for secret in ["Rossi", "Via Roma", "Abito qui", "all'indirizzo"] {
        assert!(!text.contains(secret), "{secret} shows in {text}");
    }
    assert!(matches!(under_review().log[0], Event::Case(_)));
}
