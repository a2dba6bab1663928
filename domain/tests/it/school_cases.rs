//! Applications through their year: scores with proofs, observations, offers, vaccines, fees.

use pratica_domain::case::Command as Common;
use pratica_domain::ids::EntryId;
use pratica_domain::school::enrolment::{Command as Own, VaccineProof};
use pratica_domain::{ProcedureState, RejectionCode as Code};
use serde_json::json;
use uuid::Uuid;

use crate::given::{Given, nothing_yet};
use crate::school_scenarios::*;
use crate::support::day;

fn application(case: &Given) -> &pratica_domain::school::enrolment::Application {
    let ProcedureState::Enrolment(state) = &case.case.procedure else { panic!("no application") };
    state.application().unwrap()
}

#[test]
fn each_score_names_the_event_or_the_document_that_proves_it() {
    let case = scored();
    let standing = &application(&case).standing.as_ref().unwrap().value;
    let of = |criterion: &str| {
        let score = standing
            .scores
            .iter()
            .find(|s| s.criterion == criterion && s.school == school("centro"));
        serde_json::to_value(score.map(|s| (s.points, s.proof.clone()))).unwrap()
    };
    assert_eq!(of("siblings"), json!([4, { "statement": 3 }]));
    let statement = case.document("employment_statement");
    assert_eq!(of("parents_at_work"), json!([10, { "document": statement }]));
}

#[test]
fn what_is_not_proved_counts_for_nothing_and_is_named() {
    let case = nothing_yet()
        .on(APPLIED)
        .when(file(call_view(), form(), &["family_statement"]))
        .then(["case.opened", "case.party_added", "case.party_added", "enrolment.filed"])
        .when(Own::Admit)
        .then(["enrolment.admitted"])
        .on(CLOSED)
        .when(score())
        .then(["enrolment.scored"]);
    let standing = &application(&case).standing.as_ref().unwrap().value;
    assert_eq!(standing.not_counted, ["working_parents"]);
    assert!(standing.scores.iter().all(|s| s.criterion != "parents_at_work"));
    assert!(!standing.facts.all.contains_key("working_parents"));
}

#[test]
fn an_application_changed_within_the_window_is_checked_again() {
    let case = admitted().when(sample("enrolment.amend", &admitted()).unwrap());
    let case = case.then(["enrolment.amended"]);
    assert_eq!(case.phase(), "filed");
    assert_eq!(application(&case).content.choices, [school("nord")]);
}

#[test]
fn an_application_is_completed_on_request_and_then_admitted() {
    let asked = filed()
        .when(Common::SendRequest {
            kind: pratica_domain::case::RequestKind::Additions,
            text: "Manca il lavoro".to_owned(),
            sent_on: day(APPLIED),
            answer_within: pratica_domain::term::Length::days(10),
            suspends: None,
        })
        .then(["case.request_sent"]);
    let complete = sample("enrolment.complete", &asked).unwrap();
    let request = asked.request();
    let case = asked
        .when(complete)
        .then(["enrolment.completed"])
        .when(Common::AnswerRequest { request, answered_on: day(APPLIED), documents: Vec::new() })
        .then(["case.request_answered"])
        .when(Own::Admit)
        .then(["enrolment.admitted"]);
    assert_eq!(application(&case).content.facts.value.all["siblings"], 3);
}

#[test]
fn an_observation_that_is_right_corrects_the_points_and_nothing_else() {
    let case = observed();
    let answer = sample("enrolment.answer_observation", &case).unwrap();
    let case = case.when(answer).then(["enrolment.observation_answered"]);
    assert_eq!(case.phase(), "ranked_provisionally");
    let observation = observation(&case);
    assert_eq!(application(&case).observations[&observation].accepted, Some(true));
}

#[test]
fn observations_end_with_the_tenth_day_after_publication() {
    ranked().ends_on("school.observations", "2026-05-14");
    let last = ranked().on("2026-05-14");
    last.when(Own::FileObservation { text: "Errore".to_owned() })
        .then(["enrolment.observation_filed"]);
}

#[test]
fn an_offer_stands_for_working_days_and_silence_renounces_that_school_only() {
    let case = offered().ends_on("school.offer", "2026-06-04");
    let lapse = Common::ExpireTerm { term: offer_key(), due_on: day("2026-06-04") };
    let case = case.on("2026-06-08").when(lapse).with(
        "enrolment.offer_lapsed",
        &json!({ "school": "nord", "legal_at": "2026-06-04T22:00:00Z" }),
    );
    let case = case.then(["enrolment.offer_lapsed"]);
    assert_eq!(case.phase(), "waiting_list");
    case.when(offer(EntryId(Uuid::from_u128(73)), "centro", "2026-06-08"))
        .then(["enrolment.offered"]);
}

#[test]
fn accepting_one_place_drops_the_others_at_once() {
    let other = EntryId(Uuid::from_u128(73));
    let case = offered().when(offer(other, "centro", FINAL)).then(["enrolment.offered"]);
    let case = case
        .when(accept())
        .with("enrolment.offer_dropped", &json!({ "offer": other, "school": "centro" }))
        .then(["enrolment.accepted", "enrolment.offer_dropped"]);
    assert_eq!(case.phase(), "accepted");
    case.when(Own::Accept { offer: other, deposit_receipt: Some("x".into()) })
        .rejected(Code::WrongPhase);
}

#[test]
fn one_offer_of_two_renounced_leaves_the_other_open() {
    let other = EntryId(Uuid::from_u128(73));
    let case = offered()
        .when(offer(other, "centro", FINAL))
        .then(["enrolment.offered"])
        .when(Own::Renounce { offer: OFFER_ID })
        .then(["enrolment.renounced"]);
    assert_eq!(case.phase(), "offered");
    let case = case.when(Own::Renounce { offer: other }).then(["enrolment.renounced"]);
    assert_eq!(case.phase(), "waiting_list");
}

#[test]
fn without_proof_by_the_tenth_of_july_the_place_is_lost_by_law() {
    let case = invited().ends_on("school.vaccine_proof", "2026-07-10");
    let due_on = day("2026-07-10");
    let term = pratica_domain::case::TermKey::of("school.vaccine_proof");
    let case = case
        .on("2026-07-13")
        .when(Common::ExpireTerm { term, due_on })
        .with("enrolment.place_lost", &json!({ "legal_at": "2026-07-10T22:00:00Z" }))
        .then(["enrolment.place_lost"]);
    assert_eq!(case.phase(), "place_lost");
    assert_eq!(case.case.file.closure.as_ref().unwrap().closed_on, due_on);
}

#[test]
fn proof_in_time_keeps_the_place() {
    let proof = Own::FileVaccineProof { proof: VaccineProof::FormalRequest, document: None };
    let case = invited().on("2026-07-10").when(proof).then(["enrolment.vaccine_proof_filed"]);
    assert_eq!(case.phase(), "accepted");
    let term = pratica_domain::case::TermKey::of("school.vaccine_proof");
    case.on("2026-07-13")
        .when(Common::ExpireTerm { term, due_on: day("2026-07-10") })
        .rejected(Code::TermNotExpired);
}

#[test]
fn in_compulsory_school_missing_vaccines_cost_no_place() {
    let mut call = call_view();
    let plan = std::sync::Arc::make_mut(&mut call.plan);
    plan.criteria.vaccines_bind = false;
    let case = nothing_yet()
        .on(APPLIED)
        .when(file(call, form(), &["family_statement"]))
        .then(["case.opened", "case.party_added", "case.party_added", "enrolment.filed"])
        .on("2026-06-10")
        .when(Own::RecordVaccines { in_order: false, stated_on: day("2026-06-10") })
        .then(["enrolment.vaccines_recorded"])
        .when(Own::InviteVaccineProof { sent_on: day("2026-06-10") })
        .then(["enrolment.vaccine_proof_invited"])
        .on("2026-07-13");
    let term = pratica_domain::case::TermKey::of("school.vaccine_proof");
    let due_on = day("2026-07-10");
    let case = case.when(Common::ExpireTerm { term, due_on }).then(["case.term_expired"]);
    assert!(case.case.file.closure.is_none());
}

#[test]
fn the_fee_follows_the_isee_and_is_the_highest_without_one() {
    let fee = |case: &Given| application(case).fee.clone().unwrap().0.value;
    let set = || Own::SetFee { fee: criteria().fee };
    let without = accepted().when(set()).then(["enrolment.fee_set"]);
    assert_eq!(fee(&without), 41_500);
    let with = accepted()
        .when(Own::RecordIsee { isee: isee(1_725_000) })
        .then(["enrolment.isee_recorded"])
        .when(set())
        .then(["enrolment.fee_set"]);
    // 30 + (17,250.00 - 4,500.01) * 250 / 25,499.99 = 154.99990..., to the nearest cent 155.00.
    assert_eq!(fee(&with), 15_500);
    let mut omitted = isee(1_725_000);
    omitted.with_omissions = true;
    let omitted = accepted()
        .when(Own::RecordIsee { isee: omitted })
        .then(["enrolment.isee_recorded"])
        .when(set())
        .then(["enrolment.fee_set"]);
    assert_eq!(fee(&omitted), 41_500);
}

#[test]
fn who_leaves_after_the_day_of_the_call_owes_the_fee() {
    let leave = || Own::Leave { reason: Some("Trasloco".to_owned()) };
    let early = accepted().on("2026-08-31").when(leave());
    early.with("enrolment.left", &json!({ "left_on": "2026-08-31" })).then(["enrolment.left"]);
    let late = accepted().on("2026-09-01").when(leave());
    let late = late.with("enrolment.left", &json!({ "fee_owed": true }));
    assert_eq!(late.then(["enrolment.left"]).phase(), "left");
}

#[test]
fn the_end_of_the_year_finishes_who_attends_and_releases_who_waits() {
    let end = || Own::Finish { ended_on: day("2027-06-30") };
    let attending = accepted()
        .on("2026-09-14")
        .when(Own::StartAttendance { started_on: day("2026-09-14") })
        .then(["enrolment.attendance_started"])
        .on("2027-07-01")
        .when(end())
        .then(["enrolment.finished"]);
    assert_eq!(attending.phase(), "year_finished");
    let waited = waiting().on("2027-07-01").when(end()).then(["enrolment.finished"]);
    assert_eq!(waited.phase(), "unplaced");
}

#[test]
fn twins_and_siblings_are_linked() {
    let mut form = form();
    form.twins = vec![pratica_domain::ids::CaseId(Uuid::from_u128(8))];
    nothing_yet().on(APPLIED).when(file(call_view(), form, &[])).then([
        "case.opened",
        "case.party_added",
        "case.party_added",
        "enrolment.filed",
        "case.linked",
    ]);
}
