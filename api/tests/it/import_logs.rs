//! Real logs, whole: counts, views, rebuild, and another comune beside them.

use crate::import::{Place, import, vault};
use pratica_api::import::{Checked, Plan, Report};
use pratica_projections::{
    Access, CaseFilter, PageRequest, Queue, Views, ViewsOptions, WorklistQuery,
};
use pratica_store::{EventReader, EventStore, SqliteLog};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/logs");

fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(LOGS).join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} is missing", path.display());
    None
}

/// Imports a log by a shipped mapping and brings the views up to date; both stay open.
struct Imported {
    place: Place,
    plan: Plan,
    report: Report,
    log: Arc<SqliteLog>,
    views: Views,
}

async fn imported(file: &Path, mapping: &str) -> Imported {
    let place = Place::new();
    let checked = Checked::read(Path::new(mapping), &place.rules.book).unwrap();
    let plan = Plan::new("vergate".parse().unwrap(), "edilizia".parse().unwrap(), checked);
    let log = place.open();
    let report = import(&plan, file, log.clone()).await.unwrap();
    let (views, mut projector) =
        Views::open(&place.dir.path().join("views.db"), ViewsOptions::default(), vault()).unwrap();
    let reader: Arc<dyn EventReader> = log.clone();
    projector.catch_up(reader, &place.rules).await.unwrap();
    Imported { place, plan, report, log, views }
}

/// A rebuild gives the same rows.
async fn rebuilds(imported: &Imported) {
    let before = imported.views.content_digest().await.unwrap();
    let reader: Arc<dyn EventReader> = imported.log.clone();
    imported.views.rebuild(reader, &imported.place.rules, |_, _| {}).await.unwrap();
    assert_eq!(imported.views.content_digest().await.unwrap(), before);
}

#[tokio::test]
async fn five_years_of_building_permits_come_in_whole() {
    let Some(file) = real("BPIC15_1.xes.gz") else { return };
    let imported = imported(&file, "nl-bpic15").await;
    let (report, views) = (&imported.report, &imported.views);
    assert_eq!(report.log.tally.cases, 1199);
    assert_eq!(report.log.tally.source_events, 52_217);
    assert!(report.equal);
    assert_eq!((report.new, report.same, report.other), (1199, 0, 0));
    let tally = &report.log.tally;
    assert_eq!(tally.domain_events() + tally.steps, 52_217);
    for (event, at_least) in [
        ("case.opened", 1100),
        ("case.request_sent", 280),
        ("case.request_answered", 230),
        ("case.term_extended", 140),
        ("permit.issued", 336),
        ("permit.archived", 42),
        ("permit.refused", 2),
        ("permit.contested", 8),
        ("case.withdrawn", 63),
        ("imported.decided", 570),
    ] {
        assert!(tally.domain.get(event).is_some_and(|n| *n >= at_least), "{event}: {tally:?}");
    }

    // What the events came to is what the older system says of the outcome.
    let outcomes = &report.file.outcomes;
    // All that differ but one have no activity that says how they ended.
    assert_eq!((outcomes.agree, outcomes.differ, outcomes.unsaid), (892, 68, 239), "{outcomes:?}");
    // A history that departs from the rules here says so itself.
    assert!(tally.of_cases.get("imported.departures_noted").is_some_and(|n| *n > 300));

    // Statistics: all closed cases, with sane lengths and parts that sum up.
    let rows = views.statistics(Some("permit"), None, None).await.unwrap().value;
    let closed: u64 = rows.iter().map(|row| row.closed).sum();
    assert_eq!(closed, 804);
    assert!(rows.iter().any(|row| row.kind == "building"));

    // The worklist: every case that the older system had open.
    let office = imported.plan.office.clone();
    let today = "2026-02-03".parse().unwrap();
    let counts = views.counts(&Access::Everything, &office, None, today).await.unwrap().value;
    assert_eq!(counts.open, 1199 - 804);
    let page = PageRequest::first(50);
    let query = WorklistQuery {
        queue: Queue::Unassigned,
        office: Some(office),
        officer: None,
        due_to: None,
        procedure: None,
        phase: None,
        by_filing: false,
    };
    let listed = views.worklist(&Access::Everything, &query, today, &page).await.unwrap().value;
    assert_eq!(listed.rows.len(), 50);

    // One case, found by its number, with its timeline.
    let cases =
        views.list_cases(&Access::Everything, &CaseFilter::default(), &page).await.unwrap().value;
    assert!(cases.rows.iter().all(|row| row.reference.is_some()));
    let id = imported.plan.case_id("10009138");
    let case = views.case_row(id).await.unwrap().value.unwrap();
    assert_eq!(case.reference.as_deref(), Some("10009138"));
    assert_eq!(case.filed_on, "2014-04-11".parse().unwrap());
    let steps = views.timeline(id, true, &page).await.unwrap().value;
    assert!(steps.rows.len() > 20);
    assert!(steps.rows.is_sorted_by_key(|row| row.occurred_at));

    rebuilds(&imported).await;
}

#[tokio::test]
async fn the_receipt_phase_comes_in_whole_and_once() {
    let Some(file) = real("receipt.xes.gz") else { return };
    let imported = imported(&file, "nl-receipt").await;
    let tally = &imported.report.log.tally;
    assert_eq!((tally.cases, tally.source_events), (1434, 8577));
    assert!(imported.report.equal);
    let head = imported.log.head().await.unwrap();
    let store: Arc<dyn EventStore> = imported.log.clone();
    let again = import(&imported.plan, &file, store).await.unwrap();
    assert_eq!((again.new, again.same, again.other), (0, 1434, 0));
    assert_eq!(imported.log.head().await.unwrap(), head);
    rebuilds(&imported).await;
}

#[tokio::test]
async fn a_log_that_no_mapping_knows_comes_in_as_steps() {
    let Some(file) = real("roadtraffic100traces.xes.gz") else { return };
    let place = Place::new();
    let plan = place.plan(
        "source = \"fines\"\nprocedure = \"permit\"\nrules_version = \"nl-wabo\"\n\
         [kind]\ndefault = \"fine\"\n",
    );
    let report = import(&plan, &file, place.open()).await.unwrap();
    assert_eq!((report.log.tally.cases, report.log.tally.steps), (100, 390));
}

/// The hashes of all files below a directory.
fn hashes(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let hash = Sha256::digest(std::fs::read(&path).unwrap()).to_vec();
        all.insert(path, hash);
    }
    all
}

#[test]
fn the_command_imports_beside_another_comune_and_touches_nothing_of_it() {
    let place = Place::new();
    let file = place.file("a.xes.gz", crate::import::packed(&crate::import::many(20)));
    let mapping = place.file("m.toml", crate::import::MAPPING);
    let data = place.dir.path().join("data");
    let run = |comune: &str, file: &Path| {
        let program = env!("CARGO_BIN_EXE_pratica");
        let mut command = Command::new(program);
        command.args(["import", "xes"]).arg(file).arg("--mapping").arg(&mapping);
        command.args(["--comune", comune, "--format", "json", "--data"]).arg(&data);
        command.output().unwrap()
    };
    let first = run("marzabotto", &file);
    assert!(first.status.success(), "{first:?}");
    let before = hashes(&data.join("marzabotto"));
    assert!(before.len() >= 3, "{before:?}");
    let second = run("vergate", &file);
    assert!(second.status.success(), "{second:?}");
    let report: serde_json::Value = serde_json::from_slice(&second.stdout).unwrap();
    assert_eq!((&report["new"], &report["equal"]), (&20.into(), &true.into()));
    assert!(second.stderr.is_empty(), "no progress where nobody looks: {second:?}");
    assert_eq!(hashes(&data.join("marzabotto")), before);

    // A changed history is named, and the program says that not all went well.
    let text = crate::import::many(20).replacen("value=\"file\"", "value=\"other\"", 1);
    let changed = run("vergate", &place.file("a.xes", text));
    assert_eq!(changed.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&changed.stdout).unwrap();
    assert_eq!((&report["same"], &report["other"]), (&19.into(), &1.into()));
    assert_eq!(report["differing"][0]["reference"], "c0");

    // A refused file does not even make the comune's directory.
    let broken = place.file("b.xes", crate::import::many(3).replace("</log>", ""));
    let refused = run("monzuno", &broken);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("b.xes") && said.contains("line "), "{said}");
    assert!(!data.join("monzuno").exists());
}
