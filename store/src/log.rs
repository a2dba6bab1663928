//! The contract of the log: reading and appending, apart.
//!
//! They are two traits so that the read side can be given the one without the other: a view
//! cannot write history, by type. Both can be used as `dyn`, hence the boxed futures. What they
//! promise stands in the crate's documentation and is proved by `testing::conformance`.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;
use uuid::Uuid;

use crate::error::StoreError;
use crate::event::{AppendRequest, Appended, RecordedEvent, RequestRecord, StreamName};
use crate::revision::{Position, Revision};

/// A future of a store: boxed, so that the traits stay dyn-compatible.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From old to new.
    Forwards,
    /// From new to old.
    Backwards,
}

/// Which events a reader of the whole log wants: of which streams, and of which names. Cheap to
/// clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    streams: Option<Arc<[Box<str>]>>,
    passed_over: &'static [&'static str],
}

impl Filter {
    /// Every event.
    #[must_use]
    pub const fn all() -> Self {
        Self { streams: None, passed_over: &[] }
    }

    /// The streams whose name begins with one of these; none at all when there are none.
    pub fn prefixes<S: AsRef<str>>(prefixes: impl IntoIterator<Item = S>) -> Self {
        let streams = prefixes.into_iter().map(|p| Box::from(p.as_ref())).collect();
        Self { streams: Some(streams), passed_over: &[] }
    }

    /// Without the events of these names; one that ends in a point stands for all that begin with
    /// it. What is of no use to the reader is neither copied nor decoded. An event that nobody
    /// thought of is delivered.
    #[must_use]
    pub const fn passing_over(mut self, names: &'static [&'static str]) -> Self {
        self.passed_over = names;
        self
    }

    /// Whether a stream is wanted.
    #[must_use]
    pub fn matches(&self, stream: &StreamName) -> bool {
        match &self.streams {
            None => true,
            Some(prefixes) => prefixes.iter().any(|p| stream.as_str().starts_with(&**p)),
        }
    }

    /// Whether events of this name are wanted.
    #[must_use]
    pub fn matches_name(&self, event_type: &str) -> bool {
        // The beginning first: nearly all names differ there, and a replay asks this of every event.
        !self.passed_over.iter().any(|name| {
            event_type.starts_with(name) && (event_type.len() == name.len() || name.ends_with('.'))
        })
    }

    /// Whether every event is wanted.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.streams.is_none() && self.passed_over.is_empty()
    }
}

/// A stretch of the whole log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events that matched, in the direction asked for.
    pub events: Vec<RecordedEvent>,
    /// Everything between the position asked for and this one was looked at: read on from here.
    /// It moves on even when nothing matched, and never passes the head of this page.
    pub next: Position,
    /// The head of the log, of the same snapshot as the events: never newer than they are.
    pub head: Position,
}

/// Reading the log.
pub trait EventReader: Send + Sync {
    /// Reads at most `max` events of one stream from a revision, that one included. Backwards
    /// from [`Revision::END`] begins with the newest. A stream without events gives none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Fut<'_, Vec<RecordedEvent>>;

    /// Reads at most `max` events of the whole log, strictly after `from` when forwards, strictly
    /// before it when backwards. Fewer events do not mean the end: a filtered read looks at a
    /// bounded stretch only; forwards the end is reached when `next` is the `head`, backwards
    /// when `next` is [`Position::START`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    fn read_all(
        &self,
        from: Position,
        direction: Direction,
        filter: &Filter,
        max: usize,
    ) -> Fut<'_, Page>;

    /// The position of the newest event; [`Position::START`] when there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn head(&self) -> Fut<'_, Position>;

    /// The last revision of a stream; `None` when it has no events.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn stream_revision(&self, stream: &StreamName) -> Fut<'_, Option<Revision>>;

    /// Follows the head. A value is published after its events can be read and before their
    /// append is answered; values may be passed over, so that one reads up to what one is told.
    fn watch_head(&self) -> watch::Receiver<Position>;

    /// What is remembered of a request; `None` when the id was never recorded.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    fn find_request(&self, id: Uuid) -> Fut<'_, Option<RequestRecord>>;
}

/// Appending to the log.
pub trait EventAppender: Send + Sync {
    /// Records events, all or none; answered only when they are safe from a power cut.
    ///
    /// Judged in this order: a known request id is answered with its first outcome or refused as
    /// reused; then the expected revision; so that a retry is recognised although its own first
    /// attempt has moved the stream.
    ///
    /// Once started, an append is carried out even when its future is dropped: whether it was
    /// shows by repeating it with the same request id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::RequestReused`], [`StoreError::InvalidEvent`] and
    /// [`StoreError::TooLarge`]: nothing was written. [`StoreError::Unavailable`] and
    /// [`StoreError::Stopped`]: perhaps it was; repeat with the same request id.
    fn append(&self, request: AppendRequest) -> Fut<'_, Appended>;
}

/// A whole log: who has this may read and append.
pub trait EventStore: EventReader + EventAppender {}

impl<S: EventReader + EventAppender + ?Sized> EventStore for S {}
