//! Tests of the domain from outside: one binary, a module for each subject.

#![allow(clippy::unwrap_used, reason = "in tests a failed assumption is a failed test")]

mod calendar;
mod fiscal_code;
mod rules;
mod support;
mod term_explanations;
mod term_properties;
mod term_tables;
mod term_vectors;
