//! The process between calls and applications: follows the log and delivers what the domain's pure
//! reactions ask for, at least once and with one effect: every request derives from the event.

use super::desk::{CallCommand, Desk};
use super::gather::sha256;
use crate::app::error::{AppError, chain};
use crate::app::follow::Follower;
use crate::app::handler::{self, CommandRequest, Target};
use crate::app::load;
use crate::app::town::Town;
use pratica_domain::Event;
use pratica_domain::ids::{CallId, CaseId, derived};
use pratica_domain::school::call::{Command as OfCall, Settlement};
use pratica_domain::school::process::{Reaction, of_call, of_case};
use pratica_domain::term::rome_date;
use pratica_store::{Filter, Position, RecordedEvent};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The name of the process's checkpoint.
pub const CHECKPOINT: &str = "school";
/// The events of applications that another stream has to know of.
const CARRIED: [&str; 10] = [
    "enrolment.filed",
    "enrolment.amended",
    "enrolment.accepted",
    "enrolment.renounced",
    "enrolment.offer_lapsed",
    "enrolment.offer_dropped",
    "enrolment.excluded",
    "enrolment.left",
    "enrolment.place_lost",
    "case.withdrawn",
];
/// How many applications are told at the same time.
const AT_ONCE: usize = 64;

impl Follower for Desk {
    fn name(&self) -> &'static str {
        CHECKPOINT
    }

    fn town(&self) -> &Town {
        &self.town
    }

    fn reached(&self) -> &watch::Sender<Position> {
        &self.reached
    }

    fn filter(&self) -> Filter {
        let comune = &self.town.comune;
        Filter::prefixes(["call", "enrolment"].map(|kind| format!("{comune}.{kind}-")))
    }

    async fn take(&self, events: &[RecordedEvent]) -> Result<(), AppError> {
        for event in events {
            self.carry(event).await?;
        }
        Ok(())
    }
}

impl Desk {
    /// Once a second: whether the views or the legal day moved, and if so what calls have due.
    pub async fn run_clock(&self) {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut checked = None;
        loop {
            second.tick().await;
            let now = (*self.town.watch_views().borrow(), rome_date(self.town.clock.now()));
            if checked == Some(now) {
                continue;
            }
            match self.tick().await {
                Ok(_) => checked = Some(now),
                Err(error) => tracing::error!(comune = %self.town.comune, error = chain(&error),
                    "the clock of calls failed and will be tried again"),
            }
        }
    }

    async fn carry(&self, recorded: &RecordedEvent) -> Result<(), AppError> {
        let reactions = match recorded.stream.kind() {
            "call" => self.of_a_call(recorded).await?,
            "enrolment" => self.of_an_application(recorded).await?,
            _ => return Ok(()),
        };
        let numbered: Vec<(usize, Reaction)> = reactions.into_iter().enumerate().collect();
        for some in numbered.chunks(AT_ONCE) {
            let told = some.iter().map(|(n, reaction)| {
                self.deliver(reaction, recorded.id, derived(recorded.id, &format!("school {n}")))
            });
            for delivered in join_all(told).await {
                delivered?;
            }
        }
        Ok(())
    }

    async fn of_a_call(&self, recorded: &RecordedEvent) -> Result<Vec<Reaction>, AppError> {
        let Event::Call(event) = load::open(&self.town, recorded)? else { return Ok(Vec::new()) };
        let Ok(id) = recorded.stream.rest().parse::<CallId>() else { return Ok(Vec::new()) };
        let call = self.call(id).await?.unwrap_or_default();
        Ok(of_call(&call, &event))
    }

    async fn of_an_application(&self, recorded: &RecordedEvent) -> Result<Vec<Reaction>, AppError> {
        let Ok(id) = recorded.stream.rest().parse::<CaseId>() else { return Ok(Vec::new()) };
        if !CARRIED.contains(&&*recorded.event_type) {
            return Ok(Vec::new());
        }
        let event = load::open(&self.town, recorded)?;
        match load::current(&self.town, id).await? {
            Some(case) => Ok(of_case(id, &case, &event)),
            None => Ok(Vec::new()),
        }
    }

    /// Delivers one reaction. What the other side refuses is no failure: it has gone on meanwhile.
    async fn deliver(
        &self,
        reaction: &Reaction,
        cause: Uuid,
        request_id: Uuid,
    ) -> Result<(), AppError> {
        match reaction {
            Reaction::Case(case, command) => {
                let delivered = self.tell_case(*case, command, cause, request_id).await;
                passed_over(delivered.map(|()| true)).map(|_| ())
            }
            Reaction::Offer(case, offer, command) => {
                let delivered = self.tell_case(*case, command, cause, request_id).await;
                if passed_over(delivered.map(|()| true))? {
                    return Ok(());
                }
                let Some(found) = load::current(&self.town, *case).await? else { return Ok(()) };
                let pratica_domain::ProcedureState::Enrolment(state) = &found.procedure else {
                    return Ok(());
                };
                let Some(application) = state.application() else { return Ok(()) };
                let outcome = Settlement::Unavailable;
                let command = OfCall::Settle { offer: *offer, outcome };
                let call = application.pinned.call;
                let again = derived(request_id, "unavailable");
                passed_over(self.tell_call(call, command, cause, again).await.map(|()| true))
                    .map(|_| ())
            }
            Reaction::Call(call, command) => {
                let delivered = self.tell_call(*call, command.clone(), cause, request_id).await;
                passed_over(delivered.map(|()| true)).map(|_| ())
            }
        }
    }

    async fn tell_case(
        &self,
        case: CaseId,
        command: &pratica_domain::Command,
        cause: Uuid,
        request_id: Uuid,
    ) -> Result<(), AppError> {
        let request = CommandRequest {
            principal: &self.principal,
            target: Target::Existing(case),
            command: command.clone(),
            request_id,
            fingerprint: sha256(request_id.as_bytes()),
            etag: None,
            validate_only: false,
            causation_id: Some(cause),
            correlation_id: None,
        };
        handler::execute(&self.town, request).await.map(|_| ())
    }

    async fn tell_call(
        &self,
        call: CallId,
        command: OfCall,
        cause: Uuid,
        request_id: Uuid,
    ) -> Result<(), AppError> {
        let request = CallCommand {
            principal: &self.principal,
            call: Some(call),
            command,
            request_id,
            fingerprint: sha256(request_id.as_bytes()),
            etag: None,
            validate_only: false,
            causation_id: Some(cause),
        };
        self.act(request).await.map(|_| ())
    }
}

/// Whether it was taken; a refusal by the law or the facts is told to the log of the server and
/// passed over, a fault is not.
fn passed_over(delivered: Result<bool, AppError>) -> Result<bool, AppError> {
    match delivered {
        Err(AppError::Rejected(refusal)) => {
            tracing::debug!(code = %refusal.code, rule = refusal.rule, "a reaction was refused");
            Ok(false)
        }
        Err(AppError::NotFound(_)) => Ok(false),
        other => other,
    }
}

/// Runs futures at the same time and answers in their order.
pub(super) async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    crate::app::register::join_all(futures).await
}
