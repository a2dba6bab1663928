//! The tables of DM 23-12-1976: months, check letter, digits and the letters that replace them.

/// The month letters, January first.
pub(super) const MONTHS: [u8; 12] = *b"ABCDEHLMPRST";

/// The places of the seven digits, from 0, rightmost first: the order of replacement.
pub(super) const NUMERIC_PLACES: [usize; 7] = [14, 13, 12, 10, 9, 7, 6];

/// The letters that replace the digits 0 to 9 (omocodia).
pub(super) const REPLACEMENTS: [u8; 10] = *b"LMNPQRSTUV";

/// The values of A-Z (and of 0-9 as A-J) in odd positions.
const ODD: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// The digit itself, or the digit that a letter replaces.
pub(super) fn plain_digit(byte: u8) -> Option<u8> {
    if byte.is_ascii_digit() {
        return Some(byte);
    }
    let value = REPLACEMENTS.iter().position(|letter| *letter == byte)?;
    u8::try_from(value).ok().map(|value| b'0' + value)
}

/// The check letter of the first fifteen characters; none if one is no letter or digit.
pub(super) fn check_letter(first_fifteen: &[u8]) -> Option<u8> {
    let mut sum = 0;
    for (place, byte) in first_fifteen.iter().enumerate() {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A',
            _ => return None,
        };
        // Positions are counted from one, so places 0, 2, 4 are the odd ones.
        sum += if place % 2 == 0 { *ODD.get(usize::from(value))? } else { u32::from(value) };
    }
    u8::try_from(sum % 26).ok().map(|value| b'A' + value)
}

/// The check digit of the first ten (as in VAT numbers, a Luhn sum).
pub(super) fn eleventh_digit(first_ten: &[u8]) -> u8 {
    let sum: u32 = first_ten
        .iter()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.saturating_sub(b'0'));
            let doubled = digit * 2;
            match place % 2 {
                0 => digit,
                _ if doubled > 9 => doubled - 9,
                _ => doubled,
            }
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).map_or(b'0', |digit| b'0' + digit)
}

/// A letter A-M (Italian comuni) or Z (foreign states) and three digits.
pub(super) fn is_belfiore(code: &[u8]) -> bool {
    match code {
        [letter, digits @ ..] => {
            matches!(letter, b'A'..=b'M' | b'Z')
                && digits.len() == 3
                && digits.iter().all(u8::is_ascii_digit)
        }
        [] => false,
    }
}
