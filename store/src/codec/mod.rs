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
use pratica_domain::ids::SubjectId;
use serde::Serialize;
use std::borrow::Cow;
use uuid::Uuid;

/// Writes a domain event as a stored one of a stream, its personal data sealed for this place.
///
/// # Errors
/// [`StoreError::InvalidEvent`] when the payload cannot be written as JSON, or sealed;
/// [`StoreError::Beside`] and [`StoreError::DamagedBeside`] when the keys cannot be used.
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
    let written = payload.serialize(seal::Sealing { inner: &mut json, seal: &seal });
    written.map_err(|error| match seal.refused() {
        Some(refused) => of_the_keys("sealing personal data", refused).unwrap_or_else(|refused| {
            StoreError::InvalidEvent {
                index: 0,
                reason: "its personal data cannot be sealed",
                source: Some(Box::new(refused)),
            }
        }),
        None => unwritable(error),
    })?;
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

/// What the vault says of its keys, if it is that: the log is not concerned then.
fn of_the_keys(doing: &'static str, error: VaultError) -> Result<StoreError, VaultError> {
    let path = "keys.db".into();
    if error.is_damage() {
        Ok(StoreError::DamagedBeside { path, doing, source: Box::new(error) })
    } else if error.may_be_retried() {
        Ok(StoreError::Beside { path, doing, source: Box::new(error) })
    } else {
        Err(error)
    }
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
/// As [`decode`]; also when sealed data was altered, or the vault does not know its key, and
/// [`StoreError::Beside`] and [`StoreError::DamagedBeside`] when the keys cannot be read.
pub fn open(recorded: &RecordedEvent, vault: &Vault) -> Result<Event, StoreError> {
    let position = Some(recorded.position);
    let opened = open_payload(recorded, vault).map_err(|error| {
        of_the_keys("opening personal data", error).unwrap_or_else(|error| {
            let detail = "its personal data cannot be opened".to_owned();
            StoreError::Corrupt { position, detail, source: Some(Box::new(error)) }
        })
    })?;
    let payload = opened.as_ref().map_or(&*recorded.payload, |opened| opened.as_slice());
    decode_parts(&recorded.event_type, recorded.schema_version, payload)
        .map_err(|detail| StoreError::Corrupt { position, detail, source: None })
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

/// The data subjects of an event with the numbers of the keys that their data needs.
pub fn keys_by_subject(recorded: &RecordedEvent) -> impl Iterator<Item = (SubjectId, u64)> {
    seal::sealed_of(&recorded.payload)
        .filter_map(|(subject, sealed)| Some((subject, Vault::key_number(sealed)?)))
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
        Some(current) if version == 1 && words_before(event_type).is_some() => {
            debug_assert_eq!(current, 2);
            let later = sealed_words(event_type, payload)?;
            match Event::deserialize_payload(event_type, later) {
                Ok(Some(event)) => Ok(event),
                Ok(None) => Err(format!("no event is named {event_type:?}")),
                Err(e) => Err(format!("{event_type} does not have its shape: {e}")),
            }
        }
        Some(current) if version != current => {
            Err(format!("{event_type} has version {version}; this build reads up to {current}"))
        }
        Some(_) => {
            // Looked at once as a whole: else each string of it would be looked at by itself.
            let text = std::str::from_utf8(payload)
                .map_err(|e| format!("{event_type} is no text: {e}"))?;
            let mut json = serde_json::Deserializer::from_str(text);
            match Event::deserialize_payload(event_type, &mut json) {
                Ok(Some(event)) => Ok(event),
                Ok(None) => Err(format!("no event is named {event_type:?}")),
                Err(e) => Err(format!("{event_type} does not have its shape: {e}")),
            }
        }
    }
}

/// Free texts that were plain in the first version of an event, and are personal data since.
fn words_before(event_type: &str) -> Option<&'static [&'static str]> {
    Some(match event_type {
        "register.registered" => &["object"],
        "register.annulled" => &["reason", "authorisation"],
        "register.emergency_opened" => &["reason"],
        "case.reopened"
        | "residency.reported"
        | "permit.annulled"
        | "permit.contested"
        | "permit.published"
        | "permit.lapsed"
        | "permit.opposition_ended" => &["reference"],
        "permit.contribution_offset" => &["agreement"],
        "enrolment.accepted" => &["deposit_receipt"],
        _ => return None,
    })
}

/// A payload of the first version in the shape of the second. Whose the words are was not
/// written down then: they are nobody's.
fn sealed_words(event_type: &str, payload: &[u8]) -> Result<serde_json::Value, String> {
    let unread =
        |e: serde_json::Error| format!("{event_type} cannot be read, column {}", e.column());
    let mut value: serde_json::Value = serde_json::from_slice(payload).map_err(unread)?;
    for field in words_before(event_type).unwrap_or_default() {
        if let Some(text) = value.get_mut(field).filter(|text| text.is_string()) {
            *text = serde_json::json!({ "subject": Uuid::nil(), "value": text.take() });
        }
    }
    Ok(value)
}
