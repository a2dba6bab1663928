//! Samples of the facts of a residency change.

use super::{ADA, CASE, ENTRY, OTHER, Sample, also, both, personal};
use serde_json::{Value, json};

pub(super) fn samples() -> Vec<Sample> {
    [declaration(), checks(), ends(), ex_officio()].into_iter().flatten().collect()
}

fn appeal() -> Value {
    json!({ "authority": "Prefetto", "term_days": 30 })
}

fn address() -> Value {
    personal(json!({
        "street": "Via Zamboni 33", "postcode": "40126", "municipality": "Bologna",
        "province": "BO",
    }))
}

fn member(more: Value) -> Value {
    let mut member = json!({
        "subject": ADA, "adult": true, "signed": true, "identity_copy": true,
    });
    member.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    member
}

fn least_content() -> Value {
    json!({ "ministry_form": true, "address": address(), "members": [member(json!({}))] })
}

fn whole_content() -> Value {
    json!({
        "ministry_form": true, "origin": "Modena", "address": address(), "title": "lease",
        "title_details": personal("Reg. AE Bologna 1, 3T/1234"),
        "members": [
            member(json!({ "annex": "a" })),
            member(json!({ "subject": OTHER, "adult": false, "signed": false })),
        ],
        "family_consent": true, "other_parent_told": true,
    })
}

fn declaration() -> Vec<Sample> {
    [
        both(
            "residency.declared",
            json!({
                "kind": "from_other_comune", "filed_at": "2026-03-02T09:30:00Z",
                "declared_late": false, "content": least_content(),
            }),
            json!({ "fact_on": "2026-02-20", "content": whole_content() }),
        ),
        both(
            "residency.completed",
            json!({ "content": least_content() }),
            json!({ "content": whole_content() }),
        ),
        both(
            "residency.found_irreceivable",
            json!({
                "grounds": ["occupation_title_missing", "signature_missing"],
                "reasons": personal("Manca il titolo"), "found_on": "2026-03-03", "appeal": appeal(),
            }),
            json!({}),
        ),
        both(
            "residency.registered",
            json!({
                "registered_on": "2026-03-04", "effective_from": "2026-03-02",
                "mode": "on_declaration", "late": false,
            }),
            json!({ "anpr_reason": 6 }),
        ),
        both(
            "residency.consular_form_received",
            json!({ "received_on": "2026-04-10", "declared_on": "2026-04-01" }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn checks() -> Vec<Sample> {
    [
        both(
            "residency.visit_recorded",
            json!({
                "visit": ENTRY, "visited_at": "2026-03-10T08:15:00Z", "outcome": "present",
                "report": personal("Trovata in casa"),
            }),
            json!({}),
        ),
        both(
            "residency.confirmed",
            json!({ "confirmed_on": "2026-03-20" }),
            json!({ "reasons": personal("Osservazioni accolte") }),
        ),
        also(
            "residency.confirmed",
            "late",
            json!({
                "confirmed_on": "2026-05-11", "reasons": personal("Osservazioni accolte"),
                "late": { "due_on": "2026-05-07", "days_late": 4 },
            }),
        ),
        both(
            "residency.confirmed_by_silence",
            json!({
                "due_on": "2026-04-16", "effective_on": "2026-04-17",
                "legal_at": "2026-04-16T22:00:00Z",
            }),
            json!({}),
        ),
        both(
            "residency.silence_attested",
            json!({ "due_on": "2026-04-16", "attested_on": "2026-04-17" }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ends() -> Vec<Sample> {
    [
        both(
            "residency.position_restored",
            json!({
                "restored_on": "2026-04-20", "annulled_from": "2026-03-02",
                "reasons": personal("Dimora non accertata"), "appeal": appeal(),
                "consequences": ["benefits_lost", "criminal_report"], "anpr_reason": 10,
            }),
            json!({
                "answers": personal("I turni non spiegano l'assenza"),
                "late": { "due_on": "2026-04-16", "days_late": 4 },
            }),
        ),
        both(
            "residency.superseded",
            json!({ "by": CASE, "superseded_on": "2026-03-15" }),
            json!({}),
        ),
        both(
            "residency.ended_by_fact",
            json!({ "fact": "death", "happened_on": "2026-03-15" }),
            json!({}),
        ),
        both(
            "residency.cancelled",
            json!({ "cancelled_on": "2027-03-20", "effective_from": "2027-03-20" }),
            json!({ "reasons": personal("Irreperibile"), "appeal": appeal(), "anpr_reason": 6 }),
        ),
        both(
            "residency.reported",
            json!({ "to": "public_security", "reported_on": "2026-04-21" }),
            json!({ "reference": "PG/2026/512" }),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn ex_officio() -> Vec<Sample> {
    [
        both(
            "residency.opened_ex_officio",
            json!({
                "kind": "untraceable", "fact_on": "2026-01-10", "address": address(),
                "grounds": personal("Posta resa al mittente"),
            }),
            json!({}),
        ),
        both("residency.invited", json!({ "sent_on": "2026-02-01" }), json!({})),
    ]
    .into_iter()
    .flatten()
    .collect()
}
