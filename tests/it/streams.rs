//! Streams: watching, the feed of workflows, reading history; all resumable.

use pratica_api::cli::Failure;
use pratica_api::demo::{OFFICER, Who, declaration};
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault, reason};
use serde_json::{Value, json};

type Test = anyhow::Result<()>;

const WORKFLOW: Who = Who("documentale", Role::Service);
const FEED: &str = "pratica.feed.v1.FeedService/FollowFeed";

/// The feed after a cursor until it is caught up: events with their cursors.
async fn feed(server: &Server, after: &str) -> anyhow::Result<Vec<(Value, String)>> {
    let mut town = server.town();
    let client = town.client(WORKFLOW.0, WORKFLOW.1).await.map_err(fault)?;
    let mut events = Vec::new();
    let request = json!({ "comune": COMUNE, "after_cursor": after });
    let each = |message: Value| {
        let cursor = message["cursor"].as_str().unwrap_or_default().to_owned();
        if message["event"].is_object() {
            events.push((message["event"].clone(), cursor));
        }
        Ok(message["caught_up"] != true)
    };
    client.stream(FEED, request, each).await.map_err(fault)?;
    Ok(events)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_resumes_after_any_cursor_and_never_shows_what_is_internal() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    town.act(OFFICER, &case, "case.add_note", json!({ "text": "secret" })).await.map_err(fault)?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    let all = feed(&server, "").await?;
    let types: Vec<_> = all.iter().filter_map(|(e, _)| e["type"].as_str()).collect();
    assert_eq!(
        types,
        [
            "case.opened",
            "case.party_added",
            "residency.declared",
            "case.document_added",
            "case.document_registered",
            "residency.registered",
            "case.document_added",
            "case.document_registered",
        ]
    );
    let (numbered, _) = &all[4];
    assert_eq!(numbered["number"]["text"], "0000001/2026");
    assert_eq!(numbered["document_kind"], "declaration");
    let text = format!("{all:?}");
    assert!(!text.contains("secret") && !text.contains("Rossi"), "no personal data: {text}");
    for (index, (_, cursor)) in all.iter().enumerate() {
        let rest = feed(&server, cursor).await?;
        assert_eq!(rest, all[index + 1..], "after {cursor}");
    }
    let bad = town.client(WORKFLOW.0, WORKFLOW.1).await.map_err(fault)?;
    let request = json!({ "comune": COMUNE, "after_cursor": "yesterday" });
    let refused = bad.stream(FEED, request, |_| Ok(true)).await;
    assert_eq!(reason(refused), "INVALID_ARGUMENT");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_a_case_hears_of_every_change_and_its_position() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let watcher = town.client("bruno", Role::Officer).await.map_err(fault)?;
    let (caught_up, ready) = tokio::sync::oneshot::channel();
    let request = json!({ "comune": COMUNE, "case_id": case });
    let watching = tokio::spawn(async move {
        let mut phases: Vec<String> = Vec::new();
        let mut caught_up = Some(caught_up);
        let each = |message: Value| {
            if let Some(phase) = message["case"]["summary"]["phase"].as_str() {
                if phases.last().map(String::as_str) != Some(phase) {
                    phases.push(phase.to_owned());
                }
            } else if message["caught_up"] == true
                && let Some(sender) = caught_up.take()
            {
                let _ = sender.send(());
            }
            Ok(phases.last().map(String::as_str) != Some("confirmed"))
        };
        watcher.stream("pratica.cases.v1.CasesService/WatchCase", request, each).await?;
        Ok::<_, Failure>(phases)
    });
    ready.await?;
    town.act(OFFICER, &case, "residency.register", json!({})).await.map_err(fault)?;
    // Each change is waited for, so that none hides behind the next.
    town.call(
        OFFICER,
        "pratica.cases.v1.CasesService/ListCases",
        json!({ "min_position": server.head().await? }),
    )
    .await
    .map_err(fault)?;
    town.act(OFFICER, &case, "residency.confirm", json!({})).await.map_err(fault)?;
    let phases = watching.await?.map_err(fault)?;
    assert_eq!(phases.first().map(String::as_str), Some("declared"));
    assert_eq!(phases.last().map(String::as_str), Some("confirmed"));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_read_in_order_resumably_and_without_names_for_an_analyst() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    for name in ["Rossi", "Bianchi"] {
        let form = declaration("Anna", name, "CHANGE_OF_DWELLING");
        town.file(OFFICER, form).await.map_err(fault)?;
    }
    let analyst = town.client("analista", Role::Analyst).await.map_err(fault)?;
    let read = async |after: u64, limit: u64| -> anyhow::Result<Vec<Value>> {
        let request = json!({ "comune": COMUNE, "after_position": after, "limit": limit });
        let mut events = Vec::new();
        let each = |message: Value| {
            if message["event"].is_object() {
                events.push(message["event"].clone());
            }
            Ok(true)
        };
        let method = "pratica.history.v1.HistoryService/ReadEvents";
        analyst.stream(method, request, each).await.map_err(fault)?;
        Ok(events)
    };
    let all = read(0, 0).await?;
    let positions: Vec<u64> = all.iter().filter_map(|e| e["position"].as_u64()).collect();
    let head = server.head().await?;
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    let mut paged = Vec::new();
    while paged.len() < all.len() {
        let after = paged.last().and_then(|e: &Value| e["position"].as_u64()).unwrap_or(0);
        let page = read(after, 3).await?;
        assert!(!page.is_empty());
        paged.extend(page);
    }
    assert_eq!(paged, all);
    let text = format!("{all:?}");
    assert!(!text.contains("Rossi") && !text.contains("Bianchi"), "names are taken out");
    assert!(all.iter().all(|e| e["actor"] != "" && e["role"] != ""), "who did it is there");
    let clerk = town.client("carla", Role::Clerk).await.map_err(fault)?;
    let method = "pratica.history.v1.HistoryService/ReadEvents";
    let denied = clerk.stream(method, json!({ "comune": COMUNE }), |_| Ok(true)).await;
    assert_eq!(reason(denied), "PERMISSION_DENIED");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_stops_though_somebody_watches() -> Test {
    let server = Server::start().await?;
    let mut town = server.town();
    let case = town
        .file(OFFICER, declaration("Anna", "Rossi", "CHANGE_OF_DWELLING"))
        .await
        .map_err(fault)?;
    let watcher = town.client("bruno", Role::Officer).await.map_err(fault)?;
    let (seen, ready) = tokio::sync::oneshot::channel();
    let request = json!({ "comune": COMUNE, "case_id": case });
    let watching = tokio::spawn(async move {
        let mut seen = Some(seen);
        let each = |_| {
            if let Some(seen) = seen.take() {
                let _ = seen.send(());
            }
            Ok(true)
        };
        watcher.stream("pratica.cases.v1.CasesService/WatchCase", request, each).await
    });
    ready.await?;
    tokio::time::timeout(std::time::Duration::from_secs(20), server.stop()).await??;
    // The watcher is told, by an end or by an error; it does not hang.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(20), watching).await??;
    Ok(())
}
