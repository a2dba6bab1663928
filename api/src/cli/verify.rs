//! `pratica verify`: the log against what was signed, and a receipt against the published key.

use super::backup;
use super::exit::Failure;
use super::output::{self, Format};
use super::upkeep;
use anyhow::Context as _;
use pratica_store::evidence::{Receipt, Verifier};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `pratica verify`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    log: upkeep::Args,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Compute the tree of the log anew and compare it with every checkpoint.
    Log(LogArgs),
    /// Check a receipt, offline, with the key that the comune publishes.
    Receipt(ReceiptArgs),
    /// Check a backup: each file against its hash, each log as a whole.
    Backup(backup::CheckArgs),
}

/// Arguments of `pratica verify log`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    pub(crate) log: upkeep::Args,
    /// A checkpoint that a witness kept, or a directory of them; repeat for several.
    #[arg(long, value_name = "PATH")]
    pub(crate) witness: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ReceiptArgs {
    /// The receipt's file.
    file: PathBuf,
    /// The comune's verification key, as published: NAME+HEX+BASE64.
    #[arg(long)]
    key: String,
}

pub(crate) fn run(args: &VerifyArgs, format: Format) -> Result<(), Failure> {
    match &args.what {
        None => upkeep::verify(&args.log, format),
        Some(What::Log(log)) => upkeep::verify_evidence(log, format),
        Some(What::Receipt(args)) => receipt(args, format),
        Some(What::Backup(args)) => backup::check(args, format),
    }
}

fn receipt(args: &ReceiptArgs, format: Format) -> Result<(), Failure> {
    let key: Verifier = args.key.parse().map_err(|e| Failure::Usage(format!("--key: {e}")))?;
    let text = std::fs::read_to_string(&args.file)
        .with_context(|| format!("cannot read {}", args.file.display()))?;
    let receipt: Receipt = text.parse().map_err(anyhow::Error::from)?;
    let stated = receipt.verify(&key).map_err(anyhow::Error::from)?;
    if format == Format::Json {
        output::json(&json!({
            "valid": true, "origin": stated.origin, "size": stated.size, "event": receipt.leaf
        }));
    } else {
        print!("{}", receipt.leaf);
        output::pairs(&[
            ("in the log of", stated.origin),
            ("as signed over", format!("{} events", stated.size)),
            ("receipt", "valid".to_owned()),
        ]);
    }
    Ok(())
}
