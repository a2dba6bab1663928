//! End-to-end tests over real gRPC, and the rules of the house.

mod access;
mod catalogue;
mod cluster;
mod concurrency;
mod contract;
mod eventstore_client;
mod eventstore_wire;
mod evidence;
mod house;
mod matrix;
mod messages;
mod permit;
mod privacy;
mod providers;
mod reading;
mod residency;
mod school;
mod school_access;
mod school_crowd;
mod secrecy;
mod streams;
