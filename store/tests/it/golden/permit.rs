//! Samples of the facts of a building permit.

use super::{ADA, ENTRY, OTHER, Sample, also, both, personal};
use serde_json::{Value, json};

pub(super) fn samples() -> Vec<Sample> {
    let all = [filing(), review(), conference(), decision(), title(), control()];
    all.into_iter().flatten().flatten().collect()
}

fn appeal() -> Value {
    json!({ "authority": "TAR Emilia-Romagna", "term_days": 60 })
}

fn address() -> Value {
    json!({
        "street": "Via dei Colli 3", "postcode": "40136", "municipality": "Bologna",
        "province": "BO",
    })
}

fn filing() -> Vec<Vec<Sample>> {
    let least = json!({
        "drawings": true, "asseveration": true, "works": personal("Villetta bifamiliare"),
        "site": personal(json!({ "address": address() })),
        "authorisations_held": false,
    });
    let whole = json!({
        "entitlement": "owner", "drawings": true, "asseveration": true, "designer": OTHER,
        "works": personal("Villetta bifamiliare"),
        "site": personal(json!({
            "address": address(),
            "parcels": [
                { "sheet": "12", "number": "345" },
                { "sheet": "12", "number": "346", "unit": "2" },
            ],
        })),
        "constraints": ["hydrogeological", "environmental", "landscape", "cultural"],
        "authorisations_held": true, "assents_needed": ["Soprintendenza"],
    });
    vec![
        both(
            "permit.filed",
            json!({
                "kind": "new_construction", "filed_at": "2026-03-02T09:30:00Z", "content": least.clone(),
            }),
            json!({ "content": whole }),
        ),
        also(
            "permit.filed",
            "own_term",
            json!({
                "kind": "regularisation", "filed_at": "2026-03-02T09:30:00Z", "content": least,
                "own_term": "45d",
            }),
        ),
    ]
}

fn review() -> Vec<Vec<Sample>> {
    let none = || json!({});
    vec![
        both(
            "permit.found_irreceivable",
            json!({
                "grounds": ["drawings_missing", "asseveration_missing"],
                "reasons": personal("Mancano gli elaborati"), "found_on": "2026-03-05",
                "appeal": appeal(),
            }),
            none(),
        ),
        both(
            "permit.declared_complex",
            json!({ "declared_on": "2026-03-10", "reasons": personal("Opera complessa") }),
            none(),
        ),
        both(
            "permit.changes_answered",
            json!({
                "request": ENTRY, "answered_on": "2026-04-10", "adheres": true, "resumes": false,
            }),
            none(),
        ),
        both(
            "permit.safeguards_applied",
            json!({
                "suspension": ENTRY, "applied_on": "2026-03-20", "plan_adopted_on": "2026-02-10",
                "sent_for_approval": false, "plan": "PUG adottato",
                "reasons": personal("Contrasto con il piano"),
            }),
            none(),
        ),
        both(
            "permit.safeguards_ended",
            json!({ "suspension": ENTRY, "ended_on": "2026-09-01", "by_law": false }),
            none(),
        ),
        both(
            "permit.constraints_recorded",
            json!({
                "constraints": ["landscape"], "authorisations_held": false,
                "recorded_on": "2026-03-10", "reasons": personal("Carta dei vincoli"),
            }),
            none(),
        ),
        both(
            "permit.opinion_requested",
            json!({
                "opinion": ENTRY, "body": "Vigili del fuoco", "kind": "opinion",
                "sensitive": false, "requested_on": "2026-03-09",
            }),
            none(),
        ),
        both(
            "permit.opinion_interrupted",
            json!({ "opinion": ENTRY, "asked_on": "2026-03-16" }),
            none(),
        ),
        both(
            "permit.opinion_resumed",
            json!({ "opinion": ENTRY, "received_on": "2026-03-23" }),
            none(),
        ),
        both(
            "permit.opinion_received",
            json!({
                "opinion": ENTRY, "received_on": "2026-03-27", "tenor": "favourable",
                "text": personal("Nulla osta"), "late": false,
            }),
            none(),
        ),
        both(
            "permit.opinion_lapsed",
            json!({
                "opinion": ENTRY, "due_on": "2026-03-30", "legal_at": "2026-03-30T22:00:00Z",
                "effect": "proceed_without",
            }),
            none(),
        ),
    ]
}

fn conference() -> Vec<Vec<Sample>> {
    vec![
        both(
            "permit.conference_convened",
            json!({
                "conference": ENTRY, "round": 1, "form": "simplified",
                "convened_on": "2026-03-05", "meeting_on": "2026-05-08",
                "bodies": [
                    { "body": OTHER, "name": "Soprintendenza", "sensitive": true },
                    { "body": ADA, "name": "AUSL", "sensitive": false },
                ],
                "keeps_silence_off": true,
            }),
            json!({}),
        ),
        both(
            "permit.determination_received",
            json!({
                "conference": ENTRY, "body": OTHER, "received_on": "2026-04-20",
                "position": "conditional", "counts_as": "assent", "due_on": "2026-05-04",
            }),
            json!({ "counts_as": "conditional", "reasons": personal("Si veda la relazione") }),
        ),
        both(
            "permit.body_assented_by_silence",
            json!({
                "conference": ENTRY, "body": OTHER, "due_on": "2026-05-04",
                "legal_at": "2026-05-04T22:00:00Z",
            }),
            json!({}),
        ),
        both(
            "permit.meeting_opened",
            json!({ "conference": ENTRY, "opened_on": "2026-05-08" }),
            json!({}),
        ),
        both(
            "permit.conference_concluded",
            json!({
                "conference": ENTRY, "positive": true, "concluded_on": "2026-05-20",
                "reasons": personal("Posizioni prevalenti"),
            }),
            json!({ "may_oppose": [OTHER] }),
        ),
        both(
            "permit.opposition_raised",
            json!({ "body": OTHER, "raised_on": "2026-05-25" }),
            json!({}),
        ),
        both(
            "permit.opposition_ended",
            json!({ "upheld": false, "ended_on": "2026-06-20", "reference": "DPCM 3/2026" }),
            json!({}),
        ),
    ]
}

fn decision() -> Vec<Vec<Sample>> {
    let late = || json!({ "due_on": "2026-05-20", "days_late": 4 });
    vec![
        both(
            "permit.issued",
            json!({ "issued_on": "2026-05-11" }),
            json!({
                "conditions": personal("Piantumare il confine"), "reasons": personal("Conforme"),
                "conference": ENTRY, "late": late(),
            }),
        ),
        both(
            "permit.refused",
            json!({
                "refused_on": "2026-05-11", "reasons": personal("Contrasto con il piano"),
                "appeal": appeal(), "effect": "effective",
            }),
            json!({ "answers": personal("Non superano i motivi"), "late": late() }),
        ),
        both(
            "permit.archived",
            json!({
                "archived_on": "2026-05-11", "reasons": personal("Integrazioni mai pervenute"),
                "appeal": appeal(),
            }),
            json!({ "answers": personal("Si conferma") }),
        ),
        both(
            "permit.granted_by_silence",
            json!({
                "due_on": "2026-06-01", "effective_on": "2026-06-02",
                "legal_at": "2026-06-01T22:00:00Z",
            }),
            json!({}),
        ),
        both(
            "permit.silence_attested",
            json!({ "due_on": "2026-06-01", "attested_on": "2026-06-02", "on_request": false }),
            json!({}),
        ),
        both(
            "permit.attestation_requested",
            json!({ "request": ENTRY, "requested_on": "2026-06-03" }),
            json!({}),
        ),
        both(
            "permit.attestation_denied",
            json!({ "request": ENTRY, "answered_on": "2026-06-05", "acts": ["refused"] }),
            json!({}),
        ),
        both(
            "permit.substitute_invoked",
            json!({
                "invoked_on": "2026-06-02", "on_request": true, "substitute": "segretario",
                "within": "45d",
            }),
            json!({}),
        ),
        both(
            "permit.annulled",
            json!({
                "annulled_on": "2026-09-01", "ground": "own_annulment",
                "reasons": personal("Distanze"), "appeal": appeal(),
            }),
            json!({ "ground": "judgement", "reference": "TAR 5/2026" }),
        ),
        both(
            "permit.contested",
            json!({ "contest": ENTRY, "forum": "court", "contested_on": "2026-07-01" }),
            json!({ "reference": "TAR 12/2026" }),
        ),
    ]
}

fn title() -> Vec<Vec<Sample>> {
    vec![
        both(
            "permit.published",
            json!({ "published_on": "2026-05-12", "reference": "Albo 12/2026" }),
            json!({}),
        ),
        both(
            "permit.contribution_determined",
            json!({
                "contribution": ENTRY, "kind": "urbanisation", "amount_cents": 1_000_000,
                "determined_on": "2026-05-11",
                "instalments": [
                    { "instalment": OTHER, "amount_cents": 1_000_000, "due_on": "2026-06-10" },
                ],
            }),
            json!({}),
        ),
        both(
            "permit.contribution_offset",
            json!({
                "offset": ENTRY, "contribution": OTHER, "amount_cents": 100,
                "reductions": [{ "instalment": ADA, "amount_cents": 100 }],
                "agreement": "Convenzione 4/2026", "offset_on": "2026-05-20",
            }),
            json!({}),
        ),
        both(
            "permit.payment_recorded",
            json!({
                "payment": ENTRY, "instalment": OTHER, "paid_on": "2026-06-11",
                "amount_cents": 400_000, "surcharge_percent": 10, "surcharge_cents": 40_000,
                "settles": true,
            }),
            json!({}),
        ),
        both("permit.works_started", json!({ "started_on": "2026-09-07" }), json!({})),
        both("permit.works_finished", json!({ "finished_on": "2028-03-01" }), json!({})),
        both(
            "permit.extension_requested",
            json!({
                "extension": ENTRY, "term": "start", "requested_on": "2027-05-03",
                "reasons": personal("Falda imprevista"),
            }),
            json!({}),
        ),
        both(
            "permit.extension_granted",
            json!({
                "extension": ENTRY, "term": "start", "by": "6m", "ground": "supervened_facts",
                "reasons": personal("Fatti sopravvenuti"), "granted_on": "2027-05-10",
            }),
            json!({}),
        ),
        both(
            "permit.extension_refused",
            json!({
                "extension": ENTRY, "term": "finish", "reasons": personal("Nessun fatto"),
                "appeal": appeal(), "refused_on": "2027-05-10",
            }),
            json!({}),
        ),
        both(
            "permit.extended_by_law",
            json!({
                "extension": ENTRY, "term": "start", "by": "1y",
                "basis": "DL 21/2022 art. 10-septies",
            }),
            json!({}),
        ),
        both(
            "permit.lapsed",
            json!({
                "ground": "not_started", "due_on": "2027-05-11",
                "legal_at": "2027-05-11T22:00:00Z",
            }),
            json!({ "ground": "new_plan", "reference": "PUG 2027" }),
        ),
        both(
            "permit.transferred",
            json!({ "to": OTHER, "transferred_on": "2026-07-01", "deed": personal("Rogito 88") }),
            json!({}),
        ),
    ]
}

fn control() -> Vec<Vec<Sample>> {
    vec![
        both(
            "permit.usability_reported",
            json!({
                "report": ENTRY, "reported_on": "2028-03-10", "partial": false, "late": false,
            }),
            json!({}),
        ),
        both(
            "permit.conformation_ordered",
            json!({
                "order": ENTRY, "ordered_on": "2026-03-16", "comply_within": "30d",
                "reasons": personal("Distanza dal confine"), "appeal": appeal(),
            }),
            json!({}),
        ),
        both(
            "permit.conformation_reported",
            json!({ "order": ENTRY, "reported_on": "2026-04-08" }),
            json!({}),
        ),
        both(
            "permit.prohibited",
            json!({ "of": "notice", "prohibited_on": "2026-04-16" }),
            json!({ "reasons": personal("Requisiti mancanti"), "appeal": appeal() }),
        ),
        both(
            "permit.control_ended",
            json!({
                "of": "usability", "due_on": "2028-04-10", "ended_on": "2028-04-11",
                "legal_at": "2028-04-10T22:00:00Z",
            }),
            json!({}),
        ),
    ]
}
