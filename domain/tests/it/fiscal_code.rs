//! Fiscal codes against vectors made elsewhere, and what is said of wrong ones.

use jiff::civil::Date;
use pratica_domain::people::fiscal_code::{FiscalCode, FiscalCodeError, FiscalCodeKind, Sex};
use proptest::prelude::{any, proptest};
use serde::Deserialize;

use crate::support::{day, shared_vectors};

#[derive(Deserialize)]
struct Vectors {
    encode: Vec<Encode>,
    omocodia: Vec<Omocodia>,
    invalid: Vec<Invalid>,
    numeric11: Vec<Numeric>,
}

#[derive(Deserialize)]
struct Encode {
    lastname: String,
    firstname: String,
    gender: String,
    birthdate: String,
    belfiore: String,
    expected: String,
}

#[derive(Deserialize)]
struct Omocodia {
    base: String,
    replaced: usize,
    omocode: String,
    decoded_birthdate: String,
    decoded_gender: String,
    decoded_belfiore: String,
}

#[derive(Deserialize)]
struct Invalid {
    code: String,
    why: String,
}

#[derive(Deserialize)]
struct Numeric {
    code: String,
    check_ok: bool,
}

fn today() -> Date {
    day("2026-07-01")
}

fn sex(letter: &str) -> Sex {
    if letter == "F" { Sex::Female } else { Sex::Male }
}

fn mario() -> FiscalCode {
    FiscalCode::encode("Rossi", "Mario", Sex::Male, day("1980-01-01"), "H501").unwrap()
}

#[test]
fn codes_are_made_read_and_refused_as_the_vectors_say() {
    let Some(text) = shared_vectors("codice-fiscale.json") else { return };
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    for v in &vectors.encode {
        let (sex, born) = (sex(&v.gender), day(&v.birthdate));
        let code = FiscalCode::encode(&v.lastname, &v.firstname, sex, born, &v.belfiore).unwrap();
        assert_eq!(code.as_str(), v.expected);
        assert_eq!(code.matches(&v.lastname, &v.firstname), Some(true));
        let whole = code.matches_person(&v.lastname, &v.firstname, sex, born, &v.belfiore);
        assert_eq!(whole, Some(true));
    }
    for v in &vectors.omocodia {
        let code = FiscalCode::parse(&v.omocode).unwrap();
        assert_eq!(code.as_str(), v.omocode, "the text is never put back");
        assert_eq!(code.birth_date(today()), Some(day(&v.decoded_birthdate)));
        assert_eq!(code.sex(), Some(sex(&v.decoded_gender)));
        assert_eq!(code.birthplace().as_deref(), Some(v.decoded_belfiore.as_str()));
        assert_eq!(code.replaced_digits(), v.replaced);
        let base = FiscalCode::parse(&v.base).unwrap();
        assert!(base.omocodia_variants().contains(&code), "a variant of its base");
    }
    for v in &vectors.invalid {
        assert!(FiscalCode::parse(&v.code).is_err(), "{}", v.why);
    }
    for v in &vectors.numeric11 {
        let code = FiscalCode::parse(&v.code);
        assert_eq!(code.is_ok(), v.check_ok, "{}", v.code);
        assert!(code.is_err() || code.unwrap().kind() == FiscalCodeKind::Numeric);
    }
}

#[test]
fn blanks_case_and_the_prefix_of_spid_are_taken_away() {
    let code = FiscalCode::parse("  tinit-rssmra80a01h501u ").unwrap();
    assert_eq!(code, mario());
    assert_eq!(code.to_string(), "RSSMRA80A01H501U");
}

#[test]
fn neither_debug_nor_an_error_shows_the_code() {
    assert_eq!(format!("{:?}", mario()), "FiscalCode(..)");
    let error = FiscalCode::parse("RSSMRA80A01H501X").unwrap_err();
    assert!(!error.to_string().contains("RSSMRA"), "{error}");
    let error = serde_json::from_str::<FiscalCode>("\"RSSMRA80A01H501X\"").unwrap_err();
    assert!(!error.to_string().contains("RSSMRA"), "{error}");
}

#[test]
fn an_error_names_the_position_and_what_would_help() {
    let error = |text| FiscalCode::parse(text).unwrap_err();
    assert_eq!(error(" "), FiscalCodeError::Empty);
    assert_eq!(error("RSSMRA80A01H50"), FiscalCodeError::Length { length: 14 });
    assert_eq!(error("R5SMRA80A01H501H"), FiscalCodeError::NotALetter { position: 2 });
    assert_eq!(error("RSSMRA8OA01H501U"), FiscalCodeError::NotADigit { position: 8 });
    assert_eq!(error("RSSMRA80F01H501U"), FiscalCodeError::Month);
    assert_eq!(error("RSSMRA80A32H501C"), FiscalCodeError::Day);
    assert_eq!(error("RSSMRA80A01N501U"), FiscalCodeError::Birthplace);
    assert_eq!(error("RSSMRA80A01H501X"), FiscalCodeError::CheckLetter);
    assert_eq!(error("RSSMRA80À01H501U"), FiscalCodeError::Character { position: 9 });
    assert_eq!(error("0243875058A"), FiscalCodeError::NotADigitOfEleven { position: 11 });
    assert_eq!(error("02438750587"), FiscalCodeError::CheckDigit);
    assert!(error("RSSMRA8OA01H501U").to_string().contains("position 8"));
}

#[test]
fn the_century_is_the_latest_that_is_past() {
    let born = |date| {
        FiscalCode::encode("Rossi", "Mario", Sex::Male, day(date), "H501")
            .unwrap()
            .birth_date(today())
    };
    assert_eq!(born("2026-06-30"), Some(day("2026-06-30")));
    assert_eq!(born("1926-07-02"), Some(day("1926-07-02")));
    assert_eq!(born("2000-02-29"), Some(day("2000-02-29")));
    assert_eq!(FiscalCode::parse("02438750586").unwrap().birth_date(today()), None);
}

#[test]
fn accents_fall_away_and_short_names_are_filled() {
    let letters = |surname: &str, given: &str| {
        FiscalCode::encode(surname, given, Sex::Female, day("1990-05-05"), "Z110")
            .map(|code| code.as_str()[..6].to_owned())
    };
    assert_eq!(letters("Nicolò", "Łukasz").unwrap(), "NCLLSZ");
    assert_eq!(letters("D'Ù", "Æ").unwrap(), "DUXAEX");
    assert_eq!(letters("Großmann", "Đặng").unwrap(), "GRSDNG");
    // The accent as a mark of its own (a decomposed text) falls away as well.
    assert_eq!(letters("Nicolo\u{300}", "Mari\u{0301}a").unwrap(), "NCLMRA");
    let error = letters("王", "Li").unwrap_err();
    assert_eq!(error, FiscalCodeError::NoLetters { field: "surname" });
    assert!(error.to_string().contains("transliteration"));
}

#[test]
fn a_code_has_127_variants_all_valid_and_different() {
    let variants = mario().omocodia_variants();
    let different: std::collections::BTreeSet<_> = variants.iter().collect();
    assert_eq!((variants.len(), different.len()), (127, 127));
    for variant in &variants {
        assert_eq!(FiscalCode::parse(variant.as_str()).as_ref(), Ok(variant));
        assert_eq!(variant.birth_date(today()), mario().birth_date(today()));
        assert_eq!(variant.matches("Rossi", "Mario"), Some(true));
    }
    assert!(variants[0].omocodia_variants().is_empty());
}

#[test]
fn another_name_does_not_match() {
    assert_eq!(mario().matches("Bianchi", "Mario"), Some(false));
    assert_eq!(mario().matches("Rossi", "Maria"), Some(true), "the letters are the same");
    let other = mario().matches_person("Rossi", "Mario", Sex::Male, day("1980-01-02"), "H501");
    assert_eq!(other, Some(false));
}

#[test]
fn a_code_survives_serde_as_a_string() {
    let text = serde_json::to_string(&mario()).unwrap();
    assert_eq!(text, "\"RSSMRA80A01H501U\"");
    assert_eq!(serde_json::from_str::<FiscalCode>(&text).unwrap(), mario());
}

proptest! {
    #[test]
    fn parsing_any_text_never_panics(text in any::<String>()) {
        if let Ok(code) = FiscalCode::parse(&text) {
            let _ = (code.birth_date(today()), code.sex(), code.birthplace());
        }
    }

    #[test]
    fn parsing_almost_a_code_never_panics(text in "[A-Z0-9]{16}|[0-9]{11}|[A-Z]{6}[0-9L-V]{2}[A-T][0-9L-V]{2}[A-Z][0-9L-V]{3}[A-Z]") {
        if let Ok(code) = FiscalCode::parse(&text) {
            let _ = (code.birth_date(today()), code.sex(), code.birthplace(), code.omocodia_variants());
        }
    }

    #[test]
    fn encoding_any_names_gives_a_code_or_an_error(surname in any::<String>(), given in any::<String>()) {
        if let Ok(code) = FiscalCode::encode(&surname, &given, Sex::Male, day("1980-01-01"), "H501") {
            assert_eq!(FiscalCode::parse(code.as_str()), Ok(code));
        }
    }
}
