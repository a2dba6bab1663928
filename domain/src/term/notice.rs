//! When a clock that a notice of rejection has suspended runs on (L. 241/1990 art. 10-bis c.1).
//!
//! Shared by every procedure on application, so that no two of them read the article
//! differently. It only yields dates; suspending and resuming is the clock's work.

use jiff::civil::Date;
use serde::Serialize;

use super::arithmetic::simple_term;
use super::calendar::Calendar;
use super::error::TermError;
use super::length::Length;

/// The days given for observations and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NoticeWindow {
    /// The last day for observations, moved off a holiday.
    pub closes_on: Date,
    /// Whether the observations came by that day; none if there are none.
    pub observations_in_time: Option<bool>,
    /// The day for `Resume`, not counted itself. Ten days after the observations (not moved:
    /// nobody has to act on it) or, without any in time, the day the window closes.
    pub resumes_on: Date,
}

/// The window after a notice received on a day. Late observations do not move the clock,
/// though they should be weighed while no act is adopted (policy `late_observations`).
///
/// `window` is the length of the term for observations, ten days by law.
///
/// # Errors
/// A length above a century, or a result outside the calendar.
pub fn notice_window(
    received: Date,
    observations: Option<Date>,
    window: Length,
    calendar: &Calendar,
) -> Result<NoticeWindow, TermError> {
    let term = |from| simple_term(from, window, true, calendar);
    let closes_on = term(received)?.end.ok_or(TermError::OutOfCalendar)?;
    let observations_in_time = observations.map(|filed| filed <= closes_on);
    let resumes_on = match observations.filter(|filed| *filed <= closes_on) {
        Some(filed) => term(filed)?.raw_end.ok_or(TermError::OutOfCalendar)?,
        None => closes_on,
    };
    Ok(NoticeWindow { closes_on, observations_in_time, resumes_on })
}
