//! The end of a case's papers at work: proposes what is due, where the comune asks for that, and
//! carries out what is authorised.
//!
//! An erasure destroys keys, and keys alone: the log stays as it is and still verifies. It may be
//! stopped at any point and goes on by itself: destroying twice is destroying once, and it is
//! recorded as done only after the keys are gone. What must never enter: deciding that something
//! may be erased.

use super::error::{AppError, chain};
use super::handler::{self, CommandRequest, Target};
use super::load;
use super::policy::Principal;
use super::town::Town;
use pratica_domain::case::{Command, Erasure, archive_subject};
use pratica_domain::ids::{CaseId, derived};
use pratica_domain::term::{Keep, rome_date};
use pratica_domain::{Case, RejectionCode};
use pratica_projections::{DisposalRow, DisposalStage};
use pratica_store::{RecordedEvent, Revision, codec};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How many cases are looked at together.
const BATCH: usize = 200;
/// How often an erasure begins again because the case moved meanwhile.
const RETRIES: usize = 16;

/// Carries out every erasure that is authorised. Returns how many were.
///
/// # Errors
/// When the views, the log or the vault fail; what was not done is done when it runs again.
pub async fn carry_out(town: &Town, principal: &Principal) -> Result<u64, AppError> {
    let mut done = 0;
    loop {
        let head = town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
        town.wait_for_views(head).await?;
        let found = town.views.disposals(DisposalStage::Authorised, 0, BATCH).await;
        let found = found.map_err(AppError::views)?.value;
        if found.is_empty() {
            return Ok(done);
        }
        for row in found {
            erase(town, principal, row.case).await?;
            done += 1;
        }
    }
}

/// Destroys the keys of one case and puts that on record.
async fn erase(town: &Town, principal: &Principal, id: CaseId) -> Result<(), AppError> {
    for _ in 0..RETRIES {
        let Some((case, events)) = load::sealed(town, id).await? else { return Ok(()) };
        let Erasure::Authorised { erasure } = case.file.disposal.erasure else { return Ok(()) };
        let keys = keys_of(town, id, &case, &events).await?;
        destroy(town, &keys).await?;
        // What was folded with the data in the clear is forgotten too.
        town.cases.invalidate(&id);
        let command =
            Command::RecordErasure { keys: u32::try_from(keys.len()).unwrap_or(u32::MAX) };
        let request = CommandRequest {
            principal,
            target: Target::Existing(id),
            command: command.into(),
            request_id: derived(erasure.0, "carry out"),
            fingerprint: Sha256::digest(erasure.to_string()).into(),
            etag: Some(handler::etag(&case)),
            validate_only: false,
            causation_id: events.last().map(|e| e.id),
            correlation_id: None,
        };
        match handler::execute(town, request).await {
            // Something was added while the keys were destroyed, perhaps with a key of its own.
            Err(AppError::Conflict { .. }) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                tracing::info!(case = %id, keys = keys.len(), "personal data erased");
                return Ok(());
            }
        }
    }
    Err(AppError::Conflict { expected: "-".into(), actual: "-".into(), by: Vec::new() })
}

/// The numbers of all keys that personal data of the case is sealed with: in its own stream, and
/// in the register, where its people are correspondents. What justifies the erasure is kept.
async fn keys_of(
    town: &Town,
    id: CaseId,
    case: &Case,
    events: &[RecordedEvent],
) -> Result<Vec<u64>, AppError> {
    let kept = archive_subject(id);
    let mut keys = BTreeSet::new();
    for event in events {
        keys.extend(codec::keys_by_subject(event).filter(|(s, _)| *s != kept).map(|(_, key)| key));
    }
    for number in case.file.documents.values().filter_map(|document| document.number) {
        let stream = town.register_stream(number.year)?;
        let at = Revision::new(number.number.saturating_sub(1));
        for entry in load::events(town, &stream, at, at).await? {
            keys.extend(codec::keys_by_subject(&entry).map(|(_, key)| key));
        }
    }
    Ok(keys.into_iter().collect())
}

/// As an erasure would find them now.
///
/// # Errors
/// When the log cannot be read.
pub async fn keys_of_case(town: &Town, id: CaseId) -> Result<Vec<u64>, AppError> {
    match load::sealed(town, id).await? {
        Some((case, events)) => keys_of(town, id, &case, &events).await,
        None => Ok(Vec::new()),
    }
}

async fn destroy(town: &Town, keys: &[u64]) -> Result<(), AppError> {
    let fault = |source: Box<dyn std::error::Error + Send + Sync>| AppError::Fault {
        doing: "destroying keys",
        source,
        transient: true,
    };
    let (vault, keys) = (std::sync::Arc::clone(&town.vault), keys.to_vec());
    tokio::task::spawn_blocking(move || vault.destroy(&keys))
        .await
        .map_err(|e| fault(Box::new(e)))?
        .map_err(|e| fault(Box::new(e)))?;
    Ok(())
}

/// Cases that have ended, that the plan of conservation in force today keeps no longer, that no
/// hold keeps and nobody proposed.
///
/// # Errors
/// When the views cannot be read.
pub async fn due(town: &Town, limit: usize) -> Result<Vec<DisposalRow>, AppError> {
    let today = rome_date(town.clock.now());
    let Some(rules) = town.rules.book.in_force_on(today) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (procedure, kind) in town.views.kinds().await.map_err(AppError::views)?.value {
        let keep = rules.retention_of(&procedure, &kind).map_or(Keep::ForEver, |r| r.keep);
        let Some(before) = keep.began_before(today) else { continue };
        let left = limit.saturating_sub(all.len());
        let found = town.views.ended_before(&procedure, &kind, before, left).await;
        all.extend(found.map_err(AppError::views)?.value);
    }
    Ok(all)
}

/// Proposes every erasure that is due, if the comune asks for that in its settings. Returns how
/// many were.
///
/// # Errors
/// When the views or the log fail.
pub async fn propose_due(town: &Town, principal: &Principal) -> Result<u64, AppError> {
    if !town.settings.retention.propose {
        return Ok(0);
    }
    let mut proposed = 0;
    loop {
        let head = town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
        town.wait_for_views(head).await?;
        let before = proposed;
        for row in due(town, BATCH).await? {
            proposed += u64::from(propose(town, principal, &row).await?);
        }
        // What is refused, such as what has a term that runs, comes again another day.
        if proposed == before {
            return Ok(proposed);
        }
    }
}

async fn propose(town: &Town, principal: &Principal, row: &DisposalRow) -> Result<bool, AppError> {
    let Some((case, _)) = load::sealed(town, row.case).await? else { return Ok(false) };
    // Once a revision: a proposal that fell because of a hold may be made again after it.
    let purpose = format!("propose erasure {}", handler::etag(&case));
    let request = CommandRequest {
        principal,
        target: Target::Existing(row.case),
        command: Command::ProposeErasure.into(),
        request_id: derived(row.case.0, &purpose),
        fingerprint: Sha256::digest(purpose.as_bytes()).into(),
        etag: None,
        validate_only: false,
        causation_id: None,
        correlation_id: None,
    };
    match handler::execute(town, request).await {
        Ok(outcome) => Ok(!outcome.replayed && !outcome.events.is_empty()),
        Err(AppError::Rejected(refusal)) => {
            if refusal.code != RejectionCode::TermsStillRun {
                tracing::warn!(case = %row.case, code = %refusal.code, "an erasure was not proposed");
            }
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Runs both for a comune until it is dropped: carries out as soon as something is authorised, and
/// looks once a day for what is due.
pub async fn run(town: &Town, principal: &Principal, propose: bool) {
    let mut viewed = town.watch_views();
    let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut seen, mut day) = (None, None);
    loop {
        second.tick().await;
        let at = *viewed.borrow_and_update();
        if seen != Some(at) {
            match carry_out(town, principal).await {
                Ok(_) => seen = Some(at),
                Err(error) => tell(town, &error),
            }
        }
        let today = rome_date(town.clock.now());
        if propose && day != Some(today) {
            match propose_due(town, principal).await {
                Ok(_) => day = Some(today),
                Err(error) => tell(town, &error),
            }
        }
    }
}

fn tell(town: &Town, error: &AppError) {
    tracing::error!(comune = %town.comune, error = chain(error),
        "erasure failed and will be tried again");
}

/// The act that authorised an erasure, and what says that it is done, as the log has them.
///
/// # Errors
/// `NotFound` when nothing was erased; when the log cannot be read.
pub async fn record_of(town: &Town, id: CaseId) -> Result<Record, AppError> {
    use pratica_domain::Event;
    use pratica_domain::case::Event as CaseEvent;
    let not_there = AppError::NotFound("erasure");
    let Some((_, events)) = load::sealed(town, id).await? else { return Err(not_there) };
    let (mut reference, mut done) = (String::new(), None);
    for recorded in events {
        // Only what justifies an erasure is opened here.
        match &*recorded.event_type {
            "case.erasure_authorised" => {
                if let Event::Case(CaseEvent::ErasureAuthorised(e)) = load::open(town, &recorded)? {
                    reference = e.reference.value;
                }
            }
            "case.erased" => done = Some(recorded),
            _ => {}
        }
    }
    let recorded = done.ok_or(not_there)?;
    match load::decode(&recorded)? {
        Event::Case(CaseEvent::Erased(event)) => Ok(Record { recorded, event, reference }),
        _ => Err(AppError::NotFound("erasure")),
    }
}

/// What the log says of an erasure that is done.
pub struct Record {
    /// As it stands in the log.
    pub recorded: RecordedEvent,
    /// The event.
    pub event: pratica_domain::case::Erased,
    /// The act that authorised it.
    pub reference: String,
}
