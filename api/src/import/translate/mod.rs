//! One trace to the events of one case: pure, the same for the same trace and mapping.
//!
//! Every event of the trace becomes exactly one event, in the order of the file: the domain event
//! that its mapping names, if the case's history so far admits it, otherwise a recorded step. What
//! the trace says of the case as a whole becomes `case.opened`, `imported.taken_over`,
//! `imported.term_set` and `imported.closed`, which carry no event of the file.

mod activity;
mod whole;

use super::error::Fault;
use super::mapping::{Checked, Mapping};
use super::xes::{Attribute, Attributes, Kind, Moment, SourceEvent, Trace, moment};
use crate::app::deliver::hex;
use activity::Course;
use jiff::Timestamp;
use pratica_domain::Event;
use pratica_domain::ids::{CaseId, ComuneId, OfficeId, SubjectId};
use pratica_domain::imported::{self, Source};
use pratica_domain::people::Personal;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Below this name lie the identities of all imports.
const IMPORTS: Uuid = Uuid::from_u128(0x6f0f_3c0e_5d0b_4d86_9a5c_6b9f_2f6e_1d27);

/// What all cases of an import share.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The comune.
    pub comune: ComuneId,
    /// The office in charge.
    pub office: OfficeId,
    /// The mapping.
    pub checked: Checked,
    /// The identity of the older system within the comune; ties all its events together.
    pub import_id: Uuid,
}

/// One event to be recorded.
#[derive(Debug, Clone)]
pub struct Told {
    /// What.
    pub event: Event,
    /// The event of the file that it carries.
    pub source: Option<Source>,
    /// When it was.
    pub occurred_at: Timestamp,
    /// The line that it comes from.
    pub line: u64,
}

/// One case to be recorded.
#[derive(Debug)]
pub struct Story {
    /// The case.
    pub case_id: CaseId,
    /// Its name in the older system.
    pub reference: String,
    /// The line of its trace.
    pub line: u64,
    /// Its events.
    pub events: Vec<Told>,
    /// Whether the outcome is what the older system says; none where it says nothing of it.
    pub agreement: Option<bool>,
    /// Steps whose activity the mapping does not name.
    pub unmapped: Vec<String>,
    /// Steps whose activity it names, and the history did not admit the event.
    pub not_admitted: Vec<String>,
    /// Legal days that were not to be read, or came before what they follow.
    pub days_set_aside: u64,
}

/// One event of the file, understood as far as every event must be.
pub(super) struct Known<'a> {
    pub(super) index: u64,
    pub(super) line: u64,
    pub(super) activity: &'a str,
    pub(super) at: Timestamp,
    pub(super) attributes: &'a Attributes,
}

impl Plan {
    /// The plan of an import.
    pub fn new(comune: ComuneId, office: OfficeId, checked: Checked) -> Plan {
        let name = format!("{comune}\0{}", checked.mapping.source);
        let import_id = Uuid::new_v5(&IMPORTS, name.as_bytes());
        Plan { comune, office, checked, import_id }
    }

    fn mapping(&self) -> &Mapping {
        &self.checked.mapping
    }

    /// The identity of a case by its name in the older system.
    pub fn case_id(&self, reference: &str) -> CaseId {
        CaseId(Uuid::new_v5(&self.import_id, reference.as_bytes()))
    }

    /// Turns a trace into a case.
    ///
    /// # Errors
    /// The first thing that keeps the case from being taken over whole, with its line.
    pub fn translate(&self, trace: &Trace) -> Result<Story, Fault> {
        let reference = self.reference(trace)?;
        let case_id = self.case_id(&reference);
        let known = trace
            .events
            .iter()
            .zip(1..)
            .map(|(event, index)| self.understand(event, index))
            .collect::<Result<Vec<_>, _>>()?;
        let mut course = Course::new(self, case_id, trace, &known)?;
        let mut events = self.whole(&course, trace, &known, &reference)?;
        let closing = self.closing(trace, &known, &course)?;
        let mut closed = false;
        for event in &known {
            // A decision that ended the case ended it on its own day.
            let end = closing.as_ref().filter(|end| !closed && event.index > end.after);
            if let Some(end) = end.filter(|_| !course.ended) {
                events.push(end.told.clone());
                closed = true;
                course.close();
            }
            if !course.opened_by(event) {
                events.push(course.tell(event));
            }
        }
        if let Some(end) = closing.filter(|_| !closed && !course.ended) {
            events.push(end.told);
        }
        if !course.departures.is_empty() {
            let departures = course.departures.iter().copied().collect();
            let noted = imported::DeparturesNoted { departures };
            let occurred_at = events.last().map_or(course.filed_at, |last| last.occurred_at);
            events.push(Told {
                event: imported::Event::from(noted).into(),
                source: None,
                occurred_at,
                line: trace.line,
            });
        }
        let agreement = self.mapping().agreement.as_ref().and_then(|a| {
            let expected = a.values.get(text(&trace.attributes, &a.attribute)?)?;
            Some(expected.iter().any(|word| word == course.outcome))
        });
        Ok(Story {
            case_id,
            reference,
            line: trace.line,
            events,
            agreement,
            unmapped: course.unmapped,
            not_admitted: course.not_admitted,
            days_set_aside: course.days_set_aside,
        })
    }

    fn reference(&self, trace: &Trace) -> Result<String, Fault> {
        let key = &self.mapping().case_id;
        let named = trace.attributes.get(key).map(|a| a.value.trim()).unwrap_or_default();
        if named.is_empty() {
            return Err(Fault::new(
                trace.line,
                format!("the trace has no {key}"),
                "give every trace the name of its case, or name its attribute as case_id in the \
                 mapping",
            ));
        }
        if named.len() > 200 {
            return Err(Fault::new(
                trace.line,
                format!("the {key} of the trace is longer than 200 bytes"),
                "name the attribute with the case's number as case_id in the mapping",
            ));
        }
        Ok(named.to_owned())
    }

    fn understand<'a>(&self, event: &'a SourceEvent, index: u64) -> Result<Known<'a>, Fault> {
        let mapping = self.mapping();
        let activity = text(&event.attributes, &mapping.matches).unwrap_or_default();
        if activity.is_empty() {
            return Err(Fault::new(
                event.line,
                format!("the event has no {}", mapping.matches),
                "every event must name its activity; the mapping's key match says in which \
                 attribute",
            ));
        }
        let at = event.attributes.get(&mapping.time).ok_or_else(|| {
            Fault::new(
                event.line,
                format!("the event has no {}", mapping.time),
                "every event must say when it was; the mapping's key time says in which attribute",
            )
        })?;
        let at = self.instant(at, &mapping.time, event.line)?;
        Ok(Known { index, line: event.line, activity, at, attributes: &event.attributes })
    }

    fn instant(&self, attribute: &Attribute, key: &str, line: u64) -> Result<Timestamp, Fault> {
        let Some(moment) = moment(&attribute.value) else {
            return Err(Fault::new(
                line,
                format!("{key} is not a time"),
                "write it as 2014-04-11T09:30:00+02:00",
            ));
        };
        let at = moment.instant(self.mapping().zone.as_ref()).ok_or_else(|| match moment {
            Moment::Local(_) => Fault::new(
                line,
                format!("{key} has no zone"),
                "add the zone to the time, or say in the mapping which it is: \
                 zone = \"Europe/Rome\"",
            ),
            Moment::Instant(_) => Fault::new(line, format!("{key} is out of range"), YEARS),
        })?;
        if i64::try_from(at.as_nanosecond()).is_err() {
            return Err(Fault::new(line, format!("{key} is out of range"), YEARS));
        }
        Ok(at)
    }

    /// Attributes to keep: in the clear, and those that are personal data.
    fn keep(&self, case: CaseId, attributes: &Attributes, without: &[&str]) -> Kept {
        let mut kept = Kept::default();
        for (key, attribute) in attributes {
            let outer = key.split('/').next().unwrap_or(key);
            if self.mapping().personal.contains(outer) {
                let value = Personal::new(SubjectId(case.0), attribute.value.clone());
                kept.personal.insert(key.clone(), value);
            } else if !without.contains(&key.as_str()) {
                kept.plain.insert(key.clone(), attribute.value.clone());
            }
        }
        kept
    }

    /// The step that stands for an event, or the source that a domain event carries.
    fn step(&self, case: CaseId, event: &Known<'_>) -> (imported::StepRecorded, Source) {
        let mapping = self.mapping();
        let resource = text(event.attributes, &mapping.resource)
            .filter(|r| !r.is_empty() && !mapping.personal.contains(&mapping.resource));
        let mut without = vec![mapping.matches.as_str()];
        if resource.is_some() {
            without.push(&mapping.resource);
        }
        let kept = self.keep(case, event.attributes, &without);
        let step = imported::StepRecorded {
            activity: event.activity.to_owned(),
            resource: resource.map(str::to_owned),
            attributes: kept.plain,
        };
        let source = Source { index: event.index, personal: kept.personal, ..Source::default() };
        (step, source)
    }
}

const YEARS: &str = "times lie between the years 1678 and 2262";

#[derive(Default)]
struct Kept {
    plain: BTreeMap<String, String>,
    personal: BTreeMap<String, Personal<String>>,
}

/// The value of an attribute.
fn text<'a>(attributes: &'a Attributes, key: &str) -> Option<&'a str> {
    attributes.get(key).map(|a| a.value.trim())
}

/// The types of attributes that are not plain text. An event that departs from the first that had
/// the key is named.
fn types(trace: &Trace) -> BTreeMap<String, String> {
    let mut types: BTreeMap<String, Kind> = BTreeMap::new();
    let mut departing = BTreeMap::new();
    let of_events = trace.events.iter().zip(1_u64..).map(|(e, index)| (&e.attributes, index));
    for (attributes, index) in std::iter::once((&trace.attributes, 0)).chain(of_events) {
        for (key, attribute) in attributes {
            let first = *types.entry(key.clone()).or_insert(attribute.kind);
            if first != attribute.kind {
                departing.insert(format!("{key}@{index}"), attribute.kind.as_str().to_owned());
            }
        }
    }
    let plain = types.into_iter().filter(|(_, kind)| *kind != Kind::String);
    departing.extend(plain.map(|(key, kind)| (key, kind.as_str().to_owned())));
    departing
}

/// A digest of the history as it was read.
fn digest(trace: &Trace) -> String {
    let mut hasher = Sha256::new();
    let mut add = |attributes: &Attributes| {
        hasher.update((attributes.len() as u64).to_be_bytes());
        for (key, attribute) in attributes {
            for part in [key.as_str(), attribute.kind.as_str(), attribute.value.as_str()] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part.as_bytes());
            }
        }
    };
    add(&trace.attributes);
    for event in &trace.events {
        add(&event.attributes);
    }
    hex(&hasher.finalize())
}
