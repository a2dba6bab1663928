//! How a command flows: authorise, load, decide, append, reply. The one path for people, the
//! ticker and the processes alike.

use super::deliver::written;
use super::error::{AppError, Intervening};
use super::load::{self, Kept};
use super::policy::{self, Principal, Relation};
use super::town::Town;
use pratica_domain::case::{self, Procedure};
use pratica_domain::ids::{CaseId, derived};
use pratica_domain::term::{first_instant_of, rome_date};
use pratica_domain::{Case, Command, Context, Event, Occurrence, decide, evolve, evolve_in_place};
use pratica_store::{
    AppendRequest, Appended, Expected, Metadata, NewEvent, Position, Request, RequestRecord,
    Revision, StoreError, StreamName, codec,
};
use std::sync::Arc;
use uuid::Uuid;

/// How often a command without an etag is decided again after somebody else's change.
const RETRIES: usize = 16;

/// Which case a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A filing: the case's id derives from the request, so that a retry names the same one.
    New(Procedure),
    /// A case that exists.
    Existing(CaseId),
}

/// A command as it arrives.
#[derive(Debug, Clone)]
pub struct CommandRequest<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// For which case.
    pub target: Target,
    /// What.
    pub command: Command,
    /// Client-made, kept across retries.
    pub request_id: Uuid,
    /// Hash of the request's content: the same id with another is refused.
    pub fingerprint: [u8; 32],
    /// The revision last seen. Only Pratica's own processes send none.
    pub etag: Option<String>,
    /// Decide and answer, record nothing.
    pub validate_only: bool,
    /// The event that caused it, for processes.
    pub causation_id: Option<Uuid>,
    /// What it belongs to, for processes; otherwise the request.
    pub correlation_id: Option<Uuid>,
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The case.
    pub case_id: CaseId,
    /// The case after the command.
    pub case: Arc<Case>,
    /// What was recorded, or would be.
    pub events: Vec<Event>,
    /// Position of the last event recorded.
    pub position: Position,
    /// Whether this is the answer of an earlier request with the same id.
    pub replayed: bool,
}

impl Outcome {
    /// The etag: the revision of the case's last event.
    pub fn etag(&self) -> String {
        etag(&self.case)
    }
}

/// The etag of a case.
pub fn etag(case: &Case) -> String {
    case.file.events.saturating_sub(1).to_string()
}

/// Decides a command and records what it decides.
///
/// # Errors
/// `Denied`, `NotFound`, `Rejected`, `Conflict`, `RequestReused`, or a fault of the log. After a
/// fault the command may have been recorded: the same request again tells.
pub async fn execute(town: &Town, request: CommandRequest<'_>) -> Result<Outcome, AppError> {
    let case_id = match request.target {
        Target::New(_) => CaseId(derived(request.request_id, "case")),
        Target::Existing(id) => id,
    };
    for _ in 0..RETRIES {
        match attempt(town, case_id, &request).await {
            Err(Attempt::Moved) => town.cases.invalidate(&case_id),
            Err(Attempt::Failed(error)) => return Err(error),
            Ok(outcome) => return Ok(outcome),
        }
    }
    Err(AppError::Conflict { expected: "-".into(), actual: "-".into(), by: Vec::new() })
}

enum Attempt {
    /// Somebody else's event came first: load and decide again.
    Moved,
    Failed(AppError),
}

impl<E: Into<AppError>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Attempt::Failed(error.into())
    }
}

async fn attempt(
    town: &Town,
    case_id: CaseId,
    request: &CommandRequest<'_>,
) -> Result<Outcome, Attempt> {
    let loaded = match request.target {
        Target::New(_) => None,
        Target::Existing(_) => load::case(town, case_id).await?,
    };
    let now = town.clock.now();
    let existing = match request.target {
        Target::New(_) => None,
        Target::Existing(_) => Some(loaded.as_deref().ok_or_else(|| unseen(request.principal))?),
    };
    let relation = policy::relation(request.principal, existing, rome_date(now));
    may(request.principal, request.command.name(), relation)?;
    let case = loaded.unwrap_or_default();
    let mut actor = request.principal.actor();
    actor.on_behalf_of = policy::acts_for(request.principal, &case, rome_date(now));
    let ctx = Context {
        comune: &town.comune,
        case_id,
        now,
        actor: &actor,
        rules: &town.rules.book,
        calendar: &town.rules.calendar,
        request_id: request.request_id,
        written,
    };
    let procedure = match request.target {
        Target::New(procedure) => procedure,
        Target::Existing(_) => case.procedure().unwrap_or(Procedure::Residency),
    };
    let stream = town.case_stream(procedure, case_id)?;

    // A retry finds the case as its first attempt left it: whatever stands in its way now, the
    // first answer is the answer.
    let fresh = fresh_decision(town, &stream, &case, request, &ctx).await;
    // An append finds out by itself that the kept state was behind; what appends nothing must ask.
    let appends = !request.validate_only && fresh.as_ref().is_ok_and(|events| !events.is_empty());
    let kept = matches!(request.target, Target::Existing(_));
    if kept && !appends && !load::is_current(town, &stream, &case).await? {
        return Err(Attempt::Moved);
    }
    let fresh = match fresh {
        Ok(events) => events,
        Err(refusal) => {
            return match earlier(town, request).await? {
                Some(record) => replay(town, case_id, &stream, request, &record).await,
                None => Err(refusal.into()),
            };
        }
    };
    let after = fold(&case, &fresh);
    if request.validate_only {
        let position = town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
        let case = Arc::new(after);
        return Ok(Outcome { case_id, case, events: fresh, position, replayed: false });
    }
    let append = append_request(town, &stream, &case, &fresh, request, &ctx)?;
    match town.log.append(append).await {
        Ok(appended) if appended.replayed => {
            let record = earlier(town, request).await?.ok_or_else(|| lost(&appended))?;
            replay(town, case_id, &stream, request, &record).await
        }
        Ok(appended) => {
            let case = Arc::new(after);
            if case.file.disposal.erased_on().is_some() {
                // Whatever was folded before the erasure may hold the data in the clear.
                town.cases.invalidate(&case_id);
            } else {
                let kept = Kept { case: Arc::clone(&case), as_of: appended.position };
                town.cases.insert(case_id, kept);
            }
            let position = appended.position;
            Ok(Outcome { case_id, case, events: fresh, position, replayed: false })
        }
        Err(StoreError::Conflict { .. }) => Err(Attempt::Moved),
        Err(error) => Err(AppError::store("recording a command", error).into()),
    }
}

/// Whether somebody may send a command, before anything of its content is looked at.
///
/// # Errors
/// `Denied`, or `NotFound` as for a case that is not there.
pub async fn permitted(
    town: &Town,
    principal: &Principal,
    command: &str,
    case: Option<CaseId>,
) -> Result<(), AppError> {
    let loaded = match case {
        None => None,
        Some(id) => Some(load::case(town, id).await?.ok_or_else(|| unseen(principal))?),
    };
    let today = rome_date(town.clock.now());
    may(principal, command, policy::relation(principal, loaded.as_deref(), today))
}

fn may(principal: &Principal, command: &str, relation: Relation) -> Result<(), AppError> {
    if policy::may_command(principal, command, relation) {
        Ok(())
    } else if relation == Relation::Stranger {
        Err(unseen(principal))
    } else {
        Err(AppError::Denied)
    }
}

/// The answer about a case that is not there, or may not be seen: who works on cases learns that
/// there is none, everybody else that they may not know.
pub fn unseen(principal: &Principal) -> AppError {
    if principal.role.is_staff() || principal.role == pratica_domain::Role::Service {
        AppError::NotFound("case")
    } else {
        AppError::Denied
    }
}

fn lost(appended: &Appended) -> AppError {
    AppError::Fault {
        doing: "finding the first answer of a request",
        source: format!("no record at position {}", appended.position.get()).into(),
        transient: false,
    }
}

async fn fresh_decision(
    town: &Town,
    stream: &StreamName,
    case: &Case,
    request: &CommandRequest<'_>,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, AppError> {
    if let Some(etag) = &request.etag {
        check_etag(town, stream, case, etag).await?;
    }
    Ok(decide(case, &request.command, ctx)?)
}

/// The etag must be the case's present revision. Protocol numbers that came meanwhile change
/// nothing that a decision rests on, and do not count.
async fn check_etag(
    town: &Town,
    stream: &StreamName,
    case: &Case,
    sent: &str,
) -> Result<(), AppError> {
    if sent == etag(case) {
        return Ok(());
    }
    let conflict = |by| AppError::Conflict { expected: sent.to_owned(), actual: etag(case), by };
    let Ok(revision) = sent.parse::<u64>() else { return Err(conflict(Vec::new())) };
    let from = Revision::new(revision.saturating_add(1));
    let since = load::events(town, stream, from, Revision::END).await?;
    let bookkeeping = |t: &str| t == "case.document_registered";
    if !since.is_empty() && since.iter().all(|e| bookkeeping(&e.event_type)) {
        return Ok(());
    }
    let mut by = Vec::new();
    for event in since.iter().filter(|e| !bookkeeping(&e.event_type)) {
        let metadata = event.metadata().map_err(|e| AppError::store("reading metadata", e))?;
        by.push(Intervening {
            event_type: event.event_type.to_string(),
            actor: metadata.actor,
            revision: event.revision.get(),
        });
    }
    Err(conflict(by))
}

fn fold(case: &Case, events: &[Event]) -> Case {
    events.iter().fold(case.clone(), evolve)
}

fn append_request(
    town: &Town,
    stream: &StreamName,
    case: &Case,
    events: &[Event],
    request: &CommandRequest<'_>,
    ctx: &Context<'_>,
) -> Result<AppendRequest, AppError> {
    let rules_version = if case.rules_version().is_empty() {
        ctx.rules.in_force_on(ctx.today()).map(|r| r.version.clone()).unwrap_or_default()
    } else {
        case.rules_version().to_owned()
    };
    let metadata = Metadata {
        actor: ctx.actor.id.to_string(),
        role: ctx.actor.role.as_str().to_owned(),
        on_behalf_of: ctx.actor.on_behalf_of.map(|s| s.to_string()),
        request_id: Some(request.request_id),
        correlation_id: request.correlation_id.unwrap_or(request.request_id),
        causation_id: request.causation_id,
        rules_version,
    };
    Ok(AppendRequest {
        stream: stream.clone(),
        expected: match case.file.events {
            0 => Expected::NoStream,
            n => Expected::Exact(Revision::new(n - 1)),
        },
        events: new_events(town, stream, events, request.request_id, ctx.now, &metadata)?,
        request: Some(Request { id: request.request_id, fingerprint: request.fingerprint }),
        recorded_at: ctx.now,
    })
}

/// Stored events with identifiers that derive from the request, and the time at which each counts.
///
/// # Errors
/// When a payload cannot be written.
pub fn new_events(
    town: &Town,
    stream: &StreamName,
    events: &[Event],
    request_id: Uuid,
    now: jiff::Timestamp,
    metadata: &Metadata,
) -> Result<Vec<NewEvent>, AppError> {
    events
        .iter()
        .enumerate()
        .map(|(index, event)| {
            let id = derived(request_id, &format!("event {index}"));
            let occurred_at = match event.occurred_on() {
                Some(Occurrence::Instant(at)) => at,
                Some(Occurrence::Day(day)) if day == rome_date(now) => now,
                Some(Occurrence::Day(day)) => first_instant_of(day),
                None => now,
            };
            codec::encode(event, id, stream, occurred_at, metadata.clone(), &town.vault)
                .map_err(|error| AppError::store("sealing an event", error))
        })
        .collect()
}

async fn earlier(
    town: &Town,
    request: &CommandRequest<'_>,
) -> Result<Option<RequestRecord>, AppError> {
    if request.validate_only {
        return Ok(None);
    }
    let found = town
        .log
        .find_request(request.request_id)
        .await
        .map_err(|e| AppError::store("looking up a request", e))?;
    match found {
        Some(record) if record.fingerprint != request.fingerprint => {
            Err(AppError::RequestReused(request.request_id))
        }
        found => Ok(found),
    }
}

/// The first answer again: the case as the first attempt left it.
async fn replay(
    town: &Town,
    case_id: CaseId,
    stream: &StreamName,
    request: &CommandRequest<'_>,
    record: &RequestRecord,
) -> Result<Outcome, Attempt> {
    if record.stream != *stream {
        return Err(AppError::RequestReused(request.request_id).into());
    }
    let to = record.revision.unwrap_or(Revision::FIRST);
    let recorded = load::events(town, stream, Revision::FIRST, to).await?;
    let mut case = Case::default();
    let mut events = Vec::new();
    for event in &recorded {
        let decoded = load::open(town, event)?;
        evolve_in_place(&mut case, &decoded);
        if record.event_count > 0 && record.first_revision.is_some_and(|f| event.revision >= f) {
            events.push(decoded);
        }
    }
    let position = record.position;
    Ok(Outcome { case_id, case: Arc::new(case), events, position, replayed: true })
}

/// Whether any of these events asks the register for a number.
pub fn awaits_registration(case_id: CaseId, case: &Case, events: &[Event]) -> bool {
    events
        .iter()
        .any(|e| pratica_domain::process::documents_to_register(case_id, case, e).is_some())
}

/// Waits for the protocol numbers of a command's documents and answers the case with them.
///
/// The etag moves on only over the numbers: what somebody else did meanwhile stays unseen.
///
/// # Errors
/// `NotReached` when the register is too slow; the command is recorded all the same.
pub async fn with_numbers(town: &Town, mut outcome: Outcome) -> Result<Outcome, AppError> {
    if !awaits_registration(outcome.case_id, &outcome.case, &outcome.events) {
        return Ok(outcome);
    }
    town.wait_for_register(outcome.position).await?;
    let procedure = outcome.case.procedure().unwrap_or(Procedure::Residency);
    let stream = town.case_stream(procedure, outcome.case_id)?;
    let from = Revision::new(outcome.case.file.events);
    let since = load::events(town, &stream, from, Revision::END).await?;
    let mut after = (*outcome.case).clone();
    for recorded in &since {
        let event = load::open(town, recorded)?;
        if !matches!(event, Event::Case(case::Event::DocumentRegistered(_))) {
            break;
        }
        evolve_in_place(&mut after, &event);
        outcome.position = outcome.position.max(recorded.position);
    }
    outcome.case = Arc::new(after);
    Ok(outcome)
}
