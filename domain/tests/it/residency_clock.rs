//! The forty-five days of the checks, the notice of rejection, and what silence does.

use pratica_domain::RejectionCode as Code;
use pratica_domain::case::{Command as Common, DeliveryMode, OBSERVATIONS_RULE, TermKey};
use pratica_domain::residency::{CHECKS, Command as Own, Kind, REGISTRATION};
use serde_json::json;

use crate::given::Given;
use crate::scenarios::*;
use crate::support::day;

#[test]
fn registration_has_effect_from_the_day_of_the_declaration() {
    declared()
        .ends_on(REGISTRATION, "2026-03-04")
        .ends_on(CHECKS, CHECKS_END)
        .on("2026-03-04")
        .when(Own::Register)
        .with(
            "residency.registered",
            &json!({"effective_from": FILED, "late": false, "mode": "on_declaration"}),
        )
        .then(["residency.registered"])
        .ends_on(CHECKS, CHECKS_END);
}

#[test]
fn two_working_days_pass_over_easter_and_the_weekend() {
    // Filed on Good Friday 2026: Saturday works, Sunday and Easter Monday do not.
    filed_on(form(Kind::ChangeOfDwelling), "2026-04-03")
        .ends_on(REGISTRATION, "2026-04-07")
        .on("2026-04-08")
        .when(Own::Register)
        .with("residency.registered", &json!({"late": true, "effective_from": "2026-04-03"}))
        .then(["residency.registered"]);
    filed_on(form(Kind::ChangeOfDwelling), "2026-03-06").ends_on(REGISTRATION, "2026-03-09");
}

#[test]
fn silence_confirms_at_the_legal_instant_even_if_the_ticker_is_late() {
    under_check()
        .on("2026-06-30")
        .when(expire(CHECKS, CHECKS_END))
        .with(
            "residency.confirmed_by_silence",
            &json!({"due_on": CHECKS_END, "effective_on": CHECKS_OVER,
                    "legal_at": "2026-04-16T22:00:00Z"}),
        )
        .with("residency.silence_attested", &json!({"attested_on": "2026-06-30"}))
        .then(["residency.confirmed_by_silence", "residency.silence_attested"]);
}

#[test]
fn silence_registers_what_the_office_forgot_to_register() {
    let case = declared()
        .on(CHECKS_OVER)
        .when(expire(CHECKS, CHECKS_END))
        .with("residency.registered", &json!({"mode": "by_law", "effective_from": FILED}))
        .then([
            "residency.registered",
            "residency.confirmed_by_silence",
            "residency.silence_attested",
        ]);
    assert_eq!(case.phase(), "confirmed_by_silence");
}

#[test]
fn a_comune_that_attests_on_request_alone_attests_nothing_by_itself() {
    under_check()
        .where_policy("silence_attestation", "\"on_request\"")
        .on(CHECKS_OVER)
        .when(expire(CHECKS, CHECKS_END))
        .then(["residency.confirmed_by_silence"]);
}

#[test]
fn in_each_phase_the_list_of_actions_says_what_goes_and_why_not() {
    let says = |case: &Given, name: &str| case.refusal_of(name).map(|r| r.code);
    let case = under_check().on("2026-03-20");
    assert_eq!(says(&case, "case.send_notice"), None);
    assert_eq!(says(&case, "residency.confirm"), None);
    assert_eq!(says(&case, "residency.restore_position"), Some(Code::NoticeRequired));
    assert_eq!(says(&case, "case.file_observations"), Some(Code::NoNotice));
    let case = window_open().on("2026-04-17");
    assert_eq!(says(&case, "case.file_observations"), None);
    assert_eq!(says(&case, "case.send_notice"), Some(Code::NoticeAlreadySent));
    assert_eq!(says(&case, "case.record_notice_receipt"), Some(Code::ReceiptAlreadyRecorded));
    assert_eq!(says(&case, "residency.restore_position"), Some(Code::ObservationWindowOpen));
    assert_eq!(says(&case, "residency.confirm"), None);
    // The window is over: nobody has to wait for the ticker to say so.
    assert_eq!(says(&case.on("2026-04-18"), "residency.restore_position"), None);
    let case = under_review();
    assert_eq!(says(&case, "residency.restore_position"), None);
    assert_eq!(says(&confirmed(), "residency.report"), None);
    assert_eq!(says(&confirmed(), "residency.confirm"), Some(Code::CaseClosed));
}

#[test]
fn a_proposal_taken_back_is_gone() {
    let case = under_review();
    let propose = sample("case.propose", &case);
    case.when(propose)
        .then(["case.proposal_made"])
        .when(Common::WithdrawProposal { reason: "Errore".to_owned() })
        .once_because("nothing stands any more that could be taken back")
        .then(["case.proposal_withdrawn"])
        .when(restore())
        .then(["residency.position_restored"]);
}

#[test]
fn the_term_does_not_expire_on_its_last_day() {
    under_check().on(CHECKS_END).when(expire(CHECKS, CHECKS_END)).rejected(Code::TermNotExpired);
}

#[test]
fn a_notice_on_day_forty_five_is_in_time_and_silence_no_longer_forms() {
    let case = under_check()
        .on(CHECKS_END)
        .when(send_notice(CHECKS_END))
        .then(["case.notice_sent"])
        .on("2026-05-30")
        .when(expire(CHECKS, CHECKS_END))
        .rejected(Code::TermNotExpired);
    assert_eq!((case.phase(), case.end_of(CHECKS)), ("notice_pending", None));
}

#[test]
fn a_notice_on_day_forty_six_is_too_late() {
    under_check()
        .on(CHECKS_OVER)
        .when(send_notice(CHECKS_OVER))
        .rejected(Code::SilenceFormed)
        .when(send_notice(CHECKS_END))
        .then(["case.notice_sent"]);
}

#[test]
fn a_notice_on_a_last_day_moved_off_a_sunday_is_in_time() {
    // Filed on Thursday 5 March 2026: day 45 is Sunday 19 April, the term ends on Monday.
    let case = filed_on(form(Kind::FromOtherComune), "2026-03-05")
        .ends_on(CHECKS, "2026-04-20")
        .on("2026-03-06")
        .when(Own::Register)
        .then(["residency.registered"]);
    case.clone().on("2026-04-20").when(send_notice("2026-04-20")).then(["case.notice_sent"]);
    case.on("2026-04-21").when(send_notice("2026-04-21")).rejected(Code::SilenceFormed);
}

#[test]
fn a_notice_dated_before_the_registration_is_refused() {
    under_check().on("2026-03-10").when(send_notice("2026-03-03")).rejected(Code::DateTooEarly);
}

#[test]
fn the_clock_runs_on_ten_days_after_observations_filed_in_time() {
    // Day 28 of 45 on sending; observations on 10 April, so from 20 April seventeen days are left.
    under_review().ends_on(CHECKS, "2026-05-07");
}

#[test]
fn without_observations_the_clock_runs_on_when_the_window_closes() {
    let case = window_open().ends_on(OBSERVATIONS_RULE, "2026-04-17").ends_on(CHECKS, "2026-05-04");
    let window = TermKey::instance(OBSERVATIONS_RULE, case.notice());
    let case = case
        .on("2026-04-18")
        .when(Common::ExpireTerm { term: window, due_on: day("2026-04-17") })
        .then(["case.term_expired"]);
    assert_eq!(case.phase(), "under_review");
}

#[test]
fn a_window_that_would_close_on_easter_monday_closes_on_the_tuesday() {
    // Received on 27 March 2026: the tenth day is Easter Monday, 6 April.
    let case = under_check()
        .on("2026-03-27")
        .when(send_notice("2026-03-27"))
        .then(["case.notice_sent"])
        .when(receive("2026-03-27"))
        .then(["case.notice_received"])
        .ends_on(OBSERVATIONS_RULE, "2026-04-07");
    let waiting = case.end_of(CHECKS);
    case.clone().on("2026-04-07").when(restore()).rejected(Code::ObservationWindowOpen);
    // Filed on the rolled tenth day they are in time, and move the clock.
    let observed =
        case.on("2026-04-07").when(observe("2026-04-07")).then(["case.observations_filed"]);
    assert!(observed.end_of(CHECKS) > waiting);
}

#[test]
fn while_receipt_is_unknown_nothing_expires_and_nothing_is_annulled() {
    let case = notice_pending()
        .on("2026-12-01")
        .when(restore())
        .rejected(Code::ObservationWindowOpen)
        .when(expire(CHECKS, CHECKS_END))
        .rejected(Code::TermNotExpired);
    assert_eq!(case.end_of(CHECKS), None);
}

#[test]
fn a_letter_deemed_received_opens_the_window_like_any_other() {
    notice_pending()
        .on("2026-04-20")
        .when(Common::RecordNoticeReceipt {
            received_on: day("2026-04-11"),
            mode: DeliveryMode::Deemed,
        })
        .with("case.notice_received", &json!({"mode": "deemed", "received_on": "2026-04-11"}))
        .then(["case.notice_received"])
        .ends_on(OBSERVATIONS_RULE, "2026-04-21");
}

#[test]
fn a_receipt_recorded_late_and_after_the_observations_counts_from_its_own_day() {
    let observed = notice_pending()
        .on("2026-04-10")
        .when(observe("2026-04-10"))
        .then(["case.observations_filed"]);
    assert_eq!(observed.phase(), "under_review");
    let before = observed.end_of(CHECKS);
    let after =
        observed.on("2026-04-24").when(receive("2026-04-07")).then(["case.notice_received"]);
    assert_eq!((after.phase(), after.end_of(CHECKS)), ("under_review", before));
    // A receipt that makes the same observations late moves the clock back to the window's end.
    notice_pending()
        .on("2026-04-20")
        .when(observe("2026-04-20"))
        .then(["case.observations_filed"])
        .when(receive("2026-04-07"))
        .then(["case.notice_received"])
        .ends_on(CHECKS, "2026-05-04");
}

#[test]
fn a_receipt_is_recorded_once() {
    window_open()
        .when(receive("2026-04-07"))
        .nothing()
        .when(receive("2026-04-06"))
        .rejected(Code::ReceiptAlreadyRecorded);
}

#[test]
fn late_observations_move_no_clock_and_must_still_be_answered() {
    let mut silent_act = restore();
    if let Own::RestorePosition { answers, .. } = &mut silent_act {
        answers.clear();
    }
    let case = window_open()
        .on("2026-04-22")
        .when(observe("2026-04-21"))
        .then(["case.observations_filed"])
        .ends_on(CHECKS, "2026-05-04")
        .when(silent_act.clone())
        .rejected(Code::ObservationsUnanswered);
    case.clone().when(restore()).then(["residency.position_restored"]);
    // A comune may set them aside.
    case.where_policy("late_observations", "\"set_aside\"")
        .when(silent_act)
        .then(["residency.position_restored"]);
}

#[test]
fn the_resumption_names_the_fact_that_moved_the_clock() {
    use pratica_domain::term::StepKind;
    let resumed_by = |case: &Given| {
        let steps = case.reckoned(CHECKS).reckoning.steps;
        let resumed = steps.into_iter().find(|s| matches!(s.kind, StepKind::Resumed { .. }));
        resumed.and_then(|step| step.event_type)
    };
    assert_eq!(resumed_by(&under_review()).as_deref(), Some("case.observations_filed"));
    let late = window_open().on("2026-04-22").when(observe("2026-04-21"));
    let late = late.then(["case.observations_filed"]);
    assert_eq!(resumed_by(&late).as_deref(), Some("case.notice_received"));
}

#[test]
fn observations_filed_twice_move_the_clock_once() {
    let case = under_review();
    let end = case.end_of(CHECKS);
    let case = case.on("2026-04-14").when(observe("2026-04-14")).then(["case.observations_filed"]);
    assert_eq!(case.end_of(CHECKS), end);
}

#[test]
fn the_office_may_give_more_time_for_observations_and_then_has_to_wait() {
    let case = window_open();
    let window = TermKey::instance(OBSERVATIONS_RULE, case.notice());
    let end = case.end_of(CHECKS);
    let case = case
        .when(Common::ExtendTerm {
            term: window,
            by: pratica_domain::term::Length::days(10),
            reason: "Malattia".to_owned(),
            basis: "L. 241/1990 art. 10-bis".to_owned(),
        })
        .then(["case.term_extended"])
        .ends_on(OBSERVATIONS_RULE, "2026-04-27")
        .on("2026-04-20")
        .when(restore())
        .rejected(Code::ObservationWindowOpen);
    assert_eq!(case.end_of(CHECKS), end, "more time for the citizen is none for the office");
}

#[test]
fn annulling_before_the_window_closes_is_refused_unless_observations_are_there() {
    window_open().on("2026-04-17").when(restore()).rejected(Code::ObservationWindowOpen);
    window_open().on("2026-04-18").when(restore()).then(["residency.position_restored"]);
    under_review().on("2026-04-11").when(restore()).then(["residency.position_restored"]);
    under_check().on("2026-03-20").when(restore()).rejected(Code::NoticeRequired);
}

#[test]
fn an_annulment_goes_back_to_the_day_of_the_declaration_and_tells_whom_it_must() {
    under_review()
        .on("2026-05-07")
        .when(restore())
        .with(
            "residency.position_restored",
            &json!({"annulled_from": FILED, "anpr_reason": 10, "late": null, "consequences":
                ["benefits_lost", "criminal_report", "public_security_report", "comune_of_origin_told"]}),
        )
        .then(["residency.position_restored"]);
}

#[test]
fn a_late_annulment_says_that_it_is_late() {
    under_review()
        .on("2026-05-11")
        .when(restore())
        .with(
            "residency.position_restored",
            &json!({"late": {"due_on": "2026-05-07", "days_late": 4}}),
        )
        .then(["residency.position_restored"]);
}

#[test]
fn a_late_acceptance_says_that_it_is_late_too() {
    let accept = || Own::Confirm { reasons: "Accolte".to_owned(), departure: String::new() };
    let late = json!({"late": {"due_on": "2026-05-07", "days_late": 4}});
    for (on, said) in [("2026-05-11", &late), ("2026-05-07", &json!({"late": null}))] {
        under_review()
            .on(on)
            .when(accept())
            .with("residency.confirmed", said)
            .then(["residency.confirmed"]);
    }
}

#[test]
fn after_a_notice_the_end_of_the_residual_only_alerts() {
    let case = under_review()
        .on("2026-05-08")
        .when(expire(CHECKS, "2026-05-07"))
        .with("case.term_expired", &json!({"legal_at": "2026-05-07T22:00:00Z"}))
        .then(["case.term_expired"]);
    assert_eq!(case.phase(), "under_review");
    case.when(confirm()).then(["residency.confirmed"]);
}

#[test]
fn a_comune_may_read_silence_after_a_notice_as_confirming() {
    let case = under_review().where_policy("after_notice_expiry", "\"confirm\"").on("2026-05-08");
    case.clone().when(restore()).rejected(Code::SilenceFormed);
    case.clone().when(Common::Withdraw { reason: None }).rejected(Code::SilenceFormed);
    case.when(expire(CHECKS, "2026-05-07"))
        .then(["residency.confirmed_by_silence", "residency.silence_attested"]);
}

#[test]
fn a_comune_may_read_the_notice_as_suspending_from_receipt() {
    let case = under_check()
        .where_policy("notice_suspends_from", "\"receipt\"")
        .on("2026-03-30")
        .when(send_notice("2026-03-30"))
        .then(["case.notice_sent"])
        .ends_on(CHECKS, CHECKS_END);
    // Even if the term runs out before receipt is known, silence does not form: the notice was sent.
    case.clone().on(CHECKS_OVER).when(expire(CHECKS, CHECKS_END)).then(["case.term_expired"]);
    case.on("2026-04-07")
        .when(receive("2026-04-07"))
        .then(["case.notice_received"])
        .ends_on(CHECKS, "2026-04-27");
}

#[test]
fn once_silence_has_formed_nothing_slips_in_before_it_is_on_record() {
    let case = under_check().on(CHECKS_OVER);
    for name in [
        "residency.confirm",
        "residency.supersede",
        "residency.end_by_fact",
        "residency.restore_position",
        "case.withdraw",
        "case.send_notice",
    ] {
        case.clone().when(sample(name, &case)).rejected(Code::SilenceFormed);
    }
    let died_before = Own::EndByFact {
        fact: pratica_domain::residency::EndingFact::Death,
        happened_on: day(CHECKS_END),
    };
    case.when(died_before).then(["residency.ended_by_fact"]);
    let unregistered = declared().on(CHECKS_OVER);
    for name in ["residency.complete", "residency.find_irreceivable"] {
        unregistered.clone().when(sample(name, &unregistered)).rejected(Code::SilenceFormed);
    }
}

#[test]
fn expiry_is_recorded_once_and_never_for_a_clock_that_moved_or_stopped() {
    silent().when(expire(CHECKS, CHECKS_END)).nothing();
    for case in [confirmed(), restored(), irreceivable(), notice_pending()] {
        case.on("2026-09-01").when(expire(CHECKS, CHECKS_END)).rejected(Code::TermNotExpired);
    }
    under_check()
        .on(CHECKS_OVER)
        .when(expire(CHECKS, "2026-04-15"))
        .rejected(Code::TermNotExpired)
        .when(expire("residency.nothing", CHECKS_END))
        .rejected(Code::UnknownTerm);
    declared()
        .on("2026-03-05")
        .when(expire(REGISTRATION, "2026-03-04"))
        .then(["case.term_expired"])
        .on("2026-03-09")
        .when(expire(REGISTRATION, "2026-03-04"))
        .nothing();
}
