//! The two readings of a file: the first checks all of it, the second records.

use super::count::{self, Seen};
use super::error::{Fault, ImportError};
use super::progress::{Progress, Stage};
use super::record::{Fate, Recorder, Settled};
use super::report::{Differing, Report, Survey};
use super::translate::{Plan, Story};
use super::xes::{XesReader, open};
use crate::app::Clock;
use pratica_domain::ids::CaseId;
use pratica_store::{Direction, EventReader, EventStore, Revision, StreamName, Vault};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;

/// How many differing cases are named.
const NAMED: usize = 20;

/// Reads a whole file and turns every trace into its case, recording nothing.
///
/// # Errors
/// [`ImportError::Refused`] with the first line that breaks a rule; when the file cannot be read.
pub fn check(plan: &Plan, file: &Path, progress: &dyn Progress) -> Result<Survey, ImportError> {
    let refused = |fault| ImportError::Refused { file: file.to_owned(), fault };
    progress.begin(Stage::Checking, size(file)?);
    let mut traces = XesReader::new(open(file, progress)?);
    let mut survey = Survey::default();
    // Only to see that every event fits once it is sealed: nothing of it is kept.
    let vault = Vault::in_memory().map_err(ImportError::Vault)?;
    let mut lines: BTreeMap<CaseId, u64> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(trace) = traces.next_trace().map_err(refused)? {
        let story = plan.translate(&trace).map_err(refused)?;
        match lines.entry(story.case_id) {
            Entry::Vacant(free) => free.insert(story.line),
            Entry::Occupied(first) => return Err(refused(twice(&story, *first.get()))),
        };
        plan.prepare(&story, &vault).map_err(refused)?;
        survey.add(&story);
        for rule in &plan.checked.mapping.activities {
            let key = &plan.checked.mapping.matches;
            if !seen.contains(&rule.name)
                && trace
                    .events
                    .iter()
                    .any(|e| e.attributes.get(key).is_some_and(|a| a.value.trim() == rule.name))
            {
                seen.insert(rule.name.clone());
            }
        }
    }
    let named = plan.checked.mapping.activities.iter().map(|rule| &rule.name);
    survey.absent = named.filter(|name| !seen.contains(*name)).cloned().collect();
    survey.absent.dedup();
    Ok(survey)
}

fn twice(story: &Story, first: u64) -> Fault {
    Fault::new(
        story.line,
        format!("the case of this trace was given on line {first} already"),
        "keep one trace a case, or name the attribute that tells them apart as case_id in the \
         mapping",
    )
}

fn size(file: &Path) -> Result<u64, ImportError> {
    let failed = |source| ImportError::Open { file: file.to_owned(), source };
    Ok(std::fs::metadata(file).map_err(failed)?.len())
}

/// Records every case of a checked file, then counts in the log what is there.
///
/// # Errors
/// [`ImportError::Changed`] when the file is not the checked one any more, [`ImportError::Log`]
/// when the log fails: what was recorded until then stays, and running it again goes on.
/// [`ImportError::Uncounted`] when the log does not hold what was recorded.
pub async fn record(
    plan: &Plan,
    file: &Path,
    survey: Survey,
    log: Arc<dyn EventStore>,
    vault: &Vault,
    clock: Arc<dyn Clock>,
    progress: &dyn Progress,
) -> Result<Report, ImportError> {
    let changed = |fault| ImportError::Changed { file: file.to_owned(), fault };
    progress.begin(Stage::Recording, size(file)?);
    let mut traces = XesReader::new(open(file, progress)?);
    let mut recorder: Recorder<Case> = Recorder::new(Arc::clone(&log), clock);
    let mut sums = Sums::default();
    let mut again = Survey { absent: survey.absent.clone(), ..Survey::default() };
    let mut cases: BTreeMap<CaseId, Seen> = BTreeMap::new();
    while let Some(trace) = traces.next_trace().map_err(changed)? {
        let story = plan.translate(&trace).map_err(changed)?;
        let prepared = plan.prepare(&story, vault).map_err(changed)?;
        again.add(&story);
        cases.insert(story.case_id, Seen::default());
        let case = Case {
            id: story.case_id,
            reference: story.reference,
            line: story.line,
            stream: prepared.stream.clone(),
        };
        recorder.send(case, prepared, |settled| sums.add(settled)).await?;
    }
    while let Some(settled) = recorder.next().await? {
        sums.add(settled);
    }
    if again != survey {
        let fault = Fault::new(1, "it does not hold what was checked", "leave it alone meanwhile");
        return Err(changed(fault));
    }
    let mut report = Report {
        file: survey,
        new: sums.new,
        same: sums.same,
        other: sums.other,
        ..Report::default()
    };
    for case in &sums.differing {
        report.differing.push(differing(plan, &*log, case).await?);
    }
    for case in &sums.others {
        cases.remove(case);
    }
    report.log = count::count(plan, &*log, &mut cases, progress).await?;
    report.equal = report.other == 0 && report.log.tally == report.file.tally;
    if report.other == 0 && !report.equal {
        let detail = "the counts of the file and of the log differ".to_owned();
        return Err(ImportError::Uncounted { detail });
    }
    Ok(report)
}

/// What is known of a case on its way.
struct Case {
    id: CaseId,
    reference: String,
    line: u64,
    stream: StreamName,
}

#[derive(Default)]
struct Sums {
    new: u64,
    same: u64,
    other: u64,
    /// Their ids, sixteen bytes each.
    others: Vec<CaseId>,
    differing: Vec<Case>,
}

impl Sums {
    fn add(&mut self, settled: Settled<Case>) {
        match settled.fate {
            Fate::New => self.new += 1,
            Fate::Same => self.same += 1,
            Fate::Other => {
                self.other += 1;
                self.others.push(settled.tag.id);
                if self.differing.len() < NAMED {
                    self.differing.push(settled.tag);
                }
            }
        }
    }
}

/// Says in what the history in the log differs from the one in the file.
async fn differing(
    plan: &Plan,
    log: &dyn EventStore,
    case: &Case,
) -> Result<Differing, ImportError> {
    let failed = |source| ImportError::Log { doing: "looking at a case that differs", source };
    let there =
        EventReader::read_stream(log, &case.stream, Revision::FIRST, Direction::Forwards, 2)
            .await
            .map_err(failed)?;
    let taken_over = there.iter().find(|e| &*e.event_type == "imported.taken_over");
    let by = taken_over.and_then(|e| {
        let payload: serde_json::Value = serde_json::from_slice(&e.payload).ok()?;
        Some(payload.get("mapping_sha256")?.as_str()? == plan.checked.sha256)
    });
    Ok(Differing {
        reference: case.reference.clone(),
        case_id: case.id.to_string(),
        line: case.line,
        because: match by {
            None => "a case that was not imported has this identity",
            Some(true) => "its history in the file is another than the one imported",
            Some(false) => "it was imported by another mapping, or by another text of this one",
        },
    })
}
