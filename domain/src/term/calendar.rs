//! Which days do not end a term: Sundays, national holidays, holidays of the comune.
//!
//! National holidays are computed for any year (L. 260/1949 art. 2 as amended). The list of
//! the comune is data. Nothing here knows of terms or cases.

use std::fmt::Write as _;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use serde::{Deserialize, Serialize};

const L260: &str = "L. 260/1949 art. 2";
const VERSION: &str =
    "it-national-2026 (L. 260/1949, L. 54/1977, DPR 792/1985, L. 336/2000, L. 151/2025)";

/// A holiday that counts for terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// Its Italian name.
    pub name: String,
    /// The law, or "local" for one of the comune's list.
    pub source: String,
}

/// When a local holiday falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalDay {
    /// The same date every year.
    Fixed {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// So many days after Easter Sunday (Pentecost Monday: 50).
    AfterEaster {
        /// May be negative.
        days: i16,
    },
}

/// A holiday of one comune.
///
/// In a file either `month` and `day`, or `days_after_easter`. The patron saint's day is a
/// day off by contract and not a holiday for terms, hence `counts_for_terms = false`; the
/// exception is 29 June in Rome (DPR 792/1985; Cass. 17079/2007).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LocalHolidayFile", into = "LocalHolidayFile")]
pub struct LocalHoliday {
    /// What people call it.
    pub name: String,
    /// When it falls.
    pub day: LocalDay,
    /// Whether a term that ends on it moves to the next day.
    pub counts_for_terms: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalHolidayFile {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    month: Option<i8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<i8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days_after_easter: Option<i16>,
    // No default: whether a local day moves terms must be said, never guessed.
    counts_for_terms: bool,
}

/// A local holiday that says no day or an impossible one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalHolidayError {
    /// Neither or both of the two ways to say the day.
    #[error(
        "local holiday '{name}': give either month and day, or days_after_easter, and not both"
    )]
    Day {
        /// The holiday.
        name: String,
    },
    /// The day is in no calendar.
    #[error("local holiday '{name}': {month}-{day} is no day of any year (month, day)")]
    NoSuchDay {
        /// The holiday.
        name: String,
        /// The month read.
        month: i8,
        /// The day read.
        day: i8,
    },
    /// The distance from Easter is more than a year.
    #[error("local holiday '{name}': days_after_easter must be between -80 and 250")]
    TooFarFromEaster {
        /// The holiday.
        name: String,
    },
}

impl TryFrom<LocalHolidayFile> for LocalHoliday {
    type Error = LocalHolidayError;

    fn try_from(file: LocalHolidayFile) -> Result<LocalHoliday, LocalHolidayError> {
        let LocalHolidayFile { name, month, day, days_after_easter, counts_for_terms } = file;
        let day = match (month, day, days_after_easter) {
            (Some(month), Some(day), None) => {
                // A leap year, so that 29 February may be named.
                if Date::new(2024, month, day).is_err() {
                    return Err(LocalHolidayError::NoSuchDay { name, month, day });
                }
                LocalDay::Fixed { month, day }
            }
            // The same year as Easter, whenever Easter falls (22 March to 25 April).
            (None, None, Some(days)) if (-80..=250).contains(&days) => {
                LocalDay::AfterEaster { days }
            }
            (None, None, Some(_)) => return Err(LocalHolidayError::TooFarFromEaster { name }),
            _ => return Err(LocalHolidayError::Day { name }),
        };
        Ok(LocalHoliday { name, day, counts_for_terms })
    }
}

impl From<LocalHoliday> for LocalHolidayFile {
    fn from(holiday: LocalHoliday) -> LocalHolidayFile {
        let (month, day, days_after_easter) = match holiday.day {
            LocalDay::Fixed { month, day } => (Some(month), Some(day), None),
            LocalDay::AfterEaster { days } => (None, None, Some(days)),
        };
        let LocalHoliday { name, counts_for_terms, .. } = holiday;
        LocalHolidayFile { name, month, day, days_after_easter, counts_for_terms }
    }
}

impl LocalHoliday {
    /// A holiday on the same date every year.
    pub fn fixed(name: &str, month: i8, day: i8, counts_for_terms: bool) -> LocalHoliday {
        LocalHoliday {
            name: name.to_owned(),
            day: LocalDay::Fixed { month, day },
            counts_for_terms,
        }
    }

    /// A holiday at a distance from Easter Sunday.
    pub fn after_easter(name: &str, days: i16, counts_for_terms: bool) -> LocalHoliday {
        LocalHoliday {
            name: name.to_owned(),
            day: LocalDay::AfterEaster { days },
            counts_for_terms,
        }
    }

    fn falls_on(&self, date: Date) -> bool {
        match self.day {
            LocalDay::Fixed { month, day } => date.month() == month && date.day() == day,
            LocalDay::AfterEaster { days } => {
                easter(date.year()).checked_add(i32::from(days).days()).is_ok_and(|day| day == date)
            }
        }
    }
}

/// The days that end no term in one comune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    local: Vec<LocalHoliday>,
    version: String,
}

impl Calendar {
    /// The national holidays alone.
    pub fn national() -> Calendar {
        Calendar { local: Vec::new(), version: VERSION.to_owned() }
    }

    /// The same calendar with the comune's own list, replacing an earlier list.
    pub fn with_local(self, holidays: Vec<LocalHoliday>) -> Calendar {
        let mut version = VERSION.to_owned();
        for holiday in &holidays {
            let counts = if holiday.counts_for_terms { "counts" } else { "does not count" };
            // Writing to a String cannot fail.
            let _ = match holiday.day {
                LocalDay::Fixed { month, day } => {
                    write!(version, " + {} {day}/{month} ({counts})", holiday.name)
                }
                LocalDay::AfterEaster { days } => {
                    write!(version, " + {} Easter{days:+} ({counts})", holiday.name)
                }
            };
        }
        Calendar { local: holidays, version }
    }

    /// What this calendar was made of, for explanations.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The comune's own list.
    pub fn local(&self) -> &[LocalHoliday] {
        &self.local
    }

    /// The holiday of a date that counts for terms, if it is one. Sundays are separate.
    pub fn holiday(&self, date: Date) -> Option<Holiday> {
        let found = |name: &str, source: &str| {
            Some(Holiday { date, name: name.to_owned(), source: source.to_owned() })
        };
        if let Some((name, source)) = national(date) {
            return found(name, source);
        }
        let local = self.local.iter().find(|h| h.counts_for_terms && h.falls_on(date))?;
        found(&local.name, "local holiday of the comune")
    }

    /// Whether a term that would end on the date moves on: Sunday or counting holiday.
    /// Saturday is an ordinary day (C.d.S. V 3252/2011).
    pub fn is_non_working_for_terms(&self, date: Date) -> bool {
        date.weekday() == Weekday::Sunday
            || national(date).is_some()
            || self.local.iter().any(|h| h.counts_for_terms && h.falls_on(date))
    }

    /// Whether the date counts in a term of working days.
    pub fn is_working_day(&self, date: Date, saturday_is_working: bool) -> bool {
        !self.is_non_working_for_terms(date)
            && (saturday_is_working || date.weekday() != Weekday::Saturday)
    }

    /// The date itself, or the next that is neither Sunday nor counting holiday. Goes day by
    /// day, since the next day may be a holiday too. At the end of the calendar: the date.
    pub fn roll_forward(&self, date: Date) -> Date {
        self.checked_roll_forward(date).unwrap_or(date)
    }

    pub(super) fn checked_roll_forward(&self, date: Date) -> Option<Date> {
        let mut day = date;
        while self.is_non_working_for_terms(day) {
            day = day.tomorrow().ok()?;
        }
        Some(day)
    }

    /// The name of the reason why a day is not worked, for explanations.
    pub(super) fn day_off(&self, date: Date) -> String {
        match (self.holiday(date), date.weekday()) {
            (Some(holiday), _) => holiday.name,
            (None, Weekday::Sunday) => "domenica".to_owned(),
            (None, Weekday::Saturday) => "sabato".to_owned(),
            (None, _) => "giorno lavorativo".to_owned(),
        }
    }
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar::national()
    }
}

/// Reliable from 1986; holidays abolished by L. 54/1977 are not modelled for earlier years.
fn national(date: Date) -> Option<(&'static str, &'static str)> {
    let fixed = match (date.month(), date.day()) {
        (1, 1) => Some(("Capodanno", L260)),
        (1, 6) if date.year() >= 1986 || date.year() <= 1977 => {
            Some(("Epifania", "L. 260/1949 art. 2; DPR 792/1985"))
        }
        (4, 25) => Some(("Liberazione", L260)),
        (5, 1) => Some(("Festa del lavoro", L260)),
        (6, 2) if date.year() >= 2001 || date.year() <= 1976 => {
            Some(("Festa della Repubblica", "L. 260/1949 art. 1; L. 336/2000"))
        }
        (8, 15) => Some(("Assunzione", L260)),
        (10, 4) if date.year() >= 2026 => {
            Some(("San Francesco d'Assisi", "L. 260/1949 art. 2; L. 151/2025"))
        }
        (11, 1) => Some(("Ognissanti", L260)),
        (12, 8) => Some(("Immacolata", L260)),
        (12, 25) => Some(("Natale", L260)),
        (12, 26) => Some(("Santo Stefano", L260)),
        _ => None,
    };
    // Easter Monday falls between 23 March and 26 April: no need to compute it elsewhere.
    if fixed.is_none()
        && date.weekday() == Weekday::Monday
        && (3..=4).contains(&date.month())
        && easter(date.year()).tomorrow().is_ok_and(|monday| monday == date)
    {
        return Some(("Lunedì dell'Angelo", L260));
    }
    fixed
}

/// Easter Sunday of a year in the Gregorian calendar (the anonymous algorithm of 1876).
pub fn easter(year: i16) -> Date {
    // The algorithm has a cycle of 5,700,000 years but needs a positive year.
    let y = i32::from(year).rem_euclid(5_700_000);
    let a = y % 19;
    let (b, c) = (y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    let (month, day) = ((n / 31) as i8, (n % 31 + 1) as i8);
    // The algorithm yields 22 March to 25 April, which every year of the calendar has.
    Date::new(year, month, day).unwrap_or_else(|_| date(2000, 4, 23))
}
