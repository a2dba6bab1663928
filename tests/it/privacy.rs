//! The record of access: every read by staff is there, no name is, and who may see it.

use pratica_api::demo::{OFFICER, Who, declaration};
use pratica_domain::Role;
use pratica_tests::{Server, fault, reason};
use serde_json::{Value, json};

type Test = anyhow::Result<()>;

const LIST: &str = "pratica.privacy.v1.PrivacyService/ListAccesses";
const DPO: Who = Who("garante", Role::ProtectionOfficer);
const ROSSI: Who = Who("citizen.rossi", Role::Citizen);
const CASES: &str = "pratica.cases.v1.CasesService";

fn entries(answer: &Value) -> Vec<Value> {
    answer["accesses"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read_by_staff_is_recorded_with_its_right_and_every_search_without_its_text() -> Test
{
    let server = Server::start().await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    let other = declaration("Berta", "Bianchi", "CHANGE_OF_DWELLING");
    let other = town.file(OFFICER, other).await.map_err(fault)?;
    let head = server.head().await?;
    let reads = [
        ("GetCase", json!({ "case_id": case })),
        ("GetTimeline", json!({ "case_id": case, "min_position": head })),
        ("ListCorrespondence", json!({ "case_id": case })),
        ("ListCases", json!({ "min_position": head })),
        ("SearchCases", json!({ "query": "Rossi", "min_position": head })),
    ];
    for (method, asked) in &reads {
        town.call(OFFICER, &format!("{CASES}/{method}"), asked.clone()).await.map_err(fault)?;
    }
    // What a citizen reads of their own, and what is refused, is no access by staff.
    town.case(ROSSI, &case).await.map_err(fault)?;
    let asked = json!({ "case_id": case });
    let found = entries(&town.call(DPO, LIST, asked).await.map_err(fault)?);
    let methods: Vec<&str> = found.iter().rev().filter_map(|e| e["method"].as_str()).collect();
    let expected: Vec<String> = reads.iter().map(|(m, _)| format!("{CASES}/{m}")).collect();
    assert_eq!(methods, expected);
    for entry in &found {
        assert_eq!((&entry["account"], &entry["role"]), (&json!("anna"), &json!("officer")));
        assert_eq!(entry["access_right"], "own_office");
        assert!(!entry.to_string().contains("Rossi"), "{entry}");
    }
    let of_other = town.call(DPO, LIST, json!({ "case_id": other })).await.map_err(fault)?;
    assert_eq!(entries(&of_other).len(), 1, "it was in one list");
    // The officer may ask who searched for somebody without the record holding the name.
    for (text, times) in [("Rossi", 1), ("rossi", 1), ("Bianchi", 0)] {
        let answer = town.call(DPO, LIST, json!({ "searched_for": text })).await;
        assert_eq!(entries(&answer.map_err(fault)?).len(), times, "{text}");
    }
    let paged = town.call(DPO, LIST, json!({ "page_size": 2 })).await.map_err(fault)?;
    let last = entries(&paged)[1]["id"].clone();
    let next = json!({ "page_size": 500, "before_id": last });
    let next = entries(&town.call(DPO, LIST, next).await.map_err(fault)?);
    assert_eq!(next.len(), found.len() - 2);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_citizen_sees_who_read_their_case_by_role_and_nobody_elses() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    town.case(OFFICER, &case).await.map_err(fault)?;
    let own = town.call(ROSSI, LIST, json!({ "case_id": case })).await.map_err(fault)?;
    let own = entries(&own);
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0]["role"], &own[0]["account"]), (&json!("officer"), &json!("")));
    let stranger = Who("citizen.other", Role::Citizen);
    for asked in [json!({ "case_id": case }), json!({ "case_id": uuid::Uuid::new_v4() })] {
        assert_eq!(reason(town.call(stranger, LIST, asked).await), "PERMISSION_DENIED");
    }
    for who in [OFFICER, Who("x", Role::Head), Who("x", Role::Analyst), Who("x", Role::Service)] {
        let answer = town.call(who, LIST, json!({ "case_id": case })).await;
        assert_eq!(reason(answer), "PERMISSION_DENIED", "{:?}", who.1);
    }
    // Who watches the watchers reads no case.
    assert_eq!(reason(town.case(DPO, &case).await), "PERMISSION_DENIED");
    server.stop().await
}
