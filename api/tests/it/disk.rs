//! A disk that fills up under a working server, and one that may not be written.

use crate::kill::{COMUNE, FILE, Running, Sent, check, file_until_gone, town};
use pratica_api::demo::{OFFICER, declaration};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Room for the first files and some hundred filings; the write-ahead logs reach it first.
const ROOM_KIB: u32 = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_commands_answers_reads_and_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = Running::start_with_room(data.path(), ROOM_KIB);
    let sent: Sent = Arc::default();
    let mut clients = Vec::new();
    for c in 0..3 {
        let client = town(&server, data.path()).client(OFFICER.0, OFFICER.1).await.unwrap();
        clients.push(tokio::spawn(file_until_gone(
            client,
            Arc::clone(&sent),
            format!("Rossi{c}x"),
        )));
    }
    // Each ends with its first refusal.
    for client in clients {
        client.await.unwrap();
    }
    let mut people = town(&server, data.path());
    let mut form = declaration("Anna", "Verdi", "CHANGE_OF_DWELLING");
    form["request_id"] = json!(uuid::Uuid::new_v4().to_string());
    form["comune"] = json!(COMUNE);
    let refused = format!("{:?}", people.call(OFFICER, FILE, form.clone()).await.unwrap_err());
    assert!(refused.contains("Unavailable"), "the client may come back: {refused}");
    let cases = people
        .call(OFFICER, "pratica.cases.v1.CasesService/ListCases", json!({ "comune": COMUNE }))
        .await
        .unwrap();
    let case = cases["cases"][0]["case_id"].as_str().expect("reads go on").to_owned();
    people.case(OFFICER, &case).await.expect("a case can be read");
    server.kill();

    // There is room again: what was acknowledged is there once, what was not is asked again.
    let server = Running::start(data.path());
    let mut people = town(&server, data.path());
    let mut answered: BTreeMap<String, String> = BTreeMap::new();
    let number = |answer: &serde_json::Value| {
        answer["outcome"]["receipt"]["number"]["text"].as_str().unwrap().to_owned()
    };
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    assert!(sent.values().filter(|(_, number)| number.is_some()).count() > 20);
    for (id, (form, known)) in sent {
        let known = match known {
            Some(known) => known,
            None => number(&people.call(OFFICER, FILE, form).await.unwrap()),
        };
        answered.insert(id, known);
    }
    let id = form["request_id"].as_str().unwrap().to_owned();
    answered.insert(id, number(&people.call(OFFICER, FILE, form).await.unwrap()));
    check(&mut people, &answered).await;
    server.kill();
}

/// What the server says that does not start.
fn refused(data: &Path) -> String {
    let mut server = Command::new(env!("CARGO_BIN_EXE_pratica"))
        .args(["serve", "--own-tokens", "--listen", "127.0.0.1:0", "--comune", COMUNE])
        .arg("--data")
        .arg(data)
        .env("PRATICA_MASTER_KEY_FROM", "demo")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
    // One that serves all the same is not waited for.
    let _ = server.kill();
    let done = server.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(address.is_empty(), "it serves: {said}");
    assert_eq!(done.status.code(), Some(1), "{said}");
    said
}

#[test]
fn what_is_no_log_is_refused_by_name_and_left_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().join(COMUNE);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("log.db"), [0xa5; 8192]).unwrap();
    let said = refused(data.path());
    for word in [COMUNE, "log.db", "restore a backup", "not a database"] {
        assert!(said.contains(word), "{word} in {said}");
    }
    assert_eq!(std::fs::read(directory.join("log.db")).unwrap(), [0xa5; 8192], "left as it was");
}

/// A server answers, and ends by itself: no file has anything left to be folded in.
async fn serves(data: &Path) {
    let server = Running::start(data);
    let list = "pratica.cases.v1.CasesService/ListCases";
    town(&server, data).call(OFFICER, list, json!({ "comune": COMUNE })).await.unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_used_is_named_with_what_helps_and_left_as_it_was() {
    let data = tempfile::tempdir().unwrap();
    serves(data.path()).await;
    let files = [
        ("keys.db", "restore a backup"),
        ("access.db", "restore the record from a backup"),
        ("evidence.db", "it is made again from the log"),
    ];
    for (file, helps) in files {
        let file = data.path().join(COMUNE).join(file);
        let whole = std::fs::read(&file).unwrap();
        let mut damaged = whole.clone();
        damaged[..100].fill(0xa5);
        std::fs::write(&file, &damaged).unwrap();
        let said = refused(data.path());
        for word in [&*file.display().to_string(), helps, "not a database"] {
            assert!(said.contains(word), "{word} in {said}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), damaged, "left as it was");
        std::fs::write(&file, &whole).unwrap();
    }
    // What may not be opened is none of them damaged: not even the views are made again.
    let others = [("log.db", "restore a backup"), ("views.db", "it is made again from the log")];
    for (file, helps) in files.into_iter().chain(others) {
        let file = data.path().join(COMUNE).join(file);
        let aside = file.with_extension("aside");
        std::fs::rename(&file, &aside).unwrap();
        std::fs::create_dir(&file).unwrap();
        let said = refused(data.path());
        for word in [&*file.display().to_string(), helps, "may this user read and write it?"] {
            assert!(said.contains(word), "{word} in {said}");
        }
        std::fs::remove_dir(&file).unwrap();
        std::fs::rename(&aside, &file).unwrap();
    }
    // The cause is gone.
    serves(data.path()).await;
}
