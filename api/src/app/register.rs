//! The register at work: numbers for the documents of cases by a process, and the register's own
//! commands. One desk a comune gives out numbers, so that the sequence follows the log's order.

use super::deliver::hex;
use super::error::AppError;
use super::follow::Follower;
use super::handler::{self, CommandRequest, Target, new_events};
use super::load;
use super::policy::Principal;
use super::town::Town;
use pratica_domain::case::{self, Command as CaseCommand};
use pratica_domain::ids::{CaseId, DocumentId, ProtocolNumber, derived};
use pratica_domain::process::documents_to_register;
use pratica_domain::register::{
    ActCommand, Acts, Entry, RegisterHead, Registers, decide_act, evolve_acts, register,
};
use pratica_domain::term::rome_date;
use pratica_domain::{Case, Context, Event};
use pratica_store::{
    AppendRequest, Appended, Expected, Metadata, Position, RecordedEvent, Request, Revision,
    StoreError,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};
use uuid::Uuid;

/// The name of the process's checkpoint.
pub const CHECKPOINT: &str = "register";
/// How often an append is tried again when another node gave out the number first.
const RETRIES: usize = 32;
/// How many years back an emergency register may have been opened that is closed today.
const EMERGENCY_YEARS: i16 = 10;

/// Gives out protocol numbers of one comune.
pub struct Desk {
    town: Arc<Town>,
    principal: Principal,
    /// Numbers are given out one batch after the other.
    turn: Mutex<()>,
}

fn closed(doing: &'static str, error: watch::error::RecvError) -> AppError {
    AppError::Fault { doing, source: Box::new(error), transient: true }
}

/// An entry with the request that asks for its number.
pub struct Numbered {
    /// What to register.
    pub entry: Entry,
    /// Identifies the registration for ever.
    pub request_id: Uuid,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
}

/// Gives every incoming and outgoing document of a case its number: every request derives from the
/// document's event.
impl Follower for Desk {
    fn name(&self) -> &'static str {
        CHECKPOINT
    }

    fn town(&self) -> &Town {
        &self.town
    }

    fn reached(&self) -> &watch::Sender<Position> {
        &self.town.registered
    }

    async fn take(&self, events: &[RecordedEvent]) -> Result<(), AppError> {
        self.handle(events).await
    }
}

impl Desk {
    /// The desk of a comune. `principal` is what its own work is recorded as.
    pub fn new(town: Arc<Town>, principal: Principal) -> Self {
        Desk { town, principal, turn: Mutex::new(()) }
    }

    async fn handle(&self, events: &[RecordedEvent]) -> Result<(), AppError> {
        let due = loop {
            let mut heads = self.town.log.watch_head();
            let mut lead = self.town.lead.watch();
            heads.borrow_and_update();
            let leads = *lead.borrow_and_update();
            let due = self.due(events).await?;
            if due.is_empty() {
                return Ok(());
            }
            if leads {
                break due;
            }
            // Another node gives out the numbers: they arrive, or this one begins to lead.
            tokio::select! {
                moved = heads.changed() => {
                    moved.map_err(|e| closed("following the log", e))?;
                }
                moved = lead.changed() => {
                    moved.map_err(|e| closed("following who leads", e))?;
                }
            }
        };
        let entries: Vec<_> = due.iter().map(|(_, _, n)| n).collect();
        let numbers = self.register(&entries).await?;
        let records = due.iter().zip(numbers).map(|((case_id, document, numbered), number)| {
            self.record(*case_id, *document, number, numbered)
        });
        for recorded in join_all(records).await {
            recorded?;
        }
        Ok(())
    }

    /// The documents among these events that have no number yet.
    async fn due(
        &self,
        events: &[RecordedEvent],
    ) -> Result<Vec<(CaseId, DocumentId, Numbered)>, AppError> {
        let mut due = Vec::new();
        for recorded in events.iter().filter(|e| &*e.event_type == "case.document_added") {
            let event = load::decode(recorded)?;
            let Some(case_id) = case_of(recorded) else { continue };
            let Event::Case(case::Event::DocumentAdded(added)) = &event else { continue };
            let is_numbered = |case: &Case| {
                case.file.documents.get(&added.document).is_some_and(|d| d.number.is_some())
            };
            let case = match load::case(&self.town, case_id).await {
                Ok(Some(case)) => case,
                Ok(None) => continue,
                // Numbers are not sealed: a case whose keys are damaged holds up no other because
                // its documents are looked at again.
                Err(error) => match load::sealed(&self.town, case_id).await? {
                    Some((case, _)) if is_numbered(&case) => continue,
                    _ => return Err(error),
                },
            };
            if is_numbered(&case) {
                continue;
            }
            if let Some(to) = documents_to_register(case_id, &case, &event) {
                let entry = Numbered {
                    entry: to.entry,
                    request_id: derived(recorded.id, "register"),
                    causation_id: Some(recorded.id),
                };
                due.push((case_id, added.document, entry));
            }
        }
        Ok(due)
    }

    async fn record(
        &self,
        case_id: CaseId,
        document: DocumentId,
        (number, registered_on): (ProtocolNumber, jiff::civil::Date),
        numbered: &Numbered,
    ) -> Result<(), AppError> {
        let request_id = derived(numbered.request_id, "record");
        let command = CaseCommand::RecordRegistration { document, number, registered_on };
        let request = CommandRequest {
            principal: &self.principal,
            target: Target::Existing(case_id),
            command: command.into(),
            request_id,
            fingerprint: Sha256::digest(number.to_string()).into(),
            etag: None,
            validate_only: false,
            causation_id: numbered.causation_id,
            correlation_id: None,
        };
        handler::execute(&self.town, request).await.map(|_| ())
    }

    /// Registers entries in order, each once, in as few commits as the log allows.
    ///
    /// # Errors
    /// When an entry is refused, or the log fails.
    pub async fn register(
        &self,
        entries: &[&Numbered],
    ) -> Result<Vec<(ProtocolNumber, jiff::civil::Date)>, AppError> {
        let _turn = self.turn.lock().await;
        let mut numbers: Vec<Option<(ProtocolNumber, jiff::civil::Date)>> =
            vec![None; entries.len()];
        for _ in 0..RETRIES {
            let open: Vec<usize> = (0..entries.len())
                .filter(|i| numbers.get(*i).is_some_and(Option::is_none))
                .collect();
            if open.is_empty() {
                break;
            }
            self.register_open(entries, &open, &mut numbers).await?;
        }
        numbers
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or(AppError::NotReached { what: "the protocol register", position: 0 })
    }

    async fn register_open(
        &self,
        entries: &[&Numbered],
        open: &[usize],
        numbers: &mut [Option<(ProtocolNumber, jiff::civil::Date)>],
    ) -> Result<(), AppError> {
        let town = &self.town;
        let now = town.clock.now();
        let today = rome_date(now);
        let stream = town.stream(&format!("register-{}", today.year()))?;
        let head = town
            .log
            .stream_revision(&stream)
            .await
            .map_err(|e| AppError::store("reading the register", e))?;
        let mut registrations = head.map_or(0, |r| r.get() + 1);
        let mut appends = Vec::with_capacity(open.len());
        for index in open {
            let Some(numbered) = entries.get(*index) else { continue };
            let actor = self.principal.actor();
            let case_id = numbered.entry.case.unwrap_or(CaseId(numbered.request_id));
            let ctx = self.context(now, &actor, numbered.request_id, case_id);
            let head = RegisterHead { year: today.year(), registrations };
            let (_, event) = register(head, &numbered.entry, &ctx)?;
            let append = AppendRequest {
                expected: expected(registrations),
                stream: stream.clone(),
                events: new_events(
                    town,
                    &stream,
                    &[event],
                    numbered.request_id,
                    now,
                    &self.metadata(numbered),
                )?,
                request: Some(Request {
                    id: numbered.request_id,
                    fingerprint: fingerprint(&numbered.entry),
                }),
                recorded_at: now,
            };
            registrations += 1;
            appends.push(town.log.append(append));
        }
        for (index, appended) in open.iter().zip(join_all(appends).await) {
            let number = match appended {
                Ok(appended) => Some((number_of(today.year(), &appended), today)),
                // The number of a registration that began in another year, or on another node.
                Err(StoreError::RequestReused { .. }) => {
                    let Some(numbered) = entries.get(*index) else { continue };
                    Some(self.earlier(numbered).await?)
                }
                Err(StoreError::Conflict { .. }) => None,
                Err(error) => return Err(AppError::store("registering a document", error)),
            };
            if let Some(slot) = numbers.get_mut(*index) {
                *slot = number;
            }
        }
        Ok(())
    }

    async fn earlier(
        &self,
        numbered: &Numbered,
    ) -> Result<(ProtocolNumber, jiff::civil::Date), AppError> {
        let log = &self.town.log;
        let found = log
            .find_request(numbered.request_id)
            .await
            .map_err(|e| AppError::store("looking up a registration", e))?;
        let reused = || AppError::RequestReused(numbered.request_id);
        let record = found.ok_or_else(reused)?;
        if record.fingerprint != fingerprint(&numbered.entry) {
            return Err(reused());
        }
        let revision = record.first_revision.ok_or_else(reused)?;
        let events = load::events(&self.town, &record.stream, revision, revision).await?;
        match events.first().map(load::decode) {
            Some(Ok(Event::Register(pratica_domain::register::Event::Registered(r)))) => {
                Ok((r.number, r.registered_on))
            }
            Some(Err(error)) => Err(error),
            _ => Err(reused()),
        }
    }

    /// Decides an act about the register: annulment, daily register, emergency.
    ///
    /// # Errors
    /// The refusal of its rule, or a fault of the log.
    pub async fn act(
        &self,
        principal: &Principal,
        year: i16,
        command: &ActCommand,
        request_id: Uuid,
        fingerprint: [u8; 32],
    ) -> Result<Position, AppError> {
        let town = &self.town;
        let stream = town.stream(&format!("register_acts-{year}"))?;
        for _ in 0..RETRIES {
            let acts = self.acts(year).await?;
            let registers = self.registers(year, &acts, command).await?;
            let now = town.clock.now();
            let actor = principal.actor();
            let ctx = self.context(now, &actor, request_id, CaseId(request_id));
            let events = match decide_act(&acts, command, &registers, &ctx) {
                Ok(events) => events,
                Err(refusal) => match town.log.find_request(request_id).await {
                    Ok(Some(r)) if r.fingerprint == fingerprint => return Ok(r.position),
                    _ => return Err(refusal.into()),
                },
            };
            let metadata = Metadata {
                actor: principal.account.to_string(),
                role: principal.role.as_str().to_owned(),
                on_behalf_of: None,
                request_id: Some(request_id),
                correlation_id: request_id,
                causation_id: None,
                rules_version: String::new(),
            };
            let append = AppendRequest {
                stream: stream.clone(),
                expected: expected(acts.events),
                events: new_events(town, &stream, &events, request_id, now, &metadata)?,
                request: Some(Request { id: request_id, fingerprint }),
                recorded_at: now,
            };
            match town.log.append(append).await {
                Ok(appended) => return Ok(appended.position),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => {
                    return Err(AppError::store("recording an act of the register", error));
                }
            }
        }
        Err(AppError::Conflict { expected: "-".into(), actual: "-".into(), by: Vec::new() })
    }

    /// The year in whose register the emergency is open; this year if it is open in none. One that
    /// was opened before New Year is closed where it was opened.
    ///
    /// # Errors
    /// A fault of the log.
    pub async fn emergency_year(&self) -> Result<i16, AppError> {
        let this = rome_date(self.town.clock.now()).year();
        for year in (this - EMERGENCY_YEARS..=this).rev() {
            if self.acts(year).await?.emergency_since.is_some() {
                return Ok(year);
            }
        }
        Ok(this)
    }

    /// The acts about a year's register.
    async fn acts(&self, year: i16) -> Result<Acts, AppError> {
        let stream = self.town.stream(&format!("register_acts-{year}"))?;
        let mut acts = Acts::default();
        for recorded in load::events(&self.town, &stream, Revision::FIRST, Revision::END).await? {
            acts = evolve_acts(acts, &load::decode(&recorded)?);
        }
        Ok(acts)
    }

    /// What an act needs to know of the registers.
    async fn registers(
        &self,
        year: i16,
        acts: &Acts,
        command: &ActCommand,
    ) -> Result<Registers, AppError> {
        let mut years = BTreeSet::from([year]);
        if let ActCommand::CloseEmergency { recovered } = command {
            years.extend(recovered.iter().map(|(_, number)| number.year));
        }
        let mut heads = Vec::with_capacity(years.len());
        for year in years {
            let stream = self.town.stream(&format!("register-{year}"))?;
            let last = self.town.log.stream_revision(&stream).await;
            let last = last.map_err(|e| AppError::store("reading the register", e))?;
            heads.push(RegisterHead { year, registrations: last.map_or(0, |r| r.get() + 1) });
        }
        let first_open = match command {
            ActCommand::CloseDay { .. } => self.day_after(year, acts.closed_last).await?,
            _ => None,
        };
        Ok(Registers { year, heads, first_open })
    }

    /// The day of the registration that follows a number, if there is one.
    async fn day_after(
        &self,
        year: i16,
        number: u64,
    ) -> Result<Option<jiff::civil::Date>, AppError> {
        let stream = self.town.stream(&format!("register-{year}"))?;
        // A number is its event's revision plus one.
        let next = Revision::new(number);
        let events = load::events(&self.town, &stream, next, next).await?;
        match events.first().map(load::decode).transpose()? {
            Some(Event::Register(pratica_domain::register::Event::Registered(r))) => {
                Ok(Some(r.registered_on))
            }
            _ => Ok(None),
        }
    }

    fn context<'a>(
        &'a self,
        now: jiff::Timestamp,
        actor: &'a pratica_domain::Actor,
        request_id: Uuid,
        case_id: CaseId,
    ) -> Context<'a> {
        Context {
            comune: &self.town.comune,
            case_id,
            now,
            actor,
            rules: &self.town.rules.book,
            calendar: &self.town.rules.calendar,
            request_id,
            written: super::deliver::written,
        }
    }

    fn metadata(&self, numbered: &Numbered) -> Metadata {
        Metadata {
            actor: self.principal.account.to_string(),
            role: self.principal.role.as_str().to_owned(),
            on_behalf_of: None,
            request_id: Some(numbered.request_id),
            correlation_id: numbered.causation_id.unwrap_or(numbered.request_id),
            causation_id: numbered.causation_id,
            rules_version: String::new(),
        }
    }
}

fn expected(events: u64) -> Expected {
    match events {
        0 => Expected::NoStream,
        n => Expected::Exact(Revision::new(n - 1)),
    }
}

/// The number is the event's revision plus one: gapless because the log is.
fn number_of(year: i16, appended: &Appended) -> ProtocolNumber {
    let revision = appended.first_revision.map_or(0, Revision::get);
    ProtocolNumber { year, number: revision + 1 }
}

/// What makes two registrations the same: the document, not the day on which it is tried.
fn fingerprint(entry: &Entry) -> [u8; 32] {
    let document = entry.document.map(|d| d.to_string()).unwrap_or_default();
    let text = format!("{:?}|{document}|{}|{}", entry.direction, entry.sha256, entry.object.value);
    Sha256::digest(text).into()
}

/// The hash of a day's registrations, one line each, as the daily register lists them.
pub fn daily_hash<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

fn case_of(recorded: &RecordedEvent) -> Option<CaseId> {
    recorded.stream.rest().parse().ok()
}

/// Drives all futures together and answers in their order. Each is polled first in that order,
/// so that appends queue up in it.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|cx| {
        let mut waiting = false;
        for (future, output) in &mut pending {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}
