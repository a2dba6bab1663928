//! What the facts of an application fold to, and the clocks that they move.

use super::events::{Content, Event, Isee, LossGround, Pinned, Place, Standing};
use super::{OBSERVATIONS, OFFER, VACCINE_PROOF};
use crate::case::{self, CaseFile, TermKey};
use crate::event::Event as AnyEvent;
use crate::ids::{EntryId, SchoolId, SubjectId};
use crate::people::Personal;
use crate::ranking::Stage;
use crate::term::ClockOperation;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Where an open application stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Filed, to be checked.
    Filed,
    /// Takes part.
    Admitted,
    /// Has its points.
    Scored,
    /// Stands in the provisional ranking.
    RankedProvisionally,
    /// Stands in the definitive ranking, without an offer.
    WaitingList,
    /// Has an offer to answer.
    Offered,
    /// Has a place.
    Accepted,
    /// Attends.
    Attending,
    /// At an end.
    Ended,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 9] = [
        Phase::Filed,
        Phase::Admitted,
        Phase::Scored,
        Phase::RankedProvisionally,
        Phase::WaitingList,
        Phase::Offered,
        Phase::Accepted,
        Phase::Attending,
        Phase::Ended,
    ];

    /// The word in views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Filed => "filed",
            Phase::Admitted => "admitted",
            Phase::Scored => "scored",
            Phase::RankedProvisionally => "ranked_provisionally",
            Phase::WaitingList => "waiting_list",
            Phase::Offered => "offered",
            Phase::Accepted => "accepted",
            Phase::Attending => "attending",
            Phase::Ended => "ended",
        }
    }
}

/// Where an offer stands, as the family's case knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferStanding {
    /// Waiting for the family.
    Open,
    /// Accepted.
    Accepted,
    /// Renounced, lapsed, or dropped for another.
    Ended,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The school.
    pub school: SchoolId,
    /// The day.
    pub offered_on: Date,
    /// Where it stands.
    pub standing: OfferStanding,
}

/// An observation on the provisional ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// The day.
    pub filed_on: Date,
    /// Whether it was right, once answered.
    pub accepted: Option<bool>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// What of the call it was filed under.
    pub pinned: Pinned,
    /// The child.
    pub child: SubjectId,
    /// What is asked for.
    pub content: Content,
    /// The event that holds the statements.
    pub stated_at: u64,
    /// Whether it came after the window.
    pub late: bool,
    /// The ISEE on record.
    pub isee: Option<Personal<Isee>>,
    /// What the ranking reads.
    pub standing: Option<Personal<Standing>>,
    /// The places in the ranking published last, by ranking.
    pub ranked: Option<(EntryId, Stage, Vec<Place>)>,
    /// Observations.
    pub observations: BTreeMap<EntryId, Observation>,
    /// Offers.
    pub offers: BTreeMap<EntryId, Offer>,
    /// Whether the vaccines are in order, once known.
    pub vaccines_in_order: Option<bool>,
    /// The day of the list that says so.
    pub vaccines_stated_on: Option<Date>,
    /// Whether proof of vaccination was asked for, and whether it came.
    pub vaccine_proof: Option<bool>,
    /// The monthly fee with the version of the formula.
    pub fee: Option<(Personal<i64>, String)>,
    /// Why the place was lost, if it was.
    pub lost: Option<LossGround>,
}

/// Where the procedure stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// The case is open, nothing was filed.
    #[default]
    NotFiled,
    /// An application.
    Filed(Phase, Box<Application>),
}

impl State {
    /// The phase in words.
    pub fn phase(&self) -> &'static str {
        match self {
            State::NotFiled => "not_filed",
            State::Filed(phase, _) => phase.as_str(),
        }
    }

    /// The application, once filed.
    pub fn application(&self) -> Option<&Application> {
        match self {
            State::Filed(_, application) => Some(application),
            State::NotFiled => None,
        }
    }
}

/// Folds one event in. `revision` is the event's own.
#[must_use]
pub fn evolve(state: State, event: &AnyEvent, revision: u64) -> State {
    match (state, event) {
        (State::NotFiled, AnyEvent::Enrolment(Event::Filed(e))) => {
            let application = Application {
                pinned: e.pinned.clone(),
                child: e.child,
                content: e.content.clone(),
                stated_at: revision,
                late: e.late,
                isee: None,
                standing: None,
                ranked: None,
                observations: BTreeMap::new(),
                offers: BTreeMap::new(),
                vaccines_in_order: None,
                vaccines_stated_on: None,
                vaccine_proof: None,
                fee: None,
                lost: None,
            };
            State::Filed(Phase::Filed, Box::new(application))
        }
        (State::Filed(phase, application), AnyEvent::Enrolment(event)) => {
            advance(phase, application, event, revision)
        }
        (State::Filed(_, application), AnyEvent::Case(case::Event::Withdrawn(_))) => {
            State::Filed(Phase::Ended, application)
        }
        (state, _) => state,
    }
}

fn advance(phase: Phase, mut app: Box<Application>, event: &Event, revision: u64) -> State {
    let phase = match event {
        Event::Amended(e) => {
            app.content = e.content.clone();
            app.stated_at = revision;
            // What was checked was another content.
            Phase::Filed
        }
        Event::CompletedOnRequest(e) => {
            app.content.facts = e.facts.clone();
            app.stated_at = revision;
            phase
        }
        Event::Admitted(_) => Phase::Admitted,
        Event::IseeRecorded(e) => {
            app.isee = Some(e.isee.clone());
            phase
        }
        Event::Scored(e) => {
            app.standing = Some(e.standing.clone());
            Phase::Scored
        }
        Event::RankedIn(e) => {
            app.ranked = Some((e.ranking, e.stage, e.places.clone()));
            match e.stage {
                Stage::Provisional => Phase::RankedProvisionally,
                Stage::Definitive => Phase::WaitingList,
            }
        }
        Event::ObservationFiled(e) => {
            let observation = Observation { filed_on: e.filed_on, accepted: None };
            app.observations.insert(e.observation, observation);
            phase
        }
        Event::ObservationAnswered(e) => {
            if let Some(observation) = app.observations.get_mut(&e.observation) {
                observation.accepted = Some(e.accepted);
            }
            if let Some(corrected) = &e.corrected {
                app.standing = Some(corrected.clone());
            }
            phase
        }
        Event::Offered(e) => {
            let (school, offered_on) = (e.school.clone(), e.offered_on);
            let offer = Offer { school, offered_on, standing: OfferStanding::Open };
            app.offers.insert(e.offer, offer);
            Phase::Offered
        }
        Event::Accepted(e) => {
            end(&mut app, e.offer, OfferStanding::Accepted);
            Phase::Accepted
        }
        Event::OfferDropped(e) => {
            end(&mut app, e.offer, OfferStanding::Ended);
            phase
        }
        Event::Renounced(e) => {
            end(&mut app, e.offer, OfferStanding::Ended);
            waiting(&app, phase)
        }
        Event::OfferLapsed(e) => {
            end(&mut app, e.offer, OfferStanding::Ended);
            waiting(&app, phase)
        }
        Event::VaccinesRecorded(e) => {
            app.vaccines_in_order = Some(e.in_order.value);
            app.vaccines_stated_on = Some(e.stated_on);
            phase
        }
        Event::VaccineProofInvited(_) => {
            app.vaccine_proof = Some(false);
            phase
        }
        Event::VaccineProofFiled(_) => {
            app.vaccine_proof = Some(true);
            phase
        }
        Event::AttendanceStarted(_) => Phase::Attending,
        Event::FeeSet(e) => {
            app.fee = Some((e.monthly_cents.clone(), e.formula.clone()));
            phase
        }
        Event::PlaceLost(e) => {
            app.lost = Some(e.ground.value);
            Phase::Ended
        }
        Event::Excluded(_) | Event::PlaceLeft(_) | Event::YearFinished(_) => Phase::Ended,
        Event::Filed(_) => phase,
    };
    State::Filed(phase, app)
}

fn end(app: &mut Application, offer: EntryId, standing: OfferStanding) {
    if let Some(offer) = app.offers.get_mut(&offer) {
        offer.standing = standing;
    }
}

fn waiting(app: &Application, phase: Phase) -> Phase {
    let open = app.offers.values().any(|o| o.standing == OfferStanding::Open);
    if phase == Phase::Offered && !open { Phase::WaitingList } else { phase }
}

/// The clocks that the procedure's own events move.
pub(crate) fn run_clocks(file: &mut CaseFile, event: &AnyEvent) {
    let AnyEvent::Enrolment(event) = event else { return };
    let name = event.event_type();
    match event {
        Event::RankedIn(e) if e.observations_within.is_some() => {
            let on = e.published_on;
            let entry = file.entry(ClockOperation::Start { on }, name, "L. 241/1990 art. 10-bis");
            file.terms.start(TermKey::of(OBSERVATIONS), e.observations_within, entry);
        }
        Event::Offered(e) => {
            let operation = ClockOperation::Start { on: e.offered_on };
            let entry = file.entry(operation, name, "regulation of the comune");
            let key = TermKey::instance(OFFER, e.offer);
            file.terms.start(key, Some(e.answer_within), entry);
        }
        Event::Accepted(e) => stop(file, &TermKey::instance(OFFER, e.offer), e.accepted_on, name),
        Event::Renounced(e) => stop(file, &TermKey::instance(OFFER, e.offer), e.renounced_on, name),
        Event::OfferDropped(e) => {
            stop(file, &TermKey::instance(OFFER, e.offer), e.dropped_on, name);
        }
        Event::OfferLapsed(e) => {
            file.terms.mark_expired(&TermKey::instance(OFFER, e.offer), e.due_on);
        }
        Event::VaccineProofInvited(e) => {
            let operation = ClockOperation::Start { on: e.sent_on };
            let entry = file.entry(operation, name, "DL 73/2017 art. 3-bis c. 3");
            file.terms.start(TermKey::of(VACCINE_PROOF), Some(e.within), entry);
        }
        Event::VaccineProofFiled(e) => {
            stop(file, &TermKey::of(VACCINE_PROOF), e.filed_on, name);
        }
        Event::PlaceLost(e) if e.legal_at.is_some() => {
            file.terms.mark_expired(&TermKey::of(VACCINE_PROOF), e.lost_on);
        }
        _ => {}
    }
}

fn stop(file: &mut CaseFile, key: &TermKey, on: Date, name: &str) {
    let entry = file.entry(ClockOperation::Stop { on }, name, "");
    file.terms.push(key, entry);
}
