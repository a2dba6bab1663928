//! The building permit over the wire, through the manual clock.

use jiff::civil::date;
use pratica_api::demo::{DECIDER, SURVEYOR, application, play_building};
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::{Value, json};

type Test = anyhow::Result<()>;

/// The demonstration checks each of its branches itself: additions, silence, refusal, conference,
/// lapse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_building_office_plays_through_every_branch() -> Test {
    let server = Server::start_with(&[COMUNE], "2027-01-11T07:00:00Z").await?;
    let mut town = server.town();
    let mut told = Vec::new();
    play_building(&mut town, &mut |line| told.push(line.to_owned())).await.map_err(fault)?;
    assert_eq!(told.len(), 11, "{told:#?}");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filing_is_answered_with_the_terms_and_the_effect_of_silence() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut form = application("Ada", "Abati", "a house");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let method = "pratica.permit.v1.PermitService/FilePermit";
    let answer = town.call(SURVEYOR, method, form).await.map_err(fault)?;
    let receipt = &answer["outcome"]["receipt"];
    assert_eq!(receipt["number"]["text"], "0000001/2026");
    let silence = receipt["silence_text"].as_str().unwrap_or_default();
    assert!(silence.contains("2026-06-01"), "ninety days and a Sunday: {silence}");
    server.stop().await
}

async fn permit(town: &mut pratica_api::demo::Town, case: &str) -> anyhow::Result<Value> {
    let method = "pratica.permit.v1.PermitService/GetPermit";
    let answer = town.call(SURVEYOR, method, json!({ "case_id": case })).await.map_err(fault)?;
    Ok(answer["permit"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_grants_at_the_legal_instant_though_the_machine_was_off() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let form = application("Ada", "Abati", "a house");
    let case = town.open(SURVEYOR, "permit.file", form).await.map_err(fault)?;
    let view = permit(&mut town, &case).await?;
    assert_eq!(view["silence_would_grant"], true);
    assert_eq!(view["silence_date"], json!({ "year": 2026, "month": 6, "day": 1 }));
    // Off from 2 March to 20 August.
    let server = server.restart(&[COMUNE], "2026-08-20T09:00:00Z").await?;
    let mut town = server.town();
    let detail = town.case(SURVEYOR, &case).await.map_err(fault)?;
    assert_eq!(detail["summary"]["phase"], "granted_by_silence");
    assert_eq!(detail["summary"]["close_date"], json!({ "year": 2026, "month": 6, "day": 2 }));
    let view = permit(&mut town, &case).await?;
    assert_eq!(view["title"]["by_silence"], true);
    assert_eq!(view["suap_status"], "ended_by_proceeding_time_expired");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn constrained_property_never_gets_a_silent_title_and_the_substitute_takes_over() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut form = application("Ada", "Abati", "a house");
    form["form"]["constraints"] = json!(["CONSTRAINT_CULTURAL"]);
    let case = town.open(SURVEYOR, "permit.file", form).await.map_err(fault)?;
    assert_eq!(permit(&mut town, &case).await?["silence_would_grant"], false);
    let early = json!({ "substitute": "segretario" });
    let early = town.act(DECIDER, &case, "permit.invoke_substitute", early).await;
    assert_eq!(reason(early), "TERM_NOT_EXPIRED");
    town.day(date(2026, 6, 3)).await.map_err(fault)?;
    let detail = town.case(SURVEYOR, &case).await.map_err(fault)?;
    assert_eq!(detail["summary"]["phase"], "under_review");
    let bare = town.act(DECIDER, &case, "permit.issue", json!({})).await;
    assert_eq!(reason(bare), "AUTHORISATIONS_MISSING");
    let substitute = json!({ "on_request": true, "substitute": "segretario" });
    town.act(DECIDER, &case, "permit.invoke_substitute", substitute).await.map_err(fault)?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worklist_of_the_office_is_in_the_order_of_filing() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut filed = Vec::new();
    for (day, name) in [(2, "Abati"), (3, "Bruni"), (4, "Cervi")] {
        town.day(date(2026, 3, day)).await.map_err(fault)?;
        let form = application("Ada", name, "a house");
        filed.push(town.open(SURVEYOR, "permit.file", form).await.map_err(fault)?);
    }
    // By due date the first would come last: its terms are interrupted.
    let request = json!({
        "text": "the geological report", "send_date": { "year": 2026, "month": 3, "day": 4 },
        "answer_within": { "count": 30, "unit": "TERM_UNIT_DAYS" },
    });
    town.act(SURVEYOR, &filed[0], "permit.request_additions", request).await.map_err(fault)?;
    let method = "pratica.worklist.v1.WorklistService/ListWorklist";
    let ask = json!({ "query": { "order": "WORKLIST_ORDER_FILING" } });
    let answer = town.call(SURVEYOR, method, ask).await.map_err(fault)?;
    let cases = answer["cases"].as_array().cloned().unwrap_or_default();
    let order: Vec<_> = cases.iter().filter_map(|c| c["case_id"].as_str()).collect();
    assert_eq!(order, filed, "art. 20 c. 2: examined in the order of filing");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_done_with_a_permit_is_answered_with_the_reason_why_not() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let form = application("Ada", "Abati", "a house");
    let case = town.open(SURVEYOR, "permit.file", form).await.map_err(fault)?;
    let method = "pratica.cases.v1.CasesService/GetAvailableActions";
    let ask = json!({ "case_id": case, "language": "en" });
    let answer = town.call(DECIDER, method, ask).await.map_err(fault)?;
    let actions = answer["actions"].as_array().cloned().unwrap_or_default();
    let of = |name: &str| {
        let found = actions.iter().find(|a| a["command"] == name).cloned();
        found.unwrap_or_else(|| panic!("{name} is not listed"))
    };
    assert_eq!(of("permit.request_additions")["available"], true);
    assert_eq!(of("permit.issue")["reason"], "NO_PROPOSAL");
    assert_eq!(of("permit.start_works")["reason"], "WRONG_PHASE");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_that_breaks_a_rule_is_named_at_once() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let form = json!({
        "request_id": uuid::Uuid::new_v4(), "kind": 99, "channel": "CHANNEL_COUNTER",
        "form": { "applicant": { "fiscal_code": "no" }, "constraints": [7] },
    });
    let method = "pratica.permit.v1.PermitService/FilePermit";
    let answer = town.call(SURVEYOR, method, form).await;
    let fields = pratica_tests::violations(answer);
    for field in [
        "kind",
        "form.applicant.family_name",
        "form.applicant.fiscal_code",
        "form.constraints[0]",
        "form.address",
    ] {
        assert!(fields.iter().any(|f| f == field), "{field} is missing in {fields:?}");
    }
    server.stop().await
}
