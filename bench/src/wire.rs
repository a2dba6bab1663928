//! C1: W2 and W4 with the log in a cluster, over the wire, beside the embedded log in the same run.
//!
//! The cluster is our own endpoint over an embedded log, in this process: it shows what the way
//! costs (a call, its echo into the copy, a flush on either side), not what a KurrentDB would. Two
//! flushes instead of one, on one disk, with one set of processors.

use crate::Size;
use crate::clients::authorised;
use crate::commands;
use crate::figures::{Figure, Rate};
use crate::fill::Filler;
use crate::place::{COMUNE, NOW, Place};
use crate::report::Report;
use crate::serving;
use pratica_api::app::{Clock, ManualClock};
use pratica_api::eventstore::{Endpoint, Shelf, serve};
use pratica_api::grpc::auth::{Claims, Identity, ServerKey};
use pratica_domain::Role;
use pratica_projections::{Views, ViewsOptions};
use pratica_store::{BlindIndex, ClusterLog, EventReader, SqliteLog, sqlite};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// How long a copy may take to be filled.
const FILLING: Duration = Duration::from_secs(3600);

pub(crate) async fn run(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    commands(size, report).await?;
    replay(size, report).await
}

/// A log over the wire; how to reach it.
async fn endpoint(log: Arc<SqliteLog>, directory: &Path) -> anyhow::Result<String> {
    let key = ServerKey::open(directory)?;
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW.parse()?));
    let shelf = Shelf { log, appendable: true, rules: None, vault: None, clock };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let advertised = listener.local_addr()?;
    let endpoint = Endpoint {
        logs: [(COMUNE.parse()?, shelf)].into(),
        identity: Identity::own(&key),
        calls_per_second: 0,
        tls: None,
        advertised: advertised.into(),
    };
    tokio::spawn(serve(listener, endpoint, std::future::pending()));
    let token = key.token(&Claims::new("node", Role::Migrator, jiff::Timestamp::now(), 1))?;
    Ok(format!("esdb://{COMUNE}:{token}@{advertised}?tls=false"))
}

async fn commands(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let log = size.directory.join("c1-log");
    std::fs::create_dir_all(&log)?;
    let kept = SqliteLog::open(log.join("log.db"), sqlite::Options::default())?;
    let connection = endpoint(Arc::new(kept), &log).await?;
    let directory = size.directory.join("c1-node");
    std::fs::create_dir_all(directory.join(COMUNE))?;
    let settings = format!("[log]\nkurrent = {connection:?}\n");
    std::fs::write(directory.join(COMUNE).join("comune.toml"), settings)?;
    let mut wire = Place::open(&directory)?;
    let mut embedded = Place::open(&size.directory.join("c1-embedded"))?;
    let (over_wire, wire_key) = serving::pratica(&mut wire).await?;
    let (beside, key) = serving::pratica(&mut embedded).await?;
    let mut leads = wire.open_town()?.town.lead.watch();
    leads.wait_for(|leads| *leads).await?;
    let slice = Duration::from_millis(size.slice_ms);
    let none: Vec<Rate> = size.clients.iter().map(|_| Rate::default()).collect();
    let (mut far, mut near) = (none.clone(), none);
    for _ in 0..size.runs {
        for (n, clients) in size.clients.iter().enumerate() {
            for (url, key, rate) in
                [(&over_wire.url, &wire_key, &mut far[n]), (&beside.url, &key, &mut near[n])]
            {
                let mut connections = Vec::new();
                for client in 0..*clients {
                    let account = format!("officer.{client}");
                    let token = serving::token(key, &account, Role::Officer)?;
                    connections.push(authorised(url, &token).await?);
                }
                let (times, took, _) = commands::work(connections, slice).await?;
                rate.add(times, took);
            }
        }
    }
    for (n, clients) in size.clients.iter().enumerate() {
        report.rate(&format!("commands over the wire, clients: {clients}"), &far[n]);
        report.rate(&format!("commands embedded, clients: {clients}"), &near[n]);
        let name = format!("over the wire over embedded, clients: {clients}");
        report.ratio(&name, &far[n].per_second, &near[n].per_second, None);
    }
    over_wire.stop().await?;
    beside.stop().await
}

async fn replay(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let directory = size.directory.join("c1-replay");
    let place = Place::open(&directory)?;
    let open = place.open_town()?;
    Filler::new(open)?.cases(size.events / 12, 0).await?;
    let events = open.town.log.head().await?.get();
    let connection = endpoint(Arc::clone(&open.embedded), &directory).await?;
    let (mut copied, mut far, mut near) = (Figure::default(), Figure::default(), Figure::default());
    for _ in 0..size.runs {
        let scratch = tempfile::tempdir_in(&size.directory)?;
        let copy = SqliteLog::open(scratch.path().join("log.db"), sqlite::Options::default())?;
        let begun = Instant::now();
        let node = ClusterLog::open(&connection, COMUNE, Arc::new(copy))?;
        node.caught_up(FILLING).await?;
        let filled = begun.elapsed();
        copied.add(events as f64 / filled.as_secs_f64());
        let node: Arc<dyn EventReader> = Arc::new(node);
        let wire = replayed(&node, open, &scratch.path().join("wire.db"), events).await?;
        far.add(events as f64 / (filled + wire).as_secs_f64());
        let log = Arc::clone(&open.town.log) as Arc<dyn EventReader>;
        let took = replayed(&log, open, &scratch.path().join("embedded.db"), events).await?;
        near.add(events as f64 / took.as_secs_f64());
    }
    report.row("a new node's copy filled over the wire", "events/s", &copied, None);
    report.row("and its views caught up from it, together", "events/s", &far, None);
    report.row("views caught up from the embedded log", "events/s", &near, None);
    report.note(format!("{events} events; the cluster is our own endpoint in this process"));
    Ok(())
}

async fn replayed(
    reader: &Arc<dyn EventReader>,
    open: &pratica_api::app::house::Open,
    path: &Path,
    events: u64,
) -> anyhow::Result<Duration> {
    let index: Arc<dyn BlindIndex> = Arc::clone(&open.town.vault) as Arc<dyn BlindIndex>;
    let begun = Instant::now();
    let (_views, mut projector) = Views::open(path, ViewsOptions::default(), index)?;
    let position = projector.catch_up(Arc::clone(reader), &open.town.rules).await?;
    anyhow::ensure!(position.get() == events, "the views are at {position:?}");
    Ok(begun.elapsed())
}
