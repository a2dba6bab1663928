//! The facts about the end of a case's papers.

use crate::ids::{EntryId, OfficerId};
use crate::people::Personal;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Nothing of the case may be erased, on a stated ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldPlaced {
    /// Identifies the hold.
    pub hold: EntryId,
    /// Why.
    pub reason: Personal<String>,
    /// The judgement, request or inspection behind it. Kept for ever.
    pub reference: Personal<String>,
    /// The day.
    pub placed_on: Date,
}

/// A legal hold ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLifted {
    /// Which.
    pub hold: EntryId,
    /// Why.
    pub reason: Personal<String>,
    /// What ends it. Kept for ever.
    pub reference: Personal<String>,
    /// The day.
    pub lifted_on: Date,
}

/// The erasure of the case's personal data was proposed (DPR 445/2000 art. 68).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureProposed {
    /// Identifies the erasure.
    pub erasure: EntryId,
    /// Who proposes.
    pub by: OfficerId,
    /// The class of the conservation plan.
    pub class: String,
    /// The day on which the case ended.
    pub ended_on: Date,
    /// The last day on which its papers had to be kept.
    pub kept_until: Date,
    /// Where that is written.
    pub basis: String,
    /// The version of the rules that it was read in.
    pub rules_version: String,
    /// The day.
    pub proposed_on: Date,
}

/// The erasure was authorised (D.Lgs. 42/2004 art. 21 c. 1 lett. d).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureAuthorised {
    /// Which erasure.
    pub erasure: EntryId,
    /// Who put the authorisation on record.
    pub by: OfficerId,
    /// The act of the archival authority. Kept for ever.
    pub reference: Personal<String>,
    /// The day.
    pub authorised_on: Date,
}

/// The keys of the case's personal data are destroyed: nobody reads it any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Which erasure.
    pub erasure: EntryId,
    /// How many keys its personal data was sealed with.
    pub keys: u32,
    /// The day.
    pub erased_on: Date,
}
