//! What people are found by: keyed hashes of codes, of the beginnings of names and of addresses.
//!
//! Who has the index without its key learns which cases share a code, a beginning of a name or an
//! address, and nothing else. A projection is given the trait alone: it gets hashes, never names.

use std::fmt;

use pratica_domain::people::{Address, Person, Personal, fold_letters};
use pratica_domain::permit::Site;

use super::{Vault, VaultError};
use crate::event::StreamName;

/// The shortest beginning of a name, in letters, unless the name is shorter.
const NAME_MIN: usize = 2;
/// The longest beginning of a name that is told apart.
const NAME_MAX: usize = 16;
/// The shortest and the longest beginning of an address.
const ADDRESS_MIN: usize = 5;
const ADDRESS_MAX: usize = 24;

/// One thing that a case is found by. Written as text it is its kind and its hash in hexadecimal,
/// such as `name:0f3c..`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlindKey {
    /// Of which kind.
    pub kind: &'static str,
    /// 128 bits of a keyed hash of kind and text.
    pub hash: [u8; 16],
}

impl fmt::Display for BlindKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, hex(&self.hash))
    }
}

/// What somebody looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find<'a> {
    /// A fiscal code, the whole.
    FiscalCode(&'a str),
    /// The beginning of a family name.
    Name(&'a str),
    /// The beginning of an address: street and number.
    Address(&'a str),
    /// A parcel of the land registry: sheet and number.
    Parcel(&'a str),
}

/// Makes blind keys: all that a projection sees of the vault.
pub trait BlindIndex: Send + Sync {
    /// What a person is found by; nothing once their data is erased.
    ///
    /// # Errors
    /// As [`Vault::unseal`].
    fn person(
        &self,
        stream: &StreamName,
        person: &Personal<Person>,
    ) -> Result<Vec<BlindKey>, VaultError>;

    /// What an address is found by; nothing once it is erased.
    ///
    /// # Errors
    /// As [`Vault::unseal`].
    fn address(
        &self,
        stream: &StreamName,
        address: &Personal<Address>,
    ) -> Result<Vec<BlindKey>, VaultError>;

    /// What a building site is found by: its address and its parcels; nothing once it is erased.
    ///
    /// # Errors
    /// As [`Vault::unseal`].
    fn site(&self, stream: &StreamName, site: &Personal<Site>)
    -> Result<Vec<BlindKey>, VaultError>;

    /// The key to look for; none when nothing is left of the text.
    fn find(&self, find: Find<'_>) -> Option<BlindKey>;
}

impl BlindIndex for Vault {
    fn person(
        &self,
        stream: &StreamName,
        person: &Personal<Person>,
    ) -> Result<Vec<BlindKey>, VaultError> {
        let person = self.read(stream.as_str(), person.clone())?;
        if !person.is_readable() {
            return Ok(Vec::new());
        }
        let person = &person.value;
        let mut keys = self.beginnings("name", &person.family_name, NAME_MIN, NAME_MAX);
        let code = person.fiscal_code.as_ref().map(|code| code.as_str());
        keys.extend(code.and_then(|code| self.find(Find::FiscalCode(code))));
        Ok(keys)
    }

    fn address(
        &self,
        stream: &StreamName,
        address: &Personal<Address>,
    ) -> Result<Vec<BlindKey>, VaultError> {
        let address = self.read(stream.as_str(), address.clone())?;
        if !address.is_readable() {
            return Ok(Vec::new());
        }
        Ok(self.beginnings("address", &address.value.street, ADDRESS_MIN, ADDRESS_MAX))
    }

    fn site(
        &self,
        stream: &StreamName,
        site: &Personal<Site>,
    ) -> Result<Vec<BlindKey>, VaultError> {
        let site = self.read(stream.as_str(), site.clone())?;
        if !site.is_readable() {
            return Ok(Vec::new());
        }
        let site = &site.value;
        let mut keys = self.beginnings("address", &site.address.street, ADDRESS_MIN, ADDRESS_MAX);
        for parcel in &site.parcels {
            let text = format!("{} {}", parcel.sheet, parcel.number);
            keys.extend(self.find(Find::Parcel(&text)));
        }
        Ok(keys)
    }

    fn find(&self, find: Find<'_>) -> Option<BlindKey> {
        let cut = |text: &str, most: usize| fold_letters(text).chars().take(most).collect();
        let (kind, text): (_, String) = match find {
            Find::FiscalCode(code) => {
                let bare = code.chars().filter(|c| !c.is_whitespace());
                ("fiscal_code", bare.flat_map(char::to_uppercase).collect())
            }
            Find::Name(name) => ("name", cut(name, NAME_MAX)),
            Find::Address(street) => ("address", cut(street, ADDRESS_MAX)),
            Find::Parcel(parcel) => ("parcel", parcel_numbers(parcel)),
        };
        (!text.is_empty()).then(|| self.blind(kind, &text))
    }
}

impl Vault {
    fn blind(&self, kind: &'static str, text: &str) -> BlindKey {
        let whole = self.index.hash(&[kind.as_bytes(), text.as_bytes()]);
        let mut hash = [0; 16];
        hash.copy_from_slice(&whole[..16]);
        BlindKey { kind, hash }
    }

    /// The keys of a text's beginnings, from the shortest to the longest that is told apart.
    fn beginnings(
        &self,
        kind: &'static str,
        text: &str,
        shortest: usize,
        longest: usize,
    ) -> Vec<BlindKey> {
        let text = fold_letters(text);
        let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
        let ends: Vec<usize> = ends.take(longest).collect();
        let shortest = shortest.min(ends.len()).max(1);
        let beginnings = ends.iter().skip(shortest - 1).filter_map(|end| text.get(..*end));
        beginnings.map(|beginning| self.blind(kind, beginning)).collect()
    }
}

/// Sheet and number, however they are written: `foglio 12, mappale 34` and `12/34` are one.
fn parcel_numbers(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let numbers: Vec<String> = words
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()))
        .map(str::to_lowercase)
        .collect();
    numbers.join("/")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}
