//! The sealed form of one value of personal data: the text that stands in an event in its place.
//!
//! It says which key it is sealed with and in which place of which event it stands; all of that,
//! the stream and the data subject are authenticated with it, so that a value moved to another
//! event, field, case or person does not open.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pratica_domain::ids::SubjectId;
use uuid::Uuid;

/// The first byte of a token.
const VERSION: u8 = 1;
/// Version, key, event, place.
const HEADER_LEN: usize = 1 + 8 + 16 + 2;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The event.
    pub event: Uuid,
    /// Which of the event's personal values it is, from 0, in the order of the payload.
    pub ordinal: u16,
}

/// A token taken apart.
pub(super) struct Token {
    pub(super) key: u64,
    pub(super) place: Place,
    bytes: Vec<u8>,
}

impl Token {
    pub(super) fn read(text: &str) -> Option<Token> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (key, rest) = rest.split_first_chunk::<8>()?;
        let (event, rest) = rest.split_first_chunk::<16>()?;
        let (ordinal, _) = rest.split_first_chunk::<2>()?;
        if *version != VERSION {
            return None;
        }
        let place =
            Place { event: Uuid::from_bytes(*event), ordinal: u16::from_be_bytes(*ordinal) };
        Some(Token { key: u64::from_be_bytes(*key), place, bytes })
    }

    pub(super) fn header(&self) -> &[u8] {
        self.bytes.get(..HEADER_LEN).unwrap_or_default()
    }

    pub(super) fn sealed(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }
}

pub(super) fn header(key: u64, place: Place) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_LEN + 128);
    bytes.push(VERSION);
    bytes.extend_from_slice(&key.to_be_bytes());
    bytes.extend_from_slice(place.event.as_bytes());
    bytes.extend_from_slice(&place.ordinal.to_be_bytes());
    bytes
}

pub(super) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What is authenticated with the ciphertext: everything that says where it belongs.
pub(super) fn bound_to(header: &[u8], stream: &str, subject: SubjectId) -> Vec<u8> {
    let mut aad = Vec::with_capacity(header.len() + stream.len() + 24);
    aad.extend_from_slice(header);
    aad.extend_from_slice(subject.0.as_bytes());
    aad.extend_from_slice(stream.as_bytes());
    aad
}
