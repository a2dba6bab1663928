//! Killed in the middle of filing: every acknowledged filing is there once, with one number, the
//! register has no gap, the log is what was signed, and the views are what the log says.
//!
//! `PRATICA_KILLS=N` kills N times: the soak of `docs/reliability.md`.

use pratica_api::cli::client::Client;
use pratica_api::demo::{OFFICER, Town, declaration};
use pratica_api::grpc::auth::ServerKey;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};

pub(crate) const COMUNE: &str = "collina";
pub(crate) const FILE: &str = "pratica.residency.v1.ResidencyService/FileDeclaration";

/// The real binary on a free port.
pub(crate) struct Running {
    child: Child,
    pub(crate) url: String,
}

impl Running {
    pub(crate) fn start(data: &Path) -> Running {
        Running::start_over(data, &[COMUNE], "2026-03-02T09:00:00Z")
    }

    /// Over these comuni, at this time.
    pub(crate) fn start_over(data: &Path, comuni: &[&str], at: &str) -> Running {
        Running::start_with(data, comuni, at, &[])
    }

    /// With further arguments.
    pub(crate) fn start_with(data: &Path, comuni: &[&str], at: &str, more: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pratica"));
        command.stderr(Stdio::null());
        Running::spawn(command, data, comuni, at, more)
    }

    /// With no room for files longer than so many KiB: as on a disk that fills up.
    pub(crate) fn start_with_room(data: &Path, kib: u32) -> Running {
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_pratica")).stderr(Stdio::null());
        Running::spawn(shell, data, &[COMUNE], "2026-03-02T09:00:00Z", &[])
    }

    pub(crate) fn spawn(
        mut command: Command,
        data: &Path,
        comuni: &[&str],
        at: &str,
        more: &[&str],
    ) -> Running {
        let mut child = command
            .args(["serve", "--own-tokens", "--listen", "127.0.0.1:0", "--manual-clock", at])
            .args(comuni.iter().flat_map(|c| ["--comune", *c]))
            .args(more)
            .arg("--data")
            .arg(data)
            .env("PRATICA_MASTER_KEY_FROM", "demo")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let scheme = if more.contains(&"--tls-cert") { "https" } else { "http" };
        Running { child, url: format!("{scheme}://{}", line.trim()) }
    }

    /// What it says of itself, where that was asked for.
    pub(crate) fn errors(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, and waits until it has ended by itself.
    pub(crate) fn stop(mut self) {
        let sent = Command::new("kill").arg(self.id().to_string()).status().unwrap();
        assert!(sent.success());
        assert!(self.child.wait().unwrap().success());
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that has ended needs none of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn town(server: &Running, data: &Path) -> Town {
    Town::new(COMUNE, &server.url, ServerKey::open(data).unwrap())
}

/// What was sent, by request id, and which of it was answered with which number.
pub(crate) type Sent = Arc<Mutex<BTreeMap<String, (Value, Option<String>)>>>;

/// Files until the server is gone, keeping what was sent and what was answered.
pub(crate) async fn file_until_gone(client: Client, sent: Sent, name: String) {
    for n in 0.. {
        let mut form = declaration("Anna", &format!("{name}{n}"), "CHANGE_OF_DWELLING");
        let id = uuid::Uuid::new_v4().to_string();
        form["request_id"] = json!(id);
        form["comune"] = json!(COMUNE);
        sent.lock().unwrap().insert(id.clone(), (form.clone(), None));
        let Ok(answer) = client.call(FILE, form).await else { return };
        let number = answer["outcome"]["receipt"]["number"]["text"].as_str().unwrap().to_owned();
        sent.lock().unwrap().insert(id, (Value::Null, Some(number)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_filing_leaves_each_number_once() {
    let data = tempfile::tempdir().unwrap();
    let mut answered: BTreeMap<String, String> = BTreeMap::new();
    let kills = std::env::var("PRATICA_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    for round in 0..kills {
        let server = Running::start(data.path());
        let sent: Sent = Arc::default();
        let mut clients = Vec::new();
        for c in 0..4 {
            let client = town(&server, data.path()).client(OFFICER.0, OFFICER.1).await.unwrap();
            let name = format!("Rossi{round}x{c}x");
            clients.push(tokio::spawn(file_until_gone(client, Arc::clone(&sent), name)));
        }
        // Killed while at least this many were answered and others are under way.
        let enough = 10 + round % 5 * 7;
        while sent.lock().unwrap().values().filter(|(_, n)| n.is_some()).count() < enough {
            tokio::task::yield_now().await;
        }
        server.kill();
        for client in clients {
            client.await.unwrap();
        }
        owns(&["verify", "log"], data.path());

        let server = Running::start(data.path());
        let mut town = town(&server, data.path());
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        for (id, (form, number)) in sent {
            match number {
                Some(number) => {
                    answered.insert(id, number);
                }
                // Sent and never answered: the same request again tells, and acts once at most.
                None => {
                    let again = town.call(OFFICER, FILE, form).await.unwrap();
                    let number = &again["outcome"]["receipt"]["number"]["text"];
                    answered.insert(id, number.as_str().unwrap().to_owned());
                }
            }
        }
        check(&mut town, &answered).await;
        let followed = views(&mut town).await;
        server.kill();
        // Views that were never there beside a log that was killed in the middle.
        owns(&["rebuild"], data.path());
        let server = Running::start(data.path());
        let rebuilt = views(&mut self::town(&server, data.path())).await;
        assert_eq!(followed, rebuilt, "the views are what the log says");
        server.kill();
    }
    eprintln!("{kills} kills, {} filings acknowledged, none lost, none doubled", answered.len());
}

/// Runs a command of who owns the data.
fn owns(command: &[&str], data: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_pratica"))
        .args(command)
        .arg("--data")
        .arg(data)
        .env("PRATICA_MASTER_KEY_FROM", "demo")
        .output()
        .unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What the views say of themselves, once they are at the head: events applied and their digest.
pub(crate) async fn views(town: &mut Town) -> Value {
    let status = "pratica.admin.v1.AdminService/GetStatus";
    let admin = pratica_api::demo::Who("admin", pratica_domain::Role::Administrator);
    loop {
        let now = town.call(admin, status, json!({ "comune": COMUNE })).await.unwrap();
        let views = now["views"].as_array().unwrap();
        if !views.is_empty() && views.iter().all(|view| view["position"] == now["log_position"]) {
            return now["views"].clone();
        }
        tokio::task::yield_now().await;
    }
}

/// One case a request, one number a case, and numbers from 1 without a gap.
pub(crate) async fn check(town: &mut Town, answered: &BTreeMap<String, String>) {
    let numbers: BTreeSet<&String> = answered.values().collect();
    assert_eq!(numbers.len(), answered.len(), "no number was given twice");
    let register =
        pages(town, "pratica.register.v1.RegisterService/ListRegistrations", "registrations");
    let registered: Vec<String> =
        register.await.iter().map(|r| r["number"]["text"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<String> =
        (1..=answered.len()).rev().map(|n| format!("{n:07}/2026")).collect();
    assert_eq!(registered, expected, "gapless, and nothing but what was filed");
    let cases = pages(town, "pratica.cases.v1.CasesService/ListCases", "cases").await;
    assert_eq!(cases.len(), answered.len(), "one case a request");
    for case in &cases {
        let number = case["protocol_number"]["text"].as_str().unwrap().to_owned();
        assert!(numbers.contains(&number), "{number} was answered to nobody");
    }
}

pub(crate) async fn pages(town: &mut Town, method: &str, list: &str) -> Vec<Value> {
    let status = "pratica.admin.v1.AdminService/GetStatus";
    let admin = pratica_api::demo::Who("admin", pratica_domain::Role::Administrator);
    let head = town.call(admin, status, json!({})).await.unwrap()["log_position"].clone();
    let mut rows = Vec::new();
    let mut request = json!({ "page_size": 200, "min_position": head });
    loop {
        let page = town.call(OFFICER, method, request).await.unwrap();
        rows.extend(page[list].as_array().unwrap().iter().cloned());
        match page["next_page_token"].as_str().unwrap() {
            "" => return rows,
            token => request = json!({ "page_size": 200, "page_token": token }),
        }
    }
}
