//! The desk of a comune's calls: loads them, decides their commands, appends.

use super::gather::{self, Gathered, sha256};
use crate::app::deliver::{hex, written};
use crate::app::error::AppError;
use crate::app::handler::new_events;
use crate::app::load;
use crate::app::policy::Principal;
use crate::app::town::{Town, WAIT};
use moka::sync::Cache;
use pratica_domain::ids::{CallId, CaseId, derived};
use pratica_domain::ranking::{Stage, commitment_of};
use pratica_domain::school::call::{Call, Command, Phase, Surroundings, decide, evolve, rules};
use pratica_domain::school::enrolment::CallView;
use pratica_domain::term::rome_date;
use pratica_domain::{Context, Event, Rejection};
use pratica_store::{
    AppendRequest, Expected, Metadata, Position, Request, Revision, StoreError, codec,
};
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

/// How often a command is decided again after somebody else's event.
const RETRIES: usize = 64;
/// The most bytes of payload in one append; a long ranking takes several.
const APPEND_BYTES: usize = 700_000;
/// How many calls are kept folded.
const CACHED_CALLS: u64 = 64;

/// A command for a call as it arrives.
#[derive(Debug, Clone)]
pub struct CallCommand<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// Which call; a draft makes a new one.
    pub call: Option<CallId>,
    /// What.
    pub command: Command,
    /// Client-made, kept across retries.
    pub request_id: Uuid,
    /// Hash of the request's content.
    pub fingerprint: [u8; 32],
    /// The revision last seen; processes send none.
    pub etag: Option<String>,
    /// Decide and answer, record nothing.
    pub validate_only: bool,
    /// The event that caused it, for processes.
    pub causation_id: Option<Uuid>,
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct CallOutcome {
    /// The call.
    pub id: CallId,
    /// The call after the command.
    pub call: Arc<Call>,
    /// What was recorded, or would be.
    pub events: Vec<Event>,
    /// Position of the last event recorded.
    pub position: Position,
    /// Whether this is the answer of an earlier request with the same id.
    pub replayed: bool,
}

/// The calls of one comune.
pub struct Desk {
    pub(super) town: Arc<Town>,
    pub(super) principal: Principal,
    calls: Cache<CallId, Arc<Call>>,
    /// How far the process is.
    pub(super) reached: watch::Sender<Position>,
}

impl Desk {
    /// The desk of a comune. `principal` is what its own work is recorded as.
    pub fn new(town: Arc<Town>, principal: Principal) -> Self {
        let (calls, reached) = (Cache::new(CACHED_CALLS), watch::Sender::new(Position::START));
        Desk { town, principal, calls, reached }
    }

    /// Waits until the process has carried everything up to a position.
    ///
    /// # Errors
    /// `NotReached` when that takes longer than [`WAIT`].
    pub async fn wait(&self, position: Position) -> Result<(), AppError> {
        let mut receiver = self.reached.subscribe();
        match tokio::time::timeout(WAIT, receiver.wait_for(|p| *p >= position)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(AppError::NotReached {
                what: "the process of school calls",
                position: position.get(),
            }),
        }
    }

    /// Waits until the process has nothing left to carry, and says up to where.
    ///
    /// # Errors
    /// As [`Desk::wait`].
    pub async fn settle(&self) -> Result<Position, AppError> {
        loop {
            let head = self.head().await?;
            self.wait(head).await?;
            if self.head().await? == head {
                return Ok(head);
            }
        }
    }

    pub(super) async fn head(&self) -> Result<Position, AppError> {
        self.town.log.head().await.map_err(|e| AppError::store("reading the head", e))
    }

    /// The call as its stream stands now; none if there is no such call.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn call(&self, id: CallId) -> Result<Option<Arc<Call>>, AppError> {
        let kept = self.calls.get(&id).unwrap_or_default();
        let stream = self.town.stream(&format!("call-{id}"))?;
        let from = Revision::new(kept.events);
        let since = load::events(&self.town, &stream, from, Revision::END).await?;
        if since.is_empty() {
            return Ok((kept.events > 0).then_some(kept));
        }
        let mut call = (*kept).clone();
        for recorded in &since {
            call = evolve(call, &load::open(&self.town, recorded)?);
        }
        let call = Arc::new(call);
        self.calls.insert(id, Arc::clone(&call));
        Ok(Some(call))
    }

    /// The call as commands of applications read it.
    ///
    /// # Errors
    /// `NotFound` when there is no such call, or it is a draft still.
    pub async fn view(&self, id: CallId) -> Result<CallView, AppError> {
        let call = self.call(id).await?.ok_or(AppError::NotFound("call"))?;
        match &call.plan {
            Some(plan) if call.phase > Phase::Drafted => {
                Ok(CallView { call: id, phase: call.phase, plan: Arc::clone(plan) })
            }
            _ => Err(AppError::NotFound("call")),
        }
    }

    /// Every application of a call as of a position.
    ///
    /// # Errors
    /// When views or log cannot be read.
    pub async fn applications(
        &self,
        call: CallId,
        at: Position,
    ) -> Result<Vec<Gathered>, AppError> {
        gather::applications(&self.town, call, at).await
    }

    /// Decides a command and records what it decides.
    ///
    /// # Errors
    /// `NotFound`, `Rejected`, `Conflict`, `RequestReused`, or a fault of the log.
    pub async fn act(&self, request: CallCommand<'_>) -> Result<CallOutcome, AppError> {
        let id = request.call.unwrap_or(CallId(derived(request.request_id, "call")));
        for _ in 0..RETRIES {
            if let Some(outcome) = self.attempt(id, &request).await? {
                return Ok(outcome);
            }
        }
        Err(AppError::Conflict { expected: "-".into(), actual: "-".into(), by: Vec::new() })
    }

    async fn attempt(
        &self,
        id: CallId,
        request: &CallCommand<'_>,
    ) -> Result<Option<CallOutcome>, AppError> {
        let call = self.call(id).await?;
        if request.call.is_some() && call.is_none() {
            return Err(AppError::NotFound("call"));
        }
        let call = call.unwrap_or_default();
        let done = |events, position, replayed| {
            Ok(Some(CallOutcome { id, call: Arc::clone(&call), events, position, replayed }))
        };
        if !request.validate_only
            && let Some(record) = self.earlier(request).await?
        {
            return done(Vec::new(), record, true);
        }
        let etag = call.events.saturating_sub(1).to_string();
        if let Some(sent) = request.etag.as_ref().filter(|sent| **sent != etag) {
            let (expected, actual) = (sent.clone(), etag);
            return Err(AppError::Conflict { expected, actual, by: Vec::new() });
        }
        let around = self.surroundings(id, &call, &request.command).await?;
        let actor = request.principal.actor();
        let now = self.town.clock.now();
        let ctx = Context {
            comune: &self.town.comune,
            case_id: CaseId(id.0),
            now,
            actor: &actor,
            rules: &self.town.rules.book,
            calendar: &self.town.rules.calendar,
            request_id: request.request_id,
            written,
        };
        let events = decide(&call, &request.command, &around, &ctx)?;
        if request.validate_only || events.is_empty() {
            let after = Arc::new(events.iter().fold((*call).clone(), evolve));
            let position = self.head().await?;
            return Ok(Some(CallOutcome { id, call: after, events, position, replayed: false }));
        }
        let Some(position) = self.append(id, &call, &events, request, now).await? else {
            return Ok(None);
        };
        let after = self.call(id).await?.unwrap_or_default();
        Ok(Some(CallOutcome { id, call: after, events, position, replayed: false }))
    }

    /// The position of the first answer of a request that came before.
    async fn earlier(&self, request: &CallCommand<'_>) -> Result<Option<Position>, AppError> {
        let found = self.town.log.find_request(request.request_id).await;
        match found.map_err(|e| AppError::store("looking up a request", e))? {
            Some(record) if record.fingerprint != request.fingerprint => {
                Err(AppError::RequestReused(request.request_id))
            }
            found => Ok(found.map(|record| record.position)),
        }
    }

    /// Appends in as many parts as the events need; nothing is published before the last part.
    /// None when somebody else's event came first.
    async fn append(
        &self,
        id: CallId,
        call: &Call,
        events: &[Event],
        request: &CallCommand<'_>,
        now: jiff::Timestamp,
    ) -> Result<Option<Position>, AppError> {
        let stream = self.town.stream(&format!("call-{id}"))?;
        let parts = parts(events)?;
        let mut revision = call.events;
        let mut position = Position::START;
        for (index, part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            let request_id = if last {
                request.request_id
            } else {
                derived(request.request_id, &format!("part {index}"))
            };
            let metadata = Metadata {
                actor: request.principal.account.to_string(),
                role: request.principal.role.as_str().to_owned(),
                on_behalf_of: None,
                request_id: Some(request_id),
                correlation_id: request.request_id,
                causation_id: request.causation_id,
                rules_version: String::new(),
            };
            let append = AppendRequest {
                stream: stream.clone(),
                expected: match revision {
                    0 => Expected::NoStream,
                    n => Expected::Exact(Revision::new(n - 1)),
                },
                events: new_events(&self.town, &stream, part, request_id, now, &metadata)?,
                request: Some(Request { id: request_id, fingerprint: request.fingerprint }),
                recorded_at: now,
            };
            match self.town.log.append(append).await {
                Ok(appended) => {
                    if !appended.replayed {
                        revision += part.len() as u64;
                    }
                    position = appended.position;
                }
                Err(StoreError::Conflict { .. }) => return Ok(None),
                Err(error) => return Err(AppError::store("recording a command of a call", error)),
            }
        }
        Ok(Some(position))
    }

    /// What a decision needs to know besides the call.
    async fn surroundings(
        &self,
        id: CallId,
        call: &Call,
        command: &Command,
    ) -> Result<Surroundings, AppError> {
        let mut around = Surroundings::default();
        match command {
            Command::Publish { .. } => {
                if let Some(plan) = &call.plan {
                    let text = serde_json::to_vec(&plan.criteria).map_err(|e| AppError::Fault {
                        doing: "writing criteria",
                        source: Box::new(e),
                        transient: false,
                    })?;
                    around.criteria_sha256 = hex(&sha256(&text));
                }
            }
            Command::RevealSeed { seed, .. } => {
                around.commitment_of_seed = Some(commitment_of(seed, sha256));
            }
            // In another phase the rules refuse, whatever the applications say.
            Command::PublishProvisional if call.phase == Phase::Scoring => {
                around = self.ranked(id, call, Stage::Provisional).await?;
            }
            Command::ApproveDefinitive { .. } if call.phase == Phase::Provisional => {
                around = self.ranked(id, call, Stage::Definitive).await?;
            }
            Command::Tick if call.phase == Phase::Provisional => {
                let head = self.head().await?;
                around = gather::surround(&self.applications(id, head).await?);
            }
            _ => {}
        }
        Ok(around)
    }

    /// What the applications say now, and the ranking that comes of it.
    async fn ranked(
        &self,
        id: CallId,
        call: &Call,
        stage: Stage,
    ) -> Result<Surroundings, AppError> {
        let head = self.head().await?;
        let gathered = self.applications(id, head).await?;
        let ranking = gather::ranking(id, call, stage, &gathered, head)?;
        Ok(Surroundings { ranking, ..gather::surround(&gathered) })
    }

    /// For each command that people may send: whether the call's own state allows it, or the first
    /// refusal. What its applications say comes on top when the command is sent.
    pub fn available(&self, call: &Call) -> Vec<(&'static str, Option<Rejection>)> {
        let actor = self.principal.actor();
        let ctx = Context {
            comune: &self.town.comune,
            case_id: CaseId(Uuid::nil()),
            now: self.town.clock.now(),
            actor: &actor,
            rules: &self.town.rules.book,
            calendar: &self.town.rules.calendar,
            request_id: Uuid::nil(),
            written,
        };
        // The clock's own command has no content for a rule to refuse.
        rules::available(call, &ctx)
    }

    /// Computes a published ranking again from the log, as of the position that it states; answers
    /// the hash that comes out.
    ///
    /// # Errors
    /// When the log cannot be read, or holds no such ranking.
    pub async fn recompute(&self, id: CallId, stage: Stage) -> Result<String, AppError> {
        let call = self.call(id).await?.ok_or(AppError::NotFound("call"))?;
        let published = match stage {
            Stage::Provisional => call.provisional.as_ref(),
            Stage::Definitive => call.definitive.as_ref(),
        };
        let published = published.ok_or(AppError::NotFound("ranking"))?;
        let at = Position::new(published.facts.as_of_position);
        let gathered = self.applications(id, at).await?;
        let ranking = gather::ranking(id, &call, published.facts.stage, &gathered, at)?;
        Ok(ranking.map(|r| r.sha256).unwrap_or_default())
    }

    /// Does what the clock has due for every call of the comune. Returns how many calls moved on.
    ///
    /// # Errors
    /// When views or log fail.
    pub async fn tick(&self) -> Result<u64, AppError> {
        let mut moved = 0;
        loop {
            self.town.wait_for_views(self.head().await?).await?;
            let today = rome_date(self.town.clock.now());
            let due = self.town.views.due_calls(today).await.map_err(AppError::views)?.value;
            let mut progressed = false;
            for id in due {
                let call = self.call(id).await?.unwrap_or_default();
                let due_on = call.due_on().map(|d| d.to_string()).unwrap_or_default();
                let purpose = format!("tick {} {due_on}", call.phase.as_str());
                let request = CallCommand {
                    principal: &self.principal,
                    call: Some(id),
                    command: Command::Tick,
                    request_id: derived(id.0, &purpose),
                    fingerprint: sha256(purpose.as_bytes()),
                    etag: None,
                    validate_only: false,
                    causation_id: None,
                };
                let outcome = self.act(request).await?;
                progressed |= !outcome.replayed && !outcome.events.is_empty();
            }
            if !progressed {
                return Ok(moved);
            }
            moved += 1;
        }
    }
}

/// Events cut into parts that one append takes.
fn parts(events: &[Event]) -> Result<Vec<&[Event]>, AppError> {
    let mut parts = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (index, event) in events.iter().enumerate() {
        let payload = codec::payload(event).map_err(|e| AppError::store("encoding an event", e))?;
        // Metadata comes on top of each.
        let size = payload.len() + 600;
        if index > from && (bytes + size > APPEND_BYTES || index - from >= 800) {
            parts.push(&events[from..index]);
            (from, bytes) = (index, 0);
        }
        bytes += size;
    }
    parts.push(&events[from..]);
    Ok(parts)
}
