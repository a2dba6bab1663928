//! Civil dates as integers such as 20260316: they sort, and a person can read them in the file.

use jiff::civil::Date;

use crate::error::ViewError;

/// Stands where there is no date and "after all others" is meant.
pub(crate) const NEVER: i64 = 99_991_231;

/// A date as an integer.
pub(crate) fn number(date: Date) -> i64 {
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}

/// The month of a date as an integer such as 202603.
pub(crate) fn month(date: Date) -> i64 {
    i64::from(date.year()) * 100 + i64::from(date.month())
}

/// A date from its integer.
pub(crate) fn date(number: i64) -> Result<Date, ViewError> {
    let parts = (
        i16::try_from(number.div_euclid(10_000)),
        i8::try_from(number.rem_euclid(10_000) / 100),
        i8::try_from(number.rem_euclid(100)),
    );
    let date = match parts {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    date.ok_or_else(|| ViewError::Damaged { detail: format!("{number} is no date") })
}

/// A date from its integer, none where it is [`NEVER`].
pub(crate) fn date_or_never(number: i64) -> Result<Option<Date>, ViewError> {
    if number == NEVER { Ok(None) } else { date(number).map(Some) }
}
