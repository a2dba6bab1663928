//! How fast Pratica is, beside what could be had without it, in one run on one machine.
//!
//! The goals stand in `docs/performance.md`. Each work is measured several times, its variants in
//! turn, and its result is checked afterwards: a store that loses events is not fast. Never run
//! this as a test in CI: the figures are a machine's, not the code's alone.

mod appending;
mod clients;
mod commands;
mod figures;
mod fill;
mod loading;
mod machine;
mod place;
mod queries;
mod raw;
mod replay;
mod report;
mod sealing;
mod serving;
mod watching;
mod window;
mod wire;

use clap::Parser;
use report::Report;
use std::path::PathBuf;

/// As in the binary.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Pratica against its goals and prints one table.
#[derive(Debug, Parser)]
#[command(name = "pratica-bench", version)]
struct Args {
    /// Writes the table as JSON too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A small size that only shows that everything runs.
    #[arg(long)]
    quick: bool,
    /// One work only; repeat for several.
    #[arg(long, value_name = "WORK", value_parser = ["W1", "W2", "W3", "W4", "W5", "W6", "L1", "S1", "S2", "C1"])]
    only: Vec<String>,
    /// How often each variant is measured; the table shows the median.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// The numbers of clients of W2.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    clients: Vec<usize>,
    /// Events of W4.
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// The numbers of cases of W5; the first is what the others are held against.
    #[arg(long, value_delimiter = ',', default_value = "10000,200000")]
    cases: Vec<u64>,
    /// Clients of S1.
    #[arg(long, default_value_t = 200)]
    window_clients: usize,
    /// Applications of S1.
    #[arg(long, default_value_t = 10_000)]
    applications: usize,
    /// Where the files are made; they go when the run ends. A directory in memory measures no disk.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// How much is measured.
pub(crate) struct Size {
    pub(crate) runs: usize,
    /// How long one variant runs once, in milliseconds.
    pub(crate) slice_ms: u64,
    pub(crate) clients: Vec<usize>,
    pub(crate) events: u64,
    pub(crate) cases: Vec<u64>,
    /// Cases of W3.
    pub(crate) long_cases: u64,
    /// Clients and applications of S1.
    pub(crate) window: (usize, usize),
    pub(crate) directory: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let parent = args.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let temporary = tempfile::Builder::new().prefix(".pratica-bench-").tempdir_in(parent)?;
    let mut size = Size {
        runs: args.runs.max(1),
        slice_ms: 1500,
        clients: args.clients.clone(),
        events: args.events,
        cases: args.cases.clone(),
        long_cases: 500,
        window: (args.window_clients.max(1), args.applications),
        directory: temporary.path().to_owned(),
    };
    if args.quick {
        size.runs = size.runs.min(2);
        size.slice_ms = 200;
        size.clients = vec![1, 8];
        size.events = 5_000;
        size.cases = vec![200, 600];
        size.long_cases = 50;
        size.window = (8, 80);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::new(machine::describe(&size.directory)?);
    let wanted = |work: &str| args.only.is_empty() || args.only.iter().any(|o| o == work);
    if wanted("W1") {
        report.measure("W1", |r| appending::run(&runtime, &size, r))?;
    }
    if wanted("W2") {
        report.measure("W2", |r| runtime.block_on(commands::run(&size, r)))?;
    }
    if wanted("W3") {
        report.measure("W3", |r| runtime.block_on(loading::run(&size, r)))?;
    }
    if wanted("W4") {
        report.measure("W4", |r| runtime.block_on(replay::run(&size, r)))?;
    }
    if wanted("W5") {
        report.measure("W5", |r| runtime.block_on(queries::run(&size, r)))?;
    }
    if wanted("W6") {
        report.measure("W6", |r| runtime.block_on(watching::push(&size, r)))?;
    }
    if wanted("L1") {
        report.measure("L1", |r| runtime.block_on(watching::overload(&size, r)))?;
    }
    if wanted("S1") {
        report.measure("S1", |r| runtime.block_on(window::run(&size, r)))?;
    }
    if wanted("S2") {
        report.measure("S2", |r| sealing::run(&runtime, &size, r))?;
    }
    if wanted("C1") {
        report.measure("C1", |r| runtime.block_on(wire::run(&size, r)))?;
    }
    report.disk_afterwards(&size.directory)?;
    println!("{report}");
    if let Some(file) = args.json {
        std::fs::write(&file, serde_json::to_vec_pretty(&report.json())?)?;
    }
    Ok(())
}
