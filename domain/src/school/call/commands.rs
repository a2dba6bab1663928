//! What may be asked of a call, and what a decision about it needs to know besides.

use super::events::{Plan, Settlement};
use crate::ids::{CaseId, EntryId};
use crate::ranking::ListId;

/// A command for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Drafts a call.
    Draft {
        /// What it says.
        plan: Plan,
    },
    /// Changes the draft.
    Revise {
        /// What it says now.
        plan: Plan,
    },
    /// Publishes it.
    Publish {
        /// The act that approves it.
        act: String,
        /// The hash of the seed, where lots are drawn.
        seed_commitment: Option<String>,
    },
    /// Reveals the seed.
    RevealSeed {
        /// The seed.
        seed: String,
        /// A public fact that nobody knew when the seed was committed to.
        public_draw: String,
    },
    /// Publishes the provisional ranking.
    PublishProvisional,
    /// Approves the definitive ranking.
    ApproveDefinitive {
        /// The act.
        act: String,
    },
    /// Begins to offer places.
    StartOffers,
    /// Gives a list another number of places.
    ChangePlaces {
        /// Which.
        list: ListId,
        /// How many.
        places: u32,
        /// The act.
        act: String,
    },
    /// Records what became of an offer; the process sends it.
    Settle {
        /// Which.
        offer: EntryId,
        /// How it ended.
        outcome: Settlement,
    },
    /// Takes an application off the lists; the process sends it.
    Release {
        /// Which.
        application: CaseId,
    },
    /// Does what the clock has due; the ticker sends it.
    Tick,
}

impl Command {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Draft { .. } => "call.draft",
            Command::Revise { .. } => "call.revise",
            Command::Publish { .. } => "call.publish",
            Command::RevealSeed { .. } => "call.reveal_seed",
            Command::PublishProvisional => "call.publish_provisional",
            Command::ApproveDefinitive { .. } => "call.approve_definitive",
            Command::StartOffers => "call.start_offers",
            Command::ChangePlaces { .. } => "call.change_places",
            Command::Settle { .. } => "call.settle",
            Command::Release { .. } => "call.release",
            Command::Tick => "call.tick",
        }
    }
}

/// A ranking, computed and hashed by who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The canonical text.
    pub text: String,
    /// Its SHA-256.
    pub sha256: String,
    /// How many applications are in it.
    pub applications: u64,
    /// The position of the log that they are as of.
    pub as_of_position: u64,
}

/// What a decision needs to know besides the call itself: what its applications say, and hashes,
/// which this crate does not take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Hash of the plan's criteria as stored.
    pub criteria_sha256: String,
    /// The commitment of the seed that the command reveals.
    pub commitment_of_seed: Option<String>,
    /// Applications neither scored nor at an end.
    pub unscored: u64,
    /// Children with more than one application.
    pub children_twice: u64,
    /// Observations filed.
    pub observations: u64,
    /// Observations without an answer.
    pub unanswered: u64,
    /// The ranking, where the command publishes one.
    pub ranking: Option<Prepared>,
}
