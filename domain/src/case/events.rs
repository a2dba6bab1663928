//! The facts that a case of any procedure may have. Procedures add their own; none repeats these.

pub use super::disposal::{Erased, ErasureAuthorised, ErasureProposed, HoldLifted, HoldPlaced};
use super::terms::TermKey;
use crate::event::{Occurrence, events};
use crate::ids::{CaseId, DocumentId, EntryId, OfficeId, OfficerId, ProtocolNumber, SubjectId};
use crate::people::{Person, Personal};
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

events! {
    /// A fact that every case may have.
    pub enum Event {
        /// The case exists.
        Opened = "case.opened" v 1,
        /// A person takes part in the case.
        PartyAdded = "case.party_added" v 1,
        /// Somebody acts for a party, on a stated title.
        RepresentationGranted = "case.representation_granted" v 1,
        /// Somebody no longer acts for a party.
        RepresentationEnded = "case.representation_ended" v 1,
        /// An office, and perhaps an officer, has the case.
        Assigned = "case.assigned" v 1,
        /// The responsible officer was named.
        ResponsibleNamed = "case.responsible_named" v 1,
        /// An officer abstains.
        ConflictDeclared = "case.conflict_declared" v 1,
        /// An internal note, never shown to citizens.
        NoteAdded = "case.note_added" v 1,
        /// A message between the citizen and the office.
        MessageSent = "case.message_sent" v 1,
        /// A document entered the case's file.
        DocumentAdded = "case.document_added" v 1,
        /// A document got its protocol number.
        DocumentRegistered = "case.document_registered" v 1,
        /// The citizen was asked for something.
        RequestSent = "case.request_sent" v 1,
        /// The citizen answered a request.
        RequestAnswered = "case.request_answered" v 1,
        /// A request's own term ran out without an answer.
        RequestLapsed = "case.request_lapsed" v 1,
        /// The office took a request back.
        RequestCancelled = "case.request_cancelled" v 1,
        /// The notice of rejection was sent.
        NoticeSent = "case.notice_sent" v 1,
        /// The notice of rejection was received.
        NoticeReceived = "case.notice_received" v 1,
        /// Observations on the notice were filed.
        ObservationsFiled = "case.observations_filed" v 1,
        /// The case is tied to another.
        Linked = "case.linked" v 1,
        /// An act was proposed to who decides.
        ProposalMade = "case.proposal_made" v 1,
        /// A proposal was taken back.
        ProposalWithdrawn = "case.proposal_withdrawn" v 1,
        /// The applicant gave up the application.
        Withdrawn = "case.withdrawn" v 1,
        /// A closed case is open again, on a ground that the law has.
        Reopened = "case.reopened" v 2,
        /// A term stopped running for a stated reason.
        TermSuspended = "case.term_suspended" v 1,
        /// A suspended term runs again.
        TermResumed = "case.term_resumed" v 1,
        /// A term was lengthened.
        TermExtended = "case.term_extended" v 1,
        /// A term ran out and the law attaches nothing to it but attention.
        TermExpired = "case.term_expired" v 1,
        /// Nothing of the case may be erased.
        HoldPlaced = "case.hold_placed" v 1,
        /// A legal hold ended.
        HoldLifted = "case.hold_lifted" v 1,
        /// The erasure of its personal data was proposed.
        ErasureProposed = "case.erasure_proposed" v 1,
        /// The erasure was authorised.
        ErasureAuthorised = "case.erasure_authorised" v 1,
        /// Its personal data is erased.
        Erased = "case.erased" v 1,
    }
}

impl Event {
    /// When the fact counts, if not at the moment of the decision.
    pub fn occurred_on(&self) -> Option<Occurrence> {
        use Occurrence::{Day, Instant};
        match self {
            Event::Opened(e) => Some(Instant(e.filed_at)),
            Event::RequestAnswered(e) => Some(Day(e.answered_on)),
            Event::NoticeSent(e) => Some(Day(e.sent_on)),
            Event::NoticeReceived(e) => Some(Day(e.received_on)),
            Event::ObservationsFiled(e) => Some(Day(e.filed_on)),
            Event::RequestSent(e) => Some(Day(e.sent_on)),
            Event::TermSuspended(e) => Some(Day(e.suspended_on)),
            Event::TermResumed(e) => Some(Day(e.resumed_on)),
            Event::TermExpired(e) => Some(Instant(e.legal_at)),
            Event::RequestLapsed(e) => Some(Instant(e.legal_at)),
            _ => None,
        }
    }
}

/// The procedures that a case may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    /// Residency change (DPR 223/1989).
    Residency,
    /// Building permit (DPR 380/2001).
    Permit,
    /// School enrolment.
    Enrolment,
}

impl Procedure {
    /// Every procedure.
    pub const ALL: [Procedure; 3] = [Procedure::Residency, Procedure::Permit, Procedure::Enrolment];

    /// The word in stream names, views and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Procedure::Residency => "residency",
            Procedure::Permit => "permit",
            Procedure::Enrolment => "enrolment",
        }
    }
}

/// The way a filing reached the town hall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Citizen portal.
    Portal,
    /// Certified e-mail.
    Pec,
    /// Counter.
    Counter,
    /// Post.
    Post,
    /// The national registry's own services.
    Anpr,
    /// Opened by the office itself.
    ExOfficio,
    /// Brought in from an older system.
    Import,
}

/// The case exists. Always the first event of its stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The procedure.
    pub procedure: Procedure,
    /// The kind within the procedure, such as `from_other_comune`.
    pub kind: String,
    /// The legal day of filing, in Rome; every term runs from it (L. 241/1990 arts. 2 c. 6, 18-bis).
    pub filed_on: Date,
    /// The instant of receipt.
    pub filed_at: Timestamp,
    /// How it arrived.
    pub channel: Channel,
    /// The version of the rules in force then, pinned for the case's life.
    pub rules_version: String,
    /// The office in charge of this procedure (L. 241/1990 art. 4).
    pub office: OfficeId,
    /// Reference in the system that an imported case comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// What a person is to the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
    /// Who files.
    Applicant,
    /// Who is concerned with the applicant: family members who move too.
    Member,
    /// A third party who may be harmed (L. 241/1990 art. 7) or intervenes (art. 9).
    Intervener,
    /// Who acts for a party.
    Representative,
}

/// A person takes part in the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyAdded {
    /// The data subject.
    pub subject: SubjectId,
    /// What they are to the case.
    pub role: PartyRole,
    /// Who they are.
    pub person: Personal<Person>,
    /// The account of the citizen, when they came with one: lets them see their case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// On which title somebody acts for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepresentationTitle {
    /// Parent of a minor.
    Parent,
    /// Guardian or support administrator.
    Guardian,
    /// Professional with a mandate.
    Mandate,
    /// Heir.
    Heir,
    /// Organ of a company or body.
    Company,
}

/// Somebody acts for a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepresentationGranted {
    /// Identifies this representation.
    pub representation: EntryId,
    /// Who acts: a party of the case.
    pub agent: SubjectId,
    /// For whom: a party of the case.
    pub principal: SubjectId,
    /// On which title.
    pub title: RepresentationTitle,
    /// The document that proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<DocumentId>,
    /// Last day of the power, if it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// Somebody no longer acts for a party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepresentationEnded {
    /// Which representation.
    pub representation: EntryId,
    /// Why.
    pub reason: Personal<String>,
}

/// An office, and perhaps an officer, has the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The office.
    pub office: OfficeId,
    /// The officer; none means the office's pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub officer: Option<OfficerId>,
    /// Why, where the case changes hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<String>>,
}

/// The responsible officer was named (L. 241/1990 art. 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponsibleNamed {
    /// Who it is.
    pub officer: OfficerId,
    /// The day; the communication to the applicant of a permit is measured by it. Absent in
    /// early histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_on: Option<Date>,
}

/// An officer abstains (L. 241/1990 art. 6-bis). The reason stays internal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictDeclared {
    /// Who abstains.
    pub officer: OfficerId,
    /// Why, in general terms.
    pub reason: Personal<String>,
}

/// An internal note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteAdded {
    /// Identifies the note.
    pub note: EntryId,
    /// What it says; it may name people, so it is theirs.
    pub text: Personal<String>,
}

/// Which way a message or a document goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the citizen or another body to the comune.
    Incoming,
    /// From the comune outwards.
    Outgoing,
    /// Within the comune: no protocol number (DPR 445/2000 art. 53 c. 5).
    Internal,
}

/// A message between the citizen and the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSent {
    /// Identifies the message.
    pub message: EntryId,
    /// Which way it goes.
    pub direction: Direction,
    /// What it says.
    pub text: Personal<String>,
    /// Documents of the case that go with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentId>,
}

/// A document entered the case's file. Its bytes are elsewhere; their hash is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentAdded {
    /// Identifies this version of the document.
    pub document: DocumentId,
    /// What it is, such as `declaration`, `identity_copy`, `rejection_notice`.
    pub kind: String,
    /// Media type, such as `application/pdf`.
    pub media_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The legal day it was received or sent.
    pub dated_on: Date,
    /// Version, from 1.
    pub version: u32,
    /// The document that this one replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<DocumentId>,
    /// The document that this one is an attachment of, whose protocol number it shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<DocumentId>,
}

/// A document got its protocol number (DPR 445/2000 art. 53).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRegistered {
    /// Which document.
    pub document: DocumentId,
    /// Its number.
    pub number: ProtocolNumber,
    /// The day of registration, in Rome.
    pub registered_on: Date,
}

/// What the citizen is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// Documents or data that are missing.
    Additions,
    /// A correction of what was filed.
    Correction,
    /// A clarification.
    Clarification,
    /// A payment.
    Payment,
    /// To appear or to be at home.
    Appearance,
}

/// What a request does to the terms of the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum ClockEffect {
    /// The terms run on.
    None,
    /// The term stops and goes on from where it was.
    Suspends {
        /// Which term.
        term: TermKey,
        /// The most days it may stay suspended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cap_days: Option<u16>,
    },
    /// The term starts anew from the answer.
    Interrupts {
        /// Which term.
        term: TermKey,
    },
}

/// The citizen was asked for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestSent {
    /// Identifies the request.
    pub request: EntryId,
    /// What is asked for.
    pub kind: RequestKind,
    /// The words of the request.
    pub text: Personal<String>,
    /// The day it was sent.
    pub sent_on: Date,
    /// How long the citizen has to answer.
    pub answer_within: Length,
    /// What it does to the terms.
    pub clock: ClockEffect,
    /// The article it rests on.
    pub basis: String,
}

/// The citizen answered a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestAnswered {
    /// Which request.
    pub request: EntryId,
    /// The day the answer was received.
    pub answered_on: Date,
    /// The documents that answer it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentId>,
}

/// A request's own term ran out without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLapsed {
    /// Which request.
    pub request: EntryId,
    /// The last day it could be answered.
    pub due_on: Date,
    /// The first instant after it.
    pub legal_at: Timestamp,
}

/// The office took a request back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCancelled {
    /// Which request.
    pub request: EntryId,
    /// The day it was taken back: a clock that it stopped runs again from here.
    pub cancelled_on: Date,
    /// Why.
    pub reason: Personal<String>,
}

/// From which fact a notice of rejection stops the clock (policy `notice_suspends_from`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeStopsAt {
    /// From its sending.
    Sending,
    /// From its receipt.
    Receipt,
}

/// How an outgoing act reaches its addressee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// Certified e-mail.
    Pec,
    /// The national platform for notifications.
    Send,
    /// Registered letter with advice of receipt.
    RegisteredLetter,
    /// By hand.
    Hand,
    /// Never collected: deemed received at the end of the storage (*compiuta giacenza*).
    Deemed,
}

/// The notice of rejection was sent (L. 241/1990 art. 10-bis).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSent {
    /// Identifies the notice.
    pub notice: EntryId,
    /// The day it was sent.
    pub sent_on: Date,
    /// How.
    pub mode: DeliveryMode,
    /// The reasons that stand against acceptance.
    pub reasons: Vec<Personal<String>>,
    /// The terms of the case that it suspends.
    pub suspends: Vec<TermKey>,
    /// From which fact the clock stops.
    pub stops_at: NoticeStopsAt,
}

/// The notice of rejection was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeReceived {
    /// Which notice.
    pub notice: EntryId,
    /// The day it was received, or deemed so.
    pub received_on: Date,
    /// How.
    pub mode: DeliveryMode,
}

/// Observations on the notice were filed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationsFiled {
    /// Identifies the observations.
    pub observations: EntryId,
    /// On which notice.
    pub notice: EntryId,
    /// The day they were filed.
    pub filed_on: Date,
    /// What they say.
    pub text: Personal<String>,
    /// Documents filed with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<DocumentId>,
}

/// How two cases belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// This case varies the other.
    VariantOf,
    /// This case corrects the other.
    CorrectionOf,
    /// This case follows from the other.
    FollowUpOf,
    /// This case took the place of the other.
    Supersedes,
    /// The two concern one household.
    SameHousehold,
    /// The two concern siblings.
    Siblings,
}

/// The case is tied to another of the same comune.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// The other case.
    pub other: CaseId,
    /// How they belong together.
    pub kind: LinkKind,
}

/// What an act gives the applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tenor {
    /// What was asked for.
    Favourable,
    /// A refusal, an annulment, an exclusion.
    Negative,
}

/// Term and authority of appeal, which every notified act states (L. 241/1990 art. 3 c. 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// The authority, such as the Prefect.
    pub authority: String,
    /// Days from notification.
    pub term_days: u16,
}

/// An act after its term says so (L. 241/1990 art. 2 c. 9-quinquies).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateStatement {
    /// The last day of the term.
    pub due_on: Date,
    /// How many days after it.
    pub days_late: u32,
}

/// An act was proposed to who decides (L. 241/1990 art. 6 c. 1 lett. e).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalMade {
    /// Identifies the proposal.
    pub proposal: EntryId,
    /// Who proposes.
    pub by: OfficerId,
    /// What is proposed.
    pub outcome: Tenor,
    /// Why.
    pub reasons: Personal<String>,
    /// The day; the decision on a permit is due from it. Absent in early histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_on: Option<Date>,
}

/// A proposal was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalWithdrawn {
    /// Which proposal.
    pub proposal: EntryId,
    /// Why.
    pub reason: Personal<String>,
}

/// The applicant gave up the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The legal day.
    pub withdrawn_on: Date,
    /// What the applicant wrote, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<String>>,
    /// Whether an effect that had begun provisionally has to be undone.
    pub undoes_provisional_effect: bool,
}

/// The grounds on which the law has a closed case open again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReopeningGround {
    /// A court annulled the final act.
    JudicialAnnulment,
    /// The superior authority upheld an administrative appeal.
    AppealUpheld,
    /// The comune annulled its own act (L. 241/1990 art. 21-nonies).
    OwnAnnulment,
}

/// A closed case is open again. Its terms start anew from this day (the old clock stays on record).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopened {
    /// The ground.
    pub ground: ReopeningGround,
    /// The judgement or act.
    pub reference: Personal<String>,
    /// The day from which the terms run again.
    pub reopened_on: Date,
    /// The terms that start anew.
    pub restarts: Vec<TermKey>,
}

/// A term stopped running (L. 241/1990 art. 2 c. 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermSuspended {
    /// Which term.
    pub term: TermKey,
    /// Identifies the suspension.
    pub suspension: EntryId,
    /// The day it stopped.
    pub suspended_on: Date,
    /// The most days it may stay suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_days: Option<u16>,
    /// Why.
    pub reason: Personal<String>,
    /// The article it rests on.
    pub basis: String,
}

/// A suspended term runs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermResumed {
    /// Which term.
    pub term: TermKey,
    /// Which suspension ended.
    pub suspension: EntryId,
    /// The day it ended.
    pub resumed_on: Date,
}

/// A term was lengthened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermExtended {
    /// Which term.
    pub term: TermKey,
    /// Identifies the extension.
    pub extension: EntryId,
    /// By how much.
    pub by: Length,
    /// Why.
    pub reason: Personal<String>,
    /// The article it rests on.
    pub basis: String,
}

/// A term ran out and the law attaches nothing to it but attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermExpired {
    /// Which term.
    pub term: TermKey,
    /// Its last day.
    pub due_on: Date,
    /// The first instant after it.
    pub legal_at: Timestamp,
}
