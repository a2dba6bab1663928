//! Lists, worklist, bulk, register, statistics, history on both axes, rebuild.

use jiff::civil::date;
use pratica_api::demo::{OFFICER, Town, Who, declaration};
use pratica_domain::Role;
use pratica_tests::{Server, fault, reason, violations};
use serde_json::{Value, json};

type Test = anyhow::Result<()>;

const WORKLIST: &str = "pratica.worklist.v1.WorklistService";

async fn filed(town: &mut Town, many: usize) -> anyhow::Result<Vec<String>> {
    let mut cases = Vec::new();
    for n in 0..many {
        let form = declaration("Anna", &format!("Rossi{n}"), "CHANGE_OF_DWELLING");
        cases.push(town.file(OFFICER, form).await.map_err(fault)?);
    }
    Ok(cases)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_assignment_answers_for_each_case_by_itself() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let cases = filed(&mut town, 3).await?;
    town.act(OFFICER, &cases[1], "case.withdraw", json!({})).await.map_err(fault)?;
    let nobody = uuid::Uuid::new_v4().to_string();
    let request = json!({
        "request_id": uuid::Uuid::new_v4(), "office": "anagrafe", "officer": "bruno",
        "case_ids": [cases[0], cases[1], nobody, cases[2]], "reason": "holidays",
    });
    let method = format!("{WORKLIST}/BulkAssign");
    let mut dry = request.clone();
    dry["validate_only"] = json!(true);
    let preview = town.call(OFFICER, &method, dry).await.map_err(fault)?;
    let before = server.head().await?;
    let results = |answer: &Value| -> Vec<(bool, String)> {
        answer["results"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|r| (r["done"] == true, r["reason"].as_str().unwrap_or_default().to_owned()))
            .collect()
    };
    let expected = vec![
        (true, String::new()),
        (false, "CASE_CLOSED".to_owned()),
        (false, "NOT_FOUND".to_owned()),
        (true, String::new()),
    ];
    assert_eq!(results(&preview), expected);
    let done = town.call(OFFICER, &method, request.clone()).await.map_err(fault)?;
    assert_eq!(results(&done), expected);
    assert_eq!(server.head().await?, before + 2);
    town.call(OFFICER, &method, request).await.map_err(fault)?;
    assert_eq!(server.head().await?, before + 2, "the same request assigns once");

    let bruno = Who("bruno", Role::Officer);
    let mine = json!({ "query": { "queue": "QUEUE_MINE" }, "min_position": before + 2 });
    let list = town.call(bruno, &format!("{WORKLIST}/ListWorklist"), mine).await.map_err(fault)?;
    assert_eq!(list["cases"].as_array().map(Vec::len), Some(2));
    let counts = json!({ "min_position": before + 2 });
    let counts =
        town.call(bruno, &format!("{WORKLIST}/CountWorklist"), counts).await.map_err(fault)?;
    assert_eq!(counts["counts"]["open"], 2);
    assert_eq!(counts["counts"]["mine"], 2);
    assert_eq!(counts["counts"]["unassigned"], 0);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_view_shows_what_the_live_query_shows() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let cases = filed(&mut town, 4).await?;
    town.act(OFFICER, &cases[0], "residency.register", json!({})).await.map_err(fault)?;
    let head = server.head().await?;
    let query = json!({ "queue": "QUEUE_OFFICE", "phase": "declared", "due_within_days": 3 });
    let save = json!({ "name": "urgent", "query": query });
    town.call(OFFICER, &format!("{WORKLIST}/SaveView"), save).await.map_err(fault)?;
    let list = format!("{WORKLIST}/ListWorklist");
    let live = town
        .call(OFFICER, &list, json!({ "query": query, "min_position": head }))
        .await
        .map_err(fault)?;
    let saved = town.call(OFFICER, &list, json!({ "view_name": "urgent" })).await.map_err(fault)?;
    assert_eq!(live["cases"].as_array().map(Vec::len), Some(3));
    assert_eq!(saved["cases"], live["cases"]);
    let other = Who("bruno", Role::Officer);
    let theirs = town.call(other, &list, json!({ "view_name": "urgent" })).await;
    assert_eq!(reason(theirs), "NOT_FOUND", "a view is its owner's");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_show_each_case_once_while_cases_are_added() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let mut expected = filed(&mut town, 7).await?;
    let method = "pratica.cases.v1.CasesService/ListCases";
    let mut seen: Vec<String> = Vec::new();
    let mut request = json!({ "page_size": 2, "min_position": server.head().await? });
    loop {
        let page = town.call(OFFICER, method, request).await.map_err(fault)?;
        let ids = page["cases"].as_array().into_iter().flatten();
        seen.extend(ids.filter_map(|c| c["case_id"].as_str().map(str::to_owned)));
        let token = page["next_page_token"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
        // Newest first: what comes now is before the first page.
        filed(&mut town, 1).await?;
        request = json!({ "page_size": 2, "page_token": token });
    }
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_shown_as_it_counted_and_as_it_was_known_on_a_day() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = filed(&mut town, 1).await?.remove(0);
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    town.day(date(2026, 4, 10)).await.map_err(fault)?;
    let notice = json!({ "reasons": ["nobody found"], "mode": "DELIVERY_MODE_REGISTERED_LETTER" });
    town.act(OFFICER, &case, "case.send_notice", notice).await.map_err(fault)?;
    // Received on the 14th; the card came back, and was recorded, on the 28th.
    town.day(date(2026, 4, 28)).await.map_err(fault)?;
    let receipt = json!({
        "receive_date": { "year": 2026, "month": 4, "day": 14 },
        "mode": "DELIVERY_MODE_REGISTERED_LETTER",
    });
    town.act(OFFICER, &case, "case.record_notice_receipt", receipt).await.map_err(fault)?;

    let mut as_of = async |effective: Option<i8>, known: Option<i8>| -> anyhow::Result<Value> {
        let day = |d: i8| json!({ "year": 2026, "month": 4, "day": d });
        let mut request = json!({ "case_id": case });
        if let Some(d) = effective {
            request["effective_date"] = day(d);
        }
        if let Some(d) = known {
            request["known_date"] = day(d);
        }
        let method = "pratica.history.v1.HistoryService/GetCaseAsOf";
        let answer = town.call(OFFICER, method, request).await.map_err(fault)?;
        Ok(answer["case"]["summary"]["phase"].clone())
    };
    assert_eq!(as_of(None, Some(5)).await?, "under_check");
    assert_eq!(as_of(None, Some(20)).await?, "notice_pending", "as the comune knew on the 20th");
    assert_eq!(as_of(Some(20), None).await?, "observation_window", "as it was on the 20th");
    assert_eq!(as_of(Some(12), None).await?, "notice_pending");
    assert_eq!(as_of(Some(20), Some(20)).await?, "notice_pending");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_rebuilt_while_the_town_works_are_the_same_by_digest() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let cases = filed(&mut town, 5).await?;
    for case in &cases {
        town.act(OFFICER, case, "residency.register", json!({})).await.map_err(fault)?;
    }
    let open = server.house.all().next().map(|o| std::sync::Arc::clone(&o.town));
    let Some(open) = open else { anyhow::bail!("no comune") };
    open.wait_for_views(pratica_store::Position::new(server.head().await?)).await?;
    let before = open.views.content_digest().await?.value.to_string();
    let admin = server.client(&Server::claims("admin", Role::Administrator)).await?;
    let mut last = Value::Null;
    let method = "pratica.admin.v1.AdminService/RebuildViews";
    let each = |message: Value| {
        last = message;
        Ok(true)
    };
    admin.stream(method, json!({ "comune": "collina" }), each).await.map_err(fault)?;
    assert_eq!(last["done"], true);
    assert_eq!(last["content_digest"], json!(before));
    // The new file serves, and follows.
    filed(&mut town, 1).await?;
    let list = json!({ "min_position": server.head().await? });
    let list =
        town.call(OFFICER, "pratica.cases.v1.CasesService/ListCases", list).await.map_err(fault)?;
    assert_eq!(list["cases"].as_array().map(Vec::len), Some(6));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_register_annuls_and_keeps_closes_days_and_recovers_the_emergency() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    filed(&mut town, 2).await?;
    let desk = Who("protocollo", Role::Registrar);
    let method = |name: &str| format!("pratica.register.v1.RegisterService/{name}");
    let id = || json!(uuid::Uuid::new_v4());
    let document = json!({ "kind": "letter", "media_type": "application/pdf",
                           "sha256": "ab".repeat(32) });
    let letter = json!({
        "request_id": id(), "direction": "DIRECTION_INCOMING", "correspondent": "Regione",
        "object": "circular", "document": document,
    });
    let registered =
        town.call(desk, &method("RegisterDocument"), letter.clone()).await.map_err(fault)?;
    assert_eq!(registered["number"]["text"], "0000003/2026");
    let again = town.call(desk, &method("RegisterDocument"), letter).await.map_err(fault)?;
    assert_eq!(again["number"], registered["number"], "a retry has the same number");

    let annul = json!({ "request_id": id(), "number": "0000003/2026", "reason": "twice" });
    let refused = town.call(desk, &method("AnnulRegistration"), annul.clone()).await;
    assert_eq!(reason(refused), "AUTHORISATION_MISSING");
    let mut annul = annul;
    annul["authorisation"] = json!("act 12/2026");
    annul["request_id"] = id();
    town.call(desk, &method("AnnulRegistration"), annul).await.map_err(fault)?;
    let one = json!({ "number": "0000003/2026", "min_position": server.head().await? });
    let one = town.call(desk, &method("GetRegistration"), one).await.map_err(fault)?;
    assert_eq!(one["registration"]["object"], "circular", "annulled, and readable");
    assert_eq!(one["registration"]["annulment"]["authorisation"], "act 12/2026");

    let day = json!({ "request_id": id(), "day_date": { "year": 2026, "month": 3, "day": 2 } });
    let early = town.call(desk, &method("CloseDay"), day.clone()).await;
    assert_eq!(reason(early), "DAY_NOT_OVER");
    town.day(date(2026, 3, 3)).await.map_err(fault)?;
    let closed = town.call(desk, &method("CloseDay"), day).await.map_err(fault)?;
    assert_eq!(
        (closed["first_number"].as_u64(), closed["last_number"].as_u64()),
        (Some(1), Some(3))
    );
    assert_eq!(closed["sha256"].as_str().map(str::len), Some(64));

    let power = json!({ "request_id": id(), "reason": "no power; head of office" });
    town.call(desk, &method("OpenEmergency"), power).await.map_err(fault)?;
    let recovered = json!({ "request_id": id(), "entries": [{
        "emergency_number": 1, "direction": "DIRECTION_INCOMING", "correspondent": "Bianchi",
        "object": "request", "document": document,
        "filing_date": { "year": 2026, "month": 3, "day": 2 },
    }]});
    let numbers =
        town.call(desk, &method("CloseEmergency"), recovered.clone()).await.map_err(fault)?;
    assert_eq!(numbers["recovered"][0]["number"]["text"], "0000004/2026");
    let again = town.call(desk, &method("CloseEmergency"), recovered).await.map_err(fault)?;
    assert_eq!(again["recovered"], numbers["recovered"]);
    let one = json!({ "number": "0000004/2026", "min_position": server.head().await? });
    let one = town.call(desk, &method("GetRegistration"), one).await.map_err(fault)?;
    assert_eq!(one["registration"]["emergency_number"], 1, "both numbers are kept");
    assert_eq!(one["registration"]["filing_date"]["day"], 2);
    let clerk = Who("carla", Role::Clerk);
    let denied = town.call(clerk, &method("OpenEmergency"), json!({ "request_id": id() })).await;
    assert_eq!(reason(denied), "PERMISSION_DENIED");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_closed_in_order_and_an_emergency_may_last_over_new_year() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    filed(&mut town, 1).await?;
    let desk = Who("protocollo", Role::Registrar);
    let method = |name: &str| format!("pratica.register.v1.RegisterService/{name}");
    let id = || json!(uuid::Uuid::new_v4());
    let close = |month, day| json!({ "request_id": id(), "day_date": { "year": 2026, "month": month, "day": day } });
    town.day(date(2026, 12, 31)).await.map_err(fault)?;
    let skipped = town.call(desk, &method("CloseDay"), close(3, 3)).await;
    assert_eq!(reason(skipped), "EARLIER_DAY_OPEN");
    town.call(desk, &method("CloseDay"), close(3, 2)).await.map_err(fault)?;
    town.call(desk, &method("CloseDay"), close(3, 3)).await.map_err(fault)?;

    let power = json!({ "request_id": id(), "reason": "no power; head of office" });
    town.call(desk, &method("OpenEmergency"), power.clone()).await.map_err(fault)?;
    town.day(date(2027, 1, 2)).await.map_err(fault)?;
    let mut again = power;
    again["request_id"] = id();
    let open = town.call(desk, &method("OpenEmergency"), again).await;
    assert_eq!(reason(open), "EMERGENCY_ALREADY_OPEN");
    let recovered = json!({ "request_id": id(), "entries": [{
        "emergency_number": 1, "direction": "DIRECTION_INCOMING", "correspondent": "Bianchi",
        "object": "request", "document": { "kind": "letter", "media_type": "application/pdf",
        "sha256": "ab".repeat(32) }, "filing_date": { "year": 2026, "month": 12, "day": 31 },
    }]});
    let first =
        town.call(desk, &method("CloseEmergency"), recovered.clone()).await.map_err(fault)?;
    assert_eq!(first["recovered"][0]["number"]["year"], 2027);
    let retry = town.call(desk, &method("CloseEmergency"), recovered).await.map_err(fault)?;
    assert_eq!(retry["recovered"], first["recovered"]);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_only_moves_forward_and_only_for_who_administers_all() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let back = town.clock_to("2020-01-01T00:00:00Z").await;
    assert_eq!(violations(back), ["to_time"]);
    let mut claims = Server::claims("admin", Role::Administrator);
    claims.comuni = vec!["collina".to_owned()];
    let local = server.client(&claims).await?;
    let method = "pratica.admin.v1.AdminService/AdvanceClock";
    let denied = local.call(method, json!({ "to_time": "2027-01-01T00:00:00Z" })).await;
    assert_eq!(reason(denied), "PERMISSION_DENIED");
    server.stop().await
}
