//! The client of the cluster, and making a new one when it broke.
//!
//! The client crate gives up for good when it cannot connect, and stays with a node that is gone:
//! so that after every error of the way it is dropped, and the next call discovers the cluster anew.
//!
//! It does not set `TCP_NODELAY`, and sends the head of each call and its body in two small packets:
//! the second waits until the first is acknowledged, up to 40 ms. What is done for every command is
//! therefore no call of its own but a message of one long call, the batch: one packet.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eventstore::{
    AppendToStreamOptions, BatchAppendClient, BatchAppendOptions, Client, ClientSettings,
    CurrentRevision, Error, EventData, ExpectedRevision, Position as Place, ReadStreamOptions,
    ResolvedEvent, StreamMetadataBuilder, StreamPosition, SubscribeToAllOptions, Subscription,
    SubscriptionFilter,
};

use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::error::StoreError;
use crate::event::StreamName;
use crate::revision::{Expected, Revision};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);

/// The cluster as it is reached.
pub(super) struct Link {
    settings: ClientSettings,
    kept: Mutex<Option<Kept>>,
}

/// A client, and the batch that was begun with it.
#[derive(Clone)]
struct Kept {
    client: Client,
    batch: Arc<OnceCell<BatchAppendClient>>,
}

/// Why an append was not acknowledged.
pub(super) enum Unsaid {
    /// The stream is elsewhere; nothing was written by this try.
    Conflict(Option<Revision>),
    /// Nothing was written, and trying again will not help.
    Refused(StoreError),
    /// Perhaps it was written.
    Unknown(Error),
}

impl Link {
    pub(super) fn new(connection: &str) -> Result<Self, StoreError> {
        // The error may show the string, and so the credentials within.
        let settings = connection.parse().map_err(|_| {
            let text = "the connection string cannot be read: esdb://login:password@host:2113";
            StoreError::unavailable("connecting to the cluster", text)
        })?;
        Ok(Self { settings, kept: Mutex::new(None) })
    }

    fn kept(&self) -> Result<Kept, Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*kept {
            return Ok(kept.clone());
        }
        let client = Client::new(self.settings.clone())?;
        Ok(kept.insert(Kept { client, batch: Arc::default() }).clone())
    }

    fn client(&self) -> Result<Client, Error> {
        Ok(self.kept()?.client)
    }

    /// Drops the client after an error of the way; keeps it after an answer.
    pub(super) fn judge(&self, error: &Error) {
        let answered = matches!(
            error,
            Error::WrongExpectedVersion { .. }
                | Error::ResourceNotFound
                | Error::AccessDenied
                | Error::NotLeaderException(_)
                | Error::DeadlineExceeded
        );
        if !answered {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Appends as a message of the batch; answers with the place of the last event. A batch ends
    /// with its first refusal, and tells no revision: whatever goes wrong ends it, and is then asked
    /// by the other call. The append may be stored all the same.
    async fn append_in_batch(
        &self,
        stream: &StreamName,
        expected: ExpectedRevision,
        events: Vec<EventData>,
    ) -> Option<u64> {
        let kept = self.kept().ok()?;
        let sent = async {
            let begin = || async { kept.client.batch_append(&BatchAppendOptions::default()).await };
            let batch = kept.batch.get_or_try_init(begin).await.ok()?;
            batch.append_to_stream(stream.as_str(), expected, events).await.ok()
        };
        let place = timeout(CALL, sent).await.ok().flatten().and_then(|d| d.current_position());
        if place.is_none()
            && let Some(now) = &mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner)
            && Arc::ptr_eq(&now.batch, &kept.batch)
        {
            now.batch = Arc::default();
        }
        place.map(|place| place.commit)
    }

    /// Appends; answers with the place of the last event in the cluster's own log. A conflict may be
    /// with this very append, stored by a message that was not answered.
    pub(super) async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<EventData>,
    ) -> Result<u64, Unsaid> {
        let expected = match expected {
            Expected::NoStream => ExpectedRevision::NoStream,
            Expected::Exact(revision) => ExpectedRevision::Exact(revision.get()),
        };
        if let Some(place) = self.append_in_batch(stream, expected, events.clone()).await {
            return Ok(place);
        }
        let options = AppendToStreamOptions::default().deadline(CALL).expected_revision(expected);
        let client = self.client().map_err(Unsaid::Unknown)?;
        match client.append_to_stream(stream.as_str(), &options, events).await {
            Ok(done) => Ok(done.position.commit),
            Err(Error::WrongExpectedVersion { current, .. }) => {
                Err(Unsaid::Conflict(match current {
                    CurrentRevision::NoStream => None,
                    CurrentRevision::Current(revision) => Some(Revision::new(revision)),
                }))
            }
            Err(
                error @ (Error::AccessDenied | Error::ResourceDeleted | Error::UnsupportedFeature),
            ) => Err(Unsaid::Refused(StoreError::unavailable("appending to the cluster", error))),
            Err(Error::Grpc { code, message }) if refuses(code) => {
                let source = format!("the cluster refused it: {message}");
                Err(Unsaid::Refused(StoreError::unavailable("appending to the cluster", source)))
            }
            Err(error) => {
                self.judge(&error);
                Err(Unsaid::Unknown(error))
            }
        }
    }

    /// The event of a stream at a revision, or its last one.
    pub(super) async fn event(
        &self,
        stream: &StreamName,
        at: Option<Revision>,
    ) -> Result<Option<ResolvedEvent>, Error> {
        let position = at.map_or(StreamPosition::End, |r| StreamPosition::Position(r.get()));
        let options =
            ReadStreamOptions::default().position(position).backwards().max_count(1).deadline(CALL);
        let read = async {
            let mut events = self.client()?.read_stream(stream.as_str(), &options).await?;
            let event = events.next().await?;
            // To its end: to let go of it before sends a reset, that nobody answers, and what is
            // sent next waits until it is acknowledged.
            while events.next().await?.is_some() {}
            Ok(event)
        };
        match read.await {
            Ok(event) => Ok(event),
            Err(Error::ResourceNotFound) => Ok(None),
            Err(error) => {
                self.judge(&error);
                Err(error)
            }
        }
    }

    /// Follows the streams with a prefix, strictly after a place.
    pub(super) async fn follow(
        &self,
        prefix: &str,
        after: Option<Place>,
    ) -> Result<Subscription, Error> {
        let filter = SubscriptionFilter::on_stream_name().add_prefix(prefix);
        let after = after.map_or(StreamPosition::Start, StreamPosition::Position);
        let options = SubscribeToAllOptions::default().filter(filter).position(after);
        Ok(self.client()?.subscribe_to_all(&options).await)
    }

    /// Lets the cluster forget all but the last events of a stream when it is next scavenged.
    pub(super) async fn keep_last(&self, stream: &StreamName, events: u64) -> Result<(), Error> {
        let metadata = StreamMetadataBuilder::new().max_count(events).build();
        let options = AppendToStreamOptions::default().deadline(CALL);
        self.client()?.set_stream_metadata(stream.as_str(), &options, &metadata).await.map(drop)
    }
}

/// Whether a status says that nothing was written and nothing will be. The client does not name the
/// type of a code, so that it is told by its number.
fn refuses(code: impl Into<i32>) -> bool {
    const INVALID_ARGUMENT: i32 = 3;
    const FAILED_PRECONDITION: i32 = 9;
    matches!(code.into(), INVALID_ARGUMENT | FAILED_PRECONDITION)
}
