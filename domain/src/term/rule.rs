//! The rule of one term, as data.
//!
//! Rules are read from a file that the caller parses; this module knows their meaning and
//! nothing of files. A rule in use never changes: a change is a new version of the set.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::length::Length;

/// The name of a term in the rules, such as `residency.checks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TermRuleId(String);

impl TermRuleId {
    /// Names a term; whether the rules know it shows when it is looked up.
    pub fn new(id: impl Into<String>) -> TermRuleId {
        TermRuleId(id.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TermRuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for TermRuleId {
    fn from(id: &str) -> TermRuleId {
        TermRuleId::new(id)
    }
}

impl Borrow<str> for TermRuleId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What the law attaches to the end of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectAtEnd {
    /// Silence grants (L. 241/1990 art. 20).
    SilenceAssent,
    /// Silence refuses.
    SilenceRefusal,
    /// Nothing happens by itself; someone is told.
    Alert,
    /// A right or a title is lost.
    Lapse,
}

/// Who must act within the term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermOwner {
    /// The comune.
    Office,
    /// The citizen.
    Citizen,
    /// Another body: a consulate, another comune, a conference member.
    OtherBody,
}

/// What happens when the last day is a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// The end moves to the next day that is neither Sunday nor holiday (c.c. art. 2963 c.3).
    NextNonHoliday,
    /// The end stays.
    None,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermRule {
    /// Its name; in a file it is the name of the table.
    #[serde(default, skip_serializing)]
    pub id: TermRuleId,
    /// The article it rests on, for explanations.
    pub article: String,
    /// How long it is, unless an act sets another length for one case.
    pub length: Length,
    /// The part that a doubling adds again, in the unit of the length; the whole length if
    /// absent. DPR 380/2001 art. 20 c.7 doubles the 60 days of c.3 and c.5, not the 30 of c.6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubled_part: Option<Length>,
    /// Whether a last day that is a holiday moves.
    #[serde(default = "next_non_holiday")]
    pub roll: Roll,
    /// In terms of working days: whether Saturday is one.
    #[serde(default = "yes")]
    pub saturday_is_working: bool,
    /// The policy (`working` or `not_working`) that decides on Saturday instead, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturday_policy: Option<String>,
    /// Who must act.
    pub owner: TermOwner,
    /// What its end brings about.
    pub effect_at_end: EffectAtEnd,
    /// How many days before the raw end to warn; 0 means on the day.
    #[serde(default)]
    pub warn_days: u16,
    /// Its title in Italian.
    pub title_it: String,
    /// Its title in English.
    pub title_en: String,
    /// What is in doubt about it, if anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doubt: String,
}

fn next_non_holiday() -> Roll {
    Roll::NextNonHoliday
}

fn yes() -> bool {
    true
}
