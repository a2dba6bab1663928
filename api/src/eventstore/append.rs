//! Appending, for a migration identity: one try, all events or none, through the log's one writer.
//!
//! An event comes with the metadata of Pratica ([`pratica_store::wire`]) or with less; what is
//! missing of who, when and why is then what is known of the caller.

use super::convert;
use super::door::Caller;
use jiff::Timestamp;
use pb::append_req::options::ExpectedStreamRevision;
use pb::append_req::{Content, Options};
use pb::append_resp::wrong_expected_version::{CurrentRevisionOption, ExpectedRevisionOption};
use pb::append_resp::{Result as Answer, Success, WrongExpectedVersion, success};
use pratica_projections::admission::{admit, belong, is_of_a_case};
use pratica_proto::event_store::client::Uuid as UuidMessage;
use pratica_proto::event_store::client::streams as pb;
use pratica_store::event::{MAX_APPEND_EVENTS, MAX_RAW_BYTES};
use pratica_store::{
    Direction, EventReader as _, Expected, Position, RawAppend, RawEvent, RecordedEvent, Revision,
    StoreError, StreamName, wire,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::{Status, Streaming};

/// How often an append that takes any revision is tried again after somebody else's.
const RETRIES: usize = 16;

/// The revision that a client expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    Exactly(Expected),
    Any,
    Exists,
}

/// What became of an append.
pub(super) enum Outcome {
    Done { revision: Option<Revision>, position: Position },
    Conflict { actual: Option<Revision> },
}

/// An event as a client proposes it, of either call.
pub(super) struct Proposed {
    pub(super) id: Option<UuidMessage>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) custom_metadata: Vec<u8>,
    pub(super) data: Vec<u8>,
}

/// The events of one append as they arrive, bounded.
#[derive(Default)]
pub(super) struct Gathered {
    events: Vec<RawEvent>,
    bytes: usize,
    recorded_at: Option<Timestamp>,
}

impl Gathered {
    /// Takes one more.
    pub(super) fn add(&mut self, proposed: Proposed, caller: &Caller) -> Result<(), Status> {
        self.bytes += proposed.data.len() + proposed.custom_metadata.len();
        let (found, limit, unit) = if self.events.len() >= MAX_APPEND_EVENTS {
            (self.events.len() + 1, MAX_APPEND_EVENTS, "events")
        } else if self.bytes > MAX_RAW_BYTES {
            (self.bytes, MAX_RAW_BYTES, "bytes")
        } else {
            let (event, recorded_at) = event(proposed, caller)?;
            self.recorded_at.get_or_insert(recorded_at);
            self.events.push(event);
            return Ok(());
        };
        Err(convert::fault(&StoreError::TooLarge { found, limit, unit }))
    }

    /// Appends what was gathered.
    pub(super) async fn commit(
        self,
        caller: &Caller,
        stream: &StreamName,
        awaited: Awaited,
    ) -> Result<Outcome, Status> {
        let log = &caller.shelf.log;
        let recorded_at = self.recorded_at.unwrap_or_else(|| caller.shelf.clock.now());
        for _ in 0..RETRIES {
            let expected = match awaited {
                Awaited::Exactly(expected) => expected,
                Awaited::Any | Awaited::Exists => {
                    let actual =
                        log.stream_revision(stream).await.map_err(|e| convert::fault(&e))?;
                    if awaited == Awaited::Exists && actual.is_none() {
                        return Ok(Outcome::Conflict { actual });
                    }
                    actual.into()
                }
            };
            admitted(caller, stream, expected, &self.events, recorded_at).await?;
            let append = RawAppend {
                stream: stream.clone(),
                expected,
                events: self.events.clone(),
                request: None,
                recorded_at,
            };
            match log.append_raw(append).await {
                Ok(done) => {
                    let (revision, position) = (done.revision, done.position);
                    return Ok(Outcome::Done { revision, position });
                }
                Err(StoreError::Conflict { actual, .. }) => {
                    if matches!(awaited, Awaited::Exactly(_)) {
                        return Ok(Outcome::Conflict { actual });
                    }
                }
                Err(error) => return Err(convert::fault(&error)),
            }
        }
        Err(Status::aborted("others append to this stream all the time: try again"))
    }
}

/// `Streams.Append`: the options, then one message an event.
pub(super) async fn append(
    mut requests: Streaming<pb::AppendReq>,
    caller: &Caller,
) -> Result<pb::AppendResp, Status> {
    let first = requests.message().await?.and_then(|m| m.content);
    let Some(Content::Options(options)) = first else {
        return Err(Status::invalid_argument("the options come first"));
    };
    let name = convert::stream_text(options.stream_identifier.as_ref())?;
    let stream = convert::own_stream(&name, caller.comune.as_str())?;
    let awaited = awaited(&options)?;
    let mut gathered = Gathered::default();
    while let Some(message) = requests.message().await? {
        let Some(Content::ProposedMessage(m)) = message.content else {
            return Err(Status::invalid_argument("after the options come events"));
        };
        let (id, metadata) = (m.id, m.metadata);
        let (custom_metadata, data) = (m.custom_metadata, m.data);
        gathered.add(Proposed { id, metadata, custom_metadata, data }, caller)?;
    }
    let outcome = gathered.commit(caller, &stream, awaited).await?;
    Ok(pb::AppendResp { result: Some(answer(&outcome, awaited)) })
}

fn awaited(options: &Options) -> Result<Awaited, Status> {
    Ok(match options.expected_stream_revision {
        Some(ExpectedStreamRevision::Revision(n)) => {
            Awaited::Exactly(Expected::Exact(Revision::new(n)))
        }
        Some(ExpectedStreamRevision::NoStream(())) => Awaited::Exactly(Expected::NoStream),
        Some(ExpectedStreamRevision::Any(())) => Awaited::Any,
        Some(ExpectedStreamRevision::StreamExists(())) => Awaited::Exists,
        None => return Err(Status::invalid_argument("the expected revision is missing")),
    })
}

fn answer(outcome: &Outcome, awaited: Awaited) -> Answer {
    match outcome {
        Outcome::Done { revision, position } => {
            let position = position.get();
            let (commit_position, prepare_position) = (position, position);
            let at = pb::append_resp::Position { commit_position, prepare_position };
            Answer::Success(Success {
                current_revision_option: Some(match revision {
                    Some(r) => success::CurrentRevisionOption::CurrentRevision(r.get()),
                    None => success::CurrentRevisionOption::NoStream(()),
                }),
                position_option: Some(success::PositionOption::Position(at)),
            })
        }
        Outcome::Conflict { actual } => Answer::WrongExpectedVersion(WrongExpectedVersion {
            current_revision_option: Some(match actual {
                Some(r) => CurrentRevisionOption::CurrentRevision(r.get()),
                None => CurrentRevisionOption::CurrentNoStream(()),
            }),
            expected_revision_option: Some(match awaited {
                Awaited::Exactly(Expected::Exact(r)) => {
                    ExpectedRevisionOption::ExpectedRevision(r.get())
                }
                Awaited::Exactly(Expected::NoStream) => {
                    ExpectedRevisionOption::ExpectedNoStream(())
                }
                Awaited::Any => ExpectedRevisionOption::ExpectedAny(()),
                Awaited::Exists => ExpectedRevisionOption::ExpectedStreamExists(()),
            }),
        }),
    }
}

/// An event as the log takes it, and when it was recorded.
fn event(proposed: Proposed, caller: &Caller) -> Result<(RawEvent, Timestamp), Status> {
    let property = |name: &str| {
        proposed.metadata.get(name).cloned().ok_or_else(|| {
            let text = format!("an event needs the metadata {name}");
            convert::exception(Status::invalid_argument(text), "missing-required-metadata-property")
        })
    };
    let event_type = property("type")?;
    property("content-type")?;
    let id = convert::id(proposed.id.as_ref())?;
    let now = caller.shelf.clock.now();
    let sent = proposed.custom_metadata;
    let (schema_version, occurred_at, recorded_at, metadata_json) = match wire::unwrap(&sent) {
        // What only a log of another kind says stays with the event; what has a column does not.
        Some((facts, metadata)) => {
            let kept = if facts.append.is_some() { sent } else { metadata };
            (facts.schema_version, facts.occurred_at, facts.recorded_at, kept)
        }
        None => (1, now, now, completed(&sent, id, caller)?),
    };
    let event = RawEvent {
        id,
        event_type: event_type.into(),
        schema_version,
        occurred_at,
        payload: proposed.data,
        metadata_json,
    };
    Ok((event, recorded_at))
}

/// Metadata of a stranger, completed by what is known of the caller.
fn completed(sent: &[u8], id: uuid::Uuid, caller: &Caller) -> Result<Vec<u8>, Status> {
    let mut metadata: Map<String, Value> = if sent.is_empty() {
        Map::new()
    } else {
        serde_json::from_slice(sent)
            .map_err(|_| Status::invalid_argument("the custom metadata is not a JSON object"))?
    };
    let principal = &caller.principal;
    for (name, value) in [
        ("actor", principal.account.to_string()),
        ("role", principal.role.as_str().to_owned()),
        ("correlation_id", id.to_string()),
        ("rules_version", String::new()),
    ] {
        metadata.entry(name).or_insert(Value::String(value));
    }
    serde_json::to_vec(&metadata).map_err(|_| Status::internal("the metadata cannot be written"))
}

/// Refuses what the views of the town that lives on this log could not take: they would stop at it.
async fn admitted(
    caller: &Caller,
    stream: &StreamName,
    expected: Expected,
    events: &[RawEvent],
    recorded_at: Timestamp,
) -> Result<(), Status> {
    let (Some(rules), Some(vault)) = (&caller.shelf.rules, &caller.shelf.vault) else {
        return Ok(());
    };
    let first = expected.revision().map_or(Revision::FIRST, Revision::next);
    let mut all = Vec::new();
    if is_of_a_case(stream.kind()) && first > Revision::FIRST {
        let log = &caller.shelf.log;
        all = log
            .read_stream(stream, Revision::FIRST, Direction::Forwards, usize::MAX)
            .await
            .map_err(|e| convert::fault(&e))?;
        if all.len() as u64 != first.get() {
            // The log itself says what is wrong with the revision.
            return Ok(());
        }
    }
    let new = events.iter().zip(first.get()..).map(|(event, revision)| RecordedEvent {
        position: Position::START,
        stream: stream.clone(),
        revision: Revision::new(revision),
        id: event.id,
        event_type: event.event_type.as_ref().into(),
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        recorded_at,
        metadata_json: event.metadata_json.clone().into(),
        payload: event.payload.clone().into(),
    });
    all.extend(new);
    let (rules, vault) = (Arc::clone(rules), Arc::clone(vault));
    let judged =
        tokio::task::spawn_blocking(move || belong(&all) && admit(&all, &rules, &*vault).is_ok());
    match judged.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Status::invalid_argument(
            "no event of Pratica has this type and shape, or it does not follow in this stream",
        )),
        Err(_) => Err(Status::internal("the events could not be judged")),
    }
}
