//! Samples of school calls and applications.

use super::{CASE, DOCUMENT, ENTRY, OTHER, Sample, both, personal};
use serde_json::{Value, json};

pub(super) fn samples() -> Vec<Sample> {
    [filing(), ranking(), offers(), year(), call(), places()].into_iter().flatten().collect()
}

fn all(samples: Vec<Vec<Sample>>) -> Vec<Sample> {
    samples.into_iter().flatten().collect()
}

fn pinned(more: bool) -> Value {
    let mut pinned = json!({
        "call": OTHER, "criteria": "bologna@2026-27", "closes_on": "2026-03-31",
        "vaccines_bind": true,
    });
    if more {
        pinned["documents"] = json!(["family_statement"]);
        pinned["deposit_cents"] = json!(10_000);
        pinned["leave_free_until"] = json!("2026-08-31");
    }
    pinned
}

fn facts() -> Value {
    personal(json!({ "all": { "resident": 1 }, "at": { "centro": { "sibling_here": 1 } } }))
}

fn content(more: bool) -> Value {
    let mut content = json!({ "band": "medi", "choices": ["centro", "nord"], "facts": facts() });
    if more {
        content["twins"] = json!([CASE]);
        content["siblings"] = json!([OTHER]);
    }
    content
}

fn standing() -> Value {
    personal(json!({
        "scores": [{
            "criterion": "siblings", "group": "main", "school": "centro", "points": 4,
            "proof": { "document": DOCUMENT },
        }, {
            "criterion": "single_parent", "group": "main", "school": "centro", "points": 8,
            "proof": { "statement": 3 },
        }],
        "not_counted": ["working_parents"], "facts": { "all": { "resident": 1 } },
        "isee_cents": 1_725_000, "born_on": "2025-03-10",
    }))
}

fn appeal() -> Value {
    json!({ "authority": "TAR", "term_days": 60 })
}

fn filing() -> Vec<Sample> {
    all(vec![
        both(
            "enrolment.filed",
            json!({
                "pinned": pinned(false), "filed_at": "2026-03-10T09:00:00Z", "child": ENTRY,
                "content": content(false),
            }),
            json!({ "pinned": pinned(true), "content": content(true), "late": true }),
        ),
        both(
            "enrolment.amended",
            json!({ "content": content(false) }),
            json!({ "content": content(true) }),
        ),
        both("enrolment.completed", json!({ "request": ENTRY, "facts": facts() }), json!({})),
        both("enrolment.admitted", json!({ "admitted_on": "2026-04-02" }), json!({})),
        both(
            "enrolment.excluded",
            json!({
                "ground": "not_completed", "reasons": personal("Non completata"),
                "excluded_on": "2026-04-20", "appeal": appeal(),
            }),
            json!({}),
        ),
        both(
            "enrolment.isee_recorded",
            json!({ "isee": personal(json!({
                "cents": 1_725_000, "protocol": "INPS-ISEE-2026-01234567A-00",
                "valid_until": "2026-12-31",
            })) }),
            json!({ "isee": personal(json!({
                "cents": 1_725_000, "protocol": "INPS-ISEE-2026-01234567A-00",
                "valid_until": "2026-12-31", "with_omissions": true,
            })) }),
        ),
    ])
}

fn ranking() -> Vec<Sample> {
    all(vec![
        both("enrolment.scored", json!({ "standing": standing() }), json!({})),
        both(
            "enrolment.ranked",
            json!({
                "ranking": ENTRY, "stage": "provisional", "published_on": "2026-05-04",
                "places": [{ "list": "centro/medi", "rank": 37, "of": 120 }],
            }),
            json!({ "observations_within": "10d" }),
        ),
        both(
            "enrolment.observation_filed",
            json!({
                "observation": ENTRY, "text": personal("Manca un fratello"),
                "filed_on": "2026-05-08",
            }),
            json!({}),
        ),
        both(
            "enrolment.observation_answered",
            json!({ "observation": ENTRY, "accepted": true, "reasons": personal("Vero") }),
            json!({ "corrected": standing() }),
        ),
    ])
}

fn offers() -> Vec<Sample> {
    all(vec![
        both(
            "enrolment.offered",
            json!({
                "offer": ENTRY, "school": "nord", "offered_on": "2026-06-01",
                "answer_within": "2wd",
            }),
            json!({}),
        ),
        both(
            "enrolment.accepted",
            json!({ "offer": ENTRY, "school": "nord", "accepted_on": "2026-06-03" }),
            json!({ "deposit_cents": 10_000, "deposit_receipt": "IUV 301" }),
        ),
        both(
            "enrolment.offer_dropped",
            json!({ "offer": ENTRY, "school": "nord", "dropped_on": "2026-06-03" }),
            json!({}),
        ),
        both(
            "enrolment.renounced",
            json!({ "offer": ENTRY, "school": "nord", "renounced_on": "2026-06-03" }),
            json!({}),
        ),
        both(
            "enrolment.offer_lapsed",
            json!({
                "offer": ENTRY, "school": "nord", "due_on": "2026-06-04",
                "legal_at": "2026-06-04T22:00:00Z",
            }),
            json!({}),
        ),
    ])
}

fn year() -> Vec<Sample> {
    all(vec![
        both(
            "enrolment.vaccines_recorded",
            json!({ "in_order": personal(false), "stated_on": "2026-06-10" }),
            json!({}),
        ),
        both(
            "enrolment.vaccine_proof_invited",
            json!({ "sent_on": "2026-06-18", "within": "22d" }),
            json!({}),
        ),
        both(
            "enrolment.vaccine_proof_filed",
            json!({ "proof": personal("exemption"), "filed_on": "2026-07-09" }),
            json!({ "document": DOCUMENT }),
        ),
        both("enrolment.attendance_started", json!({ "started_on": "2026-09-14" }), json!({})),
        both(
            "enrolment.fee_set",
            json!({
                "monthly_cents": personal(15_500), "ground": personal("by_isee"),
                "formula": "2026/27",
            }),
            json!({ "isee_protocol": personal("INPS-ISEE-2026-01234567A-00") }),
        ),
        both(
            "enrolment.left",
            json!({ "left_on": "2026-09-20" }),
            json!({ "fee_owed": true, "reason": personal("Trasloco") }),
        ),
        both(
            "enrolment.place_lost",
            json!({ "ground": personal("vaccines"), "lost_on": "2026-07-10" }),
            json!({
                "legal_at": "2026-07-10T22:00:00Z", "reasons": personal("Assente"),
                "appeal": appeal(),
            }),
        ),
        both(
            "enrolment.finished",
            json!({ "ended_on": "2027-06-30", "had_a_place": true }),
            json!({}),
        ),
    ])
}

fn plan(more: bool) -> Value {
    let mut plan = json!({
        "title": "Nidi 2026/27", "school_year": 2026, "opens_on": "2026-03-02",
        "closes_on": "2026-03-31", "ends_on": "2027-06-30",
        "schools": { "centro": { "name": "Centro", "bands": { "medi": { "places": 20 } } } },
        "criteria": {
            "name": "esempio", "version": "1", "source": "regolamento",
            "ages_on": { "month": 12, "day": 31 },
            "bands": [{ "id": "medi", "from_months": 13, "to_months": 24 }],
            "most_choices": 3, "late": "refused",
            "facts": { "resident": { "title": "residente" } },
            "scores": [{
                "name": "residence", "group": "main", "fact": "resident", "by": { "fixed": 10 },
            }],
            "order": ["score.main", "isee", "lot"],
            "observations_within": "10d", "offer_within": "5wd", "scrolled_offer_within": "2wd",
            "vaccines_bind": true,
        },
    });
    if more {
        plan["schools"]["centro"]["bands"]["medi"]["reserved"] = json!([["protected", 2]]);
        let criteria = &mut plan["criteria"];
        criteria["doubts"] = json!(["un dubbio"]);
        criteria["residents_only"] = json!(true);
        criteria["documents"] = json!(["family_statement"]);
        criteria["facts"]["disabled"] =
            json!({ "title": "disabilità", "proof": "certificate", "sensitive": true });
        criteria["reserves"] = json!([{ "group": "protected", "facts": ["disabled", "resident"] }]);
        criteria["deposit_cents"] = json!(10_000);
        criteria["leave_free_until"] = json!({ "month": 8, "day": 31 });
        criteria["scores"] = json!([
            { "name": "siblings", "group": "main", "fact": "resident",
              "by": { "each": { "points": 2, "most": 6 } } },
            { "name": "hours", "group": "main", "fact": "resident",
              "by": { "steps": [[1, 1], [20, 2]] } },
        ]);
        criteria["fee"] = json!({
            "version": "2026/27", "multiple_cents": 1, "rounding": "nearest",
            "non_residents_pay_most": true,
            "stretches": [
                { "to_cents": 450_000, "fee_cents": 0 },
                { "to_cents": 3_000_000, "fee_cents": 3_000, "fee_to_cents": 28_000 },
                { "fee_cents": 28_000 },
            ],
        });
    }
    plan
}

fn call() -> Vec<Sample> {
    all(vec![
        both("call.drafted", json!({ "plan": plan(false) }), json!({ "plan": plan(true) })),
        both("call.revised", json!({ "plan": plan(false) }), json!({ "plan": plan(true) })),
        both(
            "call.published",
            json!({
                "published_on": "2026-02-02", "act": "Det. 12/2026",
                "criteria_sha256": "ab".repeat(32),
            }),
            json!({ "seed_commitment": "cd".repeat(32) }),
        ),
        both("call.window_opened", json!({ "legal_at": "2026-03-01T23:00:00Z" }), json!({})),
        both("call.window_closed", json!({ "legal_at": "2026-03-31T22:00:00Z" }), json!({})),
        both("call.seed_revealed", json!({ "seed": "acorn" }), json!({ "public_draw": "17-42" })),
        both(
            "call.ranking_page",
            json!({ "ranking": ENTRY, "page": 0, "text": "pratica-ranking 1\n" }),
            json!({}),
        ),
        both(
            "call.ranking_published",
            json!({
                "ranking": ENTRY, "stage": "provisional", "published_on": "2026-05-04",
                "as_of_position": 1234, "sha256": "ab".repeat(32), "pages": 1, "applications": 60,
            }),
            json!({
                "observations_within": "10d", "observations_until": "2026-05-14",
                "act": "Det. 40/2026",
            }),
        ),
        both(
            "call.ranking_became_definitive",
            json!({
                "ranking": ENTRY, "observations_until": "2026-05-14",
                "legal_at": "2026-05-14T22:00:00Z",
            }),
            json!({}),
        ),
        both(
            "call.closed",
            json!({ "ended_on": "2027-06-30", "legal_at": "2027-06-30T22:00:00Z" }),
            json!({}),
        ),
    ])
}

fn places() -> Vec<Sample> {
    all(vec![
        both("call.offering_started", json!({ "started_on": "2026-06-01" }), json!({})),
        both(
            "call.place_offered",
            json!({
                "offer": ENTRY, "application": CASE, "list": "nord/medi", "rank": 3,
                "offered_on": "2026-06-01", "answer_within": "5wd",
            }),
            json!({ "reserve": "protected", "scrolled": true }),
        ),
        both("call.offer_settled", json!({ "offer": ENTRY, "outcome": "accepted" }), json!({})),
        both(
            "call.application_released",
            json!({ "application": CASE }),
            json!({ "frees": ["nord/medi"] }),
        ),
        both(
            "call.places_changed",
            json!({ "list": "nord/medi", "places": 21, "act": "Det. 50/2026" }),
            json!({}),
        ),
    ])
}
