//! Domain and view values as messages of the contract, in the language asked for.

mod case;
mod done;
mod permit;
mod terms;

use super::convert::{date_message, timestamp_message};
use crate::app::error::AppError;
use crate::app::town::Town;
use crate::messages::{self, Facts, Language, facts_of};
use pratica_domain::Event;
use pratica_domain::case::Direction;
use pratica_domain::ids::ProtocolNumber;
use pratica_domain::people::Person;
use pratica_projections::{RegistrationRow, TimelineRow};
use pratica_proto::cases::v1 as cases;
use pratica_proto::common::v1 as common;
use pratica_proto::register::v1 as register;

pub(crate) use case::{detail, row};
pub(crate) use done::outcome;
pub(crate) use permit::permit;
pub(crate) use terms::deadlines;
pub use terms::reckoning_steps;

/// The word of a serde enum, such as `silence_assent`.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A phase in words.
pub(crate) fn phase_text(language: Language, phase: &str) -> String {
    messages::plain(language, &format!("phase.{phase}"))
}

pub(crate) fn direction(direction: Direction) -> common::Direction {
    match direction {
        Direction::Incoming => common::Direction::Incoming,
        Direction::Outgoing => common::Direction::Outgoing,
        Direction::Internal => common::Direction::Internal,
    }
}

pub(crate) fn number(number: ProtocolNumber) -> common::ProtocolNumber {
    common::ProtocolNumber {
        year: i32::from(number.year),
        number: number.number,
        text: number.to_string(),
    }
}

pub(crate) fn person(person: &Person) -> common::Person {
    common::Person {
        given_name: person.given_name.clone(),
        family_name: person.family_name.clone(),
        fiscal_code: person.fiscal_code.as_ref().map(|c| c.as_str().to_owned()).unwrap_or_default(),
        birth_date: person.birth_date.map(date_message),
        contact: person.contact.clone().unwrap_or_default(),
    }
}

/// What an event says, in words and without personal data.
pub(crate) fn event_text(language: Language, event_type: &str, facts: &Facts) -> String {
    messages::text(language, &format!("timeline.{event_type}"), facts)
}

/// What an event of any stream says, from its own facts.
pub(crate) fn told(language: Language, event: &Event) -> String {
    event_text(language, event.event_type(), &event_facts(event))
}

fn event_facts(event: &Event) -> Facts {
    let payload = pratica_store::codec::payload(event).unwrap_or_default();
    let mut value: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
    without_personal(&mut value);
    facts_of(&value)
}

/// Takes personal data out of a payload, sealed or not: every object with a subject and either.
pub(crate) fn without_personal(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            let personal = fields.contains_key("value") || fields.contains_key("sealed");
            if fields.contains_key("subject") && personal {
                fields.remove("value");
                fields.remove("sealed");
                fields.insert("personal".to_owned(), serde_json::Value::Bool(true));
                return;
            }
            fields.values_mut().for_each(without_personal);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_personal),
        _ => {}
    }
}

/// Says of personal data that is still sealed in an opened payload that it is erased.
pub(crate) fn mark_erased(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            if fields.contains_key("subject") && fields.remove("sealed").is_some() {
                fields.insert("erased".to_owned(), serde_json::Value::Bool(true));
                return;
            }
            fields.values_mut().for_each(mark_erased);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(mark_erased),
        _ => {}
    }
}

/// A step of the timeline in words.
pub(crate) fn timeline(
    row: &TimelineRow,
    rules: Option<&pratica_domain::term::RuleSet>,
    language: Language,
) -> cases::TimelineEntry {
    let mut facts = facts_of(&serde_json::Value::Object(row.args.clone()));
    for (name, value) in facts.clone() {
        if let Some(last) = name.rsplit('.').next() {
            facts.entry(last.to_owned()).or_insert(value);
        }
    }
    // A term is named by its title; what its end means depends on who had to act.
    let mut key = row.event_type.clone();
    let rule = facts.get("term").and_then(|t| {
        let id = t.split('#').next().unwrap_or(t);
        rules?.term(&id.into()).ok()
    });
    if let Some(rule) = rule {
        let title = match language {
            Language::It => &rule.title_it,
            Language::En => &rule.title_en,
        };
        facts.insert("term".to_owned(), title.clone());
        if key == "case.term_expired" && rule.owner != pratica_domain::term::TermOwner::Office {
            key.push_str("_by_others");
        }
    }
    cases::TimelineEntry {
        revision: row.revision.get(),
        event_type: row.event_type.clone(),
        text: event_text(language, &key, &facts),
        occur_time: Some(timestamp_message(row.occurred_at)),
        record_time: Some(timestamp_message(row.recorded_at)),
        role: row.role.clone(),
        actor: row.actor.clone(),
    }
}

/// A registration.
///
/// # Errors
/// When its sealed data was altered.
pub(crate) fn registration(
    town: &Town,
    row: &RegistrationRow,
) -> Result<register::RegistrationView, AppError> {
    let stream = town.register_stream(row.number.year)?;
    let read = |words| Ok::<_, AppError>(town.read(stream.as_str(), words)?.value);
    // Acts about the register stand in a stream of their own.
    let acts = town.stream(&format!("register_acts-{}", row.number.year))?;
    let read_act = |words| Ok::<_, AppError>(town.read(acts.as_str(), words)?.value);
    let annulment = match &row.annulment {
        None => None,
        Some(a) => Some(register::Annulment {
            annul_date: Some(date_message(a.annulled_on)),
            reason: read_act(&a.reason)?,
            authorisation: read_act(&a.authorisation)?,
            by: a.by.clone(),
        }),
    };
    Ok(register::RegistrationView {
        number: Some(number(row.number)),
        register_date: Some(date_message(row.registered_on)),
        direction: direction(row.direction).into(),
        correspondent: read(&row.correspondent)?,
        object: read(&row.object)?,
        sha256: row.sha256.clone(),
        case_id: row.case.map(|c| c.to_string()).unwrap_or_default(),
        document_id: row.document.map(|d| d.to_string()).unwrap_or_default(),
        filing_date: row.filed_on.map(date_message),
        emergency_number: row.emergency_number.unwrap_or_default(),
        annulment,
    })
}
