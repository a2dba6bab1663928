//! What queries ask by and what they answer: plain values, no SQL.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use pratica_domain::case::{Direction, TermKey};
use pratica_domain::ids::{CaseId, DocumentId, OfficeId, OfficerId, ProtocolNumber};
use pratica_domain::people::{Person, Personal};
use pratica_store::{Position, Revision};
use serde::{Deserialize, Serialize};

/// An answer, and the position of the log that it is of: both were read in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsOf<T> {
    /// The answer.
    pub value: T,
    /// Everything up to here is in it.
    pub position: Position,
}

/// Who asks: part of every query over cases, never a filter over its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// All cases of the comune.
    Everything,
    /// The cases that these offices have.
    Offices(BTreeSet<OfficeId>),
    /// The cases that this account takes part in on this day, itself or for somebody.
    Account {
        /// The account.
        account: String,
        /// The legal day.
        today: Date,
    },
}

/// How much of a list, and from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// How many; at least one is given.
    pub size: usize,
    /// The token of the page before; it belongs to the same query by the same asker.
    pub after: Option<String>,
}

impl PageRequest {
    /// The first page.
    pub fn first(size: usize) -> Self {
        PageRequest { size, after: None }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The token of the next page; none at the end.
    pub next: Option<String>,
}

/// A case as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The case.
    pub case: CaseId,
    /// Its stream.
    pub stream: String,
    /// The procedure, such as `residency`.
    pub procedure: String,
    /// The kind within the procedure.
    pub kind: String,
    /// The phase; after the end, the outcome.
    pub phase: String,
    /// Whether it has ended.
    pub closed: bool,
    /// The legal day of filing.
    pub filed_on: Date,
    /// The legal day of the end.
    pub closed_on: Option<Date>,
    /// How it ended.
    pub outcome: Option<String>,
    /// The office that has it.
    pub office: Option<String>,
    /// The officer who has it.
    pub officer: Option<String>,
    /// The responsible officer.
    pub responsible: Option<String>,
    /// The revision of its last event: the etag.
    pub revision: Revision,
    /// The position of its last event.
    pub position: Position,
    /// The next due date.
    pub due_on: Option<Date>,
    /// The term of the next due date.
    pub due_term: Option<String>,
    /// Whether the citizen is the one who has to act.
    pub waits_for_citizen: bool,
    /// The protocol number of the filing.
    pub protocol: Option<ProtocolNumber>,
    /// The applicant, sealed as in the log: opened for an answer, with the case's stream.
    pub applicant: Option<Personal<Person>>,
    /// Reference in the system that an imported case comes from.
    pub reference: Option<String>,
    /// The version of the rules that the case pinned.
    pub rules_version: String,
    /// How far its erasure is: `proposed`, `authorised`, `erased`, or empty.
    pub disposal: String,
    /// Whether a legal hold keeps its papers.
    pub held: bool,
    /// The day on which its personal data was erased.
    pub erased_on: Option<Date>,
}

impl CaseRow {
    /// Whether its next due date is past on `today`.
    pub fn overdue(&self, today: Date) -> bool {
        self.due_on.is_some_and(|due| due < today)
    }
}

/// A stage on the way to the end of a case's papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisposalStage {
    /// A legal hold keeps them.
    Held,
    /// Their erasure is proposed.
    Proposed,
    /// Their erasure is authorised, and about to be carried out.
    Authorised,
    /// The personal data is erased.
    Erased,
}

impl DisposalStage {
    /// Its name in the views.
    pub fn as_str(self) -> &'static str {
        match self {
            DisposalStage::Held => "held",
            DisposalStage::Proposed => "proposed",
            DisposalStage::Authorised => "authorised",
            DisposalStage::Erased => "erased",
        }
    }
}

/// A case as the archivist sees it: nothing of it is personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisposalRow {
    /// Its place in the views, to go on from.
    pub key: i64,
    /// The case.
    pub case: CaseId,
    /// The procedure.
    pub procedure: String,
    /// The kind within the procedure.
    pub kind: String,
    /// The legal day of the end.
    pub closed_on: Option<Date>,
    /// How far its erasure is: as [`DisposalStage`], or empty.
    pub stage: String,
    /// Whether a legal hold keeps it.
    pub held: bool,
    /// The day of the erasure.
    pub erased_on: Option<Date>,
}

/// What a list of cases is narrowed by; all conditions apply together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// The procedure.
    pub procedure: Option<String>,
    /// The kind within the procedure.
    pub kind: Option<String>,
    /// The phase or outcome.
    pub phase: Option<String>,
    /// The office.
    pub office: Option<OfficeId>,
    /// The officer.
    pub officer: Option<OfficerId>,
    /// Only ended cases, or only those not ended.
    pub closed: Option<bool>,
    /// Filed on or after.
    pub filed_from: Option<Date>,
    /// Filed on or before.
    pub filed_to: Option<Date>,
}

/// What to search by.
#[derive(Clone, PartialEq, Eq)]
pub enum SearchKey {
    /// The protocol number of any document of the case.
    Protocol(ProtocolNumber),
    /// The fiscal code of a person of the case.
    FiscalCode(String),
    /// The beginning of the family name of a person of the case, whatever its accents and case.
    NamePrefix(String),
    /// The beginning of the address that a case is about: street and number.
    AddressPrefix(String),
    /// A parcel of the land registry: sheet and number.
    Parcel(String),
    /// The reference of an imported case.
    Reference(String),
    /// The case's id.
    Case(CaseId),
}

// It may hold personal data, so that no Debug may show it.
impl std::fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SearchKey::Protocol(_) => "SearchKey::Protocol(..)",
            SearchKey::FiscalCode(_) => "SearchKey::FiscalCode(..)",
            SearchKey::NamePrefix(_) => "SearchKey::NamePrefix(..)",
            SearchKey::AddressPrefix(_) => "SearchKey::AddressPrefix(..)",
            SearchKey::Parcel(_) => "SearchKey::Parcel(..)",
            SearchKey::Reference(_) => "SearchKey::Reference(..)",
            SearchKey::Case(_) => "SearchKey::Case(..)",
        })
    }
}

/// The queues of a worklist: open cases all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// All.
    #[default]
    Office,
    /// Assigned to the query's officer.
    Mine,
    /// In the pool, without an officer.
    Unassigned,
    /// With a due date in the past.
    Overdue,
    /// Where the citizen has to act.
    WaitingForCitizen,
}

/// A queue and what narrows it; all conditions apply together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorklistQuery {
    /// The queue.
    pub queue: Queue,
    /// The office.
    pub office: Option<OfficeId>,
    /// The officer; without one, [`Queue::Mine`] is empty.
    pub officer: Option<OfficerId>,
    /// Due on or before.
    pub due_to: Option<Date>,
    /// The procedure.
    pub procedure: Option<String>,
    /// The phase.
    pub phase: Option<String>,
    /// In the order of filing instead of urgency (DPR 380/2001 art. 20 c. 2).
    pub by_filing: bool,
}

/// The counts of an office.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All open cases.
    pub open: u64,
    /// In the pool.
    pub unassigned: u64,
    /// Assigned to the officer.
    pub mine: u64,
    /// With a due date in the past.
    pub overdue: u64,
    /// Due today or in the next seven days.
    pub due_within_7_days: u64,
    /// Where the citizen has to act.
    pub waiting_for_citizen: u64,
}

/// One step of a case's history. Without personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineRow {
    /// The event's revision in the case.
    pub revision: Revision,
    /// Its position in the log.
    pub position: Position,
    /// Its stored name.
    pub event_type: String,
    /// When it counts.
    pub occurred_at: Timestamp,
    /// When the comune knew.
    pub recorded_at: Timestamp,
    /// The account that acted; empty where internals were not asked for.
    pub actor: String,
    /// In which role.
    pub role: String,
    /// Whether citizens never see this step.
    pub internal: bool,
    /// The small facts of the event by name: numbers, words and lists of them. What was nested
    /// has dots, such as `number.year`. No personal data; no officer's name where internals were
    /// not asked for.
    pub args: serde_json::Map<String, serde_json::Value>,
}

/// A registration of the protocol register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationRow {
    /// Its number.
    pub number: ProtocolNumber,
    /// The day of registration.
    pub registered_on: Date,
    /// Received or sent.
    pub direction: Direction,
    /// Sender or addressee.
    pub correspondent: Personal<String>,
    /// The object.
    pub object: Personal<String>,
    /// SHA-256 of the document.
    pub sha256: String,
    /// The case.
    pub case: Option<CaseId>,
    /// The document within the case.
    pub document: Option<DocumentId>,
    /// The legal day of filing or sending, when registration came later.
    pub filed_on: Option<Date>,
    /// The number in the emergency register.
    pub emergency_number: Option<u32>,
    /// Set when annulled.
    pub annulment: Option<Annulment>,
    /// The position of its event.
    pub position: Position,
}

/// The annulment of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annulment {
    /// The day.
    pub annulled_on: Date,
    /// Why.
    pub reason: Personal<String>,
    /// The act that authorised it.
    pub authorisation: Personal<String>,
    /// Who did it.
    pub by: String,
}

/// A term that has run out and whose expiry is not on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTerm {
    /// The case.
    pub case: CaseId,
    /// Its stream.
    pub stream: String,
    /// The clock.
    pub term: TermKey,
    /// Its last day.
    pub end: Date,
}

/// How long cases of one kind took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatRow {
    /// The procedure.
    pub procedure: String,
    /// The kind.
    pub kind: String,
    /// Open now.
    pub open: u64,
    /// Closed in the period: the denominator of what follows.
    pub closed: u64,
    /// Closed by outcome.
    pub outcomes: Vec<(String, u64)>,
    /// Days from filing to end.
    pub total: Distribution,
    /// Days that the office had it.
    pub office: Distribution,
    /// Days that the citizen had it.
    pub citizen: Distribution,
    /// Days that other bodies had it.
    pub third_party: Distribution,
    /// Days that the term was suspended for another reason.
    pub suspended: Distribution,
    /// The legal term in days, by the rules of the case filed last; 0 if none.
    pub legal_term_days: u32,
    /// Closed after the legal end of their term.
    pub late: u64,
}

/// Median and 90th percentile by nearest rank, in whole days, and the sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Half of the cases took no longer.
    pub median: u32,
    /// Nine in ten took no longer.
    pub p90: u32,
    /// The sum over all cases.
    pub sum: u64,
}

/// How a view stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewStatus {
    /// The view.
    pub name: String,
    /// The position it has applied.
    pub position: Position,
    /// How many events it took in since it was built.
    pub events: u64,
    /// Rolling digest of them, in hexadecimal.
    pub digest: String,
}

/// A named query that somebody keeps. The query is the shell's text; nothing here reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// The name.
    pub name: String,
    /// The query, as JSON.
    pub query: String,
}
