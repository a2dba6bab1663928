//! Mappings: the shipped ones can be used, and a wrong one says what is wrong.

use crate::import::{MAPPING, Place};
use pratica_api::import::Checked;
use pratica_api::import::mapping::SHIPPED;
use std::path::Path;

fn refused(mapping: &str) -> String {
    let place = Place::new();
    let error = Checked::parse(Path::new("m.toml"), mapping, &place.rules.book).unwrap_err();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[test]
fn the_shipped_mappings_can_be_used() {
    let place = Place::new();
    for (name, _) in SHIPPED {
        Checked::read(Path::new(name), &place.rules.book).unwrap();
    }
}

#[test]
fn a_wrong_mapping_is_refused_with_its_key() {
    for (from, to, says) in [
        ("source = \"test\"", "source = \"test\"\nsurprise = 1", "surprise"),
        ("source = \"test\"", "source = \"A B\"", "source"),
        ("nl-wabo", "italy-1066", "rules_version"),
        ("nl.wabo.regular", "nl.nothing", "term.key"),
        ("answer_within = \"10d\"\n", "", "answer_within is missing"),
        ("becomes = \"opened\"", "becomes = \"opened\"\nby = \"3d\"", "by means nothing"),
        ("becomes = \"decided\"", "becomes = \"decidedly\"", "decidedly"),
        ("procedure = \"permit\"", "procedure = \"permit\"\nzone = \"Mars\"", "Mars"),
        ("personal = [\"applicant\"]", "personal = [\"concept:name\"]", "personal"),
        ("[term]\nkey = \"nl.wabo.regular\"\n", "", "needs [term]"),
        ("on = [\"end\"]", "on = []", "closing.on"),
    ] {
        assert!(MAPPING.contains(from), "{from}");
        let text = refused(&MAPPING.replacen(from, to, 1));
        assert!(text.contains(says) && text.contains("m.toml"), "{says}: {text}");
    }
}

#[test]
fn a_mapping_that_is_not_there_names_the_shipped_ones() {
    let place = Place::new();
    let error = Checked::read(Path::new("nowhere.toml"), &place.rules.book).unwrap_err();
    assert!(error.to_string().contains("nl-bpic15"), "{error}");
}
