//! What the tests of the import share: a small mapping, small logs, a place to import into.

use flate2::Compression;
use flate2::write::GzEncoder;
use pratica_api::app::settings::Settings;
use pratica_api::app::{Clock, ManualClock};
use pratica_api::import::{self, Checked, ImportError, Plan, Report, Survey};
use pratica_domain::ids::CaseId;
use pratica_projections::Rules;
use pratica_store::{
    Direction, EventReader, EventStore, RecordedEvent, Revision, SqliteLog, StreamName, Vault,
    sqlite,
};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// A mapping with one activity of each kind.
pub(crate) const MAPPING: &str = r#"
source = "test"
procedure = "permit"
rules_version = "nl-wabo"
personal = ["applicant"]

[kind]
default = "small"

[term]
key = "nl.wabo.regular"

[closing]
on = ["end"]
attribute = "how"
values = { given = "granted" }
default = "ended"

[[activity]]
name = "file"
becomes = "opened"

[[activity]]
name = "ask"
becomes = "request_sent"
answer_within = "10d"
basis = "Awb art. 4:5"

[[activity]]
name = "answer"
becomes = "request_answered"
day = { attribute = "received", format = "%d-%m-%Y" }

[[activity]]
name = "decide"
becomes = "decided"
when = { attribute = "sure", is = ["yes"] }
"#;

/// A place to import into.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) rules: Rules,
}

impl Place {
    pub(crate) fn new() -> Place {
        let dir = TempDir::new().unwrap();
        let rules = Settings::default().rules(dir.path()).unwrap();
        Place { dir, rules }
    }

    pub(crate) fn plan(&self, mapping: &str) -> Plan {
        self.plan_of("vergate", mapping)
    }

    pub(crate) fn plan_of(&self, comune: &str, mapping: &str) -> Plan {
        let checked = Checked::parse(Path::new("test.toml"), mapping, &self.rules.book).unwrap();
        Plan::new(comune.parse().unwrap(), "edilizia".parse().unwrap(), checked)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn open(&self) -> Arc<SqliteLog> {
        let path = self.dir.path().join("log.db");
        Arc::new(SqliteLog::open(path, sqlite::Options::default()).unwrap())
    }
}

/// One vault for all tests: what was imported before is recognised by its key.
pub(crate) fn vault() -> Arc<Vault> {
    static VAULT: OnceLock<Arc<Vault>> = OnceLock::new();
    Arc::clone(VAULT.get_or_init(|| Arc::new(Vault::in_memory().unwrap())))
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new("2026-02-03T10:00:00Z".parse().unwrap()))
}

/// Checks a file and records it.
pub(crate) async fn import(
    plan: &Plan,
    file: &Path,
    log: Arc<dyn EventStore>,
) -> Result<Report, ImportError> {
    let survey: Survey = import::check(plan, file, &())?;
    import::record(plan, file, survey, log, &vault(), clock(), &()).await
}

/// The events of one case by its name in the older system.
pub(crate) async fn events(log: &SqliteLog, plan: &Plan, reference: &str) -> Vec<RecordedEvent> {
    let id: CaseId = plan.case_id(reference);
    let stream = StreamName::parse(&format!("{}.permit-{id}", plan.comune)).unwrap();
    log.read_stream(&stream, Revision::FIRST, Direction::Forwards, 10_000).await.unwrap()
}

/// Their names.
pub(crate) fn types(events: &[RecordedEvent]) -> Vec<&str> {
    events.iter().map(|e| &*e.event_type).collect()
}

pub(crate) fn payload(event: &RecordedEvent) -> serde_json::Value {
    serde_json::from_slice(&event.payload).unwrap()
}

/// The payload with its personal data opened.
pub(crate) fn opened(event: &RecordedEvent) -> serde_json::Value {
    let payload = pratica_store::codec::open_payload(event, &vault()).unwrap().unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// A log of these traces.
pub(crate) fn log(traces: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<log xes.version=\"1.0\">\n{traces}</log>\n"
    )
}

/// A trace of these attributes and events.
pub(crate) fn trace(name: &str, rest: &str) -> String {
    format!("<trace>\n<string key=\"concept:name\" value=\"{name}\"/>\n{rest}</trace>\n")
}

/// An event.
pub(crate) fn event(activity: &str, at: &str, rest: &str) -> String {
    format!(
        "<event>\n<string key=\"concept:name\" value=\"{activity}\"/>\n\
         <date key=\"time:timestamp\" value=\"{at}\"/>\n{rest}</event>\n"
    )
}

/// Traces of one event each.
pub(crate) fn many(count: usize) -> String {
    let traces: String = (0..count)
        .map(|n| trace(&format!("c{n}"), &event("file", "2014-04-11T00:00:00+02:00", "")))
        .collect();
    log(&traces)
}

pub(crate) fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
