//! End-to-end tests over real gRPC, and the rules of the house.

// The domain's own samples of every command, for the simulation.
#[allow(dead_code, clippy::unwrap_used, reason = "the domain's own, of which a part is needed")]
#[path = "../../domain/tests/it/given.rs"]
mod given;
#[allow(dead_code, clippy::unwrap_used, reason = "the domain's own, of which a part is needed")]
#[path = "../../domain/tests/it/permit_scenarios.rs"]
mod permit_scenarios;
#[allow(dead_code, clippy::unwrap_used, reason = "the domain's own, of which a part is needed")]
#[path = "../../domain/tests/it/scenarios.rs"]
mod scenarios;
#[allow(dead_code, clippy::unwrap_used, reason = "the domain's own, of which a part is needed")]
#[path = "../../domain/tests/it/school_scenarios.rs"]
mod school_scenarios;
#[allow(dead_code, clippy::unwrap_used, reason = "the domain's own, of which a part is needed")]
#[path = "../../domain/tests/it/support.rs"]
mod support;

mod access;
mod backup;
mod catalogue;
mod cluster;
mod concurrency;
mod contract;
mod door;
#[allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
mod doors;
mod erasure;
mod eventstore_client;
mod eventstore_fuzz;
mod eventstore_wire;
mod evidence;
mod house;
mod matrix;
mod messages;
mod nodes;
mod permit;
mod privacy;
mod providers;
mod reading;
mod residency;
mod school;
mod school_access;
mod school_crowd;
mod secrecy;
mod secrecy_stories;
mod secrecy_words;
#[allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
mod simulation;
mod streams;
