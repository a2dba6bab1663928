//! What goes into the log and what comes out: stream names, events, metadata, requests.
//!
//! Payloads are JSON text and stay bytes here; what they mean is the codec's business. Metadata
//! is decoded only when asked for, because replaying millions of events seldom needs it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StoreError;
use crate::revision::{Expected, Position, Revision};

mod check;
mod stream_name;

pub(crate) use check::{EncodedAppend, EncodedEvent};
pub use check::{
    MAX_APPEND_BYTES, MAX_APPEND_EVENTS, MAX_RAW_BYTES, MAX_TYPE_BYTES, RawAppend, RawEvent,
};
pub use stream_name::StreamName;

/// An event to be recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Identifies the event everywhere. Derive it from the request id and the place within the
    /// request, so that a repeated request makes the same ids. The log does not check it for
    /// uniqueness: the request id already carries idempotency, and a second index over random
    /// keys would cost every append a page.
    pub id: Uuid,
    /// The explicit name, such as `residency.registered`; never a Rust path.
    pub event_type: Cow<'static, str>,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// When it counts. Kept to the nanosecond, from the year 1678 to 2262.
    pub occurred_at: Timestamp,
    /// JSON text; given back byte for byte.
    pub payload: Vec<u8>,
    /// Who, on whose behalf, in which request, under which rules.
    pub metadata: Metadata,
}

// The payload may hold personal data, so that no Debug may show it.
impl fmt::Debug for NewEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("schema_version", &self.schema_version)
            .field("occurred_at", &self.occurred_at)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// The circumstances of an event, stored as JSON beside it. Never personal data: an actor is an
/// opaque account id, not a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The account that acted.
    pub actor: String,
    /// The role in which it acted.
    pub role: String,
    /// The account in whose name it acted, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The client's request, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// Ties together everything that one outside cause set in motion. Kept as supplied.
    pub correlation_id: Uuid,
    /// The event that directly caused this one. Kept as supplied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// The version of the rules of terms in force.
    pub rules_version: String,
}

/// One append: all of it or nothing.
#[derive(Debug, Clone)]
pub struct AppendRequest {
    /// The stream appended to.
    pub stream: StreamName,
    /// The revision it must have.
    pub expected: Expected,
    /// What to record. May be empty: then only the request id is recorded, so that a command
    /// that changed nothing is also recognised when it comes again.
    pub events: Vec<NewEvent>,
    /// The client's request, where there is one.
    pub request: Option<Request>,
    /// When we knew. The store never reads a clock. Kept like [`NewEvent::occurred_at`].
    pub recorded_at: Timestamp,
}

/// The identity of a client's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Made by the client, anew for each request, the same for each retry.
    pub id: Uuid,
    /// A hash over what was asked: the same id with another hash is refused.
    pub fingerprint: [u8; 32],
}

/// The answer to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The last revision of the stream afterwards; `None` when it has no events.
    pub revision: Option<Revision>,
    /// The position of the last event appended; the head at that time when none was.
    pub position: Position,
    /// The revision of the first event appended; `None` when none was.
    pub first_revision: Option<Revision>,
    /// The request id was already recorded: nothing was written now, and the other values are
    /// those of the first time.
    pub replayed: bool,
}

/// What the log remembers of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The hash over what was asked.
    pub fingerprint: [u8; 32],
    /// The stream it was for.
    pub stream: StreamName,
    /// The revision of the first event it recorded; `None` when it recorded none.
    pub first_revision: Option<Revision>,
    /// The last revision of the stream afterwards.
    pub revision: Option<Revision>,
    /// The position of its last event; the head at that time when it recorded none.
    pub position: Position,
    /// How many events it recorded.
    pub event_count: u64,
}

impl RequestRecord {
    /// The answer to the same request coming again.
    ///
    /// # Errors
    /// [`StoreError::RequestReused`] when it is not the same request.
    pub fn answer(&self, request: &Request, stream: &StreamName) -> Result<Appended, StoreError> {
        if self.fingerprint != request.fingerprint || self.stream != *stream {
            return Err(StoreError::RequestReused { request_id: request.id });
        }
        Ok(Appended {
            revision: self.revision,
            position: self.position,
            first_revision: self.first_revision,
            replayed: true,
        })
    }
}

/// An event as it stands in the log.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the whole log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub revision: Revision,
    /// Its identity.
    pub id: Uuid,
    /// Its explicit name; shared between the events of a page.
    pub event_type: Arc<str>,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// When it counts.
    pub occurred_at: Timestamp,
    /// When we knew.
    pub recorded_at: Timestamp,
    /// The metadata as JSON text, not yet decoded; see [`RecordedEvent::metadata`].
    pub metadata_json: Box<[u8]>,
    /// The payload, byte for byte as appended.
    pub payload: Box<[u8]>,
}

impl RecordedEvent {
    /// Decodes the metadata. Costs a JSON parse each time: call it where it is needed only.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when what is stored is not metadata.
    pub fn metadata(&self) -> Result<Metadata, StoreError> {
        serde_json::from_slice(&self.metadata_json).map_err(|error| StoreError::Corrupt {
            position: Some(self.position),
            detail: "the metadata cannot be decoded".to_owned(),
            source: Some(error.into()),
        })
    }
}

// The payload may hold personal data, so that no Debug may show it.
impl fmt::Debug for RecordedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedEvent")
            .field("position", &self.position)
            .field("stream", &self.stream)
            .field("revision", &self.revision)
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("schema_version", &self.schema_version)
            .field("occurred_at", &self.occurred_at)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}
