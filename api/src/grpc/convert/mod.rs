//! Messages to domain values: every field that breaks a rule is named, all at once.

pub(crate) mod call;
pub(crate) mod call_requests;
pub(crate) mod casework;
pub(crate) mod enrolment;
mod fields;
pub(crate) mod papers;
pub(crate) mod permit;
pub(crate) mod residency;
pub(crate) mod statistics;

pub(crate) use fields::{Fields, date_message, language, timestamp_message};
