//! Two at once: one wins, the other is told; the same twice is once.

use pratica_api::demo::{OFFICER, Town, declaration};
use pratica_tests::{Server, fault, reason};
use serde_json::{Value, json};
use std::collections::BTreeSet;

type Test = anyhow::Result<()>;

async fn registered(town: &mut Town) -> anyhow::Result<String> {
    let form = declaration("Chiara", "Conti", "FROM_OTHER_COMUNE");
    let case = town.file(OFFICER, form).await.map_err(fault)?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    Ok(case)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_clerks_who_decide_at_once_one_wins_and_the_other_is_told_by_what() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    for _ in 0..10 {
        let case = registered(&mut town).await?;
        let etag = town.case(OFFICER, &case).await.map_err(fault)?["summary"]["etag"].clone();
        let decide = |account: &'static str, case: String, etag: Value| {
            let mut town = server.town();
            async move {
                let who = pratica_api::demo::Who(account, pratica_domain::Role::Officer);
                town.act_at(who, &case, "residency.confirm", json!({}), etag).await
            }
        };
        let (one, other) = tokio::join!(
            tokio::spawn(decide("anna", case.clone(), etag.clone())),
            tokio::spawn(decide("bruno", case.clone(), etag.clone())),
        );
        let (won, lost) = match (one?, other?) {
            (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
            both => anyhow::bail!("exactly one must win: {both:?}"),
        };
        assert_eq!(won["outcome"]["phase"], "confirmed");
        let text = format!("{lost:?}");
        assert_eq!(reason::<Value>(Err(lost)), "ETAG_MISMATCH");
        assert!(text.contains("residency.confirmed"), "the loser learns what won: {text}");
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_filing_sent_eight_times_at_once_is_one_case_and_one_number() -> Test {
    let server = Server::start().await?;
    let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let mut sent = Vec::new();
    for _ in 0..8 {
        let (mut town, form) = (server.town(), form.clone());
        sent.push(tokio::spawn(async move {
            town.call(OFFICER, "pratica.residency.v1.ResidencyService/FileDeclaration", form).await
        }));
    }
    let mut seen = BTreeSet::new();
    for one in sent {
        let answer = one.await?.map_err(fault)?;
        seen.insert((
            answer["outcome"]["case_id"].to_string(),
            answer["outcome"]["receipt"]["number"]["text"].to_string(),
        ));
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    let mut town = server.town();
    let method = "pratica.register.v1.RegisterService/ListRegistrations";
    let register = town.call(OFFICER, method, json!({})).await.map_err(fault)?;
    assert_eq!(register["registrations"].as_array().map(Vec::len), Some(1));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn filings_from_many_clients_at_once_leave_a_register_without_gaps() -> Test {
    let server = Server::start().await?;
    let mut filing = Vec::new();
    for client in 0..8 {
        let mut town = server.town();
        filing.push(tokio::spawn(async move {
            for _ in 0..5 {
                let form = declaration("Anna", &format!("Rossi{client}"), "CHANGE_OF_DWELLING");
                town.file(OFFICER, form).await?;
            }
            Ok::<_, pratica_api::cli::Failure>(())
        }));
    }
    for one in filing {
        one.await?.map_err(fault)?;
    }
    let mut town = server.town();
    let head = server.head().await?;
    let method = "pratica.register.v1.RegisterService/ListRegistrations";
    let all = json!({ "page_size": 200, "min_position": head });
    let register = town.call(OFFICER, method, all).await.map_err(fault)?;
    let numbers: Vec<u64> = register["registrations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|r| r["number"]["number"].as_u64())
        .collect();
    let expected: Vec<u64> = (1..=40).rev().collect();
    assert_eq!(numbers, expected);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_used_for_another_request_is_refused() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let method = "pratica.residency.v1.ResidencyService/FileDeclaration";
    town.call(OFFICER, method, form.clone()).await.map_err(fault)?;
    form["form"]["address"]["street"] = json!("Via dei Colli 8");
    let other = town.call(OFFICER, method, form).await;
    assert_eq!(reason(other), "REQUEST_ID_REUSED");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_is_answered_as_the_first_time_though_the_case_went_on() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = registered(&mut town).await?;
    let detail = town.case(OFFICER, &case).await.map_err(fault)?;
    let request = json!({
        "case_id": case, "etag": detail["summary"]["etag"], "request_id": uuid::Uuid::new_v4(),
        "text": "looked at the file",
    });
    let method = "pratica.cases.v1.CaseworkService/AddNote";
    let first = town.call(OFFICER, method, request.clone()).await.map_err(fault)?;
    town.act(OFFICER, &case, "residency.confirm", json!({})).await.map_err(fault)?;
    let again = town.call(OFFICER, method, request).await.map_err(fault)?;
    assert_eq!(again["outcome"]["replayed"], true);
    assert_eq!(again["outcome"]["etag"], first["outcome"]["etag"]);
    assert_eq!(again["outcome"]["phase"], "under_check");
    assert_eq!(again["outcome"]["events"], first["outcome"]["events"]);
    server.stop().await
}
