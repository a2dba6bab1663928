//! A real town's history served over gRPC beside the demonstration's town, which stays as it was.

use pratica_api::demo::{Town, Who};
use pratica_api::grpc::auth::ServerKey;
use pratica_domain::Role;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kill::Running;

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/logs");
const OFFICER: Who = Who("bouwkundige", Role::Head);

fn pratica(data: &Path, arguments: &[&str]) -> Value {
    let done = Command::new(env!("CARGO_BIN_EXE_pratica"))
        .args(["--format", "json"])
        .env("PRATICA_MASTER_KEY_FROM", "demo")
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

fn bytes(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(&path).unwrap())
    };
    files.map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_real_logs_are_served_beside_the_demonstrations_town() {
    let logs = [("BPIC15_1.xes.gz", "nl-bpic15"), ("receipt.xes.gz", "nl-receipt")];
    let files = logs.map(|(name, _)| Path::new(LOGS).join(name));
    if let Some(missing) = files.iter().find(|f| !f.is_file()) {
        eprintln!("SKIPPED: {} is missing", missing.display());
        return;
    }
    let data = tempfile::tempdir().unwrap();
    pratica(data.path(), &["demo", "--stop"]);
    let collina = bytes(&data.path().join("collina"));
    for (file, (_, mapping)) in files.iter().zip(logs) {
        let file = file.to_str().unwrap();
        let import = ["import", "xes", file, "--mapping", mapping, "--comune", "olanda"];
        pratica(data.path(), &import);
    }
    let rebuilt = pratica(data.path(), &["rebuild", "--comune", "olanda"]);
    let again = pratica(data.path(), &["rebuild", "--comune", "olanda"]);
    assert_eq!(rebuilt, again, "a rebuild gives the same views by digest");
    assert_eq!(bytes(&data.path().join("collina")), collina, "the other town is untouched");

    let server = Running::start_over(data.path(), &["olanda", "collina"], "2015-09-01T08:00:00Z");
    let key = ServerKey::open(data.path()).unwrap();
    let mut town = Town::new("olanda", &server.url, key);
    let method = "pratica.statistics.v1.StatisticsService/GetStatistics";
    let answer = town.call(OFFICER, method, json!({})).await.unwrap();
    let rows = answer["rows"].as_array().unwrap();
    let sum = |field: &str| rows.iter().map(|r| r[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("open") + sum("closed"), 1_199 + 1_434, "every case is counted once");
    assert!(sum("closed") > 2_000);

    let mut cases = 0;
    let mut request = json!({ "page_size": 200 });
    let mut longest = (0, Value::Null);
    loop {
        let method = "pratica.cases.v1.CasesService/ListCases";
        let page = town.call(OFFICER, method, request).await.unwrap();
        for case in page["cases"].as_array().unwrap() {
            cases += 1;
            let events = case["etag"].as_str().unwrap().parse::<u64>().unwrap();
            if events > longest.0 {
                longest = (events, case["case_id"].clone());
            }
        }
        match page["next_page_token"].as_str().unwrap() {
            "" => break,
            token => request = json!({ "page_size": 200, "page_token": token }),
        }
    }
    assert_eq!(cases, 1_199 + 1_434);

    let method = "pratica.cases.v1.CasesService/GetTimeline";
    let one = json!({ "case_id": longest.1, "page_size": 200 });
    let timeline = town.call(OFFICER, method, one).await.unwrap();
    let entries = timeline["entries"].as_array().unwrap();
    assert_eq!(entries.len() as u64, longest.0 + 1, "every event has its line");
    let spans = |e: &Value| e["occur_time"].as_str().unwrap().to_owned();
    assert!(*spans(&entries[0]) < *"2016", "with its own date");

    let method = "pratica.worklist.v1.WorklistService/ListWorklist";
    let open = json!({ "query": { "office": "edilizia" }, "page_size": 200 });
    let worklist = town.call(OFFICER, method, open).await.unwrap();
    assert!(!worklist["cases"].as_array().unwrap().is_empty());
    server.kill();
}
