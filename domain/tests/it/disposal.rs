//! The end of a case's papers.

use pratica_domain::case::Command as Common;
use pratica_domain::{RejectionCode as Code, all_actions, available_actions};

use crate::given::officer;
use crate::scenarios::*;

#[test]
fn an_erased_case_takes_nothing_whatever_is_asked() {
    for case in [erasure_authorised(), erased()] {
        for action in all_actions().filter(|a| a.command != "case.record_erasure") {
            let command = sample(action.command, &case);
            match case.ask(&command) {
                Err(refusal) => assert_eq!(refusal.code, Code::CaseErased, "{}", action.command),
                // What stands already is said to stand.
                Ok(events) => assert_eq!(events, [], "{}", action.command),
            }
        }
        let open = available_actions(&case.case, &case.context());
        assert!(
            open.iter().all(|a| a.refusal.as_ref().is_some_and(|r| r.code == Code::CaseErased))
        );
    }
}

#[test]
fn a_legal_hold_takes_a_standing_proposal_with_it() {
    let case = erasure_proposed();
    let hold = sample("case.place_hold", &case);
    let case = case.when(hold).then(["case.hold_placed"]).by(officer("bruno"));
    let authorise = sample("case.authorise_erasure", &case);
    let case = case.when(authorise).rejected(Code::NoErasureProposed);
    let case = case.when(Common::ProposeErasure).rejected(Code::LegalHold);
    let lift = sample("case.lift_hold", &case);
    let case = case.when(lift).then(["case.hold_lifted"]);
    case.when(Common::ProposeErasure).then(["case.erasure_proposed"]);
}

#[test]
fn a_reopened_case_is_not_erased_and_keeps_its_time_anew() {
    let case = restored().on("2066-04-28").by(officer("dora"));
    let case = case.when(Common::ProposeErasure).then(["case.erasure_proposed"]);
    let reopen = sample("case.reopen", &case);
    let case = case.by(officer("bruno")).when(reopen).then(["case.reopened"]);
    let authorise = sample("case.authorise_erasure", &case);
    case.when(authorise)
        .rejected(Code::NoErasureProposed)
        .when(Common::ProposeErasure)
        .rejected(Code::CaseNotClosed);
}

#[test]
fn the_proposal_says_by_which_class_and_until_when_the_case_was_kept() {
    long_ended()
        .when(Common::ProposeErasure)
        .with(
            "case.erasure_proposed",
            &serde_json::json!({
                "ended_on": "2026-03-20", "kept_until": "2066-03-20",
                "class": "XI.2 Anagrafe: pratiche migratorie", "rules_version": "italy-2026",
            }),
        )
        .then(["case.erasure_proposed"]);
}
