//! Towns of a stated size, made once by the product's own rules and appends, used by more than one
//! work, and by later runs too where a directory was named to keep them in. What a server would have
//! done meanwhile is done: views, register, evidence.

use crate::Size;
use crate::fill::Filler;
use crate::place::{COMUNE, Place};
use crate::report::Report;
use anyhow::Context as _;
use pratica_api::app::evidence::tree_path;
use pratica_domain::ids::CaseId;
use pratica_store::evidence::Tree;
use pratica_store::{Direction, EventReader as _, Filter, Position, SqliteLog, sqlite};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

/// Events that the tree takes at a time.
const BATCH: usize = 5_000;
/// The file that a town has once its log is whole, and as long as it is: with the number of its
/// events. What follows from the log is made again where another version made it.
const WHOLE: &str = "whole";

/// A town at rest.
pub(crate) struct Grown {
    pub(crate) directory: PathBuf,
    pub(crate) cases: u64,
    pub(crate) events: u64,
    pub(crate) ids: Vec<CaseId>,
    /// Cases of many events.
    pub(crate) long: Vec<CaseId>,
}

/// The towns of this run.
#[derive(Default)]
pub(crate) struct Towns(Vec<Rc<Grown>>);

impl Towns {
    /// A town of so many cases, made if it is not there.
    pub(crate) async fn of(
        &mut self,
        cases: u64,
        size: &Size,
        report: &mut Report,
    ) -> anyhow::Result<Rc<Grown>> {
        if let Some(grown) = self.0.iter().find(|grown| grown.cases == cases) {
            return Ok(Rc::clone(grown));
        }
        let grown = Rc::new(grow(cases, size, report).await?);
        self.0.push(Rc::clone(&grown));
        Ok(grown)
    }
}

async fn grow(cases: u64, size: &Size, report: &mut Report) -> anyhow::Result<Grown> {
    let directory = size.towns.join(format!("grown-{cases}"));
    let town = match std::fs::read_to_string(directory.join(WHOLE)) {
        Ok(events) => found(directory, cases, events.trim().parse()?, size, report)?,
        Err(e) if e.kind() == ErrorKind::NotFound => filled(directory, cases, size, report).await?,
        Err(e) => return Err(e.into()),
    };
    let begun = Instant::now();
    let rebuilt = Place::open(&town.directory)?.settle().await?;
    let settled = begun.elapsed();
    let begun = Instant::now();
    keep_evidence(&town.directory.join(COMUNE)).await?;
    if rebuilt {
        report.note(format!(
            "{cases} cases: views of {} events took {:.0} s ({:.0} a second), their evidence \
             another {:.0} s",
            town.events,
            settled.as_secs_f64(),
            town.events as f64 / settled.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        ));
    }
    Ok(town)
}

/// A new town: its log, with nothing that follows from it yet.
async fn filled(
    directory: PathBuf,
    cases: u64,
    size: &Size,
    report: &mut Report,
) -> anyhow::Result<Grown> {
    let begun = Instant::now();
    let place = Place::open(&directory)?;
    let open = place.open_town()?;
    let mut filler = Filler::new(open)?;
    let long = filler.cases(size.long_cases, crate::loading::EVENTS).await?;
    let ids = filler.cases(cases, 0).await?;
    let events = open.town.log.head().await?.get();
    let took = begun.elapsed().as_secs_f64();
    report.note(format!(
        "{cases} cases are {events} events with those of {} long ones, made in {took:.0} s ({:.0} \
         a second)",
        long.len(),
        events as f64 / took,
    ));
    std::fs::write(directory.join(WHOLE), events.to_string())?;
    Ok(Grown { directory, cases, events, ids, long })
}

/// A town that an earlier run made.
fn found(
    directory: PathBuf,
    cases: u64,
    events: u64,
    size: &Size,
    report: &mut Report,
) -> anyhow::Result<Grown> {
    let log = rusqlite::Connection::open_with_flags(
        directory.join(COMUNE).join("log.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let prefix = format!("{COMUNE}.residency-");
    let mut named =
        log.prepare("SELECT name FROM streams WHERE name LIKE ?1 || '%' ORDER BY id")?;
    let named = named.query_map([&prefix], |row| row.get::<_, String>(0))?;
    // The long ones were the first.
    let mut long = named
        .map(|name| Ok(name?.trim_start_matches(&prefix).parse()?))
        .collect::<anyhow::Result<Vec<CaseId>>>()?;
    let ids = long.split_off(usize::try_from(size.long_cases)?.min(long.len()));
    anyhow::ensure!(
        ids.len() as u64 == cases,
        "{} is a town of {} cases and not of {cases}: remove it",
        directory.display(),
        ids.len()
    );
    report.note(format!("{cases} cases, {events} events, made by an earlier run"));
    Ok(Grown { directory, cases, events, ids, long })
}

impl Grown {
    /// The town is about to be changed in ways that no view would follow: it is of no use later.
    pub(crate) fn spend(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.directory.join(WHOLE))?)
    }
}

/// Brings the tree of evidence up to the log, as a server does all the time.
async fn keep_evidence(directory: &Path) -> anyhow::Result<()> {
    let log = SqliteLog::open(directory.join("log.db"), sqlite::Options::default())?;
    let tree = Tree::open(&tree_path(directory))?;
    let mut at = Position::new(tree.size()?);
    loop {
        let page = log.read_all(at, Direction::Forwards, &Filter::all(), BATCH).await?;
        if page.events.is_empty() {
            anyhow::ensure!(tree.size()? == page.head.get(), "the tree lacks events");
            return Ok(());
        }
        tree.append(&page.events)?;
        at = page.events.last().context("no events")?.position;
    }
}
