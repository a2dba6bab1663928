//! The shell of Pratica: command handling, processes, gRPC services, configuration, command line.
//!
//! `app` holds the use cases and knows no transport; `grpc` knows no store; the command line talks
//! to a running server through the contract only, except for what owns a data directory.

pub mod app;
pub mod cli;
pub mod demo;
pub mod eventstore;
pub mod grpc;
pub mod import;
pub mod messages;
