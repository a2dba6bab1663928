//! What crosses between a call and its applications: pure reactions to events. The shell delivers
//! them at least once; whatever they ask for is recorded once.

use super::call::{self, Call, Settlement};
use super::enrolment::{self, Command as OfCase, Place};
use crate::case::{self, Command as Common, LinkKind};
use crate::decider::{Case, Command, ProcedureState};
use crate::event::Event;
use crate::ids::{CallId, CaseId, EntryId};
use crate::ranking::Stage;

/// What an event asks of another stream.
#[expect(clippy::large_enum_variant, reason = "reactions are few and short-lived")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Of an application.
    Case(CaseId, Box<Command>),
    /// Of an application; if it can no longer take the offer, the call settles it as unavailable.
    Offer(CaseId, EntryId, Box<Command>),
    /// Of a call.
    Call(CallId, call::Command),
}

/// What an event of a call asks for: places in the ranking, offers, the end of the year.
pub fn of_call(call: &Call, event: &call::Event) -> Vec<Reaction> {
    match event {
        call::Event::RankingPublished(e) => ranks(call, e.stage),
        call::Event::RankingBecameDefinitive(_) => ranks(call, Stage::Definitive),
        call::Event::PlaceOffered(e) => {
            let command = OfCase::ReceiveOffer {
                offer: e.offer,
                school: e.list.school.clone(),
                offered_on: e.offered_on,
                answer_within: e.answer_within,
            };
            vec![Reaction::Offer(e.application, e.offer, Box::new(command.into()))]
        }
        call::Event::CallClosed(e) => {
            let Some(ranking) = call.ranking() else { return Vec::new() };
            let finish = || OfCase::Finish { ended_on: e.ended_on };
            let still = |id: &CaseId| !call.scroll.out.contains(id);
            ranking
                .input
                .applications()
                .iter()
                .map(|a| a.id)
                .filter(still)
                .map(|id| Reaction::Case(id, Box::new(finish().into())))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Each application learns its places.
fn ranks(call: &Call, stage: Stage) -> Vec<Reaction> {
    let published = match stage {
        Stage::Provisional => call.provisional.as_ref(),
        Stage::Definitive => call.definitive.as_ref(),
    };
    let Some(published) = published else { return Vec::new() };
    let Some(document) = &published.document else { return Vec::new() };
    let mut places: Vec<Vec<Place>> = vec![Vec::new(); document.input.applications().len()];
    for (list, rows) in document.input.lists().iter().zip(&document.ranking.orders) {
        let of = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        for (rank, row) in (1..).zip(rows) {
            places[row.application as usize].push(Place { list: list.id.clone(), rank, of });
        }
    }
    let facts = &published.facts;
    document
        .input
        .applications()
        .iter()
        .zip(places)
        .map(|(application, places)| {
            let command = OfCase::RecordRank {
                ranking: facts.ranking,
                stage,
                published_on: facts.published_on,
                places,
                observations_within: facts
                    .observations_within
                    .filter(|_| stage == Stage::Provisional),
            };
            Reaction::Case(application.id, Box::new(command.into()))
        })
        .collect()
}

/// What an event of an application asks for: its offer settled, its place freed, its twin told.
pub fn of_case(case_id: CaseId, case: &Case, event: &Event) -> Vec<Reaction> {
    let ProcedureState::Enrolment(state) = &case.procedure else { return Vec::new() };
    let Some(application) = state.application() else { return Vec::new() };
    let call = application.pinned.call;
    let settle =
        |offer, outcome| vec![Reaction::Call(call, call::Command::Settle { offer, outcome })];
    let release = || vec![Reaction::Call(call, call::Command::Release { application: case_id })];
    use enrolment::Event as E;
    match event {
        Event::Enrolment(E::Accepted(e)) => settle(e.offer, Settlement::Accepted),
        Event::Enrolment(E::Renounced(e)) => settle(e.offer, Settlement::Renounced),
        Event::Enrolment(E::OfferLapsed(e)) => settle(e.offer, Settlement::Lapsed),
        Event::Enrolment(E::OfferDropped(e)) => settle(e.offer, Settlement::Dropped),
        Event::Enrolment(E::Excluded(_) | E::PlaceLeft(_) | E::PlaceLost(_))
        | Event::Case(case::Event::Withdrawn(_)) => release(),
        Event::Enrolment(E::Filed(e)) => siblings(case_id, &e.content),
        Event::Enrolment(E::Amended(e)) => siblings(case_id, &e.content),
        _ => Vec::new(),
    }
}

/// The other case learns of the tie.
fn siblings(case_id: CaseId, content: &enrolment::Content) -> Vec<Reaction> {
    let others = content.twins.iter().chain(&content.siblings);
    others
        .map(|other| {
            let link = Common::Link { other: case_id, kind: LinkKind::Siblings };
            Reaction::Case(*other, Box::new(link.into()))
        })
        .collect()
}
