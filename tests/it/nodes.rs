//! Several nodes over one log: commands anywhere, one that leads, and a kill in the middle of it.

use jiff::SignedDuration;
use pratica_api::app::Clock as _;
use pratica_api::demo::{OFFICER, Town, declaration};
use pratica_api::grpc::auth::ServerKey;
use pratica_store::testing::conformance::read_everything;
use pratica_store::{Position, RecordedEvent};
use pratica_tests::endpoint::LogServer;
use pratica_tests::node::{Node, Shared};
use pratica_tests::{COMUNE, fault, reason};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

type Test = anyhow::Result<()>;

const CLIENTS: usize = 64;
const EACH: usize = 2;
const FILE: &str = "pratica.residency.v1.ResidencyService/FileDeclaration";
/// More than a lease lasts.
const OVER: SignedDuration = SignedDuration::from_secs(400);

/// Waits for what others bring about; the test's own time limit is the suite's.
async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Files a case at any node that answers; the same request until one does. Answers the case and
/// its protocol number.
async fn file(
    nodes: &Mutex<Vec<(String, String)>>,
    key: &ServerKey,
    number: usize,
    acknowledged: &AtomicUsize,
) -> anyhow::Result<(String, String)> {
    let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let mut last = String::new();
    for attempt in 0..40 {
        let url = {
            let nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner);
            nodes[(number + attempt) % nodes.len()].1.clone()
        };
        let mut town = Town::new(COMUNE, &url, key.clone());
        match town.call(OFFICER, FILE, form.clone()).await {
            Ok(answer) => {
                let outcome = &answer["outcome"];
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                acknowledged.fetch_add(1, Ordering::Relaxed);
                return Ok((
                    text(&outcome["case_id"]),
                    text(&outcome["receipt"]["number"]["text"]),
                ));
            }
            Err(failure) => last = format!("{failure:?}"),
        }
    }
    anyhow::bail!("nobody answers: {last}")
}

async fn head(node: &Node) -> anyhow::Result<Position> {
    let open = node.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    Ok(open.town.log.head().await?)
}

/// The digest of a node's views, once they hold everything up to a position.
async fn views(node: &Node, at: Position) -> anyhow::Result<String> {
    let open = node.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    open.town.wait_for_views(at).await?;
    let digest = open.town.views.content_digest().await?;
    assert_eq!(digest.position, at);
    Ok(digest.value.to_string())
}

/// The log up to the newest of the nodes' heads, which is the same at all of them, as are the views.
async fn one_history<'a>(
    nodes: impl IntoIterator<Item = &'a Node> + Clone,
) -> anyhow::Result<Vec<RecordedEvent>> {
    let mut at = Position::START;
    for node in nodes.clone() {
        at = at.max(head(node).await?);
    }
    let (mut digests, mut logs) = (BTreeSet::new(), Vec::new());
    for node in nodes {
        let open = node.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
        open.town.log.watch_head().wait_for(|head| *head >= at).await?;
        digests.insert(views(node, at).await?);
        logs.push(read_everything(&*open.town.log, 500).await);
    }
    assert_eq!(digests.len(), 1, "the views of all nodes are the same: {digests:?}");
    let log = logs.pop().ok_or_else(|| anyhow::anyhow!("no nodes"))?;
    assert!(logs.iter().all(|other| *other == log), "and so are the logs");
    Ok(log)
}

#[test]
fn the_leader_of_three_nodes_is_killed_while_64_clients_file_and_nothing_is_lost_or_doubled() -> Test
{
    let root = tempfile::tempdir()?;
    let outer = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = outer.block_on(LogServer::bare(root.path(), &[COMUNE]))?;
    let shared = Shared::new(root.path(), &log)?;
    let mut nodes = Vec::new();
    for name in ["one", "two", "three"] {
        nodes.push((name, shared.start(name)?));
    }
    outer.block_on(until(|| nodes.iter().any(|(_, node)| node.leads())));
    assert_eq!(nodes.iter().filter(|(_, node)| node.leads()).count(), 1);

    let reached: Vec<_> =
        nodes.iter().map(|(name, node)| ((*name).to_owned(), node.url.clone())).collect();
    let reached = Arc::new(Mutex::new(reached));
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let filing: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (nodes, acknowledged) = (Arc::clone(&reached), Arc::clone(&acknowledged));
            let key = shared.key.clone();
            outer.spawn(async move {
                let mut filed = Vec::new();
                for n in 0..EACH {
                    filed.push(file(&nodes, &key, client + n, &acknowledged).await?);
                }
                anyhow::Ok(filed)
            })
        })
        .collect();

    // In the middle of it the one that leads goes, as by a power cut; later its lease is over.
    outer.block_on(until(|| acknowledged.load(Ordering::Relaxed) >= CLIENTS / 2));
    let leader = nodes.iter().position(|(_, node)| node.leads());
    let (killed, node) = nodes.remove(leader.ok_or_else(|| anyhow::anyhow!("nobody leads"))?);
    node.kill();
    reached.lock().unwrap_or_else(PoisonError::into_inner).retain(|(name, _)| name != killed);
    shared.clock.advance_to(shared.clock.now() + OVER);

    let filed = outer.block_on(async {
        let mut filed = Vec::new();
        for one in filing {
            filed.extend(one.await??);
        }
        anyhow::Ok(filed)
    })?;
    let cases: BTreeSet<_> = filed.iter().map(|(case, _)| case).collect();
    let numbers: BTreeSet<_> = filed.iter().map(|(_, number)| number.clone()).collect();
    assert_eq!((cases.len(), numbers.len()), (CLIENTS * EACH, CLIENTS * EACH));
    let expected: BTreeSet<_> = (1..=CLIENTS * EACH).map(|n| format!("{n:07}/2026")).collect();
    assert_eq!(numbers, expected, "the register has no gap and no number twice");

    // The killed one comes back, with its copy of before, and is what the others are.
    nodes.push((killed, shared.start(killed)?));
    outer.block_on(async {
        let log = one_history(nodes.iter().map(|(_, node)| node)).await?;
        for (_, node) in &nodes {
            let mut town = node.town();
            let found = town.case(OFFICER, &filed[0].0).await.map_err(fault)?;
            assert_eq!(found["summary"]["case_id"], filed[0].0.as_str());
        }
        let filings = log.iter().filter(|e| &*e.event_type == "residency.declared");
        let streams: BTreeSet<_> = filings.map(|e| e.stream.clone()).collect();
        assert_eq!(streams.len(), CLIENTS * EACH, "each filed once");
        anyhow::Ok(())
    })?;
    for (_, node) in nodes {
        node.kill();
    }
    outer.block_on(log.stop())
}

#[test]
fn what_one_node_recorded_another_acts_on_with_its_etag_at_once() -> Test {
    let root = tempfile::tempdir()?;
    let outer = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = outer.block_on(LogServer::bare(root.path(), &[COMUNE]))?;
    let shared = Shared::new(root.path(), &log)?;
    let (one, two) = (shared.start("one")?, shared.start("two")?);
    outer.block_on(until(|| one.leads() || two.leads()));
    outer.block_on(async {
        let (mut here, mut there) = (one.town(), two.town());
        let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
        form["request_id"] = json!(uuid::Uuid::new_v4());
        let filed = here.call(OFFICER, FILE, form).await.map_err(fault)?;
        let case = filed["outcome"]["case_id"].as_str().unwrap_or_default().to_owned();
        let etag = filed["outcome"]["etag"].clone();
        let act = "residency.register";
        let acted = there.act_at(OFFICER, &case, act, json!({}), etag).await.map_err(fault)?;
        let position = acted["outcome"]["position"].clone();
        let etag = acted["outcome"]["etag"].clone();
        assert!(!etag.is_null() && !position.is_null(), "{acted}");
        // A query with the position that another node gave waits for it, and is not refused.
        let list = "pratica.cases.v1.CasesService/ListCases";
        let ahead = json!({ "min_position": position });
        let listed = here.call(OFFICER, list, ahead).await.map_err(fault)?;
        assert_eq!(listed["cases"][0]["case_id"], case.as_str(), "{listed}");
        assert!(listed["as_of_position"].as_u64() >= position.as_u64(), "{listed}");
        here.act_at(OFFICER, &case, "residency.confirm", json!({}), etag).await.map_err(fault)?;
        anyhow::Ok(())
    })?;
    one.kill();
    two.kill();
    outer.block_on(log.stop())
}

#[test]
fn the_same_filing_sent_to_two_nodes_at_once_is_one_case_with_one_number() -> Test {
    const FILINGS: usize = 12;
    let root = tempfile::tempdir()?;
    let outer = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = outer.block_on(LogServer::bare(root.path(), &[COMUNE]))?;
    let shared = Shared::new(root.path(), &log)?;
    let (one, two) = (shared.start("one")?, shared.start("two")?);
    outer.block_on(until(|| one.leads() || two.leads()));
    outer.block_on(async {
        let mut numbers = BTreeSet::new();
        for n in 0..FILINGS {
            let (mut here, mut there) = (one.town(), two.town());
            let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
            form["request_id"] = json!(uuid::Uuid::from_u128(n as u128 + 1));
            let (a, b) = tokio::join!(
                here.call(OFFICER, FILE, form.clone()),
                there.call(OFFICER, FILE, form.clone())
            );
            let (a, b) = (a.map_err(fault)?, b.map_err(fault)?);
            let (a, b) = (&a["outcome"], &b["outcome"]);
            assert_eq!((&a["case_id"], &a["receipt"]), (&b["case_id"], &b["receipt"]));
            numbers.insert(a["receipt"]["number"]["text"].to_string());
            // Not a retry: nothing of it is recorded, wherever it is sent.
            let mut other = form;
            other["form"]["title_details"] = json!("another");
            for town in [&mut here, &mut there] {
                assert_eq!(
                    reason(town.call(OFFICER, FILE, other.clone()).await),
                    "REQUEST_ID_REUSED"
                );
            }
        }
        assert_eq!(numbers.len(), FILINGS);
        let log = one_history([&one, &two]).await?;
        let filed = log.iter().filter(|e| &*e.event_type == "residency.declared").count();
        assert_eq!(filed, FILINGS, "each is recorded once");
        anyhow::Ok(())
    })?;
    one.kill();
    two.kill();
    outer.block_on(log.stop())
}

#[test]
fn a_node_that_stops_gives_its_lease_back_and_another_leads_though_no_time_passes() -> Test {
    let root = tempfile::tempdir()?;
    let outer = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = outer.block_on(LogServer::bare(root.path(), &[COMUNE]))?;
    let shared = Shared::new(root.path(), &log)?;
    let mut nodes = vec![shared.start("one")?, shared.start("two")?];
    let began = shared.clock.now();
    outer.block_on(until(|| nodes.iter().any(Node::leads)));
    let leader = nodes.iter().position(Node::leads).ok_or_else(|| anyhow::anyhow!("nobody"))?;
    let leader = nodes.remove(leader);
    outer.block_on(leader.house.stop());
    assert!(!leader.leads());
    outer.block_on(until(|| nodes[0].leads()));
    assert_eq!(shared.clock.now(), began);
    leader.kill();
    for node in nodes {
        node.kill();
    }
    outer.block_on(log.stop())
}

#[test]
fn a_node_that_is_cut_off_says_so_reads_and_refuses_commands_with_the_reason() -> Test {
    let root = tempfile::tempdir()?;
    let outer = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let log = outer.block_on(LogServer::bare(root.path(), &[COMUNE]))?;
    let shared = Shared::new(root.path(), &log)?;
    let node = shared.start("one")?;
    outer.block_on(until(|| node.leads()));
    outer.block_on(async {
        let mut town = node.town();
        let mut form = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
        form["request_id"] = json!(uuid::Uuid::new_v4());
        let filed = town.call(OFFICER, FILE, form.clone()).await.map_err(fault)?;
        let case = filed["outcome"]["case_id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(said(&node).await?, (ServingStatus::Serving, None));
        log.stop().await?;
        let open = node.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
        let cluster = open.town.cluster.clone().ok_or_else(|| anyhow::anyhow!("no cluster"))?;
        cluster.standing().wait_for(|s| !s.connected).await?;
        let mut health = said(&node).await?;
        while health.0 == ServingStatus::Serving {
            health = said(&node).await?;
        }
        let head = head(&node).await?;
        assert_eq!(health.1, Some(format!("{COMUNE}={}", head.get())), "every answer says it");
        let read = town.case(OFFICER, &case).await.map_err(fault)?;
        assert_eq!(read["summary"]["case_id"], case.as_str());
        let again = town.call(OFFICER, FILE, form.clone()).await.map_err(fault)?;
        assert_eq!(again["outcome"]["case_id"], case.as_str(), "what was answered is answered");
        form["request_id"] = json!(uuid::Uuid::new_v4());
        assert_eq!(reason(town.call(OFFICER, FILE, form).await), "CUT_OFF");
        anyhow::Ok(())
    })?;
    node.kill();
    Ok(())
}

/// What a node says of the comune's log: its health, and the header of the answer.
async fn said(node: &Node) -> anyhow::Result<(ServingStatus, Option<String>)> {
    let channel = tonic::transport::Channel::from_shared(node.url.clone())?.connect().await?;
    let request = HealthCheckRequest { service: COMUNE.to_owned() };
    let answer = HealthClient::new(channel).check(request).await?;
    let header = answer.metadata().get("pratica-behind").and_then(|h| h.to_str().ok());
    let header = header.map(str::to_owned);
    Ok((answer.get_ref().status(), header))
}
