//! The law of Pratica: pure deciders for the procedures of a comune.
//!
//! What must never enter this crate: input or output, a clock, randomness, async. Time,
//! actor, rules and holidays arrive as arguments, so that the same history always folds to
//! the same state and the same due dates.

pub mod people;
pub mod term;
