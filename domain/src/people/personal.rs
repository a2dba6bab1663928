//! Personal data and its only container. What is not inside [`Personal`] must not identify a person.

use crate::ids::SubjectId;
use crate::people::FiscalCode;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Personal data of one data subject. `Debug` shows the subject, never the data.
///
/// At rest the value is to be sealed with the key of its subject; nothing outside this type may
/// carry it, so that destroying the key erases it everywhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal<T> {
    /// Whose data it is.
    pub subject: SubjectId,
    /// The data.
    pub value: T,
}

impl<T> Personal<T> {
    /// Wraps data that belongs to `subject`.
    pub fn new(subject: SubjectId, value: T) -> Self {
        Personal { subject, value }
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
