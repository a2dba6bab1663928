//! For tests, here and in other crates: what every store must do, and a store that fails.
//!
//! Behind the feature `testing`. It may panic, since that is how a test speaks; never use it
//! from code that serves.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

pub mod conformance;
pub mod faulty;
mod make;

pub use faulty::{Faults, FaultyLog};
pub use make::{append, event, events, metadata, name, request, time};
