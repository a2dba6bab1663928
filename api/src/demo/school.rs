//! The year of a school call: sixty children, four schools, from the draft to the end of the school
//! year. It checks each step itself.

use super::town::{HEAD, Town, Who};
use crate::cli::Failure;
use jiff::civil::{Date, date};
use pratica_domain::Role;
use pratica_domain::ranking::{commitment_of, verify};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const CALLS: &str = "pratica.enrolment.v1.CallService";
const OF_CHILDREN: &str = "pratica.enrolment.v1.EnrolmentService";
/// An operator of the school office.
pub const SCHOOL_CLERK: Who = Who("silvia", Role::Clerk);
/// A responsible officer of the school office.
pub const SCHOOL_OFFICER: Who = Who("sara", Role::Officer);
/// The seed of the lots; the hash of it is published with the call.
pub const SEED: &str = "ghianda-2026";
/// The schools with their places.
const SCHOOLS: [(&str, u32); 4] = [("acero", 12), ("betulla", 10), ("cedro", 14), ("tiglio", 12)];
/// How many children apply.
const CHILDREN: usize = 60;

/// What the demonstration shows afterwards.
pub struct Cohort {
    /// The call.
    pub call: String,
    /// The applications in the order of filing.
    pub cases: Vec<String>,
    /// Who objected to the provisional ranking, and was right.
    pub corrected: String,
    /// The text of the definitive ranking.
    pub document: String,
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn on(day: Date) -> Value {
    json!({ "year": day.year(), "month": day.month(), "day": day.day() })
}

fn check(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(anyhow::anyhow!("{what}").into()) }
}

/// A family's application: everything of it follows from its number.
pub fn family_form(call: &str, n: usize) -> Value {
    let wanted: Vec<&str> =
        (0..3).filter_map(|k| SCHOOLS.get((n * 7 + k * (1 + n % 3)) % 4)).map(|s| s.0).collect();
    let mut schools: Vec<&str> = Vec::new();
    for school in wanted {
        if !schools.contains(&school) {
            schools.push(school);
        }
    }
    let month = 1 + n % 12;
    let mut facts = BTreeMap::from([("resident", 1), ("weekly_hours", [0, 20, 36][n % 3])]);
    facts.insert("siblings", i64::try_from(n % 4).unwrap_or_default());
    if n.is_multiple_of(9) {
        facts.insert("single_parent", 1);
    }
    json!({
        "call_id": call, "schools": schools, "facts": facts,
        "applicant": { "family_name": format!("Famiglia{n:02}"), "given_name": "Ada",
                       "birth_date": { "year": 1990, "month": month, "day": 5 } },
        "child": { "family_name": format!("Famiglia{n:02}"), "given_name": "Nino",
                   "birth_date": { "year": 2024, "month": month, "day": 1 + n % 28 } },
        "account": format!("family{n:02}"), "channel": "FILING_CHANNEL_COUNTER",
    })
}

/// A parent; accounts live as long as the program.
fn family(n: usize) -> Who {
    Who(Box::leak(format!("family{n:02}").into_boxed_str()), Role::Citizen)
}

impl Town {
    /// Sends a command to a call as it stands now.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn act_on_call(
        &mut self,
        who: Who,
        call: &str,
        method: &str,
        mut content: Value,
    ) -> Result<Value, Failure> {
        let now = self.call(who, &format!("{CALLS}/GetCall"), json!({ "call_id": call })).await?;
        content["call_id"] = json!(call);
        content["etag"] = now["etag"].clone();
        content["request_id"] = json!(uuid::Uuid::new_v4());
        self.call(who, &format!("{CALLS}/{method}"), content).await
    }

    /// Files an application; answers its case.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn apply(&mut self, who: Who, mut form: Value) -> Result<String, Failure> {
        form["request_id"] = json!(uuid::Uuid::new_v4());
        let answer = self.call(who, &format!("{OF_CHILDREN}/FileApplication"), form).await?;
        Ok(answer["outcome"]["case_id"].as_str().unwrap_or_default().to_owned())
    }

    /// Where an application stands.
    ///
    /// # Errors
    /// When it may not be seen.
    pub async fn position(&mut self, who: Who, case: &str) -> Result<Value, Failure> {
        let request = json!({ "case_id": case, "language": "en" });
        self.call(who, &format!("{OF_CHILDREN}/GetPosition"), request).await
    }

    /// The canonical text of a ranking with its published hash.
    ///
    /// # Errors
    /// When there is none.
    pub async fn export(&mut self, call: &str, stage: &str) -> Result<(String, String), Failure> {
        let (mut text, mut sha256) = (String::new(), String::new());
        let request = json!({ "comune": self.comune, "call_id": call, "stage": stage });
        let client = self.client(SCHOOL_CLERK.0, SCHOOL_CLERK.1).await?;
        client
            .stream(&format!("{CALLS}/ExportRanking"), request, |part| {
                text.push_str(part["text"].as_str().unwrap_or_default());
                sha256.push_str(part["sha256"].as_str().unwrap_or_default());
                Ok(true)
            })
            .await?;
        Ok((text, sha256))
    }

    /// The lists of a call with places and counts.
    ///
    /// # Errors
    /// When there is no such call.
    pub async fn places(&mut self, call: &str) -> Result<Vec<Value>, Failure> {
        let request = json!({ "call_id": call });
        let answer = self.call(SCHOOL_CLERK, &format!("{CALLS}/ListPlaces"), request).await?;
        Ok(answer["lists"].as_array().cloned().unwrap_or_default())
    }
}

/// Plays the year; `say` hears what happens.
///
/// # Errors
/// When something is refused that should not be, or comes out otherwise than it should.
pub async fn play_school(town: &mut Town, say: &mut dyn FnMut(&str)) -> Result<Cohort, Failure> {
    town.day(date(2026, 2, 2)).await?;
    say("2 February: a call for 48 places in four schools, with the hash of a seed for the lots");
    let call = publish_call(town, uuid::Uuid::new_v4()).await?;
    let cases = window(town, &call, say).await?;
    let corrected = rankings(town, &call, &cases, say).await?;
    let (document, sha256) = town.export(&call, "definitive").await?;
    let verified = verify(&document, hash).map_err(anyhow::Error::from)?;
    check(verified.sha256 == sha256, "the exported ranking must have the published hash")?;
    say(
        "          the exported file verifies without the server: orders, places, lots, every byte",
    );
    offers(town, &call, &cases, say).await?;
    year(town, &call, &cases, say).await?;
    Ok(Cohort { call, cases, corrected, document })
}

/// Drafts and publishes the call of the demonstration.
///
/// # Errors
/// When it is refused.
pub async fn publish_call(town: &mut Town, request_id: uuid::Uuid) -> Result<String, Failure> {
    let schools: Vec<Value> = SCHOOLS
        .iter()
        .map(|(school, places)| {
            json!({ "school": school, "name": format!("Nido {school}"),
                    "bands": [{ "band": "unica", "places": places }] })
        })
        .collect();
    let plan = json!({
        "title": "Nidi d'infanzia 2026/27", "school_year": 2026,
        "open_date": on(date(2026, 3, 2)), "close_date": on(date(2026, 3, 31)),
        "end_date": on(date(2027, 6, 30)), "schools": schools, "shipped_criteria": "trento",
    });
    let request = json!({ "request_id": request_id, "plan": plan });
    let answer = town.call(SCHOOL_CLERK, &format!("{CALLS}/DraftCall"), request).await?;
    let call = answer["outcome"]["call_id"].as_str().unwrap_or_default().to_owned();
    let act = json!({ "act": "Det. 12/2026", "seed_commitment": commitment_of(SEED, hash) });
    town.act_on_call(HEAD, &call, "PublishCall", act).await?;
    Ok(call)
}

async fn window(
    town: &mut Town,
    call: &str,
    say: &mut dyn FnMut(&str),
) -> Result<Vec<String>, Failure> {
    town.day(date(2026, 3, 2)).await?;
    say("2 March: the window opens by the clock; sixty families apply, in any order");
    let mut cases = Vec::with_capacity(CHILDREN);
    for n in 0..CHILDREN {
        let who = if n.is_multiple_of(3) { SCHOOL_CLERK } else { family(n) };
        cases.push(town.apply(who, family_form(call, n)).await?);
    }
    let mut changed = family_form(call, 7);
    let facts = changed["facts"].clone();
    changed = json!({ "schools": ["tiglio", "cedro"], "facts": facts });
    town.act(family(7), &cases[7], "enrolment.amend", changed).await?;
    town.act(family(8), &cases[8], "case.withdraw", json!({ "reason": "moving away" })).await?;
    town.day(date(2026, 4, 1)).await?;
    let late = town.apply(SCHOOL_CLERK, family_form(call, 60)).await;
    check(late.is_err(), "the window is closed")?;
    say(
        "1 April: the window is closed: a late family is refused; one changed its choices, one left",
    );
    Ok(cases)
}

async fn rankings(
    town: &mut Town,
    call: &str,
    cases: &[String],
    say: &mut dyn FnMut(&str),
) -> Result<String, Failure> {
    town.day(date(2026, 4, 8)).await?;
    for (n, case) in cases.iter().enumerate().filter(|(n, _)| *n != 8) {
        if n == 11 {
            let appeal = json!({ "authority": "TAR", "term_days": 60 });
            let act = json!({ "ground": "EXCLUSION_GROUND_FALSE_STATEMENT",
                              "reasons": "not resident", "appeal": appeal });
            town.act(SCHOOL_OFFICER, case, "enrolment.exclude", act).await?;
            continue;
        }
        town.act(SCHOOL_CLERK, case, "enrolment.admit", json!({})).await?;
        // The office overlooks a sibling of one family.
        let set_aside = if n == 20 { vec!["siblings", "weekly_hours"] } else { Vec::new() };
        let score = json!({ "set_aside": set_aside });
        town.act(SCHOOL_CLERK, case, "enrolment.score", score).await?;
    }
    town.act_on_call(HEAD, call, "RevealSeed", json!({ "seed": SEED })).await?;
    town.day(date(2026, 5, 4)).await?;
    town.act_on_call(HEAD, call, "PublishProvisionalRanking", json!({})).await?;
    town.day(date(2026, 5, 8)).await?;
    say("4 May: the provisional ranking, by numbers; 8 May: a family asks why, and objects");
    let before = town.position(family(20), &cases[20]).await?;
    let objection = json!({ "text": "my children and my work were not counted" });
    town.act(family(20), &cases[20], "enrolment.file_observation", objection).await?;
    town.day(date(2026, 5, 20)).await?;
    let observation = town.position(SCHOOL_CLERK, &cases[20]).await?;
    let answer = json!({
        "observation_id": observation["observations"][0]["observation_id"],
        "accepted": true, "reasons": "they were overlooked",
    });
    town.act(SCHOOL_OFFICER, &cases[20], "enrolment.answer_observation", answer).await?;
    town.act_on_call(HEAD, call, "ApproveDefinitiveRanking", json!({ "act": "Det. 40/2026" }))
        .await?;
    town.day(date(2026, 5, 21)).await?;
    let after = town.position(family(20), &cases[20]).await?;
    let rank = |p: &Value| p["positions"][0]["rank"].as_u64().unwrap_or_default();
    check(rank(&after) < rank(&before), "who was right must have moved up")?;
    let (from, to) = (rank(&before), rank(&after));
    say(&format!("21 May: the answer moved it from {from} to {to}, and every move is explained"));
    let request = json!({ "call_id": call, "stage": "definitive" });
    let again = town.call(SCHOOL_CLERK, &format!("{CALLS}/RecomputeRanking"), request).await?;
    check(again["same"] == true, "the log must give the ranking that was published")?;
    Ok(cases[20].clone())
}

/// The offer that waits for a family, if one does.
fn open_offer(position: &Value) -> Option<String> {
    let offers = position["offers"].as_array()?;
    let open = offers.iter().find(|o| o["state"] == "open")?;
    open["offer_id"].as_str().map(str::to_owned)
}

async fn offers(
    town: &mut Town,
    call: &str,
    cases: &[String],
    say: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    town.day(date(2026, 6, 3)).await?;
    town.act_on_call(HEAD, call, "StartOffers", json!({})).await?;
    town.day(date(2026, 6, 4)).await?;
    say(
        "3 June: every place is offered; most accept with the deposit, some renounce, some are silent",
    );
    let mut renounced = 0;
    for (n, case) in cases.iter().enumerate().filter(|(n, _)| ![8, 11].contains(n)) {
        let position = town.position(family(n), case).await?;
        let Some(offer) = open_offer(&position) else { continue };
        match n % 8 {
            5 => {
                renounced += 1;
                let offer = json!({ "offer_id": offer });
                town.act(family(n), case, "enrolment.renounce", offer).await?;
            }
            6 => {}
            _ => {
                let accept = json!({ "offer_id": offer, "deposit_receipt": format!("IUV {n:04}") });
                town.act(family(n), case, "enrolment.accept", accept).await?;
            }
        }
    }
    town.day(date(2026, 6, 15)).await?;
    let lists = town.places(call).await?;
    let sum = |field: &str| lists.iter().filter_map(|l| l[field].as_u64()).sum::<u64>();
    check(sum("renounced") == renounced, "each renounce is counted once")?;
    check(sum("lapsed") > 0, "silence must have renounced")?;
    let over = |l: &Value| {
        let n = |field: &str| l[field].as_u64().unwrap_or_default();
        n("taken") + n("offered") > n("places")
    };
    check(!lists.iter().any(over), "no place may be given twice")?;
    say(&format!(
        "15 June: {} places taken, {} renounced, {} lapsed in silence; each went to the next in line",
        sum("taken"),
        sum("renounced"),
        sum("lapsed"),
    ));
    Ok(())
}

async fn year(
    town: &mut Town,
    call: &str,
    cases: &[String],
    say: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let mut with_place = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        let detail = town.case(SCHOOL_CLERK, case).await?;
        if detail["summary"]["phase"] == "accepted" {
            with_place.push((n, case.clone()));
        }
    }
    let [(_, lost), (leaves, left), rest @ ..] = with_place.as_slice() else {
        return Err(anyhow::anyhow!("somebody must have a place by now").into());
    };
    town.act(SCHOOL_CLERK, lost, "enrolment.record_vaccines", json!({ "in_order": false })).await?;
    town.act(SCHOOL_CLERK, lost, "enrolment.invite_vaccine_proof", json!({})).await?;
    town.day(date(2026, 7, 11)).await?;
    let detail = town.case(SCHOOL_CLERK, lost).await?;
    check(detail["summary"]["phase"] == "place_lost", "without proof the place is lost")?;
    say("11 July: one place was lost at midnight for want of proof of vaccination");
    town.day(date(2026, 9, 14)).await?;
    town.act(family(*leaves), left, "enrolment.leave", json!({ "reason": "moving" })).await?;
    let isee = json!({
        "isee_cents": 2_200_000, "protocol": "INPS-ISEE-2026-01234567A-00",
        "valid_until_date": on(date(2026, 12, 31)),
    });
    for (place, (n, case)) in rest.iter().enumerate() {
        town.act(SCHOOL_CLERK, case, "enrolment.start_attendance", json!({})).await?;
        if place == 0 {
            town.act(SCHOOL_CLERK, case, "enrolment.record_isee", isee.clone()).await?;
            town.act(SCHOOL_CLERK, case, "enrolment.set_fee", json!({})).await?;
            let request = json!({ "case_id": case, "language": "en" });
            let method = format!("{OF_CHILDREN}/GetFeeNotice");
            let notice = town.call(family(*n), &method, request).await?;
            say(&format!(
                "14 September: the children begin. {}",
                notice["text"].as_str().unwrap_or_default()
            ));
        }
    }
    town.day(date(2027, 7, 1)).await?;
    let request = json!({ "call_id": call });
    let answer = town.call(SCHOOL_CLERK, &format!("{CALLS}/GetCall"), request).await?;
    check(answer["call"]["phase"] == "closed", "the year must have closed the call")?;
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let detail = town.case(SCHOOL_CLERK, case).await?;
        let phase = detail["summary"]["phase"].as_str().unwrap_or_default().to_owned();
        *ends.entry(phase).or_default() += 1;
    }
    check(ends.values().sum::<usize>() == CHILDREN, "no application is lost")?;
    let told: Vec<String> = ends.iter().map(|(phase, n)| format!("{n} {phase}")).collect();
    say(&format!("1 July 2027: the year is over: {}", told.join(", ")));
    Ok(())
}
