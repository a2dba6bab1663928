//! The command line. Data goes to stdout, everything else to stderr.
//!
//! Commands that own a data directory (`serve`, `import`, `verify`, `rebuild`, `recount`, `backup`, `restore`) open it; every other
//! one is a client of a running server and knows the contract only.

mod ask;
mod backup;
pub mod client;
pub mod commands;
mod demo;
mod exit;
mod explain;
pub mod fill;
mod fiscal_code;
mod import;
mod keys;
mod migrate;
mod output;
mod ranking;
mod recount;
mod serve;
mod show;
mod term;
mod token;
mod upkeep;
mod verify;

pub use exit::{Exit, Failure};
pub use serve::log_filter;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Pratica: cases of an Italian comune as immutable events, over gRPC.
#[derive(Debug, Parser)]
#[command(name = "pratica", version, propagate_version = true)]
pub struct Cli {
    /// How results are printed: tables for people, JSON for programs.
    #[arg(long, global = true, value_enum, default_value_t = output::Format::Table)]
    pub format: output::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one or more comuni over gRPC.
    Serve(serve::Args),
    /// Live a year in an invented town, over gRPC, and show what each user would look at.
    Demo(demo::Args),
    /// Bring in the case histories of an older system.
    Import(import::Args),
    /// Mint a token signed by the server's own key.
    Token(token::Args),
    /// Compute the end of a legal term, with its explanation.
    Term(term::Args),
    /// Check a fiscal code and say what it holds.
    FiscalCode(fiscal_code::Args),
    /// Compute a school ranking again from its file; nothing is asked of a server.
    #[command(subcommand)]
    Ranking(ranking::Ranking),
    /// Explain the code of a refusal: what it means and what helps.
    Explain(explain::Args),
    /// Build the views again from the log, with the server stopped.
    Rebuild(upkeep::Args),
    /// Count the statistics from the log alone, as they stood at any position.
    Recount(recount::Args),
    /// Copy comuni to a new directory, also while they are served.
    Backup(backup::BackupArgs),
    /// Bring comuni back from a backup, whole or up to a position, checked and with their views.
    Restore(backup::RestoreArgs),
    /// Check the log: gapless, consistent, every event readable; or its evidence, a receipt, a backup.
    Verify(verify::VerifyArgs),
    /// Make, rotate and count the keys of personal data.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Move a comune's log into a cluster, or out of it.
    Migrate(migrate::Args),
    #[command(flatten)]
    Ask(ask::Ask),
    /// Print the completion script of a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Runs a command and answers its exit code.
pub fn run(cli: Cli) -> ExitCode {
    let format = cli.format;
    let done = match cli.command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Import(args) => import::run(&args, format),
        Command::Token(args) => token::run(&args),
        Command::Term(args) => term::run(&args, format),
        Command::FiscalCode(args) => fiscal_code::run(&args, format),
        Command::Ranking(ranking) => ranking::run(&ranking, format),
        Command::Explain(args) => explain::run(&args, format),
        Command::Rebuild(args) => upkeep::rebuild(&args, format),
        Command::Recount(args) => recount::run(&args, format),
        Command::Backup(args) => backup::make(&args, format),
        Command::Restore(args) => backup::restore(&args, format),
        Command::Verify(args) => verify::run(&args, format),
        Command::Keys(command) => keys::run(&command, format),
        Command::Migrate(args) => migrate::run(&args, format),
        Command::Ask(ask) => ask::run(ask, format),
        Command::Completions { shell } => {
            let mut command = <Cli as clap::CommandFactory>::command();
            clap_complete::generate(shell, &mut command, "pratica", &mut std::io::stdout());
            Ok(())
        }
    };
    match done {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            failure.print();
            failure.exit().into()
        }
    }
}
