//! W7: what `pratica serve` takes of memory over a large town, and how long it takes from the
//! start of its process to its first answer.
//!
//! The server is the command line itself, run by this program under its own name (see `main`): the
//! same code, allocator and defaults as the binary `pratica`.

use crate::Size;
use crate::clients::{Authorised, authorised};
use crate::figures::Figure;
use crate::fill::OFFICERS;
use crate::grown::{Grown, Towns};
use crate::place::{COMUNE, NOW};
use crate::report::{Goal, Report};
use crate::serving;
use anyhow::Context as _;
use pratica_api::grpc::auth::ServerKey;
use pratica_domain::Role;
use pratica_proto::cases::v1::GetCaseRequest;
use pratica_proto::cases::v1::cases_service_client::CasesServiceClient;
use pratica_proto::worklist::v1::worklist_service_client::WorklistServiceClient;
use pratica_proto::worklist::v1::{ListWorklistRequest, Queue, WorklistQuery};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use uuid::Uuid;

/// Cases asked for after the first answer, each another one: more than the server keeps folded.
const ASKED: u64 = 40_000;

pub(crate) async fn run(size: &Size, towns: &mut Towns, report: &mut Report) -> anyhow::Result<()> {
    let cases = size.cases.last().copied().context("no size of a town")?;
    let grown = towns.of(cases, size, report).await?;
    let key = ServerKey::open(&grown.directory)?;
    let (mut start, mut first, mut worked, mut most) =
        (Figure::default(), Figure::default(), Figure::default(), Figure::default());
    for run in 0..=size.runs {
        let begun = Instant::now();
        let server = Server::start(&grown.directory)?;
        let officer = "officer.0";
        let connection =
            authorised(&server.url, &serving::token(&key, officer, Role::Officer)?).await?;
        let random = Uuid::new_v4().as_u128() % grown.ids.len() as u128;
        get_case(&connection, &grown.ids[usize::try_from(random)?].to_string()).await?;
        let answered = begun.elapsed();
        if run == 0 {
            // Nobody served the town while it grew, so that processes catch up with all of it.
            report.note(format!(
                "the first start, its processes at the beginning of the log: {:.1} s",
                answered.as_secs_f64()
            ));
            server.stop()?;
            continue;
        }
        start.add(answered.as_secs_f64() * 1e3);
        first.add(server.memory("VmRSS")?);
        ask_around(&server, &key, &grown).await?;
        worked.add(server.memory("VmRSS")?);
        most.add(server.memory("VmHWM")?);
        server.stop()?;
    }
    let of = format!("{} cases, {} events", grown.cases, grown.events);
    report.row(
        format!("from the start of the process to the first answer, {of}"),
        "ms",
        &start,
        Some(Goal::AtMost(1_000.0)),
    );
    report.row(format!("resident at the first answer, {of}"), "MB", &first, None);
    let asked = ASKED.min(grown.cases);
    let what = format!("resident after {asked} cases and some worklists, {of}");
    report.row(what, "MB", &worked, Some(Goal::AtMost(400.0)));
    report.row(format!("the most that was ever resident, {of}"), "MB", &most, None);
    report.note("the files were in the system's cache: they had just been written".to_owned());
    Ok(())
}

/// Asks for many cases and pages, so that caches and connections have filled.
async fn ask_around(server: &Server, key: &ServerKey, grown: &Grown) -> anyhow::Result<()> {
    let asked = ASKED.min(grown.cases);
    let mut tasks = Vec::new();
    for n in 0..OFFICERS {
        let token = serving::token(key, &format!("officer.{n}"), Role::Officer)?;
        let connection = authorised(&server.url, &token).await?;
        let ids: Vec<_> = grown
            .ids
            .iter()
            .step_by(usize::try_from(grown.cases / asked)?)
            .skip(usize::try_from(n)?)
            .step_by(usize::try_from(OFFICERS)?)
            .copied()
            .collect();
        tasks.push(tokio::spawn(async move {
            let mut worklist = WorklistServiceClient::new(connection.clone());
            for (n, id) in ids.into_iter().enumerate() {
                get_case(&connection, &id.to_string()).await?;
                if n % 100 == 0 {
                    let query =
                        WorklistQuery { queue: Queue::Office.into(), ..WorklistQuery::default() };
                    let request = ListWorklistRequest {
                        comune: COMUNE.to_owned(),
                        query: Some(query),
                        page_size: 50,
                        ..ListWorklistRequest::default()
                    };
                    let page = worklist.list_worklist(request).await?.into_inner();
                    anyhow::ensure!(!page.cases.is_empty(), "an empty worklist");
                }
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn get_case(connection: &Authorised, id: &str) -> anyhow::Result<()> {
    let request = GetCaseRequest {
        comune: COMUNE.to_owned(),
        case_id: id.to_owned(),
        ..GetCaseRequest::default()
    };
    let answer = CasesServiceClient::new(connection.clone()).get_case(request).await?.into_inner();
    let found = answer.case.and_then(|c| c.summary).context("an empty answer")?;
    anyhow::ensure!(found.case_id == id, "another case was answered");
    Ok(())
}

/// A server as a process of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(directory: &Path) -> anyhow::Result<Server> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([super::AS_PRATICA, "serve", "--data"])
            .arg(directory)
            .args(["--comune", COMUNE, "--listen", "127.0.0.1:0", "--own-tokens"])
            .args(["--manual-clock", NOW, "--calls-per-second", "0", "--master-key", "demo"])
            .env("PRATICA_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let output = child.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut address)?;
        let server = Server { child, url: format!("http://{}", address.trim()) };
        anyhow::ensure!(!address.is_empty(), "the server did not start");
        Ok(server)
    }

    /// A line of what the system knows of its memory, in MB.
    pub(crate) fn memory(&self, line: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let found = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':'));
        let kib = found.with_context(|| format!("no {line}"))?;
        Ok(kib.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1024.0 / 1e6)
    }

    /// As an operator would, and waits until it has ended.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status()?;
        anyhow::ensure!(told.success(), "the server could not be told to stop");
        let ended = self.child.wait()?;
        anyhow::ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for Server {
    /// Where the work failed; after [`Server::stop`] it has ended, and neither does anything.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
