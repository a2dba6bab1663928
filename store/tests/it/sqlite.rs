//! What is peculiar to the SQLite store.

mod append_only;
mod conformance;
mod crash;
mod opening;
mod pool;
mod upkeep;
mod writer;
