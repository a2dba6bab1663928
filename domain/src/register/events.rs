//! The facts of the protocol register.

use crate::case::Direction;
use crate::event::events;
use crate::ids::{CaseId, DocumentId, OfficerId, ProtocolNumber};
use crate::people::Personal;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

events! {
    /// A fact of the protocol register.
    pub enum Event {
        /// A document got its number.
        Registered = "register.registered" v 2,
        /// A registration was annulled; it stays readable.
        Annulled = "register.annulled" v 2,
        /// The daily register was produced.
        DayClosed = "register.day_closed" v 1,
        /// The emergency register was opened.
        EmergencyOpened = "register.emergency_opened" v 2,
        /// The emergency register was closed and its entries recovered.
        EmergencyClosed = "register.emergency_closed" v 1,
    }
}

/// A document got its number (DPR 445/2000 art. 53 c. 1). None of this can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Year and number: the revision of this event plus one.
    pub number: ProtocolNumber,
    /// The day of registration, in Rome.
    pub registered_on: Date,
    /// Received or sent.
    pub direction: Direction,
    /// Sender of what came in, addressee of what goes out.
    pub correspondent: Personal<String>,
    /// The object.
    pub object: Personal<String>,
    /// SHA-256 of the document (*impronta*).
    pub sha256: String,
    /// The case, if the document belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The document within the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentId>,
    /// The legal day of filing or sending, when registration came later (L. 241/1990 art. 18-bis).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filed_on: Option<Date>,
    /// The number in the emergency register, when it was recovered from there (art. 63).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_number: Option<u32>,
}

/// A registration was annulled (DPR 445/2000 art. 54; DPCM 31-10-2000 art. 8: always the whole).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annulled {
    /// Which.
    pub number: ProtocolNumber,
    /// Why.
    pub reason: Personal<String>,
    /// The act that authorised it.
    pub authorisation: Personal<String>,
    /// Who did it.
    pub by: OfficerId,
    /// The day.
    pub annulled_on: Date,
}

/// The daily register was produced (DPR 445/2000 art. 53 c. 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayClosed {
    /// Which day.
    pub day: Date,
    /// First number of the day; none if nothing was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Last number up to and including the day.
    pub last: u64,
    /// SHA-256 of the list of the day's registrations.
    pub sha256: String,
}

/// The emergency register was opened (DPR 445/2000 art. 63).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyOpened {
    /// Why: the failure and who authorised it.
    pub reason: Personal<String>,
    /// From when.
    pub opened_at: Timestamp,
}

/// The emergency register was closed; its entries have their protocol numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyClosed {
    /// When.
    pub closed_at: Timestamp,
    /// Emergency number and protocol number of each entry.
    pub recovered: Vec<(u32, ProtocolNumber)>,
}
