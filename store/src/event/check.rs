//! What every store checks before it takes an append, and the shape it then has.
//!
//! It runs on the caller's thread, so that the one writer does nothing but write.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{AppendRequest, NewEvent, Request, StreamName};
use crate::error::{BoxError, StoreError};
use crate::revision::Expected;

/// The most that the events of one append may hold together, payload and metadata, in bytes:
/// what the default settings of a cluster also take.
pub const MAX_APPEND_BYTES: usize = 1024 * 1024;
/// The most events that one append may hold.
pub const MAX_APPEND_EVENTS: usize = 1000;
/// The longest event type, in bytes.
pub const MAX_TYPE_BYTES: usize = 100;

/// An append that has passed the checks.
#[derive(Debug)]
pub(crate) struct EncodedAppend {
    pub(crate) stream: StreamName,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<EncodedEvent>,
    pub(crate) request: Option<Request>,
    pub(crate) recorded_at: Timestamp,
    pub(crate) recorded_at_ns: i64,
    pub(crate) bytes: usize,
}

/// An event that has passed the checks: its texts are UTF-8 and JSON.
pub(crate) struct EncodedEvent {
    pub(crate) id: Uuid,
    pub(crate) event_type: Cow<'static, str>,
    pub(crate) schema_version: u16,
    pub(crate) occurred_at: Timestamp,
    pub(crate) occurred_at_ns: i64,
    pub(crate) payload: String,
    pub(crate) metadata: String,
}

// The payload may hold personal data, so that no Debug may show it.
impl std::fmt::Debug for EncodedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EncodedEvent").field("id", &self.id).finish_non_exhaustive()
    }
}

impl AppendRequest {
    /// Refuses what could not be read again or would be too large, and encodes the rest.
    pub(crate) fn encode(self) -> Result<EncodedAppend, StoreError> {
        if self.events.len() > MAX_APPEND_EVENTS {
            return Err(StoreError::TooLarge {
                found: self.events.len(),
                limit: MAX_APPEND_EVENTS,
                unit: "events",
            });
        }
        let recorded_at_ns = nanoseconds(self.recorded_at, 0)?;
        let mut bytes = 0;
        let mut events = Vec::with_capacity(self.events.len());
        for (index, event) in self.events.into_iter().enumerate() {
            let event = encode_event(event, index)?;
            bytes += event.payload.len() + event.metadata.len();
            events.push(event);
        }
        if bytes > MAX_APPEND_BYTES {
            return Err(StoreError::TooLarge {
                found: bytes,
                limit: MAX_APPEND_BYTES,
                unit: "bytes",
            });
        }
        Ok(EncodedAppend {
            stream: self.stream,
            expected: self.expected,
            events,
            request: self.request,
            recorded_at: self.recorded_at,
            recorded_at_ns,
            bytes,
        })
    }
}

fn encode_event(event: NewEvent, index: usize) -> Result<EncodedEvent, StoreError> {
    let refuse = |reason, source| StoreError::InvalidEvent { index, reason, source };
    let name = event.event_type.as_bytes();
    let allowed =
        |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > MAX_TYPE_BYTES || !name.iter().all(allowed) {
        return Err(refuse("its type is not a name of lower-case letters and dots", None));
    }
    let occurred_at_ns = nanoseconds(event.occurred_at, index)?;
    // The errors of these two parsers tell places, never the text.
    let payload = String::from_utf8(event.payload)
        .map_err(|error| refuse("its payload is not UTF-8", Some(error.utf8_error().into())))?;
    serde_json::from_str::<IgnoredAny>(&payload)
        .map_err(|error| refuse("its payload is not JSON", Some(BoxError::from(error))))?;
    let metadata = serde_json::to_string(&event.metadata)
        .map_err(|error| refuse("its metadata cannot be encoded", Some(BoxError::from(error))))?;
    Ok(EncodedEvent {
        id: event.id,
        event_type: event.event_type,
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        occurred_at_ns,
        payload,
        metadata,
    })
}

/// Nanoseconds, so that a time comes back exactly as it went in: a state folded from events just
/// decided and one folded from the log must be equal.
fn nanoseconds(time: Timestamp, index: usize) -> Result<i64, StoreError> {
    i64::try_from(time.as_nanosecond()).map_err(|error| StoreError::InvalidEvent {
        index,
        reason: "a time lies outside the years 1678 to 2262",
        source: Some(error.into()),
    })
}
