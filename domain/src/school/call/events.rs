//! The facts of a call. None holds personal data: applications stand by their numbers.

use crate::event::{Occurrence, events};
use crate::ids::{BandId, CaseId, EntryId, SchoolId};
use crate::ranking::{ListId, Stage};
use crate::school::criteria::Criteria;
use crate::term::Length;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

events! {
    /// A fact of a call.
    pub enum Event {
        /// The call was drafted.
        Drafted = "call.drafted" v 1,
        /// The draft was changed.
        Revised = "call.revised" v 1,
        /// The call was published.
        CallPublished = "call.published" v 1,
        /// The window opened.
        WindowOpened = "call.window_opened" v 1,
        /// The window closed.
        WindowClosed = "call.window_closed" v 1,
        /// The seed of the lots was revealed.
        SeedRevealed = "call.seed_revealed" v 1,
        /// A part of a ranking's text.
        RankingPage = "call.ranking_page" v 1,
        /// A ranking was published.
        RankingPublished = "call.ranking_published" v 1,
        /// The provisional ranking became definitive: nobody objected.
        RankingBecameDefinitive = "call.ranking_became_definitive" v 1,
        /// Offers began.
        OfferingStarted = "call.offering_started" v 1,
        /// A place was offered.
        PlaceOffered = "call.place_offered" v 1,
        /// An offer came to its end.
        OfferSettled = "call.offer_settled" v 1,
        /// An application left the lists.
        ApplicationReleased = "call.application_released" v 1,
        /// A list has another number of places.
        PlacesChanged = "call.places_changed" v 1,
        /// The call ended.
        CallClosed = "call.closed" v 1,
    }
}

impl Event {
    /// When the fact counts, if not at the moment of the decision.
    pub fn occurred_on(&self) -> Option<Occurrence> {
        let at = match self {
            Event::WindowOpened(e) => e.legal_at,
            Event::WindowClosed(e) => e.legal_at,
            Event::RankingBecameDefinitive(e) => e.legal_at,
            Event::CallClosed(e) => e.legal_at,
            _ => return None,
        };
        Some(Occurrence::Instant(at))
    }
}

/// The places of a school in one band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// All of them.
    pub places: u32,
    /// Of these, kept for groups, in the order in which they are filled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<(String, u32)>,
}

/// A school of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct School {
    /// Its name for people.
    pub name: String,
    /// Its places by band.
    pub bands: BTreeMap<BandId, Places>,
}

/// What a call says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its title.
    pub title: String,
    /// The year in which the school year begins.
    pub school_year: i16,
    /// The first day of the window.
    pub opens_on: Date,
    /// The last day of the window.
    pub closes_on: Date,
    /// The last day of the school year.
    pub ends_on: Date,
    /// The schools.
    pub schools: BTreeMap<SchoolId, School>,
    /// The criteria.
    pub criteria: Criteria,
}

impl Plan {
    /// The places of a list.
    pub fn places(&self, list: &ListId) -> Option<&Places> {
        self.schools.get(&list.school)?.bands.get(&list.band)
    }

    /// Every list.
    pub fn lists(&self) -> impl Iterator<Item = (ListId, &Places)> {
        self.schools.iter().flat_map(|(school, s)| {
            s.bands.iter().map(|(band, places)| {
                (ListId { school: school.clone(), band: band.clone() }, places)
            })
        })
    }
}

/// The call was drafted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafted {
    /// What it says.
    pub plan: Plan,
}

/// The draft was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revised {
    /// What it says now.
    pub plan: Plan,
}

/// The call was published; nothing of it changes any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPublished {
    /// The day.
    pub published_on: Date,
    /// The act that approved it.
    pub act: String,
    /// Hash of the criteria as stored.
    pub criteria_sha256: String,
    /// Hash of the seed for lots, if any are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed_commitment: Option<String>,
}

/// The window opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowOpened {
    /// The legal instant.
    pub legal_at: Timestamp,
}

/// The window closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowClosed {
    /// The legal instant.
    pub legal_at: Timestamp,
}

/// The seed of the lots was revealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedRevealed {
    /// The seed.
    pub seed: String,
    /// A public fact that nobody knew when the seed was committed to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub public_draw: String,
}

/// A part of a ranking's canonical text: appends have a size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankingPage {
    /// Of which ranking.
    pub ranking: EntryId,
    /// Which part, from 0.
    pub page: u32,
    /// The text.
    pub text: String,
}

/// A ranking was published. Its text is that of its pages, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankingPublished {
    /// Identifies it.
    pub ranking: EntryId,
    /// Which.
    pub stage: Stage,
    /// The day.
    pub published_on: Date,
    /// The applications are as of this position of the log.
    pub as_of_position: u64,
    /// SHA-256 of the canonical text.
    pub sha256: String,
    /// How many pages it has.
    pub pages: u32,
    /// How many applications are in it.
    pub applications: u64,
    /// How long it is open to observations, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observations_within: Option<Length>,
    /// The last day for observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observations_until: Option<Date>,
    /// The act that approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
}

/// The provisional ranking became definitive without a second act: nobody objected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankingBecameDefinitive {
    /// Which.
    pub ranking: EntryId,
    /// The last day for observations.
    pub observations_until: Date,
    /// The legal instant.
    pub legal_at: Timestamp,
}

/// Offers began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferingStarted {
    /// The day.
    pub started_on: Date,
}

/// A place was offered: at most one open offer a free place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceOffered {
    /// Identifies the offer.
    pub offer: EntryId,
    /// To whom.
    pub application: CaseId,
    /// In which list.
    pub list: ListId,
    /// The group that the place is kept for, if it is taken as one of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<String>,
    /// The place in the list, from 1.
    pub rank: u32,
    /// The day.
    pub offered_on: Date,
    /// How long it stands.
    pub answer_within: Length,
    /// Whether the place became free after the first round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scrolled: bool,
}

/// How an offer came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The family accepted.
    Accepted,
    /// The family renounced this school.
    Renounced,
    /// No answer in time counts as renounced.
    Lapsed,
    /// The family accepted another school.
    Dropped,
    /// The application could no longer take it.
    Unavailable,
}

/// An offer came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferSettled {
    /// Which.
    pub offer: EntryId,
    /// How.
    pub outcome: Settlement,
}

/// An application left the lists: withdrawn, excluded, lost or given up. What it held is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationReleased {
    /// Which.
    pub application: CaseId,
    /// The lists in which it held a place or an offer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frees: Vec<ListId>,
}

/// A list has another number of places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacesChanged {
    /// Which list.
    pub list: ListId,
    /// How many places now.
    pub places: u32,
    /// The act that says so.
    pub act: String,
}

/// The call ended with the school year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallClosed {
    /// The last day of the school year.
    pub ended_on: Date,
    /// The legal instant.
    pub legal_at: Timestamp,
}
