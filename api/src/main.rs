//! The binary `pratica`: parse, run, print what failed with its whole chain.

use clap::Parser as _;
use pratica_api::cli::{Cli, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(Cli::parse())
}
