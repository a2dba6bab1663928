//! Other event stores in the same run. Each is a program in a workspace of its own
//! (`bench/peers`), because two bundled SQLites do not link together; it is built here, started for
//! one work in a directory of its own, and asked for a slice when its turn comes. In between it
//! does nothing.

use crate::appending;
use crate::figures::{Figure, Rate};
use crate::report::Report;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// One of `bench/peers`.
struct Kind {
    directory: &'static str,
    /// What runs in its process, as it stands in its lock file; the table shows the versions.
    here: &'static [&'static str],
    /// What runs when it is asked for over gRPC.
    wire: &'static [&'static str],
}

const EVENTCORE: Kind = Kind { directory: "eventcore", here: &["eventcore-sqlite"], wire: &[] };
const CQRS: Kind = Kind { directory: "cqrs", here: &["cqrs-es", "sqlite-es"], wire: &[] };
const UMADB: Kind = Kind { directory: "umadb", here: &["umadb-core"], wire: &["umadb-server"] };

/// A peer that could be built.
pub(crate) struct Built {
    here: String,
    wire: String,
    directory: &'static str,
    program: PathBuf,
}

/// The peers of this run; none unless they were asked for.
#[derive(Default)]
pub(crate) struct Peers(Vec<Built>);

impl Peers {
    /// Builds them all. What cannot be built is missing from the table, and said loudly.
    pub(crate) fn build(report: &mut Report) -> anyhow::Result<Peers> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let target = std::env::current_exe()?;
        let target = target.ancestors().nth(2).context("no directory of builds")?.join("peers");
        let mut built = Vec::new();
        for kind in [EVENTCORE, CQRS, UMADB] {
            eprintln!("building the peer {} ...", kind.directory);
            let named = names(&home, &kind, kind.here)
                .and_then(|here| Ok((here, names(&home, &kind, kind.wire)?)));
            let protoc = target.join("release/peer-protoc");
            let program = target.join(format!("release/peer-{}", kind.directory));
            // UmaDB's build asks for protoc; crates.io has it.
            let ready = match kind.directory {
                "umadb" => cargo(&home.join("protoc"), &target, None),
                _ => Ok(()),
            };
            let ready =
                ready.and_then(|()| cargo(&home.join(kind.directory), &target, Some(&protoc)));
            match (ready, named) {
                (Ok(()), Ok((here, wire))) => {
                    built.push(Built { here, wire, directory: kind.directory, program });
                }
                (Err(e), _) | (_, Err(e)) => report.note(format!(
                    "!!! the peer {} could not be built and is MISSING from this table: {e:#}",
                    kind.directory
                )),
            }
        }
        Ok(Peers(built))
    }

    /// Starts those that are named, each in a directory of its own; `wire` is the server over gRPC.
    pub(crate) fn start(
        &self,
        named: &[&str],
        wire: bool,
        directory: &Path,
        report: &mut Report,
    ) -> anyhow::Result<Vec<Peer>> {
        self.0
            .iter()
            .filter(|built| named.contains(&built.directory))
            .map(|built| Peer::start(built, wire, directory, report))
            .collect()
    }
}

fn cargo(workspace: &Path, target: &Path, protoc: Option<&Path>) -> anyhow::Result<()> {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(target);
    build.current_dir(workspace).stdin(Stdio::null());
    if let Some(protoc) = protoc {
        build.env("PROTOC", protoc);
    }
    let output = build.output().context("cargo")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().find(|l| l.starts_with("error")).unwrap_or("no reason given");
        anyhow::bail!("{}: {why}", output.status);
    }
    Ok(())
}

/// The packages with the versions that the lock file pins.
fn names(home: &Path, kind: &Kind, packages: &[&str]) -> anyhow::Result<String> {
    let lock = std::fs::read_to_string(home.join(kind.directory).join("Cargo.lock"))?;
    let mut names = Vec::new();
    for package in packages {
        let begins = format!("name = \"{package}\"\nversion = \"");
        let (_, rest) = lock.split_once(&begins).with_context(|| format!("no {package} locked"))?;
        let (version, _) = rest.split_once('"').context("a lock file cut short")?;
        names.push(format!("{package} {version}"));
    }
    Ok(names.join(" with "))
}

/// A peer at work.
pub(crate) struct Peer {
    pub(crate) name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    /// What it said to have appended.
    appended: u64,
}

/// What a peer answers.
pub(crate) struct Went {
    pub(crate) done: u64,
    pub(crate) took_us: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

impl Peer {
    fn start(
        built: &Built,
        wire: bool,
        directory: &Path,
        report: &mut Report,
    ) -> anyhow::Result<Peer> {
        let own = tempfile::Builder::new().prefix(built.directory).tempdir_in(directory)?.keep();
        let mut start = Command::new(&built.program);
        start.arg(&own).args(wire.then_some("wire"));
        let mut child = start.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        let name = match wire {
            true => format!("{} over gRPC", built.wire),
            false => built.here.clone(),
        };
        let mut peer = Peer { name, child, input, output, appended: 0 };
        let metadata = serde_json::to_value(appending::metadata())?;
        let metadata: serde_json::Map<String, Value> = metadata
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((k.clone(), v.as_str()?.into())))
            .collect();
        let about = peer.ask(json!({ "payload": appending::payload(), "metadata": metadata }))?;
        let said = |field: &str| about[field].as_str().unwrap_or_default().to_owned();
        report.note(format!("{}: {}, {}", peer.name, said("engine"), said("durability")));
        Ok(peer)
    }

    fn ask(&mut self, ask: Value) -> anyhow::Result<Value> {
        let input = self.input.as_mut().context("it was told to end")?;
        writeln!(input, "{ask}").and_then(|()| input.flush()).context(self.name.clone())?;
        loop {
            let line = self.output.next().with_context(|| format!("{} has ended", self.name))??;
            // A server may print what it likes.
            if line.starts_with('{') {
                return Ok(serde_json::from_str(&line)?);
            }
        }
    }

    fn went(&mut self, ask: Value) -> anyhow::Result<Went> {
        let answer = self.ask(ask)?;
        let number = |field: &str| {
            answer[field].as_f64().with_context(|| format!("{} tells no {field}", self.name))
        };
        Ok(Went {
            done: answer["done"].as_u64().with_context(|| format!("{} did what?", self.name))?,
            took_us: number("took_us")?,
            p50_us: number("p50_us")?,
            p99_us: number("p99_us")?,
        })
    }

    /// Writers that append to new streams, one event each time.
    pub(crate) fn append(&mut self, writers: usize, slice_ms: u64) -> anyhow::Result<Went> {
        let went =
            self.went(json!({ "work": "append", "writers": writers, "slice_ms": slice_ms }))?;
        self.appended += went.done;
        Ok(went)
    }

    pub(crate) fn fill(&mut self, streams: u64, events: u64) -> anyhow::Result<()> {
        let went = self.went(json!({ "work": "fill", "streams": streams, "events": events }))?;
        self.appended += went.done;
        Ok(())
    }

    /// Loads and folds every filled stream; the peer checks that all its events were there.
    pub(crate) fn load(&mut self) -> anyhow::Result<Went> {
        self.went(json!({ "work": "load" }))
    }

    /// Replays everything into its own view.
    pub(crate) fn replay(&mut self) -> anyhow::Result<Went> {
        let went = self.went(json!({ "work": "replay" }))?;
        anyhow::ensure!(
            went.done == self.appended,
            "{}: the view knows {} of {} events",
            self.name,
            went.done,
            self.appended
        );
        Ok(went)
    }

    /// Reads everything back, and ends.
    pub(crate) fn check(mut self, report: &mut Report) -> anyhow::Result<()> {
        let found = self.went(json!({ "work": "count" }))?.done;
        anyhow::ensure!(
            found == self.appended,
            "{} appended {} events and has {found}",
            self.name,
            self.appended
        );
        report.note(format!("{}: all {found} events read back", self.name));
        self.input = None;
        let ended = self.child.wait()?;
        anyhow::ensure!(ended.success(), "{} ended with {ended}", self.name);
        Ok(())
    }
}

impl Drop for Peer {
    /// Where the work failed: nothing that was started stays.
    fn drop(&mut self) {
        if self.input.take().is_some() {
            // It may have ended by itself; what failed is told already.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Appends at different numbers of writers, over the runs.
pub(crate) struct Appends {
    pub(crate) peer: Peer,
    pub(crate) rates: Vec<Rate>,
}

impl Appends {
    pub(crate) fn of(peers: Vec<Peer>, writers: &[usize]) -> Vec<Appends> {
        let rates = vec![Rate::default(); writers.len()];
        peers.into_iter().map(|peer| Appends { peer, rates: rates.clone() }).collect()
    }

    /// One run.
    pub(crate) fn run(&mut self, writers: &[usize], slice_ms: u64) -> anyhow::Result<()> {
        for (rate, writers) in self.rates.iter_mut().zip(writers) {
            rate.add_told(&self.peer.append(*writers, slice_ms)?);
        }
        Ok(())
    }

    /// Its lines in the table; then it is checked and ends.
    pub(crate) fn report(
        self,
        what: &str,
        writers: &[usize],
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for (writers, rate) in writers.iter().zip(&self.rates) {
            report.rate(&format!("{}, {what}: {writers}", self.peer.name), rate);
        }
        self.peer.check(report)
    }
}

/// Which of these was the best, run by run.
pub(crate) fn best(figures: &[&Figure]) -> Option<Figure> {
    let (first, rest) = figures.split_first()?;
    Some(rest.iter().fold((*first).clone(), |best, other| best.greater(other)))
}
