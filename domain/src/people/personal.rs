//! Personal data and its only container. What is not inside [`Personal`] must not identify a person.

use crate::ids::SubjectId;
use crate::people::FiscalCode;
use jiff::civil::Date;
use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The name under which [`Personal`] is written: by it a writer knows what it has to seal.
pub const PERSONAL: &str = "Personal";

/// Personal data of one data subject. `Debug` shows the subject, never the data.
///
/// At rest the value is sealed with the key of its subject; nothing outside this type may carry
/// it, so that destroying the key erases it everywhere. What was read without its key stays
/// sealed: the value is then empty, and [`Personal::sealed`] holds what a key would open.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal<T> {
    /// Whose data it is.
    pub subject: SubjectId,
    /// The data; empty while it is sealed.
    pub value: T,
    sealed: Option<Arc<str>>,
}

impl<T> Personal<T> {
    /// Wraps data that belongs to `subject`.
    pub fn new(subject: SubjectId, value: T) -> Self {
        Personal { subject, value, sealed: None }
    }

    /// What a key would open; none when the value is there.
    pub fn sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }

    /// Whether the value is there: not sealed, and so not erased either.
    pub fn is_readable(&self) -> bool {
        self.sealed.is_none()
    }
}

impl Personal<String> {
    /// Words about `subject`; none when nothing was said.
    pub fn said(subject: SubjectId, words: &str) -> Option<Self> {
        let words = words.trim();
        (!words.is_empty()).then(|| Personal::new(subject, words.to_owned()))
    }
}

impl<T: Default> Personal<T> {
    /// Data of which only the sealed text is at hand.
    pub fn from_sealed(subject: SubjectId, sealed: &str) -> Self {
        Personal { subject, value: T::default(), sealed: Some(sealed.into()) }
    }
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct(PERSONAL, 2)?;
        fields.serialize_field("subject", &self.subject)?;
        match &self.sealed {
            None => fields.serialize_field("value", &self.value)?,
            Some(sealed) => fields.serialize_field("sealed", &**sealed)?,
        }
        fields.end()
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Stored<'a, T> {
            subject: SubjectId,
            #[serde(default = "Option::default")]
            value: Option<T>,
            // Of the bytes that are read, where these are at hand.
            #[serde(default, borrow)]
            sealed: Option<Cow<'a, str>>,
        }
        let Stored { subject, value, sealed } = Stored::deserialize(deserializer)?;
        match (value, sealed) {
            (Some(value), None) => Ok(Personal::new(subject, value)),
            (None, Some(sealed)) => Ok(Personal::from_sealed(subject, &sealed)),
            _ => Err(D::Error::custom("personal data is either a value or sealed")),
        }
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({})", self.subject)
    }
}

/// A natural or legal person as a form names them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Given name; empty for a legal person.
    pub given_name: String,
    /// Family name, or the name of the company or body.
    pub family_name: String,
    /// Fiscal code; absent for a newborn or a foreigner who has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fiscal_code: Option<FiscalCode>,
    /// Day of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Date>,
    /// Digital domicile or e-mail to which communications go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl Person {
    /// Family name and given name, as registers write them.
    pub fn name(&self) -> String {
        format!("{} {}", self.family_name, self.given_name).trim().to_owned()
    }

    /// Age in whole years on a day, when the day of birth is known.
    pub fn age_on(&self, on: Date) -> Option<i16> {
        let born = self.birth_date?;
        let had_birthday = (on.month(), on.day()) >= (born.month(), born.day());
        Some(on.year() - born.year() - i16::from(!had_birthday))
    }

    /// Whether the person is of age on a day; unknown birth dates count as adult, who must sign.
    pub fn is_adult_on(&self, on: Date) -> bool {
        self.age_on(on).is_none_or(|age| age >= 18)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}

/// A postal address in Italy or abroad.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street, house number and internal number.
    pub street: String,
    /// Postcode.
    #[serde(default)]
    pub postcode: String,
    /// Comune or foreign town.
    pub municipality: String,
    /// Italian province or foreign State.
    #[serde(default)]
    pub province: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}
