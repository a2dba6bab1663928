//! What a case is found by.

use std::collections::BTreeSet;

use pratica_domain::case::CaseFile;
use pratica_domain::ids::ProtocolNumber;
use pratica_domain::people::Person;

/// A key of the search, and of which kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub kind: &'static str,
    pub key: String,
}

/// All keys of a case.
pub(crate) fn of(file: &CaseFile) -> BTreeSet<Key> {
    let mut all = BTreeSet::new();
    for party in file.parties.values() {
        all.extend(of_person(&party.person.value));
    }
    all.extend(file.documents.values().filter_map(|d| d.number).map(protocol));
    let referred = file.opening.as_ref().and_then(|o| o.reference.as_deref()).map(reference);
    all.extend(referred);
    all.retain(|key| !key.key.is_empty());
    all
}

/// The keys that are personal data, as the views hold them: in the clear for now. The identity
/// issue replaces their texts, here and only here, by a keyed blind index, so that destroying a
/// key also destroys what a person is found by.
fn of_person(person: &Person) -> impl Iterator<Item = Key> {
    let code = person.fiscal_code.as_ref().map(|code| fiscal_code(code.as_str()));
    code.into_iter().chain([family_name(&person.family_name)])
}

/// The key of a fiscal code.
pub(crate) fn fiscal_code(code: &str) -> Key {
    let key = code.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect();
    Key { kind: "fiscal_code", key }
}

/// The key of a family name, or of its beginning.
pub(crate) fn family_name(name: &str) -> Key {
    Key { kind: "family_name", key: folded(name) }
}

/// The key of a protocol number.
pub(crate) fn protocol(number: ProtocolNumber) -> Key {
    Key { kind: "protocol", key: number.to_string() }
}

/// The key of a reference.
pub(crate) fn reference(reference: &str) -> Key {
    Key { kind: "reference", key: reference.trim().to_owned() }
}

/// A name without accents, apostrophes, spaces and capitals: `D'Àngelo` is found by `dangelo`.
fn folded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        match base(c) {
            Some(letters) => text.push_str(letters),
            None if c.is_alphanumeric() => text.push(c),
            None => {}
        }
    }
    text
}

/// The base letters of a letter with a mark, of the alphabets that Italian registers meet.
fn base(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ł' | 'ľ' | 'ĺ' | 'ļ' => "l",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
        'ŕ' | 'ř' | 'ŗ' => "r",
        'ś' | 'š' | 'ş' | 'ș' | 'ŝ' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn a_name_is_found_without_its_accents_apostrophes_and_capitals() {
        for (name, key) in [
            ("D'Àngelo", "dangelo"),
            ("De Luca", "deluca"),
            ("Müller-Straße", "mullerstrasse"),
            ("Šimić", "simic"),
            ("Łukasz", "lukasz"),
            ("Ötztal", "otztal"),
            ("Nicolò", "nicolo"),
            ("王", "王"),
            ("  ", ""),
        ] {
            assert_eq!(folded(name), key);
        }
    }
}
