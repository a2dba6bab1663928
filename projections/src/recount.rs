//! The statistics alone, counted from the log: as they stood at any position, and without a file of
//! views. Only the events that move a clock or a closure are read; the others are passed over by
//! their names, and nothing sealed is opened.
//!
//! What must never enter: rows, personal data, another way of counting than the views' own: the
//! differences are summed, and asked for, by the same code.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use jiff::civil::Date;
use pratica_domain::{Case, Event, case, evolve_in_place};
use pratica_store::{
    Delivery, Direction, EventReader, Filter, Position, RecordedEvent, Revision, StreamName,
    Subscription,
};

use crate::cache::Cache;
use crate::derive::{self, STAND_STILL};
use crate::error::ViewError;
use crate::projector::Ahead;
use crate::query::statistics;
use crate::rules::Rules;
use crate::schema;
use crate::types::StatRow;
use crate::writer::deltas::{Kind, StatDeltas};
use crate::writer::prepare::decode;

/// Open cases that are kept folded; what is asked for beyond them is read again. A closed case is
/// not kept: it seldom moves again.
const OPEN_CASES: usize = 50_000;
/// Events of a delivery.
const BATCH: usize = 8192;
/// Events of one stream that are read at once.
const STREAM_PAGE: usize = 500;

/// What does not count for the statistics: of cases, and of streams that are no cases.
static PASSED_OVER: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| STAND_STILL.iter().copied().chain(["register.", "call."]).collect());

/// Which statistics are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecountOf<'a> {
    /// Of one procedure; of all if none is named.
    pub procedure: Option<&'a str>,
    /// Of cases closed in this month or later.
    pub from: Option<Date>,
    /// Of cases closed in this month or earlier.
    pub to: Option<Date>,
    /// As they stood when this event was the newest; as they stand now if none is named.
    pub until: Option<Position>,
}

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recount {
    /// The position that the statistics are of: so many events were gone through.
    pub position: Position,
    /// The events among them that count, and were folded.
    pub folded: u64,
    /// One row a procedure and kind.
    pub rows: Vec<StatRow>,
}

/// Counts the statistics from the log. `progress` hears where it is and where it ends.
///
/// Blocks the thread that polls for as long as a batch takes: give it a thread of its own.
///
/// # Errors
/// [`ViewError::Poison`] and [`ViewError::Terms`] name an event; [`ViewError::Log`].
pub async fn recount(
    reader: Arc<dyn EventReader>,
    rules: &Rules,
    of: RecountOf<'_>,
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Recount, ViewError> {
    let head = reader.head().await?;
    let until = of.until.map_or(head, |until| until.min(head));
    let mut counting = Counting {
        rules,
        open: Cache::new(OPEN_CASES),
        sums: StatDeltas::default(),
        youngest: BTreeMap::new(),
        folded: 0,
    };
    let filter = Filter::all().passing_over(&PASSED_OVER);
    let log = Subscription::new(Arc::clone(&reader), Position::START, filter).batch(BATCH);
    let (mut next, mut at) = (Ahead::new(log), Position::START);
    while at < until {
        let (delivery, log) = next.get().await;
        next = Ahead::new(log);
        match delivery? {
            Delivery::CaughtUp { .. } => break,
            Delivery::Events { mut events, position } => {
                at = position;
                if at < until {
                    // The next page is on its way while this one is folded.
                    next.start().await;
                }
                events.truncate(events.partition_point(|event| event.position <= until));
                counting.count(&*reader, &events).await?;
                progress(at.min(until), until);
            }
        }
    }
    counting.legal_terms(&*reader, until).await?;
    let tables = schema::in_memory()?;
    counting.sums.write(&tables)?;
    let rows = statistics::rows(&tables, of.procedure, of.from, of.to)?;
    Ok(Recount { position: until, folded: counting.folded, rows })
}

struct Counting<'a> {
    rules: &'a Rules,
    open: Cache<StreamName, Box<Case>>,
    sums: StatDeltas,
    /// By kind, the case that was opened last, and where.
    youngest: BTreeMap<Kind, (Position, StreamName)>,
    folded: u64,
}

impl Counting<'_> {
    /// Counts events that come next in the log, case by case.
    async fn count(
        &mut self,
        reader: &dyn EventReader,
        events: &[RecordedEvent],
    ) -> Result<(), ViewError> {
        let mut places: HashMap<&StreamName, usize> = HashMap::new();
        let mut work: Vec<Vec<&RecordedEvent>> = Vec::new();
        for event in events {
            let place = *places.entry(&event.stream).or_insert(work.len());
            if place == work.len() {
                work.push(Vec::new());
            }
            work[place].push(event);
        }
        for of_one in work {
            let (Some(first), Some(last)) = (of_one.first(), of_one.last()) else { continue };
            let case = match self.open.take(&first.stream) {
                Some(kept) => kept,
                None if first.revision == Revision::FIRST => Box::default(),
                None => {
                    let before = Position::new(first.position.get() - 1);
                    Box::new(folded(reader, &first.stream, before).await?)
                }
            };
            self.case(case, &first.stream, &of_one, last.position)?;
        }
        self.folded += events.len() as u64;
        Ok(())
    }

    fn case(
        &mut self,
        mut case: Box<Case>,
        stream: &StreamName,
        events: &[&RecordedEvent],
        last: Position,
    ) -> Result<(), ViewError> {
        let terms = |source| ViewError::Terms { position: last, source };
        let was_there = case.file.opening.is_some();
        let was_open = was_there && case.file.closure.is_none();
        let stat_before = derive::stat_of(&case, self.rules).map_err(terms)?;
        for event in events {
            fold_on(&mut case, event)?;
        }
        let Some(opening) = &case.file.opening else { return Ok(()) };
        let kind: Kind = (opening.procedure.as_str(), opening.kind.clone());
        let stat = derive::stat_of(&case, self.rules).map_err(terms)?;
        self.sums.moved(&kind, stat_before.as_ref(), stat.as_ref());
        let is_open = case.file.closure.is_none();
        self.sums.opened(kind.clone(), i64::from(is_open) - i64::from(was_open));
        if !was_there && let Some(first) = events.first() {
            let opened = (first.position, stream.clone());
            let youngest = self.youngest.entry(kind).or_insert_with(|| opened.clone());
            if *youngest < opened {
                *youngest = opened;
            }
        }
        if is_open {
            self.open.put(stream.clone(), case);
        }
        Ok(())
    }

    /// The legal term of each kind, by the case of it that was opened last.
    async fn legal_terms(
        &mut self,
        reader: &dyn EventReader,
        until: Position,
    ) -> Result<(), ViewError> {
        for (kind, (position, stream)) in std::mem::take(&mut self.youngest) {
            let case = folded(reader, &stream, until).await?;
            let days = derive::legal_days_of(&case, self.rules)
                .map_err(|source| ViewError::Terms { position, source })?;
            self.sums.legal_term(kind, days, 0);
        }
        Ok(())
    }
}

/// What counts of a case up to a position, folded.
async fn folded(
    reader: &dyn EventReader,
    stream: &StreamName,
    until: Position,
) -> Result<Case, ViewError> {
    let (mut case, mut from) = (Case::default(), Revision::FIRST);
    loop {
        let page = reader.read_stream(stream, from, Direction::Forwards, STREAM_PAGE).await?;
        for event in &page {
            if event.position > until {
                return Ok(case);
            }
            if !PASSED_OVER.contains(&&*event.event_type) {
                fold_on(&mut case, event)?;
            }
            from = event.revision.next();
        }
        if page.len() < STREAM_PAGE {
            return Ok(case);
        }
    }
}

fn fold_on(case: &mut Case, recorded: &RecordedEvent) -> Result<(), ViewError> {
    // What was passed over counts all the same.
    case.file.events = recorded.revision.get();
    let event = decode(recorded)?;
    if case.file.opening.is_none() && !matches!(event, Event::Case(case::Event::Opened(_))) {
        return Err(ViewError::Poison {
            position: recorded.position,
            detail: format!("{} comes before case.opened", recorded.event_type),
            source: None,
        });
    }
    evolve_in_place(case, &event);
    Ok(())
}
