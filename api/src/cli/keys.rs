//! `pratica keys`: the master key of a comune, for who owns the data directory, with the server
//! stopped; and the argument by which every command that opens the data is told where it is.

use super::exit::Failure;
use super::output::{self, Format};
use super::upkeep::bar;
use crate::app::keys::{MasterKeys, make_key, shared_path, vault_path};
use anyhow::Context as _;
use pratica_domain::ids::ComuneId;
use pratica_store::Vault;
use std::path::{Path, PathBuf};

/// Where the master keys are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeyArgs {
    /// Where the comune's master key comes from: file:PATH, env:NAME or command:PROGRAM, with
    /// {comune} in it for several comuni; or demo, a key within the data. By default file:DATA-keys/{comune}.key, made for a new
    /// comune.
    #[arg(long, env = "PRATICA_MASTER_KEY_FROM", value_name = "SOURCE")]
    master_key: Option<MasterKeys>,
}

impl KeyArgs {
    /// What was asked for, or the default beside the data.
    pub(crate) fn of(&self, data: &Path) -> MasterKeys {
        self.master_key.clone().unwrap_or_else(|| MasterKeys::beside(data))
    }
}

/// What to do with the keys.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a new master key in a file.
    New {
        /// The file; it must not exist.
        path: PathBuf,
    },
    /// Wrap every key of a comune with another master key. May be stopped and run again.
    Rotate(RotateArgs),
    /// Count the keys of a comune.
    Status(StatusArgs),
    /// Put the keys of a comune into a directory that several nodes share; new ones for a new comune.
    Share(ShareArgs),
    /// Take the keys of a comune out of such a directory, for a single node again.
    Unshare(ShareArgs),
}

/// Arguments of `pratica keys share` and `pratica keys unshare`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShareArgs {
    /// Directory of the data. No server may be running on it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// The comune.
    #[arg(long)]
    comune: ComuneId,
    #[command(flatten)]
    keys: KeyArgs,
    /// The shared directory, as `[log] keys` in the comune's settings names it.
    #[arg(long, value_name = "DIRECTORY")]
    shared: PathBuf,
}

/// Arguments of `pratica keys rotate`.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArgs {
    /// Directory of the data. No server may be running on it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// The comune.
    #[arg(long)]
    comune: ComuneId,
    #[command(flatten)]
    keys: KeyArgs,
    /// Where the new master key is: file:PATH, env:NAME or command:PROGRAM.
    #[arg(long, value_name = "SOURCE")]
    new_key: MasterKeys,
    /// The directory of keys that several nodes share, where the comune's are there. No node may
    /// be running.
    #[arg(long, value_name = "DIRECTORY")]
    shared: Option<PathBuf>,
}

/// Arguments of `pratica keys status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Directory of the data. No server may be running on it.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// The comune.
    #[arg(long)]
    comune: ComuneId,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(command: &Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::New { path } => {
            make_key(path).map_err(anyhow::Error::from)?;
            output::pairs(&[("master key", path.display().to_string())]);
            Ok(())
        }
        Command::Rotate(args) => rotate(args, format),
        Command::Status(args) => status(args, format),
        Command::Share(args) => share(args, format),
        Command::Unshare(args) => unshare(args, format),
    }
}

fn share(args: &ShareArgs, format: Format) -> Result<(), Failure> {
    let directory = args.data.join(args.comune.as_str());
    let file = vault_path(&directory);
    let from = file.is_file().then_some(file.as_path());
    let keys = args.keys.of(&args.data);
    let master = keys.of(&args.comune, &directory).map_err(anyhow::Error::from)?;
    let shared = shared_path(&args.shared, &args.comune);
    let vault = Vault::share(from, &shared, &master).map_err(anyhow::Error::from)?;
    print_count(&args.comune, &vault, format)?;
    if from.is_some() {
        eprintln!(
            "Once the nodes use the shared keys, destroy {} and every copy of it: it opens what is \
             erased from then on.",
            file.display()
        );
    }
    Ok(())
}

fn unshare(args: &ShareArgs, format: Format) -> Result<(), Failure> {
    let directory = args.data.join(args.comune.as_str());
    let keys = args.keys.of(&args.data);
    let master = keys.of(&args.comune, &directory).map_err(anyhow::Error::from)?;
    let shared = shared_path(&args.shared, &args.comune);
    let vault = Vault::unshare(&shared, &vault_path(&directory), &master);
    print_count(&args.comune, &vault.map_err(anyhow::Error::from)?, format)
}

fn vault_of(data: &Path, comune: &ComuneId) -> anyhow::Result<(PathBuf, PathBuf)> {
    let directory = data.join(comune.as_str());
    let vault = vault_path(&directory);
    anyhow::ensure!(vault.is_file(), "{} is missing: check --data and --comune", vault.display());
    Ok((directory, vault))
}

fn rotate(args: &RotateArgs, format: Format) -> Result<(), Failure> {
    let (directory, vault) = match &args.shared {
        Some(keys) => (args.data.join(args.comune.as_str()), shared_path(keys, &args.comune)),
        None => vault_of(&args.data, &args.comune)?,
    };
    let key = |from: &MasterKeys| from.of(&args.comune, &directory).map_err(anyhow::Error::from);
    let (old, new) = (key(&args.keys.of(&args.data))?, key(&args.new_key)?);
    let bar = bar("rewrapping");
    let done = Vault::rotate(&vault, &old, &new, |at| {
        bar.set_length(at.total);
        bar.set_position(at.done);
    })
    .context("the rotation stopped; run it again with the same two keys")?;
    bar.finish_and_clear();
    if format == Format::Json {
        output::json(&serde_json::json!({ "comune": args.comune.as_str(), "keys": done.total }));
    } else {
        output::pairs(&[("comune", args.comune.to_string()), ("keys", done.total.to_string())]);
        eprintln!(
            "Destroy the old master key and every copy of it: until then, older copies of keys.db \
             open what was erased since."
        );
    }
    Ok(())
}

fn status(args: &StatusArgs, format: Format) -> Result<(), Failure> {
    let (directory, _) = vault_of(&args.data, &args.comune)?;
    let keys = args.keys.of(&args.data);
    let vault = keys.open(&args.comune, &directory, true).map_err(anyhow::Error::from)?;
    print_count(&args.comune, &vault, format)
}

fn print_count(comune: &ComuneId, vault: &Vault, format: Format) -> Result<(), Failure> {
    let (made, destroyed) = vault.count().map_err(anyhow::Error::from)?;
    if format == Format::Json {
        output::json(&serde_json::json!({
            "comune": comune.as_str(), "keys": made, "destroyed": destroyed
        }));
    } else {
        output::pairs(&[
            ("comune", comune.to_string()),
            ("keys", made.to_string()),
            ("destroyed", destroyed.to_string()),
        ]);
    }
    Ok(())
}
