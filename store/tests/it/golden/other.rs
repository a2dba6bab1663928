//! Samples of imported histories and of the protocol register.

use super::{CASE, DOCUMENT, Sample, both, personal};
use serde_json::json;

pub(super) fn samples() -> Vec<Sample> {
    [imported(), register()].into_iter().flatten().collect()
}

fn imported() -> Vec<Sample> {
    [
        both(
            "imported.departures_noted",
            json!({ "departures": ["no_notice", "additions_asked_late", "held_up_again"] }),
            json!({}),
        ),
        both(
            "imported.step_recorded",
            json!({ "activity": "01_HOOFD_010" }),
            json!({ "resource": "560872", "attributes": { "question": "EMPTY" } }),
        ),
        both(
            "imported.term_set",
            json!({ "term": "case.conclusion", "from": "2019-03-02" }),
            json!({ "length": "8m" }),
        ),
        both(
            "imported.decided",
            json!({ "decided_on": "2019-05-02", "activity": "01_HOOFD_510" }),
            json!({ "outcome": "favourable" }),
        ),
        both(
            "imported.closed",
            json!({ "outcome": "not_considered", "closed_on": "2019-06-01" }),
            json!({}),
        ),
        both(
            "imported.taken_over",
            json!({
                "source": "WABO", "reference": "4634935", "source_events": 2,
                "history_sha256": "ab".repeat(32), "mapping_sha256": "cd".repeat(32),
            }),
            json!({
                "attributes": { "parts": "Bouw" }, "personal": { "owner": personal("Rossi") },
                "types": { "created": "date", "created@2": "int" },
            }),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn register() -> Vec<Sample> {
    let number = json!({ "year": 2026, "number": 42 });
    [
        both(
            "register.registered",
            json!({
                "number": number, "registered_on": "2026-03-03", "direction": "incoming",
                "correspondent": personal("Rossi Ada"), "object": "residency: declaration",
                "sha256": "ab".repeat(32),
            }),
            json!({
                "case": CASE, "document": DOCUMENT, "filed_on": "2026-03-02",
                "emergency_number": 3,
            }),
        ),
        both(
            "register.annulled",
            json!({
                "number": number, "reason": "Doppione", "authorisation": "Det. 3/2026",
                "by": "l.bianchi", "annulled_on": "2026-03-05",
            }),
            json!({}),
        ),
        both(
            "register.day_closed",
            json!({ "day": "2026-03-03", "last": 42, "sha256": "ab".repeat(32) }),
            json!({ "first": 40 }),
        ),
        both(
            "register.emergency_opened",
            json!({ "reason": "Guasto, det. 9/2026", "opened_at": "2026-03-05T07:00:00Z" }),
            json!({}),
        ),
        both(
            "register.emergency_closed",
            json!({ "closed_at": "2026-03-05T11:00:00Z", "recovered": [[1, number]] }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
