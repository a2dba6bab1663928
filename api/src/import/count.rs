//! Reading back from the log what an import recorded: the proof that nothing was lost or doubled.

use super::error::ImportError;
use super::prepare::ACTOR;
use super::progress::{Progress, Stage};
use super::report::Tally;
use super::translate::Plan;
use pratica_domain::ids::CaseId;
use pratica_store::{Direction, EventReader, EventStore, Filter, Position, RecordedEvent};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many events are read at once.
const PAGE: usize = 2000;

/// What the log holds for the cases of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The counts.
    #[serde(flatten)]
    pub tally: Tally,
    /// Events that came to these cases later, by other ways.
    pub later: u64,
}

/// How far a case is.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Events of the file found so far: their places are 1, 2, 3, ...
    found: u64,
    /// How many the case says there are.
    said: Option<u64>,
}

/// What of a payload is needed here.
#[derive(Deserialize)]
struct Payload {
    source: Option<serde_json::Value>,
    source_events: Option<u64>,
}

/// Goes through the log and counts what it holds for these cases. Every case must carry the events
/// of its file one by one, from the first to the last, each once.
pub(super) async fn count(
    plan: &Plan,
    log: &dyn EventStore,
    cases: &mut BTreeMap<CaseId, Seen>,
    progress: &dyn Progress,
) -> Result<Counted, ImportError> {
    let failed = |source| ImportError::Log { doing: "counting what was recorded", source };
    let prefix = format!("{}.{}-", plan.comune, plan.checked.mapping.procedure.as_str());
    let filter = Filter::prefixes([prefix.as_str()]);
    let mut counted = Counted::default();
    let mut at = Position::START;
    let head = EventReader::head(log).await.map_err(failed)?;
    progress.begin(Stage::Counting, head.get());
    while at < head {
        let page = log.read_all(at, Direction::Forwards, &filter, PAGE).await.map_err(failed)?;
        for event in &page.events {
            let id = event.stream.as_str().strip_prefix(&prefix).and_then(|id| id.parse().ok());
            if let Some(seen) = id.and_then(|id: CaseId| cases.get_mut(&id)) {
                counted.add(event, seen)?;
            }
        }
        at = page.next;
        progress.at(at.get());
    }
    for (case, seen) in cases.iter() {
        if seen.said != Some(seen.found) {
            let said = seen.said.map_or_else(|| "none".to_owned(), |n| n.to_string());
            let detail = format!("case {case} carries {} events of {said}", seen.found);
            return Err(ImportError::Uncounted { detail });
        }
    }
    Ok(counted)
}

impl Counted {
    fn add(&mut self, event: &RecordedEvent, seen: &mut Seen) -> Result<(), ImportError> {
        let failed = |source| ImportError::Log { doing: "counting what was recorded", source };
        if event.metadata().map_err(failed)?.actor != ACTOR {
            self.later += 1;
            return Ok(());
        }
        let wrong = |what: &str| ImportError::Uncounted {
            detail: format!("at position {}, {what}", event.position),
        };
        let payload: Payload = serde_json::from_slice(&event.payload)
            .map_err(|_| wrong("the payload is not of its shape"))?;
        let index = payload.source.as_ref().and_then(|s| s.get("index")?.as_u64());
        if let Some(index) = index {
            seen.found += 1;
            if index != seen.found {
                return Err(wrong("an event of the file is missing before it, or came twice"));
            }
        }
        if &*event.event_type == "imported.taken_over" {
            self.tally.cases += 1;
            seen.said = payload.source_events;
        }
        self.tally.add(&event.event_type, index.is_some());
        Ok(())
    }
}
