//! The end of the procedure: title, refusal, silence and what is said of it.

use crate::case::{Appeal, LateStatement};
use crate::ids::{EntryId, OfficerId};
use crate::people::Personal;
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// The permit was issued (art. 20 c. 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The day.
    pub issued_on: Date,
    /// The conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Personal<String>>,
    /// Why, where a notice came first or the proposal is not followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<String>>,
    /// The conference whose determination is the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conference: Option<EntryId>,
    /// Set when the act comes after its term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateStatement>,
}

/// What a refusal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalEffect {
    /// It ends the case.
    Effective,
    /// It came after silence had granted and changes nothing (L. 241/1990 art. 2 c. 8-bis).
    Ineffective,
}

/// The permit was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The day.
    pub refused_on: Date,
    /// The reasons.
    pub reasons: Personal<String>,
    /// The answers to the observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Personal<String>>,
    /// Term and authority of appeal.
    pub appeal: Appeal,
    /// What it does.
    pub effect: RefusalEffect,
    /// Set when the act comes after its term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<LateStatement>,
}

/// The application was archived: what was asked for never came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// The day.
    pub archived_on: Date,
    /// The reasons.
    pub reasons: Personal<String>,
    /// The answers to the observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Personal<String>>,
    /// Term and authority of appeal.
    pub appeal: Appeal,
}

/// The term ran out in silence: the permit is granted (art. 20 c. 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedBySilence {
    /// The last day of the term.
    pub due_on: Date,
    /// The first day on which the title stands.
    pub effective_on: Date,
    /// The first instant of that day in Rome, whenever the machine came to know.
    pub legal_at: Timestamp,
}

/// The attestation of elapsed terms was issued (L. 241/1990 art. 20 c. 2-bis; art. 20 c. 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceAttested {
    /// The last day of the term.
    pub due_on: Date,
    /// The day of issue.
    pub attested_on: Date,
    /// Whether it answers a request; otherwise it is the automatic one.
    pub on_request: bool,
}

/// The attestation was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationRequested {
    /// Identifies the request.
    pub request: EntryId,
    /// The day.
    pub requested_on: Date,
}

/// The applicant was told that acts stand against the attestation (art. 20 c. 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationDenied {
    /// Which request.
    pub request: EntryId,
    /// The day.
    pub answered_on: Date,
    /// The acts: `additions_requested`, `changes_requested`, `refused`, `term_running`,
    /// `constrained_property`, `in_conference`, `suspended`, `not_granted_by_silence`.
    pub acts: Vec<String>,
}

/// The substitute took the case on the office's inertia (L. 241/1990 art. 2 c. 9-bis, 9-ter).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubstituteInvoked {
    /// The day.
    pub invoked_on: Date,
    /// Whether the applicant asked; otherwise ex officio.
    pub on_request: bool,
    /// Who takes the case.
    pub substitute: OfficerId,
    /// The substitute's term: half of the original one.
    pub within: Length,
}

/// On which ground a title is annulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnulmentGround {
    /// By the comune itself, within six months (L. 241/1990 art. 21-nonies).
    OwnAnnulment,
    /// By the comune, beyond: false representations that a final criminal judgement established
    /// (art. 21-nonies c. 2-bis).
    FalseRepresentation,
    /// By a court.
    Judgement,
}

/// The title was annulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annulled {
    /// The day.
    pub annulled_on: Date,
    /// On which ground.
    pub ground: AnnulmentGround,
    /// The judgement, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Personal<String>>,
    /// The reasons.
    pub reasons: Personal<String>,
    /// Term and authority of appeal.
    pub appeal: Appeal,
}

/// Before whom a decision is contested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forum {
    /// Before the administration itself: objection, self-protection.
    Administration,
    /// Before a court, or the Head of State.
    Court,
}

/// Somebody contested the decision. It moves no clock: what a judgement brings is another fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contested {
    /// Identifies it.
    pub contest: EntryId,
    /// Before whom.
    pub forum: Forum,
    /// The day.
    pub contested_on: Date,
    /// Reference, such as the number of the court's roll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Personal<String>>,
}
