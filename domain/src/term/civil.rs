//! The one place that converts between instants and legal dates.
//!
//! Facts are UTC instants; legal dates are civil dates in Europe/Rome, whatever the zone of
//! the client or of the server. No other module may convert, so that a changed offset or a
//! daylight-saving night can be wrong in one place only.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

/// The rule of the European Union since 1996 (directive 2000/84/EC): used only if the
/// bundled database should ever lack the zone.
const ROME_POSIX: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

static ROME: LazyLock<TimeZone> = LazyLock::new(|| {
    // The bundled database, never the one of the machine: two servers must agree.
    TimeZoneDatabase::bundled()
        .get("Europe/Rome")
        .or_else(|_| TimeZone::posix(ROME_POSIX))
        .unwrap_or(TimeZone::UTC)
});

/// The civil date in Europe/Rome at an instant: the date a receipt or a register bears.
pub fn rome_date(at: Timestamp) -> Date {
    at.to_zoned(ROME.clone()).date()
}

/// The first instant of a civil date in Rome (midnight; where midnight does not exist, the
/// first instant after the gap). Saturates at the ends of the range of instants.
pub fn first_instant_of(date: Date) -> Timestamp {
    match date.to_zoned(ROME.clone()) {
        Ok(zoned) => zoned.timestamp(),
        Err(_) if date.year() < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    }
}

/// The instant at which a term that ends on `date` has run out: the first instant of the next
/// day, because a term ends with the last instant of its last day (c.c. art. 2963 c.3).
pub fn first_instant_after(date: Date) -> Timestamp {
    match date.checked_add(1.day()) {
        Ok(next) => first_instant_of(next),
        Err(_) => Timestamp::MAX,
    }
}
