//! What the folded case keeps of an event, and what it leaves there.

use pratica_domain::case::LEFT_IN_EVENTS;
use pratica_domain::{Case, Event, evolve};
use serde_json::json;

/// A note or a message, or any other event that says something of somebody, with these words.
fn saying(event_type: &str, words: &serde_json::Value) -> Case {
    let id = "018f7c1e-6c5b-7d4a-9b1f-2f6f0a4c9b11";
    let mut text = words.clone();
    text["subject"] = json!(id);
    let payload = json!({
        "note": id, "message": id, "direction": "outgoing", "text": text,
        "subject": id, "role": "applicant", "person": text,
    });
    let event = Event::deserialize_payload(event_type, payload).unwrap().unwrap();
    evolve(Case::default(), &event)
}

#[test]
fn what_is_left_in_the_events_is_not_in_the_folded_case() {
    for event_type in LEFT_IN_EVENTS {
        let sealed = saying(event_type, &json!({ "sealed": "never opened" }));
        assert_eq!(sealed, saying(event_type, &json!({ "value": "second floor" })));
        assert_eq!(sealed.file.events, 1, "{event_type} counts all the same");
    }
    // The control: an event of which the case keeps what is personal.
    let person = |name: &str| json!({ "value": { "given_name": name, "family_name": "Rossi" } });
    let party = |name| saying("case.party_added", &person(name));
    assert_ne!(party("Anna"), party("Maria"));
}
