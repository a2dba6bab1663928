//! A year and a half of the building office: granted after additions, granted by silence, refused
//! after a notice, decided in a conference, lapsed.

use super::town::{Town, Who};
use super::year::{check, on, refused};
use crate::cli::Failure;
use jiff::civil::{Date, date};
use pratica_domain::Role;
use serde_json::{Value, json};

/// A surveyor of the building office.
pub const SURVEYOR: Who = Who("tecla", Role::Clerk);
/// The responsible officer, who proposes.
pub const RESPONSIBLE: Who = Who("ugo", Role::Officer);
/// The officer who decides.
pub const DECIDER: Who = Who("vera", Role::Officer);
/// A designer who files for others.
const DESIGNER: Who = Who("citizen.bassi", Role::Citizen);

/// An application to which nothing is missing, filed by the designer on a mandate.
pub fn application(given: &str, family: &str, works: &str) -> Value {
    json!({
        "kind": "PERMIT_KIND_NEW_CONSTRUCTION",
        "channel": "CHANNEL_PORTAL",
        "form": {
            "applicant": { "given_name": given, "family_name": family },
            "account": format!("citizen.{}", family.to_lowercase()),
            "entitlement": "ENTITLEMENT_OWNER",
            "designer": { "given_name": "Bruna", "family_name": "Bassi" },
            "designer_account": "citizen.bassi",
            "by_mandate": true,
            "drawings": true,
            "asseveration": true,
            "works": works,
            "address": { "street": "Via dei Colli 3", "municipality": "Collina" },
            "parcels": [{ "sheet": "12", "number": "345" }],
        },
    })
}

struct Cases {
    completed: String,
    silent: String,
    refused: String,
    constrained: String,
    lapsed: String,
}

/// Plays it from Monday 11 January 2027; `say` hears what happens.
///
/// # Errors
/// When something is refused that should not be, or allowed that should not be.
pub async fn play(town: &mut Town, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let cases = filings(town, say).await?;
    winter(town, &cases, say).await?;
    spring(town, &cases, say).await?;
    titles(town, &cases, say).await
}

async fn filings(town: &mut Town, say: &mut dyn FnMut(&str)) -> Result<Cases, Failure> {
    town.day(date(2027, 1, 11)).await?;
    say("11 January 2027: five applications for a building permit, by a designer on mandate");
    let mut file = async |given: &str, family: &str, works: &str| {
        let mut form = application(given, family, works);
        if family == "Castelli" {
            form["form"]["constraints"] = json!(["CONSTRAINT_LANDSCAPE"]);
            form["form"]["assents_needed"] = json!(["Soprintendenza", "AUSL"]);
        }
        town.open(DESIGNER, "permit.file", form).await
    };
    let cases = Cases {
        completed: file("Ada", "Abati", "a house for two families").await?,
        silent: file("Bice", "Bruni", "a garage").await?,
        refused: file("Ciro", "Cervi", "a third floor").await?,
        constrained: file("Dina", "Castelli", "a barn below the castle").await?,
        lapsed: file("Elio", "Erba", "a greenhouse").await?,
    };
    for case in [&cases.completed, &cases.refused, &cases.constrained, &cases.lapsed] {
        let named = json!({ "officer": "ugo" });
        town.act(DECIDER, case, "case.name_responsible", named).await?;
    }
    Ok(cases)
}

async fn winter(town: &mut Town, cases: &Cases, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    town.day(date(2027, 1, 15)).await?;
    say("15 January: the conference for the constrained one, within five working days");
    let convened = json!({
        "form": "CONFERENCE_FORM_SIMPLIFIED", "convene_date": on(date(2027, 1, 15)),
        "meeting_date": on(date(2027, 3, 22)),
        "bodies": [{ "name": "Soprintendenza", "sensitive": true }, { "name": "AUSL" }],
    });
    town.act(DECIDER, &cases.constrained, "permit.convene_conference", convened).await?;

    town.day(date(2027, 1, 25)).await?;
    say(
        "25 January: additions are asked of one, which interrupts its terms; a second request does not",
    );
    let request = |day: Date| {
        json!({
            "text": "the geological report is missing", "send_date": on(day),
            "answer_within": { "count": 30, "unit": "TERM_UNIT_DAYS" },
        })
    };
    let ask = "permit.request_additions";
    let asked = town.act(SURVEYOR, &cases.completed, ask, request(date(2027, 1, 25))).await?;
    check(asked["outcome"]["phase"] == "awaiting_additions", "the terms must be interrupted")?;

    town.day(date(2027, 2, 15)).await?;
    say(
        "15 February: the additions arrive, and a full term runs anew; the health office was silent",
    );
    let detail = town.case(SURVEYOR, &cases.completed).await?;
    let answer = json!({ "request_entry_id": detail["requests"][0]["request_entry_id"] });
    town.act(DESIGNER, &cases.completed, "case.answer_request", answer).await?;
    let due = term(town, SURVEYOR, &cases.completed, "permit.review").await?;
    check(due == on(date(2027, 4, 16)), "sixty days from the additions")?;
    propose(town, &cases.lapsed, "FAVOURABLE").await?;

    town.day(date(2027, 3, 1)).await?;
    say("1 March: one permit is issued, and one notice of rejection is sent");
    town.act(DECIDER, &cases.lapsed, "permit.issue", json!({})).await?;
    let notice = json!({ "reasons": ["too high for the zone"], "mode": "DELIVERY_MODE_PEC" });
    town.act(DECIDER, &cases.refused, "case.send_notice", notice).await?;
    town.day(date(2027, 3, 2)).await?;
    let received = json!({ "mode": "DELIVERY_MODE_PEC" });
    town.act(SURVEYOR, &cases.refused, "case.record_notice_receipt", received).await?;
    Ok(())
}

async fn spring(town: &mut Town, cases: &Cases, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    town.day(date(2027, 3, 10)).await?;
    say("10 March: the heritage office assents on conditions; observations on the notice arrive");
    let view = permit(town, &cases.constrained).await?;
    let bodies = view["conferences"][0]["bodies"].as_array().cloned().unwrap_or_default();
    let heritage = bodies.iter().find(|b| b["name"] == "Soprintendenza");
    let heritage = heritage.map(|b| b["body_id"].clone()).unwrap_or_default();
    let position = json!({
        "body_id": heritage, "receive_date": on(date(2027, 3, 10)),
        "position": "POSITION_CONDITIONAL", "reasons": "a roof of old tiles",
    });
    town.act(SURVEYOR, &cases.constrained, "permit.record_determination", position).await?;
    let text = json!({ "text": "the neighbours are as high" });
    town.act(DESIGNER, &cases.refused, "case.file_observations", text).await?;

    town.day(date(2027, 3, 18)).await?;
    say("18 March: the conference is concluded, and its determination is the title");
    let conclusion = json!({ "positive": true, "reasons": "conditions without substance" });
    let concluded =
        town.act(DECIDER, &cases.constrained, "permit.conclude_conference", conclusion).await?;
    check(concluded["outcome"]["phase"] == "granted", "the determination must be the title")?;

    town.day(date(2027, 3, 22)).await?;
    propose(town, &cases.refused, "NEGATIVE").await?;
    propose(town, &cases.completed, "FAVOURABLE").await?;
    let act = json!({
        "reasons": "three floors where two are allowed", "answers": "the neighbours precede the plan",
        "appeal": { "authority": "TAR", "term_days": 60 },
    });
    refused(
        town.act(RESPONSIBLE, &cases.refused, "permit.refuse", act.clone()).await,
        "FOUR_EYES",
    )?;
    say("22 March: who proposed may not refuse; the other officer does");
    town.act(DECIDER, &cases.refused, "permit.refuse", act).await?;

    town.day(date(2027, 4, 13)).await?;
    say("13 April: ninety days ended on a Sunday, so silence granted the garage after the 12th");
    let silent = town.case(SURVEYOR, &cases.silent).await?;
    check(silent["summary"]["phase"] == "granted_by_silence", "silence must have granted")?;
    town.act(DECIDER, &cases.completed, "permit.issue", json!({ "conditions": "a hedge" })).await?;
    let ask = json!({ "request_date": on(date(2027, 4, 13)) });
    town.act(DESIGNER, &cases.silent, "permit.request_attestation", ask).await?;
    town.act(DECIDER, &cases.silent, "permit.answer_attestation", json!({})).await?;
    Ok(())
}

async fn titles(town: &mut Town, cases: &Cases, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let owed = json!({
        "kind": "CONTRIBUTION_KIND_URBANISATION", "amount_cents": 1_000_000,
        "instalments": [{ "amount_cents": 1_000_000, "due_date": on(date(2027, 6, 11)) }],
    });
    let case = &cases.completed;
    let determined = "permit.determine_contribution";
    town.act(DECIDER, case, determined, owed).await?;
    town.day(date(2027, 7, 1)).await?;
    say("1 July: the charges are paid twenty days late, which costs ten percent");
    let view = permit(town, case).await?;
    let instalment = &view["title"]["contributions"][0]["instalments"][0]["instalment_id"];
    let paid = json!({
        "instalment_id": instalment, "payment_date": on(date(2027, 7, 1)),
        "amount_cents": 1_000_000,
    });
    let paid = town.act(SURVEYOR, case, "permit.record_payment", paid).await?;
    let said = paid["outcome"]["events"][0]["text"].as_str().unwrap_or_default();
    check(said.contains("100000"), "the surcharge must be ten percent")?;
    town.day(date(2027, 9, 6)).await?;
    let started = json!({ "start_date": on(date(2027, 9, 6)) });
    town.act(DESIGNER, case, "permit.start_works", started).await?;

    town.day(date(2028, 3, 3)).await?;
    say("3 March 2028: the greenhouse never began: its title lapsed after a year");
    let lapsed = town.case(SURVEYOR, &cases.lapsed).await?;
    check(lapsed["summary"]["phase"] == "lapsed", "the title must have lapsed")?;
    let late = json!({ "start_date": on(date(2028, 3, 3)) });
    refused(town.act(DESIGNER, &cases.lapsed, "permit.start_works", late).await, "WRONG_PHASE")
}

async fn propose(town: &mut Town, case: &str, tenor: &str) -> Result<(), Failure> {
    let proposal = json!({ "tenor": format!("TENOR_{tenor}"), "reasons": "see the report" });
    town.act(RESPONSIBLE, case, "case.propose", proposal).await.map(|_| ())
}

/// The due date of a term.
async fn term(town: &mut Town, who: Who, case: &str, term: &str) -> Result<Value, Failure> {
    let detail = town.case(who, case).await?;
    let all = detail["deadlines"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|d| d["term"] == term);
    Ok(found.map_or(Value::Null, |d| d["due_date"].clone()))
}

/// What the permit has besides any case.
async fn permit(town: &mut Town, case: &str) -> Result<Value, Failure> {
    let method = "pratica.permit.v1.PermitService/GetPermit";
    let answer = town.call(SURVEYOR, method, json!({ "case_id": case })).await?;
    Ok(answer["permit"].clone())
}
