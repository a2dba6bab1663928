//! `pratica rebuild` and `pratica verify`: for who owns the data directory, with the server stopped.

use super::exit::Failure;
use super::keys::KeyArgs;
use super::output::{self, Format};
use super::serve::{comuni_in, runtime};
use super::verify::LogArgs;
use crate::app::evidence;
use crate::app::settings::Settings;
use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use pratica_domain::ids::ComuneId;
use pratica_projections::{AsOf, Digest, Rules, Views, ViewsOptions};
use pratica_store::evidence::{Tree, audit, stated};
use pratica_store::sqlite::Verified;
use pratica_store::{BlindIndex, EventReader, Position, SqliteLog, Vault, sqlite};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Which comuni of which directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of the data. No server may be running on it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    #[command(flatten)]
    keys: KeyArgs,
    /// A comune; repeat for several. Without one, every comune of the directory.
    #[arg(long)]
    comune: Vec<ComuneId>,
}

/// A comune opened without a server.
struct Town {
    log: Arc<SqliteLog>,
    vault: Arc<Vault>,
    rules: Rules,
    directory: PathBuf,
}

impl Args {
    /// These comuni of a directory.
    pub(crate) fn of(data: PathBuf, keys: KeyArgs, comune: Vec<ComuneId>) -> Args {
        Args { data, keys, comune }
    }

    fn comuni(&self) -> anyhow::Result<Vec<ComuneId>> {
        let comuni =
            if self.comune.is_empty() { comuni_in(&self.data)? } else { self.comune.clone() };
        ensure!(!comuni.is_empty(), "{} holds no comune", self.data.display());
        Ok(comuni)
    }
}

fn open(args: &Args, comune: &ComuneId) -> anyhow::Result<Town> {
    let data: &Path = &args.data;
    let directory = data.join(comune.as_str());
    let file = directory.join("log.db");
    ensure!(file.is_file(), "{} holds no log: check --data and --comune", directory.display());
    let settings = Settings::read(&directory)?;
    let rules = settings.rules(&directory)?;
    let log = SqliteLog::open(&file, sqlite::Options::default())?;
    let vault = Arc::new(args.keys.of(data).open(comune, &directory, true)?);
    Ok(Town { log: Arc::new(log), vault, rules, directory })
}

/// A bar on stderr; none where nobody looks.
pub(crate) fn bar(title: &str) -> ProgressBar {
    let bar = ProgressBar::no_length().with_message(title.to_owned());
    let style = "{msg} [{bar:40}] {pos}/{len} events, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

/// Builds the views of each comune again from its log, and prints their digest.
pub(crate) fn rebuild(args: &Args, format: Format) -> Result<(), Failure> {
    let runtime = runtime()?;
    let mut rows = Vec::new();
    for comune in args.comuni()? {
        let town = open(args, &comune)?;
        let rebuilt = rebuild_views(&runtime, &town, &comune)?;
        rows.push((comune, rebuilt.position, rebuilt.value.to_string()));
    }
    if format == Format::Json {
        let all: Vec<_> = rows
            .iter()
            .map(|(c, p, d)| json!({ "comune": c.as_str(), "position": p.get(), "content_digest": d }))
            .collect();
        output::json(&json!(all));
    } else {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|(c, p, d)| vec![c.to_string(), p.get().to_string(), d.clone()])
            .collect();
        output::table(&["COMUNE", "POSITION", "CONTENT DIGEST"], &rows);
    }
    Ok(())
}

/// Checks each log, reads every event of it, and builds the views: the digest of each.
pub(crate) fn check_and_rebuild(
    runtime: &Runtime,
    args: &Args,
) -> anyhow::Result<Vec<(ComuneId, String)>> {
    let mut digests = Vec::new();
    for comune in args.comuni()? {
        let town = open(args, &comune)?;
        check(runtime, &town, &comune)?;
        let rebuilt = rebuild_views(runtime, &town, &comune)?;
        digests.push((comune, rebuilt.value.to_string()));
    }
    Ok(digests)
}

fn rebuild_views(
    runtime: &Runtime,
    town: &Town,
    comune: &ComuneId,
) -> anyhow::Result<AsOf<Digest>> {
    let index: Arc<dyn BlindIndex> = Arc::clone(&town.vault) as Arc<dyn BlindIndex>;
    let (views, projector) =
        Views::open(&town.directory.join("views.db"), ViewsOptions::default(), index)?;
    let bar = bar(comune.as_str());
    let progress = |position: Position, head: Position| {
        bar.set_length(head.get());
        bar.set_position(position.get());
    };
    let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
    let rebuilt = runtime
        .block_on(async {
            views.rebuild(reader, &town.rules, progress).await?;
            views.content_digest().await
        })
        .with_context(|| format!("cannot rebuild the views of {comune}"))?;
    bar.finish_and_clear();
    drop(projector);
    Ok(rebuilt)
}

fn check(runtime: &Runtime, town: &Town, comune: &ComuneId) -> anyhow::Result<(Verified, u64)> {
    runtime
        .block_on(async {
            let verified = town.log.verify().await?;
            let events = decode_all(town, comune).await?;
            anyhow::Ok((verified, events))
        })
        .with_context(|| format!("the log of {comune} is not sound"))
}

/// Checks each log: positions and revisions gapless, every event readable by this version.
pub(crate) fn verify(args: &Args, format: Format) -> Result<(), Failure> {
    let runtime = runtime()?;
    let mut rows = Vec::new();
    for comune in args.comuni()? {
        let town = open(args, &comune)?;
        let (verified, events) = check(&runtime, &town, &comune)?;
        rows.push((comune, verified, events));
    }
    if format == Format::Json {
        let all: Vec<_> = rows
            .iter()
            .map(|(c, v, events)| {
                json!({ "comune": c.as_str(), "position": v.head.get(), "streams": v.streams,
                        "requests": v.requests, "events_decoded": events })
            })
            .collect();
        output::json(&json!(all));
    } else {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|(c, v, events)| {
                vec![
                    c.to_string(),
                    v.head.get().to_string(),
                    v.streams.to_string(),
                    v.requests.to_string(),
                    format!("{events} decoded"),
                ]
            })
            .collect();
        output::table(&["COMUNE", "POSITION", "STREAMS", "REQUESTS", "EVENTS"], &rows);
    }
    Ok(())
}

/// Checks each log against its tree, its own checkpoints and those that witnesses kept.
pub(crate) fn verify_evidence(args: &LogArgs, format: Format) -> Result<(), Failure> {
    let runtime = runtime()?;
    let mut rows = Vec::new();
    for comune in args.log.comuni()? {
        let town = open(&args.log, &comune)?;
        let settings = Settings::read(&town.directory).map_err(anyhow::Error::from)?;
        let signer = evidence::signer(&comune, &settings.evidence, &town.vault)?;
        let tree =
            Tree::open(&evidence::tree_path(&town.directory)).map_err(anyhow::Error::from)?;
        let mut notes = tree.checkpoints().map_err(anyhow::Error::from)?;
        for path in &args.witness {
            notes.extend(witnessed(path, signer.name())?);
        }
        let stated = notes
            .iter()
            .map(|note| stated(note, &signer.verifier()))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("a checkpoint of {comune} was not signed by its key"))?;
        let bar = bar(comune.as_str());
        let audited = runtime
            .block_on(audit(&*town.log, Some(&tree), &stated, |at, head| {
                bar.set_length(head.get());
                bar.set_position(at.get());
            }))
            .with_context(|| format!("the log of {comune} is not what was signed"))?;
        bar.finish_and_clear();
        rows.push((comune, audited));
    }
    if format == Format::Json {
        let all: Vec<_> = rows
            .iter()
            .map(|(c, a)| {
                json!({ "comune": c.as_str(), "events": a.events, "checkpoints": a.checkpoints,
                        "root": a.root.to_string() })
            })
            .collect();
        output::json(&json!(all));
    } else {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|(c, a)| {
                vec![
                    c.to_string(),
                    a.events.to_string(),
                    a.checkpoints.to_string(),
                    a.root.to_string(),
                ]
            })
            .collect();
        output::table(&["COMUNE", "EVENTS", "CHECKPOINTS", "ROOT"], &rows);
    }
    Ok(())
}

/// The checkpoints of an origin in a file or a directory.
fn witnessed(path: &Path, origin: &str) -> anyhow::Result<Vec<String>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    if path.is_file() {
        return Ok(vec![read(path)?]);
    }
    let mut notes = Vec::new();
    for entry in
        std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "checkpoint") {
            notes.push(read(&path)?);
        }
    }
    // A witness may keep those of several comuni.
    notes.retain(|note| note.lines().next() == Some(origin));
    Ok(notes)
}

/// Reads every event with this version's codec.
async fn decode_all(town: &Town, comune: &ComuneId) -> anyhow::Result<u64> {
    let bar = bar(comune.as_str());
    let mut after = Position::START;
    let mut events = 0;
    loop {
        let page = town
            .log
            .read_all(
                after,
                pratica_store::Direction::Forwards,
                &pratica_store::Filter::all(),
                1_000,
            )
            .await?;
        for event in &page.events {
            pratica_store::codec::open(event, &town.vault)?;
            event.metadata()?;
            events += 1;
        }
        bar.set_length(page.head.get());
        bar.set_position(page.next.get());
        if page.next >= page.head {
            bar.finish_and_clear();
            return Ok(events);
        }
        after = page.next;
    }
}
