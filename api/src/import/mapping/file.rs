//! The shape of a mapping file. An unknown key is an error.

use jiff::tz::TimeZone;
use pratica_domain::case::Procedure;
use pratica_domain::ids::OfficeId;
use pratica_domain::imported::Outcome;
use pratica_domain::permit::Forum;
use pratica_domain::term::Length;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// A mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The older system. Together with the comune and a case's name there it makes the case's
    /// identity: files of the same system have the same source.
    pub source: String,
    /// The procedure that the cases follow.
    pub procedure: Procedure,
    /// The office in charge; otherwise the comune's for the procedure.
    pub office: Option<OfficeId>,
    /// The version of the rules that the cases pin.
    pub rules_version: String,
    /// The attribute of an event that names its activity.
    #[serde(rename = "match", default = "concept_name")]
    pub matches: String,
    /// The attribute of an event that says when it was.
    #[serde(default = "time_timestamp")]
    pub time: String,
    /// The attribute of an event that says who did it.
    #[serde(default = "org_resource")]
    pub resource: String,
    /// The zone of times without one; without it they are refused.
    #[serde(default, deserialize_with = "zone")]
    pub zone: Option<TimeZone>,
    /// The lifecycle transitions that count for mapped activities; an event of another is a step.
    #[serde(default = "complete")]
    pub lifecycle: BTreeSet<String>,
    /// Attributes, of cases and events, that hold personal data.
    #[serde(default)]
    pub personal: BTreeSet<String>,
    /// The attribute of a trace that names the case.
    #[serde(default = "concept_name")]
    pub case_id: String,
    /// Where the instant of filing is, in order: attributes of the trace, or `first_event`.
    #[serde(default = "first_event")]
    pub filed: Vec<String>,
    /// The kind of the case.
    pub kind: Kinds,
    /// The term of conclusion.
    pub term: Option<TermRule>,
    /// What the decision gave.
    pub decision: Option<Decision>,
    /// What the older system said of the outcome, to be held against what the events came to.
    pub agreement: Option<Agreement>,
    /// When a case is closed, and how.
    pub closing: Option<Closing>,
    /// The known activities; of several with one name the first that applies counts.
    #[serde(default, rename = "activity")]
    pub activities: Vec<ActivityRule>,
}

/// The kind of a case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kinds {
    /// The attribute of the trace that tells it.
    pub attribute: Option<String>,
    /// What divides several values of it.
    pub separator: Option<String>,
    /// The kinds by value, in order of precedence.
    #[serde(default)]
    pub values: Vec<KindOf>,
    /// The kind of every other case.
    pub default: String,
}

/// A value and the kind that it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindOf {
    /// The value.
    pub is: String,
    /// The kind.
    pub kind: String,
}

/// The term of conclusion.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermRule {
    /// The term in the rules.
    pub key: String,
    /// The attribute of the trace with its last day there, from which its length is taken.
    pub ends: Option<String>,
    /// Other lengths by an attribute of the trace; the first that applies counts.
    #[serde(default)]
    pub lengths: Vec<LengthWhen>,
}

/// A length for some cases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LengthWhen {
    /// Which.
    pub when: When,
    /// The length.
    pub length: Length,
}

/// A condition on an attribute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The attribute.
    pub attribute: String,
    /// The values that meet it.
    pub is: Vec<String>,
}

/// What a decision gave, by an attribute of the trace. A value not named: it is not said.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The attribute.
    pub attribute: String,
    /// What its values mean.
    pub values: BTreeMap<String, Outcome>,
}

/// What the older system said of the outcome of a case, to be held against what its events came to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The attribute of the trace.
    pub attribute: String,
    /// The outcomes that agree with each of its values: `granted`, `refused`, `archived`,
    /// `withdrawn`, `decided`, `open`. A value not named says nothing of the outcome.
    pub values: BTreeMap<String, Vec<String>>,
}

/// When a case is closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Which cases are; without it those with one of the attributes of `on`.
    pub when: Option<When>,
    /// Where the day is, in order: attributes of the trace, or `last_event`.
    pub on: Vec<String>,
    /// The attribute of the trace that tells how.
    pub attribute: Option<String>,
    /// What its values mean.
    #[serde(default)]
    pub values: BTreeMap<String, Outcome>,
    /// How every other case ended.
    pub default: Outcome,
}

/// What an activity becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Becomes {
    /// `case.opened`, if it is the first of its case.
    Opened,
    /// `case.request_sent`.
    RequestSent,
    /// `case.request_answered`, of the open request.
    RequestAnswered,
    /// `case.term_extended`.
    TermExtended,
    /// `case.term_suspended`.
    TermSuspended,
    /// `case.term_resumed`, of the open suspension.
    TermResumed,
    /// The decision, once: the event of its outcome, or `imported.decided` where that is not said.
    Decided,
    /// `permit.contested`, after the decision.
    Contested,
}

/// A known activity.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityRule {
    /// The activity.
    pub name: String,
    /// What it becomes.
    pub becomes: Becomes,
    /// Only of events that meet this.
    pub when: Option<When>,
    /// Where the legal day is, if not the day of the event.
    pub day: Option<DayRule>,
    /// How long the citizen has to answer a request.
    pub answer_within: Option<Length>,
    /// The most days for which a request or a suspension holds the term up.
    pub cap_days: Option<u16>,
    /// By how much the term is extended.
    pub by: Option<Length>,
    /// What this decision gave, if not told by `[decision]`.
    pub outcome: Option<Outcome>,
    /// Before whom the decision is contested.
    pub forum: Option<Forum>,
    /// The article.
    pub basis: Option<String>,
    /// Words for the request, or the reason.
    pub text: Option<String>,
}

/// Where a legal day is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayRule {
    /// The attribute of the event.
    pub attribute: String,
    /// How it is written there, in the letters of strftime.
    pub format: String,
}

fn concept_name() -> String {
    "concept:name".to_owned()
}
fn time_timestamp() -> String {
    "time:timestamp".to_owned()
}
fn org_resource() -> String {
    "org:resource".to_owned()
}
fn complete() -> BTreeSet<String> {
    BTreeSet::from(["complete".to_owned()])
}
fn first_event() -> Vec<String> {
    vec!["first_event".to_owned()]
}

fn zone<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<TimeZone>, D::Error> {
    let name = String::deserialize(d)?;
    TimeZone::get(&name).map(Some).map_err(|_| {
        serde::de::Error::custom(format!("{name:?} is no zone: write one as Europe/Rome"))
    })
}
