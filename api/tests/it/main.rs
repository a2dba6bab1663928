//! Tests of the shell from outside: one binary, a module for each subject.

#![allow(clippy::unwrap_used, reason = "in tests a failed assumption is a failed test")]

mod import;
