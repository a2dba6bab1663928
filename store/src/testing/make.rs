//! Making events for tests, the same ones each time.

use jiff::Timestamp;
use uuid::Uuid;

use crate::event::{AppendRequest, Metadata, NewEvent, Request, StreamName};
use crate::revision::Expected;

/// A stream name; panics when it is none.
#[must_use]
pub fn name(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

/// A time, so many nanoseconds after a fixed one: with a fraction that a store must not lose.
#[must_use]
pub fn time(number: i64) -> Timestamp {
    Timestamp::new(1_772_000_000 + number, 123_456_789).unwrap()
}

/// Metadata of an event of that number.
#[must_use]
pub fn metadata(number: u64) -> Metadata {
    Metadata {
        actor: format!("clerk-{number}"),
        role: "clerk".to_owned(),
        on_behalf_of: None,
        request_id: None,
        correlation_id: Uuid::from_u128(u128::from(number) | 1 << 100),
        causation_id: None,
        rules_version: "2026.1".to_owned(),
    }
}

/// An event that carries a number in its id and payload.
#[must_use]
pub fn event(number: u64) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(number.into()),
        event_type: "test.happened".into(),
        schema_version: 1,
        occurred_at: time(number.cast_signed()),
        payload: format!("{{\"number\": {number}}}").into_bytes(),
        metadata: metadata(number),
    }
}

/// Events of these numbers.
#[must_use]
pub fn events(numbers: std::ops::Range<u64>) -> Vec<NewEvent> {
    numbers.map(event).collect()
}

/// A request id of that number, and a fingerprint made of a byte.
#[must_use]
pub fn request(number: u128, fingerprint: u8) -> Request {
    Request { id: Uuid::from_u128(number), fingerprint: [fingerprint; 32] }
}

/// An append without a request id.
#[must_use]
pub fn append(stream: &str, expected: Expected, events: Vec<NewEvent>) -> AppendRequest {
    AppendRequest { stream: name(stream), expected, events, request: None, recorded_at: time(0) }
}
