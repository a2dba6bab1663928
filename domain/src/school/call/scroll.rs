//! Whose each place is: offers, acceptances, who is next. One fold decides who gets what becomes
//! free, so that no place is offered twice whatever arrives at once.

use super::events::{Plan, Settlement};
use crate::ids::{CaseId, EntryId};
use crate::ranking::{Document, ListId};
use std::collections::{BTreeMap, BTreeSet};

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferState {
    /// Waiting for the family.
    Open,
    /// It came to this end.
    Settled(Settlement),
    /// The application left the lists.
    Released,
}

/// An offer as the call keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose.
    pub application: CaseId,
    /// In which list.
    pub list: ListId,
    /// The group that the place is kept for.
    pub reserve: Option<String>,
    /// Where it stands.
    pub state: OfferState,
}

impl Held {
    /// Whether it keeps a place from others.
    pub fn keeps_a_place(&self) -> bool {
        matches!(self.state, OfferState::Open | OfferState::Settled(Settlement::Accepted))
    }
}

/// An offer that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub application: CaseId,
    pub list: ListId,
    pub reserve: Option<String>,
    /// The place in the list, from 1.
    pub rank: u32,
}

/// Places, offers and who waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scroll {
    /// Places now, by list.
    pub places: BTreeMap<ListId, u32>,
    /// Every offer made.
    pub offers: BTreeMap<EntryId, Held>,
    /// Who holds a place.
    pub accepted: BTreeMap<CaseId, EntryId>,
    /// Who left the lists.
    pub out: BTreeSet<CaseId>,
    /// Who renounced which list.
    pub given_up: BTreeSet<(CaseId, ListId)>,
    by_application: BTreeMap<CaseId, Vec<EntryId>>,
    by_list: BTreeMap<ListId, Vec<EntryId>>,
}

impl Scroll {
    /// The places as the plan has them.
    pub(super) fn of(plan: &Plan) -> Scroll {
        let places = plan.lists().map(|(list, places)| (list, places.places)).collect();
        Scroll { places, ..Scroll::default() }
    }

    /// Whether an application waits in a list: nothing accepted, not renounced there, not out, no
    /// open offer there or in a list that it prefers.
    pub fn waits(&self, document: &Document, application: CaseId, list: &ListId) -> bool {
        if self.out.contains(&application)
            || self.accepted.contains_key(&application)
            || self.given_up.contains(&(application, list.clone()))
        {
            return false;
        }
        let Some(place) = document.input.find(application) else { return false };
        let choices = &document.input.applications()[place].choices;
        let choice = |list: &ListId| {
            let index = document.input.find_list(list)?;
            choices.iter().position(|c| c.list as usize == index)
        };
        let Some(wanted) = choice(list) else { return false };
        !self
            .offers_to(application)
            .any(|o| o.state == OfferState::Open && choice(&o.list).is_some_and(|c| c <= wanted))
    }

    /// The offers that an application was made, oldest first.
    pub fn offers_to(&self, application: CaseId) -> impl Iterator<Item = &Held> {
        let made = self.by_application.get(&application).map(Vec::as_slice).unwrap_or_default();
        made.iter().filter_map(|offer| self.offers.get(offer))
    }

    /// Who waits in a list, the first in line first, with the place in the list.
    pub fn line<'a>(
        &'a self,
        document: &'a Document,
        list: &'a ListId,
    ) -> impl Iterator<Item = (u32, CaseId)> + 'a {
        let rows = document.input.find_list(list).map(|n| document.ranking.orders[n].as_slice());
        (1..)
            .zip(rows.unwrap_or_default())
            .map(|(rank, row)| (rank, document.input.applications()[row.application as usize].id))
            .filter(move |(_, id)| self.waits(document, *id, list))
    }

    /// How many places of a list are neither taken nor offered.
    pub fn free(&self, list: &ListId) -> u32 {
        let places = self.places.get(list).copied().unwrap_or(0);
        places.saturating_sub(self.kept(list, None))
    }

    /// How many places of a list are taken or offered; of one group only, if it is named.
    pub(super) fn kept(&self, list: &ListId, group: Option<&str>) -> u32 {
        let made = self.by_list.get(list).map(Vec::as_slice).unwrap_or_default();
        let kept = made
            .iter()
            .filter_map(|offer| self.offers.get(offer))
            .filter(|o| o.keeps_a_place() && group.is_none_or(|g| o.reserve.as_deref() == Some(g)));
        u32::try_from(kept.count()).unwrap_or(u32::MAX)
    }

    /// The offers of the first round: the places as the ranking assigned them.
    pub(super) fn first_round(&self, document: &Document) -> Vec<Due> {
        let mut due = Vec::new();
        for (application, seat) in document.input.applications().iter().zip(&document.ranking.seats)
        {
            let Some(seat) = seat else { continue };
            let list = &document.input.lists()[seat.list as usize];
            if self.out.contains(&application.id) {
                continue;
            }
            let place = document.ranking.orders[seat.list as usize]
                .iter()
                .position(|row| {
                    document.input.applications()[row.application as usize].id == application.id
                })
                .unwrap_or_default();
            due.push(Due {
                application: application.id,
                list: list.id.clone(),
                reserve: seat
                    .reserve
                    .and_then(|r| list.reserves.get(r as usize))
                    .map(|r| r.group.clone()),
                rank: u32::try_from(place + 1).unwrap_or(u32::MAX),
            });
        }
        due.sort_unstable_by(|a, b| (&a.list, a.rank).cmp(&(&b.list, b.rank)));
        due
    }

    /// The next offer that is due anywhere: the first free place by list, reserved places first.
    pub(super) fn next_due(&self, document: &Document) -> Option<Due> {
        self.places.keys().find_map(|list| self.next_in(document, list))
    }

    fn next_in(&self, document: &Document, list: &ListId) -> Option<Due> {
        if self.free(list) == 0 {
            return None;
        }
        let index = document.input.find_list(list)?;
        let due = |(rank, application), reserve: Option<&str>| Due {
            application,
            list: list.clone(),
            reserve: reserve.map(str::to_owned),
            rank,
        };
        for reserve in &document.input.lists()[index].reserves {
            if self.kept(list, Some(&reserve.group)) >= reserve.places {
                continue;
            }
            let of_group = |id: CaseId| {
                document.input.find(id).is_some_and(|n| {
                    document.input.applications()[n].groups.contains(&reserve.group)
                })
            };
            if let Some(next) = self.line(document, list).find(|(_, id)| of_group(*id)) {
                return Some(due(next, Some(&reserve.group)));
            }
        }
        self.line(document, list).next().map(|next| due(next, None))
    }

    pub(super) fn offer(&mut self, offer: EntryId, held: Held) {
        self.by_application.entry(held.application).or_default().push(offer);
        self.by_list.entry(held.list.clone()).or_default().push(offer);
        self.offers.insert(offer, held);
    }

    pub(super) fn settle(&mut self, offer: EntryId, outcome: Settlement) {
        let Some(held) = self.offers.get_mut(&offer) else { return };
        held.state = OfferState::Settled(outcome);
        let (application, list) = (held.application, held.list.clone());
        match outcome {
            Settlement::Accepted => {
                self.accepted.insert(application, offer);
            }
            Settlement::Renounced | Settlement::Lapsed => {
                self.given_up.insert((application, list));
            }
            Settlement::Unavailable => {
                self.out.insert(application);
            }
            Settlement::Dropped => {}
        }
    }

    pub(super) fn release(&mut self, application: CaseId) {
        self.out.insert(application);
        self.accepted.remove(&application);
        for held in self.offers.values_mut() {
            if held.application == application && held.keeps_a_place() {
                held.state = OfferState::Released;
            }
        }
    }
}
