//! Between messages and events.

use crate::grpc::pseudonyms;
use pratica_proto::event_store::client::streams as pb;
use pratica_proto::event_store::client::{
    StreamIdentifier, Uuid as UuidMessage, uuid as uuid_message,
};
use pratica_store::wire::{Facts, wrap};
use pratica_store::{Position, RecordedEvent, StoreError, StreamName, Vault};
use std::collections::BTreeMap;
use tonic::Status;
use uuid::Uuid;

/// How a client wants ids written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    Structured,
    Text,
}

/// An id as a message.
pub(super) fn id_message(id: Uuid, ids: Ids) -> UuidMessage {
    let value = match ids {
        Ids::Text => uuid_message::Value::String(id.to_string()),
        Ids::Structured => {
            let (most, least) = id.as_u64_pair();
            uuid_message::Value::Structured(uuid_message::Structured {
                most_significant_bits: most.cast_signed(),
                least_significant_bits: least.cast_signed(),
            })
        }
    };
    UuidMessage { value: Some(value) }
}

/// An id from a message.
pub(super) fn id(message: Option<&UuidMessage>) -> Result<Uuid, Status> {
    match message.and_then(|m| m.value.as_ref()) {
        Some(uuid_message::Value::String(text)) => {
            text.parse().map_err(|_| Status::invalid_argument("an id is not a UUID"))
        }
        Some(uuid_message::Value::Structured(halves)) => Ok(Uuid::from_u64_pair(
            halves.most_significant_bits.cast_unsigned(),
            halves.least_significant_bits.cast_unsigned(),
        )),
        None => Err(Status::invalid_argument("an id is missing")),
    }
}

/// The name of a stream from a message; none when no stream of ours is named so.
pub(super) fn stream_text(message: Option<&StreamIdentifier>) -> Result<String, Status> {
    let name = message.map(|m| m.stream_name.clone()).unwrap_or_default();
    match String::from_utf8(name) {
        Ok(name) if !name.is_empty() => Ok(name),
        _ => Err(Status::invalid_argument("the name of a stream is missing or not UTF-8")),
    }
}

/// The name of a stream as a message.
pub(super) fn stream_message(stream: &str) -> StreamIdentifier {
    StreamIdentifier { stream_name: stream.as_bytes().to_vec() }
}

/// The name of a stream of a comune.
pub(super) fn own_stream(name: &str, comune: &str) -> Result<StreamName, Status> {
    let stream = StreamName::parse(name).map_err(|e| Status::invalid_argument(e.to_string()))?;
    if stream.comune() == comune {
        Ok(stream)
    } else {
        Err(super::door::denied("the stream is of another comune"))
    }
}

/// An event as a message; with pseudonyms for accounts where they are given.
pub(super) fn event_message(
    mut event: RecordedEvent,
    ids: Ids,
    pseudonyms: Option<&Vault>,
) -> Result<pb::ReadResp, Status> {
    use pb::read_resp::{Content, ReadEvent, read_event};
    if let Some(vault) = pseudonyms {
        event.payload = without_accounts(vault, &event.payload)?;
        event.metadata_json = without_accounts(vault, &event.metadata_json)?;
    }
    let position = event.position.get();
    let facts = Facts {
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        append: None,
    };
    let custom_metadata = wrap(&facts, &event.metadata_json)
        .map_err(|_| Status::data_loss("an event's times cannot be written"))?;
    // Ticks of 100 ns since 1970.
    let created = event.recorded_at.as_nanosecond() / 100;
    let metadata = BTreeMap::from([
        ("type".to_owned(), event.event_type.to_string()),
        ("content-type".to_owned(), "application/json".to_owned()),
        ("created".to_owned(), created.to_string()),
    ]);
    let recorded = read_event::RecordedEvent {
        id: Some(id_message(event.id, ids)),
        stream_identifier: Some(stream_message(event.stream.as_str())),
        stream_revision: event.revision.get(),
        prepare_position: position,
        commit_position: position,
        metadata,
        custom_metadata,
        data: event.payload.into_vec(),
    };
    let event = ReadEvent {
        event: Some(recorded),
        link: None,
        position: Some(read_event::Position::CommitPosition(position)),
    };
    Ok(said(Content::Event(event)))
}

fn without_accounts(vault: &Vault, json: &[u8]) -> Result<Box<[u8]>, Status> {
    let damaged = |_| Status::data_loss("an event is not JSON");
    let mut value: serde_json::Value = serde_json::from_slice(json).map_err(damaged)?;
    pseudonyms::put(vault, &mut value);
    if let Some(serde_json::Value::String(actor)) = value.get_mut("actor") {
        *actor = vault.pseudonym("account", actor);
    }
    Ok(serde_json::to_vec(&value).map_err(damaged)?.into())
}

/// An answer of a read.
pub(super) fn said(content: pb::read_resp::Content) -> pb::ReadResp {
    pb::ReadResp { content: Some(content) }
}

/// How far a subscription looked.
pub(super) fn checkpoint(position: Position) -> pb::ReadResp {
    let position = position.get();
    said(pb::read_resp::Content::Checkpoint(pb::read_resp::Checkpoint {
        commit_position: position,
        prepare_position: position,
    }))
}

/// Marks a status with the name by which clients know its reason.
pub(super) fn exception(mut status: Status, name: &'static str) -> Status {
    status.metadata_mut().insert("exception", tonic::metadata::MetadataValue::from_static(name));
    status
}

/// A fault of the log as a status; what clients take as a reason to come again is `UNAVAILABLE`.
pub(super) fn fault(error: &StoreError) -> Status {
    match error {
        StoreError::InvalidEvent { .. } | StoreError::InvalidStreamName { .. } => {
            Status::invalid_argument(error.to_string())
        }
        StoreError::TooLarge { .. } => {
            let mut status = exception(
                Status::invalid_argument(error.to_string()),
                "maximum-append-size-exceeded",
            );
            status
                .metadata_mut()
                .insert("maximum-append-size", pratica_store::event::MAX_RAW_BYTES.into());
            status
        }
        StoreError::RequestReused { .. } => Status::failed_precondition(error.to_string()),
        StoreError::BeyondHead { .. } => Status::out_of_range(error.to_string()),
        error if error.may_be_retried() => Status::unavailable(error.to_string()),
        error => {
            tracing::error!(error = error as &dyn std::error::Error, "the log failed");
            Status::data_loss("the log is damaged; its operator has been told")
        }
    }
}
