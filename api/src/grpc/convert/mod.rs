//! Messages to domain values: every field that breaks a rule is named, all at once.

pub(crate) mod casework;
mod fields;
pub(crate) mod permit;
pub(crate) mod residency;

pub(crate) use fields::{Fields, date_message, language, timestamp_message};
