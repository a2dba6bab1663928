//! The typed identifiers of the domain: an append-only registry.
//!
//! A bare `Uuid` or `String` never stands for a case, an officer or a document in a signature.
//! No identifier is made here at random: new ones derive from the request that asks for them.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map($name).map_err(|_| InvalidId {
                    what: stringify!($name),
                    text: text.to_owned(),
                    rule: "a UUID such as 0190b5c2-7d1e-7c3a-9d7e-2f0f6f6a1c11",
                })
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if is_slug(text) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(InvalidId { what: stringify!($name), text: text.to_owned(), rule: SLUG })
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

const SLUG: &str =
    "1 to 64 lower-case ASCII letters, digits, `.`, `_`, beginning with a letter or digit";

fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_'))
}

/// A text that is not the identifier it was said to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}: it must be {rule}")]
pub struct InvalidId {
    /// The type of identifier.
    pub what: &'static str,
    /// The text received.
    pub text: String,
    /// What a valid one looks like.
    pub rule: &'static str,
}

uuid_id! {
    /// One case (*pratica*); the last part of its stream's name.
    CaseId
}
uuid_id! {
    /// A data subject inside one case: the owner of a key, the anchor of [`crate::people::Personal`].
    SubjectId
}
uuid_id! {
    /// A document of a case, in one version.
    DocumentId
}
uuid_id! {
    /// A request to the citizen, a notice, a note, a message, a visit or a proposal of one case.
    EntryId
}
uuid_id! {
    /// A school call; the last part of its stream's name.
    CallId
}
text_id! {
    /// A school or nursery of a call, such as `centro`.
    SchoolId
}
text_id! {
    /// An age band of a call, such as `piccoli`.
    BandId
}
text_id! {
    /// A comune (or the authority that stands for it): a short slug such as `bologna` or `a944`.
    ComuneId
}
text_id! {
    /// An office of a comune, such as `anagrafe`.
    OfficeId
}
text_id! {
    /// An officer: the account name, never a person's name.
    OfficerId
}

/// A protocol number: progressive within the calendar year of Rome, at least seven digits in text
/// (DPR 445/2000 arts. 53 and 57).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProtocolNumber {
    /// The year of registration.
    pub year: i16,
    /// The number, from 1.
    pub number: u64,
}

impl fmt::Display for ProtocolNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:07}/{}", self.number, self.year)
    }
}

impl std::str::FromStr for ProtocolNumber {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            what: "ProtocolNumber",
            text: text.to_owned(),
            rule: "NUMBER/YEAR, such as 0000042/2026",
        };
        let (number, year) = text.split_once('/').ok_or_else(invalid)?;
        let number: u64 = number.parse().map_err(|_| invalid())?;
        let year: i16 = year.parse().map_err(|_| invalid())?;
        if number == 0 || !(1000..=9999).contains(&year) {
            return Err(invalid());
        }
        Ok(ProtocolNumber { year, number })
    }
}

/// Derives an identifier from the request that asks for it, so that a retry asks for the same one.
///
/// `purpose` tells apart the identifiers made by one request.
pub fn derived(request_id: Uuid, purpose: &str) -> Uuid {
    Uuid::new_v5(&request_id, purpose.as_bytes())
}
