//! The clocks of a permit and their combinations: every date here was counted by hand.

use crate::given::{Given, officer};
use crate::permit_scenarios::*;
use crate::refusals_permit::second_round;
use crate::scenarios::{FILED, answer, expire, observe, receive, sample, send_notice};
use crate::support::day;
use pratica_domain::RejectionCode as Code;
use pratica_domain::case::Command as Common;
use pratica_domain::permit::{
    Command as Own, DECISION, DECISION_AFTER_NOTICE, Kind, Position, REVIEW, SILENCE,
    SILENCE_EARLIEST, WorksTerm,
};
use pratica_domain::term::Length;
use serde_json::json;

#[test]
fn sixty_and_ninety_days_run_from_filing() {
    // 1 May is a holiday; 31 May a Sunday.
    filed().ends_on(REVIEW, "2026-05-02").ends_on(SILENCE, SILENCE_ENDS);
    filed()
        .ends_on("permit.responsible", "2026-03-12")
        .ends_on("permit.additions_request", "2026-04-01");
}

#[test]
fn the_first_request_within_thirty_days_interrupts_and_a_new_term_runs_from_the_additions() {
    let waiting = awaiting_additions();
    assert_eq!(waiting.phase(), "awaiting_additions");
    assert_eq!(waiting.end_of(REVIEW), None);
    assert_eq!(waiting.end_of(SILENCE), None, "silence waits with the review");
    // 10 April + 60 = 9 June; + 90 = 9 July.
    with_additions().ends_on(REVIEW, "2026-06-09").ends_on(SILENCE, "2026-07-09");
}

#[test]
fn a_second_request_and_one_after_thirty_days_have_no_effect_on_the_clock() {
    with_additions()
        .on("2026-04-13")
        .when(ask_additions("2026-04-13"))
        .with("case.request_sent", &json!({ "clock": { "effect": "none" } }))
        .then(["case.request_sent"])
        .ends_on(REVIEW, "2026-06-09");
    filed()
        .on("2026-04-02")
        .when(ask_additions("2026-04-02"))
        .with("case.request_sent", &json!({ "clock": { "effect": "none" } }))
        .then(["case.request_sent"])
        .ends_on(SILENCE, SILENCE_ENDS);
}

#[test]
fn minor_changes_suspend_until_they_are_filed() {
    // 31 of 60 days had passed on 2 April... asked on 1 April: 30 elapsed, 30 left.
    let case = awaiting_changes();
    assert_eq!((case.phase(), case.end_of(REVIEW)), ("awaiting_changes", None));
    let request = case.request();
    let agreed = case
        .on("2026-04-10")
        .when(Own::AnswerChanges { request, answered_on: day("2026-04-10"), adheres: true })
        .then(["permit.changes_answered"]);
    assert_eq!(agreed.end_of(REVIEW), None, "the outcome is the filing, not the answer");
    agreed
        .ends_on("permit.minor_changes", "2026-04-27")
        .on("2026-04-20")
        .when(answer(request, "2026-04-20"))
        .then(["case.request_answered"])
        .ends_on(REVIEW, "2026-05-20")
        .ends_on(SILENCE, "2026-06-19");
}

#[test]
fn changes_that_are_refused_or_never_filed_let_the_clock_run_on() {
    let case = awaiting_changes();
    let request = case.request();
    case.on("2026-04-08")
        .when(Own::AnswerChanges { request, answered_on: day("2026-04-08"), adheres: false })
        .then(["permit.changes_answered", "case.request_answered"])
        .ends_on(REVIEW, "2026-05-08");
    // Twenty days to answer end on Tuesday 21 April.
    let key = format!("case.additions#{request}");
    awaiting_changes()
        .on("2026-04-22")
        .when(expire(&key, "2026-04-21"))
        .then(["case.request_lapsed"])
        .ends_on(REVIEW, "2026-05-21");
}

#[test]
fn by_the_other_reading_the_answer_ends_the_suspension() {
    let case = filed()
        .where_policy("minor_changes_suspend_until", "\"answer\"")
        .on("2026-04-01")
        .when(ask_changes("2026-04-01"))
        .then(["case.request_sent"]);
    let request = case.request();
    case.on("2026-04-10")
        .when(Own::AnswerChanges { request, answered_on: day("2026-04-10"), adheres: true })
        .then(["permit.changes_answered"])
        .ends_on(REVIEW, "2026-05-11")
        .on("2026-04-20")
        .when(answer(request, "2026-04-20"))
        .then(["case.request_answered"])
        .ends_on(REVIEW, "2026-05-11");
}

#[test]
fn an_interruption_after_a_suspension_starts_a_full_term() {
    // Changes asked on 9 March, refused on the 16th; additions asked on the 20th, in on 10 April.
    let case = filed().on("2026-03-09").when(ask_changes("2026-03-09")).then(["case.request_sent"]);
    let request = case.request();
    let case = case
        .on("2026-03-16")
        .when(Own::AnswerChanges { request, answered_on: day("2026-03-16"), adheres: false })
        .then(["permit.changes_answered", "case.request_answered"])
        .ends_on(REVIEW, "2026-05-08")
        .on("2026-03-20")
        .when(ask_additions("2026-03-20"))
        .then(["case.request_sent"])
        .on("2026-04-10");
    let additions = case
        .case
        .file
        .requests
        .iter()
        .find(|(_, r)| r.kind == pratica_domain::case::RequestKind::Additions)
        .map(|(id, _)| *id)
        .expect("asked");
    case.when(answer(additions, "2026-04-10"))
        .then(["case.request_answered"])
        .ends_on(REVIEW, "2026-06-09");
}

#[test]
fn complexity_doubles_the_review_and_not_the_decision() {
    let complex = sample("permit.declare_complex", &filed());
    // 60 + 60 = 30 June; 120 + 30 = 30 July; the window for additions 30 + 30 = 1 May, a holiday.
    filed()
        .when(complex.clone())
        .then(["permit.declared_complex"])
        .ends_on(REVIEW, "2026-06-30")
        .ends_on(SILENCE, "2026-07-30")
        .ends_on("permit.additions_request", "2026-05-02");
    // Doubled after the additions: from 10 April, 120 days are 8 August, 150 are 7 September.
    with_additions()
        .when(complex)
        .then(["permit.declared_complex"])
        .ends_on(REVIEW, "2026-08-08")
        .ends_on(SILENCE, "2026-09-07");
}

#[test]
fn safeguards_suspend_until_they_end_or_their_years_are_over() {
    // 18 of 60 days had passed on 20 March; 42 and 72 are left.
    assert_eq!(safeguarded().phase(), "suspended_by_safeguards");
    safeguarded()
        .on("2026-09-01")
        .when(Own::EndSafeguards { ended_on: day("2026-09-01") })
        .then(["permit.safeguards_ended"])
        .ends_on(REVIEW, "2026-10-13")
        .ends_on(SILENCE, "2026-11-12");
    let case = safeguarded().on("2029-02-13");
    let key = case.case.file.terms.keys().find(|k| k.as_str().starts_with("permit.safeguards#"));
    let key = key.expect("a clock").as_str().to_owned();
    case.when(expire(&key, "2029-02-10"))
        .with("permit.safeguards_ended", &json!({ "by_law": true, "ended_on": "2029-02-10" }))
        .then(["permit.safeguards_ended"])
        .ends_on(REVIEW, "2029-03-24");
}

#[test]
fn the_decision_is_due_thirty_days_after_the_proposal() {
    proposed().ends_on(DECISION, "2026-05-20").ends_on(SILENCE, SILENCE_ENDS);
    let withdrawn = proposed()
        .when(Common::WithdrawProposal { reason: "Errore".to_owned() })
        .once_because("nothing stands that could be taken back")
        .then(["case.proposal_withdrawn"])
        .ends_on(REVIEW, "2026-05-02");
    assert!(!withdrawn.clocks().iter().any(|t| t.key.as_str() == DECISION));
}

#[test]
fn after_a_notice_the_decision_has_forty_days_and_both_silence_dates_are_shown() {
    // Sent on 13 April, day 42 of 90; received on the 14th; observed on the 20th: runs on from the
    // 30th. Earliest: 90 + 10 = 10 June. Latest: 100 - 42 = 58 days after 30 April. The forty days
    // from the proposal of the 27th stand still until the 30th too.
    to_be_refused()
        .ends_on(DECISION_AFTER_NOTICE, "2026-06-09")
        .ends_on(SILENCE_EARLIEST, "2026-06-10")
        .ends_on(SILENCE, "2026-06-27");
}

#[test]
fn by_the_other_reading_the_forty_days_stand_alone() {
    let case = filed().where_policy("notice_in_building", "\"forty_days\"").on("2026-04-13");
    case.when(send_notice("2026-04-13"))
        .with("case.notice_sent", &json!({ "suspends": [] }))
        .then(["case.notice_sent", "case.term_extended", "case.term_extended"])
        .ends_on(SILENCE, "2026-06-10")
        .ends_on(SILENCE_EARLIEST, "2026-06-10");
}

#[test]
fn a_receipt_that_arrives_late_moves_the_clocks_without_rewriting_anything() {
    // Observations on the 20th are on record before the receipt of the 14th is.
    let case =
        notified().on("2026-04-20").when(observe("2026-04-20")).then(["case.observations_filed"]);
    let assumed = case.end_of(SILENCE);
    let known = case.on("2026-05-20").when(receive("2026-04-14")).then(["case.notice_received"]);
    assert_eq!(known.end_of(SILENCE), assumed, "in time, as was assumed");
    // Received on 1 April already? Then the observations were late: the clock ran on from the 11th.
    let early = filed()
        .on("2026-03-30")
        .when(send_notice("2026-03-30"))
        .then(["case.notice_sent", "case.term_extended", "case.term_extended"])
        .on("2026-04-20")
        .when(observe("2026-04-20"))
        .then(["case.observations_filed"])
        .on("2026-05-20")
        .when(receive("2026-04-01"))
        .then(["case.notice_received"]);
    // Day 28 of 100 at sending; the window ended on 11 April: 72 days after it, 22 June.
    early.ends_on(SILENCE, "2026-06-22");
}

#[test]
fn silence_grants_the_day_after_and_attests_by_itself() {
    let title = filed()
        .on("2026-06-10")
        .when(expire(SILENCE, SILENCE_ENDS))
        .with(
            "permit.granted_by_silence",
            &json!({ "effective_on": SILENCE_OVER, "legal_at": "2026-06-01T22:00:00Z" }),
        )
        .then(["permit.granted_by_silence", "permit.silence_attested"]);
    assert_eq!(title.phase(), "granted_by_silence");
    title.ends_on("permit.works_start", "2027-06-03").ends_on("case.self_annulment", "2026-12-02");
}

#[test]
fn between_the_last_day_and_the_record_of_silence_nothing_slips_in() {
    let late = proposed().on(SILENCE_OVER);
    late.clone().when(issue()).rejected(Code::SilenceFormed);
    to_be_refused().on("2026-06-29").when(refuse()).rejected(Code::SilenceFormed);
    late.when(Common::Withdraw { reason: None }).rejected(Code::SilenceFormed);
}

#[test]
fn silence_never_grants_on_constrained_property() {
    let case = constrained().on(SILENCE_OVER);
    let over = case.when(expire(SILENCE, SILENCE_ENDS)).then(["case.term_expired"]);
    assert_eq!(over.phase(), "under_review", "the duty to conclude stays");
    over.when(sample("permit.invoke_substitute", &constrained()))
        .with("permit.substitute_invoked", &json!({ "within": "45d" }))
        .then(["permit.substitute_invoked"])
        // 2 June + 45 days.
        .ends_on("case.substitute_power", "2026-07-17");
}

#[test]
fn with_the_authorisations_held_it_does_since_18_december_2025() {
    let held = |on: &str| {
        let mut form = constrained_form();
        form.authorisations_held = true;
        filed_at(form, on)
    };
    held(FILED)
        .on(SILENCE_OVER)
        .when(expire(SILENCE, SILENCE_ENDS))
        .then(["permit.granted_by_silence", "permit.silence_attested"]);
    // 18 September 2025 + 90 = 17 December: one day too early.
    held("2025-09-18")
        .on("2025-12-18")
        .when(expire(SILENCE, "2025-12-17"))
        .then(["case.term_expired"]);
    held("2025-09-19")
        .on("2025-12-19")
        .when(expire(SILENCE, "2025-12-18"))
        .then(["permit.granted_by_silence", "permit.silence_attested"]);
}

#[test]
fn a_conference_in_time_keeps_silence_off_and_a_late_one_does_not() {
    let free = filed().on("2026-03-30");
    let convened = |case: Given, on: &str, meeting: &str| {
        case.on(on)
            .when(convene(on, meeting, &[("AUSL", false)]))
            .then(["permit.conference_convened"])
            .on(SILENCE_OVER)
    };
    convened(free.clone(), "2026-03-30", "2026-05-04")
        .when(expire(SILENCE, SILENCE_ENDS))
        .then(["case.term_expired"]);
    convened(free, "2026-04-02", "2026-05-08")
        .when(expire(SILENCE, SILENCE_ENDS))
        .then(["permit.granted_by_silence", "permit.silence_attested"]);
}

#[test]
fn a_refusal_after_silence_changes_nothing_where_it_is_recorded_at_all() {
    let ineffective = to_be_refused()
        .where_policy("late_refusal_in_building", "\"ineffective\"")
        .on("2026-06-29")
        .when(expire(SILENCE, "2026-06-27"))
        .then(["permit.granted_by_silence", "permit.silence_attested"])
        .when(refuse())
        .with("permit.refused", &json!({ "effect": "ineffective" }))
        .then(["permit.refused"]);
    assert_eq!(ineffective.phase(), "granted_by_silence");
    let effective = to_be_refused()
        .where_policy("late_refusal_in_building", "\"effective\"")
        .on("2026-06-29")
        .when(expire(SILENCE, "2026-06-27"))
        .then(["permit.granted_by_silence", "permit.silence_attested"])
        .when(refuse())
        .then(["permit.refused"]);
    assert_eq!(effective.phase(), "refused");
}

#[test]
fn each_body_has_its_own_term_and_its_silence_is_assent() {
    // Thirty days from 5 March end on Saturday 4 April, an ordinary day; sixty on Monday 4 May.
    let case = in_conference();
    let ends: Vec<_> = case
        .clocks()
        .into_iter()
        .filter(|t| t.key.as_str().starts_with("permit.conference_body"))
        .filter_map(|t| t.reckoning.end)
        .map(|d| d.to_string())
        .collect();
    assert_eq!(ends, ["2026-04-04", "2026-05-04"]);
    let health = format!("permit.conference_body#{}", body(&case, "AUSL"));
    let silent = case
        .on("2026-04-07")
        .when(expire(&health, "2026-04-04"))
        .then(["permit.body_assented_by_silence"]);
    // A determination received in time and recorded late takes the silence's place.
    let late = determine(&silent, "AUSL", "2026-04-03", Position::Insurmountable);
    silent.when(late).then(["permit.determination_received"]);
}

#[test]
fn the_determination_is_due_five_working_days_after_the_bodies_terms() {
    // The last term ends on Monday 4 May, whenever the bodies said what they had to say.
    conference_agrees().ends_on("permit.conference_conclusion", "2026-05-09");
}

#[test]
fn a_positive_determination_is_the_title() {
    let title = conference_agrees()
        .on("2026-05-05")
        .when(conclude(true))
        .then(["permit.conference_concluded", "permit.issued"]);
    assert_eq!(title.phase(), "granted");
}

#[test]
fn a_negative_determination_is_the_notice_and_observations_open_another_round() {
    assert_eq!(conference_rejects().phase(), "notice_pending");
    let agreed = second_round()
        .on("2026-06-15")
        .when(conclude(true))
        .then(["permit.conference_concluded", "permit.issued"]);
    assert_eq!(agreed.phase(), "granted");
}

#[test]
fn while_a_qualified_body_may_oppose_the_title_has_no_effect() {
    let suspended = effect_suspended();
    assert_eq!(suspended.phase(), "effect_suspended");
    // Ten days from 20 May end on Saturday 30 May.
    let effective = suspended
        .on("2026-06-01")
        .when(expire("permit.opposition", "2026-05-30"))
        .then(["case.term_expired"]);
    assert_eq!(effective.phase(), "granted");
    let upheld = opposed()
        .on("2026-07-01")
        .when(Own::EndOpposition {
            upheld: true,
            ended_on: day("2026-07-01"),
            reference: "Delibera CdM".to_owned(),
        })
        .then(["permit.opposition_ended"]);
    assert_eq!(upheld.phase(), "annulled");
}

#[test]
fn additions_in_a_conference_suspend_once_for_thirty_days_at_most() {
    let case = in_conference()
        .on("2026-03-16")
        .when(ask_additions("2026-03-16"))
        .then(["case.request_sent"]);
    assert_eq!(case.end_of(REVIEW).map(|d| d.to_string()).as_deref(), Some("2026-06-01"));
}

#[test]
fn an_opinion_has_twenty_days_and_fifteen_more_after_one_interruption() {
    opinion_asked().ends_on("permit.opinion#", "2026-03-30");
    let case = opinion_interrupted().on("2026-03-23");
    let ask = sample("permit.resume_opinion", &case);
    case.when(ask).then(["permit.opinion_resumed"]).ends_on("permit.opinion_again", "2026-04-07");
}

#[test]
fn works_lapse_unless_more_time_was_asked_for_before_the_end() {
    // 11 May 2026 + one year = Tuesday 11 May 2027.
    let lapsed = granted()
        .on("2027-05-12")
        .when(expire("permit.works_start", "2027-05-11"))
        .then(["permit.lapsed"]);
    assert_eq!(lapsed.phase(), "lapsed");
    let pending =
        extension_asked().on("2027-05-12").when(expire("permit.works_start", "2027-05-11"));
    let pending = pending.then(["case.term_expired"]);
    assert_eq!(pending.phase(), "granted", "nobody answered in time: nothing is lost");
    let answer = sample("permit.grant_extension", &pending);
    pending
        .clone()
        .when(answer)
        .then(["permit.extension_granted"])
        .ends_on("permit.works_start", "2027-11-11");
    let answer = sample("permit.refuse_extension", &pending);
    let refused = pending
        .when(answer)
        .with("permit.lapsed", &json!({ "due_on": "2027-05-11" }))
        .then(["permit.extension_refused", "permit.lapsed"]);
    assert_eq!(refused.phase(), "lapsed");
}

#[test]
fn the_law_may_give_more_time_by_itself() {
    granted()
        .when(Own::ExtendByLaw {
            term: WorksTerm::Start,
            by: Length::years(2),
            basis: "DL 21/2022 art. 10-septies".to_owned(),
        })
        .then(["permit.extended_by_law"])
        .ends_on("permit.works_start", "2029-05-11");
}

#[test]
fn works_end_within_three_years_from_their_start() {
    in_works().ends_on("permit.works_finish", "2029-09-07");
    finished().ends_on("permit.usability", "2028-03-16");
}

#[test]
fn late_payment_costs_ten_twenty_and_forty_percent() {
    // Due on 10 June 2026: 120 days are 8 October, 180 are 7 December, 240 are 5 February 2027.
    for (on, percent) in [
        ("2026-06-10", 0),
        ("2026-06-11", 10),
        ("2026-10-08", 10),
        ("2026-10-09", 20),
        ("2026-12-07", 20),
        ("2026-12-09", 40),
        ("2027-02-05", 40),
        ("2027-03-01", 40),
    ] {
        let case = determined().on(on);
        case.clone()
            .when(pay(&case, 0, on, 400_000))
            .with(
                "permit.payment_recorded",
                &json!({ "surcharge_percent": percent, "surcharge_cents": 4_000 * percent }),
            )
            .then(["permit.payment_recorded"]);
    }
}

#[test]
fn works_offset_the_charges_of_the_first_instalments_that_are_open() {
    let case = determined();
    let contribution = match &case.case.procedure {
        pratica_domain::ProcedureState::Permit(s) => {
            *s.title().expect("granted").contributions.keys().next().expect("determined")
        }
        _ => unreachable!("a permit"),
    };
    let after = case
        .when(Own::OffsetContribution {
            contribution,
            amount_cents: 500_000,
            agreement: "Convenzione 4".to_owned(),
        })
        .then(["permit.contribution_offset"]);
    assert!(
        after.clone().when(pay(&after, 0, "2026-05-11", 1)).rejection().is_some(),
        "paid in kind"
    );
    after.clone().when(pay(&after, 1, "2026-05-11", 500_000)).then(["permit.payment_recorded"]);
}

#[test]
fn a_notice_of_works_is_controlled_for_thirty_days_and_an_order_starts_them_anew() {
    notice_of_works().ends_on("permit.control", "2026-04-01");
    let done = notice_of_works()
        .on("2026-04-02")
        .when(expire("permit.control", "2026-04-01"))
        .then(["permit.control_ended"]);
    assert_eq!(done.phase(), "consolidated");
    let ordered = conformation_ordered();
    assert_eq!(ordered.end_of("permit.control"), None);
    ordered
        .clone()
        .on("2026-04-08")
        .when(Own::ReportConformation { reported_on: day("2026-04-08") })
        .then(["permit.conformation_reported"])
        .ends_on("permit.control", "2026-05-08");
    let key =
        ordered.case.file.terms.keys().find(|k| k.as_str().starts_with("permit.conformation#"));
    let key = key.expect("a clock").as_str().to_owned();
    let forbidden =
        ordered.on("2026-04-16").when(expire(&key, "2026-04-15")).then(["permit.prohibited"]);
    assert_eq!(forbidden.phase(), "prohibited", "who does not comply is forbidden by law");
}

#[test]
fn a_report_of_usability_is_controlled_like_a_notice() {
    let case = under_usability_control().ends_on("permit.control", "2028-04-10");
    let usable = case
        .on("2028-04-11")
        .when(expire("permit.control", "2028-04-10"))
        .then(["permit.control_ended"]);
    assert_eq!(usable.phase(), "usable");
}

#[test]
fn a_communication_of_works_is_recorded_and_nothing_more() {
    let case = filed_form(form(Kind::Communication));
    assert_eq!(case.phase(), "communicated");
    assert!(case.clocks().is_empty());
}

#[test]
fn a_refusal_that_a_court_annulled_is_decided_again_without_silence() {
    let again = refused()
        .on("2026-10-01")
        .when(sample("case.reopen", &refused()))
        .then(["case.reopened"])
        .ends_on(REVIEW, "2026-11-30")
        .ends_on(SILENCE, "2026-12-30");
    assert_eq!(again.phase(), "under_review");
    again.on("2026-12-31").when(expire(SILENCE, "2026-12-30")).then(["case.term_expired"]);
}

#[test]
fn the_attestation_answers_within_fifteen_days_or_names_the_acts_against_it() {
    let ask = |case: &Given| sample("permit.request_attestation", case);
    let case = tacit();
    let asked = case.clone().when(ask(&case)).then(["permit.attestation_requested"]);
    asked
        .ends_on("permit.attestation", "2026-06-17")
        .when(Own::AnswerAttestation)
        .with("permit.silence_attested", &json!({ "on_request": true, "due_on": SILENCE_ENDS }))
        .then(["permit.silence_attested"]);
    for (case, act) in [
        (awaiting_additions(), "additions_requested"),
        (refused(), "refused"),
        (filed(), "term_running"),
        (constrained(), "constrained_property"),
        (in_conference(), "in_conference"),
        (granted(), "granted"),
    ] {
        case.clone()
            .when(ask(&case))
            .then(["permit.attestation_requested"])
            .when(Own::AnswerAttestation)
            .with("permit.attestation_denied", &json!({ "acts": [act] }))
            .then(["permit.attestation_denied"]);
    }
}

#[test]
fn a_permit_may_be_transferred_and_varied() {
    let case = granted();
    case.clone()
        .when(sample("permit.transfer", &case))
        .then(["case.party_added", "permit.transferred"]);
    let variant = filed_form(form(Kind::Variant));
    assert!(!variant.case.file.links.is_empty(), "a variant is tied to what it varies");
}

#[test]
fn who_proposes_does_not_decide_and_without_a_proposal_nobody_does() {
    filed().on("2026-04-20").when(issue()).rejected(Code::NoProposal);
    proposed().by(officer("bruno")).when(issue()).rejected(Code::FourEyes);
}

#[test]
fn lombardy_has_sixty_days_in_all() {
    // Filed on 2 March: 45 days of review end on 16 April, 60 on 1 May, a holiday.
    let case = filed().of_lombardy();
    case.clone().ends_on(REVIEW, "2026-04-16").ends_on(SILENCE, "2026-05-02");
    let complex = sample("permit.declare_complex", &case);
    // 90 and 105 days.
    case.when(complex)
        .then(["permit.declared_complex"])
        .ends_on(REVIEW, "2026-06-01")
        .ends_on(SILENCE, "2026-06-15");
}

#[test]
fn while_the_bodies_confer_no_notice_is_sent_their_determination_is_the_notice() {
    in_conference().on("2026-03-16").when(send_notice("2026-03-16")).rejected(Code::WrongPhase);
    awaiting_additions()
        .on("2026-03-23")
        .when(send_notice("2026-03-23"))
        .rejected(Code::WrongPhase);
}

#[test]
fn a_regularisation_has_forty_five_days_and_a_landscape_body_a_hundred_and_eighty() {
    // 2 March + 45 = 16 April.
    let case = filed_form(form(Kind::Regularisation)).ends_on(SILENCE, "2026-04-16");
    case.clone()
        .on("2026-04-17")
        .when(expire(SILENCE, "2026-04-16"))
        .then(["permit.granted_by_silence", "permit.silence_attested"]);
    // 9 March + 180 = 5 September, a Saturday.
    case.on("2026-03-09")
        .when(Own::RequestOpinion {
            body: "Soprintendenza".to_owned(),
            kind: pratica_domain::permit::OpinionKind::Opinion,
            sensitive: true,
            requested_on: day("2026-03-09"),
        })
        .then(["permit.opinion_requested"])
        .ends_on("permit.regularisation_landscape", "2026-09-05");
}
