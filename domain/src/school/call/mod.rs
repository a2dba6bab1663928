//! The call (*bando*): one school year's criteria, schools and places, its window, its rankings,
//! and whose each place is.
//!
//! ```text
//! drafted -> published -> window_open -> scoring -> provisional -> definitive -> offering -> closed
//! window opens, closes, and the year ends by the clock
//! provisional -> definitive: by the act that approves it, or by the clock when nobody objected
//! offering: an offer is settled or a place is freed -> the next in line gets an offer, once
//! ```

mod commands;
mod decide;
mod events;
pub mod rules;
mod scroll;
mod state;

pub use commands::{Command, Prepared, Surroundings};
pub use decide::decide;
pub use events::*;
pub use scroll::{Held, OfferState, Scroll};
pub use state::{Call, Phase, Published, evolve};

/// The rule of the term for observations.
pub const OBSERVATIONS: &str = "school.observations";
