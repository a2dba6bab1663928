//! The protocol register (DPR 445/2000 arts. 53-57): yearly, gapless, never reused.
//!
//! Two streams a year. The register itself holds registrations only, so that a number is the
//! event's revision plus one: gapless because the log is. Annulments, daily closings and the
//! emergency register are acts about it and have their own stream.

mod acts;
mod decide;
mod events;

pub use acts::{ActCommand, Acts, Registers, decide_act, evolve_acts};
pub use decide::{Entry, RegisterHead, register};
pub use events::*;
