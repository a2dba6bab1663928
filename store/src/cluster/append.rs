//! Appending to the cluster: what it says is not taken for more than it is.
//!
//! An error after a write may mean that it was stored, so that the copy is looked at before anybody
//! is told. Each append carries a mark of its own ([`Part::attempt`]), and whoever follows the cluster
//! tells when it comes back ([`Attempts`]): whether what stands at the place is what was sent is then
//! known, whoever else wrote the same. A conflict is answered only when the copy has what caused it:
//! who reads again sees it.

use std::time::Duration;

use bytes::Bytes;
use eventstore::{EventData, ResolvedEvent};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::attempts::Attempt;
#[cfg(doc)]
use super::attempts::Attempts;
use super::link::Unsaid;
use super::names::{NOTED, Note, note_stream};
use super::{PATIENCE, Shared};
use crate::error::{BoxError, StoreError};
use crate::event::{Appended, EncodedAppend, EncodedEvent, Request, RequestRecord, StreamName};
use crate::log::{Direction, EventReader as _};
use crate::revision::{Expected, Revision};
use crate::wire::{Asked, Facts, Part, wrap};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a node that lost the cluster waits for it before it refuses.
const RECONNECT: Duration = Duration::from_secs(2);

const APPENDING: &str = "appending to the cluster";

impl Shared {
    pub(super) async fn append(&self, append: EncodedAppend) -> Result<Appended, StoreError> {
        // Those of one id go one after the other: the second finds what the first did.
        let _turn = match &append.request {
            Some(request) => Some(self.turns[turn(request.id, self.turns.len())].lock().await),
            None => None,
        };
        if let Some(known) = self.known(&append).await? {
            return known;
        }
        self.connected().await?;
        if append.events.is_empty() { self.note(append).await } else { self.write(append).await }
    }

    /// The answer to a request that was recorded before.
    async fn known(
        &self,
        append: &EncodedAppend,
    ) -> Result<Option<Result<Appended, StoreError>>, StoreError> {
        let Some(request) = &append.request else { return Ok(None) };
        let found = self.copy.find_request(request.id).await?;
        Ok(found.map(|record| RequestRecord::answer(&record, request, &append.stream)))
    }

    async fn connected(&self) -> Result<(), StoreError> {
        let mut standing = self.standing.subscribe();
        match timeout(RECONNECT, standing.wait_for(|s| s.connected)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StoreError::CutOff),
        }
    }

    async fn write(&self, append: EncodedAppend) -> Result<Appended, StoreError> {
        // A request that recorded nothing on another node leaves only its note. A copy that follows
        // has heard of it; one that is still filling asks.
        if let Some(request) = &append.request
            && !self.standing.borrow().caught_up
            && self.is_noted(request).await?
        {
            return self.answer_known(&append).await;
        }
        // The cluster is at least where the copy is.
        let actual = self.copy.stream_revision(&append.stream).await?;
        if actual > append.expected.revision() {
            // It may be this very request, of which the copy has heard only now.
            let known = self.known(&append).await?;
            return known.unwrap_or_else(|| Err(conflict(&append, actual)));
        }
        let attempt = self.attempts.begin();
        let proposed = proposed(&append, attempt.id)?;
        let deadline = Instant::now() + PATIENCE;
        let mut last: Option<eventstore::Error> = None;
        while Instant::now() < deadline {
            match self.link.append(&append.stream, append.expected, proposed.clone()).await {
                Ok(place) => {
                    self.wait_for_place(place).await?;
                    return self.answer(&append, &attempt).await;
                }
                Err(Unsaid::Refused(error)) => return Err(error),
                Err(Unsaid::Conflict(actual)) => {
                    self.wait_for_revision(&append.stream, actual).await?;
                    return self.answer(&append, &attempt).await;
                }
                Err(Unsaid::Unknown(error)) => {
                    last = Some(error);
                    sleep(PAUSE).await;
                }
            }
        }
        let source: BoxError = match last {
            Some(error) => Box::new(error),
            None => "it does not answer in time".into(),
        };
        Err(StoreError::unavailable(APPENDING, source))
    }

    /// The answer to an append when the copy has what the cluster said of it. What stands there may
    /// be ours although an earlier try was not acknowledged; and it may be somebody else's although
    /// this one was: a cluster takes the same event ids at the same revision for a repetition.
    async fn answer(
        &self,
        append: &EncodedAppend,
        attempt: &Attempt<'_>,
    ) -> Result<Appended, StoreError> {
        let first = append.expected.revision().map_or(Revision::FIRST, Revision::next);
        let last = Revision::new(first.get() + append.events.len() as u64 - 1);
        if !attempt.is_recorded() {
            if let Some(known) = self.known(append).await? {
                return known;
            }
            let actual = self.copy.stream_revision(&append.stream).await?;
            return Err(conflict(append, actual));
        }
        self.wait_for_revision(&append.stream, Some(last)).await?;
        let at = self.copy.read_stream(&append.stream, last, Direction::Forwards, 1).await?;
        let position = at.first().map(|event| event.position).ok_or_else(|| {
            StoreError::corrupt(None, "an event just recorded is not in this node's copy")
        })?;
        Ok(Appended {
            revision: Some(last),
            position,
            first_revision: Some(first),
            replayed: false,
        })
    }

    /// Records a request that records no event.
    async fn note(&self, append: EncodedAppend) -> Result<Appended, StoreError> {
        let stands = self.last(&append.stream).await?;
        let actual = stands.map(|event| Revision::new(event.get_original_event().revision));
        self.wait_for_revision(&append.stream, actual).await?;
        if let Some(known) = self.known(&append).await? {
            return known;
        }
        if !append.expected.holds(actual) {
            return Err(conflict(&append, actual));
        }
        let Some(request) = &append.request else {
            let position = self.copy.head().await?;
            return Ok(Appended {
                revision: actual,
                position,
                first_revision: None,
                replayed: false,
            });
        };
        let stream = note_stream(&self.comune, request.id)?;
        let note = Note { stream: append.stream.to_string(), request: Asked::from(request) };
        let facts = Facts {
            schema_version: 1,
            occurred_at: append.recorded_at,
            recorded_at: append.recorded_at,
            append: Some(Part { attempt: Uuid::new_v4(), index: 0, of: 1, request: None }),
        };
        let event = event_data(NOTED, Uuid::new_v4(), &note, &facts)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.link.append(&stream, Expected::NoStream, vec![event.clone()]).await {
                Ok(place) => {
                    self.wait_for_place(place).await?;
                    break;
                }
                // By an earlier try, or by another node for the same request: the first counts.
                Err(Unsaid::Conflict(_)) => break,
                Err(Unsaid::Refused(error)) => return Err(error),
                Err(Unsaid::Unknown(error)) if Instant::now() >= deadline => {
                    return Err(StoreError::unavailable(APPENDING, error));
                }
                Err(Unsaid::Unknown(_)) => sleep(PAUSE).await,
            }
        }
        let answer = self.answer_known(&append).await?;
        Ok(Appended { replayed: false, ..answer })
    }

    /// Waits until the copy knows the request, and answers it.
    async fn answer_known(&self, append: &EncodedAppend) -> Result<Appended, StoreError> {
        let mut applied = self.applied.subscribe();
        let knowing = async {
            loop {
                applied.borrow_and_update();
                if let Some(known) = self.known(append).await? {
                    return known;
                }
                if applied.changed().await.is_err() {
                    return Err(StoreError::unavailable(APPENDING, "the log is closing"));
                }
            }
        };
        timeout(PATIENCE, knowing).await.unwrap_or_else(|_| Err(behind()))
    }

    async fn is_noted(&self, request: &Request) -> Result<bool, StoreError> {
        let stream = note_stream(&self.comune, request.id)?;
        Ok(self.last(&stream).await?.is_some())
    }

    /// The last event of a stream in the cluster, asked for again while the way to it breaks.
    async fn last(&self, stream: &StreamName) -> Result<Option<ResolvedEvent>, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.link.event(stream, None).await {
                Ok(event) => return Ok(event),
                Err(error) if Instant::now() >= deadline || error.is_access_denied() => {
                    return Err(StoreError::unavailable("reading from the cluster", error));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn wait_for_place(&self, place: u64) -> Result<(), StoreError> {
        let mut applied = self.applied.subscribe();
        match timeout(PATIENCE, applied.wait_for(|at| *at >= place)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(behind()),
        }
    }

    async fn wait_for_revision(
        &self,
        stream: &StreamName,
        revision: Option<Revision>,
    ) -> Result<(), StoreError> {
        let mut heads = self.copy.watch_head();
        let waiting = async {
            loop {
                heads.borrow_and_update();
                if self.copy.stream_revision(stream).await? >= revision {
                    return Ok(());
                }
                if heads.changed().await.is_err() {
                    return Err(StoreError::unavailable(APPENDING, "the log is closing"));
                }
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(behind()))
    }
}

fn behind() -> StoreError {
    let source = "this node's copy is behind the cluster";
    StoreError::unavailable("waiting for what the cluster recorded", source)
}

fn conflict(append: &EncodedAppend, actual: Option<Revision>) -> StoreError {
    StoreError::Conflict { stream: append.stream.clone(), expected: append.expected, actual }
}

fn turn(id: Uuid, turns: usize) -> usize {
    usize::try_from(id.as_u128() % turns as u128).unwrap_or(0)
}

/// The events as they are sent.
fn proposed(append: &EncodedAppend, attempt: Uuid) -> Result<Vec<EventData>, StoreError> {
    let of = u32::try_from(append.events.len()).unwrap_or(u32::MAX);
    let mut proposed = Vec::with_capacity(append.events.len());
    for (index, event) in (0..of).zip(&append.events) {
        let request = append.request.as_ref().map(Asked::from);
        let part = Part { attempt, index, of, request };
        proposed.push(data(event, append, part).map_err(|source| StoreError::InvalidEvent {
            index: index as usize,
            reason: "it cannot be written for the cluster",
            source: Some(source),
        })?);
    }
    Ok(proposed)
}

fn data(event: &EncodedEvent, append: &EncodedAppend, part: Part) -> Result<EventData, BoxError> {
    let facts = Facts {
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        recorded_at: append.recorded_at,
        append: Some(part),
    };
    let metadata = wrap(&facts, event.metadata.as_bytes())?;
    // Raw text, so that the payload stays byte for byte; where white space around it would be lost,
    // as bytes of no kind. The codec writes none.
    let data = if event.payload.trim() == event.payload {
        let payload: &serde_json::value::RawValue = serde_json::from_str(&event.payload)?;
        EventData::json(&*event.event_type, &payload)?
    } else {
        EventData::binary(&*event.event_type, Bytes::from(event.payload.clone()))
    };
    Ok(data.id(event.id).metadata(Bytes::from(metadata)))
}

pub(super) fn event_data(
    event_type: &str,
    id: Uuid,
    payload: &impl serde::Serialize,
    facts: &Facts,
) -> Result<EventData, StoreError> {
    let unwritable = |error: serde_json::Error| StoreError::unavailable(APPENDING, error);
    let metadata = wrap(facts, NOBODY.as_bytes()).map_err(unwritable)?;
    let data = EventData::json(event_type, payload).map_err(unwritable)?;
    Ok(data.id(id).metadata(Bytes::from(metadata)))
}

/// The metadata of what is no history: the log itself acts.
const NOBODY: &str = r#"{"actor":"log","role":"system","correlation_id":"00000000-0000-0000-0000-000000000000","rules_version":""}"#;
