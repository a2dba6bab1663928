//! A town's log, made by the same rules as a server's: decided, encoded and appended, but without
//! a network, a thousand cases side by side. All people are invented.

use crate::declaration::declare;
use crate::place::{COMUNE, NOW};
use anyhow::Context as _;
use jiff::{Timestamp, ToSpan as _};
use pratica_api::app::deliver::written;
use pratica_api::app::handler::new_events;
use pratica_api::app::house::Open;
use pratica_domain::case::{Command as CaseCommand, Direction};
use pratica_domain::ids::{CaseId, ComuneId};
use pratica_domain::process::documents_to_register;
use pratica_domain::register::{RegisterHead, register};
use pratica_domain::residency::{Command as ResidencyCommand, VisitOutcome};
use pratica_domain::term::rome_date;
use pratica_domain::{Actor, Case, Command, Context, Event, Role, decide, evolve};
use pratica_store::{
    AppendRequest, Appended, EventStore, Expected, Metadata, Request, Revision, StoreError,
    StreamName,
};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// How many cases are under way at once: their events lie between each other's in the log.
const SIDE_BY_SIDE: u64 = 1_000;
/// Officers of the one office.
pub(crate) const OFFICERS: u64 = 20;

/// Fills a comune's log with cases.
pub(crate) struct Filler<'a> {
    open: &'a Open,
    comune: ComuneId,
    registrations: u64,
    streams: HashMap<StreamName, u64>,
    pending: Vec<JoinHandle<Result<Appended, StoreError>>>,
}

/// A case under way.
struct Running {
    number: u64,
    id: CaseId,
    case: Case,
    now: Timestamp,
}

impl<'a> Filler<'a> {
    pub(crate) fn new(open: &'a Open) -> anyhow::Result<Self> {
        Ok(Filler {
            open,
            comune: COMUNE.parse()?,
            registrations: 0,
            streams: HashMap::new(),
            pending: Vec::new(),
        })
    }

    /// Opens this many cases and takes each through its steps: some ten events a case, every other
    /// case is closed. `more` events of clerk's work are added to each. Answers the cases' ids.
    pub(crate) async fn cases(&mut self, count: u64, more: u64) -> anyhow::Result<Vec<CaseId>> {
        let mut ids = Vec::new();
        let mut from = 0;
        while from < count {
            let until = (from + SIDE_BY_SIDE).min(count);
            let mut running = Vec::new();
            for number in from..until {
                let before = i64::try_from((count - number) * 40 * 24 * 60 / count)?;
                let now: Timestamp = NOW.parse::<Timestamp>()? - before.minutes();
                let id = CaseId(Uuid::new_v4());
                running.push(Running { number, id, case: Case::default(), now });
                ids.push(id);
            }
            for step in 0..7 + more {
                for case in &mut running {
                    if let Some((role, command)) = step_of(step, case)? {
                        self.take(case, role, command).await?;
                    }
                }
                self.wait().await?;
            }
            // What a case's next revision is, is asked for while it is under way only.
            self.streams.retain(|stream, _| is_register(stream));
            from = until;
        }
        Ok(ids)
    }

    async fn take(
        &mut self,
        running: &mut Running,
        role: Role,
        command: Command,
    ) -> anyhow::Result<()> {
        let account =
            if role == Role::System { "register".into() } else { officer(running.number) };
        let actor = Actor { id: account.parse()?, role, on_behalf_of: None };
        let request_id = Uuid::new_v4();
        let rules = Arc::clone(&self.open.town.rules);
        let ctx = Context {
            comune: &self.comune.clone(),
            case_id: running.id,
            now: running.now,
            actor: &actor,
            rules: &rules.book,
            calendar: &rules.calendar,
            request_id,
            written,
        };
        let events = decide(&running.case, &command, &ctx)
            .with_context(|| format!("{} is refused", command.name()))?;
        let stream = StreamName::parse(&format!("{COMUNE}.residency-{}", running.id))?;
        self.append(stream, &events, request_id, &actor, running.now).await?;
        let mut numbers = Vec::new();
        for event in &events {
            running.case = evolve(std::mem::take(&mut running.case), event);
            if let Some(to) = documents_to_register(running.id, &running.case, event) {
                let head = RegisterHead { year: 2026, registrations: self.registrations };
                self.registrations += 1;
                numbers.push((to.entry.document, register(head, &to.entry, &ctx)?));
            }
        }
        for (document, (number, event)) in numbers {
            let stream = StreamName::parse(&format!("{COMUNE}.register-2026"))?;
            let at = running.now;
            self.append(stream, &[event], Uuid::new_v4(), &actor, at).await?;
            let document = document.context("a document of a case")?;
            let registered_on = rome_date(running.now);
            let record = CaseCommand::RecordRegistration { document, number, registered_on };
            Box::pin(self.take(running, Role::System, record.into())).await?;
        }
        Ok(())
    }

    async fn append(
        &mut self,
        stream: StreamName,
        events: &[Event],
        request_id: Uuid,
        actor: &Actor,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let metadata = Metadata {
            actor: actor.id.to_string(),
            role: actor.role.as_str().to_owned(),
            on_behalf_of: None,
            request_id: Some(request_id),
            correlation_id: request_id,
            causation_id: None,
            rules_version: "italy-2026".to_owned(),
        };
        let next = self.streams.entry(stream.clone()).or_default();
        let expected = match *next {
            0 => Expected::NoStream,
            n => Expected::Exact(Revision::new(n - 1)),
        };
        *next += events.len() as u64;
        let append = AppendRequest {
            expected,
            events: new_events(&self.open.town, &stream, events, request_id, now, &metadata)?,
            stream,
            request: Some(Request { id: request_id, fingerprint: [0; 32] }),
            recorded_at: now,
        };
        let log: Arc<dyn EventStore> = Arc::clone(&self.open.town.log);
        // The first poll puts it into the writer's queue, so that the order is kept; unless the
        // runtime takes it for a turn too long.
        let appending = tokio::task::unconstrained(async move { log.append(append).await });
        let mut appending = Box::pin(appending);
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(appending.as_mut().poll(cx)));
        match polled.await {
            std::task::Poll::Ready(done) => drop(done?),
            std::task::Poll::Pending => self.pending.push(tokio::spawn(appending)),
        }
        if self.pending.len() >= 512 {
            self.wait().await?;
        }
        Ok(())
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        for appended in self.pending.drain(..) {
            appended.await??;
        }
        Ok(())
    }
}

fn is_register(stream: &StreamName) -> bool {
    stream.kind() == "register"
}

/// The account of the officer whose case it is.
pub(crate) fn officer(number: u64) -> String {
    format!("officer.{}", number % OFFICERS)
}

fn step_of(step: u64, running: &Running) -> anyhow::Result<Option<(Role, Command)>> {
    let note = || CaseCommand::AddNote {
        text: format!("Call with the applicant about floor and bell, case {}", running.number),
    };
    let office = || "anagrafe".parse();
    // Every officer has cases of both kinds.
    let closes = running.number / OFFICERS % 2 == 1;
    let command: (Role, Command) = match step {
        0 => (Role::Clerk, declare(running.number, running.now)?.into()),
        1 => {
            let officer = Some(officer(running.number).parse()?);
            let assign = CaseCommand::Assign { office: office()?, officer, reason: String::new() };
            (Role::Officer, assign.into())
        }
        2 => (Role::Officer, ResidencyCommand::Register.into()),
        3 | 4 => (Role::Clerk, note().into()),
        5 | 6 if !closes => return Ok(None),
        5 => {
            let visit = ResidencyCommand::RecordVisit {
                visited_at: running.now,
                outcome: VisitOutcome::Present,
                report: "visit by the municipal police".to_owned(),
            };
            (Role::Officer, visit.into())
        }
        6 => {
            let confirm = ResidencyCommand::Confirm {
                reasons: "the requirements exist".to_owned(),
                departure: String::new(),
            };
            (Role::Officer, confirm.into())
        }
        n if n % 3 == 0 => {
            let add = CaseCommand::AddDocument {
                kind: "report".to_owned(),
                media_type: "application/pdf".to_owned(),
                size_bytes: 48_000,
                sha256: format!("{n:064x}"),
                direction: Direction::Internal,
                dated_on: rome_date(running.now),
                replaces: None,
            };
            (Role::Clerk, add.into())
        }
        _ => (Role::Clerk, note().into()),
    };
    Ok(Some(command))
}
