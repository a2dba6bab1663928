//! `pratica migrate`: a comune's log from the embedded store into a cluster, or back.

use super::exit::Failure;
use super::output::{self, Format};
use super::serve;
use crate::app::deliver::hex;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use pratica_domain::ids::ComuneId;
use pratica_store::cluster::move_in;
use pratica_store::sqlite::travel::{Digest, digest};
use pratica_store::{ClusterLog, EventReader as _, SqliteLog, StoreError, sqlite};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a copy of the cluster's log may take to be filled.
const FILLING: Duration = Duration::from_secs(24 * 3600);

/// Arguments of `pratica migrate`.
///
/// A place is the directory of a comune with its `log.db`, or a cluster: `esdb://...`, or `env:NAME`
/// for the variable that holds that. Copying may be done while the town lives, again and again; the
/// last time with its server stopped, and then both logs are compared by digest.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the log is.
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// Where it is to be.
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// The comune.
    #[arg(long)]
    comune: ComuneId,
}

enum Spot {
    Directory(PathBuf),
    Cluster(String),
}

impl Spot {
    fn parse(text: &str) -> anyhow::Result<Spot> {
        if let Some(name) = text.strip_prefix("env:") {
            let held = std::env::var(name);
            return Ok(Spot::Cluster(held.with_context(|| format!("{name} is not set"))?));
        }
        let schemes = ["esdb://", "esdb+discover://", "kurrentdb://", "kurrent://"];
        Ok(if schemes.iter().any(|scheme| text.starts_with(scheme)) {
            Spot::Cluster(text.to_owned())
        } else {
            Spot::Directory(text.into())
        })
    }
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    serve::telemetry_at("warn");
    let done = serve::runtime()?.block_on(migrate(args))?;
    let facts = json!({
        "comune": args.comune.as_str(),
        "before": done.before,
        "position": done.digest.map_or(done.now, |d| d.head.get()),
        "finished": done.digest.is_some(),
        "digest": done.digest.map(|d| hex(&d.sha256)),
        "requests": done.digest.map(|d| d.requests),
    });
    match format {
        Format::Json => output::json(&facts),
        Format::Table => match done.digest {
            Some(digest) => println!(
                "{}: {} events and {} requests, digest {}: both logs are the same",
                args.comune,
                digest.head,
                digest.requests,
                hex(&digest.sha256)
            ),
            None => println!(
                "{}: copied up to position {} while the town lives; stop its server and run this \
                 again for the last stretch",
                args.comune, done.now
            ),
        },
    }
    Ok(())
}

struct Done {
    before: u64,
    now: u64,
    /// Of both logs, when they could be compared.
    digest: Option<Digest>,
}

async fn migrate(args: &Args) -> anyhow::Result<Done> {
    match (Spot::parse(&args.from)?, Spot::parse(&args.to)?) {
        (Spot::Directory(from), Spot::Cluster(to)) => into_cluster(args, &from, &to).await,
        (Spot::Cluster(from), Spot::Directory(to)) => out_of_cluster(args, &from, &to).await,
        _ => anyhow::bail!("one place must be a directory and the other a cluster"),
    }
}

async fn into_cluster(args: &Args, directory: &Path, connection: &str) -> anyhow::Result<Done> {
    let path = directory.join("log.db");
    anyhow::ensure!(path.is_file(), "{} is not there", path.display());
    // Who holds the log is its server; without one this is the last stretch, and nobody may come.
    let held = match SqliteLog::open(&path, sqlite::Options::default()) {
        Ok(log) => Some(log),
        Err(StoreError::Locked { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let scratch = tempfile::tempdir().context("no room for the copy to compare with")?;
    let copy = scratch.path().join("copy.db");
    let cluster = open(connection, &args.comune, &copy).await?;
    let bar = bar(args);
    let moved = move_in(&path, &cluster, |position| bar.set_position(position.get())).await?;
    bar.finish_and_clear();
    let (before, now) = (moved.before.get(), moved.now.get());
    if held.is_none() {
        return Ok(Done { before, now, digest: None });
    }
    drop(cluster);
    let digest = compared(&path, connection, args).await?;
    drop(held);
    Ok(Done { before, now, digest: Some(digest) })
}

async fn out_of_cluster(args: &Args, connection: &str, directory: &Path) -> anyhow::Result<Done> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let path = directory.join("log.db");
    let log = SqliteLog::open(&path, sqlite::Options::default())
        .with_context(|| format!("cannot open {}", path.display()))?;
    let before = log.head().await?.get();
    let cluster = ClusterLog::open(connection, args.comune.as_str(), Arc::new(log))?;
    cluster.caught_up(FILLING).await?;
    let now = cluster.head().await?.get();
    let digest = compared(&path, connection, args).await;
    drop(cluster);
    match digest {
        Ok(digest) => Ok(Done { before, now, digest: Some(digest) }),
        // Nodes went on appending meanwhile: then they live, and this was not the last stretch.
        Err(error) if error.downcast_ref::<Differ>().is_some_and(|d| d.grew) => {
            Ok(Done { before, now, digest: None })
        }
        Err(error) => Err(error),
    }
}

/// Two logs that are not the same.
#[derive(Debug, thiserror::Error)]
#[error("the logs are not the same: {here:?} here, {there:?} in the cluster")]
struct Differ {
    here: Digest,
    there: Digest,
    grew: bool,
}

/// Reads the cluster once more, into a copy of its own, and compares.
async fn compared(path: &Path, connection: &str, args: &Args) -> anyhow::Result<Digest> {
    let scratch = tempfile::tempdir().context("no room for the copy to compare with")?;
    let copy = scratch.path().join("copy.db");
    let cluster = open(connection, &args.comune, &copy).await?;
    let ours = path.to_owned();
    let digests = tokio::task::spawn_blocking(move || Ok((digest(&ours)?, digest(&copy)?)));
    let (here, there) = digests.await?.map_err(|error: StoreError| anyhow::Error::from(error))?;
    drop(cluster);
    if here == there {
        return Ok(here);
    }
    Err(Differ { here, there, grew: there.head != here.head }.into())
}

async fn open(connection: &str, comune: &ComuneId, copy: &Path) -> anyhow::Result<ClusterLog> {
    let copy = Arc::new(SqliteLog::open(copy, sqlite::Options::default())?);
    let cluster = ClusterLog::open(connection, comune.as_str(), copy)?;
    cluster.caught_up(FILLING).await?;
    Ok(cluster)
}

fn bar(args: &Args) -> ProgressBar {
    let template = "{msg} {pos} events {elapsed_precise} {per_sec}";
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(args.comune.to_string());
    bar
}
