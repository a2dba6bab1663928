//! What is wrong with a fiscal code. The texts name position, rule and remedy, never the code.

/// Why a text is no fiscal code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FiscalCodeError {
    /// Nothing was given.
    #[error("the fiscal code is empty: give 16 characters (persons) or 11 digits (bodies)")]
    Empty,
    /// Neither of the two lengths.
    #[error(
        "the fiscal code has {length} characters: persons have 16, bodies 11 digits; look for one left out or doubled"
    )]
    Length {
        /// How many were read.
        length: usize,
    },
    /// Something other than letters and digits.
    #[error(
        "position {position} of the fiscal code is neither a letter A-Z nor a digit: take out blanks, dots and accents"
    )]
    Character {
        /// From 1.
        position: usize,
    },
    /// A digit where a letter belongs.
    #[error(
        "position {position} of the fiscal code must be a letter: check for 0 in place of O or 1 in place of I"
    )]
    NotALetter {
        /// From 1.
        position: usize,
    },
    /// A letter where a digit, or a letter that replaces one, belongs.
    #[error(
        "position {position} of the fiscal code must be a digit, or one of L M N P Q R S T U V that replaces one (omocodia): check for O in place of 0"
    )]
    NotADigit {
        /// From 1.
        position: usize,
    },
    /// A letter among the eleven digits.
    #[error(
        "position {position} of the fiscal code must be a digit: a code of 11 characters has digits only"
    )]
    NotADigitOfEleven {
        /// From 1.
        position: usize,
    },
    /// The ninth letter is no month.
    #[error(
        "position 9 of the fiscal code must be a month letter (A B C D E H L M P R S T, January to December): check the month of birth"
    )]
    Month,
    /// The day does not exist.
    #[error(
        "positions 10 and 11 of the fiscal code must be a day of that month, 01-31 for men and 41-71 for women: check the day of birth"
    )]
    Day,
    /// No Belfiore code.
    #[error(
        "positions 12 to 15 of the fiscal code must be a birthplace, a letter A-M or Z and three digits: check it against the list of comuni and states"
    )]
    Birthplace,
    /// The last letter does not fit.
    #[error(
        "position 16 of the fiscal code, the check letter, does not fit the other 15 characters: one of them was probably mistyped"
    )]
    CheckLetter,
    /// The last digit does not fit.
    #[error(
        "position 11 of the fiscal code, the check digit, does not fit the other 10 digits: one of them was probably mistyped"
    )]
    CheckDigit,
    /// A name without Latin letters cannot be encoded.
    #[error(
        "the {field} holds no letter of the Latin alphabet: give the transliteration in the passport"
    )]
    NoLetters {
        /// `surname` or `given_name`.
        field: &'static str,
    },
    /// A year that no code is made for.
    #[error("the year of birth {year} is not between 1800 and 2199: check the date")]
    Year {
        /// The year read.
        year: i16,
    },
}
