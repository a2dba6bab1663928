//! The applications of a call as of a position of the log, and what a decision reads of them.

use crate::app::deliver::hex;
use crate::app::error::AppError;
use crate::app::load;
use crate::app::town::Town;
use pratica_domain::case::Procedure;
use pratica_domain::ids::{CallId, CaseId};
use pratica_domain::ranking::{Document, Header, LotsDrawn, Stage};
use pratica_domain::school::call::{Call, Prepared, Surroundings};
use pratica_domain::school::enrolment::Application;
use pratica_domain::school::standing::{Entry, input};
use pratica_domain::{Case, ProcedureState, Rejection, RejectionCode, evolve_in_place};
use pratica_store::{Position, Revision, codec};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How many applications are read at the same time.
const AT_ONCE: usize = 32;

/// SHA-256, for the domain, which holds no cryptography.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// An application as of a position.
pub struct Gathered {
    /// Its case.
    pub id: CaseId,
    /// The folded case.
    pub case: Case,
    /// SHA-256 over the events of the application.
    pub evidence: String,
}

impl Gathered {
    /// The application, if it was filed.
    pub fn application(&self) -> Option<&Application> {
        match &self.case.procedure {
            ProcedureState::Enrolment(state) => state.application(),
            _ => None,
        }
    }

    fn is_open(&self) -> bool {
        self.case.file.closure.is_none()
    }

    /// What tells one child from another: the fiscal code, or name and birth.
    fn child(&self) -> Option<String> {
        let child = self.application()?.child;
        let person = &self.case.file.parties.get(&child)?.person.value;
        Some(person.fiscal_code.as_ref().map_or_else(
            || {
                let born = person.birth_date.map(|d| d.to_string()).unwrap_or_default();
                format!("{} {} {born}", person.family_name, person.given_name).to_lowercase()
            },
            |code| code.as_str().to_owned(),
        ))
    }
}

/// Every application of a call, folded up to a position.
///
/// # Errors
/// When the views or the log cannot be read.
pub(super) async fn applications(
    town: &Town,
    call: CallId,
    at: Position,
) -> Result<Vec<Gathered>, AppError> {
    town.wait_for_views(at).await?;
    let ids = town.views.call_applications(call).await.map_err(AppError::views)?.value;
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(AT_ONCE) {
        let reading = some.iter().map(|id| one(town, *id, at));
        for gathered in super::process::join_all(reading).await {
            all.extend(gathered?);
        }
    }
    Ok(all)
}

async fn one(town: &Town, id: CaseId, at: Position) -> Result<Option<Gathered>, AppError> {
    let stream = town.case_stream(Procedure::Enrolment, id)?;
    let events = load::events(town, &stream, Revision::FIRST, Revision::END).await?;
    let mut case = Case::default();
    let mut evidence = Sha256::new();
    for recorded in events.iter().filter(|e| e.position <= at) {
        let event = load::open(town, recorded)?;
        // What the ranking rests on; protocol numbers and messages come and go beside it. The
        // event's own text, so that how it is kept at rest makes no difference.
        if recorded.event_type.starts_with("enrolment.") {
            let text =
                codec::payload(&event).map_err(|e| AppError::store("writing an event", e))?;
            evidence.update(&*recorded.event_type);
            evidence.update([0]);
            evidence.update(&text);
            evidence.update([0]);
        }
        evolve_in_place(&mut case, &event);
    }
    let evidence = hex(&evidence.finalize());
    Ok((case.file.events > 0).then_some(Gathered { id, case, evidence }))
}

/// What a decision about a call reads of its applications.
pub(super) fn surround(gathered: &[Gathered]) -> Surroundings {
    let open = || gathered.iter().filter(|g| g.is_open());
    let unscored = open().filter(|g| g.application().is_some_and(|a| a.standing.is_none())).count();
    let mut children: BTreeMap<String, u64> = BTreeMap::new();
    for child in open().filter_map(Gathered::child) {
        *children.entry(child).or_default() += 1;
    }
    let observations = || {
        let all = gathered.iter().filter_map(Gathered::application);
        all.flat_map(|a| a.observations.values())
    };
    let waits = |g: &&Gathered| {
        let waiting = |a: &Application| a.observations.values().any(|o| o.accepted.is_none());
        g.is_open() && g.application().is_some_and(waiting)
    };
    Surroundings {
        unscored: unscored as u64,
        children_twice: children.values().filter(|n| **n > 1).count() as u64,
        observations: observations().count() as u64,
        unanswered: gathered.iter().filter(waits).count() as u64,
        ..Surroundings::default()
    }
}

/// The ranking of the open applications that have their points.
///
/// # Errors
/// The rule of the call's plan that keeps it from being ranked.
pub(super) fn ranking(
    id: CallId,
    call: &Call,
    stage: Stage,
    gathered: &[Gathered],
    at: Position,
) -> Result<Option<Prepared>, Rejection> {
    let Some(plan) = &call.plan else { return Ok(None) };
    let refuse = |e: pratica_domain::ranking::RankingError| {
        Rejection::new(RejectionCode::CriteriaInvalid)
            .with("field", "ranking")
            .with("rule", e)
            .under("the_ranking_is_there", "")
    };
    let entries: Vec<Entry<'_>> = gathered
        .iter()
        .filter(|g| g.is_open())
        .filter_map(|g| {
            let application = g.application()?;
            let standing = &application.standing.as_ref()?.value;
            Some(Entry { id: g.id, application, standing, evidence: g.evidence.clone() })
        })
        .collect();
    let drawn = call.seed.as_ref().filter(|_| plan.criteria.draws_lots());
    let lots = drawn.map(|(seed, draw)| (seed.as_str(), draw.as_str(), sha256 as _));
    let header = Header {
        call: id,
        stage,
        criteria: plan.criteria.title(),
        criteria_sha256: call.criteria_sha256.clone(),
        lots: drawn.map(|(seed, public_draw)| LotsDrawn {
            commitment: call.seed_commitment.clone().unwrap_or_default(),
            seed: seed.clone(),
            public_draw: public_draw.clone(),
        }),
    };
    let input = input(plan, &entries, lots).map_err(refuse)?;
    let document = Document::compute(header, input).map_err(refuse)?;
    let text = document.text();
    Ok(Some(Prepared {
        sha256: hex(&sha256(text.as_bytes())),
        applications: document.input.applications().len() as u64,
        as_of_position: at.get(),
        text,
    }))
}
