//! Following the cluster: its events of the comune, in its order, into the node's copy.
//!
//! The place to go on from is that of the copy's last event in the cluster, asked of the cluster at
//! each connection: what was handled is what is in the copy, and nothing else is a checkpoint. When
//! that event is not there, the copy is of another log, or the cluster lost what it acknowledged:
//! nothing is taken any more, and the copy must be thrown away.
//!
//! The events of one append arrive one after the other and enter the copy together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use eventstore::{Error, Position as Place, SubscriptionEvent};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::lease;
use super::names::{Kind, NOTED, Note, kind};
use super::{Lease, Shared, Standing};
use crate::error::StoreError;
use crate::event::{Appended, RawAppend, RawEvent, Request, StreamName};
use crate::log::{Direction, EventReader as _, Filter};
use crate::revision::{Position, Revision};
use crate::wire::{Asked, Facts, unwrap};

/// How many appends wait for the copy; beyond that the cluster waits.
const QUEUE: usize = 128;
/// Between two connections: this, twice this, and so on, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Where an event of an old server stands that does not tell.
const UNTOLD: u64 = u64::MAX;

const FOLLOWING: &str = "following the cluster";

/// What arrives, in its order.
enum Item {
    /// An append of the history, whole, and its mark.
    History(RawAppend, Option<Uuid>, u64),
    /// A request that recorded nothing.
    Noted(RawAppend, u64),
    /// Somebody has the lease.
    Leased(Lease, u64),
    /// Everything up to here was looked at.
    Seen(u64),
    CaughtUp,
    Ended(StoreError),
}

/// Follows until it is aborted; after an error again, from where the copy is.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut pause = PAUSE;
    loop {
        let before = shared.copy.watch_head().borrow().get();
        let ended = shared.follow_once().await;
        shared.standing.send_replace(Standing::default());
        tracing::warn!(
            comune = shared.comune,
            error = &ended as &dyn std::error::Error,
            "the cluster is not followed; trying again"
        );
        let moved = shared.copy.watch_head().borrow().get() > before;
        pause = if moved { PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        tokio::time::sleep(pause).await;
    }
}

/// Ends with the future that it belongs to.
struct Reading(JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shared {
    async fn follow_once(self: &Arc<Self>) -> StoreError {
        let after = match self.place_of_the_copy().await {
            Ok(after) => after,
            Err(error) => return error,
        };
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        let reader = Arc::clone(self);
        let _reading = Reading(tokio::spawn(async move {
            let ended = reader.read(after, &sender).await;
            // Nobody takes it any more when the following itself has ended.
            let _ = sender.send(Item::Ended(ended)).await;
        }));
        let mut items = Vec::with_capacity(QUEUE);
        loop {
            if receiver.recv_many(&mut items, QUEUE).await == 0 {
                return StoreError::unavailable(FOLLOWING, "the reader has ended");
            }
            if let Err(error) = self.apply(&mut items).await {
                return error;
            }
        }
    }

    /// Where in the cluster the copy's last event stands.
    async fn place_of_the_copy(&self) -> Result<Option<Place>, StoreError> {
        let page =
            self.copy.read_all(Position::END, Direction::Backwards, &Filter::all(), 1).await?;
        let Some(last) = page.events.first() else { return Ok(None) };
        let stands = self
            .link
            .event(&last.stream, Some(last.revision))
            .await
            .map_err(|error| StoreError::unavailable(FOLLOWING, error))?;
        match stands {
            Some(event) if event.get_original_event().id == last.id => {
                let place = event.get_original_event().position;
                Ok((place.commit != UNTOLD).then_some(place))
            }
            _ => Err(StoreError::corrupt(
                Some(last.position),
                "the cluster does not hold this node's last event: the copy is of another log, or \
                 the cluster lost what it had acknowledged; compare them, then delete the copy",
            )),
        }
    }

    /// Reads the subscription until it breaks.
    async fn read(&self, after: Option<Place>, sender: &mpsc::Sender<Item>) -> StoreError {
        let broken = |error: Error| {
            self.link.judge(&error);
            StoreError::unavailable(FOLLOWING, error)
        };
        let mut subscription = match self.link.follow(&format!("{}.", self.comune), after).await {
            Ok(subscription) => subscription,
            Err(error) => return broken(error),
        };
        let mut gathering = Gathering::default();
        loop {
            let item = match subscription.next_subscription_event().await {
                Err(error) => return broken(error),
                Ok(SubscriptionEvent::Confirmed(_)) => {
                    self.standing.send_modify(|s| s.connected = true);
                    continue;
                }
                Ok(SubscriptionEvent::EventAppeared(event)) => match gathering.add(&event) {
                    Ok(Some(item)) => item,
                    Ok(None) => continue,
                    Err(error) => return error,
                },
                Ok(SubscriptionEvent::Checkpoint(place)) => Item::Seen(place.commit),
                Ok(SubscriptionEvent::CaughtUp) => Item::CaughtUp,
                Ok(SubscriptionEvent::FellBehind) => {
                    self.standing.send_modify(|s| s.caught_up = false);
                    continue;
                }
                Ok(_) => continue,
            };
            if sender.send(item).await.is_err() {
                return StoreError::unavailable(FOLLOWING, "the copy takes nothing more");
            }
        }
    }

    /// Puts what arrived into the copy: appends together, as the writer commits them together.
    async fn apply(&self, items: &mut Vec<Item>) -> Result<(), StoreError> {
        let mut appends = Vec::new();
        let mut reached = 0;
        let mut caught_up = false;
        let mut ended = None;
        for item in items.drain(..) {
            match item {
                Item::History(append, attempt, place) => {
                    if let Some(attempt) = attempt {
                        self.attempts.came_back(attempt);
                    }
                    reached = reached.max(place);
                    appends.push(append);
                }
                Item::Noted(note, place) => {
                    // It stands after everything that came before it.
                    self.enter(std::mem::take(&mut appends)).await?;
                    self.enter_note(note).await?;
                    reached = reached.max(place);
                }
                Item::Leased(lease, place) => {
                    self.lease.send_replace(Some(lease));
                    reached = reached.max(place);
                }
                Item::Seen(place) => reached = reached.max(place),
                Item::CaughtUp => caught_up = true,
                Item::Ended(error) => ended = Some(error),
            }
        }
        self.enter(appends).await?;
        self.applied.send_if_modified(|at| {
            let further = reached > *at;
            *at = reached.max(*at);
            further
        });
        if caught_up {
            self.standing.send_modify(|s| s.caught_up = true);
        }
        ended.map_or(Ok(()), Err)
    }

    async fn enter(&self, appends: Vec<RawAppend>) -> Result<(), StoreError> {
        let sent: Vec<_> =
            appends.iter().map(|a| Box::pin(self.copy.append_raw(a.clone())) as _).collect();
        for (append, outcome) in appends.into_iter().zip(in_order(sent).await) {
            self.check(append, outcome).await?;
        }
        Ok(())
    }

    /// What entered must be what stands in the cluster, at its revision.
    async fn check(
        &self,
        append: RawAppend,
        outcome: Result<Appended, StoreError>,
    ) -> Result<(), StoreError> {
        let first = append.expected.revision().map_or(Revision::FIRST, Revision::next);
        let last = Revision::new(first.get() + append.events.len() as u64 - 1);
        match outcome {
            Ok(done) if !done.replayed => Ok(()),
            // Seen before: after a restart the last ones come again where the place is not told.
            Err(StoreError::Conflict { actual, .. }) if actual >= Some(last) => Ok(()),
            Ok(done) if done.revision == Some(last) => Ok(()),
            // One request id on two streams, from two nodes at once: both stand in the cluster.
            Ok(_) | Err(StoreError::RequestReused { .. }) => {
                tracing::error!(comune = self.comune, stream = %append.stream,
                    "a request id was used twice at the same time; both were recorded");
                self.copy.append_raw(RawAppend { request: None, ..append }).await.map(drop)
            }
            Err(StoreError::Conflict { stream, actual, .. }) => Err(StoreError::corrupt(
                None,
                format!(
                    "the cluster goes on at revision {first} of {stream}, this node's copy is at \
                     {actual:?}: delete the copy"
                ),
            )),
            Err(error) => Err(error),
        }
    }

    async fn enter_note(&self, note: RawAppend) -> Result<(), StoreError> {
        let expected = self.copy.stream_revision(&note.stream).await?.into();
        match self.copy.append_raw(RawAppend { expected, ..note }).await {
            Ok(_) => Ok(()),
            Err(StoreError::RequestReused { request_id }) => {
                tracing::error!(comune = self.comune, %request_id,
                    "a request id was used twice at the same time; the first counts");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Puts the events of an append together again.
#[derive(Default)]
struct Gathering {
    open: Option<(RawAppend, Option<Uuid>, u32)>,
}

impl Gathering {
    fn add(&mut self, event: &eventstore::ResolvedEvent) -> Result<Option<Item>, StoreError> {
        let event = event.get_original_event();
        let stream = StreamName::parse(&event.stream_id)?;
        let place = event.position.commit;
        match kind(&stream) {
            // One that cannot be read is told to who wants to take it.
            Kind::Lease => {
                return Ok(Some(
                    lease::read(event)
                        .map_or(Item::Seen(place), |lease| Item::Leased(lease, place)),
                ));
            }
            Kind::Note => return noted(event).map(|note| Some(Item::Noted(note, place))),
            Kind::History => {}
        }
        let strange = |what: &str| {
            let (stream, revision) = (&stream, event.revision);
            StoreError::corrupt(None, format!("{what} at revision {revision} of {stream}"))
        };
        let (facts, metadata_json) = unwrap(&event.custom_metadata)
            .ok_or_else(|| strange("an event without the facts of Pratica"))?;
        let Facts { schema_version, occurred_at, recorded_at, append } = facts;
        let (index, of) = append.as_ref().map_or((0, 1), |part| (part.index, part.of));
        let attempt = append.as_ref().map(|part| part.attempt);
        let raw = RawEvent {
            id: event.id,
            event_type: event.event_type.clone().into(),
            schema_version,
            occurred_at,
            payload: event.data.to_vec(),
            metadata_json,
        };
        if index == 0 {
            if self.open.is_some() {
                return Err(strange("half an append before the one"));
            }
            let request = append.and_then(|part| part.request).as_ref().and_then(Asked::request);
            let expected = event.revision.checked_sub(1).map(Revision::new).into();
            let append = RawAppend {
                stream: stream.clone(),
                expected,
                events: Vec::with_capacity(of as usize),
                request,
                recorded_at,
            };
            self.open = Some((append, attempt, of));
        }
        let Some((open, _, of)) = &mut self.open else {
            return Err(strange("half an append"));
        };
        if open.stream != stream || open.events.len() as u32 != index {
            return Err(strange("an append torn apart"));
        }
        open.events.push(raw);
        if open.events.len() as u32 == *of
            && let Some((append, attempt, _)) = self.open.take()
        {
            return Ok(Some(Item::History(append, attempt, place)));
        }
        Ok(None)
    }
}

fn noted(event: &eventstore::RecordedEvent) -> Result<RawAppend, StoreError> {
    let strange =
        || StoreError::corrupt(None, format!("what is no note stands in {}", event.stream_id));
    if event.event_type != NOTED {
        return Err(strange());
    }
    let (facts, _) = unwrap(&event.custom_metadata).ok_or_else(strange)?;
    let note: Note = serde_json::from_slice(&event.data).map_err(|_| strange())?;
    let request: Request = note.request.request().ok_or_else(strange)?;
    Ok(RawAppend {
        stream: StreamName::parse(&note.stream)?,
        expected: crate::revision::Expected::NoStream,
        events: Vec::new(),
        request: Some(request),
        recorded_at: facts.recorded_at,
    })
}

type Sent<'a> = Pin<Box<dyn Future<Output = Result<Appended, StoreError>> + Send + 'a>>;

/// Runs appends at the same time. Each is queued at its first poll, so that they enter in order.
async fn in_order(mut sent: Vec<Sent<'_>>) -> Vec<Result<Appended, StoreError>> {
    let mut outcomes: Vec<Option<Result<Appended, StoreError>>> = Vec::new();
    outcomes.resize_with(sent.len(), || None);
    std::future::poll_fn(move |cx| {
        let mut done = true;
        for (future, outcome) in sent.iter_mut().zip(&mut outcomes) {
            if outcome.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(value) => *outcome = Some(value),
                    Poll::Pending => done = false,
                }
            }
        }
        if done {
            Poll::Ready(outcomes.iter_mut().filter_map(Option::take).collect())
        } else {
            Poll::Pending
        }
    })
    .await
}
