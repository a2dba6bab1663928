//! Samples of the facts that every case may have.

use super::{ADA, CASE, DOCUMENT, ENTRY, OTHER, Sample, also, both, personal};
use serde_json::json;

pub(super) fn samples() -> Vec<Sample> {
    [parties(), file(), requests(), notice(), course(), terms(), disposal()]
        .into_iter()
        .flatten()
        .collect()
}

fn parties() -> Vec<Sample> {
    [
        both(
            "case.opened",
            json!({
                "procedure": "residency", "kind": "from_other_comune", "filed_on": "2026-03-02",
                "filed_at": "2026-03-02T09:30:00Z", "channel": "portal",
                "rules_version": "italy-2026.1", "office": "anagrafe",
            }),
            json!({ "reference": "PG/2019/443" }),
        ),
        both(
            "case.party_added",
            json!({
                "subject": ADA, "role": "applicant",
                "person": personal(json!({ "given_name": "Ada", "family_name": "Rossi" })),
            }),
            json!({
                "person": personal(json!({
                    "given_name": "Mario", "family_name": "Rossi",
                    "fiscal_code": "RSSMRA80A01H501U", "birth_date": "1980-01-01",
                    "contact": "mario.rossi@example.it",
                })),
                "account": "cie-mario.rossi",
            }),
        ),
        both(
            "case.representation_granted",
            json!({
                "representation": ENTRY, "agent": OTHER, "principal": ADA, "title": "mandate",
            }),
            json!({ "evidence": DOCUMENT, "until": "2026-12-31" }),
        ),
        both(
            "case.representation_ended",
            json!({ "representation": ENTRY, "reason": personal("Revoca del mandato") }),
            json!({}),
        ),
        both(
            "case.assigned",
            json!({ "office": "anagrafe" }),
            json!({ "officer": "l.bianchi", "reason": personal("Ferie") }),
        ),
        also(
            "case.responsible_named",
            "dated",
            json!({ "officer": "l.bianchi", "named_on": "2026-03-05" }),
        ),
        both("case.responsible_named", json!({ "officer": "l.bianchi" }), json!({})),
        both(
            "case.conflict_declared",
            json!({ "officer": "l.bianchi", "reason": personal("Rapporto di parentela") }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn file() -> Vec<Sample> {
    [
        both(
            "case.note_added",
            json!({ "note": ENTRY, "text": personal("Telefonare nel pomeriggio") }),
            json!({}),
        ),
        both(
            "case.message_sent",
            json!({ "message": ENTRY, "direction": "outgoing", "text": personal("Buongiorno") }),
            json!({ "documents": [DOCUMENT] }),
        ),
        both(
            "case.document_added",
            json!({
                "document": DOCUMENT, "kind": "identity_copy", "media_type": "application/pdf",
                "size_bytes": 48213, "sha256": "ab".repeat(32), "direction": "incoming",
                "dated_on": "2026-03-02", "version": 1,
            }),
            json!({ "version": 2, "replaces": ENTRY, "attached_to": OTHER }),
        ),
        both(
            "case.document_registered",
            json!({
                "document": DOCUMENT, "number": { "year": 2026, "number": 42 },
                "registered_on": "2026-03-02",
            }),
            json!({}),
        ),
        both("case.linked", json!({ "other": CASE, "kind": "same_household" }), json!({})),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn requests() -> Vec<Sample> {
    let request = |clock| {
        json!({
            "request": ENTRY, "kind": "additions", "text": personal("Copia del contratto"),
            "sent_on": "2026-03-05", "answer_within": "30d", "clock": clock,
            "basis": "L. 241/1990 art. 2 c. 7",
        })
    };
    let term = "residency.checks";
    [
        both(
            "case.request_sent",
            request(json!({ "effect": "none" })),
            json!({ "clock": { "effect": "suspends", "term": term, "cap_days": 30 } }),
        ),
        also(
            "case.request_sent",
            "interrupts",
            request(json!({ "effect": "interrupts", "term": term })),
        ),
        both(
            "case.request_answered",
            json!({ "request": ENTRY, "answered_on": "2026-03-20" }),
            json!({ "documents": [DOCUMENT] }),
        ),
        both(
            "case.request_lapsed",
            json!({
                "request": ENTRY, "due_on": "2026-04-04", "legal_at": "2026-04-04T22:00:00Z",
            }),
            json!({}),
        ),
        both(
            "case.request_cancelled",
            json!({ "request": ENTRY, "cancelled_on": "2026-03-10", "reason": personal("Già agli atti") }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn notice() -> Vec<Sample> {
    [
        both(
            "case.notice_sent",
            json!({
                "notice": ENTRY, "sent_on": "2026-03-20", "mode": "pec",
                "reasons": [personal("Assente in tre accessi")],
                "suspends": ["residency.checks"], "stops_at": "sending",
            }),
            json!({}),
        ),
        both(
            "case.notice_received",
            json!({ "notice": ENTRY, "received_on": "2026-03-23", "mode": "registered_letter" }),
            json!({}),
        ),
        both(
            "case.observations_filed",
            json!({
                "observations": OTHER, "notice": ENTRY, "filed_on": "2026-03-27",
                "text": personal("Lavoro su turni"),
            }),
            json!({ "documents": [DOCUMENT] }),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn course() -> Vec<Sample> {
    [
        also(
            "case.proposal_made",
            "dated",
            json!({
                "proposal": ENTRY, "by": "l.bianchi", "outcome": "favourable",
                "reasons": personal("Conforme"), "made_on": "2026-04-20",
            }),
        ),
        both(
            "case.proposal_made",
            json!({
                "proposal": ENTRY, "by": "l.bianchi", "outcome": "negative",
                "reasons": personal("Dimora non accertata"),
            }),
            json!({}),
        ),
        both(
            "case.proposal_withdrawn",
            json!({ "proposal": ENTRY, "reason": personal("Nuovi elementi") }),
            json!({}),
        ),
        both(
            "case.withdrawn",
            json!({ "withdrawn_on": "2026-03-12", "undoes_provisional_effect": true }),
            json!({ "reason": personal("Cambio di programma") }),
        ),
        both(
            "case.reopened",
            json!({
                "ground": "judicial_annulment", "reference": "TAR Bologna 12/2026",
                "reopened_on": "2026-09-01", "restarts": ["residency.checks"],
            }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn terms() -> Vec<Sample> {
    let term = "residency.checks";
    [
        both(
            "case.term_suspended",
            json!({
                "term": term, "suspension": ENTRY, "suspended_on": "2026-03-10",
                "reason": personal("Accertamenti presso altra amministrazione"),
                "basis": "L. 241/1990 art. 2 c. 7",
            }),
            json!({ "cap_days": 30 }),
        ),
        both(
            "case.term_resumed",
            json!({ "term": term, "suspension": ENTRY, "resumed_on": "2026-03-24" }),
            json!({}),
        ),
        both(
            "case.term_extended",
            json!({
                "term": term, "extension": ENTRY, "by": "15d", "reason": personal("Complessità"),
                "basis": "L. 241/1990 art. 2 c. 4",
            }),
            json!({}),
        ),
        both(
            "case.term_expired",
            json!({ "term": term, "due_on": "2026-04-16", "legal_at": "2026-04-16T22:00:00Z" }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn disposal() -> Vec<Sample> {
    [
        both(
            "case.hold_placed",
            json!({
                "hold": ENTRY, "reason": personal("Ricorso al TAR"),
                "reference": personal("R.G. 12/2067"), "placed_on": "2067-01-10",
            }),
            json!({}),
        ),
        both(
            "case.hold_lifted",
            json!({
                "hold": ENTRY, "reason": personal("Giudicato"),
                "reference": personal("Sentenza 3/2068"), "lifted_on": "2068-01-10",
            }),
            json!({}),
        ),
        both(
            "case.erasure_proposed",
            json!({
                "erasure": ENTRY, "by": "archivio",
                "class": "XI.2 Anagrafe: pratiche migratorie", "ended_on": "2026-03-20",
                "kept_until": "2066-03-20", "basis": "DPR 445/2000 art. 68",
                "rules_version": "italy-2026", "proposed_on": "2068-02-01",
            }),
            json!({}),
        ),
        both(
            "case.erasure_authorised",
            json!({
                "erasure": ENTRY, "by": "rpd", "reference": personal("Prot. 77/2068"),
                "authorised_on": "2068-03-01",
            }),
            json!({}),
        ),
        both(
            "case.erased",
            json!({ "erasure": ENTRY, "keys": 3, "erased_on": "2068-03-01" }),
            json!({}),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}
