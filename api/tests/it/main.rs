//! Tests of the shell from outside: one binary, a module for each subject.

#![allow(clippy::unwrap_used, reason = "in tests a failed assumption is a failed test")]

mod cli;
mod cluster_kill;
mod damage;
mod disk;
mod erasure_kill;
mod import;
mod import_corpus;
mod import_logs;
mod import_mapping;
mod import_recording;
mod import_refusals;
mod kill;
mod migrate;
mod ranking;
mod real_town;
mod tls;
