//! How an act is written down: its canonical text is the stored payload itself, so that the hash
//! in the file and in the register can be recomputed from the log.

use pratica_domain::{Event, Written};
use pratica_store::codec;
use sha2::{Digest, Sha256};

/// The canonical text of an event that is an act: its payload as stored.
pub fn written(event: &Event) -> Written {
    // A payload that cannot be written refuses the whole append a moment later, with its reason.
    let text = codec::payload(event).unwrap_or_default();
    Written {
        media_type: "application/json",
        size_bytes: text.len() as u64,
        sha256: hex(&Sha256::digest(&text)),
    }
}

/// The bytes of a hexadecimal text; none if it is not one.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len())
        .step_by(2)
        .map(|i| text.get(i..i + 2).and_then(|b| u8::from_str_radix(b, 16).ok()))
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}
