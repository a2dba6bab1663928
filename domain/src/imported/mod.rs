//! A history brought in from an older system: recorded as it was, never judged.
//!
//! An imported case may break Italian rules and is not refused for that. Known activities become
//! common events (requests, extensions, decision); every other one is a recorded step.

mod source;

pub use source::Source;

use crate::case::{self, CaseFile, Closure, Tenor};
use crate::event::{Event as AnyEvent, events};
use crate::people::Personal;
use crate::term::{ClockOperation, Length};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

events! {
    /// A fact of an imported history.
    pub enum Event {
        /// A step of the older system that has no event of its own here.
        StepRecorded = "imported.step_recorded" v 1,
        /// The term of conclusion that the older system worked with.
        TermSet = "imported.term_set" v 1,
        /// The decision as the older system recorded it.
        Decided = "imported.decided" v 1,
        /// The case ended without a decision, or after it.
        Closed = "imported.closed" v 1,
        /// The case was taken over: what the older system said of it as a whole.
        TakenOver = "imported.taken_over" v 1,
        /// What of the history the rules here would not have allowed.
        DeparturesNoted = "imported.departures_noted" v 1,
    }
}

/// The case was taken over from an older system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOver {
    /// The older system, in the words of the mapping.
    pub source: String,
    /// The case's name there.
    pub reference: String,
    /// How many events the older system had for it; as many events of this stream carry one.
    pub source_events: u64,
    /// What the older system said of the case as a whole, unchanged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What of that is personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, Personal<String>>,
    /// The types of attributes that are not plain text (`date`, `int`, `float`, `boolean`, `id`,
    /// `list`, `container`), of the case and of its events; `KEY@INDEX` where one event departs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, String>,
    /// SHA-256 of the history as it was read, in lower-case hexadecimal.
    pub history_sha256: String,
    /// SHA-256 of the mapping by which it was read.
    pub mapping_sha256: String,
}

/// What of the history the rules here would not have allowed: it is not refused for that, and says
/// so itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeparturesNoted {
    /// Each departure, once.
    pub departures: Vec<Departure>,
}

/// How a history departs from the rules here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Departure {
    /// A negative act without a notice of rejection (L. 241/1990 art. 10-bis).
    NoNotice,
    /// Additions first asked for more than thirty days after filing (DPR 380/2001 art. 20 c. 5).
    AdditionsAskedLate,
    /// The term was held up more than once for what was missing (DPR 380/2001 art. 20 c. 5).
    HeldUpAgain,
    /// A suspension of more than thirty days (L. 241/1990 art. 2 c. 7).
    SuspendedTooLong,
    /// The term was extended by the office alone; no article here allows it.
    ExtendedByTheOffice,
}

/// A step of the older system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecorded {
    /// The activity, as the older system named it.
    pub activity: String,
    /// Who did it there, as an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Everything else it said about the step, unchanged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// The term of conclusion that the older system worked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermSet {
    /// The clock.
    pub term: case::TermKey,
    /// The day from which it ran; that day is not counted.
    pub from: Date,
    /// Its length there, if not the rule's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Length>,
}

/// The decision as the older system recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Which way it went, when the older system says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Tenor>,
    /// The day of the decision.
    pub decided_on: Date,
    /// The activity that stands for it, as the older system named it.
    pub activity: String,
}

/// The end of the case in the older system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Why, in the words of the mapping: `granted`, `refused`, `terminated`, `not_considered`,
    /// `withdrawn`, `ended`.
    pub outcome: Outcome,
    /// The day.
    pub closed_on: Date,
}

/// How an imported case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What was asked for was given.
    Granted,
    /// It was refused.
    Refused,
    /// The procedure was broken off.
    Terminated,
    /// The application was not considered (incomplete, inadmissible).
    NotConsidered,
    /// The applicant gave up.
    Withdrawn,
    /// It ended and the older system does not say how.
    Ended,
}

impl Outcome {
    /// The word in views.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Granted => "granted",
            Outcome::Refused => "refused",
            Outcome::Terminated => "terminated",
            Outcome::NotConsidered => "not_considered",
            Outcome::Withdrawn => "withdrawn",
            Outcome::Ended => "ended",
        }
    }
}

impl Event {
    /// How the case ends with this event, if it does.
    pub fn closes(&self) -> Option<Closure> {
        match self {
            Event::Closed(e) => {
                Some(Closure { outcome: e.outcome.as_str(), closed_on: e.closed_on })
            }
            _ => None,
        }
    }
}

/// Where an imported case stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Under way when it was brought in.
    #[default]
    UnderWay,
    /// Decided, and not closed.
    Decided,
}

impl State {
    /// The word in views.
    pub fn phase(&self) -> &'static str {
        match self {
            State::UnderWay => "imported",
            State::Decided => "imported_decided",
        }
    }
}

/// Folds one event into the state.
#[must_use]
pub fn evolve(state: State, event: &AnyEvent) -> State {
    match event {
        AnyEvent::Imported(Event::Decided(_)) => State::Decided,
        _ => state,
    }
}

/// The clocks that imported events move.
pub(crate) fn run_clocks(file: &mut CaseFile, event: &AnyEvent) {
    let AnyEvent::Imported(event) = event else { return };
    let name = event.event_type();
    match event {
        Event::TermSet(e) => {
            let start = file.entry(ClockOperation::Start { on: e.from }, name, "");
            file.terms.start(e.term.clone(), e.length, start);
        }
        Event::Decided(e) => {
            let keys: Vec<_> = file.terms.keys().filter(|k| k.entry().is_none()).cloned().collect();
            for key in keys {
                let stop = file.entry(ClockOperation::Stop { on: e.decided_on }, name, "");
                file.terms.push(&key, stop);
            }
        }
        Event::StepRecorded(_)
        | Event::Closed(_)
        | Event::TakenOver(_)
        | Event::DeparturesNoted(_) => {}
    }
}
