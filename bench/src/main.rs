//! How fast Pratica is, beside what could be had without it, in one run on one machine.
//!
//! The goals stand in `docs/performance.md`. Each work is measured several times, its variants in
//! turn, and its result is checked afterwards: a store that loses events is not fast. Never run
//! this as a test in CI: the figures are a machine's, not the code's alone.

mod appending;
mod clients;
mod commands;
mod declaration;
mod figures;
mod fill;
mod grown;
mod growth;
mod loading;
mod machine;
mod peers;
mod place;
mod queries;
mod raw;
mod ready;
mod replay;
mod report;
mod resident;
mod sealing;
mod serving;
mod town;
mod watching;
mod window;
mod wire;

use clap::Parser;
use grown::Towns;
use peers::Peers;
use pratica_api::cli;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

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
    #[arg(long, value_name = "WORK", value_parser = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "L1", "L2", "S1", "S2", "C1"])]
    only: Vec<String>,
    /// Other event stores beside Pratica in W1, W2, W3 and W4: builds them first, from crates.io.
    #[arg(long)]
    peers: bool,
    /// How often each variant is measured; the table shows the median.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// The numbers of clients of W2.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,256")]
    clients: Vec<usize>,
    /// Events of W4.
    #[arg(long, default_value_t = 200_000)]
    events: u64,
    /// The numbers of cases of W5 and W8 (the others against the first) and W7 (the last); some
    /// fourteen events each, with the register's. A million takes some twenty minutes
    /// to make and 16 GB, and as many again while W8 measures.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
    cases: Vec<u64>,
    /// Clients of S1.
    #[arg(long, default_value_t = 200)]
    window_clients: usize,
    /// Applications of S1.
    #[arg(long, default_value_t = 10_000)]
    applications: usize,
    /// L2: what the day follows from.
    #[arg(long, default_value_t = 20_260_310)]
    seed: u64,
    /// L2: calls a second in the forenoon.
    #[arg(long, default_value_t = 150.0)]
    rate: f64,
    /// L2: how many seconds the day lasts.
    #[arg(long, default_value_t = 60)]
    day: u64,
    /// L2: how many watch cases meanwhile.
    #[arg(long, default_value_t = 400)]
    watchers: usize,
    /// Where the towns of W5 and W7 are kept for later runs; W8 uses them up.
    #[arg(long, value_name = "DIRECTORY")]
    towns: Option<PathBuf>,
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
    /// Cases of the towns of W5, W7 and W8.
    pub(crate) cases: Vec<u64>,
    /// Cases of W3.
    pub(crate) long_cases: u64,
    /// Clients and applications of S1.
    pub(crate) window: (usize, usize),
    /// The day of L2.
    pub(crate) day: town::Day,
    pub(crate) directory: PathBuf,
    /// Where towns are kept.
    pub(crate) towns: PathBuf,
}

/// The first argument by which this program is the command line `pratica`.
pub(crate) const AS_PRATICA: &str = "as-pratica";

fn main() -> anyhow::Result<ExitCode> {
    let mut words = std::env::args_os();
    if words.nth(1).is_some_and(|word| word == AS_PRATICA) {
        let words = std::iter::once("pratica".into()).chain(words);
        return Ok(cli::run(cli::Cli::parse_from(words)));
    }
    measure(Args::parse())?;
    Ok(ExitCode::SUCCESS)
}

fn measure(args: Args) -> anyhow::Result<()> {
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
        day: town::Day {
            seed: args.seed,
            per_second: args.rate,
            seconds: args.day.max(1),
            watchers: args.watchers,
            cases: 5_000,
        },
        directory: temporary.path().to_owned(),
        towns: args.towns.clone().unwrap_or_else(|| temporary.path().to_owned()),
    };
    if args.quick {
        size.runs = size.runs.min(2);
        size.slice_ms = 200;
        size.clients = vec![1, 8];
        size.events = 5_000;
        size.cases = vec![200, 600];
        size.long_cases = 50;
        size.window = (8, 80);
        size.day.per_second = size.day.per_second.min(30.0);
        size.day.seconds = size.day.seconds.min(5);
        size.day.watchers = size.day.watchers.min(80);
        size.day.cases = 200;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::new(machine::describe(&size.directory)?);
    let wanted = |work: &str| args.only.is_empty() || args.only.iter().any(|o| o == work);
    let peers = if args.peers { Peers::build(&mut report)? } else { Peers::default() };
    if wanted("W1") {
        report.measure("W1", |r| appending::run(&runtime, &size, &peers, r))?;
    }
    if wanted("W2") {
        report.measure("W2", |r| runtime.block_on(commands::run(&size, &peers, r)))?;
    }
    if wanted("W3") {
        report.measure("W3", |r| runtime.block_on(loading::run(&size, &peers, r)))?;
    }
    if wanted("W4") {
        report.measure("W4", |r| runtime.block_on(replay::run(&size, &peers, r)))?;
    }
    if wanted("W6") {
        report.measure("W6", |r| runtime.block_on(watching::push(&size, r)))?;
    }
    let mut towns = Towns::default();
    if wanted("W5") {
        report.measure("W5", |r| runtime.block_on(queries::run(&size, &mut towns, r)))?;
    }
    if wanted("W7") {
        report.measure("W7", |r| runtime.block_on(resident::run(&size, &mut towns, r)))?;
    }
    if wanted("W8") {
        report.measure("W8", |r| runtime.block_on(growth::run(&size, &mut towns, r)))?;
    }
    drop(towns);
    if wanted("L1") {
        report.measure("L1", |r| runtime.block_on(watching::overload(&size, r)))?;
    }
    if wanted("L2") {
        report.measure("L2", |r| runtime.block_on(town::run(&size, r)))?;
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
