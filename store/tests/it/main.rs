//! The log's tests: the conformance suite over each store, and what is peculiar to SQLite.
#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

mod access;
mod evidence;
mod faulty;
mod golden;
mod memory;
mod places;
mod sqlite;
mod vault;
