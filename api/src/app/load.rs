//! Loading a case: its stream, read and folded, or the folded state kept from last time.

use super::error::AppError;
use super::town::Town;
use pratica_domain::case::{LEFT_IN_EVENTS, Procedure};
use pratica_domain::ids::CaseId;
use pratica_domain::{Case, Event, evolve_in_place};
use pratica_store::{Direction, Position, RecordedEvent, Revision, StreamName, codec};
use std::sync::Arc;

/// How many events of a stream are read at a time.
const PAGE: usize = 500;

/// A folded case, kept from last time.
#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) case: Arc<Case>,
    /// It holds every event that its stream had when this was the head of the log.
    pub(crate) as_of: Position,
}

/// The case as its stream stands, or none if it has no events. Where this is the only node, as it
/// was kept from last time; where others append too, with what came since.
///
/// # Errors
/// When the log cannot be read or holds what this build cannot decode.
pub async fn case(town: &Town, id: CaseId) -> Result<Option<Arc<Case>>, AppError> {
    if town.cluster.is_some() {
        return current(town, id).await;
    }
    Ok(kept(town, id).await?.map(|kept| kept.case))
}

async fn kept(town: &Town, id: CaseId) -> Result<Option<Kept>, AppError> {
    if let Some(kept) = town.cases.get(&id) {
        return Ok(Some(kept));
    }
    let as_of = head(town).await?;
    for procedure in Procedure::ALL {
        let stream = town.case_stream(procedure, id)?;
        let case = fold(town, &stream, Revision::END).await?;
        if case.file.events > 0 {
            return Ok(Some(keep(town, id, Arc::new(case), as_of)));
        }
    }
    Ok(None)
}

fn keep(town: &Town, id: CaseId, case: Arc<Case>, as_of: Position) -> Kept {
    let kept = Kept { case, as_of };
    town.cases.insert(id, kept.clone());
    kept
}

async fn head(town: &Town) -> Result<Position, AppError> {
    town.log.head().await.map_err(|e| AppError::store("reading the head", e))
}

/// The case as its stream stands now: what was kept from last time, and whatever came since.
///
/// The kept state may be behind for an instant, between a commit and its being kept: a command
/// finds that out when it appends, a query must not.
///
/// # Errors
/// As [`case`].
pub async fn current(town: &Town, id: CaseId) -> Result<Option<Arc<Case>>, AppError> {
    let head = head(town).await?;
    let Some(Kept { case: kept, as_of }) = kept(town, id).await? else { return Ok(None) };
    if as_of >= head {
        return Ok(Some(kept));
    }
    let procedure = kept.procedure().unwrap_or(Procedure::Residency);
    let stream = town.case_stream(procedure, id)?;
    let since = events(town, &stream, Revision::new(kept.file.events), Revision::END).await?;
    if since.is_empty() {
        // It is not kept anew: meanwhile an erasure may have had it forgotten.
        return Ok(Some(kept));
    }
    if since.iter().any(|event| &*event.event_type == "case.erased") {
        // What was kept has the data in the clear: the case is folded anew, without it.
        town.cases.invalidate(&id);
        return Ok(self::kept(town, id).await?.map(|kept| kept.case));
    }
    let mut case = (*kept).clone();
    for recorded in &since {
        evolve_in_place(&mut case, &to_fold(town, recorded)?);
    }
    Ok(Some(keep(town, id, Arc::new(case), head).case))
}

/// The case and its events with all personal data left sealed: for who decides nothing by it.
///
/// # Errors
/// As [`case`].
pub async fn sealed(
    town: &Town,
    id: CaseId,
) -> Result<Option<(Case, Vec<RecordedEvent>)>, AppError> {
    for procedure in Procedure::ALL {
        let stream = town.case_stream(procedure, id)?;
        let events = events(town, &stream, Revision::FIRST, Revision::END).await?;
        let mut case = Case::default();
        for recorded in &events {
            evolve_in_place(&mut case, &decode(recorded)?);
        }
        if case.file.events > 0 {
            return Ok(Some((case, events)));
        }
    }
    Ok(None)
}

/// Whether a folded state is what the stream holds.
///
/// # Errors
/// When the log cannot be read.
pub async fn is_current(town: &Town, stream: &StreamName, case: &Case) -> Result<bool, AppError> {
    let last =
        town.log.stream_revision(stream).await.map_err(|e| AppError::store("reading a case", e))?;
    Ok(last.map_or(0, |r| r.get() + 1) == case.file.events)
}

/// Folds a stream up to and including a revision.
///
/// # Errors
/// As [`case`].
pub async fn fold(town: &Town, stream: &StreamName, to: Revision) -> Result<Case, AppError> {
    let events = events(town, stream, Revision::FIRST, to).await?;
    let mut case = Case::default();
    for recorded in &events {
        evolve_in_place(&mut case, &to_fold(town, recorded)?);
    }
    Ok(case)
}

/// The events of a stream between two revisions, both included.
///
/// # Errors
/// When the log cannot be read.
pub async fn events(
    town: &Town,
    stream: &StreamName,
    from: Revision,
    to: Revision,
) -> Result<Vec<RecordedEvent>, AppError> {
    let mut all = Vec::new();
    let mut from = from;
    loop {
        let mut page = town
            .log
            .read_stream(stream, from, Direction::Forwards, PAGE)
            .await
            .map_err(|e| AppError::store("reading a case", e))?;
        let full = page.len() == PAGE;
        let last = page.last().map(|e| e.revision);
        page.retain(|event| event.revision <= to);
        match all.is_empty() {
            true => all = page,
            false => all.append(&mut page),
        }
        match last {
            Some(last) if full && last < to => from = last.next(),
            _ => return Ok(all),
        }
    }
}

/// Reads a stored event for the folded case, which keeps nothing of some events' personal data.
fn to_fold(town: &Town, recorded: &RecordedEvent) -> Result<Event, AppError> {
    match LEFT_IN_EVENTS.contains(&&*recorded.event_type) {
        true => decode(recorded),
        false => open(town, recorded),
    }
}

/// Reads a stored event with its personal data opened, for a decision or for who may see it.
///
/// # Errors
/// As [`decode`]; also when its personal data was altered.
pub fn open(town: &Town, recorded: &RecordedEvent) -> Result<Event, AppError> {
    codec::open(recorded, &town.vault).map_err(|e| AppError::store("opening an event", e))
}

/// Reads a stored event, its personal data left sealed.
///
/// # Errors
/// When this build cannot decode it; the error names the position.
pub fn decode(recorded: &RecordedEvent) -> Result<Event, AppError> {
    codec::decode(recorded).map_err(|e| AppError::store("decoding an event", e))
}
