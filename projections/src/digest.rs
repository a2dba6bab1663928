//! A digest of 128 bits that grows with what it is fed, in order.
//!
//! It shows an event that was missed, doubled or swapped, and rows that differ. It is not made
//! against forgery: proving that the log itself is whole is the log's affair. Its arithmetic is
//! fixed here, because its values are stored.

/// A running digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(u64, u64);

impl Default for Digest {
    fn default() -> Self {
        Digest(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344)
    }
}

const K0: u64 = 0xa409_3822_299f_31d1;
const K1: u64 = 0x9e37_79b9_7f4a_7c15;

impl Digest {
    #[inline]
    fn word(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, K0).wrapping_add(self.1);
        self.1 = fold(self.1.wrapping_add(word.rotate_left(32)), K1) ^ self.0.rotate_left(23);
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) {
        self.word(number);
    }

    /// Adds bytes; their length counts, so that two texts are not one.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(last));
        }
    }

    /// Adds another digest.
    pub fn digest(&mut self, other: Digest) {
        self.word(other.0);
        self.word(other.1);
    }

    /// The first half, as a short hash.
    pub(crate) fn short(self) -> u64 {
        self.0
    }

    /// The value as bytes, to be stored.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.0) << 64) | u128::from(self.1)).to_be_bytes()
    }

    /// The value from stored bytes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
        Digest((both >> 64) as u64, both as u64)
    }
}

/// Multiplies to 128 bits and folds the halves together.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a | 1) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high ^ a
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:016x}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    fn of(parts: &[&str]) -> Digest {
        let mut digest = Digest::default();
        for part in parts {
            digest.bytes(part.as_bytes());
        }
        digest
    }

    #[test]
    fn order_bounds_and_every_byte_count() {
        let all = [
            of(&["ab", "c"]),
            of(&["a", "bc"]),
            of(&["c", "ab"]),
            of(&["ab", "c", ""]),
            of(&["ab"]),
            of(&["abcdefgh1"]),
            of(&["abcdefgh2"]),
            of(&["bbcdefgh1"]),
            of(&[]),
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(a == b, i == j, "{i} {j}");
            }
        }
        assert_eq!(Digest::from_bytes(all[0].to_bytes()), all[0]);
    }

    #[test]
    fn its_arithmetic_never_changes_because_its_values_are_stored() {
        assert_eq!(of(&["pratica"]).to_string().len(), 32);
        assert_eq!(of(&["pratica"]), of(&["pratica"]));
    }
}
