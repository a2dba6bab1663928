//! The conferenza di servizi (L. 241/1990 arts. 14 to 14-quinquies).

use crate::ids::EntryId;
use crate::people::Personal;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// In which form the bodies confer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConferenceForm {
    /// In writing, asynchronous (art. 14-bis).
    Simplified,
    /// In a meeting from the start (art. 14-bis c. 7).
    Synchronous,
}

/// A body that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Identifies it in this conference.
    pub body: EntryId,
    /// Its name.
    pub name: String,
    /// Whether it protects environment, landscape, culture, health or public safety: it has sixty
    /// days instead of thirty and may oppose.
    pub sensitive: bool,
}

/// The conferenza was convened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceConvened {
    /// Identifies it.
    pub conference: EntryId,
    /// Its round: two and more after observations on a negative determination.
    pub round: u16,
    /// The form.
    pub form: ConferenceForm,
    /// The day; the terms of the bodies run from it.
    pub convened_on: Date,
    /// The day of a possible meeting (art. 14-bis c. 2 lett. d).
    pub meeting_on: Date,
    /// Who takes part.
    pub bodies: Vec<Participant>,
    /// Whether it was convened in time to keep silence from granting (L. 241/1990 art. 20 c. 2).
    pub keeps_silence_off: bool,
}

/// What a body determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Assent without conditions.
    Assent,
    /// Assent on conditions that change nothing of substance.
    Conditional,
    /// Dissent that names the changes that would make assent possible.
    Surmountable,
    /// Dissent that cannot be overcome.
    Insurmountable,
}

impl Position {
    /// The word in views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Position::Assent => "assent",
            Position::Conditional => "conditional",
            Position::Surmountable => "surmountable",
            Position::Insurmountable => "insurmountable",
        }
    }
}

/// A body gave its determination (art. 14-bis c. 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeterminationReceived {
    /// The conference.
    pub conference: EntryId,
    /// The body.
    pub body: EntryId,
    /// The day it was received.
    pub received_on: Date,
    /// What it says.
    pub position: Position,
    /// What it counts as: without reasons, unconditional assent (art. 14-bis c. 4).
    pub counts_as: Position,
    /// The last day of the body's term.
    pub due_on: Date,
    /// Its reasons and conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<String>>,
}

/// A body's time ran out: its silence is unconditional assent (art. 14-bis c. 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyAssentedBySilence {
    /// The conference.
    pub conference: EntryId,
    /// The body.
    pub body: EntryId,
    /// The last day of its term.
    pub due_on: Date,
    /// The first instant after it.
    pub legal_at: Timestamp,
}

/// The conferenza meets (art. 14-bis c. 6 and 7, art. 14-ter).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingOpened {
    /// The conference.
    pub conference: EntryId,
    /// The day of the first meeting.
    pub opened_on: Date,
}

/// The conferenza was concluded by a reasoned determination (art. 14-quater).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceConcluded {
    /// The conference.
    pub conference: EntryId,
    /// Whether it grants: it replaces every assent and is the title itself (DPR 380/2001 art. 20
    /// c. 6). A negative one rejects and counts as notice of rejection (art. 14-bis c. 5).
    pub positive: bool,
    /// The day.
    pub concluded_on: Date,
    /// The reasons.
    pub reasons: Personal<String>,
    /// Bodies that may oppose: qualified, and clearly dissenting before the end (art.
    /// 14-quinquies). While they may, the effect of a positive determination is suspended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_oppose: Vec<EntryId>,
}

/// A qualified body opposed the determination (art. 14-quinquies c. 1): its effect is suspended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OppositionRaised {
    /// The body.
    pub body: EntryId,
    /// The day.
    pub raised_on: Date,
}

/// The opposition ended (art. 14-quinquies c. 5 to 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OppositionEnded {
    /// Whether it was upheld: the determination has no effect then.
    pub upheld: bool,
    /// The day.
    pub ended_on: Date,
    /// The act: agreement or resolution of the Council of Ministers.
    pub reference: Personal<String>,
}
