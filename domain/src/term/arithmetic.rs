//! Adding lengths to dates and counting back: the arithmetic without any clock.
//!
//! Pure functions of dates and a calendar; nothing here knows of events.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::Serialize;

use super::calendar::Calendar;
use super::clock::{ClockEntry, ClockOperation, TermClock};
use super::error::TermError;
use super::length::{Length, Unit};
use super::reckoning::{DayOff, Reckoning};
use super::rule::{EffectAtEnd, Roll, TermOwner, TermRule, TermRuleId};
use super::rule_set::RuleSet;

/// A century in days: longer terms are slips, and counting them day by day would be slow.
const MAX_DAYS: u32 = 36_525;

pub(super) fn is_too_long(length: Length) -> bool {
    let most = match length.unit {
        Unit::Days | Unit::WorkingDays => MAX_DAYS,
        Unit::Months => 1_200,
        Unit::Years => 100,
    };
    length.count > most
}

/// The last day of a length counted from a day that is excluded, and the days skipped.
pub(super) fn add(
    from: Date,
    length: Length,
    saturday_is_working: bool,
    calendar: &Calendar,
) -> Result<(Date, Vec<DayOff>), TermError> {
    if is_too_long(length) {
        return Err(TermError::TooLong { length });
    }
    let count = i32::try_from(length.count).map_err(|_| TermError::TooLong { length })?;
    // jiff takes the last day of the month where the day-number is missing, as the law does.
    let end = match length.unit {
        Unit::Days => from.checked_add(count.days()),
        Unit::Months => from.checked_add(count.months()),
        Unit::Years => from.checked_add(count.years()),
        Unit::WorkingDays => return add_working_days(from, count, saturday_is_working, calendar),
    };
    Ok((end.map_err(|_| TermError::OutOfCalendar)?, Vec::new()))
}

fn add_working_days(
    from: Date,
    count: i32,
    saturday_is_working: bool,
    calendar: &Calendar,
) -> Result<(Date, Vec<DayOff>), TermError> {
    let mut day = from;
    let mut skipped = Vec::new();
    let mut left = count;
    while left > 0 {
        day = day.tomorrow().map_err(|_| TermError::OutOfCalendar)?;
        if calendar.is_working_day(day, saturday_is_working) {
            left -= 1;
        } else {
            skipped.push(DayOff { date: day, name: calendar.day_off(day) });
        }
    }
    Ok((day, skipped))
}

/// How much of a term is left after a day: calendar days, or working days.
pub(super) fn residual(
    after: Date,
    end: Date,
    unit: Unit,
    saturday_is_working: bool,
    calendar: &Calendar,
) -> Length {
    if unit != Unit::WorkingDays {
        return Length::days(days_between(after, end));
    }
    let mut count = 0;
    let mut day = after;
    while day < end {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        if calendar.is_working_day(day, saturday_is_working) {
            count += 1;
        }
    }
    Length::working_days(count)
}

/// Whole days from one date to a later one; 0 if it is not later.
pub(super) fn days_between(from: Date, to: Date) -> u32 {
    let days = from.duration_until(to).as_hours() / 24;
    u32::try_from(days).unwrap_or(0)
}

/// A term counted back from a date: "at least n days before".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Backward {
    /// The day so many days before, whatever day it is. The extension to the next non-holiday
    /// does not work backwards (Cass.).
    pub unanticipated: Date,
    /// The same, moved to the previous day that is neither Sunday nor holiday: the safe day
    /// for whoever must act, since case law is divided.
    pub anticipated: Date,
}

/// Counts a length back from a date; the date itself is not counted.
///
/// # Errors
/// A length above a century, or a result outside the calendar.
pub fn backward(date: Date, length: Length, calendar: &Calendar) -> Result<Backward, TermError> {
    if is_too_long(length) {
        return Err(TermError::TooLong { length });
    }
    let count = i32::try_from(length.count).map_err(|_| TermError::TooLong { length })?;
    let yesterday = |day: Date| day.yesterday().map_err(|_| TermError::OutOfCalendar);
    let unanticipated = match length.unit {
        Unit::Days => date.checked_sub(count.days()),
        Unit::Months => date.checked_sub(count.months()),
        Unit::Years => date.checked_sub(count.years()),
        Unit::WorkingDays => {
            let (mut day, mut left) = (date, count);
            while left > 0 {
                day = yesterday(day)?;
                // Saturday counted as not worked lies further back: the safe side here.
                if calendar.is_working_day(day, false) {
                    left -= 1;
                }
            }
            Ok(day)
        }
    }
    .map_err(|_| TermError::OutOfCalendar)?;
    let mut anticipated = unanticipated;
    while calendar.is_non_working_for_terms(anticipated) {
        anticipated = yesterday(anticipated)?;
    }
    Ok(Backward { unanticipated, anticipated })
}

/// A term from a date, without a case: for `pratica term --from 2026-03-02 --length 30d`.
///
/// # Errors
/// A length above a century, or a result outside the calendar.
pub fn simple_term(
    start: Date,
    length: Length,
    saturday_is_working: bool,
    calendar: &Calendar,
) -> Result<Reckoning, TermError> {
    let id = TermRuleId::new("simple");
    let rule = TermRule {
        id: id.clone(),
        article: "c.c. art. 2963".to_owned(),
        length,
        doubled_part: None,
        roll: Roll::NextNonHoliday,
        saturday_is_working,
        saturday_policy: None,
        owner: TermOwner::Citizen,
        effect_at_end: EffectAtEnd::Alert,
        warn_days: 0,
        title_it: "Termine".to_owned(),
        title_en: "Term".to_owned(),
        doubt: String::new(),
    };
    let rules = RuleSet {
        retention: BTreeMap::new(),
        version: "simple".to_owned(),
        extends: None,
        in_force_from: start,
        imported_only: false,
        terms: BTreeMap::from([(id.clone(), rule)]),
        policies: BTreeMap::new(),
    };
    let start = ClockEntry {
        operation: ClockOperation::Start { on: start },
        event: 0,
        event_type: "simple".to_owned(),
        basis: "c.c. art. 2963".to_owned(),
    };
    TermClock::new(id, start).reckon(&rules, calendar)
}
