//! A year of the town, in the order of its days.

use super::people::declaration;
use super::town::{ADMIN, CLERK, HEAD, OFFICER, OTHER, Town, Who};
use crate::cli::Failure;
use jiff::civil::{Date, date};
use pratica_domain::Role;
use serde_json::{Value, json};

const ANNA_ROSSI: Who = Who("citizen.rossi", Role::Citizen);

/// The cases that the demonstration shows afterwards.
pub struct Shown {
    /// The contested one: notice, receipt, no observations, restored.
    pub contested: String,
    /// The one whose term was suspended by a request and ended in silence on a holiday.
    pub suspended: String,
    /// The one that silence confirmed.
    pub silent: String,
}

fn appeal() -> Value {
    json!({ "authority": "Prefect", "term_days": 30 })
}

pub(super) fn on(day: Date) -> Value {
    json!({ "year": day.year(), "month": day.month(), "day": day.day() })
}

fn visit(day: Date, outcome: &str) -> Value {
    json!({
        "visit_time": format!("{day}T07:30:00Z"),
        "outcome": format!("VISIT_OUTCOME_{outcome}"),
        "report": "visit by the municipal police",
    })
}

/// Plays the year; `say` hears what happens.
///
/// # Errors
/// When something is refused that should not be, or allowed that should not be.
pub async fn play(town: &mut Town, say: &mut dyn FnMut(&str)) -> Result<Shown, Failure> {
    let cases = filings(town, say).await?;
    spring(town, &cases, say).await?;
    contested(town, &cases, say).await?;
    later(town, &cases, say).await?;
    Ok(Shown { contested: cases.contested, suspended: cases.suspended, silent: cases.silent })
}

struct Cases {
    checked: String,
    silent: String,
    contested: String,
    heard: String,
    withdrawn: String,
    superseded: String,
    abroad: String,
    suspended: String,
    untraceable: String,
}

/// Monday 2 March: the morning's filings, and what the officer does with them the day after.
async fn filings(town: &mut Town, say: &mut dyn FnMut(&str)) -> Result<Cases, Failure> {
    town.day(date(2026, 3, 2)).await?;
    say("2 March: eleven declarations arrive, one of them twice");
    let mut own = declaration("Anna", "Rossi", "FROM_OTHER_COMUNE");
    own["channel"] = json!("CHANNEL_PORTAL");
    let checked = town.file(ANNA_ROSSI, own).await?;
    let mut file = async |given: &str, family: &str, kind: &str| {
        let form = declaration(given, family, kind);
        town.file(CLERK, form).await
    };
    let silent = file("Berta", "Bianchi", "CHANGE_OF_DWELLING").await?;
    let contested = file("Chiara", "Conti", "FROM_OTHER_COMUNE").await?;
    let heard = file("Dora", "Donati", "FROM_ABROAD_AIRE").await?;
    let withdrawn = file("Fede", "Ferri", "FAMILY_CHANGE").await?;
    let superseded = file("Gaia", "Galli", "CHANGE_OF_DWELLING").await?;
    let abroad = file("Irma", "Innocenti", "TO_ABROAD_ITALIAN").await?;
    let suspended = file("Lea", "Longhi", "NO_FIXED_ABODE").await?;

    let mut unsigned = declaration("Elena", "Esposito", "FROM_OTHER_COMUNE");
    unsigned["form"]["members"][0]["signed"] = json!(false);
    let irreceivable = town.file(CLERK, unsigned).await?;
    let mut without_annex = declaration("Maja", "Marku", "FROM_ABROAD_NON_EU");
    let incomplete = town.file(CLERK, without_annex.clone()).await?;
    twice(town).await?;

    let untraceable = town
        .call(
            HEAD,
            "pratica.residency.v1.ResidencyService/OpenExOfficio",
            json!({
                "request_id": uuid::Uuid::new_v4(), "kind": "RESIDENCY_KIND_UNTRACEABLE",
                "person": { "given_name": "Nina", "family_name": "Neri" },
                "address": { "street": "Via Vuota 1", "municipality": "Collina" },
                "fact_date": on(date(2025, 2, 10)), "grounds": "mail returned for a year",
            }),
        )
        .await?;
    let untraceable = untraceable["outcome"]["case_id"].as_str().unwrap_or_default().to_owned();

    town.day(date(2026, 3, 3)).await?;
    say("3 March: registration within two working days; one is irreceivable, one is completed");
    for case in [&checked, &silent, &contested, &heard, &withdrawn, &superseded, &suspended] {
        town.act(OFFICER, case, "residency.register", json!({})).await?;
    }
    refused(
        town.act(OFFICER, &incomplete, "residency.register", json!({})).await,
        "NOT_RECEIVABLE",
    )?;
    without_annex["form"]["members"][0]["annex"] = json!("ANNEX_A");
    let form = json!({ "form": without_annex["form"] });
    town.act(CLERK, &incomplete, "residency.complete", form).await?;
    town.act(OFFICER, &incomplete, "residency.register", json!({})).await?;
    let act = json!({
        "grounds": ["RECEIVABILITY_GROUND_SIGNATURE_MISSING"],
        "reasons": "the declaration is not signed", "appeal": appeal(),
    });
    town.act(OFFICER, &irreceivable, "residency.find_irreceivable", act).await?;
    Ok(Cases {
        checked,
        silent,
        contested,
        heard,
        withdrawn,
        superseded,
        abroad,
        suspended,
        untraceable,
    })
}

/// The same filing sent twice, as an impatient browser does: one case, one number.
async fn twice(town: &mut Town) -> Result<(), Failure> {
    let mut form = declaration("Olga", "Orsi", "CHANGE_OF_DWELLING");
    form["request_id"] = json!(uuid::Uuid::new_v4());
    let method = "pratica.residency.v1.ResidencyService/FileDeclaration";
    let first = town.call(CLERK, method, form.clone()).await?;
    let again = town.call(CLERK, method, form).await?;
    let number = |a: &Value| a["outcome"]["receipt"]["number"]["text"].clone();
    check(number(&first) == number(&again), "a filing sent twice must have one number")
}

async fn spring(town: &mut Town, cases: &Cases, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    town.day(date(2026, 3, 5)).await?;
    say("5 March: additions are asked of one, which suspends its term");
    let request = json!({
        "kind": "REQUEST_KIND_ADDITIONS", "text": "where can you be found?",
        "answer_within": { "count": 20, "unit": "TERM_UNIT_DAYS" },
        "suspends_term": "residency.checks",
    });
    town.act(CLERK, &cases.suspended, "case.send_request", request).await?;
    let first = visit(date(2026, 3, 5), "ABSENT");
    town.act(CLERK, &cases.untraceable, "residency.record_visit", first).await?;
    let invitation = json!({ "send_date": on(date(2026, 3, 5)) });
    town.act(CLERK, &cases.untraceable, "residency.invite", invitation).await?;

    town.day(date(2026, 3, 10)).await?;
    say("10 March: a visit finds somebody at home; another does not");
    let found = visit(date(2026, 3, 10), "PRESENT");
    town.act(CLERK, &cases.checked, "residency.record_visit", found).await?;
    let empty = visit(date(2026, 3, 10), "ABSENT");
    town.act(CLERK, &cases.contested, "residency.record_visit", empty).await?;
    town.act(OFFICER, &cases.checked, "residency.confirm", json!({})).await?;

    town.day(date(2026, 3, 16)).await?;
    say("16 March: one gives up, one moves again before the end");
    let reason = json!({ "reason": "staying where I am" });
    town.act(Who("citizen.ferri", Role::Citizen), &cases.withdrawn, "case.withdraw", reason)
        .await?;
    let again = declaration("Gaia", "Galli", "CHANGE_OF_DWELLING");
    let later = town.file(CLERK, again).await?;
    let by = json!({ "by_case_id": later });
    town.act(OFFICER, &cases.superseded, "residency.supersede", by).await?;

    town.day(date(2026, 3, 20)).await?;
    say("20 March: the additions arrive; the term runs on from where it was");
    let detail = town.case(CLERK, &cases.suspended).await?;
    let answer = json!({ "request_entry_id": detail["requests"][0]["request_entry_id"] });
    town.act(CLERK, &cases.suspended, "case.answer_request", answer).await?;
    Ok(())
}

async fn contested(
    town: &mut Town,
    cases: &Cases,
    say: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    town.day(date(2026, 4, 10)).await?;
    say("10 April: two notices of rejection, within the forty-five days");
    let notice =
        json!({ "reasons": ["nobody was found at the dwelling"], "mode": "DELIVERY_MODE_PEC" });
    for case in [&cases.contested, &cases.heard] {
        town.act(OFFICER, case, "case.send_notice", notice.clone()).await?;
    }
    town.day(date(2026, 4, 13)).await?;
    for case in [&cases.contested, &cases.heard] {
        let received = json!({ "mode": "DELIVERY_MODE_PEC" });
        town.act(CLERK, case, "case.record_notice_receipt", received).await?;
    }
    let too_soon = json!({ "reasons": "nobody lives there", "appeal": appeal() });
    let answer =
        town.act(OTHER, &cases.contested, "residency.restore_position", too_soon.clone()).await;
    refused(answer, "OBSERVATION_WINDOW_OPEN")?;
    let second = visit(date(2026, 4, 10), "ABSENT");
    town.act(CLERK, &cases.untraceable, "residency.record_visit", second).await?;

    town.day(date(2026, 4, 17)).await?;
    say("17 April: silence has confirmed one at midnight; one sends observations, and is heard");
    let text = json!({ "text": "I work at night: come in the afternoon" });
    town.act(Who("citizen.donati", Role::Citizen), &cases.heard, "case.file_observations", text)
        .await?;
    let accepted =
        json!({ "reasons": "the observations are right: seen at home in the afternoon" });
    town.act(OTHER, &cases.heard, "residency.confirm", accepted).await?;

    town.day(date(2026, 4, 24)).await?;
    say("24 April: two officers decide the same case at once: one wins, the other is told by what");
    let etag = town.case(OFFICER, &cases.contested).await?["summary"]["etag"].clone();
    let restore = "residency.restore_position";
    town.act_at(OTHER, &cases.contested, restore, too_soon, etag.clone()).await?;
    let confirm = json!({ "reasons": "seen at home" });
    let lost = town.act_at(OFFICER, &cases.contested, "residency.confirm", confirm, etag).await;
    refused(lost, "ETAG_MISMATCH")?;
    for authority in ["PUBLIC_SECURITY", "COMUNE_OF_ORIGIN"] {
        let report = json!({
            "authority": format!("REPORT_AUTHORITY_{authority}"),
            "report_date": on(date(2026, 4, 24)),
        });
        town.act(CLERK, &cases.contested, "residency.report", report).await?;
    }
    let act = json!({ "reasons": "absent for over a year, two visits", "appeal": appeal() });
    town.act(OFFICER, &cases.untraceable, "residency.cancel", act).await?;
    Ok(())
}

async fn later(town: &mut Town, cases: &Cases, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    town.day(date(2026, 5, 4)).await?;
    say("4 May: the suspended term ended on the First of May, so silence formed after the 2nd");
    let detail = town.case(CLERK, &cases.suspended).await?;
    let phase = detail["summary"]["phase"].as_str();
    check(phase == Some("confirmed_by_silence"), "the suspended case must be confirmed by now")?;

    town.day(date(2026, 5, 15)).await?;
    say("15 May: the consular form arrives; the emigrant is cancelled from the day of declaring");
    let form = json!({
        "receive_date": on(date(2026, 5, 15)), "declare_date": on(date(2026, 5, 4)),
    });
    town.act(CLERK, &cases.abroad, "residency.record_consular_form", form).await?;
    town.act(OFFICER, &cases.abroad, "residency.register", json!({})).await?;

    town.clock_to("2026-12-31T22:30:00Z").await?;
    say("31 December, 23:30 in Rome: the last number of the year; then midnight, and number 1");
    let last = declaration("Petra", "Pini", "CHANGE_OF_DWELLING");
    town.file(CLERK, last).await?;
    town.clock_to("2026-12-31T23:30:00Z").await?;
    let first = town.file(CLERK, declaration("Quinta", "Querci", "FROM_OTHER_COMUNE")).await?;
    let detail = town.case(CLERK, &first).await?;
    let number = detail["summary"]["protocol_number"]["text"].as_str();
    check(number == Some("0000001/2027"), "the year of the register turns at midnight in Rome")?;
    town.day(date(2027, 1, 4)).await?;
    let status = town.call(ADMIN, "pratica.admin.v1.AdminService/GetStatus", json!({})).await?;
    say(&format!("4 January: the log holds {} events", status["log_position"]));
    Ok(())
}

pub(super) fn check(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(anyhow::anyhow!("{what}").into()) }
}

/// Something must be refused, and for this reason.
pub(super) fn refused(answer: Result<Value, Failure>, reason: &str) -> Result<(), Failure> {
    use tonic_types::StatusExt as _;
    match answer {
        Err(Failure::Status(status))
            if status.get_error_details().error_info().is_some_and(|i| i.reason == reason) =>
        {
            Ok(())
        }
        Err(other) => Err(other),
        Ok(_) => Err(anyhow::anyhow!("{reason} was expected, and nothing was refused").into()),
    }
}
