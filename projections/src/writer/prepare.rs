//! What a batch comes to, worked out stream by stream without the database.
//!
//! Streams do not depend on each other, so that a large batch is shared out between threads; the
//! result is put back into the order of the log and does not depend on how many they were.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::sync::Arc;

use pratica_domain::ids::CaseId;
use pratica_domain::{Case, Event, case, evolve, register};
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
    /// It is in the views.
    Known(Box<Entry>),
}

/// A touched case, before and after.
pub(crate) struct Touched {
    /// Its place among the touched streams.
    pub index: usize,
    pub stream: StreamName,
    pub id: CaseId,
    /// Its integer; none if it begins here.
    pub key: Option<i64>,
    pub case: Case,
    pub before: Option<Derived>,
    pub after: Derived,
    /// Where its first event of the batch stands: new cases are numbered in this order.
    pub first: Position,
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
    /// In the order of their first events.
    #[expect(clippy::vec_box, reason = "they are large and are sorted")]
    pub cases: Vec<Box<Touched>>,
    /// In the order of the log.
    pub steps: Vec<Step>,
    /// In the order of the log.
    pub register: Vec<RegisterAct>,
    /// What calls count, in the order of the log.
    pub school: Vec<school::Fact>,
    /// For each event in order: whether it is of a case, and its digest.
    pub digests: Vec<(bool, Digest)>,
}

/// Whether the event belongs to a case, by its name alone.
pub(crate) fn is_of_a_case(event: &RecordedEvent) -> bool {
    !event.event_type.starts_with("register.") && !event.event_type.starts_with("call.")
}

struct Work<'a> {
    index: usize,
    stream: &'a StreamName,
    before: Before,
    events: Vec<&'a RecordedEvent>,
}

#[derive(Default)]
struct Done {
    case: Option<Box<Touched>>,
    steps: Vec<Step>,
    register: Vec<RegisterAct>,
    school: Vec<school::Fact>,
    digests: Vec<(Position, bool, Digest)>,
}

/// Works a batch out. `before` says what is known of a case.
pub(crate) fn prepare(
    events: &[RecordedEvent],
    mut before: impl FnMut(&StreamName) -> Result<Before, ViewError>,
    rules: &Rules,
    index: &dyn BlindIndex,
) -> Result<Prepared, ViewError> {
    let mut places: HashMap<&StreamName, usize> = HashMap::new();
    let mut work: Vec<Work<'_>> = Vec::new();
    for event in events {
        let place = *places.entry(&event.stream).or_insert(work.len());
        if place == work.len() {
            let before = if is_of_a_case(event) { before(&event.stream)? } else { Before::Nothing };
            work.push(Work { index: place, stream: &event.stream, before, events: Vec::new() });
        }
        work[place].events.push(event);
    }
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let done = if events.len() < SHARED_OUT || threads == 1 {
        work.into_iter().map(|work| one(work, rules, index)).collect()
    } else {
        share_out(work, threads, rules, index)
    };
    gather(done)
}

fn share_out(
    work: Vec<Work<'_>>,
    threads: usize,
    rules: &Rules,
    index: &dyn BlindIndex,
) -> Vec<Result<Done, ViewError>> {
    let mut shares: Vec<Vec<Work<'_>>> = Vec::new();
    shares.resize_with(threads, Vec::new);
    for (n, work) in work.into_iter().enumerate() {
        shares[n % threads].push(work);
    }
    let all = |share: Vec<Work<'_>>| -> Vec<Result<Done, ViewError>> {
        share.into_iter().map(|work| one(work, rules, index)).collect()
    };
    std::thread::scope(|scope| {
        // This thread takes a share too.
        let own = shares.pop().unwrap_or_default();
        let running: Vec<_> =
            shares.into_iter().map(|share| scope.spawn(move || all(share))).collect();
        let mut done = all(own);
        for thread in running {
            match thread.join() {
                Ok(others) => done.extend(others),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

/// Puts the parts together in the order of the log. Of several errors the first in the log counts.
fn gather(parts: Vec<Result<Done, ViewError>>) -> Result<Prepared, ViewError> {
    let mut prepared = Prepared::default();
    let steps = parts.iter().flatten().map(|done| done.steps.len()).sum();
    prepared.steps.reserve_exact(steps);
    prepared.cases.reserve_exact(parts.len());
    let mut digests = Vec::with_capacity(steps);
    let mut first_error: Option<(Position, ViewError)> = None;
    for part in parts {
        match part {
            Ok(done) => {
                prepared.cases.extend(done.case);
                prepared.steps.extend(done.steps);
                prepared.register.extend(done.register);
                prepared.school.extend(done.school);
                digests.extend(done.digests);
            }
            Err(error) => {
                let at = match &error {
                    ViewError::Poison { position, .. } | ViewError::Terms { position, .. } => {
                        *position
                    }
                    _ => Position::START,
                };
                if first_error.as_ref().is_none_or(|(first, _)| at < *first) {
                    first_error = Some((at, error));
                }
            }
        }
    }
    if let Some((_, error)) = first_error {
        return Err(error);
    }
    prepared.cases.sort_unstable_by_key(|case| case.first);
    prepared.steps.sort_unstable_by_key(|step| step.position);
    prepared.register.sort_unstable_by_key(|act| act.position);
    prepared.school.sort_unstable_by_key(|fact| fact.position);
    digests.sort_unstable_by_key(|(position, _, _)| *position);
    prepared.digests = digests.into_iter().map(|(_, of_case, digest)| (of_case, digest)).collect();
    Ok(prepared)
}

fn one(work: Work<'_>, rules: &Rules, index: &dyn BlindIndex) -> Result<Done, ViewError> {
    let mut done = Done::default();
    let Work { index: place, stream, before, events } = work;
    let (mut known, key, before) = match before {
        Before::Nothing => (Case::default(), None, None),
        Before::Known(entry) => (entry.case, Some(entry.key), Some(entry.derived)),
    };
    let mut span: Option<(Position, Position)> = None;
    let mut clocks_moved = false;
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
                follows(&known, &event, recorded)?;
                done.steps.push(Step::of(place, recorded, &event)?);
                clocks_moved |= moves_clocks(&event);
                known = evolve(known, &event);
                span = Some((span.map_or(recorded.position, |s| s.0), recorded.position));
            }
        }
    }
    if let Some((first, last)) = span {
        let kept = before.as_ref().filter(|_| !clocks_moved);
        let mut after = derive(&known, rules, kept)
            .map_err(|source| ViewError::Terms { position: last, source })?;
        after.keys = keys(&known, stream, index, before.as_ref(), last)?;
        let id = stream.rest().parse::<CaseId>().map_err(|_| ViewError::Poison {
            position: first,
            detail: "its stream is not named after a case".to_owned(),
            source: None,
        })?;
        let stream = stream.clone();
        done.case = Some(Box::new(Touched {
            index: place,
            stream,
            id,
            key,
            case: known,
            before,
            after,
            first,
            last,
        }));
    }
    Ok(done)
}

/// What a case is found by.
pub(crate) fn keys(
    case: &Case,
    stream: &StreamName,
    index: &dyn BlindIndex,
    before: Option<&Derived>,
    position: Position,
) -> Result<Arc<Keys>, ViewError> {
    keys::of(case, stream, index, before.map(|b| &b.keys)).map_err(|source| ViewError::Poison {
        position,
        detail: "what its case is found by cannot be made".to_owned(),
        source: Some(Box::new(source)),
    })
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

/// Folds the earlier events of a case.
pub(crate) fn fold_on(case: Case, recorded: &RecordedEvent) -> Result<Case, ViewError> {
    let event = decode(recorded)?;
    follows(&case, &event, recorded)?;
    Ok(evolve(case, &event))
}

/// Cases folded from the log, by stream.
pub(crate) type Loaded = BTreeMap<StreamName, Case>;
