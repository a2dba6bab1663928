//! The AEAD, the keyed hash and the randomness, all of them `ring`'s. Nothing here knows what it
//! seals; no cryptography of our own may enter.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::VaultError;

/// The length of every key, in bytes.
pub(super) const KEY_LEN: usize = 32;

/// A key of AES-256-GCM (NIST SP 800-38D); its bytes are wiped when it goes.
#[derive(Clone)]
pub(super) struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    pub(super) fn new(bytes: [u8; KEY_LEN]) -> Self {
        Key(Zeroizing::new(bytes))
    }

    pub(super) fn random() -> Result<Self, VaultError> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        fill(&mut *key)?;
        Ok(Key(key))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; KEY_LEN]>::try_from(bytes).ok().map(Key::new)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Another key that follows from this one, one for each purpose (RFC 5869).
    pub(super) fn derive(&self, purpose: &'static str) -> Result<Key, VaultError> {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                KEY_LEN
            }
        }
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        Salt::new(HKDF_SHA256, b"pratica")
            .extract(&*self.0)
            .expand(&[purpose.as_bytes()], Length)
            .and_then(|okm| okm.fill(&mut *derived))
            .map_err(|_| VaultError::Cipher("deriving a key"))?;
        Ok(Key(derived))
    }

    fn cipher(&self) -> Result<LessSafeKey, VaultError> {
        UnboundKey::new(&AES_256_GCM, &*self.0)
            .map(LessSafeKey::new)
            .map_err(|_| VaultError::Cipher("taking a key"))
    }

    /// Appends nonce, ciphertext and tag. The nonce is random: a key seals the few values of one
    /// person in one case, far below the 2^32 that a random nonce allows.
    pub(super) fn seal(
        &self,
        aad: &[u8],
        plain: &[u8],
        to: &mut Vec<u8>,
    ) -> Result<(), VaultError> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        to.extend_from_slice(&nonce);
        let mut text = Zeroizing::new(plain.to_vec());
        let tag = self
            .cipher()?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(aad),
                &mut text,
            )
            .map_err(|_| VaultError::Cipher("sealing"))?;
        to.extend_from_slice(&text);
        to.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens nonce, ciphertext and tag; none when any of them, the key or `aad` is not the one.
    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length =
            self.cipher().ok()?.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// What hashes under this key.
    pub(super) fn hasher(&self) -> Hasher {
        Hasher(hmac::Key::new(hmac::HMAC_SHA256, &*self.0))
    }
}

/// HMAC-SHA256 (RFC 2104) under one key.
pub(super) struct Hasher(hmac::Key);

impl Hasher {
    /// The hash over parts that cannot run into each other.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), VaultError> {
    SystemRandom::new().fill(bytes).map_err(|_| VaultError::Cipher("asking for random bytes"))
}
