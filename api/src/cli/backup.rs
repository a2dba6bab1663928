//! `pratica backup`, `pratica restore` and `pratica verify backup`.

use super::exit::Failure;
use super::keys::KeyArgs;
use super::output::{self, Format};
use super::serve::{comuni_in, runtime};
use super::upkeep;
use crate::app::backup::{self, Manifest, Restore};
use anyhow::Context as _;
use pratica_domain::ids::ComuneId;
use pratica_store::{Position, sqlite};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `pratica backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// Directory of the data. A server may be running on it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// A comune; repeat for several. Without one, every comune of the directory.
    #[arg(long)]
    comune: Vec<ComuneId>,
    /// The directory to make; it must not exist.
    #[arg(long, value_name = "DIRECTORY")]
    to: PathBuf,
}

/// Arguments of `pratica restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The directory of the backup.
    #[arg(long, value_name = "DIRECTORY")]
    from: PathBuf,
    /// Directory of the data. The comune must not be in it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// A comune; repeat for several. Without one, every comune of the backup.
    #[arg(long)]
    comune: Vec<ComuneId>,
    /// Up to and including the event at this position; what came after is given up.
    #[arg(long, value_name = "POSITION")]
    until: Option<u64>,
    /// A newer keys.db than the backup's, so that what was erased since stays erased.
    #[arg(long, value_name = "FILE")]
    newer_keys: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
}

/// Arguments of `pratica verify backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The directory of the backup.
    directory: PathBuf,
}

/// Copies comuni while they serve.
pub(crate) fn make(args: &BackupArgs, format: Format) -> Result<(), Failure> {
    let comuni = if args.comune.is_empty() {
        comuni_in(&args.data).with_context(|| format!("cannot read {}", args.data.display()))?
    } else {
        args.comune.clone()
    };
    let manifest = backup::make(&args.data, &comuni, &args.to, jiff::Timestamp::now())?;
    show(&manifest, format)?;
    if format == Format::Table {
        eprintln!(
            "The master keys are not in it, so that it cannot be read where it lies: keep a copy of \
             them elsewhere."
        );
    }
    Ok(())
}

/// Checks a backup's files against their hashes, and its logs as `pratica verify` does.
pub(crate) fn check(args: &CheckArgs, format: Format) -> Result<(), Failure> {
    let manifest = backup::check(&args.directory)?;
    let runtime = runtime()?;
    for comune in manifest.comuni.keys() {
        let log = args.directory.join(comune.as_str()).join("log.db");
        runtime
            .block_on(sqlite::verify_file(&log))
            .with_context(|| format!("the log of {comune} in the backup is not sound"))?;
    }
    show(&manifest, format)
}

/// Brings comuni back: files, check of every event, views.
pub(crate) fn restore(args: &RestoreArgs, format: Format) -> Result<(), Failure> {
    let manifest = backup::check(&args.from)?;
    let comuni: Vec<ComuneId> = if args.comune.is_empty() {
        manifest.comuni.keys().cloned().collect()
    } else {
        args.comune.clone()
    };
    let restore = Restore {
        backup: &args.from,
        data: &args.data,
        until: args.until.map(Position::new),
        vault: args.newer_keys.as_deref(),
    };
    let mut restored = Vec::new();
    for comune in &comuni {
        restored.push(restore.comune(&manifest, comune)?);
    }
    restore.shared(&manifest)?;
    let owned = upkeep::Args::of(args.data.clone(), args.keys.clone(), comuni);
    let built = upkeep::check_and_rebuild(&runtime()?, &owned).context(
        "the files are back, but the data is not sound: move them away and use another backup",
    )?;
    if format == Format::Json {
        let all: Vec<_> = restored
            .iter()
            .zip(&built)
            .map(|(r, (_, digest))| {
                json!({ "comune": r.comune.as_str(), "events": r.events, "left_out": r.left_out,
                        "content_digest": digest })
            })
            .collect();
        output::json(&json!(all));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = restored
        .iter()
        .zip(&built)
        .map(|(r, (_, digest))| {
            vec![r.comune.to_string(), r.events.to_string(), r.left_out.to_string(), digest.clone()]
        })
        .collect();
    output::table(&["COMUNE", "EVENTS", "LEFT OUT", "CONTENT DIGEST"], &rows);
    if restored.iter().any(|r| r.left_out > 0) {
        eprintln!(
            "Events were left out: protocol numbers given after that position will be given again, \
             and checkpoints that witnesses keep will say that there was more. Note the reason."
        );
    }
    Ok(())
}

fn show(manifest: &Manifest, format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        output::json(&serde_json::to_value(manifest).map_err(anyhow::Error::from)?);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = manifest
        .comuni
        .iter()
        .map(|(comune, kept)| {
            let bytes: u64 = kept.files.values().map(|file| file.bytes).sum();
            vec![
                comune.to_string(),
                kept.events.to_string(),
                kept.files.len().to_string(),
                bytes.to_string(),
            ]
        })
        .collect();
    output::table(&["COMUNE", "EVENTS", "FILES", "BYTES"], &rows);
    Ok(())
}
