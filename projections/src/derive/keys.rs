//! What a case is found by. What is personal about it comes as keyed hashes from the vault's index;
//! a name or a code is never seen here, and is gone from here once it is erased.

use std::collections::{BTreeMap, BTreeSet};

use pratica_domain::ids::ProtocolNumber;
use pratica_domain::people::{Address, Personal};
use pratica_domain::permit::{self, Site};
use pratica_domain::residency;
use pratica_domain::{Case, ProcedureState};
use pratica_store::StreamName;
use pratica_store::vault::{BlindIndex, BlindKey, VaultError};

/// A key of the search, and of which kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub kind: &'static str,
    pub key: String,
}

impl From<BlindKey> for Key {
    fn from(key: BlindKey) -> Self {
        Key { kind: key.kind, key: key.key }
    }
}

/// What a case is found by; by the sealed text, so that each is opened once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Keys {
    personal: BTreeMap<String, Vec<Key>>,
    pub all: BTreeSet<Key>,
}

/// All keys of a case; of one whose personal data is erased, only those that are not personal.
/// `before` is what it was found by until now.
pub(crate) fn of(
    case: &Case,
    stream: &StreamName,
    index: &dyn BlindIndex,
    before: Option<&Keys>,
) -> Result<Keys, VaultError> {
    let file = &case.file;
    let mut keys = Keys::default();
    let known = |sealed: &str| before.and_then(|b| b.personal.get(sealed)).cloned();
    let mut take = |sealed: Option<&str>,
                    make: &mut dyn FnMut() -> Result<Vec<BlindKey>, VaultError>|
     -> Result<(), VaultError> {
        let Some(sealed) = sealed else { return Ok(()) };
        let found = match known(sealed) {
            Some(found) => found,
            None => make()?.into_iter().map(Key::from).collect(),
        };
        keys.personal.insert(sealed.to_owned(), found);
        Ok(())
    };
    let erased = file.disposal.erased_on().is_some();
    for party in file.parties.values().filter(|_| !erased) {
        take(party.person.sealed(), &mut || index.person(stream, &party.person))?;
    }
    for address in addresses(case).into_iter().filter(|_| !erased) {
        take(address.sealed(), &mut || index.address(stream, address))?;
    }
    for site in sites(case).into_iter().filter(|_| !erased) {
        take(site.sealed(), &mut || index.site(stream, site))?;
    }
    keys.all.extend(keys.personal.values().flatten().cloned());
    keys.all.extend(file.documents.values().filter_map(|d| d.number).map(protocol));
    let referred = file.opening.as_ref().and_then(|o| o.reference.as_deref()).map(reference);
    keys.all.extend(referred.filter(|key| !key.key.is_empty()));
    Ok(keys)
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
    match state {
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
    Key { kind: "protocol", key: number.to_string() }
}

/// The key of a reference.
pub(crate) fn reference(reference: &str) -> Key {
    Key { kind: "reference", key: reference.trim().to_owned() }
}
