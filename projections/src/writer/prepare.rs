//! What a batch comes to, worked out stream by stream without the database.
//!
//! Streams do not depend on each other, so that a large batch is shared out between threads; the
//! result is put back into the order of the log and does not depend on how many they were.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};

use pratica_domain::ids::CaseId;
use pratica_domain::{Case, Event, case, evolve_in_place, register};
use pratica_store::{BlindIndex, Position, RecordedEvent, StreamName, codec};

use super::Entry;
use super::rows::Step;
use crate::derive::keys::{self, Keys};
use crate::derive::{Derived, derive, moves_clocks};
use crate::digest::Digest;
use crate::error::ViewError;
use crate::rules::Rules;
use crate::school::write as school;

/// From how many events on threads are worth their start.
const SHARED_OUT: usize = 256;

/// What is known of a case before the batch.
pub(crate) enum Before {
    /// It begins here.
    Nothing,
    /// As the views hold it.
    Known(Box<Entry>),
    /// Folded from the log; what the views hold of it follows from that, but for the keys that were
    /// made of personal data: what was destroyed since gives none.
    Folded(Box<Earlier>),
}

/// A case folded from its earlier events.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// The position of its first event: its integer in the views.
    pub first: Position,
    pub case: Case,
}

/// A touched case: what the views hold of it before and after.
pub(crate) struct Touched {
    /// Its integer.
    pub key: i64,
    pub id: CaseId,
    pub stream: StreamName,
    pub revision: i64,
    pub before: Option<Arc<Derived>>,
    /// Whether `before` was folded from the log, so that only the views know which keys its
    /// personal data gave.
    pub folded: bool,
    pub after: Arc<Derived>,
    pub last: Position,
}

/// An act of the register.
pub(crate) struct RegisterAct {
    pub position: Position,
    pub event: register::Event,
}

/// A batch, ready to be written.
#[derive(Default)]
pub(crate) struct Prepared {
    /// The position of its last event.
    pub position: Position,
    /// In the order in which they were opened.
    pub cases: Vec<Touched>,
    /// In the order of the log.
    pub steps: Vec<Step>,
    /// In the order of the log.
    pub register: Vec<RegisterAct>,
    /// What calls count, in the order of the log.
    pub school: Vec<school::Fact>,
    /// For each event in order: whether it is of a case, and its digest.
    pub digests: Vec<(Position, bool, Digest)>,
}

/// Cases as they stand after a batch.
pub(crate) type Entries = Vec<(StreamName, Box<Entry>)>;

/// Whether the event belongs to a case, by its name alone.
pub(crate) fn is_of_a_case(event: &RecordedEvent) -> bool {
    !event.event_type.starts_with("register.") && !event.event_type.starts_with("call.")
}

struct Work<'a> {
    stream: &'a StreamName,
    before: Before,
    events: Vec<&'a RecordedEvent>,
}

/// What one thread has worked out, in no order; or the first of the events that it could not.
#[derive(Default)]
struct Share {
    prepared: Prepared,
    entries: Entries,
    error: Option<(Position, ViewError)>,
}

/// Works a batch out. `before` says what is known of a case.
pub(crate) fn prepare(
    events: &[RecordedEvent],
    mut before: impl FnMut(&StreamName) -> Before,
    rules: &Rules,
    index: &dyn BlindIndex,
) -> Result<(Prepared, Entries), ViewError> {
    let mut places: HashMap<&StreamName, usize> = HashMap::new();
    let mut work: Vec<Work<'_>> = Vec::new();
    for event in events {
        let place = *places.entry(&event.stream).or_insert(work.len());
        if place == work.len() {
            let before = if is_of_a_case(event) { before(&event.stream) } else { Before::Nothing };
            work.push(Work { stream: &event.stream, before, events: Vec::new() });
        }
        work[place].events.push(event);
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let threads = if events.len() < SHARED_OUT { 1 } else { threads };
    let (mut prepared, entries) = gather(share_out(work, events.len(), threads, rules, index))?;
    prepared.position = events.last().map(|event| event.position).unwrap_or_default();
    Ok((prepared, entries))
}

/// Each thread takes the next stream when it is done with one: the register is a single stream with
/// a seventh of all events.
fn share_out(
    work: Vec<Work<'_>>,
    events: usize,
    threads: usize,
    rules: &Rules,
    index: &dyn BlindIndex,
) -> Vec<Share> {
    let streams = work.len();
    let queue = Mutex::new(work.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let share = || {
        let mut share = Share::default();
        share.prepared.steps.reserve(events / threads);
        share.prepared.digests.reserve(events / threads);
        share.prepared.cases.reserve(streams / threads);
        share.entries.reserve(streams / threads);
        while let Some(work) = next() {
            if let Err(error) = one(work, rules, index, &mut share) {
                share.failed(error);
            }
        }
        share
    };
    std::thread::scope(|scope| {
        // This thread takes a share too.
        let running: Vec<_> = (1..threads).map(|_| scope.spawn(share)).collect();
        let mut shares = vec![share()];
        for thread in running {
            shares.push(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        shares
    })
}

impl Share {
    /// Of several errors the first in the log counts.
    fn failed(&mut self, error: ViewError) {
        let at = match &error {
            ViewError::Poison { position, .. } | ViewError::Terms { position, .. } => *position,
            _ => Position::START,
        };
        if self.error.as_ref().is_none_or(|(first, _)| at < *first) {
            self.error = Some((at, error));
        }
    }
}

/// Puts the shares together in the order of the log.
fn gather(shares: Vec<Share>) -> Result<(Prepared, Entries), ViewError> {
    let mut shares = shares.into_iter();
    let mut all = shares.next().unwrap_or_default();
    for share in shares {
        if let Some((_, error)) = share.error {
            all.failed(error);
        }
        all.prepared.cases.extend(share.prepared.cases);
        all.prepared.steps.extend(share.prepared.steps);
        all.prepared.register.extend(share.prepared.register);
        all.prepared.school.extend(share.prepared.school);
        all.prepared.digests.extend(share.prepared.digests);
        all.entries.extend(share.entries);
    }
    if let Some((_, error)) = all.error {
        return Err(error);
    }
    let mut prepared = all.prepared;
    prepared.cases.sort_unstable_by_key(|case| case.key);
    prepared.steps.sort_unstable_by_key(|step| step.position);
    prepared.register.sort_unstable_by_key(|act| act.position);
    prepared.school.sort_unstable_by_key(|fact| fact.position);
    prepared.digests.sort_unstable_by_key(|(position, _, _)| *position);
    Ok((prepared, all.entries))
}

fn one(
    work: Work<'_>,
    rules: &Rules,
    index: &dyn BlindIndex,
    share: &mut Share,
) -> Result<(), ViewError> {
    let Work { stream, before, events } = work;
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
    let (first, last) = (first.position, last.position);
    let folded = matches!(before, Before::Folded(_));
    let (key, mut case, before) = match before {
        Before::Nothing => (number(first), Case::default(), None),
        Before::Known(entry) => (entry.key, entry.case, Some(entry.derived)),
        Before::Folded(earlier) => {
            let derived = derived(&earlier.case, stream, rules, index, None, None, first)?;
            (number(earlier.first), earlier.case, Some(Arc::new(derived)))
        }
    };
    let done = &mut share.prepared;
    let mut clocks_moved = false;
    let mut is_of_a_case = false;
    for recorded in events {
        let event = decode(recorded)?;
        let of_case = !matches!(event, Event::Register(_));
        done.digests.push((recorded.position, of_case, digest(recorded)));
        done.school.extend(school::Fact::of(recorded, &event));
        match event {
            Event::Call(_) => {}
            Event::Register(event) => {
                done.register.push(RegisterAct { position: recorded.position, event });
            }
            event => {
                follows(&case, &event, recorded)?;
                done.steps.push(Step::of(key, recorded, &event)?);
                clocks_moved |= moves_clocks(&event);
                evolve_in_place(&mut case, &event);
                is_of_a_case = true;
            }
        }
    }
    if !is_of_a_case {
        return Ok(());
    }
    let kept = before.as_deref().filter(|_| !clocks_moved);
    let keys = before.as_deref().map(|before| &before.keys);
    let after = derived(&case, stream, rules, index, kept, keys, last)?;
    let after = Arc::new(after);
    let id = stream.rest().parse::<CaseId>().map_err(|_| ViewError::Poison {
        position: first,
        detail: "its stream is not named after a case".to_owned(),
        source: None,
    })?;
    let revision = case.file.events.saturating_sub(1).cast_signed();
    let stream = stream.clone();
    let derived = Arc::clone(&after);
    share.entries.push((stream.clone(), Box::new(Entry { key, case, derived })));
    done.cases.push(Touched { key, id, stream, revision, before, folded, after, last });
    Ok(())
}

/// A case's integer in the views: the position of its first event, so that it follows from the log
/// and grows in the order in which cases are opened.
fn number(first: Position) -> i64 {
    first.get().cast_signed()
}

/// What the views hold of a case. `kept` is what they held if no clock moved since, `keys` what it
/// was found by in any case.
fn derived(
    case: &Case,
    stream: &StreamName,
    rules: &Rules,
    index: &dyn BlindIndex,
    kept: Option<&Derived>,
    keys: Option<&Arc<Keys>>,
    position: Position,
) -> Result<Derived, ViewError> {
    let mut derived =
        derive(case, rules, kept).map_err(|source| ViewError::Terms { position, source })?;
    derived.keys = keys::of(case, stream, index, keys).map_err(|source| ViewError::Poison {
        position,
        detail: "what its case is found by cannot be made".to_owned(),
        source: Some(Box::new(source)),
    })?;
    Ok(derived)
}

/// Reads an event; one that cannot be read stops the views.
pub(crate) fn decode(recorded: &RecordedEvent) -> Result<Event, ViewError> {
    codec::decode(recorded).map_err(|source| ViewError::Poison {
        position: recorded.position,
        detail: "it cannot be read".to_owned(),
        source: Some(Box::new(source)),
    })
}

/// Whether the event is the next of its case.
pub(crate) fn follows(
    known: &Case,
    event: &Event,
    recorded: &RecordedEvent,
) -> Result<(), ViewError> {
    let poison = |detail: String| {
        Err(ViewError::Poison { position: recorded.position, detail, source: None })
    };
    if known.file.events != recorded.revision.get() {
        return poison(format!(
            "it has revision {}, and the case {} events before it",
            recorded.revision, known.file.events
        ));
    }
    if known.file.opening.is_none() && !matches!(event, Event::Case(case::Event::Opened(_))) {
        return poison(format!("{} comes before case.opened", recorded.event_type));
    }
    Ok(())
}

/// What of an event counts for the digest of a view.
fn digest(event: &RecordedEvent) -> Digest {
    let mut digest = Digest::default();
    digest.number(event.position.get());
    digest.bytes(event.stream.as_str().as_bytes());
    digest.number(event.revision.get());
    digest.bytes(event.event_type.as_bytes());
    digest.bytes(&event.payload);
    digest
}

impl Earlier {
    /// Folds the next of its events.
    pub(crate) fn fold(&mut self, recorded: &RecordedEvent) -> Result<(), ViewError> {
        let event = decode(recorded)?;
        follows(&self.case, &event, recorded)?;
        if self.case.file.events == 0 {
            self.first = recorded.position;
        }
        evolve_in_place(&mut self.case, &event);
        Ok(())
    }
}

/// Cases folded from the log, by stream.
pub(crate) type Loaded = BTreeMap<StreamName, Earlier>;
