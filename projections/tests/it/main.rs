//! Tests of the views from outside: one binary, a module for each subject.

#![allow(clippy::unwrap_used, reason = "in tests a failed assumption is a failed test")]

mod content;
mod lists;
mod rebuild;
mod speed;
mod statistics;
mod town;
mod writing;
