//! The case's file (*fascicolo*): what the facts of any procedure fold to.
//!
//! It keeps what later decisions need. Texts of notes and messages stay in the events.

use super::disposal::Disposal;
use super::events::{
    Channel, ClockEffect, Direction, Event, LinkKind, PartyRole, Procedure, ReopeningGround,
    RepresentationTitle, RequestKind, Tenor,
};
use super::terms::{CaseTerm, NoticeClock, OBSERVATIONS_RULE, TermKey, Terms};
use crate::ids::{CaseId, DocumentId, EntryId, OfficeId, OfficerId, ProtocolNumber, SubjectId};
use crate::people::{Person, Personal};
use crate::term::{ClockEntry, ClockOperation};
use jiff::{Timestamp, civil::Date};
use std::collections::{BTreeMap, BTreeSet};

/// The events of whose personal data the folded case keeps nothing: who folds may leave it sealed.
pub const LEFT_IN_EVENTS: [&str; 2] = ["case.note_added", "case.message_sent"];

/// What was fixed when the case was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The procedure.
    pub procedure: Procedure,
    /// The kind within the procedure.
    pub kind: String,
    /// The legal day of filing.
    pub filed_on: Date,
    /// The instant of receipt.
    pub filed_at: Timestamp,
    /// How it arrived.
    pub channel: Channel,
    /// The rules that the case pinned.
    pub rules_version: String,
    /// Reference in the system that an imported case comes from.
    pub reference: Option<String>,
}

/// How and when the case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The outcome, in the words of the procedure.
    pub outcome: &'static str,
    /// The legal day.
    pub closed_on: Date,
}

/// A person of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What they are to the case.
    pub role: PartyRole,
    /// Who they are.
    pub person: Personal<Person>,
    /// Their account, when known.
    pub account: Option<String>,
}

/// A power to act for a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    /// Who acts.
    pub agent: SubjectId,
    /// For whom.
    pub principal: SubjectId,
    /// On which title.
    pub title: RepresentationTitle,
    /// The document that proves it.
    pub evidence: Option<DocumentId>,
    /// Last day, if it ends.
    pub until: Option<Date>,
    /// Whether it was ended.
    pub ended: bool,
}

/// A document of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is.
    pub kind: String,
    /// Media type.
    pub media_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Which way it goes.
    pub direction: Direction,
    /// The legal day it was received or sent.
    pub dated_on: Date,
    /// Version, from 1.
    pub version: u32,
    /// The later version that took its place.
    pub replaced_by: Option<DocumentId>,
    /// The document it is an attachment of.
    pub attached_to: Option<DocumentId>,
    /// Its protocol number, once it has one.
    pub number: Option<ProtocolNumber>,
}

/// Where a request to the citizen stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestState {
    /// Waiting for the citizen.
    Open,
    /// Answered on this day.
    Answered(Date),
    /// The time to answer ran out.
    Lapsed,
    /// The office took it back.
    Cancelled,
}

/// A request to the citizen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub kind: RequestKind,
    /// The day it was sent.
    pub sent_on: Date,
    /// What it does to the terms.
    pub clock: ClockEffect,
    /// Where it stands.
    pub state: RequestState,
}

/// A proposal to who decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Identifies it.
    pub proposal: EntryId,
    /// Who proposed.
    pub by: OfficerId,
    /// What.
    pub outcome: Tenor,
}

/// What the common facts of a case fold to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseFile {
    /// How many events were folded; the next event's revision.
    pub events: u64,
    /// Set by the first event.
    pub opening: Option<Opening>,
    /// Set by the final act.
    pub closure: Option<Closure>,
    /// The office that has the case.
    pub office: Option<OfficeId>,
    /// The officer who has the case.
    pub officer: Option<OfficerId>,
    /// The responsible officer (L. 241/1990 art. 5).
    pub responsible: Option<OfficerId>,
    /// Officers who abstain.
    pub conflicts: BTreeSet<OfficerId>,
    /// The persons of the case.
    pub parties: BTreeMap<SubjectId, Party>,
    /// Who acts for whom.
    pub representations: BTreeMap<EntryId, Representation>,
    /// Notes and messages on record.
    pub entries: BTreeSet<EntryId>,
    /// Documents.
    pub documents: BTreeMap<DocumentId, Document>,
    /// Requests to the citizen.
    pub requests: BTreeMap<EntryId, Request>,
    /// Ties to other cases.
    pub links: BTreeSet<(CaseId, LinkKind)>,
    /// The standing proposal.
    pub proposal: Option<Proposal>,
    /// Suspensions that were declared (art. 2 c. 7), open or not.
    pub suspensions: BTreeMap<EntryId, (TermKey, bool)>,
    /// The day from which each of them holds its term up.
    pub suspended_on: BTreeMap<EntryId, Date>,
    /// Extensions that were given.
    pub extensions: BTreeSet<EntryId>,
    /// On which grounds, and by which judgement or act, the case was opened again.
    pub reopenings: Vec<(ReopeningGround, Personal<String>)>,
    /// Legal holds and erasure.
    pub disposal: Disposal,
    /// The clocks.
    pub terms: Terms,
}

impl CaseFile {
    /// The clock entry of the event being folded.
    pub(crate) fn entry(
        &self,
        operation: ClockOperation,
        event_type: &str,
        basis: &str,
    ) -> ClockEntry {
        ClockEntry {
            operation,
            event: self.events,
            event_type: event_type.to_owned(),
            basis: basis.to_owned(),
        }
    }

    /// The applicant, or the first one.
    pub fn applicant(&self) -> Option<(&SubjectId, &Party)> {
        self.parties.iter().find(|(_, p)| p.role == PartyRole::Applicant)
    }

    /// Whether the citizen is the one who has to act: an open request, or a notice to answer.
    pub fn waits_for_citizen(&self) -> bool {
        let asked = self.requests.values().any(|r| r.state == RequestState::Open);
        // A notice that still holds a term up, received, unanswered, its window not over.
        let noticed = self.terms.last_notice().is_some_and(|n| {
            let window = TermKey::instance(OBSERVATIONS_RULE, n.notice);
            !n.suspends.is_empty()
                && n.received.is_some()
                && n.observed.is_none()
                && self.terms.expired_for(&window).is_none()
        });
        self.closure.is_none() && (asked || noticed)
    }

    /// Whether an account belongs to a party or to somebody who acts for one on `today`.
    pub fn account_takes_part(&self, account: &str, today: Date) -> bool {
        self.parties.iter().any(|(subject, party)| {
            party.account.as_deref() == Some(account)
                && match party.role {
                    PartyRole::Representative => self.representations.values().any(|r| {
                        r.agent == *subject && !r.ended && r.until.is_none_or(|u| today <= u)
                    }),
                    _ => true,
                }
        })
    }

    /// Folds a common fact in. The counter of events is moved by the caller.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.disposal.apply(event);
        match event {
            Event::Opened(e) => {
                self.opening = Some(Opening {
                    procedure: e.procedure,
                    kind: e.kind.clone(),
                    filed_on: e.filed_on,
                    filed_at: e.filed_at,
                    channel: e.channel,
                    rules_version: e.rules_version.clone(),
                    reference: e.reference.clone(),
                });
                self.office = Some(e.office.clone());
            }
            Event::PartyAdded(e) => {
                let party =
                    Party { role: e.role, person: e.person.clone(), account: e.account.clone() };
                self.parties.insert(e.subject, party);
            }
            Event::RepresentationGranted(e) => {
                let power = Representation {
                    agent: e.agent,
                    principal: e.principal,
                    title: e.title,
                    evidence: e.evidence,
                    until: e.until,
                    ended: false,
                };
                self.representations.insert(e.representation, power);
            }
            Event::RepresentationEnded(e) => {
                if let Some(r) = self.representations.get_mut(&e.representation) {
                    r.ended = true;
                }
            }
            Event::Assigned(e) => {
                self.office = Some(e.office.clone());
                self.officer.clone_from(&e.officer);
            }
            Event::ResponsibleNamed(e) => self.responsible = Some(e.officer.clone()),
            Event::ConflictDeclared(e) => {
                self.conflicts.insert(e.officer.clone());
                for role in [&mut self.officer, &mut self.responsible] {
                    if role.as_ref() == Some(&e.officer) {
                        *role = None;
                    }
                }
            }
            Event::NoteAdded(e) => {
                self.entries.insert(e.note);
            }
            Event::MessageSent(e) => {
                self.entries.insert(e.message);
            }
            Event::DocumentAdded(e) => {
                if let Some(old) = e.replaces.and_then(|id| self.documents.get_mut(&id)) {
                    old.replaced_by = Some(e.document);
                }
                let document = Document {
                    kind: e.kind.clone(),
                    media_type: e.media_type.clone(),
                    size_bytes: e.size_bytes,
                    sha256: e.sha256.clone(),
                    direction: e.direction,
                    dated_on: e.dated_on,
                    version: e.version,
                    replaced_by: None,
                    attached_to: e.attached_to,
                    number: None,
                };
                self.documents.insert(e.document, document);
            }
            Event::DocumentRegistered(e) => {
                if let Some(document) = self.documents.get_mut(&e.document) {
                    document.number = Some(e.number);
                }
            }
            Event::Linked(e) => {
                self.links.insert((e.other, e.kind));
            }
            Event::ProposalMade(e) => {
                self.proposal =
                    Some(Proposal { proposal: e.proposal, by: e.by.clone(), outcome: e.outcome });
            }
            Event::ProposalWithdrawn(_) => self.proposal = None,
            Event::Withdrawn(e) => {
                self.closure = Some(Closure { outcome: "withdrawn", closed_on: e.withdrawn_on });
            }
            Event::RequestSent(_)
            | Event::RequestAnswered(_)
            | Event::RequestLapsed(_)
            | Event::RequestCancelled(_) => self.apply_request(event),
            Event::NoticeSent(_) | Event::NoticeReceived(_) | Event::ObservationsFiled(_) => {
                self.apply_notice(event);
            }
            Event::Reopened(_)
            | Event::TermSuspended(_)
            | Event::TermResumed(_)
            | Event::TermExtended(_)
            | Event::TermExpired(_) => self.apply_term(event),
            Event::HoldPlaced(_)
            | Event::HoldLifted(_)
            | Event::ErasureProposed(_)
            | Event::ErasureAuthorised(_)
            | Event::Erased(_) => {}
        }
    }

    fn apply_request(&mut self, event: &Event) {
        let name = event.event_type();
        match event {
            Event::RequestSent(e) => {
                let key = format!("request#{}", e.request);
                let own = TermKey::instance("case.additions", e.request);
                let start = self.entry(ClockOperation::Start { on: e.sent_on }, name, &e.basis);
                self.terms.start(own, Some(e.answer_within), start);
                let (term, operation) = match &e.clock {
                    ClockEffect::None => (None, None),
                    ClockEffect::Suspends { term, cap_days } => (
                        Some(term),
                        Some(ClockOperation::Suspend { key, on: e.sent_on, cap_days: *cap_days }),
                    ),
                    ClockEffect::Interrupts { term } => {
                        (Some(term), Some(ClockOperation::Interrupt { key, on: e.sent_on }))
                    }
                };
                if let (Some(term), Some(operation)) = (term, operation) {
                    let entry = self.entry(operation, name, &e.basis);
                    self.terms.push(term, entry);
                }
                let request = Request {
                    kind: e.kind,
                    sent_on: e.sent_on,
                    clock: e.clock.clone(),
                    state: RequestState::Open,
                };
                self.requests.insert(e.request, request);
            }
            Event::RequestAnswered(e) => {
                self.end_request(
                    e.request,
                    RequestState::Answered(e.answered_on),
                    e.answered_on,
                    name,
                );
            }
            Event::RequestCancelled(e) => {
                self.end_request(e.request, RequestState::Cancelled, e.cancelled_on, name);
            }
            Event::RequestLapsed(e) => {
                self.end_request(e.request, RequestState::Lapsed, e.due_on, name);
            }
            _ => {}
        }
    }

    /// Ends a request: its own clock stops, and a clock that it held runs again. A request that
    /// interrupted and lapsed leaves the term waiting: what follows is for the procedure to say.
    /// An answer after the lapse finds the suspension over, and does not lengthen it afterwards.
    fn end_request(&mut self, request: EntryId, state: RequestState, on: Date, name: &str) {
        let Some(clock) = self.requests.get_mut(&request).map(|r| {
            r.state = state;
            r.clock.clone()
        }) else {
            return;
        };
        let own = TermKey::instance("case.additions", request);
        let stop = self.entry(ClockOperation::Stop { on }, name, "");
        self.terms.push(&own, stop);
        let key = format!("request#{request}");
        let again = match clock {
            ClockEffect::Suspends { term, .. }
                if self.terms.resumption(&term, &key).is_some_and(|earlier| earlier <= on) =>
            {
                None
            }
            ClockEffect::Suspends { term, .. } => Some((term, ClockOperation::Resume { key, on })),
            ClockEffect::Interrupts { term } if state != RequestState::Lapsed => {
                Some((term, ClockOperation::Restart { key, on }))
            }
            ClockEffect::Interrupts { .. } | ClockEffect::None => None,
        };
        if let Some((term, operation)) = again {
            let entry = self.entry(operation, name, "");
            self.terms.push(&term, entry);
        }
    }

    fn apply_notice(&mut self, event: &Event) {
        let name = event.event_type();
        let basis = "L. 241/1990 art. 10-bis";
        match event {
            Event::NoticeSent(e) => self.terms.notice_sent(NoticeClock {
                notice: e.notice,
                suspends: e.suspends.clone(),
                stops_at: e.stops_at,
                sent: (e.sent_on, self.events),
                received: None,
                observed: None,
            }),
            Event::NoticeReceived(e) => {
                self.terms.notice_received(e.notice, e.received_on, self.events);
                let window = TermKey::instance(OBSERVATIONS_RULE, e.notice);
                let start = self.entry(ClockOperation::Start { on: e.received_on }, name, basis);
                self.terms.start(window.clone(), None, start);
                // Observations may be on record before the receipt of the notice is.
                if let Some((on, _)) = self.terms.last_notice().and_then(|n| n.observed) {
                    let stop = self.entry(ClockOperation::Stop { on }, name, basis);
                    self.terms.push(&window, stop);
                }
            }
            Event::ObservationsFiled(e) => {
                self.entries.insert(e.observations);
                self.terms.observations_filed(e.notice, e.filed_on, self.events);
                let window = TermKey::instance(OBSERVATIONS_RULE, e.notice);
                let stop = self.entry(ClockOperation::Stop { on: e.filed_on }, name, basis);
                self.terms.push(&window, stop);
            }
            _ => {}
        }
    }

    fn apply_term(&mut self, event: &Event) {
        let name = event.event_type();
        match event {
            Event::TermSuspended(e) => {
                self.suspensions.insert(e.suspension, (e.term.clone(), true));
                self.suspended_on.insert(e.suspension, e.suspended_on);
                let operation = ClockOperation::Suspend {
                    key: e.suspension.to_string(),
                    on: e.suspended_on,
                    cap_days: e.cap_days,
                };
                let entry = self.entry(operation, name, &e.basis);
                self.terms.push(&e.term, entry);
            }
            Event::TermResumed(e) => {
                if let Some((_, open)) = self.suspensions.get_mut(&e.suspension) {
                    *open = false;
                }
                let operation =
                    ClockOperation::Resume { key: e.suspension.to_string(), on: e.resumed_on };
                let entry = self.entry(operation, name, "");
                self.terms.push(&e.term, entry);
            }
            Event::TermExtended(e) => {
                self.extensions.insert(e.extension);
                let operation = ClockOperation::Extend { key: e.extension.to_string(), by: e.by };
                let entry = self.entry(operation, name, &e.basis);
                self.terms.push(&e.term, entry);
            }
            Event::TermExpired(e) => self.terms.mark_expired(&e.term, e.due_on),
            Event::Reopened(e) => {
                self.closure = None;
                self.proposal = None;
                self.reopenings.push((e.ground, e.reference.clone()));
                // The notice of the closed round has had its effect: it does not hold up the new
                // term.
                self.terms.notices_leave(&e.restarts);
                for term in &e.restarts {
                    let start = self.entry(ClockOperation::Start { on: e.reopened_on }, name, "");
                    self.terms.restart(term.clone(), start);
                }
            }
            _ => {}
        }
    }
}

impl Terms {
    /// Puts a new clock in the place of one that ended: a reopened case has a new term, and the
    /// old one stays readable in the events.
    pub(crate) fn restart(&mut self, key: TermKey, entry: ClockEntry) {
        let rule = key.rule();
        self.replace(
            key,
            CaseTerm { clock: crate::term::TermClock::new(rule, entry), expired_for: None },
        );
    }
}
