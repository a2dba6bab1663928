//! The log in a cluster, over the wire against our own endpoint: the conformance suite, unchanged,
//! and what is peculiar to a log that is reached over a network and copied by each node.

use pratica_domain::Role;
use pratica_store::testing::conformance::Place;
use pratica_store::testing::{append, events, name, request};
use pratica_store::{
    AppendRequest, ClusterLog, Direction, EventAppender as _, EventReader as _, EventStore,
    Expected, Revision, SqliteLog, StoreError, sqlite,
};
use pratica_tests::endpoint::LogServer;
use pratica_tests::unreliable::{Follower, Way};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Test = anyhow::Result<()>;

/// The comuni that the suite's streams belong to: a log of a cluster is of one.
const COMUNE: &str = "a";
const LONG: Duration = Duration::from_secs(30);

/// Opens a node with a copy of its own.
async fn node(server: &LogServer, directory: &Path) -> anyhow::Result<ClusterLog> {
    std::fs::create_dir_all(directory)?;
    let copy = SqliteLog::open(directory.join("log.db"), sqlite::Options::default())?;
    let connection = server.connection(COMUNE, Role::Migrator)?;
    let log = ClusterLog::open(&connection, COMUNE, Arc::new(copy))?;
    Ok(log)
}

/// A cluster of one, and a new node with an empty copy at each opening: what a restart finds is
/// what the cluster has.
struct InCluster {
    server: LogServer,
    directory: tempfile::TempDir,
    opened: Mutex<u32>,
}

impl InCluster {
    fn new() -> InCluster {
        block(async {
            let directory = tempfile::tempdir()?;
            let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
            anyhow::Ok(InCluster { server, directory, opened: Mutex::new(0) })
        })
        .unwrap_or_else(|error| panic!("no endpoint: {error:?}"))
    }
}

/// The suite opens its logs without waiting; a node must catch up before it is one.
fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

impl Place for InCluster {
    fn open(&self) -> Arc<dyn EventStore> {
        let number = {
            let mut opened = self.opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            *opened += 1;
            *opened
        };
        let opened = block(async {
            let log = node(&self.server, &self.directory.path().join(number.to_string())).await?;
            log.caught_up(LONG).await?;
            anyhow::Ok(log)
        });
        Arc::new(opened.unwrap_or_else(|error| panic!("no node: {error:?}")))
    }
}

pratica_store::conformance_suite!(InCluster::new());

fn asked(stream: &str, expected: Expected, count: u64, id: u128) -> AppendRequest {
    AppendRequest { request: Some(request(id, 1)), ..append(stream, expected, events(0..count)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_recognised_by_another_node_also_when_it_recorded_nothing() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let one = node(&server, &directory.path().join("one")).await?;
    let two = node(&server, &directory.path().join("two")).await?;
    let first = one.append(asked("a.permit-1", Expected::NoStream, 2, 7)).await?;
    // Whether the second node has heard of it or not: the answer is the first one.
    let again = two.append(asked("a.permit-1", Expected::NoStream, 2, 7)).await?;
    assert_eq!((again.revision, again.position), (first.revision, first.position));
    assert!(again.replayed);
    let at = Expected::Exact(Revision::new(1));
    let nothing = one.append(asked("a.permit-1", at, 0, 8)).await?;
    let again = two.append(asked("a.permit-1", at, 0, 8)).await?;
    assert_eq!((again.revision, again.position), (nothing.revision, nothing.position));
    // It would record something now, but it was answered.
    let again = two.append(asked("a.permit-1", at, 1, 8)).await?;
    assert!(again.replayed && again.first_revision.is_none());
    one.append(asked("a.permit-1", at, 1, 9)).await?;
    two.append(append("a.permit-2", Expected::NoStream, events(0..1))).await?;
    two.caught_up(LONG).await?;
    let heads = (one.head().await?, two.head().await?);
    assert_eq!(heads.1.get(), 4);
    one.append(append("a.permit-3", Expected::NoStream, events(0..1))).await?;
    let both = [&one, &two];
    let mut logs = Vec::new();
    for log in both {
        log.watch_head().wait_for(|head| head.get() >= 5).await?;
        logs.push(pratica_store::testing::conformance::read_everything(log, 2).await);
    }
    assert_eq!(logs[0], logs[1], "positions are the same on every node");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_loses_the_cluster_reads_refuses_to_record_and_comes_back() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let address = server.address;
    let log = node(&server, &directory.path().join("node")).await?;
    let first = log.append(asked("a.permit-1", Expected::NoStream, 3, 1)).await?;
    let mut standing = log.standing();
    standing.wait_for(|s| s.connected && s.caught_up).await?;
    server.stop().await?;
    standing.wait_for(|s| !s.connected).await?;
    let read =
        log.read_stream(&name("a.permit-1"), Revision::FIRST, Direction::Forwards, 9).await?;
    assert_eq!(read.len(), 3);
    let at = Expected::Exact(Revision::new(2));
    let refused = log.append(asked("a.permit-1", at, 1, 2)).await;
    assert!(matches!(refused, Err(StoreError::CutOff)), "{refused:?}");
    // What was answered once is answered again, cut off or not.
    assert!(log.append(asked("a.permit-1", Expected::NoStream, 3, 1)).await?.replayed);
    let server = LogServer::bare_at(directory.path(), &[COMUNE], address).await?;
    standing.wait_for(|s| s.connected).await?;
    let done = log.append(asked("a.permit-1", at, 1, 2)).await?;
    assert_eq!((done.position.get(), done.replayed), (first.position.get() + 1, false));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_another_log_is_not_followed() -> Test {
    let directory = tempfile::tempdir()?;
    let (here, there) = (directory.path().join("here"), directory.path().join("there"));
    std::fs::create_dir_all(&here)?;
    std::fs::create_dir_all(&there)?;
    let place = directory.path().join("node");
    let server = LogServer::bare(&here, &[COMUNE]).await?;
    let log = node(&server, &place).await?;
    log.append(append("a.permit-1", Expected::NoStream, events(0..1))).await?;
    drop(log);
    server.stop().await?;
    let server = LogServer::bare(&there, &[COMUNE]).await?;
    // The writer of the copy ends a moment after the node does.
    let log = loop {
        match node(&server, &place).await {
            Ok(log) => break log,
            Err(error) if matches!(error.downcast_ref(), Some(StoreError::Locked { .. })) => {
                tokio::task::yield_now().await;
            }
            Err(error) => return Err(error),
        }
    };
    let refused = log.append(append("a.permit-2", Expected::NoStream, events(0..1))).await;
    assert!(matches!(refused, Err(StoreError::CutOff)), "{refused:?}");
    assert!(!log.standing().borrow().connected);
    assert_eq!(log.head().await?.get(), 1);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_nodes_one_has_the_lease_and_another_takes_it_over_when_it_is_over() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let one = node(&server, &directory.path().join("one")).await?;
    let two = node(&server, &directory.path().join("two")).await?;
    let at = |second: i64| jiff::Timestamp::from_second(second);
    let (a, b) = (one.take_lease("one", at(0)?, at(30)?), two.take_lease("two", at(0)?, at(30)?));
    let (a, b) = tokio::join!(a, b);
    assert_eq!(a?, b?, "both know who has it");
    let holder = one.take_lease("three", at(1)?, at(31)?).await?.holder;
    assert!(holder == "one" || holder == "two");
    let renewed = one.take_lease(&holder, at(20)?, at(50)?).await?;
    assert_eq!((renewed.holder.as_str(), renewed.until), (holder.as_str(), at(50)?));
    assert_eq!(two.take_lease("three", at(49)?, at(79)?).await?.holder, holder);
    assert_eq!(two.take_lease("three", at(50)?, at(80)?).await?.holder, "three");
    assert_eq!(one.take_lease(&holder, at(51)?, at(81)?).await?.holder, "three");
    // The others hear of it without asking; who gives it back leaves it to whoever comes.
    two.lease().wait_for(|l| l.as_ref().is_some_and(|l| l.holder == "three")).await?;
    two.take_lease("three", at(60)?, at(60)?).await?;
    let given_back = at(60)?;
    one.lease().wait_for(|l| l.as_ref().is_some_and(|l| l.until == given_back)).await?;
    assert_eq!(one.take_lease("one", at(60)?, at(90)?).await?.holder, "one");
    // Leases are no history: no position is theirs.
    assert_eq!(one.head().await?.get(), 0);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_reached_over_tls_and_not_without_trust() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare_over_tls(directory.path(), &[COMUNE]).await?;
    let token = server.key.token(&LogServer::claims("trasloco", Role::Migrator, COMUNE))?;
    let port = server.address.port();
    let secure = format!("esdb://{COMUNE}:{token}@localhost:{port}?tls=true");
    let trusting = format!("{secure}&tlsCaFile={}", directory.path().join("ca.pem").display());
    let copy = |name: &str| {
        SqliteLog::open(directory.path().join(name), sqlite::Options::default()).map(Arc::new)
    };
    let log = ClusterLog::open(&trusting, COMUNE, copy("one.db")?)?;
    let done = log.append(append("a.permit-1", Expected::NoStream, events(0..1))).await?;
    assert_eq!(done.position.get(), 1);
    let log = ClusterLog::open(&secure, COMUNE, copy("two.db")?)?;
    let refused = log.append(append("a.permit-2", Expected::NoStream, events(0..1))).await;
    assert!(matches!(refused, Err(StoreError::CutOff)), "{refused:?}");
    server.stop().await
}

/// A node that reaches the cluster by another address than its own.
fn node_by(
    server: &LogServer,
    address: std::net::SocketAddr,
    directory: &Path,
) -> anyhow::Result<ClusterLog> {
    std::fs::create_dir_all(directory)?;
    let copy = SqliteLog::open(directory.join("log.db"), sqlite::Options::default())?;
    let direct = server.connection(COMUNE, Role::Migrator)?;
    let connection = direct.replace(&server.address.to_string(), &address.to_string());
    Ok(ClusterLog::open(&connection, COMUNE, Arc::new(copy))?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_asks_a_follower_goes_to_the_leader() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let follower = Follower::start(server.address).await?;
    let log = node_by(&server, follower.address, &directory.path().join("node"))?;
    log.caught_up(LONG).await?;
    let done = log.append(asked("a.permit-1", Expected::NoStream, 2, 1)).await?;
    assert_eq!(done.position.get(), 2);
    server.stop().await
}

/// A node that knows several hosts of the cluster.
fn node_of(
    server: &LogServer,
    hosts: &[std::net::SocketAddr],
    more: &str,
    directory: &Path,
) -> anyhow::Result<ClusterLog> {
    std::fs::create_dir_all(directory)?;
    let copy = SqliteLog::open(directory.join("log.db"), sqlite::Options::default())?;
    let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    let direct = server.connection(COMUNE, Role::Migrator)?;
    let connection = direct.replace(&server.address.to_string(), &hosts.join(",")) + more;
    Ok(ClusterLog::open(&connection, COMUNE, Arc::new(copy))?)
}

/// An address where nobody listens.
async fn nowhere() -> anyhow::Result<std::net::SocketAddr> {
    Ok(tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_hosts_one_may_be_dead_and_one_no_leader_whatever_is_preferred() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let follower = Follower::start(server.address).await?;
    let dead = nowhere().await?;
    let hosts = [
        vec![dead, follower.address, server.address],
        vec![dead, follower.address],
        vec![dead, server.address],
    ];
    let preferences = ["", "&nodePreference=leader", "&nodePreference=follower"];
    for (n, (hosts, preferred)) in hosts.iter().zip(preferences).enumerate() {
        let log = node_of(&server, hosts, preferred, &directory.path().join(n.to_string()))?;
        log.caught_up(LONG).await?;
        let stream = format!("a.permit-{n}");
        let done = log.append(asked(&stream, Expected::NoStream, 2, n as u128 + 1)).await?;
        assert_eq!(done.position.get(), 2 * (n as u64 + 1), "{hosts:?}{preferred}");
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_another_host_leads_the_node_goes_there_by_itself() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let follower = Follower::start(server.address).await?;
    let hosts = [nowhere().await?, follower.address, server.address];
    let log = node_of(&server, &hosts, "", &directory.path().join("node"))?;
    log.caught_up(LONG).await?;
    log.append(asked("a.permit-1", Expected::NoStream, 2, 1)).await?;
    server.stop().await?;
    let mut standing = log.standing();
    standing.wait_for(|s| !s.connected).await?;
    let at = Expected::Exact(Revision::new(1));
    let refused = log.append(asked("a.permit-1", at, 1, 2)).await;
    assert!(matches!(refused, Err(StoreError::CutOff)), "{refused:?}");
    // The same log, at an address that no connection string names.
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    assert!(!hosts.contains(&server.address));
    follower.elect(server.address);
    standing.wait_for(|s| s.connected).await?;
    let done = log.append(asked("a.permit-1", at, 1, 2)).await?;
    assert_eq!((done.position.get(), done.replayed), (3, false));
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_are_asked_over_tls_and_wrong_credentials_open_nothing() -> Test {
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare_over_tls(directory.path(), &[COMUNE]).await?;
    let (port, dead) = (server.address.port(), nowhere().await?.port());
    let ca = directory.path().join("ca.pem");
    let open = |role, name: &str| {
        let token = server.key.token(&LogServer::claims("trasloco", role, COMUNE))?;
        let connection = format!(
            "esdb://{COMUNE}:{token}@localhost:{dead},localhost:{port}?tls=true&tlsCaFile={}",
            ca.display()
        );
        let copy = SqliteLog::open(directory.path().join(name), sqlite::Options::default())?;
        anyhow::Ok(ClusterLog::open(&connection, COMUNE, Arc::new(copy))?)
    };
    let log = open(Role::Migrator, "one.db")?;
    log.caught_up(LONG).await?;
    let done = log.append(append("a.permit-1", Expected::NoStream, events(0..1))).await?;
    assert_eq!(done.position.get(), 1);
    // Who may read follows, and records nothing.
    let log = open(Role::Head, "two.db")?;
    log.caught_up(LONG).await?;
    assert_eq!(log.head().await?.get(), 1);
    let refused = log.append(append("a.permit-2", Expected::NoStream, events(0..1))).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    // Who may not read is not let in.
    let log = open(Role::Citizen, "three.db")?;
    let refused = log.append(append("a.permit-2", Expected::NoStream, events(0..1))).await;
    assert!(matches!(refused, Err(StoreError::CutOff)), "{refused:?}");
    server.stop().await
}

/// The client ends its batch at a conflict: what else was under way is found, or sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_among_many_appends_lose_nothing_and_double_nothing_of_the_others() -> Test {
    const APPENDS: u64 = 30;
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let ours = Arc::new(node(&server, &directory.path().join("ours")).await?);
    let theirs = node(&server, &directory.path().join("theirs")).await?;
    ours.caught_up(LONG).await?;
    theirs.caught_up(LONG).await?;
    let writers: Vec<_> = (0..8_u128)
        .map(|writer| {
            let log = Arc::clone(&ours);
            tokio::spawn(async move {
                let stream = format!("a.permit-{writer}");
                let mut at = Expected::NoStream;
                for n in 0..APPENDS {
                    let batch = asked(&stream, at, 1, writer << 64 | u128::from(n + 1));
                    // Without an id too: then the mark of the try tells whose it is.
                    let request = batch.request.filter(|_| writer % 2 == 0);
                    at = log.append(AppendRequest { request, ..batch }).await?.revision.into();
                }
                anyhow::Ok(at)
            })
        })
        .collect();
    // The two nodes race for one stream: each time one of them, or neither, is in time.
    let (mut won, mut lost) = (0, 0);
    while lost < 10 {
        let at: Expected = theirs.stream_revision(&name("a.race-1")).await?.into();
        let (a, b) = tokio::join!(
            ours.append(append("a.race-1", at, events(0..1))),
            theirs.append(append("a.race-1", at, events(0..1)))
        );
        for outcome in [a, b] {
            match outcome {
                Ok(_) => won += 1,
                Err(StoreError::Conflict { .. }) => lost += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
    for writer in writers {
        assert_eq!(writer.await??, Expected::Exact(Revision::new(APPENDS - 1)));
    }
    ours.caught_up(LONG).await?;
    let expected = 8 * APPENDS + won;
    ours.watch_head().wait_for(|head| head.get() >= expected).await?;
    assert_eq!(ours.head().await?.get(), expected);
    server.stop().await
}

/// Connections break while four writers append: what was stored and not acknowledged is found, and
/// nothing is there twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_lose_nothing_and_double_nothing() -> Test {
    const APPENDS: u64 = 40;
    let directory = tempfile::tempdir()?;
    let server = LogServer::bare(directory.path(), &[COMUNE]).await?;
    let way = Way::to(server.address).await?;
    let log = Arc::new(node_by(&server, way.address, &directory.path().join("node"))?);
    log.caught_up(LONG).await?;
    let writers: Vec<_> = (0..4_u128)
        .map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let stream = format!("a.permit-{writer}");
                let mut at = Expected::NoStream;
                for n in 0..APPENDS {
                    // With and without a request id: the mark of the try tells either way.
                    let id = writer << 64 | u128::from(n);
                    let batch = asked(&stream, at, n % 3 + 1, id + 1);
                    let batch =
                        AppendRequest { request: batch.request.filter(|_| n % 2 == 0), ..batch };
                    let done = loop {
                        match log.append(batch.clone()).await {
                            Ok(done) => break done,
                            // Only who has an id may send again.
                            Err(error) if error.may_be_retried() && batch.request.is_some() => {}
                            Err(StoreError::CutOff) => {}
                            Err(error) => return Err(error),
                        }
                    };
                    at = done.revision.into();
                }
                Ok(())
            })
        })
        .collect();
    let mut heads = log.watch_head();
    for cut in 1..=6 {
        heads.wait_for(|head| head.get() >= cut * 30).await?;
        way.cut();
    }
    for writer in writers {
        writer.await??;
    }
    let expected = 4 * (0..APPENDS).map(|n| n % 3 + 1).sum::<u64>();
    assert_eq!(log.head().await?.get(), expected);
    let there = SqliteLog::open(directory.path().join("check.db"), sqlite::Options::default())?;
    let fresh =
        ClusterLog::open(&server.connection(COMUNE, Role::Migrator)?, COMUNE, Arc::new(there))?;
    fresh.caught_up(LONG).await?;
    let all = pratica_store::testing::conformance::read_everything(&fresh, 100).await;
    assert_eq!(all.len() as u64, expected, "what the cluster holds is what was answered");
    server.stop().await
}
