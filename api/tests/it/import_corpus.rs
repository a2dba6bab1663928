//! A corpus of correct and incorrect XES files: each is imported or refused with a line.

use crate::import::Place;
use pratica_api::import::{self as lib, ImportError};
use std::path::Path;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/logs/xes-edge-cases");

/// Refused, at which line and why. Every other file is a log without cases.
const REFUSED: &[(&str, u64, &str)] = &[
    ("attributeEventSwapped.xes", 3, "belongs to no case"),
    ("booleanIncorrectValue.xes", 13, "not of type"),
    ("classifierNoAttributes.xes", 7, "text between"),
    ("eventCorrectAttributes.xes", 14, "no concept:name"),
    ("eventIncorrectType.xes", 14, "no concept:name"),
    ("extensionTraceSwapped.xes", 2, "no concept:name"),
    ("globalEventSwapped.xes", 3, "belongs to no case"),
    ("globalTraceSwapped.xes", 3, "no concept:name"),
    ("idIncorrectValue.xes", 13, "not of type"),
    ("intIncorrectValue.xes", 13, "not of type"),
    ("stringNoAttributes.xes", 9, "no key"),
    ("traceEventSwapped.xes", 2, "belongs to no case"),
    ("traceTooManyAttributes.xes", 14, "XML attribute"),
];

const MAPPING: &str = r#"
source = "corpus"
procedure = "permit"
rules_version = "nl-wabo"
[kind]
default = "any"
"#;

#[test]
fn every_file_of_the_corpus_is_taken_or_refused_at_a_line() {
    if !Path::new(CORPUS).is_dir() {
        eprintln!("SKIPPED: {CORPUS} is missing");
        return;
    }
    let place = Place::new();
    let plan = place.plan(MAPPING);
    let mut files: Vec<_> =
        std::fs::read_dir(CORPUS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut refused = 0;
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        match lib::check(&plan, file, &()) {
            Ok(survey) => assert_eq!(survey.tally.cases, 0, "{name}"),
            Err(ImportError::Refused { fault, .. }) => {
                let known = REFUSED.iter().find(|(known, ..)| *known == name);
                let (_, line, reason) = known.unwrap_or_else(|| panic!("{name}: {fault}"));
                assert_eq!(fault.line, *line, "{name}: {fault}");
                assert!(fault.problem.contains(reason), "{name}: {fault}");
                refused += 1;
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!((files.len(), refused), (36, REFUSED.len()));
}
