//! Golden events: payloads that were written once and decode for ever.
//!
//! `tests/golden` holds, for every event and every version of its payload, a complete file and a
//! minimal one; a field added later gets a file of its own beside them (`TYPE.vN.WHAT.json`).
//! Files are only ever added: `UPDATE_EXPECT=1 cargo test -p pratica-store golden` writes what is
//! missing from the samples and never touches what is there.

mod case;
mod fields;
mod other;
mod permit;
mod residency;
mod school;

use jiff::Timestamp;
use pratica_domain::Event;
use pratica_store::{Position, RecordedEvent, Revision, StreamName, codec};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use uuid::Uuid;

/// Two people and three things that the samples speak of.
pub(super) const ADA: &str = "0190b5c2-7d1e-7c3a-9d7e-2f0f6f6a1c11";
pub(super) const ENTRY: &str = "0190b5c2-7d1e-7c3a-9d7e-2f0f6f6a1c21";
pub(super) const OTHER: &str = "0190b5c2-7d1e-7c3a-9d7e-2f0f6f6a1c22";
pub(super) const DOCUMENT: &str = "0190b5c2-7d1e-7c3a-9d7e-2f0f6f6a1c31";
pub(super) const CASE: &str = "0190b5c2-7d1e-7c3a-9d7e-2f0f6f6a1c41";

/// What a golden file is written from: the event, what the file shows, the payload.
pub(super) struct Sample {
    pub event: &'static str,
    pub version: u16,
    pub shows: &'static str,
    pub payload: Value,
}

/// The minimal payload of an event, and the complete one: the same with `more`.
pub(super) fn both(event: &'static str, min: Value, more: Value) -> Vec<Sample> {
    let mut full = min.clone();
    full.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    vec![
        Sample { event, version: 1, shows: "full", payload: full },
        Sample { event, version: 1, shows: "min", payload: min },
    ]
}

/// The second version of an event: the first one's golden samples with the free texts that were
/// plain in it as personal data.
pub(super) fn since_words_are_sealed(samples: &[Sample]) -> Vec<Sample> {
    const FIELDS: [&str; 5] = ["object", "reason", "authorisation", "reference", "agreement"];
    let current: BTreeMap<&str, u16> = Event::types().collect();
    let sealed = |sample: &Sample| {
        let mut payload = sample.payload.clone();
        for field in FIELDS.iter().chain(&["deposit_receipt"]) {
            if let Some(text) = payload.get_mut(*field).filter(|text| text.is_string()) {
                *text = personal(text.take());
            }
        }
        Sample { event: sample.event, version: 2, shows: sample.shows, payload }
    };
    samples.iter().filter(|s| current.get(s.event) == Some(&2)).map(sealed).collect()
}

/// Further shapes of an event's payload.
pub(super) fn also(event: &'static str, shows: &'static str, payload: Value) -> Vec<Sample> {
    vec![Sample { event, version: 1, shows, payload }]
}

/// Data of one person.
pub(super) fn personal(value: impl Into<Value>) -> Value {
    serde_json::json!({ "subject": ADA, "value": value.into() })
}

struct Golden {
    name: String,
    event: String,
    version: u16,
    shows: String,
    payload: Value,
}

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn add_what_is_missing() {
    let areas = [
        case::samples(),
        residency::samples(),
        permit::samples(),
        school::samples(),
        other::samples(),
    ];
    let first: Vec<Sample> = areas.into_iter().flatten().collect();
    for s in since_words_are_sealed(&first).into_iter().chain(first) {
        let path = directory().join(format!("{}.v{}.{}.json", s.event, s.version, s.shows));
        if !path.exists() {
            let text = serde_json::to_string_pretty(&s.payload).unwrap();
            std::fs::write(&path, text + "\n").unwrap();
        }
    }
}

fn golden_files() -> Vec<Golden> {
    static ADDED: std::sync::Once = std::sync::Once::new();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        ADDED.call_once(add_what_is_missing);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(stem) = name.strip_suffix(".json") else { continue };
        let parts: Vec<&str> = stem.split('.').collect();
        let [area, fact, version, shows] = parts.as_slice() else {
            panic!("{name} is not called TYPE.vVERSION.WHAT.json")
        };
        files.push(Golden {
            event: format!("{area}.{fact}"),
            version: version.strip_prefix('v').unwrap().parse().unwrap(),
            shows: (*shows).to_owned(),
            payload: serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap(),
            name,
        });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn decoded(event: &str, version: u16, payload: &Value) -> Result<Event, String> {
    let recorded = RecordedEvent {
        position: Position::new(1),
        stream: StreamName::parse(&format!("bologna.residency-{CASE}")).unwrap(),
        revision: Revision::FIRST,
        id: Uuid::nil(),
        event_type: event.into(),
        schema_version: version,
        occurred_at: Timestamp::UNIX_EPOCH,
        recorded_at: Timestamp::UNIX_EPOCH,
        metadata_json: Box::default(),
        payload: payload.to_string().into_bytes().into(),
    };
    codec::decode(&recorded).map_err(|e| e.to_string())
}

#[test]
fn every_event_has_a_complete_and_a_minimal_golden_file_of_every_version() {
    let names: BTreeSet<String> = golden_files().into_iter().map(|g| g.name).collect();
    let mut missing = Vec::new();
    for (event, current) in Event::types() {
        for version in 1..=current {
            for shows in ["full", "min"] {
                let name = format!("{event}.v{version}.{shows}.json");
                if !names.contains(&name) {
                    missing.push(name);
                }
            }
        }
    }
    assert!(
        missing.is_empty(),
        "write samples in store/tests/it/golden and add the files with UPDATE_EXPECT=1: {missing:?}"
    );
}

#[test]
fn every_golden_file_decodes_and_is_written_again_as_it_was() {
    let current: BTreeMap<&str, u16> = Event::types().collect();
    for golden in golden_files() {
        let event = decoded(&golden.event, golden.version, &golden.payload)
            .unwrap_or_else(|e| panic!("{} no longer decodes: {e}", golden.name));
        assert_eq!(event.event_type(), golden.event, "{}", golden.name);
        if current.get(golden.event.as_str()) == Some(&golden.version) {
            let again: Value = serde_json::from_slice(&codec::payload(&event).unwrap()).unwrap();
            assert_eq!(again, golden.payload, "{} is written differently now", golden.name);
        }
    }
}

#[test]
fn the_golden_files_of_an_event_show_every_field_of_its_payload() {
    let files = golden_files();
    for (event, version) in Event::types() {
        let shown: BTreeSet<&str> = files
            .iter()
            .filter(|g| g.event == event && g.version == version)
            .flat_map(|g| g.payload.as_object().unwrap().keys().map(String::as_str))
            .collect();
        let fields: BTreeSet<&str> = fields::of(event).iter().copied().collect();
        assert_eq!(shown, fields, "{event}: add a file that shows the new field");
    }
}

#[test]
fn a_minimal_golden_file_holds_the_required_fields_only() {
    for golden in golden_files().iter().filter(|g| g.shows == "min") {
        for field in golden.payload.as_object().unwrap().keys() {
            let mut without: Map<String, Value> = golden.payload.as_object().unwrap().clone();
            without.remove(field);
            let decoded = decoded(&golden.event, golden.version, &Value::Object(without));
            assert!(decoded.is_err(), "{}: {field} is not required", golden.name);
        }
    }
}
