//! What the facts of a call fold to.

use super::events::{Event as Own, Plan, RankingPublished};
use super::scroll::{Held, OfferState, Scroll};
use crate::event::Event;
use crate::ids::EntryId;
use crate::ranking::{Document, Stage, read};
use crate::term::first_instant_of;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// Nothing was drafted.
    #[default]
    NotDrafted,
    /// Being written.
    Drafted,
    /// Published, the window not open yet.
    Published,
    /// Applications may be filed.
    WindowOpen,
    /// The window is closed; applications are checked and scored.
    Scoring,
    /// The provisional ranking is open to observations.
    Provisional,
    /// The ranking is definitive.
    Definitive,
    /// Places are offered.
    Offering,
    /// The school year is over.
    Closed,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 9] = [
        Phase::NotDrafted,
        Phase::Drafted,
        Phase::Published,
        Phase::WindowOpen,
        Phase::Scoring,
        Phase::Provisional,
        Phase::Definitive,
        Phase::Offering,
        Phase::Closed,
    ];

    /// The word in views and refusals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::NotDrafted => "not_drafted",
            Phase::Drafted => "drafted",
            Phase::Published => "published",
            Phase::WindowOpen => "window_open",
            Phase::Scoring => "scoring",
            Phase::Provisional => "provisional",
            Phase::Definitive => "definitive",
            Phase::Offering => "offering",
            Phase::Closed => "closed",
        }
    }
}

/// A ranking that was published, with its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What was said of it.
    pub facts: RankingPublished,
    /// Its canonical text.
    pub text: Arc<str>,
    /// What the text says; none if it cannot be read, which a verification tells.
    pub document: Option<Arc<Document>>,
}

/// A call: what its events fold to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// How many events were folded; the next event's revision.
    pub events: u64,
    /// Where it stands.
    pub phase: Phase,
    /// What it says.
    pub plan: Option<Arc<Plan>>,
    /// When it was published: the hash of its criteria and of the seed.
    pub criteria_sha256: String,
    /// What was committed to.
    pub seed_commitment: Option<String>,
    /// Seed and public draw, once revealed.
    pub seed: Option<(String, String)>,
    /// The provisional ranking.
    pub provisional: Option<Published>,
    /// The definitive ranking.
    pub definitive: Option<Published>,
    /// Places and offers.
    pub scroll: Scroll,
    pages: BTreeMap<EntryId, BTreeMap<u32, String>>,
}

impl Call {
    /// The first day on which the clock may have something to do; a provisional ranking to which
    /// somebody objected waits for the office on that day too, since a call does not hold who did.
    pub fn due_on(&self) -> Option<Date> {
        let plan = self.plan.as_ref()?;
        match self.phase {
            Phase::Published => Some(plan.opens_on),
            Phase::WindowOpen => plan.closes_on.tomorrow().ok(),
            Phase::Provisional => {
                self.provisional.as_ref()?.facts.observations_until?.tomorrow().ok()
            }
            Phase::Definitive | Phase::Offering => plan.ends_on.tomorrow().ok(),
            Phase::NotDrafted | Phase::Drafted | Phase::Scoring | Phase::Closed => None,
        }
    }

    /// The ranking by which places are offered.
    pub fn ranking(&self) -> Option<&Arc<Document>> {
        self.definitive.as_ref()?.document.as_ref()
    }

    /// The ranking published last.
    pub fn last_ranking(&self) -> Option<&Published> {
        self.definitive.as_ref().or(self.provisional.as_ref())
    }
}

/// Folds one event into the call.
#[must_use]
pub fn evolve(mut call: Call, event: &Event) -> Call {
    if let Event::Call(event) = event {
        apply(&mut call, event);
    }
    call.events += 1;
    call
}

fn apply(call: &mut Call, event: &Own) {
    match event {
        Own::Drafted(e) => {
            call.phase = Phase::Drafted;
            call.plan = Some(Arc::new(e.plan.clone()));
        }
        Own::Revised(e) => call.plan = Some(Arc::new(e.plan.clone())),
        Own::CallPublished(e) => {
            call.phase = Phase::Published;
            call.criteria_sha256.clone_from(&e.criteria_sha256);
            call.seed_commitment.clone_from(&e.seed_commitment);
            call.scroll = call.plan.as_deref().map(Scroll::of).unwrap_or_default();
        }
        Own::WindowOpened(_) => call.phase = Phase::WindowOpen,
        Own::WindowClosed(_) => call.phase = Phase::Scoring,
        Own::SeedRevealed(e) => call.seed = Some((e.seed.clone(), e.public_draw.clone())),
        Own::RankingPage(e) => {
            call.pages.entry(e.ranking).or_default().insert(e.page, e.text.clone());
        }
        Own::RankingPublished(e) => {
            let text: String =
                call.pages.remove(&e.ranking).unwrap_or_default().into_values().collect();
            let document = read(&text).ok().map(Arc::new);
            let published = Published { facts: e.clone(), text: text.into(), document };
            match e.stage {
                Stage::Provisional => {
                    call.phase = Phase::Provisional;
                    call.provisional = Some(published);
                }
                Stage::Definitive => {
                    call.phase = Phase::Definitive;
                    call.definitive = Some(published);
                }
            }
        }
        Own::RankingBecameDefinitive(_) => {
            call.phase = Phase::Definitive;
            call.definitive.clone_from(&call.provisional);
        }
        Own::OfferingStarted(_) => call.phase = Phase::Offering,
        Own::PlaceOffered(e) => {
            let held = Held {
                application: e.application,
                list: e.list.clone(),
                reserve: e.reserve.clone(),
                state: OfferState::Open,
            };
            call.scroll.offer(e.offer, held);
        }
        Own::OfferSettled(e) => call.scroll.settle(e.offer, e.outcome),
        Own::ApplicationReleased(e) => call.scroll.release(e.application),
        Own::PlacesChanged(e) => {
            call.scroll.places.insert(e.list.clone(), e.places);
        }
        Own::CallClosed(_) => call.phase = Phase::Closed,
    }
}

/// The legal instant at which a day begins: what the clock does has effect from there.
pub(super) fn legal_at(day: Date) -> jiff::Timestamp {
    first_instant_of(day)
}
