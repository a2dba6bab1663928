//! The length of a term: a count and a unit.
//!
//! Lengths are civil (days, months), never hours or seconds: a day in Rome may have 23 or 25
//! hours and a term does not care.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a term is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Calendar days; holidays inside the term count (c.c. art. 2963).
    Days,
    /// Days that are neither Sunday nor holiday nor, where the rule says so, Saturday.
    WorkingDays,
    /// Calendar months: same day-number, or the last day of the month (c.c. art. 2963 c.4-5).
    Months,
    /// Calendar years: twelve months each.
    Years,
}

/// A length such as 45 days. Written `45d`, `2wd`, `6m`, `1y` in rules and on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

impl Length {
    /// A length in calendar days.
    pub const fn days(count: u32) -> Length {
        Length { count, unit: Unit::Days }
    }

    /// A length in working days.
    pub const fn working_days(count: u32) -> Length {
        Length { count, unit: Unit::WorkingDays }
    }

    /// A length in months.
    pub const fn months(count: u32) -> Length {
        Length { count, unit: Unit::Months }
    }

    /// A length in years.
    pub const fn years(count: u32) -> Length {
        Length { count, unit: Unit::Years }
    }

    /// Half of this length, for the substitute power (L. 241/1990 art. 2 c.9-ter).
    ///
    /// An odd count is rounded down, so that the office is never late; an odd count of years
    /// is halved in months.
    pub const fn half(self) -> Length {
        match self.unit {
            Unit::Years => Length::months(self.count.saturating_mul(6)),
            unit => Length { count: self.count / 2, unit },
        }
    }

    /// The short form that [`FromStr`] reads: `45d`, `2wd`, `6m`, `1y`.
    pub fn code(self) -> String {
        let unit = match self.unit {
            Unit::Days => "d",
            Unit::WorkingDays => "wd",
            Unit::Months => "m",
            Unit::Years => "y",
        };
        format!("{}{unit}", self.count)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Days => "day",
            Unit::WorkingDays => "working day",
            Unit::Months => "month",
            Unit::Years => "year",
        };
        let plural = if self.count == 1 { "" } else { "s" };
        write!(f, "{} {unit}{plural}", self.count)
    }
}

/// A text that is no length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a length: write a whole number and a unit, as in 45d (days), 2wd (working days), 6m (months) or 1y (years)"
)]
pub struct LengthError {
    /// The text that was read.
    pub text: String,
}

impl FromStr for Length {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Length, LengthError> {
        let error = || LengthError { text: text.chars().take(40).collect() };
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (count, unit) = trimmed.split_at(digits);
        let count = count.parse().map_err(|_| error())?;
        let unit = match unit.trim() {
            "d" | "day" | "days" => Unit::Days,
            "wd" | "working day" | "working days" => Unit::WorkingDays,
            "m" | "month" | "months" => Unit::Months,
            "y" | "year" | "years" => Unit::Years,
            _ => return Err(error()),
        };
        Ok(Length { count, unit })
    }
}

impl TryFrom<String> for Length {
    type Error = LengthError;

    fn try_from(text: String) -> Result<Length, LengthError> {
        text.parse()
    }
}

impl From<Length> for String {
    fn from(length: Length) -> String {
        length.code()
    }
}
