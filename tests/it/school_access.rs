//! Who may see and do what with a school call, and what a ranking shows.

use jiff::civil::date;
use pratica_api::demo::{SCHOOL_CLERK, SCHOOL_OFFICER, SEED, Town, Who, family_form, publish_call};
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault, reason, violations};
use serde_json::json;
use uuid::Uuid;

type Test = anyhow::Result<()>;

const CALLS: &str = "pratica.enrolment.v1.CallService";
const HEAD: Who = Who("direttore", Role::Head);
const CLERK: Who = SCHOOL_CLERK;
const ONE: Who = Who("family01", Role::Citizen);
const TWO: Who = Who("family02", Role::Citizen);

async fn with_two_families() -> anyhow::Result<(Server, Town, String, Vec<String>)> {
    let server = Server::start_with(&[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town();
    town.day(date(2026, 2, 2)).await.map_err(fault)?;
    let call = publish_call(&mut town, Uuid::from_u128(1)).await.map_err(fault)?;
    town.day(date(2026, 3, 2)).await.map_err(fault)?;
    let mut cases = Vec::new();
    for (who, n) in [(ONE, 1), (TWO, 2)] {
        cases.push(town.apply(who, family_form(&call, n)).await.map_err(fault)?);
    }
    Ok((server, town, call, cases))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_family_sees_its_own_application_and_does_no_act_of_the_office() -> Test {
    let (server, mut town, call, cases) = with_two_families().await?;
    town.position(ONE, &cases[0]).await.map_err(fault)?;
    assert_eq!(reason(town.position(ONE, &cases[1]).await), "PERMISSION_DENIED");
    assert_eq!(reason(town.position(ONE, &Uuid::nil().to_string()).await), "PERMISSION_DENIED");
    for command in ["enrolment.admit", "enrolment.score", "enrolment.exclude"] {
        let answer = town.act(ONE, &cases[0], command, json!({})).await;
        assert!(["PERMISSION_DENIED", "INVALID_ARGUMENT"].contains(&reason(answer).as_str()));
    }
    let fields = json!({ "ground": "EXCLUSION_GROUND_DUPLICATE", "reasons": "x",
                         "appeal": { "authority": "TAR", "term_days": 60 } });
    let excluded = town.act(CLERK, &cases[0], "enrolment.exclude", fields).await;
    assert_eq!(reason(excluded), "PERMISSION_DENIED", "a clerk excludes nobody");
    let offers = town.call(ONE, &format!("{CALLS}/ListOffers"), json!({ "call_id": call })).await;
    assert_eq!(reason(offers), "PERMISSION_DENIED");
    let ranking = town.act_on_call(CLERK, &call, "PublishProvisionalRanking", json!({})).await;
    assert_eq!(reason(ranking), "PERMISSION_DENIED", "the acts are the officers'");
    let missing = town.apply(ONE, json!({ "call_id": call })).await;
    assert_eq!(violations(missing), ["applicant", "child"], "every field at once");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_or_a_public_draw_that_cannot_be_one_is_refused_by_its_field() -> Test {
    let (server, mut town, call, _) = with_two_families().await?;
    town.day(date(2026, 4, 8)).await.map_err(fault)?;
    for (seed, draw, fields) in [
        (SEED, "17 of Wednesday", vec!["public_draw"]),
        (SEED, "-", vec!["public_draw"]),
        ("an acorn", "", vec!["seed"]),
        ("", "città", vec!["seed", "public_draw"]),
    ] {
        let reveal = json!({ "seed": seed, "public_draw": draw });
        let answer = town.act_on_call(HEAD, &call, "RevealSeed", reveal).await;
        assert_eq!(violations(answer), fields, "{seed:?} and {draw:?}");
    }
    // What could be one is judged by the rules.
    let other = json!({ "seed": "another", "public_draw": "17-42" });
    let answer = town.act_on_call(HEAD, &call, "RevealSeed", other).await;
    assert_eq!(reason(answer), "SEED_MISMATCH");
    let right = json!({ "seed": SEED, "public_draw": "17-42" });
    town.act_on_call(HEAD, &call, "RevealSeed", right).await.map_err(fault)?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_the_offices_own_until_it_is_published() -> Test {
    let server = Server::start_with(&[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town();
    let plan = json!({ "title": "Nidi", "school_year": 2026,
        "open_date": { "year": 2026, "month": 3, "day": 2 },
        "close_date": { "year": 2026, "month": 3, "day": 31 },
        "end_date": { "year": 2027, "month": 6, "day": 30 },
        "schools": [{ "school": "centro", "bands": [{ "band": "divezzi", "places": 3 }] }],
        "shipped_criteria": "pavullo" });
    let request = json!({ "request_id": Uuid::new_v4(), "plan": plan });
    let drafted = town.call(CLERK, &format!("{CALLS}/DraftCall"), request).await.map_err(fault)?;
    let call = drafted["outcome"]["call_id"].as_str().unwrap_or_default().to_owned();
    let read = json!({ "call_id": call });
    let hidden = town.call(ONE, &format!("{CALLS}/GetCall"), read.clone()).await;
    assert_eq!(reason(hidden), "NOT_FOUND");
    let listed = town.call(ONE, &format!("{CALLS}/ListCalls"), json!({})).await.map_err(fault)?;
    assert_eq!(listed["calls"], json!([]));
    let early = town.apply(ONE, family_form(&call, 1)).await;
    assert_eq!(violations(early), ["call_id"]);
    // Its criteria come back as text that can be sent again.
    let found = town.call(CLERK, &format!("{CALLS}/GetCall"), read).await.map_err(fault)?;
    let mut again = found["plan"].clone();
    again["title"] = json!("Nidi, seconda stesura");
    let revised = town.act_on_call(CLERK, &call, "ReviseCall", json!({ "plan": again })).await;
    assert_eq!(revised.map_err(fault)?["outcome"]["events"][0]["type"], "call.revised");
    let publish =
        found["actions"].as_array().into_iter().flatten().find(|a| a["command"] == "call.publish");
    assert_eq!(publish.map(|a| a["allowed"].clone()), Some(json!(true)));
    let start = found["actions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|a| a["command"] == "call.start_offers");
    assert_eq!(start.map(|a| a["reason"].clone()), Some(json!("WRONG_PHASE")));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ranking_shows_numbers_and_no_name_income_or_birth() -> Test {
    let (server, mut town, call, cases) = with_two_families().await?;
    let isee = json!({ "isee_cents": 1_234_567, "protocol": "INPS-ISEE-2026-0001",
                       "valid_until_date": { "year": 2026, "month": 12, "day": 31 } });
    town.act(CLERK, &cases[0], "enrolment.record_isee", isee).await.map_err(fault)?;
    town.day(date(2026, 4, 8)).await.map_err(fault)?;
    for case in &cases {
        town.act(SCHOOL_OFFICER, case, "enrolment.admit", json!({})).await.map_err(fault)?;
        town.act(SCHOOL_OFFICER, case, "enrolment.score", json!({})).await.map_err(fault)?;
    }
    town.act_on_call(HEAD, &call, "RevealSeed", json!({ "seed": SEED })).await.map_err(fault)?;
    town.act_on_call(HEAD, &call, "PublishProvisionalRanking", json!({})).await.map_err(fault)?;
    let (text, _) = town.export(&call, "provisional").await.map_err(fault)?;
    for secret in ["Famiglia", "Nino", "1234567", "2024", "INPS"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let list = text.lines().find_map(|l| l.strip_prefix("rank ")).and_then(|l| l.split(' ').next());
    let head = server.head().await?;
    let page = json!({ "call_id": call, "stage": "provisional", "list": list,
                       "page_size": 1, "min_position": head });
    let method = format!("{CALLS}/GetRanking");
    let first = town.call(ONE, &method, page.clone()).await.map_err(fault)?;
    assert_eq!(first["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(first["rows"][0]["rank"], 1);
    // A token of one list is refused by another.
    if let Some(token) = first["next_page_token"].as_str().filter(|t| !t.is_empty()) {
        let mut other = page;
        other["list"] = json!("other/unica");
        other["page_token"] = json!(token);
        assert_eq!(violations(town.call(ONE, &method, other).await), ["page_token"]);
    }
    let own = town.position(ONE, &cases[0]).await.map_err(fault)?;
    assert!(own["positions"][0]["reason"].as_str().is_some_and(|r| !r.is_empty()));
    server.stop().await
}
