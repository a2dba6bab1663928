//! What every store checks before it takes an append, and the shape it then has.
//!
//! Events that come from another log bring their metadata as text ([`RawAppend`]): it is kept byte
//! for byte, so that a copy has the digests of what it was copied from.
//!
//! It runs on the caller's thread, so that the one writer does nothing but write.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{AppendRequest, Metadata, NewEvent, RecordedEvent, Request, StreamName};
use crate::error::{BoxError, StoreError};
use crate::revision::Expected;

/// The most that the events of one append may hold together, payload and metadata, in bytes:
/// what the default settings of a cluster also take.
pub const MAX_APPEND_BYTES: usize = 1024 * 1024;
/// The most events that one append may hold.
pub const MAX_APPEND_EVENTS: usize = 1000;
/// The most that the events of a copied append may hold: what an append may, and room for what a
/// log of another kind says about each beside its metadata.
pub const MAX_RAW_BYTES: usize = MAX_APPEND_BYTES + 512 * MAX_APPEND_EVENTS;
/// The longest event type, in bytes.
pub const MAX_TYPE_BYTES: usize = 100;

/// An event of another log, its metadata as it stands there.
#[derive(Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// As [`NewEvent::id`].
    pub id: Uuid,
    /// As [`NewEvent::event_type`].
    pub event_type: Cow<'static, str>,
    /// As [`NewEvent::schema_version`].
    pub schema_version: u16,
    /// As [`NewEvent::occurred_at`].
    pub occurred_at: Timestamp,
    /// As [`NewEvent::payload`].
    pub payload: Vec<u8>,
    /// JSON text that reads as [`Metadata`]; it may hold more.
    pub metadata_json: Vec<u8>,
}

// The payload may hold personal data, so that no Debug may show it.
impl std::fmt::Debug for RawEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawEvent").field("id", &self.id).finish_non_exhaustive()
    }
}

impl From<RecordedEvent> for RawEvent {
    fn from(event: RecordedEvent) -> Self {
        RawEvent {
            id: event.id,
            event_type: Cow::Owned(event.event_type.to_string()),
            schema_version: event.schema_version,
            occurred_at: event.occurred_at,
            payload: event.payload.into_vec(),
            metadata_json: event.metadata_json.into_vec(),
        }
    }
}

/// One append copied from another log; as [`AppendRequest`] otherwise.
#[derive(Debug, Clone)]
pub struct RawAppend {
    /// The stream appended to.
    pub stream: StreamName,
    /// The revision it must have.
    pub expected: Expected,
    /// What to record.
    pub events: Vec<RawEvent>,
    /// The client's request, where there was one.
    pub request: Option<Request>,
    /// When it was recorded first.
    pub recorded_at: Timestamp,
}

impl RawAppend {
    /// As [`AppendRequest::encode`].
    pub(crate) fn encode(self) -> Result<EncodedAppend, StoreError> {
        for (index, event) in self.events.iter().enumerate() {
            serde_json::from_slice::<Metadata>(&event.metadata_json)
                .map_err(|e| refused(index, "its metadata cannot be decoded", e))?;
        }
        self.within(MAX_RAW_BYTES)
    }

    fn within(self, limit: usize) -> Result<EncodedAppend, StoreError> {
        let found = self.events.len();
        if found > MAX_APPEND_EVENTS {
            return Err(StoreError::TooLarge { found, limit: MAX_APPEND_EVENTS, unit: "events" });
        }
        let RawAppend { stream, expected, request, recorded_at, .. } = self;
        let recorded_at_ns = nanoseconds(recorded_at, 0)?;
        let mut bytes = 0;
        let mut events = Vec::with_capacity(found);
        for (index, event) in self.events.into_iter().enumerate() {
            let event = encode_event(event, index)?;
            bytes += event.payload.len() + event.metadata.len();
            events.push(event);
        }
        if bytes > limit {
            return Err(StoreError::TooLarge { found: bytes, limit, unit: "bytes" });
        }
        Ok(EncodedAppend { stream, expected, events, request, recorded_at, recorded_at_ns, bytes })
    }
}

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
        let raw = |(index, event): (usize, NewEvent)| {
            let metadata_json = serde_json::to_vec(&event.metadata)
                .map_err(|e| refused(index, "its metadata cannot be encoded", e))?;
            Ok(RawEvent {
                id: event.id,
                event_type: event.event_type,
                schema_version: event.schema_version,
                occurred_at: event.occurred_at,
                payload: event.payload,
                metadata_json,
            })
        };
        let events = self.events.into_iter().enumerate().map(raw).collect::<Result<_, _>>()?;
        let AppendRequest { stream, expected, request, recorded_at, .. } = self;
        RawAppend { stream, expected, events, request, recorded_at }.within(MAX_APPEND_BYTES)
    }
}

fn encode_event(event: RawEvent, index: usize) -> Result<EncodedEvent, StoreError> {
    let name = event.event_type.as_bytes();
    let allowed =
        |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > MAX_TYPE_BYTES || !name.iter().all(allowed) {
        let reason = "its type is not a name of lower-case letters and dots";
        return Err(StoreError::InvalidEvent { index, reason, source: None });
    }
    let occurred_at_ns = nanoseconds(event.occurred_at, index)?;
    // The errors of these parsers tell places, never the text.
    let payload = String::from_utf8(event.payload)
        .map_err(|e| refused(index, "its payload is not UTF-8", e.utf8_error()))?;
    serde_json::from_str::<IgnoredAny>(&payload)
        .map_err(|e| refused(index, "its payload is not JSON", e))?;
    let metadata = String::from_utf8(event.metadata_json)
        .map_err(|e| refused(index, "its metadata is not UTF-8", e.utf8_error()))?;
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

fn refused(index: usize, reason: &'static str, source: impl Into<BoxError>) -> StoreError {
    StoreError::InvalidEvent { index, reason, source: Some(source.into()) }
}

/// Nanoseconds, so that a time comes back exactly as it went in: a state folded from events just
/// decided and one folded from the log must be equal.
fn nanoseconds(time: Timestamp, index: usize) -> Result<i64, StoreError> {
    i64::try_from(time.as_nanosecond())
        .map_err(|e| refused(index, "a time lies outside the years 1678 to 2262", e))
}
