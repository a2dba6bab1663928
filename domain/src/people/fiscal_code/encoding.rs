//! Making a fiscal code from a person's data (DM 23-12-1976 arts. 3-7).

use jiff::civil::Date;

use super::Sex;
use super::error::FiscalCodeError;
use super::letters::{MONTHS, NUMERIC_PLACES, REPLACEMENTS, check_letter, is_belfiore};

pub(super) fn encode(
    surname: &str,
    given_name: &str,
    sex: Sex,
    birth_date: Date,
    belfiore: &str,
) -> Result<String, FiscalCodeError> {
    let year = birth_date.year();
    if !(1800..=2199).contains(&year) {
        return Err(FiscalCodeError::Year { year });
    }
    let belfiore = belfiore.trim().to_uppercase();
    if !is_belfiore(belfiore.as_bytes()) {
        return Err(FiscalCodeError::Birthplace);
    }
    let no_letters = |field| FiscalCodeError::NoLetters { field };
    let surname = surname_letters(surname).ok_or_else(|| no_letters("surname"))?;
    let given = given_name_letters(given_name).ok_or_else(|| no_letters("given_name"))?;
    let month = usize::from(birth_date.month().unsigned_abs()).saturating_sub(1);
    let month = char::from(*MONTHS.get(month).ok_or(FiscalCodeError::Month)?);
    let day = match sex {
        Sex::Male => birth_date.day(),
        Sex::Female => birth_date.day() + 40,
    };
    let code = format!("{surname}{given}{:02}{month}{day:02}{belfiore}", year % 100);
    with_check(code).ok_or(FiscalCodeError::CheckLetter)
}

fn with_check(mut first_fifteen: String) -> Option<String> {
    let letter = check_letter(first_fifteen.as_bytes())?;
    first_fifteen.push(char::from(letter));
    Some(first_fifteen)
}

/// The 127 variants of a code without replaced digits. Which digits are replaced are the bits
/// of a number, the lowest bit being the rightmost digit.
pub(super) fn variants(code: &[u8]) -> Vec<String> {
    let mut masks: Vec<u8> = (1..128).collect();
    masks.sort_by_key(|mask| (mask.count_ones(), *mask));
    masks.into_iter().filter_map(|mask| variant(code, mask)).collect()
}

fn variant(code: &[u8], mask: u8) -> Option<String> {
    let mut bytes = code.get(..15)?.to_vec();
    for (bit, place) in NUMERIC_PLACES.iter().enumerate() {
        if mask & (1 << bit) != 0 {
            let byte = bytes.get_mut(*place)?;
            *byte = *REPLACEMENTS.get(usize::from(byte.checked_sub(b'0')?))?;
        }
    }
    with_check(bytes.into_iter().map(char::from).collect())
}

/// Consonants, then vowels, then X. None if there is no letter at all.
pub(super) fn surname_letters(surname: &str) -> Option<String> {
    let (consonants, vowels) = split(surname);
    three(consonants, vowels)
}

/// As for the surname, but of four consonants or more the first, third and fourth.
pub(super) fn given_name_letters(given_name: &str) -> Option<String> {
    let (mut consonants, vowels) = split(given_name);
    if consonants.chars().count() >= 4 {
        consonants.remove(1);
    }
    three(consonants, vowels)
}

fn three(consonants: String, vowels: String) -> Option<String> {
    if consonants.is_empty() && vowels.is_empty() {
        return None;
    }
    Some((consonants + &vowels + "XXX").chars().take(3).collect())
}

fn split(name: &str) -> (String, String) {
    let letters: String = name.chars().flat_map(|c| c.to_uppercase()).map(plain).collect();
    let is_vowel = |letter: &char| "AEIOU".contains(*letter);
    letters.chars().filter(char::is_ascii_uppercase).partition(|letter| !is_vowel(letter))
}

/// A letter without its marks. What is not Latin, and every blank, hyphen, apostrophe and
/// combining mark, falls away. The revenue agency takes the bare letter, not the German
/// transcription (Müller is MLL).
fn plain(letter: char) -> &'static str {
    const ASCII: [&str; 26] = [
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R",
        "S", "T", "U", "V", "W", "X", "Y", "Z",
    ];
    match letter {
        'A'..='Z' => ASCII.get(letter as usize - 'A' as usize).copied().unwrap_or(""),
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' | 'Ǟ' | 'Ǡ' | 'Ǻ' | 'Ȁ' | 'Ȃ' | 'Ȧ' | 'Ạ'..='Ặ' => {
            "A"
        }
        'Æ' | 'Ǽ' | 'Ǣ' => "AE",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'Ď' | 'Đ' | 'Ð' | 'Ḍ' | 'Ḑ' => "D",
        'È'..='Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' | 'Ȅ' | 'Ȇ' | 'Ȩ' | 'Ə' | 'Ẹ'..='Ệ' => {
            "E"
        }
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' | 'Ǧ' | 'Ǵ' => "G",
        'Ĥ' | 'Ħ' | 'Ȟ' | 'Ḥ' | 'Ḩ' => "H",
        'Ì'..='Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' | 'Ǐ' | 'Ȉ' | 'Ȋ' | 'Ỉ' | 'Ị' => "I",
        'Ĳ' => "IJ",
        'Ĵ' => "J",
        'Ķ' | 'Ǩ' => "K",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'Ñ' | 'Ń' | 'Ņ' | 'Ň' | 'Ŋ' | 'Ǹ' => "N",
        'Ò'..='Ö'
        | 'Ø'
        | 'Ō'
        | 'Ŏ'
        | 'Ő'
        | 'Ơ'
        | 'Ǒ'
        | 'Ǫ'
        | 'Ǿ'
        | 'Ȍ'
        | 'Ȏ'
        | 'Ȫ'..='Ȱ'
        | 'Ọ'..='Ợ' => "O",
        'Œ' => "OE",
        'Ŕ' | 'Ŗ' | 'Ř' | 'Ȑ' | 'Ȓ' => "R",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' | 'Ṣ' => "S",
        'ẞ' => "SS",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' | 'Ṭ' => "T",
        'Þ' => "TH",
        'Ù'..='Ü'
        | 'Ũ'
        | 'Ū'
        | 'Ŭ'
        | 'Ů'
        | 'Ű'
        | 'Ų'
        | 'Ư'
        | 'Ǔ'
        | 'Ǖ'
        | 'Ǘ'
        | 'Ǚ'
        | 'Ǜ'
        | 'Ȕ'
        | 'Ȗ'
        | 'Ụ'..='Ự' => "U",
        'Ŵ' | 'Ẁ' | 'Ẃ' | 'Ẅ' => "W",
        'Ý' | 'Ŷ' | 'Ÿ' | 'Ȳ' | 'Ỳ'..='Ỹ' => "Y",
        'Ź' | 'Ż' | 'Ž' | 'Ẓ' => "Z",
        _ => "",
    }
}
