//! How long the papers of a case are kept (DPR 445/2000 art. 68): a class and a term for each kind
//! of case, as data. The term runs from the end of the case; what is not named is kept for ever.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::length::{Length, LengthError, Unit};
use super::rule_set::RuleSet;

/// The class of the conservation plan that a kind of case belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// The class, in the words of the plan.
    pub class: String,
    /// For how long after the end of the case.
    pub keep: Keep,
    /// Where it is written.
    pub article: String,
    /// What is unsettled or was not read in the plan itself.
    #[serde(default)]
    pub doubt: String,
}

/// For how long something is kept: `for_ever`, or a length in months or years such as `10y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Keep {
    /// Never destroyed.
    ForEver,
    /// So long.
    For(Length),
}

impl Keep {
    /// The last day on which something is kept that ended on a day; none if for ever.
    pub fn until(self, ended_on: Date) -> Option<Date> {
        use jiff::ToSpan as _;
        let Keep::For(length) = self else { return None };
        let count = i32::try_from(length.count).ok()?;
        let span = if length.unit == Unit::Years { count.years() } else { count.months() };
        // Beyond the calendar is for ever.
        ended_on.checked_add(span).ok()
    }
}

impl Keep {
    /// The day such that whatever ended before it is kept no longer on `today`; none if for ever.
    pub fn began_before(self, today: Date) -> Option<Date> {
        use jiff::ToSpan as _;
        let Keep::For(length) = self else { return None };
        let count = i32::try_from(length.count).ok()?;
        let span = if length.unit == Unit::Years { count.years() } else { count.months() };
        let mut day = today.checked_sub(span).ok()?;
        // Where a month is shorter the day is cut: nothing that is still kept slips in.
        while self.until(day.yesterday().ok()?).is_none_or(|until| until >= today) {
            day = day.yesterday().ok()?;
        }
        Some(day)
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keep::ForEver => f.write_str("for ever"),
            Keep::For(length) => write!(f, "{length}"),
        }
    }
}

/// A text that says no time to keep something.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It is no length either.
    #[error("write for_ever, or a length")]
    Length(#[from] LengthError),
    /// Papers are not kept for days.
    #[error("'{0}' is not in months or years")]
    Unit(String),
}

impl TryFrom<String> for Keep {
    type Error = KeepError;
    fn try_from(text: String) -> Result<Keep, KeepError> {
        if text.trim() == "for_ever" {
            return Ok(Keep::ForEver);
        }
        let length: Length = text.parse()?;
        match length.unit {
            Unit::Months | Unit::Years => Ok(Keep::For(length)),
            Unit::Days | Unit::WorkingDays => Err(KeepError::Unit(text)),
        }
    }
}

impl From<Keep> for String {
    fn from(keep: Keep) -> String {
        match keep {
            Keep::ForEver => "for_ever".to_owned(),
            Keep::For(length) => length.code(),
        }
    }
}

impl RuleSet {
    /// The class of a kind of case: its own, `residency.untraceable`, or that of its procedure.
    pub fn retention_of(&self, procedure: &str, kind: &str) -> Option<&Retention> {
        self.retention.get(&format!("{procedure}.{kind}")).or_else(|| self.retention.get(procedure))
    }
}
