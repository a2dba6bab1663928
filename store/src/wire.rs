//! An event on a wire that knows only an id, a type, data and one custom metadata: the form that
//! EventStoreDB and KurrentDB keep, both where this log is served and where it is kept in a cluster.
//!
//! The data is the payload, byte for byte. The custom metadata is the event's metadata with one
//! member more, the first: `"log"`, which holds what has columns of its own in the embedded log and,
//! in a cluster, which append the event was part of. Taking it out again gives the metadata back
//! byte for byte: digests and the evidence hold over both.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Request;

const OPENING: &[u8] = b"{\"log\":";

/// What is said of an event beside its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// When it counts.
    pub occurred_at: Timestamp,
    /// When we knew.
    pub recorded_at: Timestamp,
    /// The append it was part of, in a cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub append: Option<Part>,
}

/// A part of an append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Tells one try from every other: whether what stands in the log is what was sent.
    pub attempt: Uuid,
    /// Which part, counted from 0.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
    /// The client's request, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Asked>,
}

/// A client's request, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its id.
    pub id: Uuid,
    /// The hash over what was asked, in hexadecimal digits.
    pub fingerprint: String,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        Asked { id: request.id, fingerprint: hex(&request.fingerprint) }
    }
}

impl Asked {
    /// The request; none when the fingerprint is not written as one.
    #[must_use]
    pub fn request(&self) -> Option<Request> {
        Some(Request { id: self.id, fingerprint: unhex(&self.fingerprint)? })
    }
}

/// The custom metadata of an event. What already holds facts is left as it is.
///
/// # Errors
/// When a time cannot be written.
pub fn wrap(facts: &Facts, metadata_json: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    if metadata_json.starts_with(OPENING) {
        return Ok(metadata_json.to_vec());
    }
    let mut text = Vec::with_capacity(metadata_json.len() + 192);
    text.extend_from_slice(OPENING);
    serde_json::to_writer(&mut text, facts)?;
    match metadata_json.get(1..) {
        Some(rest) if rest.trim_ascii_start() != b"}" && !rest.is_empty() => {
            text.push(b',');
            text.extend_from_slice(rest);
        }
        _ => text.push(b'}'),
    }
    Ok(text)
}

/// The facts and the metadata of a custom metadata; none when it holds no facts.
#[must_use]
pub fn unwrap(custom_metadata: &[u8]) -> Option<(Facts, Vec<u8>)> {
    let text = custom_metadata.strip_prefix(OPENING)?;
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Facts>();
    let facts = values.next()?.ok()?;
    let rest = text.get(values.byte_offset()..)?;
    let rest = rest.strip_prefix(b",").unwrap_or(rest);
    let mut metadata = Vec::with_capacity(rest.len() + 1);
    metadata.push(b'{');
    metadata.extend_from_slice(rest);
    Some((facts, metadata))
}

fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
mod tests {
    use super::*;

    #[test]
    fn metadata_comes_back_byte_for_byte() {
        let request = Request { id: Uuid::from_u128(7), fingerprint: [0xab; 32] };
        let append = Part {
            attempt: Uuid::from_u128(3),
            index: 1,
            of: 2,
            request: Some(Asked::from(&request)),
        };
        let facts = Facts {
            schema_version: 3,
            occurred_at: Timestamp::new(1_772_000_000, 123_456_789).unwrap(),
            recorded_at: Timestamp::new(-5, -1).unwrap(),
            append: Some(append),
        };
        for metadata in [&b"{}"[..], b"{\"a\": 1.0 }", b"{ \"log2\":[{}],\"b\":\"\\u00e8\"}"] {
            let wrapped = wrap(&facts, metadata).unwrap();
            serde_json::from_slice::<serde_json::Value>(&wrapped).unwrap();
            assert_eq!(unwrap(&wrapped).unwrap(), (facts.clone(), metadata.to_vec()));
            assert_eq!(wrap(&facts, &wrapped).unwrap(), wrapped, "not twice");
        }
        assert_eq!(Asked::from(&request).request(), Some(request));
        assert_eq!(unwrap(b"{\"actor\":\"a\"}"), None);
        assert_eq!(unwrap(b"{\"log\":{\"schema_version\":1}"), None);
    }
}
