//! What is peculiar to the SQLite store.

mod append_only;
mod conformance;
mod crash;
mod opening;
mod pool;
mod reading;
mod upkeep;
mod writer;
