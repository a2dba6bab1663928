//! What of a comune's streams in the cluster is not its history: notes of requests that recorded
//! nothing, and leases. They have no position in the comune's log.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StoreError;
use crate::event::StreamName;
use crate::wire::Asked;

/// The kind of the streams of notes, one a request.
const NOTE: &str = "log_request";
/// The kind of the stream of leases.
const LEASE: &str = "log_lease";
/// The type of a note.
pub(super) const NOTED: &str = "log.request_noted";
/// The type of a lease's event.
pub(super) const LEASED: &str = "log.lease_taken";

/// What a stream of the comune is to its log.
pub(super) enum Kind {
    History,
    Note,
    Lease,
}

pub(super) fn kind(stream: &StreamName) -> Kind {
    match stream.kind() {
        NOTE => Kind::Note,
        LEASE => Kind::Lease,
        _ => Kind::History,
    }
}

pub(super) fn note_stream(comune: &str, request: Uuid) -> Result<StreamName, StoreError> {
    StreamName::parse(&format!("{comune}.{NOTE}-{request}"))
}

pub(super) fn lease_stream(comune: &str) -> Result<StreamName, StoreError> {
    StreamName::parse(&format!("{comune}.{LEASE}-work"))
}

/// A request that recorded nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// The stream it was for.
    pub(super) stream: String,
    /// What was asked.
    pub(super) request: Asked,
}
