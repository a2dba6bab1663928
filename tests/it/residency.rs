//! The residency change over the wire, through the manual clock.

use jiff::civil::date;
use pratica_api::demo::{OFFICER, declaration, play};
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::json;

type Test = anyhow::Result<()>;

/// The demonstration checks each of its branches itself, the silent and the contested among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_the_town_plays_through_every_branch() -> Test {
    let server = Server::start_with(&[COMUNE], "2026-03-02T07:00:00Z").await?;
    let mut town = server.town();
    let mut told = Vec::new();
    play(&mut town, &mut |line| told.push(line.to_owned())).await.map_err(fault)?;
    assert_eq!(told.len(), 13, "{told:#?}");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filing_is_answered_with_number_terms_and_the_effect_of_silence() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let method = "pratica.residency.v1.ResidencyService/FileDeclaration";
    let answer = town.call(OFFICER, method, form).await.map_err(fault)?;
    let receipt = &answer["outcome"]["receipt"];
    assert_eq!(receipt["number"]["text"], "0000001/2026");
    assert_eq!(receipt["filing_date"], json!({ "year": 2026, "month": 3, "day": 2 }));
    let due: Vec<_> = receipt["terms"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|t| (t["term"].clone(), t["due_date"]["month"].clone(), t["due_date"]["day"].clone()))
        .collect();
    assert_eq!(
        due,
        [
            (json!("residency.registration"), json!(3), json!(4)),
            (json!("residency.checks"), json!(4), json!(16)),
        ]
    );
    let silence = receipt["silence_text"].as_str().unwrap_or_default();
    assert!(silence.contains("2026-04-16"), "{silence}");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_confirms_at_the_legal_instant_though_the_machine_was_off() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Berta", "Bianchi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    // Off from 2 March to 20 June; the term ended on 16 April.
    let server = server.restart(&[COMUNE], "2026-06-20T09:00:00Z").await?;
    let mut town = server.town();
    let detail = town.case(OFFICER, &case).await.map_err(fault)?;
    assert_eq!(detail["summary"]["phase"], "confirmed_by_silence");
    assert_eq!(detail["summary"]["close_date"], json!({ "year": 2026, "month": 4, "day": 17 }));
    let method = "pratica.cases.v1.CasesService/GetTimeline";
    let timeline = town.call(OFFICER, method, json!({ "case_id": case })).await.map_err(fault)?;
    let entries = timeline["entries"].as_array().cloned().unwrap_or_default();
    let silence = entries.iter().find(|e| e["event_type"] == "residency.confirmed_by_silence");
    let silence = silence.cloned().unwrap_or_default();
    assert_eq!(silence["occur_time"], "2026-04-16T22:00:00Z", "midnight in Rome after the 16th");
    assert_eq!(silence["record_time"], "2026-06-20T09:00:00Z", "when the machine knew");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_on_the_last_day_stops_silence_and_one_on_the_day_after_is_refused() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut cases = Vec::new();
    for name in ["Conti", "Donati"] {
        let form = declaration("Chiara", name, "FROM_OTHER_COMUNE");
        let case = town.file(OFFICER, form).await.map_err(fault)?;
        town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
        cases.push(case);
    }
    let notice = json!({ "reasons": ["nobody found"], "mode": "DELIVERY_MODE_PEC" });
    town.day(date(2026, 4, 16)).await.map_err(fault)?;
    let sent = town.act(OFFICER, &cases[0], "case.send_notice", notice.clone()).await;
    assert_eq!(sent.map_err(fault)?["outcome"]["phase"], "notice_pending");
    town.day(date(2026, 4, 17)).await.map_err(fault)?;
    let late = town.act(OFFICER, &cases[1], "case.send_notice", notice).await;
    assert_eq!(reason(late), "CASE_CLOSED", "silence formed at midnight");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_what_would_happen_and_records_nothing() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Dora", "Donati", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let before = server.head().await?;
    let dry = json!({ "validate_only": true });
    let answer = town.act(OFFICER, &case, "residency.register", dry).await.map_err(fault)?;
    assert_eq!(answer["outcome"]["phase"], "under_check");
    assert_eq!(answer["outcome"]["events"][0]["type"], "residency.registered");
    let detail = town.case(OFFICER, &case).await.map_err(fault)?;
    assert_eq!(detail["summary"]["phase"], "declared");
    assert_eq!(server.head().await?, before);
    server.stop().await
}
