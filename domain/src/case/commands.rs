//! What may be asked of a case of any procedure.

use super::events::{
    DeliveryMode, Direction, LinkKind, PartyRole, ReopeningGround, RepresentationTitle,
    RequestKind, Tenor,
};
use super::terms::TermKey;
use crate::ids::{CaseId, DocumentId, EntryId, OfficeId, OfficerId, ProtocolNumber, SubjectId};
use crate::people::Person;
use crate::term::Length;
use jiff::civil::Date;

/// A document that comes with a filing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub kind: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// A command that every procedure knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A person takes part: an intervener (L. 241/1990 art. 9) or a representative.
    AddParty {
        /// What they are to the case.
        role: PartyRole,
        /// Who they are.
        person: Person,
        /// Their account, when known.
        account: Option<String>,
    },
    /// Lets a party act for another.
    GrantRepresentation {
        /// Who acts.
        agent: SubjectId,
        /// For whom.
        principal: SubjectId,
        /// On which title.
        title: RepresentationTitle,
        /// The document that proves it.
        evidence: Option<DocumentId>,
        /// Last day, if it ends.
        until: Option<Date>,
    },
    /// Ends a power to act.
    EndRepresentation {
        /// Which.
        representation: EntryId,
        /// Why.
        reason: String,
    },
    /// Gives the case to an office or an officer.
    Assign {
        /// The office.
        office: OfficeId,
        /// The officer; none puts the case in the office's pool.
        officer: Option<OfficerId>,
        /// Why it changes hands.
        reason: String,
    },
    /// Names the responsible officer (L. 241/1990 art. 5).
    NameResponsible {
        /// Who.
        officer: OfficerId,
    },
    /// An officer abstains (L. 241/1990 art. 6-bis).
    DeclareConflict {
        /// Who abstains.
        officer: OfficerId,
        /// Why, in general terms.
        reason: String,
    },
    /// Adds an internal note.
    AddNote {
        /// What it says.
        text: String,
    },
    /// Sends a message to the citizen or to the office.
    SendMessage {
        /// Which way.
        direction: Direction,
        /// What it says.
        text: String,
        /// Documents that go with it.
        documents: Vec<DocumentId>,
    },
    /// Adds a document, or a new version of one.
    AddDocument {
        /// What it is.
        kind: String,
        /// Media type.
        media_type: String,
        /// Size in bytes.
        size_bytes: u64,
        /// SHA-256 in lower-case hexadecimal.
        sha256: String,
        /// Which way it goes.
        direction: Direction,
        /// The legal day it was received or sent.
        dated_on: Date,
        /// The document it replaces.
        replaces: Option<DocumentId>,
    },
    /// Asks the citizen for something.
    SendRequest {
        /// What for.
        kind: RequestKind,
        /// In which words.
        text: String,
        /// The day it was sent.
        sent_on: Date,
        /// How long the citizen has.
        answer_within: Length,
        /// Whether it suspends the term of conclusion (L. 241/1990 art. 2 c. 7), which one.
        suspends: Option<TermKey>,
    },
    /// Records the citizen's answer.
    AnswerRequest {
        /// To which request.
        request: EntryId,
        /// The day it was received.
        answered_on: Date,
        /// The documents that answer it.
        documents: Vec<DocumentId>,
    },
    /// Takes a request back.
    CancelRequest {
        /// Which.
        request: EntryId,
        /// Why.
        reason: String,
    },
    /// Sends the notice of rejection (L. 241/1990 art. 10-bis).
    SendNotice {
        /// The reasons against acceptance.
        reasons: Vec<String>,
        /// The day it was sent.
        sent_on: Date,
        /// How.
        mode: DeliveryMode,
    },
    /// Records the receipt of the notice.
    RecordNoticeReceipt {
        /// The day.
        received_on: Date,
        /// How.
        mode: DeliveryMode,
    },
    /// Files observations on the notice.
    FileObservations {
        /// The day.
        filed_on: Date,
        /// What they say.
        text: String,
        /// Documents filed with them.
        documents: Vec<DocumentId>,
    },
    /// Ties the case to another of the same comune.
    Link {
        /// The other case.
        other: CaseId,
        /// How.
        kind: LinkKind,
    },
    /// Proposes an act to who decides.
    Propose {
        /// What.
        outcome: Tenor,
        /// Why.
        reasons: String,
    },
    /// Takes the proposal back.
    WithdrawProposal {
        /// Why.
        reason: String,
    },
    /// The applicant gives up the application.
    Withdraw {
        /// What the applicant wrote, if anything.
        reason: Option<String>,
    },
    /// Opens a closed case again, on a ground that the law has.
    Reopen {
        /// The ground.
        ground: ReopeningGround,
        /// The judgement or act.
        reference: String,
    },
    /// Stops a term to obtain what another body holds (L. 241/1990 art. 2 c. 7).
    SuspendTerm {
        /// Which term.
        term: TermKey,
        /// From which day.
        suspended_on: Date,
        /// Why.
        reason: String,
    },
    /// Lets a suspended term run again.
    ResumeTerm {
        /// Which suspension.
        suspension: EntryId,
        /// From which day.
        resumed_on: Date,
    },
    /// Lengthens a term.
    ExtendTerm {
        /// Which term.
        term: TermKey,
        /// By how much.
        by: Length,
        /// Why.
        reason: String,
        /// The article that allows it.
        basis: String,
    },
    /// Keeps the case's papers from being erased.
    PlaceHold {
        /// Why.
        reason: String,
        /// The judgement, request or inspection behind it.
        reference: String,
    },
    /// Ends a legal hold.
    LiftHold {
        /// Which.
        hold: EntryId,
        /// Why.
        reason: String,
        /// What ends it.
        reference: String,
    },
    /// Proposes that the personal data of an ended case be erased.
    ProposeErasure,
    /// Puts the archival authority's authorisation on record.
    AuthoriseErasure {
        /// Its act.
        reference: String,
    },
    /// Says that the keys are destroyed: only the process that does it sends it.
    RecordErasure {
        /// How many there were.
        keys: u32,
    },
    /// Says that a term ran out: only the ticker sends it, and the law decides what follows.
    ExpireTerm {
        /// Which term.
        term: TermKey,
        /// The last day as the ticker saw it.
        due_on: Date,
    },
    /// Writes a document's protocol number into the case: only the register's process sends it.
    RecordRegistration {
        /// Which document.
        document: DocumentId,
        /// Its number.
        number: ProtocolNumber,
        /// The day of registration.
        registered_on: Date,
    },
}

impl Command {
    /// The stable name, as in tables and available actions.
    pub fn name(&self) -> &'static str {
        match self {
            Command::AddParty { .. } => "case.add_party",
            Command::GrantRepresentation { .. } => "case.grant_representation",
            Command::EndRepresentation { .. } => "case.end_representation",
            Command::Assign { .. } => "case.assign",
            Command::NameResponsible { .. } => "case.name_responsible",
            Command::DeclareConflict { .. } => "case.declare_conflict",
            Command::AddNote { .. } => "case.add_note",
            Command::SendMessage { .. } => "case.send_message",
            Command::AddDocument { .. } => "case.add_document",
            Command::SendRequest { .. } => "case.send_request",
            Command::AnswerRequest { .. } => "case.answer_request",
            Command::CancelRequest { .. } => "case.cancel_request",
            Command::SendNotice { .. } => "case.send_notice",
            Command::RecordNoticeReceipt { .. } => "case.record_notice_receipt",
            Command::FileObservations { .. } => "case.file_observations",
            Command::Link { .. } => "case.link",
            Command::Propose { .. } => "case.propose",
            Command::WithdrawProposal { .. } => "case.withdraw_proposal",
            Command::Withdraw { .. } => "case.withdraw",
            Command::Reopen { .. } => "case.reopen",
            Command::SuspendTerm { .. } => "case.suspend_term",
            Command::ResumeTerm { .. } => "case.resume_term",
            Command::ExtendTerm { .. } => "case.extend_term",
            Command::PlaceHold { .. } => "case.place_hold",
            Command::LiftHold { .. } => "case.lift_hold",
            Command::ProposeErasure => "case.propose_erasure",
            Command::AuthoriseErasure { .. } => "case.authorise_erasure",
            Command::RecordErasure { .. } => "case.record_erasure",
            Command::ExpireTerm { .. } => "case.expire_term",
            Command::RecordRegistration { .. } => "case.record_registration",
        }
    }
}
