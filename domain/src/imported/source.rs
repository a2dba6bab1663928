//! The event of the older system that a recorded event carries.
//!
//! It stands beside the fields of whatever event was recorded, under the name `source`, so that a
//! common event such as `case.request_sent` need not know where it came from, and yet nothing of
//! the original is lost.

use crate::people::Personal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One event of the older system.
///
/// A recorded step names activity, resource and attributes itself; there only the rest is given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// Its place in the history of its case, from 1, in the order of the file.
    pub index: u64,
    /// The activity, as the older system named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// Who did it there, as an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Everything else it said, unchanged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What of that is personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, Personal<String>>,
}
