//! The law of Pratica: pure deciders for the procedures of a comune.
//!
//! What must never enter this crate: input or output, a clock, randomness, async. Time,
//! actor, rules and holidays arrive as arguments, so that the same history always folds to
//! the same state and the same due dates.

pub mod case;
mod context;
mod decider;
mod event;
pub mod ids;
pub mod imported;
pub mod people;
pub mod permit;
pub mod process;
pub mod ranking;
pub mod register;
mod rejection;
pub mod residency;
pub mod school;
pub mod term;

pub use context::{Actor, Context, Role, Written};
pub use decider::{
    Action, Availability, Case, Check, Command, ProcedureState, Rule, actions_of, all_actions,
    available_actions, decide, evolve, evolve_in_place, fold,
};
pub use event::{Event, Occurrence};
pub use rejection::{Rejection, RejectionCode};
