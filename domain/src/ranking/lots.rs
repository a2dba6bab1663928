//! Lots from a committed seed: the hash of the seed is published with the call, the seed when the
//! window is closed, so that nobody can choose the draw and everybody can repeat it.

use crate::ids::CaseId;

/// SHA-256, from the caller: this crate holds no cryptography.
pub type Hash = fn(&[u8]) -> [u8; 32];

/// What seeds and public draws are made of, in words: see [`is_of_lots`].
pub const OF_LOTS: &str =
    "letters of a to z, digits, `-` and `.`, at most 64, the first a letter or a digit";

/// Whether a text can be a seed or a public draw: one word of a ranking's file, and not the `-` that
/// stands there for no draw.
pub fn is_of_lots(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// What is published before: the hash of the seed, in lower-case hexadecimal.
pub fn commitment_of(seed: &str, hash: Hash) -> String {
    hash(format!("pratica-seed 1\n{seed}\n").as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// The lot of an application: 63 bits of the hash of seed, public draw and number. The public draw
/// is a fact that nobody knew when the seed was committed to; it may be empty.
pub fn lot(seed: &str, public_draw: &str, application: CaseId, hash: Hash) -> i64 {
    let text = format!("pratica-lot 1\n{seed}\n{public_draw}\n{application}\n");
    let digest = hash(text.as_bytes());
    let mut eight = [0_u8; 8];
    eight.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(eight) >> 1).cast_signed()
}
