//! Several nodes over one log, each a process of its own, and the log's server too: killed with
//! SIGKILL while 64 clients file. No acknowledged command is lost, none is doubled, the register has
//! no gap, and what the nodes answer is the same at the end.
//!
//! `PRATICA_NODE_KILLS=N` kills the leading node N times, with N times as many filings.

use crate::kill::{COMUNE, FILE, Running, check, pages, views};
use crate::migrate::Cluster;
use jiff::{SignedDuration, Timestamp};
use pratica_api::app::MasterKeys;
use pratica_api::cli::Failure;
use pratica_api::demo::{OFFICER, Town, Who, declaration};
use pratica_api::grpc::auth::ServerKey;
use pratica_domain::Role;
use pratica_store::Vault;
use pratica_store::sqlite::travel::digest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

const CLIENTS: usize = 64;
/// Filings of each client, for each kill.
const EACH: usize = 2;
/// How long anything may take that others bring about.
const LONG: Duration = Duration::from_secs(240);
const BEGIN: &str = "2026-03-02T09:00:00Z";
/// More than a lease lasts.
const OVER: SignedDuration = SignedDuration::from_secs(400);

const CARRIED: &str = "PRATICA_TEST_CARRIED_LOG";

/// The log's server: this program again, which runs the one test that carries the log.
struct Log {
    child: Child,
    connection: String,
}

/// Serves the log that it is told to, until it is killed; told nothing, there is none to serve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "not a test: the log's server of those beside it, which start it"]
async fn carries_the_log() {
    let Ok(told) = std::env::var(CARRIED) else { return };
    let (address, directory) = told.split_once(' ').unwrap();
    let cluster = Cluster::start_at(Path::new(directory), COMUNE, address.parse().unwrap()).await;
    println!("\n{CARRIED} {}", cluster.connection);
    std::future::pending::<()>().await;
}

impl Log {
    fn start(directory: &Path, address: &str) -> Log {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "cluster_kill::carries_the_log", "--ignored", "--nocapture"])
            .env(CARRIED, format!("{address} {}", directory.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.map(Result::unwrap).find_map(|line| {
            line.strip_prefix(CARRIED).map(|connection| connection.trim().to_owned())
        });
        Log { child, connection: said.unwrap() }
    }

    fn address(&self) -> String {
        let after = self.connection.rsplit_once('@').unwrap().1;
        after.split_once('?').unwrap().0.to_owned()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A directory for everything, and what the nodes share.
struct Place {
    root: tempfile::TempDir,
    key: ServerKey,
}

impl Place {
    fn new() -> Place {
        let root = tempfile::tempdir().unwrap();
        let comune = COMUNE.parse().unwrap();
        let master =
            MasterKeys::File(root.path().join("master/{comune}.key").display().to_string());
        let master = master.of(&comune, &root.path().join("new").join(COMUNE)).unwrap();
        Vault::share(None, &root.path().join("keys").join(COMUNE), &master).unwrap();
        let key = ServerKey::open(root.path()).unwrap();
        Place { root, key }
    }

    fn log(&self, address: &str) -> Log {
        Log::start(self.root.path(), address)
    }

    fn data(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A node; its directory may be there from before.
    fn node(&self, name: &'static str, log: &Log, at: Timestamp) -> Node {
        let data = self.data(name);
        std::fs::create_dir_all(data.join(COMUNE)).unwrap();
        std::fs::copy(self.root.path().join("server.key"), data.join("server.key")).unwrap();
        let (keys, connection) = (self.root.path().join("keys"), &log.connection);
        let settings = format!("[log]\nkurrent = {connection:?}\nkeys = {keys:?}\n");
        std::fs::write(data.join(COMUNE).join("comune.toml"), settings).unwrap();
        let master = self.root.path().join("master/{comune}.key");
        let master = format!("file:{}", master.display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_pratica"));
        command.env("PRATICA_LOG", "info").env("NO_COLOR", "1").stderr(Stdio::piped());
        let more = ["--master-key", &master, "--calls-per-second", "0"];
        let mut running = Running::spawn(command, &data, &[COMUNE], &at.to_string(), &more);
        let leads = Arc::new(AtomicBool::new(false));
        let (told, errors) = (Arc::clone(&leads), running.errors().unwrap());
        // Ends with the process.
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                if line.contains("who leads has changed") {
                    told.store(line.contains("leads=true"), Ordering::Relaxed);
                }
            }
        });
        Node { name, running, leads, key: self.key.clone() }
    }
}

/// A running node.
struct Node {
    name: &'static str,
    running: Running,
    leads: Arc<AtomicBool>,
    key: ServerKey,
}

impl Node {
    fn town(&self) -> Town {
        Town::new(COMUNE, &self.running.url, self.key.clone())
    }

    fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// What it says of the comune's log: its health, and the header of its answers.
    async fn says(&self) -> (ServingStatus, Option<String>) {
        let channel = tonic::transport::Channel::from_shared(self.running.url.clone()).unwrap();
        let mut client = HealthClient::new(channel.connect().await.unwrap());
        let answer = client.check(HealthCheckRequest { service: COMUNE.to_owned() }).await.unwrap();
        let header =
            answer.metadata().get("pratica-behind").map(|h| h.to_str().unwrap().to_owned());
        (answer.get_ref().status(), header)
    }
}

/// Waits for what others bring about, and not for ever.
async fn until<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < LONG, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Where clients may file, by the node's name.
type Doors = Arc<Mutex<BTreeMap<&'static str, String>>>;
/// The number that each request was answered with.
type Answered = Arc<Mutex<BTreeMap<String, String>>>;

/// Files so many cases, each at whatever node answers: the same request again until one does.
async fn files(doors: Doors, key: ServerKey, client: usize, cases: usize, answered: Answered) {
    for n in 0..cases {
        let mut form = declaration("Anna", &format!("Rossi{client}x{n}"), "CHANGE_OF_DWELLING");
        let id = uuid::Uuid::new_v4().to_string();
        form["request_id"] = json!(id);
        let begun = Instant::now();
        for attempt in client.. {
            let url = {
                let doors = doors.lock().unwrap();
                doors.values().nth(attempt % doors.len()).unwrap().clone()
            };
            match Town::new(COMUNE, &url, key.clone()).call(OFFICER, FILE, form.clone()).await {
                Ok(answer) => {
                    let number = answer["outcome"]["receipt"]["number"]["text"].as_str().unwrap();
                    answered.lock().unwrap().insert(id, number.to_owned());
                    break;
                }
                Err(failure) => assert!(begun.elapsed() < LONG, "nobody answers: {failure:?}"),
            }
        }
    }
}

fn begin_filing(
    doors: &Doors,
    place: &Place,
    cases: usize,
    answered: &Answered,
) -> tokio::task::JoinSet<()> {
    let mut filing = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (doors, answered) = (Arc::clone(doors), Arc::clone(answered));
        filing.spawn(files(doors, place.key.clone(), client, cases, answered));
    }
    filing
}

/// Once every node has everything: one case a request, one number a case, no number missing, on each
/// node; and the same logs, views and answers on all of them.
async fn the_same_everywhere(place: &Place, nodes: Vec<Node>, answered: &Answered) {
    let answered = answered.lock().unwrap().clone();
    let admin = Who("admin", Role::Administrator);
    let status = "pratica.admin.v1.AdminService/GetStatus";
    let mut at = 0;
    for node in &nodes {
        let said = node.town().call(admin, status, json!({})).await.unwrap();
        at = at.max(said["log_position"].as_u64().unwrap());
    }
    let mut found: Vec<(Value, Vec<Value>)> = Vec::new();
    for node in &nodes {
        until("every event on every node", || async {
            let said = node.town().call(admin, status, json!({})).await.unwrap();
            said["log_position"].as_u64() >= Some(at)
        })
        .await;
        let mut town = node.town();
        check(&mut town, &answered).await;
        let cases = pages(&mut town, "pratica.cases.v1.CasesService/ListCases", "cases").await;
        found.push((views(&mut town).await, cases));
    }
    assert!(found.iter().all(|one| *one == found[0]), "views and answers are the same");
    let names: Vec<_> = nodes.iter().map(|node| node.name).collect();
    for node in nodes {
        node.running.stop();
    }
    let digests = names.iter().map(|name| digest(&place.data(name).join(COMUNE).join("log.db")));
    let digests: Vec<_> = digests.map(Result::unwrap).collect();
    assert!(digests.iter().all(|one| *one == digests[0]), "so are the logs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_that_leads_is_killed_while_64_clients_file_at_three() {
    let kills = std::env::var("PRATICA_NODE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let place = Place::new();
    let log = place.log("127.0.0.1:0");
    let mut now: Timestamp = BEGIN.parse().unwrap();
    let mut nodes = Vec::from(["one", "two", "three"].map(|name| place.node(name, &log, now)));
    let doors: Doors = Arc::default();
    for node in &nodes {
        doors.lock().unwrap().insert(node.name, node.running.url.clone());
    }
    let answered: Answered = Arc::default();
    let all = CLIENTS * EACH * kills;
    let mut filing = begin_filing(&doors, &place, EACH * kills, &answered);
    for kill in 1..=kills {
        // In the middle of it, and while somebody leads.
        let enough = all * kill / (kills + 1);
        let ready =
            || async { answered.lock().unwrap().len() >= enough && nodes.iter().any(Node::leads) };
        until("filing under a leader", ready).await;
        let killed = nodes.remove(nodes.iter().position(Node::leads).unwrap());
        let name = killed.name;
        killed.running.kill();
        doors.lock().unwrap().remove(name);
        now += OVER;
        for node in &nodes {
            node.town().clock_to(&now.to_string()).await.unwrap();
        }
        until("another leads", || async { nodes.iter().any(Node::leads) }).await;
        // It comes back, with its copy of before.
        let back = place.node(name, &log, now);
        doors.lock().unwrap().insert(name, back.running.url.clone());
        nodes.push(back);
    }
    while let Some(filed) = filing.join_next().await {
        filed.unwrap();
    }
    assert_eq!(answered.lock().unwrap().len(), all);
    the_same_everywhere(&place, nodes, &answered).await;
    eprintln!("{kills} kills of the node that leads, {all} filings acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logs_server_is_killed_and_comes_back_while_64_clients_file_at_two_nodes() {
    let place = Place::new();
    let log = place.log("127.0.0.1:0");
    let (address, now) = (log.address(), BEGIN.parse().unwrap());
    let nodes = Vec::from(["one", "two"].map(|name| place.node(name, &log, now)));
    let doors: Doors = Arc::default();
    for node in &nodes {
        doors.lock().unwrap().insert(node.name, node.running.url.clone());
    }
    let answered: Answered = Arc::default();
    let mut form = declaration("Bianca", "Verdi", "CHANGE_OF_DWELLING");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let filed = nodes[0].town().call(OFFICER, FILE, form.clone()).await.unwrap();
    let case = filed["outcome"]["case_id"].as_str().unwrap().to_owned();
    let number = filed["outcome"]["receipt"]["number"]["text"].as_str().unwrap().to_owned();
    answered.lock().unwrap().insert(form["request_id"].to_string(), number);
    let mut filing = begin_filing(&doors, &place, EACH, &answered);
    until("half of it", || async { answered.lock().unwrap().len() > CLIENTS * EACH / 2 }).await;
    drop(log);

    for node in &nodes {
        let cut_off = || async { node.says().await.0 == ServingStatus::NotServing };
        until("the node says that it is cut off", cut_off).await;
        let (_, header) = node.says().await;
        let header = header.unwrap();
        assert!(header.starts_with(&format!("{COMUNE}=")), "{header}");
        let mut town = node.town();
        let read = "pratica.cases.v1.CasesService/GetCase";
        let read = town.call(OFFICER, read, json!({ "case_id": case })).await.unwrap();
        assert_eq!(read["case"]["summary"]["case_id"], case.as_str(), "{read}");
        let mut new = form.clone();
        new["request_id"] = json!(uuid::Uuid::new_v4());
        let Err(Failure::Status(refused)) = town.call(OFFICER, FILE, new).await else {
            panic!("a command without the log");
        };
        assert_eq!(refused.code(), tonic::Code::Unavailable);
        assert_eq!(refused.get_details_error_info().unwrap().reason, "CUT_OFF");
    }

    let log = place.log(&address);
    while let Some(filed) = filing.join_next().await {
        filed.unwrap();
    }
    for node in &nodes {
        let back = || async { node.says().await == (ServingStatus::Serving, None) };
        until("the node serves again", back).await;
    }
    the_same_everywhere(&place, nodes, &answered).await;
    drop(log);
}
