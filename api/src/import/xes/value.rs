//! The types of attributes, and what their values may look like.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Text.
    String,
    /// An instant, or a day.
    Date,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Boolean,
    /// A UUID.
    Id,
    /// An ordered list of attributes.
    List,
    /// An unordered set of attributes.
    Container,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::String,
        Kind::Date,
        Kind::Int,
        Kind::Float,
        Kind::Boolean,
        Kind::Id,
        Kind::List,
        Kind::Container,
    ];

    /// The name of the element.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Date => "date",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Boolean => "boolean",
            Kind::Id => "id",
            Kind::List => "list",
            Kind::Container => "container",
        }
    }

    /// The type that an element stands for.
    pub fn of(element: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.as_str() == element)
    }

    /// Whether its value is in attributes below it.
    pub fn is_nested(self) -> bool {
        matches!(self, Kind::List | Kind::Container)
    }

    /// Whether a text is a value of this type.
    pub(super) fn admits(self, value: &str) -> bool {
        let value = value.trim();
        match self {
            Kind::String | Kind::List | Kind::Container => true,
            Kind::Date => moment(value).is_some(),
            Kind::Int => value.parse::<i64>().is_ok(),
            Kind::Float => value.parse::<f64>().is_ok(),
            Kind::Boolean => {
                ["true", "false", "1", "0"].iter().any(|v| value.eq_ignore_ascii_case(v))
            }
            Kind::Id => uuid::Uuid::parse_str(value).is_ok(),
        }
    }

    /// What a value of this type looks like.
    pub(super) fn looks_like(self) -> &'static str {
        match self {
            Kind::String | Kind::List | Kind::Container => "any text",
            Kind::Date => "write it as 2014-04-11T09:30:00+02:00",
            Kind::Int => "write a whole number",
            Kind::Float => "write a number with a decimal point",
            Kind::Boolean => "write true or false",
            Kind::Id => "write a UUID",
        }
    }
}

/// A point in time as a file gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// An instant.
    Instant(Timestamp),
    /// A time on a clock somewhere: no zone is given.
    Local(DateTime),
}

impl Moment {
    /// The instant, a local time taken as one of this zone.
    pub fn instant(self, zone: Option<&TimeZone>) -> Option<Timestamp> {
        match self {
            Moment::Instant(at) => Some(at),
            Moment::Local(local) => zone?.to_zoned(local).ok().map(|z| z.timestamp()),
        }
    }
}

/// Reads a point in time.
pub fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Moment::Instant(at));
    }
    let local = text.parse::<DateTime>().ok();
    local
        .or_else(|| text.parse::<Date>().ok().map(|d| d.to_datetime(jiff::civil::Time::midnight())))
        .map(Moment::Local)
}
