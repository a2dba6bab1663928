//! School calls under many hands at once: the last hour of a window, offers answered at the same
//! instant, a process that begins again.

use jiff::civil::date;
use pratica_api::cli::Failure;
use pratica_api::demo::{SCHOOL_OFFICER, SEED, Town, Who, family_form, publish_call};
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

type Test = anyhow::Result<()>;

const CALLS: &str = "pratica.enrolment.v1.CallService";
const FILE: &str = "pratica.enrolment.v1.EnrolmentService/FileApplication";
const HEAD: Who = Who("direttore", Role::Head);
const CLIENTS: usize = 20;
const EACH: usize = 5;

/// A town with a call whose window is open.
async fn open_window() -> anyhow::Result<(Server, Town, String)> {
    let server = Server::start_with(&[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town();
    town.day(date(2026, 2, 2)).await.map_err(fault)?;
    let call = publish_call(&mut town, Uuid::from_u128(1)).await.map_err(fault)?;
    town.clock_to("2026-03-31T21:00:00Z").await.map_err(fault)?;
    Ok((server, town, call))
}

/// Every client files its share, each application sent twice, as an impatient browser does.
async fn crowd(server: &Server, call: &str, order: &[usize]) -> anyhow::Result<BTreeSet<String>> {
    let mut clients = Vec::new();
    for share in order.chunks(EACH) {
        let (mut town, call, share) = (server.town(), call.to_owned(), share.to_vec());
        clients.push(tokio::spawn(async move {
            let mut cases = Vec::new();
            for n in share {
                for _ in 0..2 {
                    let mut form = family_form(&call, n);
                    form["request_id"] = json!(Uuid::from_u128(1_000 + n as u128));
                    let answer = town.call(SCHOOL_OFFICER, FILE, form).await?;
                    cases.push(answer["outcome"]["case_id"].to_string());
                }
            }
            Ok::<_, Failure>(cases)
        }));
    }
    let mut all = BTreeSet::new();
    for client in clients {
        all.extend(client.await?.map_err(fault)?);
    }
    Ok(all)
}

/// Admits and scores everything, draws the lots, publishes; answers the hash.
async fn ranked(server: &Server, town: &mut Town, call: &str) -> anyhow::Result<String> {
    town.day(date(2026, 4, 8)).await.map_err(fault)?;
    let list = json!({ "page_size": 500, "min_position": server.head().await? });
    let cases = "pratica.cases.v1.CasesService/ListCases";
    let listed = town.call(SCHOOL_OFFICER, cases, list).await.map_err(fault)?;
    for case in listed["cases"].as_array().into_iter().flatten() {
        let id = case["case_id"].as_str().unwrap_or_default();
        town.act(SCHOOL_OFFICER, id, "enrolment.admit", json!({})).await.map_err(fault)?;
        town.act(SCHOOL_OFFICER, id, "enrolment.score", json!({})).await.map_err(fault)?;
    }
    town.act_on_call(HEAD, call, "RevealSeed", json!({ "seed": SEED })).await.map_err(fault)?;
    town.act_on_call(HEAD, call, "PublishProvisionalRanking", json!({})).await.map_err(fault)?;
    Ok(town.export(call, "provisional").await.map_err(fault)?.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_hour_of_a_window_loses_none_doubles_none_and_its_order_makes_no_difference()
-> Test {
    let order: Vec<usize> = (0..CLIENTS * EACH).collect();
    let backwards: Vec<usize> = order.iter().rev().copied().collect();
    let mut hashes = BTreeSet::new();
    for order in [order, backwards] {
        let (server, mut town, call) = open_window().await?;
        let cases = crowd(&server, &call, &order).await?;
        assert_eq!(cases.len(), CLIENTS * EACH, "none lost, none doubled");
        let head = server.head().await?;
        let request = json!({ "min_position": head });
        let calls = town.call(SCHOOL_OFFICER, &format!("{CALLS}/ListCalls"), request).await;
        assert_eq!(calls.map_err(fault)?["calls"][0]["applications"], json!(CLIENTS * EACH));
        hashes.insert(ranked(&server, &mut town, &call).await?);
        server.stop().await?;
    }
    assert_eq!(hashes.len(), 1, "two servers, two orders of filing, one ranking to the byte");
    Ok(())
}

/// Every open offer of a call: the family, its case, the offer.
async fn open_offers(town: &mut Town, call: &str) -> anyhow::Result<Vec<(String, String)>> {
    let request = json!({ "call_id": call });
    let found =
        town.call(SCHOOL_OFFICER, &format!("{CALLS}/ListOffers"), request).await.map_err(fault)?;
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let offers = found["offers"].as_array().cloned().unwrap_or_default();
    Ok(offers.iter().map(|o| (text(&o["application"]), text(&o["offer_id"]))).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn offers_answered_at_the_same_instant_never_give_a_place_twice() -> Test {
    let (server, mut town, call) = open_window().await?;
    let order: Vec<usize> = (0..CLIENTS * EACH).collect();
    crowd(&server, &call, &order).await?;
    ranked(&server, &mut town, &call).await?;
    town.day(date(2026, 6, 3)).await.map_err(fault)?;
    town.act_on_call(HEAD, &call, "StartOffers", json!({})).await.map_err(fault)?;
    for day in [4, 5, 6] {
        town.day(date(2026, 6, day)).await.map_err(fault)?;
        let mut answering = Vec::new();
        for (n, (case, offer)) in open_offers(&mut town, &call).await?.into_iter().enumerate() {
            let mut town = server.town();
            answering.push(tokio::spawn(async move {
                let (command, content) = if n.is_multiple_of(3) {
                    ("enrolment.accept", json!({ "offer_id": offer, "deposit_receipt": "IUV" }))
                } else {
                    ("enrolment.renounce", json!({ "offer_id": offer }))
                };
                town.act(SCHOOL_OFFICER, &case, command, content).await
            }));
        }
        assert!(!answering.is_empty(), "places scrolled by the {day}th");
        for answered in answering {
            let answered = answered.await?;
            if answered.is_err() {
                // A family with two offers answered both at once: one of them was first.
                let why = reason(answered);
                let known = ["ETAG_MISMATCH", "WRONG_PHASE", "OFFER_NOT_OPEN"];
                assert!(known.contains(&why.as_str()), "{why}");
            }
        }
    }
    town.day(date(2026, 6, 7)).await.map_err(fault)?;
    let (mut taken, mut renounced) = (0, 0);
    for list in town.places(&call).await.map_err(fault)? {
        let n = |field: &str| list[field].as_u64().unwrap_or_default();
        assert!(n("taken") + n("offered") <= n("places"), "{list}");
        taken += n("taken");
        renounced += n("renounced");
    }
    assert!(taken > 20 && renounced > 40, "{taken} taken, {renounced} renounced");
    let offers = open_offers(&mut town, &call).await?;
    let distinct: BTreeSet<_> = offers.iter().map(|(_, offer)| offer).collect();
    assert_eq!(distinct.len(), offers.len());
    let before = server.head().await?;
    // Everything is delivered again from the beginning: nothing is recorded twice.
    let server = server.restart(&[COMUNE], "2026-06-07T09:00:00Z").await?;
    assert_eq!(server.head().await?, before);
    server.stop().await
}
