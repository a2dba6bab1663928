//! protoc as crates.io has it, for the build of a peer.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

fn main() -> anyhow::Result<()> {
    let protoc = protoc_bin_vendored::protoc_bin_path()?;
    // Only returns when it could not begin.
    Err(Command::new(protoc).args(std::env::args_os().skip(1)).exec().into())
}
