//! Every command of the contract, taken: the stories of the demonstration and one that calls what they
//! do not, with a word in every free text that must be in no file afterwards.

use crate::secrecy::{CLERK, HEAD, OFFICER, REGISTRAR};
use crate::secrecy_words::{NOT_FOR_PEOPLE, WORD, nothing_is_in_a_file, text_of};
use anyhow::Context as _;
use jiff::civil::{Date, date};
use pratica_api::cli::client::methods;
use pratica_api::demo::{
    DECIDER, RESPONSIBLE, SCHOOL_CLERK, SCHOOL_OFFICER, SEED, SURVEYOR, Town, Who,
    building_application, declaration, family_form, play, play_building, play_school, publish_call,
};
use pratica_domain::Role;
use pratica_tests::{COMUNE, Server, fault};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};
use std::collections::BTreeSet;

type Test = anyhow::Result<()>;

const DESIGNER: Who = Who("citizen.bassi", Role::Citizen);
const DPO: Who = Who("garante", Role::ProtectionOfficer);
const ARCHIVIST: Who = REGISTRAR;

/// Names of people, which their fiscal codes repeat, and words of which only some are allowed.
const STAY: &[&str] = &[
    "given_name",
    "family_name",
    "account",
    "designer_account",
    "seed_commitment",
    "set_aside",
    "list",
    "substitute",
    "stage",
];

/// Adds the word to every free text of a request, so that a story goes on as it would without it.
fn marked(message: &MessageDescriptor, request: &mut Value) {
    let told = |f: &FieldDescriptor| !f.is_map() && !NOT_FOR_PEOPLE.contains(&f.name());
    for field in message.fields().filter(told) {
        let Some(value) = request.get_mut(field.name()) else { continue };
        let values: Vec<&mut Value> = match value {
            Value::Array(values) => values.iter_mut().collect(),
            one => vec![one],
        };
        for value in values {
            match (field.kind(), value) {
                (Kind::String, Value::String(text)) if takes_words(field.name()) => {
                    text.push(' ');
                    text.push_str(WORD);
                }
                (Kind::Message(inner), value) => marked(&inner, value),
                _ => {}
            }
        }
    }
}

fn takes_words(field: &str) -> bool {
    !STAY.contains(&field) && text_of(field, "", "").is_some_and(|text| text.starts_with(WORD))
}

fn on(day: Date) -> Value {
    json!({ "year": day.year(), "month": day.month(), "day": day.day() })
}

fn appeal() -> Value {
    json!({ "authority": "TAR", "term_days": 60 })
}

fn days(count: u32) -> Value {
    json!({ "count": count, "unit": "TERM_UNIT_DAYS" })
}

async fn act(
    town: &mut Town,
    who: Who,
    case: &str,
    command: &str,
    content: Value,
) -> anyhow::Result<Value> {
    town.act(who, case, command, content).await.map_err(fault).with_context(|| command.to_owned())
}

async fn call(town: &mut Town, who: Who, method: &str, content: Value) -> anyhow::Result<Value> {
    let mut content = content;
    content["request_id"] = json!(uuid::Uuid::new_v4());
    let method = format!("pratica.{method}");
    town.call(who, &method, content).await.map_err(fault).with_context(|| method.clone())
}

async fn day(town: &mut Town, day: Date) -> Test {
    town.day(day).await.map(drop).map_err(fault)
}

/// The identifier of the last of a case's things, such as its requests.
async fn last(
    town: &mut Town,
    who: Who,
    case: &str,
    list: &str,
    id: &str,
) -> anyhow::Result<Value> {
    let seen = town.case(who, case).await.map_err(fault)?;
    let last = seen[list].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    anyhow::ensure!(last[id].is_string(), "no {id} in {}", seen[list]);
    Ok(last[id].clone())
}

async fn permit(town: &mut Town, case: &str) -> anyhow::Result<Value> {
    let asked = json!({ "case_id": case });
    let method = "pratica.permit.v1.PermitService/GetPermit";
    Ok(town.call(SURVEYOR, method, asked).await.map_err(fault)?["permit"].clone())
}

async fn build(
    town: &mut Town,
    name: &str,
    change: impl FnOnce(&mut Value),
) -> anyhow::Result<String> {
    let mut form = building_application("Dina", name, "a barn");
    change(&mut form);
    let case = town.open(DESIGNER, "permit.file", form).await.map_err(fault)?;
    act(town, DECIDER, &case, "case.name_responsible", json!({ "officer": "ugo" })).await?;
    Ok(case)
}

async fn propose(town: &mut Town, case: &str, tenor: &str) -> Test {
    let proposal = json!({ "tenor": format!("TENOR_{tenor}"), "reasons": "see the report" });
    act(town, RESPONSIBLE, case, "case.propose", proposal).await.map(drop)
}

/// A permit through everything that may happen before it is issued and afterwards.
async fn one_permit(town: &mut Town) -> Test {
    let case = &build(town, "Abati", |_| {}).await?;
    let who = RESPONSIBLE;
    act(town, who, case, "permit.declare_complex", json!({ "reasons": "three plots" })).await?;
    let content = json!({ "constraints": ["CONSTRAINT_HYDROGEOLOGICAL"], "authorisations_held": true,
        "reasons": "seen on the map" });
    act(town, who, case, "permit.record_constraints", content).await?;
    let content = json!({ "body": "ausl", "kind": "OPINION_KIND_OPINION",
        "request_date": on(date(2027, 1, 11)) });
    act(town, who, case, "permit.request_opinion", content).await?;
    let opinion = permit(town, case).await?["opinions"][0]["opinion_id"].clone();
    day(town, date(2027, 1, 12)).await?;
    let today = || on(date(2027, 1, 12));
    let content = json!({ "opinion_id": opinion, "ask_date": today() });
    act(town, SURVEYOR, case, "permit.interrupt_opinion", content).await?;
    let content = json!({ "opinion_id": opinion, "receive_date": today() });
    act(town, SURVEYOR, case, "permit.resume_opinion", content).await?;
    let content = json!({ "opinion_id": opinion, "receive_date": today(),
        "tenor": "TENOR_FAVOURABLE", "text": "healthy" });
    act(town, SURVEYOR, case, "permit.record_opinion", content).await?;
    let content =
        json!({ "text": "a lower roof", "send_date": today(), "answer_within": days(20) });
    act(town, who, case, "permit.request_changes", content).await?;
    let id = last(town, who, case, "requests", "request_entry_id").await?;
    let content = json!({ "requirement_id": id, "answer_date": today(), "adheres": false });
    act(town, DESIGNER, case, "permit.answer_changes", content).await?;
    let content = json!({ "apply_date": today(), "plan_adoption_date": on(date(2026, 12, 1)),
        "plan": "pgt-2026", "reasons": "against the new plan" });
    act(town, DECIDER, case, "permit.apply_safeguards", content).await?;
    act(town, DECIDER, case, "permit.end_safeguards", json!({ "end_date": today() })).await?;
    propose(town, case, "FAVOURABLE").await?;
    act(town, DECIDER, case, "permit.issue", json!({ "conditions": "a hedge" })).await?;
    let content = json!({ "publish_date": today(), "reference": "albo 12" });
    act(town, SURVEYOR, case, "permit.publish", content).await?;
    let content = json!({ "kind": "CONTRIBUTION_KIND_URBANISATION", "amount_cents": 1000,
        "instalments": [{ "amount_cents": 1000, "due_date": on(date(2027, 6, 11)) }] });
    act(town, DECIDER, case, "permit.determine_contribution", content).await?;
    let title = permit(town, case).await?["title"].clone();
    let content = json!({ "contribution_id": title["contributions"][0]["contribution_id"],
        "amount_cents": 100, "agreement": "rep. 7" });
    act(town, DECIDER, case, "permit.offset_contribution", content).await?;
    let content = json!({ "person": { "given_name": "Ugo", "family_name": "Nuti" },
        "account": "citizen.nuti", "transfer_date": today(), "deed": "rep. 8" });
    act(town, DECIDER, case, "permit.transfer", content).await?;
    for answer in ["grant", "refuse"] {
        let content = json!({ "term": "WORKS_TERM_START", "request_date": today(),
            "reasons": "illness" });
        act(town, DESIGNER, case, "permit.request_extension", content).await?;
        let title = permit(town, case).await?["title"].clone();
        let mut all = title["extensions"].as_array().into_iter().flatten();
        let open = all.find(|e| e["answer"] != "granted");
        let id = open.map(|e| e["extension_id"].clone()).unwrap_or_default();
        let content = match answer {
            "grant" => json!({ "extension_id": id, "by": days(30), "reasons": "proven",
                "ground": "EXTENSION_GROUND_SUPERVENED_FACTS" }),
            _ => json!({ "extension_id": id, "reasons": "not proven", "appeal": appeal() }),
        };
        act(town, DECIDER, case, &format!("permit.{answer}_extension"), content).await?;
    }
    let content = json!({ "term": "WORKS_TERM_START", "by": days(30), "basis": "DL 21/2022" });
    act(town, DECIDER, case, "permit.extend_by_law", content).await?;
    act(town, DESIGNER, case, "permit.start_works", json!({ "start_date": today() })).await?;
    act(town, DESIGNER, case, "permit.finish_works", json!({ "finish_date": today() })).await?;
    let content = json!({ "report_date": today() });
    act(town, DESIGNER, case, "permit.report_usability", content).await?;
    let content = json!({ "forum": "FORUM_COURT", "contest_date": today(), "reference": "TAR 3" });
    act(town, SURVEYOR, case, "permit.record_contest", content).await?;
    let content = json!({ "ground": "ANNULMENT_GROUND_JUDGEMENT", "reference": "TAR 4",
        "reasons": "as the court says", "appeal": appeal() });
    act(town, DECIDER, case, "permit.annul", content).await?;
    Ok(())
}

/// Notices of works, a lapse, a substitute, an archiving, a conference that is opposed.
async fn other_permits(town: &mut Town) -> Test {
    let notice = |form: &mut Value| form["kind"] = json!("PERMIT_KIND_NOTICE");
    let conformed = &build(town, "Bruni", notice).await?;
    let content = json!({ "comply_within": days(30), "reasons": "no railing", "appeal": appeal() });
    act(town, DECIDER, conformed, "permit.order_conformation", content).await?;
    let content = json!({ "report_date": on(date(2027, 1, 12)) });
    act(town, DESIGNER, conformed, "permit.report_conformation", content).await?;
    let prohibited = &build(town, "Bruni", notice).await?;
    let content = json!({ "reasons": "no railing at all", "appeal": appeal() });
    act(town, DECIDER, prohibited, "permit.prohibit", content).await?;
    let bare = &build(town, "Erba", |form| form["form"]["drawings"] = json!(false)).await?;
    let content = json!({ "grounds": ["IRRECEIVABILITY_GROUND_DRAWINGS_MISSING"],
        "reasons": "no drawings", "appeal": appeal() });
    act(town, DECIDER, bare, "permit.find_irreceivable", content).await?;
    let lapsed = &build(town, "Erba", |_| {}).await?;
    propose(town, lapsed, "FAVOURABLE").await?;
    act(town, DECIDER, lapsed, "permit.issue", json!({})).await?;
    let content = json!({ "in_force_date": on(date(2027, 1, 12)), "reference": "new plan" });
    act(town, DECIDER, lapsed, "permit.declare_lapse", content).await?;

    let constrained =
        |form: &mut Value| form["form"]["constraints"] = json!(["CONSTRAINT_LANDSCAPE"]);
    let late = &build(town, "Castelli", constrained).await?;
    let archived = &build(town, "Cervi", constrained).await?;
    let content = json!({ "text": "drawings", "send_date": on(date(2027, 1, 12)),
        "answer_within": days(10) });
    act(town, RESPONSIBLE, archived, "permit.request_additions", content).await?;
    let opposed = &build(town, "Dossi", constrained).await?;
    let content = json!({ "form": "CONFERENCE_FORM_SYNCHRONOUS",
        "convene_date": on(date(2027, 1, 12)), "meeting_date": on(date(2027, 2, 11)),
        "bodies": [{ "name": "soprintendenza", "sensitive": true }] });
    act(town, DECIDER, opposed, "permit.convene_conference", content).await?;

    day(town, date(2027, 2, 15)).await?;
    let content = json!({ "open_date": on(date(2027, 2, 15)) });
    act(town, DECIDER, opposed, "permit.open_meeting", content).await?;
    let view = permit(town, opposed).await?;
    let body = view["conferences"][0]["bodies"][0]["body_id"].clone();
    let content = json!({ "body_id": body, "receive_date": on(date(2027, 2, 15)),
        "position": "POSITION_SURMOUNTABLE", "reasons": "too near" });
    act(town, SURVEYOR, opposed, "permit.record_determination", content).await?;
    let content = json!({ "positive": true, "reasons": "far enough" });
    act(town, DECIDER, opposed, "permit.conclude_conference", content).await?;
    let content = json!({ "body_id": body, "raise_date": on(date(2027, 2, 15)) });
    act(town, SURVEYOR, opposed, "permit.raise_opposition", content).await?;
    let content =
        json!({ "upheld": false, "end_date": on(date(2027, 2, 15)), "reference": "PCM 1" });
    act(town, SURVEYOR, opposed, "permit.end_opposition", content).await?;
    let content = json!({ "reasons": ["no drawings"], "mode": "DELIVERY_MODE_PEC" });
    act(town, DECIDER, archived, "case.send_notice", content).await?;
    let content = json!({ "mode": "DELIVERY_MODE_PEC" });
    act(town, SURVEYOR, archived, "case.record_notice_receipt", content).await?;

    day(town, date(2027, 3, 1)).await?;
    let content = json!({ "reasons": "no drawings came", "answers": "none", "appeal": appeal() });
    act(town, DECIDER, archived, "permit.archive", content).await?;
    day(town, date(2027, 6, 1)).await?;
    let head = Who("vera", Role::Head);
    let content = json!({ "ground": "REOPENING_GROUND_JUDICIAL_ANNULMENT", "reference": "TAR 1" });
    act(town, head, archived, "case.reopen", content).await?;
    let content = json!({ "on_request": true, "substitute": "vera" });
    act(town, head, late, "permit.invoke_substitute", content).await?;
    Ok(())
}

/// What every case can go through, on declarations of residence.
async fn residency(town: &mut Town) -> Test {
    let mut filed = Vec::new();
    for _ in 0..4 {
        let form = declaration("Anna", "Rossi", "CHANGE_OF_DWELLING");
        filed.push(town.file(CLERK, form).await.map_err(fault)?);
    }
    let [case, other, dead, conflicted] = &filed[..] else { anyhow::bail!("four were filed") };
    let principal = last(town, OFFICER, case, "parties", "party_id").await?;
    let content = json!({ "role": "PARTY_ROLE_REPRESENTATIVE", "account": "agent.a",
        "person": { "given_name": "Ugo", "family_name": "Agente" } });
    act(town, OFFICER, case, "case.add_party", content).await?;
    let seen = town.case(OFFICER, case).await.map_err(fault)?;
    let parties = seen["parties"].as_array().cloned().unwrap_or_default();
    let agent = parties.iter().find(|p| p["person"]["family_name"] == "Agente");
    let document = json!({ "kind": "mandate", "media_type": "application/pdf", "size_bytes": 5,
        "sha256": "cd".repeat(32) });
    let content = json!({ "document": document, "direction": "DIRECTION_INCOMING" });
    act(town, OFFICER, case, "case.add_document", content).await?;
    let proof = last(town, OFFICER, case, "documents", "document_id").await?;
    let content = json!({ "agent_party_id": agent.map(|p| p["party_id"].clone()),
        "principal_party_id": principal, "title": "REPRESENTATION_TITLE_MANDATE",
        "evidence_document_id": proof, "until_date": on(date(2028, 3, 3)) });
    act(town, OFFICER, case, "case.grant_representation", content).await?;
    let id = last(town, OFFICER, case, "representations", "representation_id").await?;
    let content = json!({ "representation_id": id, "reason": "revoked" });
    act(town, OFFICER, case, "case.end_representation", content).await?;
    let content = json!({ "other_case_id": other, "kind": "LINK_KIND_SAME_HOUSEHOLD" });
    act(town, OFFICER, case, "case.link", content).await?;
    act(town, OFFICER, case, "residency.register", json!({})).await?;
    let content = json!({ "kind": "REQUEST_KIND_ADDITIONS", "text": "the lease",
        "answer_within": days(20) });
    act(town, CLERK, case, "case.send_request", content).await?;
    let id = last(town, CLERK, case, "requests", "request_entry_id").await?;
    let content = json!({ "request_entry_id": id, "reason": "found" });
    act(town, CLERK, case, "case.cancel_request", content).await?;
    let today = town_day();
    let content =
        json!({ "term": "residency.checks", "suspend_date": on(today), "reason": "a flood" });
    act(town, HEAD, case, "case.suspend_term", content).await?;
    let id = last(town, OFFICER, case, "suspensions", "suspension_id").await?;
    let content = json!({ "suspension_id": id, "resume_date": on(today) });
    act(town, HEAD, case, "case.resume_term", content).await?;
    let content = json!({ "term": "residency.checks", "by": days(5), "reason": "a flood",
        "basis": "DL 1" });
    act(town, HEAD, case, "case.extend_term", content).await?;
    let content = json!({ "tenor": "TENOR_FAVOURABLE", "reasons": "all seen" });
    act(town, OFFICER, case, "case.propose", content).await?;
    let content = json!({ "reason": "not all seen" });
    act(town, OFFICER, case, "case.withdraw_proposal", content).await?;
    act(town, CLERK, case, "case.add_note", json!({ "text": "a call" })).await?;
    let content = json!({ "text": "a letter", "direction": "DIRECTION_OUTGOING" });
    act(town, CLERK, case, "case.send_message", content).await?;
    let content = json!({ "office": "anagrafe", "officer": "bruno", "reason": "holidays" });
    act(town, HEAD, case, "case.assign", content).await?;
    act(town, OFFICER, case, "residency.confirm", json!({ "reasons": "seen" })).await?;
    let content = json!({ "fact": "ENDING_FACT_DEATH", "happen_date": on(today) });
    act(town, OFFICER, dead, "residency.end_by_fact", content).await?;
    let content = json!({ "officer": "bruno", "reason": "a brother" });
    act(town, Who("bruno", Role::Officer), conflicted, "case.declare_conflict", content).await?;
    let content = json!({ "office": "anagrafe", "officer": "anna", "reason": "holidays",
        "case_ids": [other] });
    call(town, OFFICER, "worklist.v1.WorklistService/BulkAssign", content).await?;
    Ok(())
}

fn town_day() -> Date {
    date(2027, 6, 1)
}

/// An entry of a person who did not declare, and the register's own commands.
async fn ex_officio_and_register(town: &mut Town) -> Test {
    let content = json!({ "kind": "RESIDENCY_KIND_EX_OFFICIO_REGISTRATION",
        "person": { "given_name": "Nina", "family_name": "Neri" },
        "address": { "street": "Via Vuota 1", "municipality": "Collina" },
        "fact_date": on(date(2027, 2, 10)), "grounds": "mail returned for a year" });
    let opened = call(town, HEAD, "residency.v1.ResidencyService/OpenExOfficio", content).await?;
    let case = opened["outcome"]["case_id"].as_str().unwrap_or_default().to_owned();
    let content = json!({ "send_date": on(town_day()) });
    act(town, OFFICER, &case, "residency.invite", content).await?;
    let content = json!({ "direction": "DIRECTION_INCOMING", "correspondent": "the region",
        "object": "circular", "document": { "kind": "letter", "media_type": "application/pdf",
            "size_bytes": 10, "sha256": "ab".repeat(32) } });
    let register = "register.v1.RegisterService";
    let letter = call(town, REGISTRAR, &format!("{register}/RegisterDocument"), content).await?;
    let content = json!({ "number": letter["number"]["text"], "reason": "twice",
        "authorisation": "act 12" });
    call(town, REGISTRAR, &format!("{register}/AnnulRegistration"), content).await?;
    let content = json!({ "reason": "no power" });
    call(town, REGISTRAR, &format!("{register}/OpenEmergency"), content).await?;
    let content = json!({ "entries": [{ "emergency_number": 1,
        "direction": "DIRECTION_INCOMING", "correspondent": "Bianchi", "object": "request",
        "document": { "kind": "letter", "media_type": "application/pdf",
            "sha256": "ab".repeat(32) }, "filing_date": on(town_day()) }] });
    call(town, REGISTRAR, &format!("{register}/CloseEmergency"), content).await?;
    day(town, date(2027, 7, 2)).await?;
    act(town, HEAD, &case, "residency.register_ex_officio", json!({})).await?;
    let content = json!({ "day_date": on(date(2027, 1, 11)) });
    call(town, REGISTRAR, &format!("{register}/CloseDay"), content).await?;
    Ok(())
}

/// A case whose forty years are over.
async fn erased(town: &mut Town) -> Test {
    let form = declaration("Berta", "Bianchi", "CHANGE_OF_DWELLING");
    let case = &town.file(CLERK, form).await.map_err(fault)?;
    act(town, OFFICER, case, "residency.register", json!({})).await?;
    act(town, OFFICER, case, "residency.confirm", json!({ "reasons": "seen" })).await?;
    let at = async |town: &mut Town, who, command: &str, content| {
        let etag = town.case(HEAD, case).await.map_err(fault)?["summary"]["etag"].clone();
        let done = town.act_at(who, case, command, content, etag).await;
        done.map_err(fault).with_context(|| command.to_owned())
    };
    let content = json!({ "reason": "an appeal", "reference": "R.G. 12" });
    let placed = at(town, DPO, "case.place_hold", content).await?;
    let position = placed["outcome"]["position"].as_u64().context("where the hold is")?;
    let listed = json!({ "stage": "ERASURE_STAGE_HELD", "min_position": position });
    let method = "pratica.privacy.v1.PrivacyService/ListErasures";
    let held = town.call(DPO, method, listed).await.map_err(fault)?;
    let hold = held["erasures"][0]["hold_ids"][0].clone();
    let content = json!({ "hold_id": hold, "reason": "final", "reference": "Sentenza 3" });
    at(town, DPO, "case.lift_hold", content).await?;
    day(town, date(2070, 1, 2)).await?;
    at(town, ARCHIVIST, "case.propose_erasure", json!({})).await?;
    let content = json!({ "reference": "Prot. 77" });
    at(town, DPO, "case.authorise_erasure", content).await?;
    Ok(())
}

/// What the story of the school call does not do.
async fn school(town: &mut Town) -> Test {
    let calls = "enrolment.v1.CallService";
    day(town, date(2026, 2, 2)).await?;
    let plan = json!({ "title": "Nidi", "school_year": 2026, "open_date": on(date(2026, 3, 2)),
        "close_date": on(date(2026, 3, 31)), "end_date": on(date(2027, 6, 30)),
        "schools": [{ "school": "centro", "bands": [{ "band": "divezzi", "places": 3 }] }],
        "shipped_criteria": "pavullo" });
    let content = json!({ "plan": plan });
    let drafted = call(town, SCHOOL_CLERK, &format!("{calls}/DraftCall"), content).await?;
    let draft = drafted["outcome"]["call_id"].as_str().unwrap_or_default().to_owned();
    let content = json!({ "plan": plan });
    town.act_on_call(SCHOOL_CLERK, &draft, "ReviseCall", content)
        .await
        .map_err(fault)
        .context("revise")?;
    let id = publish_call(town, uuid::Uuid::from_u128(7)).await.map_err(fault)?;
    day(town, date(2026, 3, 2)).await?;
    let form = family_form(&id, 1);
    let facts = form["facts"].clone();
    let case = &town.apply(SCHOOL_CLERK, form).await.map_err(fault)?;
    let content = json!({ "kind": "REQUEST_KIND_ADDITIONS", "text": "the proof",
        "answer_within": days(20) });
    act(town, SCHOOL_CLERK, case, "case.send_request", content).await?;
    let request = last(town, SCHOOL_CLERK, case, "requests", "request_entry_id").await?;
    let content = json!({ "request_entry_id": request, "facts": facts });
    act(town, SCHOOL_CLERK, case, "enrolment.complete", content).await?;
    day(town, date(2026, 4, 8)).await?;
    act(town, SCHOOL_CLERK, case, "enrolment.admit", json!({})).await?;
    act(town, SCHOOL_CLERK, case, "enrolment.score", json!({})).await?;
    let on_call = async |town: &mut Town, method: &str, content| {
        let done = town.act_on_call(HEAD, &id, method, content).await;
        done.map_err(fault).with_context(|| method.to_owned())
    };
    on_call(town, "RevealSeed", json!({ "seed": SEED })).await?;
    day(town, date(2026, 5, 4)).await?;
    on_call(town, "PublishProvisionalRanking", json!({})).await?;
    day(town, date(2026, 6, 3)).await?;
    on_call(town, "StartOffers", json!({})).await?;
    let content = json!({ "list": "acero/unica", "places": 13, "act": "Det. 41" });
    on_call(town, "ChangePlaces", content).await?;
    day(town, date(2026, 6, 4)).await?;
    let position = town.position(SCHOOL_CLERK, case).await.map_err(fault)?;
    let offer = position["offers"][0]["offer_id"].clone();
    let content = json!({ "offer_id": offer, "deposit_receipt": "IUV 1" });
    act(town, SCHOOL_CLERK, case, "enrolment.accept", content).await?;
    let content = json!({ "in_order": false });
    act(town, SCHOOL_CLERK, case, "enrolment.record_vaccines", content).await?;
    act(town, SCHOOL_CLERK, case, "enrolment.invite_vaccine_proof", json!({})).await?;
    let content = json!({ "proof": "VACCINE_PROOF_VACCINATION" });
    act(town, SCHOOL_CLERK, case, "enrolment.file_vaccine_proof", content).await?;
    day(town, date(2026, 9, 14)).await?;
    act(town, SCHOOL_CLERK, case, "enrolment.start_attendance", json!({})).await?;
    day(town, date(2026, 12, 14)).await?;
    let content = json!({ "ground": "LOSS_GROUND_ABSENCE", "reasons": "never came",
        "appeal": appeal(), "tell_date": on(date(2026, 12, 14)) });
    act(town, SCHOOL_OFFICER, case, "enrolment.declare_loss", content).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_contract_is_taken_and_no_word_of_it_is_in_a_file() -> Test {
    let mut taken = BTreeSet::new();
    let server = Server::start_with(&[COMUNE], "2026-03-02T07:00:00Z").await?;
    let mut town = server.town().saying(marked);
    play(&mut town, &mut |_| {}).await.map_err(fault)?;
    play_building(&mut town, &mut |_| {}).await.map_err(fault)?;
    taken.append(&mut town.taken);
    nothing_is_in_a_file(&server).await?;
    server.stop().await?;

    let server = Server::start_with(&[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town().saying(marked);
    play_school(&mut town, &mut |_| {}).await.map_err(fault)?;
    taken.append(&mut town.taken);
    nothing_is_in_a_file(&server).await?;
    server.stop().await?;

    let server = Server::start_with(&[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town().saying(marked);
    school(&mut town).await?;
    taken.append(&mut town.taken);
    nothing_is_in_a_file(&server).await?;
    server.stop().await?;

    let server = Server::start_with(&[COMUNE], "2027-01-11T09:00:00Z").await?;
    let mut town = server.town().saying(marked);
    one_permit(&mut town).await?;
    other_permits(&mut town).await?;
    residency(&mut town).await?;
    ex_officio_and_register(&mut town).await?;
    erased(&mut town).await?;
    taken.append(&mut town.taken);
    nothing_is_in_a_file(&server).await?;

    let client = town.client("carla", Role::Clerk).await.map_err(fault)?;
    let mut missing = Vec::new();
    for method in methods().map_err(fault)? {
        let request = client.method(&method).map_err(fault)?.input();
        if request.get_field_by_name("request_id").is_some() && !taken.contains(&method) {
            missing.push(method);
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "no story takes these");
    server.stop().await
}
