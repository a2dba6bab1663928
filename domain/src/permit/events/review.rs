//! The review: complexity, changes, safeguards, constraints, opinions of other bodies.

use super::{Constraint, Ground};
use crate::case::{Appeal, Tenor};
use crate::ids::EntryId;
use crate::people::Personal;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The application is manifestly irreceivable: a short reasoned act (L. 241/1990 art. 2 c. 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundIrreceivable {
    /// The grounds.
    pub grounds: Vec<Ground>,
    /// The reasons in short.
    pub reasons: Personal<String>,
    /// The day.
    pub found_on: Date,
    /// Term and authority of appeal.
    pub appeal: Appeal,
}

/// The project was declared particularly complex (art. 20 c. 7): terms are doubled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredComplex {
    /// The day of the resolution.
    pub declared_on: Date,
    /// The reasons of the responsible officer.
    pub reasons: Personal<String>,
}

/// The applicant answered a request for minor changes (art. 20 c. 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesAnswered {
    /// Which request.
    pub request: EntryId,
    /// The day the answer was received.
    pub answered_on: Date,
    /// Whether the applicant agrees to the changes.
    pub adheres: bool,
    /// Whether the clock runs on from the answer already (policy `minor_changes_suspend_until`).
    pub resumes: bool,
}

/// Safeguard measures suspend the decision: the project contrasts with an adopted plan (art. 12
/// c. 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeguardsApplied {
    /// Identifies the suspension.
    pub suspension: EntryId,
    /// The day from which the decision is suspended.
    pub applied_on: Date,
    /// The day on which the plan was adopted: three years, or five, run from it.
    pub plan_adopted_on: Date,
    /// Whether the plan was sent for approval within a year: then five years.
    pub sent_for_approval: bool,
    /// The plan.
    pub plan: String,
    /// The reasons.
    pub reasons: Personal<String>,
}

/// Safeguard measures no longer suspend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafeguardsEnded {
    /// Which suspension.
    pub suspension: EntryId,
    /// The day from which the clocks run on.
    pub ended_on: Date,
    /// Whether the time that the law allows ran out.
    pub by_law: bool,
}

/// The constraints on the property were established: on constrained property silence grants
/// nothing (art. 20 c. 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstraintsRecorded {
    /// The constraints; none if there is none.
    pub constraints: BTreeSet<Constraint>,
    /// Whether the authorisations were all obtained for the same drawings and are in force.
    pub authorisations_held: bool,
    /// The day.
    pub recorded_on: Date,
    /// What it rests on.
    pub reasons: Personal<String>,
}

/// On which article a body is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpinionKind {
    /// Compulsory opinion (L. 241/1990 art. 16): 20 days, then one proceeds without.
    Opinion,
    /// Technical evaluation (art. 17): 90 days, then another qualified body.
    Evaluation,
    /// Assent between administrations (art. 17-bis): 30 days, 90 for sensitive interests; silence
    /// is assent.
    Assent,
}

/// Another body was asked for its opinion or assent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionRequested {
    /// Identifies the request.
    pub opinion: EntryId,
    /// The body.
    pub body: String,
    /// On which article.
    pub kind: OpinionKind,
    /// Whether the body protects environment, landscape, culture or health.
    pub sensitive: bool,
    /// The day it was asked.
    pub requested_on: Date,
}

/// The body needs more before it can say; once only (art. 16 c. 4, art. 17 c. 3, art. 17-bis c. 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionInterrupted {
    /// Which.
    pub opinion: EntryId,
    /// The day the body asked.
    pub asked_on: Date,
}

/// The body got what it needed: a new term runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionResumed {
    /// Which.
    pub opinion: EntryId,
    /// The day the body received it.
    pub received_on: Date,
}

/// The body said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionReceived {
    /// Which.
    pub opinion: EntryId,
    /// The day it was received.
    pub received_on: Date,
    /// Which way.
    pub tenor: Tenor,
    /// What it says.
    pub text: Personal<String>,
    /// Whether it came after its term (an assent by silence stands then, art. 2 c. 8-bis).
    pub late: bool,
}

/// What the silence of a body brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceOfBody {
    /// The office proceeds without it.
    ProceedWithout,
    /// It counts as assent.
    Assent,
    /// It is still needed: environment, landscape, health (arts. 16 c. 3, 17 c. 2).
    StillNeeded,
}

/// The body's time ran out in silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionLapsed {
    /// Which.
    pub opinion: EntryId,
    /// The last day of its term.
    pub due_on: Date,
    /// The first instant after it.
    pub legal_at: Timestamp,
    /// What follows.
    pub effect: SilenceOfBody,
}
