//! Following the log: the only writer of the views.
//!
//! The log is seen through `EventReader` alone. A batch blocks the thread that polls for as long
//! as its transaction takes: give the projector a thread of its own. What must never enter: an
//! async runtime, effects, skipping an event that cannot be applied.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use pratica_store::{
    Delivery, Direction, EventReader, Filter, Position, RecordedEvent, Revision, StoreError,
    StreamName, Subscription,
};

use crate::error::ViewError;
use crate::rules::Rules;
use crate::views::Shared;
use crate::writer::Writer;
use crate::writer::prepare::{Earlier, Loaded};

/// How many events of one stream are read at once when a case has to be folded.
const STREAM_PAGE: usize = 500;

/// The writer of the views, to be owned by one runner.
pub struct Projector {
    shared: Arc<Shared>,
    on_applied: Box<dyn Fn(Position) + Send>,
    /// What is worked out and not written yet.
    unwritten: Vec<RecordedEvent>,
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector").field("position", &self.position()).finish_non_exhaustive()
    }
}

impl Projector {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Projector { shared, on_applied: Box::new(|_| {}), unwritten: Vec::new() }
    }

    /// Calls this after every commit with the position that can be read from then on.
    pub fn on_applied(&mut self, hook: Box<dyn Fn(Position) + Send>) {
        self.on_applied = hook;
    }

    /// Up to where the log is applied.
    pub fn position(&self) -> Position {
        self.shared.writer().position()
    }

    /// Applies events that come next in the log, in one transaction. What was applied before is
    /// passed over, so that a batch may come again. If one of them cannot be applied, those before
    /// it are, and the error names it.
    ///
    /// # Errors
    /// [`ViewError::Poison`] and [`ViewError::Terms`] name the event; [`ViewError::Gap`] when
    /// events are missing in between; [`ViewError::Log`] and [`ViewError::Sqlite`].
    pub async fn apply(
        &mut self,
        reader: &dyn EventReader,
        rules: &Rules,
        events: &[RecordedEvent],
    ) -> Result<Position, ViewError> {
        self.start(rules)?;
        self.batch(reader, rules, events).await
    }

    /// Follows the log until `shutdown` is ready. On an error the views stand where the last batch
    /// left them; calling it again goes on from there.
    ///
    /// # Errors
    /// As [`Projector::apply`].
    pub async fn run(
        &mut self,
        reader: Arc<dyn EventReader>,
        rules: Arc<Rules>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ViewError> {
        let position = self.start(&rules)?;
        let mut shutdown = pin!(shutdown);
        let mut next = Ahead::new(self.follow(&reader, position));
        loop {
            let turn = std::future::poll_fn(|cx| {
                if shutdown.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Turn::Over);
                }
                match next.poll(cx) {
                    Poll::Ready(next) => Poll::Ready(Turn::Next(next)),
                    Poll::Pending if !self.unwritten.is_empty() => Poll::Ready(Turn::Nothing),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await;
            match turn {
                Turn::Over => return self.write(&*reader, &rules).await,
                Turn::Nothing => self.write(&*reader, &rules).await?,
                Turn::Next((Ok(Delivery::Events { events, .. }), log)) => {
                    // The next page is on its way while this one is applied.
                    next = Ahead::new(log);
                    next.start().await;
                    self.work_out(&*reader, &rules, events).await?;
                }
                Turn::Next((Ok(Delivery::CaughtUp { .. }), log)) => next = Ahead::new(log),
                Turn::Next((Err(error), _)) => {
                    self.write(&*reader, &rules).await?;
                    return Err(error.into());
                }
            }
        }
    }

    /// Applies the log up to its head as of now.
    ///
    /// # Errors
    /// As [`Projector::apply`].
    pub async fn catch_up(
        &mut self,
        reader: Arc<dyn EventReader>,
        rules: &Rules,
    ) -> Result<Position, ViewError> {
        let mut position = self.start(rules)?;
        let head = reader.head().await?;
        let mut next = Ahead::new(self.follow(&reader, position));
        while position < head {
            let (delivery, log) = next.get().await;
            next = Ahead::new(log);
            let Delivery::Events { events, position: at } = delivery? else { break };
            next.start().await;
            self.work_out(&*reader, rules, events).await?;
            position = at;
        }
        self.write(&*reader, rules).await?;
        Ok(self.position())
    }

    fn follow(&self, reader: &Arc<dyn EventReader>, after: Position) -> Subscription {
        Subscription::new(Arc::clone(reader), after, Filter::all())
            .batch(self.shared.options.batch_events)
    }

    fn start(&mut self, rules: &Rules) -> Result<Position, ViewError> {
        self.unwritten.clear();
        let mut writer = self.shared.writer();
        writer.use_rules(rules)?;
        let position = writer.position();
        self.shared.position.store(position.get(), Ordering::Release);
        Ok(position)
    }

    /// Works events out while those before them are written.
    async fn work_out(
        &mut self,
        reader: &dyn EventReader,
        rules: &Rules,
        events: Vec<RecordedEvent>,
    ) -> Result<(), ViewError> {
        let missing = {
            let writer = self.shared.writer();
            fresh(writer.worked_out(), &events).map(|fresh| writer.missing(fresh))
        };
        let mut loaded = Loaded::new();
        let done = match missing {
            Ok(missing) => load(reader, missing, &mut loaded).await,
            Err(error) => Err(error),
        };
        let done = done.and_then(|()| {
            let mut writer = self.shared.writer();
            let fresh = fresh(writer.worked_out(), &events)?;
            match still_missing(&writer, fresh, &loaded).is_empty() {
                true => writer.work_out(fresh, loaded, rules).map(|()| true),
                // A rebuild has put another writer there meanwhile.
                false => Ok(false),
            }
        });
        let before = std::mem::take(&mut self.unwritten);
        match done {
            Ok(true) => {
                self.unwritten = events;
                self.applied(&before);
                Ok(())
            }
            done => self.again(reader, rules, [before, events].concat(), done.err()).await,
        }
    }

    /// Writes what was worked out last.
    async fn write(&mut self, reader: &dyn EventReader, rules: &Rules) -> Result<(), ViewError> {
        let events = std::mem::take(&mut self.unwritten);
        let written = self.shared.writer().write();
        match written {
            Ok(()) => {
                self.applied(&events);
                Ok(())
            }
            Err(error) => self.again(reader, rules, events, Some(error)).await,
        }
    }

    /// Applies events one batch after the other, after an error: whether it is still there, and
    /// what comes before the event that it names, shows then.
    async fn again(
        &mut self,
        reader: &dyn EventReader,
        rules: &Rules,
        events: Vec<RecordedEvent>,
        error: Option<ViewError>,
    ) -> Result<(), ViewError> {
        if let Some(error) = error {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(error, "a batch of the views is tried again");
        }
        self.batch(reader, rules, &events).await.map(drop)
    }

    /// Tells that these events can be read.
    fn applied(&self, events: &[RecordedEvent]) {
        if !events.is_empty() {
            let position = self.position();
            self.shared.position.store(position.get(), Ordering::Release);
            (self.on_applied)(position);
        }
    }

    /// Applies a batch through the writer of the moment; a rebuild may put another in its place
    /// while earlier events are read.
    async fn batch(
        &mut self,
        reader: &dyn EventReader,
        rules: &Rules,
        mut events: &[RecordedEvent],
    ) -> Result<Position, ViewError> {
        let mut loaded = Loaded::new();
        let mut stopped_by = None;
        loop {
            let missing = {
                let mut writer = self.shared.writer();
                let fresh = fresh(writer.worked_out(), events)?;
                let missing = still_missing(&writer, fresh, &loaded);
                if missing.is_empty() {
                    let applied = writer.apply(fresh, std::mem::take(&mut loaded), rules);
                    let position = writer.position();
                    self.shared.position.store(position.get(), Ordering::Release);
                    drop(writer);
                    match applied {
                        Ok(()) => {
                            if !fresh.is_empty() {
                                (self.on_applied)(position);
                            }
                            return stopped_by.map_or(Ok(position), Err);
                        }
                        Err(error) => {
                            // What comes before the event that cannot be applied is applied.
                            events = before(fresh, &error);
                            if events.is_empty() {
                                return Err(error);
                            }
                            stopped_by = Some(error);
                            continue;
                        }
                    }
                }
                missing
            };
            load(reader, missing, &mut loaded).await?;
        }
    }
}

/// The events before the one that an error names; none if it names none.
pub(crate) fn before<'a>(events: &'a [RecordedEvent], error: &ViewError) -> &'a [RecordedEvent] {
    match error {
        ViewError::Poison { position, .. } | ViewError::Terms { position, .. } => {
            &events[..events.partition_point(|event| event.position < *position)]
        }
        _ => &[],
    }
}

/// The streams whose earlier events are needed and are not there yet.
pub(crate) fn still_missing(
    writer: &Writer,
    events: &[RecordedEvent],
    loaded: &Loaded,
) -> BTreeMap<StreamName, u64> {
    let mut missing = writer.missing(events);
    missing.retain(|stream, revision| {
        loaded.get(stream).is_none_or(|earlier| earlier.case.file.events != *revision)
    });
    missing
}

/// The events beyond a position, that up to which they are worked out.
pub(crate) fn fresh(at: Position, events: &[RecordedEvent]) -> Result<&[RecordedEvent], ViewError> {
    let from = events.partition_point(|event| event.position <= at);
    let fresh = &events[from..];
    match fresh.first() {
        Some(first) if first.position != at.next() => {
            Err(ViewError::Gap { at, next: first.position })
        }
        _ => Ok(fresh),
    }
}

/// Folds cases from the log, each up to the revision named and never beyond.
pub(crate) async fn load(
    reader: &dyn EventReader,
    missing: BTreeMap<StreamName, u64>,
    loaded: &mut Loaded,
) -> Result<(), ViewError> {
    for (stream, until) in missing {
        let mut earlier = Earlier::default();
        while earlier.case.file.events < until {
            let from = Revision::new(earlier.case.file.events);
            let wanted = usize::try_from(until - from.get()).unwrap_or(STREAM_PAGE);
            let page = reader
                .read_stream(&stream, from, Direction::Forwards, wanted.min(STREAM_PAGE))
                .await?;
            if page.is_empty() {
                return Err(ViewError::Log(StoreError::Corrupt {
                    position: None,
                    detail: format!("{stream} ends before revision {until}"),
                    source: None,
                }));
            }
            for recorded in page.iter().take(wanted) {
                earlier.fold(recorded)?;
            }
        }
        loaded.insert(stream, earlier);
    }
    Ok(())
}

/// What comes next for who follows the log.
enum Turn {
    Next(Next),
    /// Nothing yet.
    Nothing,
    /// The end.
    Over,
}

/// The next delivery of a subscription, which may be sent on its way before it is waited for.
pub(crate) struct Ahead {
    coming: Pin<Box<dyn Future<Output = Next> + Send>>,
    here: Option<Next>,
}

type Next = (Result<Delivery, StoreError>, Subscription);

impl Ahead {
    pub(crate) fn new(mut log: Subscription) -> Ahead {
        let coming = Box::pin(async move {
            let delivery = log.next().await;
            (delivery, log)
        });
        Ahead { coming, here: None }
    }

    /// Sends it on its way: reading begins on the log's own threads.
    pub(crate) async fn start(&mut self) {
        std::future::poll_fn(|cx| {
            if self.here.is_none()
                && let Poll::Ready(next) = self.coming.as_mut().poll(cx)
            {
                self.here = Some(next);
            }
            Poll::Ready(())
        })
        .await;
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        match self.here.take() {
            Some(next) => Poll::Ready(next),
            None => self.coming.as_mut().poll(cx),
        }
    }

    /// Waits for it.
    pub(crate) async fn get(mut self) -> Next {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }
}
