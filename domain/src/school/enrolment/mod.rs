//! School enrolment: the application for one child, with ordered choices over several schools.
//!
//! The order of filing makes no difference. After the ranking stage there is no notice of rejection
//! (L. 241/1990 art. 10-bis excludes procedures of competition): provisional ranking and
//! observations stand in its place.
//!
//! ```text
//! filed -> admitted -> scored -> ranked_provisionally -> waiting_list -> offered -> accepted -> attending
//! filed, admitted, scored, ranked_provisionally -> excluded
//! offered -> waiting_list: renounced, lapsed by silence, or the school was not the last choice
//! accepted, attending -> left | place_lost | year_finished
//! waiting_list -> unplaced (end of the year)
//! any open phase -> withdrawn
//! ```

mod commands;
mod decide;
mod events;
pub mod rules;
mod stands;
mod state;

pub use commands::{CallView, Command, Form};
pub(crate) use decide::{decide, expired};
pub use events::*;
pub(crate) use stands::stands_already;
pub(crate) use state::run_clocks;
pub use state::{Application, Observation, Offer, OfferStanding, Phase, State, evolve};

/// The clock of observations on the provisional ranking.
pub const OBSERVATIONS: &str = "school.observations";
/// The clock of an offer; its end in silence is a renounce.
pub const OFFER: &str = "school.offer";
/// The clock of the proof of vaccination (DL 73/2017 art. 3-bis c. 3).
pub const VACCINE_PROOF: &str = "school.vaccine_proof";
