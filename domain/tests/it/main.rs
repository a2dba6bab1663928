//! Tests of the domain from outside: one binary, a module for each subject.

#![allow(clippy::unwrap_used, reason = "in tests a failed assumption is a failed test")]

mod calendar;
mod case_properties;
mod case_requests;
mod disposal;
mod fiscal_code;
mod folding;
mod given;
mod permit_clock;
mod permit_scenarios;
mod procedures;
mod ranking;
mod ranking_instances;
mod ranking_properties;
mod refusals;
mod refusals_common;
mod refusals_enrolment;
mod refusals_permit;
mod refusals_residency;
mod register;
mod residency_cases;
mod residency_clock;
mod rules;
mod scenarios;
mod school_call;
mod school_cases;
mod school_criteria;
mod school_scenarios;
mod suap;
mod support;
mod term_explanations;
mod term_properties;
mod term_tables;
mod term_vectors;
