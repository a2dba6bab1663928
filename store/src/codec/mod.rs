//! The codec: domain events to stored events and back. The only place of this crate that knows
//! the domain; the log itself moves bytes.
//!
//! Names are explicit strings with a schema version. A payload of an older version is brought to
//! the present shape here, one function a step; an unknown name or version is an error that says
//! where it stands, never a silence.
//!
//! Personal data is sealed on the way in, by its type, and opened only by who asks for that
//! ([`open`]); [`decode`] leaves it sealed, which is all that replay and statistics need.

mod seal;

use crate::error::StoreError;
use crate::event::{Metadata, NewEvent, RecordedEvent, StreamName};
use crate::vault::{Vault, VaultError};
use jiff::Timestamp;
use pratica_domain::Event;
use serde::Serialize;
use std::borrow::Cow;
use uuid::Uuid;

/// Writes a domain event as a stored one of a stream, its personal data sealed for this place.
///
/// # Errors
/// [`StoreError::InvalidEvent`] when the payload cannot be written as JSON, or sealed.
pub fn encode(
    event: &Event,
    id: Uuid,
    stream: &StreamName,
    occurred_at: Timestamp,
    metadata: Metadata,
    vault: &Vault,
) -> Result<NewEvent, StoreError> {
    encode_as(&Bare(event), event, id, stream, occurred_at, metadata, vault)
}

/// As [`encode`], with a payload that carries more than the event's own fields.
///
/// # Errors
/// As [`encode`].
pub fn encode_as(
    payload: &impl Serialize,
    event: &Event,
    id: Uuid,
    stream: &StreamName,
    occurred_at: Timestamp,
    metadata: Metadata,
    vault: &Vault,
) -> Result<NewEvent, StoreError> {
    let seal = seal::Seal::new(vault, stream.as_str(), id);
    let mut text = Vec::with_capacity(512);
    let mut json = serde_json::Serializer::new(&mut text);
    payload.serialize(seal::Sealing { inner: &mut json, seal: &seal }).map_err(unwritable)?;
    Ok(NewEvent {
        id,
        event_type: Cow::Borrowed(event.event_type()),
        schema_version: event.schema_version(),
        occurred_at,
        payload: text,
        metadata,
    })
}

/// A domain event's payload alone, as something to be written.
pub struct Bare<'a>(pub &'a Event);

impl Serialize for Bare<'_> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_payload(s)
    }
}

/// The payload of a domain event in the clear: the canonical text of an act, of which a hash is
/// taken. What is stored is made by [`encode`] alone.
///
/// # Errors
/// [`StoreError::InvalidEvent`] when it cannot be written as JSON.
pub fn payload(event: &Event) -> Result<Vec<u8>, StoreError> {
    let mut payload = Vec::with_capacity(256);
    let mut json = serde_json::Serializer::new(&mut payload);
    event.serialize_payload(&mut json).map_err(unwritable)?;
    Ok(payload)
}

fn unwritable(error: serde_json::Error) -> StoreError {
    StoreError::InvalidEvent {
        index: 0,
        reason: "its payload cannot be written as sealed JSON",
        source: Some(Box::new(error)),
    }
}

/// Reads a stored event with its personal data opened, for a decision or for who may see it.
/// What is erased stays sealed.
///
/// # Errors
/// As [`decode`]; also when sealed data was altered, or the vault does not know its key.
pub fn open(recorded: &RecordedEvent, vault: &Vault) -> Result<Event, StoreError> {
    let corrupt = |detail: String, source: Option<VaultError>| StoreError::Corrupt {
        position: Some(recorded.position),
        detail,
        source: source.map(|e| Box::new(e) as _),
    };
    let opened = open_payload(recorded, vault)
        .map_err(|e| corrupt("its personal data cannot be opened".to_owned(), Some(e)))?;
    let payload = opened.as_ref().map_or(&*recorded.payload, |opened| opened.as_slice());
    decode_parts(&recorded.event_type, recorded.schema_version, payload)
        .map_err(|detail| corrupt(detail, None))
}

/// The payload with its personal data opened; none when nothing in it can be opened.
///
/// # Errors
/// When sealed data was altered, or the vault does not know its key.
pub fn open_payload(
    recorded: &RecordedEvent,
    vault: &Vault,
) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, VaultError> {
    seal::open(vault, recorded.stream.as_str(), recorded.id, &recorded.payload)
}

/// The numbers of the keys that an event's personal data needs.
pub fn key_numbers(recorded: &RecordedEvent) -> impl Iterator<Item = u64> {
    seal::sealed(&recorded.payload).filter_map(Vault::key_number)
}

/// Reads a stored event as a domain event, its personal data left sealed.
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
    match Event::version_of(event_type) {
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
