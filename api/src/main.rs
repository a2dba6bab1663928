//! The binary `pratica`: parse, run, print what failed with its whole chain.

use clap::Parser as _;
use pratica_api::cli::{Cli, run};
use std::process::ExitCode;

/// Requests and replays make many small values on several threads.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(Cli::parse())
}
