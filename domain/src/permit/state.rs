//! What a permit's events fold to: the application, and the title once there is one.
//!
//! The stage is derived from facts and never stored: safeguards, a notice and a conference may
//! stand at the same time, and the one that holds the case up most names the stage.

mod clocks;
mod conference;
mod title;

pub(crate) use clocks::{opinion_rule, run_clocks};
pub use conference::{Conference, Invited};
pub use title::{Contribution, Control, Extension, Instalment, Title, Works};

use super::events::{
    Constraint, Content, Controlled, Event, Kind, OpinionKind, RefusalEffect, SilenceOfBody, Site,
};
use crate::case::{self, CaseFile, ClockEffect, OBSERVATIONS_RULE, RequestState, Tenor, TermKey};
use crate::event::Event as AnyEvent;
use crate::ids::{EntryId, OfficerId, SubjectId};
use crate::people::Personal;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// What another body was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// On which article.
    pub kind: OpinionKind,
    /// Whether the body is sensitive.
    pub sensitive: bool,
    /// Whether it is asked on a permit of art. 36-bis: a sensitive body then has longer.
    pub on_regularisation: bool,
    /// The day it was asked.
    pub requested_on: Date,
    /// When it asked for more, and got it.
    pub interrupted: Option<(Date, Option<Date>)>,
    /// The day it answered.
    pub received_on: Option<Date>,
    /// What it said; nothing that came after an assent by silence counts.
    pub tenor: Option<Tenor>,
    /// What its silence brought.
    pub lapsed: Option<SilenceOfBody>,
}

impl Opinion {
    /// Whether the body assents, in words or by silence.
    pub fn is_assent(&self) -> bool {
        match self.lapsed {
            Some(SilenceOfBody::Assent) => true,
            _ => self.tenor == Some(Tenor::Favourable),
        }
    }
}

/// What an application folds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The kind.
    pub kind: Kind,
    /// The content as filed.
    pub content: Content,
    /// The constraints in force: declared, or established since.
    pub constraints: BTreeSet<Constraint>,
    /// Whether the authorisations they need are held.
    pub authorisations_held: bool,
    /// Whether the terms are doubled.
    pub complex: bool,
    /// The request for minor changes that the applicant agreed to, and has not filed yet.
    pub changes_agreed: Option<EntryId>,
    /// Requests for minor changes that were answered.
    pub changes_answered: BTreeSet<EntryId>,
    /// Safeguard measures: identity, day, whether they still hold.
    pub safeguards: Vec<(EntryId, Date, bool)>,
    /// What other bodies were asked.
    pub opinions: BTreeMap<EntryId, Opinion>,
    /// The rounds of the conferenza.
    pub conferences: Vec<Conference>,
    /// The day of the standing proposal.
    pub proposed_on: Option<Date>,
    /// Requests for an attestation; answered or not.
    pub attestations: BTreeMap<EntryId, bool>,
    /// The substitute, once invoked.
    pub substitute: Option<OfficerId>,
    /// Who contested the decision, and when.
    pub contests: BTreeMap<EntryId, Date>,
    /// A refusal that came after silence and changed nothing.
    pub late_refusal_on: Option<Date>,
}

impl Application {
    fn filed(kind: Kind, content: Content) -> Application {
        Application {
            kind,
            constraints: content.constraints.clone(),
            authorisations_held: content.authorisations_held,
            content,
            complex: false,
            changes_agreed: None,
            changes_answered: BTreeSet::new(),
            safeguards: Vec::new(),
            opinions: BTreeMap::new(),
            conferences: Vec::new(),
            proposed_on: None,
            attestations: BTreeMap::new(),
            substitute: None,
            contests: BTreeMap::new(),
            late_refusal_on: None,
        }
    }

    /// The conference that is under way.
    pub fn conference(&self) -> Option<&Conference> {
        self.conferences.last().filter(|c| c.concluded.is_none())
    }

    /// The safeguards that hold.
    pub fn safeguarded(&self) -> Option<(EntryId, Date)> {
        self.safeguards.iter().find(|s| s.2).map(|s| (s.0, s.1))
    }

    /// Whether a conference keeps silence from granting.
    pub fn silence_is_off(&self) -> bool {
        self.conferences.iter().any(|c| c.keeps_silence_off)
    }
}

/// Where a permit case stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// The case was opened and says nothing yet.
    #[default]
    NotFiled,
    /// The application awaits its end.
    Pending(Application),
    /// There is a title.
    Titled(Application, Title),
    /// The application ended without a title.
    Ended(Application),
    /// A notice of works, under control or after it.
    Notice(Application, Control),
    /// A communication of works: recorded, nothing to decide.
    Communicated(Application),
}

/// The stage, in the words of views.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum Stage {
    NotFiled,
    UnderReview,
    AwaitingAdditions,
    AdditionsMissing,
    AwaitingChanges,
    SuspendedBySafeguards,
    InConference,
    NoticePending,
    ObservationWindow,
    Proposed,
    Granted,
    GrantedBySilence,
    EffectSuspended,
    InWorks,
    Finished,
    UsabilityControl,
    Usable,
    Lapsed,
    Annulled,
    Ended,
    UnderControl,
    ConformationOrdered,
    Communicated,
}

impl Stage {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::NotFiled => "not_opened",
            Stage::UnderReview => "under_review",
            Stage::AwaitingAdditions => "awaiting_additions",
            Stage::AdditionsMissing => "additions_missing",
            Stage::AwaitingChanges => "awaiting_changes",
            Stage::SuspendedBySafeguards => "suspended_by_safeguards",
            Stage::InConference => "in_conference",
            Stage::NoticePending => "notice_pending",
            Stage::ObservationWindow => "observation_window",
            Stage::Proposed => "proposed",
            Stage::Granted => "granted",
            Stage::GrantedBySilence => "granted_by_silence",
            Stage::EffectSuspended => "effect_suspended",
            Stage::InWorks => "in_works",
            Stage::Finished => "finished",
            Stage::UsabilityControl => "usability_control",
            Stage::Usable => "usable",
            Stage::Lapsed => "lapsed",
            Stage::Annulled => "annulled",
            Stage::Ended => "ended",
            Stage::UnderControl => "under_control",
            Stage::ConformationOrdered => "conformation_ordered",
            Stage::Communicated => "communicated",
        }
    }
}

impl State {
    /// A history of an older system: an application whose content is not known here.
    pub fn imported() -> State {
        let nobody = SubjectId(uuid::Uuid::nil());
        State::Pending(Application::filed(
            Kind::NewConstruction,
            Content {
                entitlement: None,
                drawings: false,
                asseveration: false,
                designer: None,
                works: Personal::new(nobody, String::new()),
                site: Personal::new(nobody, Site::default()),
                constraints: BTreeSet::new(),
                authorisations_held: false,
                assents_needed: Vec::new(),
            },
        ))
    }

    /// What the application folds to, once filed.
    pub fn application(&self) -> Option<&Application> {
        match self {
            State::NotFiled => None,
            State::Pending(a)
            | State::Titled(a, _)
            | State::Ended(a)
            | State::Notice(a, _)
            | State::Communicated(a) => Some(a),
        }
    }

    fn application_mut(&mut self) -> Option<&mut Application> {
        match self {
            State::NotFiled => None,
            State::Pending(a)
            | State::Titled(a, _)
            | State::Ended(a)
            | State::Notice(a, _)
            | State::Communicated(a) => Some(a),
        }
    }

    /// The title, once there is one.
    pub fn title(&self) -> Option<&Title> {
        match self {
            State::Titled(_, title) => Some(title),
            _ => None,
        }
    }

    /// What is controlled after the fact, if anything.
    pub fn control(&self) -> Option<(Controlled, &Control)> {
        match self {
            State::Notice(_, control) => Some((Controlled::Notice, control)),
            State::Titled(_, title) => Some((Controlled::Usability, title.control.as_ref()?)),
            _ => None,
        }
    }

    /// The stage, with what the common file says of requests and notices.
    pub fn stage(&self, file: &CaseFile) -> Stage {
        match self {
            State::NotFiled => Stage::NotFiled,
            State::Pending(a) => pending_stage(a, file),
            State::Titled(_, title) => title.stage(),
            State::Ended(_) => Stage::Ended,
            State::Notice(_, control) => control.stage(),
            State::Communicated(_) => Stage::Communicated,
        }
    }
}

fn pending_stage(a: &Application, file: &CaseFile) -> Stage {
    if a.safeguarded().is_some() {
        return Stage::SuspendedBySafeguards;
    }
    if let Some(stage) = notice_stage(file) {
        return stage;
    }
    for request in file.requests.values() {
        match (&request.clock, request.state) {
            (ClockEffect::Interrupts { .. }, RequestState::Open) => {
                return Stage::AwaitingAdditions;
            }
            (ClockEffect::Interrupts { .. }, RequestState::Lapsed) => {
                return Stage::AdditionsMissing;
            }
            (ClockEffect::Suspends { .. }, RequestState::Open) => return Stage::AwaitingChanges,
            _ => {}
        }
    }
    if a.conference().is_some() {
        Stage::InConference
    } else if a.proposed_on.is_some() {
        Stage::Proposed
    } else {
        Stage::UnderReview
    }
}

/// The stage of a notice that was neither answered nor let pass.
fn notice_stage(file: &CaseFile) -> Option<Stage> {
    let notice = file.terms.last_notice()?;
    // The notice of a round that was closed and opened again holds nothing up.
    if notice.observed.is_some() || !file.reopenings.is_empty() {
        return None;
    }
    if notice.received.is_none() {
        return Some(Stage::NoticePending);
    }
    let window = TermKey::instance(OBSERVATIONS_RULE, notice.notice);
    file.terms.expired_for(&window).is_none().then_some(Stage::ObservationWindow)
}

/// Folds one event, common or own, into the state.
#[must_use]
pub fn evolve(state: State, event: &AnyEvent) -> State {
    match event {
        AnyEvent::Permit(own) => evolve_own(state, own),
        AnyEvent::Case(common) => evolve_common(state, common),
        _ => state,
    }
}

fn evolve_common(mut state: State, event: &case::Event) -> State {
    match event {
        case::Event::Withdrawn(_) => {
            return match state {
                State::Pending(a) | State::Notice(a, _) => State::Ended(a),
                other => other,
            };
        }
        case::Event::Reopened(_) => {
            return match state {
                State::Ended(mut a) => {
                    a.proposed_on = None;
                    State::Pending(a)
                }
                other => other,
            };
        }
        _ => {}
    }
    let Some(a) = state.application_mut() else { return state };
    match event {
        case::Event::TermExpired(e) if e.term.rule().as_str() == super::OPPOSITION => {
            // Nobody opposed in time: the determination has its effect.
            if let State::Titled(_, title) = &mut state
                && title.opposed.is_none()
            {
                title.effect_suspended = false;
            }
        }
        case::Event::ProposalMade(e) => a.proposed_on = e.made_on,
        case::Event::ProposalWithdrawn(_) => a.proposed_on = None,
        case::Event::RequestAnswered(case::RequestAnswered { request, .. })
        | case::Event::RequestLapsed(case::RequestLapsed { request, .. })
        | case::Event::RequestCancelled(case::RequestCancelled { request, .. })
            if a.changes_agreed == Some(*request) =>
        {
            a.changes_agreed = None;
        }
        _ => {}
    }
    state
}

fn evolve_own(state: State, event: &Event) -> State {
    match (state, event) {
        (State::NotFiled, Event::Filed(e)) => {
            let application = Application::filed(e.kind, e.content.clone());
            match e.kind {
                Kind::Notice => State::Notice(application, Control::default()),
                Kind::Communication => State::Communicated(application),
                _ => State::Pending(application),
            }
        }
        (State::Pending(a), Event::Issued(e)) => {
            let suspended = a
                .conferences
                .last()
                .is_some_and(|c| e.conference == Some(c.conference) && !c.may_oppose.is_empty());
            State::Titled(a, Title::granted(e.issued_on, false, suspended))
        }
        (State::Pending(a), Event::GrantedBySilence(e)) => {
            State::Titled(a, Title::granted(e.effective_on, true, false))
        }
        (State::Pending(a) | State::Titled(a, _), Event::Refused(e))
            if e.effect == RefusalEffect::Effective =>
        {
            State::Ended(a)
        }
        (State::Titled(mut a, title), Event::Refused(e)) => {
            a.late_refusal_on = Some(e.refused_on);
            State::Titled(a, title)
        }
        (State::Pending(a), Event::FoundIrreceivable(_) | Event::Archived(_)) => State::Ended(a),
        (State::Notice(mut a, control), e) => {
            note(&mut a, e);
            State::Notice(a, control.advance(e))
        }
        (State::Titled(a, title), e) => {
            let mut state = State::Titled(a, title.advance(e));
            if let Some(a) = state.application_mut() {
                note(a, e);
            }
            state
        }
        (mut state, e) => {
            if let Some(a) = state.application_mut() {
                note(a, e);
            }
            state
        }
    }
}

/// What moves the application itself.
fn note(a: &mut Application, event: &Event) {
    match event {
        Event::DeclaredComplex(_) => a.complex = true,
        Event::ChangesAnswered(e) => {
            a.changes_answered.insert(e.request);
            a.changes_agreed = e.adheres.then_some(e.request);
        }
        Event::SafeguardsApplied(e) => a.safeguards.push((e.suspension, e.applied_on, true)),
        Event::SafeguardsEnded(e) => {
            for s in a.safeguards.iter_mut().filter(|s| s.0 == e.suspension) {
                s.2 = false;
            }
        }
        Event::ConstraintsRecorded(e) => {
            a.constraints.clone_from(&e.constraints);
            a.authorisations_held = e.authorisations_held;
        }
        Event::OpinionRequested(e) => {
            a.opinions.insert(
                e.opinion,
                Opinion {
                    kind: e.kind,
                    sensitive: e.sensitive,
                    on_regularisation: a.kind == Kind::Regularisation,
                    requested_on: e.requested_on,
                    interrupted: None,
                    received_on: None,
                    tenor: None,
                    lapsed: None,
                },
            );
        }
        Event::OpinionInterrupted(e) => {
            if let Some(o) = a.opinions.get_mut(&e.opinion) {
                o.interrupted = Some((e.asked_on, None));
            }
        }
        Event::OpinionResumed(e) => {
            if let Some(o) = a.opinions.get_mut(&e.opinion)
                && let Some((_, received)) = &mut o.interrupted
            {
                *received = Some(e.received_on);
            }
        }
        Event::OpinionReceived(e) => {
            if let Some(o) = a.opinions.get_mut(&e.opinion) {
                o.received_on = Some(e.received_on);
                o.tenor = Some(e.tenor);
            }
        }
        Event::OpinionLapsed(e) => {
            if let Some(o) = a.opinions.get_mut(&e.opinion) {
                o.lapsed = Some(e.effect);
            }
        }
        Event::AttestationRequested(e) => {
            a.attestations.insert(e.request, false);
        }
        Event::AttestationDenied(e) => {
            a.attestations.insert(e.request, true);
        }
        Event::SilenceAttested(e) if e.on_request => {
            a.attestations.values_mut().for_each(|answered| *answered = true);
        }
        Event::Contested(e) => {
            a.contests.insert(e.contest, e.contested_on);
        }
        Event::SubstituteInvoked(e) => a.substitute = Some(e.substitute.clone()),
        _ => conference::note(&mut a.conferences, event),
    }
}
