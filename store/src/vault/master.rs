//! The comune's master key: it wraps every other key and is itself kept nowhere here. Where it
//! comes from is the shell's business.

use super::VaultError;
use super::cipher::{KEY_LEN, Key};
use std::fmt;
use zeroize::Zeroizing;

/// 256 random bits, written as 64 hexadecimal digits. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct MasterKey(pub(super) Key);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// [`VaultError::Cipher`] when the system gives none.
    pub fn generate() -> Result<Self, VaultError> {
        Key::random().map(MasterKey)
    }

    /// Reads 64 hexadecimal digits; space around them does not count.
    ///
    /// # Errors
    /// [`VaultError::MasterKeyShape`].
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let text = text.trim().as_bytes();
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        if text.len() != 2 * KEY_LEN {
            return Err(VaultError::MasterKeyShape);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => *byte = high << 4 | low,
                _ => return Err(VaultError::MasterKeyShape),
            }
        }
        Ok(MasterKey(Key::new(*bytes)))
    }

    /// The 64 hexadecimal digits, for the one place where the key is kept.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_LEN));
        for byte in self.0.bytes() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text
    }

    /// A keyed hash of a text that only its holders can make.
    pub fn hash(&self, text: &str) -> [u8; 32] {
        self.0.hasher().hash(&[text.as_bytes()])
    }

    /// What wraps the other keys.
    pub(super) fn wrapping(&self) -> Result<Key, VaultError> {
        self.0.derive("pratica vault wrapping key 1")
    }
}
