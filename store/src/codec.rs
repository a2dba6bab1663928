//! The codec: domain events to stored events and back. The only place of this crate that knows
//! the domain; the log itself moves bytes.
//!
//! Names are explicit strings with a schema version. A payload of an older version is brought to
//! the present shape here, one function a step; an unknown name or version is an error that says
//! where it stands, never a silence.

use crate::error::StoreError;
use crate::event::{Metadata, NewEvent, RecordedEvent};
use jiff::Timestamp;
use pratica_domain::Event;
use std::borrow::Cow;
use uuid::Uuid;

/// Writes a domain event as a stored one.
///
/// # Errors
/// [`StoreError::InvalidEvent`] when the payload cannot be written as JSON.
pub fn encode(
    event: &Event,
    id: Uuid,
    occurred_at: Timestamp,
    metadata: Metadata,
) -> Result<NewEvent, StoreError> {
    Ok(NewEvent {
        id,
        event_type: Cow::Borrowed(event.event_type()),
        schema_version: event.schema_version(),
        occurred_at,
        payload: payload(event)?,
        metadata,
    })
}

/// The payload of a domain event: JSON text, readable with any viewer.
///
/// # Errors
/// As [`encode`].
pub fn payload(event: &Event) -> Result<Vec<u8>, StoreError> {
    let mut payload = Vec::with_capacity(256);
    let mut json = serde_json::Serializer::new(&mut payload);
    event.serialize_payload(&mut json).map_err(|e| StoreError::InvalidEvent {
        index: 0,
        reason: "its payload cannot be written as JSON",
        source: Some(Box::new(e)),
    })?;
    Ok(payload)
}

/// Reads a stored event as a domain event.
///
/// # Errors
/// [`StoreError::Corrupt`] when the name or the version is unknown, or the payload is not of its
/// shape; it names the position.
pub fn decode(recorded: &RecordedEvent) -> Result<Event, StoreError> {
    decode_parts(&recorded.event_type, recorded.schema_version, &recorded.payload).map_err(
        |detail| StoreError::Corrupt { position: Some(recorded.position), detail, source: None },
    )
}

fn decode_parts(event_type: &str, version: u16, payload: &[u8]) -> Result<Event, String> {
    let current = Event::types().find(|(name, _)| *name == event_type).map(|(_, v)| v);
    match current {
        None => {
            Err(format!("no event is named {event_type:?}: a newer version may have written it"))
        }
        Some(current) if version != current => {
            Err(format!("{event_type} has version {version}; this build reads up to {current}"))
        }
        Some(_) => {
            let mut json = serde_json::Deserializer::from_slice(payload);
            match Event::deserialize_payload(event_type, &mut json) {
                Ok(Some(event)) => Ok(event),
                Ok(None) => Err(format!("no event is named {event_type:?}")),
                Err(e) => Err(format!("{event_type} does not have its shape: {e}")),
            }
        }
    }
}
