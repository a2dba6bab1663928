//! Registration: the next number, in one operation without an operator's step (art. 53 c. 3).

use super::events::Registered;
use crate::case::Direction;
use crate::context::Context;
use crate::event::Event;
use crate::ids::{CaseId, DocumentId, ProtocolNumber};
use crate::people::Personal;
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::civil::Date;

/// What the register of a year folds to: how many registrations it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterHead {
    /// The year.
    pub year: i16,
    /// Registrations so far; the next number is one more.
    pub registrations: u64,
}

/// A document to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Received or sent.
    pub direction: Direction,
    /// Sender or addressee.
    pub correspondent: Personal<String>,
    /// The object.
    pub object: Personal<String>,
    /// SHA-256 of the document, in lower-case hexadecimal.
    pub sha256: String,
    /// The case.
    pub case: Option<CaseId>,
    /// The document within the case.
    pub document: Option<DocumentId>,
    /// The legal day of filing or sending.
    pub filed_on: Option<Date>,
    /// The number in the emergency register.
    pub emergency_number: Option<u32>,
}

/// Registers a document: the number is the count plus one, the year is Rome's today.
///
/// # Errors
/// `WRONG_YEAR` when the register is not the one of today's year; `FORM_INCOMPLETE` when the object
/// or the hash is missing or an internal document is registered.
pub fn register(
    head: RegisterHead,
    entry: &Entry,
    ctx: &Context<'_>,
) -> Result<(ProtocolNumber, Event), Rejection> {
    let today = ctx.today();
    let refuse = |r: Rejection| r.under("registration_is_complete", "DPR 445/2000 art. 53 c. 1");
    if today.year() != head.year {
        return Err(refuse(Rejection::new(Code::WrongYear))
            .with("year", head.year)
            .with("of", today)
            .with("today", today));
    }
    let missing = |field| refuse(Rejection::new(Code::FormIncomplete).with("field", field));
    if entry.object.value.trim().is_empty() {
        return Err(missing("object"));
    }
    if entry.sha256.len() != 64 || !entry.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(missing("sha256"));
    }
    if entry.direction == Direction::Internal {
        return Err(missing("direction"));
    }
    if entry.correspondent.value.trim().is_empty() {
        return Err(missing("correspondent"));
    }
    let number = ProtocolNumber { year: head.year, number: head.registrations + 1 };
    let registered = Registered {
        number,
        registered_on: today,
        direction: entry.direction,
        correspondent: entry.correspondent.clone(),
        object: entry.object.clone(),
        sha256: entry.sha256.clone(),
        case: entry.case,
        document: entry.document,
        filed_on: entry.filed_on.filter(|filed| *filed != today),
        emergency_number: entry.emergency_number,
    };
    Ok((number, Event::Register(registered.into())))
}
