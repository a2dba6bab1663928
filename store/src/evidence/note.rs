//! Signed notes (C2SP signed-note): a text, and below it who signed it with Ed25519 (RFC 8032).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::EvidenceError;

/// The signature type of Ed25519 in a note's key.
const ALGORITHM: u8 = 1;

/// Who signs checkpoints: the comune's log.
pub struct Signer {
    name: String,
    pair: Ed25519KeyPair,
}

/// A key that a note's signature is checked with, as it is published:
/// `NAME+8 hexadecimal digits+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    public: Vec<u8>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

fn key_id(name: &str, public: &[u8]) -> [u8; 4] {
    let mut text = name.as_bytes().to_vec();
    text.extend_from_slice(&[b'\n', ALGORITHM]);
    text.extend_from_slice(public);
    let hash = digest(&SHA256, &text);
    let mut id = [0; 4];
    id.copy_from_slice(&hash.as_ref()[..4]);
    id
}

impl Signer {
    /// A signer whose key follows from 32 secret bytes.
    ///
    /// # Errors
    /// [`EvidenceError::Key`] when they make no key.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, EvidenceError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| EvidenceError::Key)?;
        Ok(Signer { name: name.to_owned(), pair })
    }

    /// What others check its signatures with.
    pub fn verifier(&self) -> Verifier {
        let public = self.pair.public_key().as_ref().to_vec();
        Verifier { name: self.name.clone(), id: key_id(&self.name, &public), public }
    }

    /// The name that it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Signs a text that ends with a line's end.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.verifier().id.to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.name, STANDARD.encode(signature))
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ALGORITHM];
        key.extend_from_slice(&self.public);
        write!(f, "{}+", self.name)?;
        for byte in self.id {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "+{}", STANDARD.encode(key))
    }
}

impl std::str::FromStr for Verifier {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(EvidenceError::Key);
        };
        let key = STANDARD.decode(key).map_err(|_| EvidenceError::Key)?;
        let Some((&ALGORITHM, public)) = key.split_first() else { return Err(EvidenceError::Key) };
        let verifier =
            Verifier { name: name.to_owned(), id: key_id(name, public), public: public.to_vec() };
        let written = verifier.id.iter().map(|b| format!("{b:02x}")).collect::<String>();
        if public.len() != 32 || written != id { Err(EvidenceError::Key) } else { Ok(verifier) }
    }
}

impl Verifier {
    /// The text of a note that this key signed.
    ///
    /// # Errors
    /// [`EvidenceError::Signature`] when it did not, or the note is none.
    pub fn verify<'a>(&self, note: &'a str) -> Result<&'a str, EvidenceError> {
        let at = note.rfind("\n\n").ok_or(EvidenceError::Signature)?;
        let (text, signatures) = note.split_at(at + 1);
        for line in signatures.lines() {
            let Some(rest) = line.strip_prefix("\u{2014} ") else { continue };
            let Some((name, signature)) = rest.split_once(' ') else { continue };
            let Ok(bytes) = STANDARD.decode(signature) else { continue };
            let Some((id, signature)) = bytes.split_first_chunk::<4>() else { continue };
            let key = UnparsedPublicKey::new(&ED25519, &self.public);
            if name == self.name && *id == self.id && key.verify(text.as_bytes(), signature).is_ok()
            {
                return Ok(text);
            }
        }
        Err(EvidenceError::Signature)
    }
}
