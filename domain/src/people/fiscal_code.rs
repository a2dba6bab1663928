//! The fiscal code: reading, checking and making it (DM 23-12-1976).
//!
//! Sixteen characters for persons, eleven digits for bodies and for provisional codes of
//! persons. A code is stored as it was issued: digits replaced because two persons had the
//! same code (omocodia) are never put back. It is personal data: neither `Debug` nor any
//! error of this module shows it. Whether the code is really assigned, only the register of
//! the revenue agency knows.

mod encoding;
mod error;
mod letters;

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use error::FiscalCodeError;

use letters::{MONTHS, NUMERIC_PLACES, check_letter, eleventh_digit, is_belfiore, plain_digit};

/// A fiscal code whose form and check character are right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FiscalCode(String);

/// The two forms of a fiscal code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiscalCodeKind {
    /// Sixteen characters: a person.
    Person,
    /// Eleven digits: a body, or the provisional code of a person.
    Numeric,
}

/// The sex a code of a person encodes (day of birth plus 40 for women).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Day as it is.
    Male,
    /// Day plus 40.
    Female,
}

impl FiscalCode {
    /// Reads a code. Blanks around it, lower case and the prefix `TINIT-` of SPID and CIE are
    /// taken away; nothing else is changed.
    ///
    /// # Errors
    /// What is wrong, at which position, by which rule, and what would help; never the code.
    pub fn parse(text: &str) -> Result<FiscalCode, FiscalCodeError> {
        let upper = text.trim().to_uppercase();
        let code = upper.strip_prefix("TINIT-").unwrap_or(&upper);
        let length = code.chars().count();
        if let Some(at) = code.chars().position(|c| !c.is_ascii_alphanumeric()) {
            return Err(FiscalCodeError::Character { position: at + 1 });
        }
        let bytes = code.as_bytes();
        match length {
            16 => check_person(bytes)?,
            11 => check_numeric(bytes)?,
            0 => return Err(FiscalCodeError::Empty),
            _ => return Err(FiscalCodeError::Length { length }),
        }
        Ok(FiscalCode(code.to_owned()))
    }

    /// The code of a person with no omocodia. Accents and other marks of the Latin script are
    /// taken off the letters (`ü` is U, not UE); `ß` is SS, `æ` is AE, `ø` is O.
    ///
    /// # Errors
    /// A surname or name with no Latin letter, a year before 1800 or after 2199, a text that
    /// is no Belfiore code (a letter and three digits).
    pub fn encode(
        surname: &str,
        given_name: &str,
        sex: Sex,
        birth_date: Date,
        belfiore: &str,
    ) -> Result<FiscalCode, FiscalCodeError> {
        encoding::encode(surname, given_name, sex, birth_date, belfiore).map(FiscalCode)
    }

    /// The code as text: upper case, no prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which of the two forms it has.
    pub fn kind(&self) -> FiscalCodeKind {
        if self.0.len() == 16 { FiscalCodeKind::Person } else { FiscalCodeKind::Numeric }
    }

    /// The date of birth. The code holds two digits of the year: of the possible dates it is
    /// the latest that is not after `not_after`, so anyone above a century is taken for a
    /// child. None for the numeric form.
    pub fn birth_date(&self, not_after: Date) -> Option<Date> {
        let (year, month, day, _) = self.birth_parts()?;
        let century = not_after.year().div_euclid(100);
        // 29 February exists in one century and not in another: look four back.
        (0..=4).find_map(|back| {
            let date = Date::new((century - back) * 100 + year, month, day).ok()?;
            (date <= not_after).then_some(date)
        })
    }

    /// The sex; none for the numeric form.
    pub fn sex(&self) -> Option<Sex> {
        self.birth_parts().map(|(.., sex)| sex)
    }

    /// The Belfiore code of the birthplace (a comune, or Z and a foreign state), with any
    /// replaced digits read back; none for the numeric form. It may be of an abolished comune:
    /// look it up by code and date.
    pub fn birthplace(&self) -> Option<String> {
        let plain = self.plain()?;
        let place = plain.get(11..15)?;
        Some(place.iter().map(|byte| char::from(*byte)).collect())
    }

    /// How many digits are replaced by letters because another person had the same code.
    pub fn replaced_digits(&self) -> usize {
        let bytes = self.0.as_bytes();
        if bytes.len() != 16 {
            return 0;
        }
        let is_letter = |place: &&usize| bytes.get(**place).is_some_and(u8::is_ascii_alphabetic);
        NUMERIC_PLACES.iter().filter(is_letter).count()
    }

    /// The variants that a person would be given if others had the same code: digits replaced
    /// from the rightmost on, in all 127 combinations, fewest replacements first. Empty for
    /// the numeric form and for a code that has replacements already.
    pub fn omocodia_variants(&self) -> Vec<FiscalCode> {
        if self.kind() == FiscalCodeKind::Numeric || self.replaced_digits() > 0 {
            return Vec::new();
        }
        encoding::variants(self.0.as_bytes()).into_iter().map(FiscalCode).collect()
    }

    /// Whether the code could belong to a person of that name: the six letters only. None for
    /// the numeric form or where the names hold no Latin letter.
    pub fn matches(&self, surname: &str, given_name: &str) -> Option<bool> {
        if self.kind() == FiscalCodeKind::Numeric {
            return None;
        }
        let letters =
            encoding::surname_letters(surname)? + &encoding::given_name_letters(given_name)?;
        Some(self.0.starts_with(&letters))
    }

    /// Whether the code could belong to a person of that name, sex, date and place of birth.
    /// None as in [`FiscalCode::matches`].
    pub fn matches_person(
        &self,
        surname: &str,
        given_name: &str,
        sex: Sex,
        birth_date: Date,
        belfiore: &str,
    ) -> Option<bool> {
        let names = self.matches(surname, given_name)?;
        Some(
            names
                && self.sex() == Some(sex)
                && self.birth_date(birth_date) == Some(birth_date)
                && self.birthplace().as_deref() == Some(&belfiore.trim().to_uppercase()),
        )
    }

    /// The sixteen characters with the replaced digits read back, for reading only.
    fn plain(&self) -> Option<Vec<u8>> {
        (self.kind() == FiscalCodeKind::Person).then(|| read_back(self.0.as_bytes()))
    }

    /// Year in the century, month, day, sex.
    fn birth_parts(&self) -> Option<(i16, i8, i8, Sex)> {
        parts(&self.plain()?)
    }
}

fn read_back(bytes: &[u8]) -> Vec<u8> {
    let mut plain = bytes.to_vec();
    for place in NUMERIC_PLACES {
        if let Some(byte) = plain.get_mut(place) {
            *byte = plain_digit(*byte).unwrap_or(*byte);
        }
    }
    plain
}

fn parts(plain: &[u8]) -> Option<(i16, i8, i8, Sex)> {
    let number = |from: usize| {
        let digit =
            |place: usize| plain.get(place).filter(|b| b.is_ascii_digit()).map(|b| b - b'0');
        Some(digit(from)? * 10 + digit(from + 1)?)
    };
    let year = i16::from(number(6)?);
    let letter = plain.get(8)?;
    let month = MONTHS.iter().position(|month| month == letter)?;
    let month = i8::try_from(month + 1).ok()?;
    let day = number(9)?;
    let (day, sex) = if day > 40 { (day - 40, Sex::Female) } else { (day, Sex::Male) };
    Some((year, month, i8::try_from(day).ok()?, sex))
}

fn check_person(bytes: &[u8]) -> Result<(), FiscalCodeError> {
    for (place, byte) in bytes.iter().enumerate() {
        let position = place + 1;
        if NUMERIC_PLACES.contains(&place) {
            if plain_digit(*byte).is_none() {
                return Err(FiscalCodeError::NotADigit { position });
            }
        } else if !byte.is_ascii_alphabetic() {
            return Err(FiscalCodeError::NotALetter { position });
        }
    }
    let plain = read_back(bytes);
    if !plain.get(8).is_some_and(|letter| MONTHS.contains(letter)) {
        return Err(FiscalCodeError::Month);
    }
    // The century is not in the code. 2000 + year has 29 February wherever any century does.
    let exists = parts(&plain)
        .is_some_and(|(year, month, day, _)| Date::new(2000 + year, month, day).is_ok());
    if !exists {
        return Err(FiscalCodeError::Day);
    }
    if !plain.get(11..15).is_some_and(is_belfiore) {
        return Err(FiscalCodeError::Birthplace);
    }
    let expected = bytes.get(..15).and_then(check_letter);
    if expected != bytes.get(15).copied() {
        return Err(FiscalCodeError::CheckLetter);
    }
    Ok(())
}

fn check_numeric(bytes: &[u8]) -> Result<(), FiscalCodeError> {
    if let Some(place) = bytes.iter().position(|byte| !byte.is_ascii_digit()) {
        return Err(FiscalCodeError::NotADigitOfEleven { position: place + 1 });
    }
    let expected = bytes.get(..10).map(eleventh_digit);
    if expected != bytes.get(10).copied() { Err(FiscalCodeError::CheckDigit) } else { Ok(()) }
}

impl fmt::Display for FiscalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Personal data: logs and panics must not show it.
impl fmt::Debug for FiscalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FiscalCode(..)")
    }
}

impl FromStr for FiscalCode {
    type Err = FiscalCodeError;

    fn from_str(text: &str) -> Result<FiscalCode, FiscalCodeError> {
        FiscalCode::parse(text)
    }
}

impl TryFrom<String> for FiscalCode {
    type Error = FiscalCodeError;

    fn try_from(text: String) -> Result<FiscalCode, FiscalCodeError> {
        FiscalCode::parse(&text)
    }
}

impl From<FiscalCode> for String {
    fn from(code: FiscalCode) -> String {
        code.0
    }
}
