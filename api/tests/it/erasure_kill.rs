//! Killed while erasures are carried out: each is finished once, nothing of the people is left, and
//! the log still verifies.

use crate::kill::{Running, town};
use pratica_api::demo::{OFFICER, Town, Who, declaration};
use pratica_domain::Role;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const LIST: &str = "pratica.privacy.v1.PrivacyService/ListErasures";
const DPO: Who = Who("garante", Role::ProtectionOfficer);
const HEAD: Who = Who("direttore", Role::Head);
const ADMIN: Who = Who("admin", Role::Administrator);
const CASES: usize = 12;
const LATER: &str = "2066-06-01T09:00:00Z";

async fn listed(town: &mut Town, stage: &str) -> Vec<Value> {
    let status = "pratica.admin.v1.AdminService/GetStatus";
    let head = town.call(ADMIN, status, json!({})).await.unwrap()["log_position"].clone();
    let asked = json!({ "stage": format!("ERASURE_STAGE_{stage}"), "min_position": head });
    town.call(DPO, LIST, asked).await.unwrap()["erasures"].as_array().unwrap().clone()
}

fn verify(data: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_pratica"))
        .args(["verify", "log", "--data"])
        .arg(data)
        .env("PRATICA_MASTER_KEY_FROM", "demo")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_keys_are_destroyed_leaves_each_erasure_done_once_and_a_log_that_verifies() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let mut people = town(&server, data.path());
    for n in 0..CASES {
        let form = declaration("Anna", &format!("Rossi{n}"), "CHANGE_OF_DWELLING");
        let case = people.file(OFFICER, form).await.unwrap();
        people.act(OFFICER, &case, "case.withdraw", json!({})).await.unwrap();
    }
    server.kill();
    let server = Running::start_over(data.path(), &["collina"], LATER);
    let mut people = town(&server, data.path());
    let due = listed(&mut people, "DUE").await;
    assert_eq!(due.len(), CASES);
    for row in &due {
        let (case, etag) = (row["case_id"].as_str().unwrap(), row["etag"].clone());
        people.act_at(HEAD, case, "case.propose_erasure", json!({}), etag).await.unwrap();
    }
    for row in listed(&mut people, "PROPOSED").await {
        let (case, etag) = (row["case_id"].as_str().unwrap(), row["etag"].clone());
        let act = json!({ "reference": "Prot. 1/2066" });
        people.act_at(DPO, case, "case.authorise_erasure", act, etag).await.unwrap();
    }
    // Acknowledged a moment ago: some are under way now.
    server.kill();
    let mut rounds = 0;
    loop {
        let server = Running::start_over(data.path(), &["collina"], LATER);
        let mut people = town(&server, data.path());
        let done = listed(&mut people, "ERASED").await.len();
        rounds += 1;
        // The first rounds are killed again, wherever they are; the last may finish.
        if done == CASES || rounds > 3 {
            while listed(&mut people, "ERASED").await.len() < CASES {
                tokio::task::yield_now().await;
            }
            server.kill();
            break;
        }
        server.kill();
    }
    verify(data.path());
    let server = Running::start_over(data.path(), &["collina"], LATER);
    let mut people = town(&server, data.path());
    let client = people.client(HEAD.0, HEAD.1).await.unwrap();
    let (mut erased, mut text) = (0, String::new());
    let read = json!({ "comune": "collina" });
    client
        .stream("pratica.history.v1.HistoryService/ReadEvents", read, |message| {
            erased += usize::from(message["event"]["type"] == "case.erased");
            text.push_str(&message.to_string());
            Ok(true)
        })
        .await
        .unwrap();
    assert_eq!(erased, CASES, "each once");
    assert!(!text.contains("Rossi"), "nobody's name is left");
    server.kill();
    verify(data.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_access_that_was_cut_off_says_so_and_one_that_was_closed_does_not() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start(data.path());
    let mut people = town(&server, data.path());
    let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
    let case = people.file(OFFICER, form).await.unwrap();
    people.case(OFFICER, &case).await.unwrap();
    let listed = "pratica.privacy.v1.PrivacyService/ListAccesses";
    people.call(DPO, listed, json!({})).await.unwrap();
    server.kill();
    let gaps = async |server: &Running| {
        let answer = town(server, data.path()).call(DPO, listed, json!({})).await.unwrap();
        let all = answer["accesses"].as_array().unwrap().clone();
        assert!(all.iter().any(|a| a["account"] == OFFICER.0), "what was written stays");
        let gap = |a: &Value| a["method"].as_str().unwrap().starts_with("accesses may be missing");
        all.into_iter().filter(gap).collect::<Vec<_>>()
    };
    let server = Running::start_over(data.path(), &["collina"], "2026-03-03T09:00:00Z");
    let found = gaps(&server).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let said = found[0]["detail"].as_str().unwrap();
    assert_eq!(said, "from 2026-03-02T09:00:00Z to 2026-03-03T09:00:00Z");
    server.stop();
    let server = Running::start_over(data.path(), &["collina"], "2026-03-04T09:00:00Z");
    assert_eq!(gaps(&server).await.len(), 1, "it ended by itself: nothing is missing");
    server.kill();
}
