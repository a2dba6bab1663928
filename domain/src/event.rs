//! The event of a case's stream, whatever its procedure, and the macro that names events.
//!
//! Names are explicit strings, never Rust paths: renaming a type must not touch history.

use crate::school::{call, enrolment};
use crate::{case, imported, permit, register, residency};
use jiff::civil::Date;
use serde::{Deserializer, Serializer};

/// Declares an enum of events with their stored names and schema versions.
///
/// Every variant holds one serde struct; the payload is stored without the variant around it.
macro_rules! events {
    (
        $(#[$doc:meta])*
        pub enum $name:ident {
            $( $(#[$vdoc:meta])* $variant:ident = $text:literal v $version:literal ),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name { $( $(#[$vdoc])* $variant($variant) ),+ }

        impl $name {
            /// The stored names and current schema versions of all events of this list.
            pub const TYPES: &'static [(&'static str, u16)] = &[ $( ($text, $version) ),+ ];

            /// The current schema version of a name; `None` if it is not of this list.
            pub fn version_of(event_type: &str) -> Option<u16> {
                match event_type { $( $text => Some($version), )+ _ => None }
            }

            /// The stored name, such as `residency.registered`.
            pub fn event_type(&self) -> &'static str {
                match self { $( $name::$variant(_) => $text ),+ }
            }

            /// The version of the payload's shape that this build writes.
            pub fn schema_version(&self) -> u16 {
                match self { $( $name::$variant(_) => $version ),+ }
            }

            /// Writes the payload alone.
            ///
            /// # Errors
            /// Whatever the serializer reports.
            pub fn serialize_payload<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                match self { $( $name::$variant(e) => serde::Serialize::serialize(e, s) ),+ }
            }

            /// Reads a payload of the current shape; `None` if the name is not of this list.
            ///
            /// # Errors
            /// Whatever the deserializer reports.
            pub fn deserialize_payload<'de, D: serde::Deserializer<'de>>(
                event_type: &str,
                d: D,
            ) -> Result<Option<Self>, D::Error> {
                match event_type {
                    $( $text => <$variant as serde::Deserialize>::deserialize(d)
                        .map(|e| Some($name::$variant(e))), )+
                    _ => Ok(None),
                }
            }
        }

        $( impl From<$variant> for $name { fn from(e: $variant) -> Self { $name::$variant(e) } } )+
    };
}
pub(crate) use events;

/// One event of any stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A fact that every case may have.
    Case(case::Event),
    /// A fact of a residency change.
    Residency(residency::Event),
    /// A fact of a building permit.
    Permit(permit::Event),
    /// A fact of an imported history.
    Imported(imported::Event),
    /// A fact of the protocol register.
    Register(register::Event),
    /// A fact of a school application.
    Enrolment(enrolment::Event),
    /// A fact of a school call.
    Call(call::Event),
}

/// Applies one expression to whichever list an event belongs to.
macro_rules! each {
    ($event:expr, $e:ident => $body:expr) => {
        match $event {
            Event::Case($e) => $body,
            Event::Residency($e) => $body,
            Event::Permit($e) => $body,
            Event::Imported($e) => $body,
            Event::Register($e) => $body,
            Event::Enrolment($e) => $body,
            Event::Call($e) => $body,
        }
    };
}

impl Event {
    /// The stored name, such as `case.opened`.
    pub fn event_type(&self) -> &'static str {
        each!(self, e => e.event_type())
    }

    /// The version of the payload's shape that this build writes.
    pub fn schema_version(&self) -> u16 {
        each!(self, e => e.schema_version())
    }

    /// The legal day of the fact, when it differs from the moment of the decision: what happened
    /// before it was recorded, and what takes effect by law at a stated instant.
    pub fn occurred_on(&self) -> Option<Occurrence> {
        match self {
            Event::Case(e) => e.occurred_on(),
            Event::Residency(e) => e.occurred_on(),
            Event::Enrolment(e) => e.occurred_on(),
            Event::Call(e) => e.occurred_on(),
            Event::Permit(e) => e.occurred_on(),
            Event::Imported(_) | Event::Register(_) => None,
        }
    }

    /// Every stored name with its current schema version.
    pub fn types() -> impl Iterator<Item = (&'static str, u16)> {
        [
            case::Event::TYPES,
            residency::Event::TYPES,
            permit::Event::TYPES,
            imported::Event::TYPES,
            register::Event::TYPES,
            enrolment::Event::TYPES,
            call::Event::TYPES,
        ]
        .into_iter()
        .flatten()
        .copied()
    }

    /// The current schema version of a name; `None` if no event has it.
    pub fn version_of(event_type: &str) -> Option<u16> {
        match event_type.split('.').next().unwrap_or_default() {
            "case" => case::Event::version_of(event_type),
            "residency" => residency::Event::version_of(event_type),
            "permit" => permit::Event::version_of(event_type),
            "imported" => imported::Event::version_of(event_type),
            "register" => register::Event::version_of(event_type),
            "enrolment" => enrolment::Event::version_of(event_type),
            "call" => call::Event::version_of(event_type),
            _ => None,
        }
    }

    /// Writes the payload alone.
    ///
    /// # Errors
    /// Whatever the serializer reports.
    pub fn serialize_payload<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        each!(self, e => e.serialize_payload(s))
    }

    /// Reads a payload of the current shape; `None` if no event has this name.
    ///
    /// # Errors
    /// Whatever the deserializer reports.
    pub fn deserialize_payload<'de, D: Deserializer<'de>>(
        event_type: &str,
        d: D,
    ) -> Result<Option<Self>, D::Error> {
        let area = event_type.split('.').next().unwrap_or_default();
        match area {
            "case" => Ok(case::Event::deserialize_payload(event_type, d)?.map(Event::Case)),
            "residency" => {
                Ok(residency::Event::deserialize_payload(event_type, d)?.map(Event::Residency))
            }
            "permit" => Ok(permit::Event::deserialize_payload(event_type, d)?.map(Event::Permit)),
            "imported" => {
                Ok(imported::Event::deserialize_payload(event_type, d)?.map(Event::Imported))
            }
            "register" => {
                Ok(register::Event::deserialize_payload(event_type, d)?.map(Event::Register))
            }
            "enrolment" => {
                Ok(enrolment::Event::deserialize_payload(event_type, d)?.map(Event::Enrolment))
            }
            "call" => Ok(call::Event::deserialize_payload(event_type, d)?.map(Event::Call)),
            _ => Ok(None),
        }
    }
}

/// When a fact counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    /// On a civil day in Rome; the instant is that day's first, or now if it is today.
    Day(Date),
    /// At an exact instant.
    Instant(jiff::Timestamp),
}

impl From<case::Event> for Event {
    fn from(e: case::Event) -> Self {
        Event::Case(e)
    }
}
impl From<residency::Event> for Event {
    fn from(e: residency::Event) -> Self {
        Event::Residency(e)
    }
}
impl From<permit::Event> for Event {
    fn from(e: permit::Event) -> Self {
        Event::Permit(e)
    }
}
impl From<imported::Event> for Event {
    fn from(e: imported::Event) -> Self {
        Event::Imported(e)
    }
}
impl From<register::Event> for Event {
    fn from(e: register::Event) -> Self {
        Event::Register(e)
    }
}
impl From<enrolment::Event> for Event {
    fn from(e: enrolment::Event) -> Self {
        Event::Enrolment(e)
    }
}
impl From<call::Event> for Event {
    fn from(e: call::Event) -> Self {
        Event::Call(e)
    }
}
