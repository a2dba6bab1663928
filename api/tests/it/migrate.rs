//! A town's log into a cluster and back: the same bytes, also after a kill, also while it lives. The
//! cluster is our own endpoint over a log of its own.

use jiff::Timestamp;
use pratica_api::app::{Clock, ManualClock};
use pratica_api::eventstore::{Endpoint, Shelf, serve};
use pratica_api::grpc::auth::{Claims, Identity, ServerKey};
use pratica_domain::Role;
use pratica_store::sqlite::travel::digest;
use pratica_store::testing::{append, events, name, request};
use pratica_store::{
    AppendRequest, EventAppender as _, EventReader as _, Expected, Revision, SqliteLog, sqlite,
};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tokio::net::TcpListener;

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/logs");

/// A cluster of one comune, and how to reach it.
pub(crate) struct Cluster {
    log: Arc<SqliteLog>,
    pub(crate) connection: String,
}

impl Cluster {
    async fn start(directory: &Path, comune: &str) -> Cluster {
        Cluster::start_at(directory, comune, "127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(directory: &Path, comune: &str, address: SocketAddr) -> Cluster {
        let path = directory.join("cluster.db");
        let log = Arc::new(SqliteLog::open(path, sqlite::Options::default()).unwrap());
        let key = ServerKey::open(directory).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let shelf =
            Shelf { log: Arc::clone(&log), appendable: true, rules: None, vault: None, clock };
        let listener = TcpListener::bind(address).await.unwrap();
        let advertised = listener.local_addr().unwrap();
        let endpoint = Endpoint {
            logs: [(comune.parse().unwrap(), shelf)].into(),
            identity: Identity::own(&key),
            calls_per_second: 0,
            tls: None,
            advertised: advertised.into(),
        };
        tokio::spawn(serve(listener, endpoint, std::future::pending()));
        let token = key.token(&Claims::new("trasloco", Role::Migrator, Timestamp::now(), 1));
        let connection = format!("esdb://{comune}:{}@{advertised}?tls=false", token.unwrap());
        Cluster { log, connection }
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pratica"));
    command.args(["--format", "json"]).args(arguments).env("PRATICA_MASTER_KEY_FROM", "demo");
    command
}

async fn pratica(arguments: &[&str]) -> Value {
    let mut command = command(arguments);
    let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

async fn migrate(comune: &str, from: &str, to: &str) -> Value {
    pratica(&["migrate", "--comune", comune, "--from", from, "--to", to]).await
}

/// There and back, and the digests of all three.
async fn there_and_back(directory: &Path, comune: &str) {
    let cluster = Cluster::start(directory, comune).await;
    let from = directory.join(comune);
    let before = digest(&from.join("log.db")).unwrap();
    assert!(before.head.get() > 0);
    let moved = migrate(comune, from.to_str().unwrap(), &cluster.connection).await;
    assert_eq!((&moved["finished"], &moved["before"]), (&true.into(), &0.into()));
    assert_eq!(moved["position"], before.head.get());
    let back = directory.join("back");
    let home = migrate(comune, &cluster.connection, back.to_str().unwrap()).await;
    assert_eq!((&home["finished"], &home["digest"]), (&true.into(), &moved["digest"]));
    assert_eq!(digest(&back.join("log.db")).unwrap(), before, "with every request remembered");
    // Once more changes nothing.
    let again = migrate(comune, from.to_str().unwrap(), &cluster.connection).await;
    assert_eq!((&again["before"], &again["digest"]), (&moved["position"], &moved["digest"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstrations_town_moves_there_and_back_with_equal_digests() {
    let data = tempfile::tempdir().unwrap();
    pratica(&["demo", "--stop", "--data", data.path().to_str().unwrap()]).await;
    there_and_back(data.path(), "collina").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_towns_five_years_move_there_and_back_with_equal_digests() {
    let file = Path::new(LOGS).join("BPIC15_1.xes.gz");
    if !file.is_file() {
        eprintln!("SKIPPED: {} is missing", file.display());
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let (file, data_arg) = (file.to_str().unwrap(), data.path().to_str().unwrap());
    let town = ["--mapping", "nl-bpic15", "--comune", "olanda", "--data", data_arg];
    pratica(&[&["import", "xes", file], &town[..]].concat()).await;
    there_and_back(data.path(), "olanda").await;
}

fn asked(stream: &str, expected: Expected, count: u64, id: u128) -> AppendRequest {
    AppendRequest { request: Some(request(id, 1)), ..append(stream, expected, events(0..count)) }
}

/// A log with appends of every kind: with and without a request, of several events and of none.
async fn varied(path: &Path, cases: u128) -> SqliteLog {
    let log = SqliteLog::open(path, sqlite::Options::default()).unwrap();
    for n in 0..cases {
        let stream = format!("valle.permit-{n}");
        log.append(asked(&stream, Expected::NoStream, 3, 3 * n)).await.unwrap();
        let at = Expected::Exact(Revision::new(2));
        log.append(asked(&stream, at, 0, 3 * n + 1)).await.unwrap();
        log.append(append(&stream, at, events(0..1))).await.unwrap();
        log.append(asked("valle.nothing-0", Expected::NoStream, 0, 3 * n + 2)).await.unwrap();
    }
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_was_killed_goes_on_and_a_town_that_lives_is_moved_to_its_end_later() {
    const CASES: u128 = 60;
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("valle");
    std::fs::create_dir_all(&from).unwrap();
    let log = varied(&from.join("log.db"), CASES).await;
    let cluster = Cluster::start(directory.path(), "valle").await;
    let place = from.to_str().unwrap();
    let mut killed =
        command(&["migrate", "--comune", "valle", "--from", place, "--to", &cluster.connection])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
    // In the middle: something is there, and not everything.
    cluster.log.watch_head().wait_for(|head| head.get() >= 20).await.unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let there = cluster.log.head().await.unwrap().get();
    assert!(there < 4 * CASES as u64, "the kill came too late to show anything: {there}");

    // The town has its log open: it is copied as it is, and not finished.
    let copied = migrate("valle", place, &cluster.connection).await;
    assert_eq!(copied["finished"], false);
    let stream = "valle.permit-0";
    assert_eq!(log.stream_revision(&name(stream)).await.unwrap(), Some(Revision::new(3)));
    let at = Expected::Exact(Revision::new(3));
    log.append(asked(stream, at, 2, 1_000_000)).await.unwrap();
    drop(log);
    let finished = migrate("valle", place, &cluster.connection).await;
    assert_eq!(finished["finished"], true);
    assert_eq!(finished["position"], 4 * CASES as u64 + 2);
    assert_eq!(finished["requests"], 3 * CASES as u64 + 1);
}
