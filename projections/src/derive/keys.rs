//! What a case is found by. What is personal about it comes as keyed hashes from the vault's index;
//! a name or a code is never seen here, and is gone from here once it is erased.

use std::sync::Arc;

use pratica_domain::ids::ProtocolNumber;
use pratica_domain::people::{Address, Person, Personal};
use pratica_domain::permit::{self, Site};
use pratica_domain::residency;
use pratica_domain::{Case, ProcedureState};
use pratica_store::StreamName;
use pratica_store::vault::{BlindIndex, BlindKey, VaultError};

use crate::digest::Digest;

/// A key of the search: 64 bits of a hash of its kind and its text. That a search brings a case
/// too many for two texts with one key has a chance of some 10^-12 among a million cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub i64);

impl Key {
    /// Of what is not personal.
    fn plain(kind: &str, text: &str) -> Key {
        let mut digest = Digest::default();
        digest.bytes(kind.as_bytes());
        digest.bytes(text.as_bytes());
        Key(digest.short().cast_signed())
    }
}

impl From<BlindKey> for Key {
    fn from(key: BlindKey) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = key.hash;
        Key(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// What a case is found by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Keys {
    /// Of the sealed texts that `personal` is made of.
    sealed: Digest,
    personal: Vec<Key>,
    plain: Vec<Key>,
    /// In order, each once.
    all: Vec<Key>,
}

impl Keys {
    /// Those that are made of personal data.
    pub(crate) fn personal(&self) -> &[Key] {
        &self.personal
    }

    /// These, with others made of the personal data.
    pub(crate) fn with_personal(&self, personal: Vec<Key>) -> Keys {
        Keys::new(self.sealed, personal, self.plain.clone())
    }

    /// Those that `other` has not.
    pub(crate) fn beyond(&self, other: &Keys) -> impl Iterator<Item = Key> {
        self.all.iter().filter(|key| other.all.binary_search(key).is_err()).copied()
    }

    fn new(sealed: Digest, personal: Vec<Key>, plain: Vec<Key>) -> Keys {
        let mut all = [&personal[..], &plain].concat();
        all.sort_unstable();
        all.dedup();
        Keys { sealed, personal, plain, all }
    }
}

/// All keys of a case; of one whose personal data is erased, only those that are not personal.
/// `before` is what it was found by until now, and the same again if nothing of it changed.
pub(crate) fn of(
    case: &Case,
    stream: &StreamName,
    index: &dyn BlindIndex,
    before: Option<&Arc<Keys>>,
) -> Result<Arc<Keys>, VaultError> {
    let (sealed, plain) = (sealed(case), plain(case));
    let mut digest = Digest::default();
    for (text, _) in &sealed {
        digest.bytes(text.as_bytes());
    }
    let same = before.filter(|before| before.sealed == digest);
    if let Some(same) = same.filter(|before| before.plain == plain) {
        return Ok(Arc::clone(same));
    }
    let personal = match same {
        Some(same) => same.personal.clone(),
        None => {
            let mut personal = Vec::new();
            for (_, of) in &sealed {
                personal.extend(of.keys(stream, index)?.into_iter().map(Key::from));
            }
            personal
        }
    };
    Ok(Arc::new(Keys::new(digest, personal, plain)))
}

/// Something personal that a case is found by.
enum Sealed<'a> {
    Person(&'a Personal<Person>),
    Address(&'a Personal<Address>),
    Site(&'a Personal<Site>),
}

impl Sealed<'_> {
    fn keys(
        &self,
        stream: &StreamName,
        index: &dyn BlindIndex,
    ) -> Result<Vec<BlindKey>, VaultError> {
        match self {
            Sealed::Person(person) => index.person(stream, person),
            Sealed::Address(address) => index.address(stream, address),
            Sealed::Site(site) => index.site(stream, site),
        }
    }
}

/// What is personal about a case, with its sealed text; nothing once it is erased.
fn sealed(case: &Case) -> Vec<(&str, Sealed<'_>)> {
    if case.file.disposal.erased_on().is_some() {
        return Vec::new();
    }
    let people = case.file.parties.values().map(|party| &party.person);
    let people = people.filter_map(|p| Some((p.sealed()?, Sealed::Person(p))));
    let addresses = addresses(case).into_iter();
    let addresses = addresses.filter_map(|a| Some((a.sealed()?, Sealed::Address(a))));
    let sites = sites(case).into_iter().filter_map(|s| Some((s.sealed()?, Sealed::Site(s))));
    people.chain(addresses).chain(sites).collect()
}

/// What is not personal.
fn plain(case: &Case) -> Vec<Key> {
    let file = &case.file;
    let referred = file.opening.as_ref().and_then(|o| o.reference.as_deref()).map(reference);
    let numbers = file.documents.values().filter_map(|d| d.number).map(protocol);
    numbers.chain(referred.flatten()).collect()
}

/// The addresses that a case is about.
fn addresses(case: &Case) -> Vec<&Personal<Address>> {
    match &case.procedure {
        ProcedureState::Residency(residency::State::Declared(_, declaration)) => {
            vec![&declaration.content.address]
        }
        _ => Vec::new(),
    }
}

/// The building sites that a case is about.
fn sites(case: &Case) -> Vec<&Personal<Site>> {
    use permit::State;
    let ProcedureState::Permit(state) = &case.procedure else { return Vec::new() };
    match &**state {
        State::NotFiled => Vec::new(),
        State::Pending(a)
        | State::Titled(a, _)
        | State::Ended(a)
        | State::Notice(a, _)
        | State::Communicated(a) => vec![&a.content.site],
    }
}

/// The key of a protocol number.
pub(crate) fn protocol(number: ProtocolNumber) -> Key {
    Key::plain("protocol", &number.to_string())
}

/// The key of a reference; none of an empty one.
pub(crate) fn reference(reference: &str) -> Option<Key> {
    let reference = reference.trim();
    (!reference.is_empty()).then(|| Key::plain("reference", reference))
}
