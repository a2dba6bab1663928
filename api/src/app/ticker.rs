//! The deadline ticker: reads the deadlines view and asks each term that ran out to take its
//! effect. The effect carries the legal instant, however late the ticker is.

use super::error::{AppError, chain};
use super::handler::{self, CommandRequest, Target};
use super::policy::Principal;
use super::town::Town;
use pratica_domain::case::Command as CaseCommand;
use pratica_domain::ids::{CaseId, derived};
use pratica_domain::term::rome_date;
use sha2::{Digest, Sha256};

/// How many terms are asked for at a time.
const BATCH: usize = 500;

/// Lets every term of the comune that ran out take its effect, oldest end first. Returns how many
/// did. A term that the case's own rules keep from expiring is logged and left to the next change.
///
/// # Errors
/// When the views or the log fail. A case that cannot be read, as when its keys are damaged, holds up
/// no other: it fails when all others have been asked for.
pub async fn expire_due(town: &Town, principal: &Principal) -> Result<u64, AppError> {
    let mut expired = 0;
    loop {
        let head = town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
        town.wait_for_views(head).await?;
        let today = rome_date(town.clock.now());
        let due = town.views.due_terms(today, BATCH).await.map_err(AppError::views)?.value;
        let mut progressed = false;
        let (mut refused, mut failed) = (Vec::new(), None);
        for term in due {
            match expire(town, principal, term.case, term.term, term.end).await {
                Ok(recorded) => {
                    expired += u64::from(recorded);
                    progressed |= recorded;
                }
                Err(AppError::Rejected(refusal)) => refused.push((term.case, refusal.code)),
                Err(error @ AppError::Fault { transient: false, .. }) => {
                    tracing::error!(case = %term.case, error = chain(&error), "a term cannot expire");
                    failed.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        // What an earlier end of the same round moved is listed anew, with its own day.
        if !progressed {
            for (case, code) in refused {
                tracing::warn!(%case, %code, "a term did not expire");
            }
            return failed.map_or(Ok(expired), Err);
        }
    }
}

async fn expire(
    town: &Town,
    principal: &Principal,
    case: CaseId,
    term: pratica_domain::case::TermKey,
    due_on: jiff::civil::Date,
) -> Result<bool, AppError> {
    let request_id = derived(case.0, &format!("expire {term} {due_on}"));
    let fingerprint = Sha256::digest(format!("{term} {due_on}")).into();
    let request = CommandRequest {
        principal,
        target: Target::Existing(case),
        command: CaseCommand::ExpireTerm { term, due_on }.into(),
        request_id,
        fingerprint,
        etag: None,
        validate_only: false,
        causation_id: None,
        correlation_id: None,
    };
    let outcome = handler::execute(town, request).await?;
    Ok(!outcome.replayed && !outcome.events.is_empty())
}

/// Runs the ticker of a comune until it is dropped: once a second it looks whether the views or the
/// legal day moved, and if so lets what ran out take its effect.
///
/// With a manual clock it is not run: whoever moves that clock lets terms expire step by step.
pub async fn run(town: &Town, principal: &Principal) {
    let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut checked = None;
    loop {
        second.tick().await;
        let now = (*town.watch_views().borrow(), rome_date(town.clock.now()));
        if checked == Some(now) {
            continue;
        }
        match expire_due(town, principal).await {
            Ok(_) => checked = Some(now),
            Err(error) => {
                tracing::error!(comune = %town.comune, error = chain(&error), "the ticker failed");
            }
        }
    }
}
