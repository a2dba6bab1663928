//! What can stop a reckoning. Everything else is a step of the explanation, not an error.

use super::length::Length;
use super::rule::TermRuleId;

/// Why a term could not be reckoned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// The rules in use do not know the term.
    #[error(
        "the rules '{version}' have no term '{rule}': add it to the rules file or load the file that holds it"
    )]
    UnknownRule {
        /// The term asked for.
        rule: TermRuleId,
        /// The version of the rules that was searched.
        version: String,
    },
    /// The clock holds no start.
    #[error("the clock of '{rule}' has no start: its first entry must be a Start")]
    NotStarted {
        /// The term.
        rule: TermRuleId,
    },
    /// The length is beyond what is reckoned (a century), so surely a slip.
    #[error("a term of {length} is longer than 100 years: check the count and the unit")]
    TooLong {
        /// The length refused.
        length: Length,
    },
    /// The result lies outside the calendar (years -9999 to 9999).
    #[error("the term leaves the calendar (years -9999 to 9999): check the dates of its entries")]
    OutOfCalendar,
}
