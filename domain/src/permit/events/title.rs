//! The life of the title: contribution, works, extensions, lapse, new holder, usability.

use crate::case::Appeal;
use crate::ids::{EntryId, SubjectId};
use crate::people::Personal;
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

/// The title was published at the albo pretorio (art. 20 c. 6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The day.
    pub published_on: Date,
    /// The number in the albo.
    pub reference: Personal<String>,
}

/// The two parts of the contribution (art. 16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContributionKind {
    /// Urbanisation charges (c. 2): at issue, or in instalments; works may take their place.
    Urbanisation,
    /// Share of the cost of construction (c. 3): during works, and sixty days after at the latest.
    ConstructionCost,
}

/// A part of the contribution with the day it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalmentDue {
    /// Identifies it.
    pub instalment: EntryId,
    /// How much, in cents.
    pub amount_cents: u64,
    /// The last day to pay without surcharge.
    pub due_on: Date,
}

/// The contribution was determined; also after silence, for it is not self-assessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionDetermined {
    /// Identifies it.
    pub contribution: EntryId,
    /// Which part.
    pub kind: ContributionKind,
    /// How much in all, in cents.
    pub amount_cents: u64,
    /// The day of the determination.
    pub determined_on: Date,
    /// In which parts.
    pub instalments: Vec<InstalmentDue>,
}

/// How much less an instalment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reduction {
    /// Which instalment.
    pub instalment: EntryId,
    /// By how much, in cents.
    pub amount_cents: u64,
}

/// Works take the place of part of the urbanisation charges (art. 16 c. 2, *scomputo*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionOffset {
    /// Identifies the offset.
    pub offset: EntryId,
    /// Which contribution.
    pub contribution: EntryId,
    /// How much, in cents.
    pub amount_cents: u64,
    /// On which instalments: the first that are open.
    pub reductions: Vec<Reduction>,
    /// The agreement with the comune.
    pub agreement: Personal<String>,
    /// The day.
    pub offset_on: Date,
}

/// An instalment was paid, or part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentRecorded {
    /// Identifies the payment.
    pub payment: EntryId,
    /// Which instalment.
    pub instalment: EntryId,
    /// The day of payment.
    pub paid_on: Date,
    /// How much of the contribution, in cents, surcharge apart.
    pub amount_cents: u64,
    /// The surcharge that is due on it, in percent (art. 42 c. 2).
    pub surcharge_percent: u8,
    /// The same in cents.
    pub surcharge_cents: u64,
    /// Whether nothing is left of the instalment.
    pub settles: bool,
}

/// Works began (art. 15 c. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorksStarted {
    /// The day.
    pub started_on: Date,
}

/// Works ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorksFinished {
    /// The day.
    pub finished_on: Date,
}

/// Which term of the works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorksTerm {
    /// Their start.
    Start,
    /// Their end.
    Finish,
}

impl WorksTerm {
    /// The clock.
    pub const fn rule(self) -> &'static str {
        match self {
            WorksTerm::Start => super::super::WORKS_START,
            WorksTerm::Finish => super::super::WORKS_FINISH,
        }
    }
}

/// More time for the works was asked for: before the term ends, or it lapses (art. 15 c. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionRequested {
    /// Identifies the request.
    pub extension: EntryId,
    /// Which term.
    pub term: WorksTerm,
    /// The day.
    pub requested_on: Date,
    /// Why.
    pub reasons: Personal<String>,
}

/// Why more time is given (art. 15 c. 2, 2-bis).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtensionGround {
    /// Facts that came later and are beyond the holder's control.
    SupervenedFacts,
    /// Size or technical difficulty of the works.
    SizeOrDifficulty,
    /// Public works financed over more years.
    PublicFinancing,
    /// Works were blocked by acts that proved unfounded: the extension is compulsory (c. 2-bis).
    UnfoundedBlock,
}

/// More time was given by a reasoned act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionGranted {
    /// Which request.
    pub extension: EntryId,
    /// Which term.
    pub term: WorksTerm,
    /// By how much.
    pub by: Length,
    /// On which ground.
    pub ground: ExtensionGround,
    /// Why.
    pub reasons: Personal<String>,
    /// The day.
    pub granted_on: Date,
}

/// More time was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtensionRefused {
    /// Which request.
    pub extension: EntryId,
    /// Which term.
    pub term: WorksTerm,
    /// Why.
    pub reasons: Personal<String>,
    /// Term and authority of appeal.
    pub appeal: Appeal,
    /// The day.
    pub refused_on: Date,
}

/// The law itself gave more time, without a request (such as DL 21/2022 art. 10-septies).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendedByLaw {
    /// Identifies the extension.
    pub extension: EntryId,
    /// Which term.
    pub term: WorksTerm,
    /// By how much.
    pub by: Length,
    /// The law.
    pub basis: String,
}

/// Why a title lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LapseGround {
    /// Works did not start in time.
    NotStarted,
    /// Works did not end in time.
    NotFinished,
    /// A contrasting plan came into force before works started (art. 15 c. 4).
    NewPlan,
}

/// The title lapsed for what was not carried out (art. 15 c. 2 and 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapsed {
    /// Why.
    pub ground: LapseGround,
    /// The last day on which it stood.
    pub due_on: Date,
    /// The first instant after it: the law has the effect, the act only declares it.
    pub legal_at: Timestamp,
    /// The plan, where one is the ground.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Personal<String>>,
}

/// The title went to a new holder (art. 11 c. 2, *voltura*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transferred {
    /// The new holder, a party of the case.
    pub to: SubjectId,
    /// The day.
    pub transferred_on: Date,
    /// The deed.
    pub deed: Personal<String>,
}

/// What is controlled after the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Controlled {
    /// The report of usability, within the life of a title.
    Usability,
    /// The notice that opened the case (SCIA).
    Notice,
}

/// The certified report of usability was filed (art. 24).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsabilityReported {
    /// Identifies it.
    pub report: EntryId,
    /// The day.
    pub reported_on: Date,
    /// Whether it covers a part only.
    pub partial: bool,
    /// Whether the fifteen days had passed: a fine is due (art. 24 c. 3).
    pub late: bool,
}

/// What was reported must be conformed; the control starts anew from the day compliance is
/// communicated (L. 241/1990 art. 19 c. 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConformationOrdered {
    /// Identifies the order.
    pub order: EntryId,
    /// The day.
    pub ordered_on: Date,
    /// How long there is to comply: thirty days at least.
    pub comply_within: Length,
    /// The reasons.
    pub reasons: Personal<String>,
    /// Term and authority of appeal.
    pub appeal: Appeal,
}

/// Compliance was communicated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConformationReported {
    /// Which order.
    pub order: EntryId,
    /// The day.
    pub reported_on: Date,
}

/// What was reported was forbidden: by an act, or by law when nobody complied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prohibited {
    /// What.
    pub of: Controlled,
    /// The day.
    pub prohibited_on: Date,
    /// The reasons; none when the law forbids by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Personal<String>>,
    /// Term and authority of appeal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appeal: Option<Appeal>,
}

/// The time to control ran out: afterwards only own annulment (L. 241/1990 art. 19 c. 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlEnded {
    /// What.
    pub of: Controlled,
    /// The last day.
    pub due_on: Date,
    /// The day after.
    pub ended_on: Date,
    /// The first instant of it.
    pub legal_at: Timestamp,
}
