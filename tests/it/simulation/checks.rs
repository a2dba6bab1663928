//! What was promised of every case: what is read equals what is replayed, one effect a request, terms
//! neither missed nor early, numbers without a gap, no refusal without its rule.

use super::World;
use pratica_api::app::load;
use pratica_domain::case::{Event as CaseEvent, Procedure, TermExpired};
use pratica_domain::term::{first_instant_after, rome_date};
use pratica_domain::{Command, Event, Rejection, all_actions};
use pratica_store::{Direction, EventReader, Filter, Position, RecordedEvent, Revision, codec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

impl World {
    pub(super) async fn log_whole(&self) -> anyhow::Result<Vec<RecordedEvent>> {
        let page = self
            .log
            .read_all(Position::START, Direction::Forwards, &Filter::all(), usize::MAX)
            .await?;
        anyhow::ensure!(page.next == page.head, "the whole log was read");
        Ok(page.events)
    }

    pub(super) async fn replay_equals_live(&self) -> anyhow::Result<()> {
        let town = &self.process.town;
        for id in self.cases.iter().chain(&self.school.applications) {
            let live = load::current(town, *id).await?.ok_or_else(|| anyhow::anyhow!("no {id}"))?;
            let procedure = live.procedure().unwrap_or(Procedure::Residency);
            let stream = town.case_stream(procedure, *id)?;
            let replayed = load::fold(town, &stream, Revision::END).await?;
            anyhow::ensure!(*live == replayed, "{id} is not what its stream folds to");
        }
        Ok(())
    }

    pub(super) async fn rebuilt_equals_incremental(&self) -> anyhow::Result<()> {
        let views = &self.process.town.views;
        let incremental = views.content_digest().await?;
        let reader = Arc::clone(&self.log) as Arc<dyn EventReader>;
        views.rebuild(reader, &self.rules, |_, _| {}).await?;
        anyhow::ensure!(incremental == views.content_digest().await?, "the views differ");
        Ok(())
    }

    /// Every acknowledged request's events are there once, and no event twice.
    pub(super) fn one_effect_a_request(&self, events: &[RecordedEvent]) -> anyhow::Result<()> {
        let mut ids = BTreeSet::new();
        let mut of_request: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
        for event in events {
            anyhow::ensure!(ids.insert(event.id), "{} is there twice", event.id);
            if let Some(request) = event.metadata()?.request_id {
                of_request.entry(request).or_default().push(&event.event_type);
            }
        }
        for sent in &self.sent {
            let Some(answered) = &sent.answered else { continue };
            let found = of_request.get(&sent.id).cloned().unwrap_or_default();
            anyhow::ensure!(*answered == found, "{}: {answered:?} became {found:?}", sent.id);
        }
        Ok(())
    }

    /// After the ticker nothing is left that has run out.
    pub(super) async fn no_effect_missed(&self) -> anyhow::Result<()> {
        let today = rome_date(self.now());
        for id in self.cases.iter().chain(&self.school.applications) {
            let Some(case) = load::current(&self.process.town, *id).await? else { continue };
            let Some(rules) = self.rules.book.version(case.rules_version()) else { continue };
            for term in case.file.terms.reckon_all(rules, &self.rules.calendar)? {
                anyhow::ensure!(!term.has_run_out(today), "{} of {id} ran out unnoticed", term.key);
            }
        }
        Ok(())
    }
}

/// A refusal names a rule of the command, and the command has it in its list.
pub(super) fn explained(command: &Command, rejection: &Rejection) -> anyhow::Result<()> {
    let action = all_actions()
        .find(|a| a.command == command.name())
        .ok_or_else(|| anyhow::anyhow!("{} is no action", command.name()))?;
    anyhow::ensure!(
        action.rules.iter().any(|rule| rule.name == rejection.rule),
        "{} was refused by {:?}, which is none of its rules",
        command.name(),
        rejection.rule
    );
    Ok(())
}

/// An end is recorded after it came, with the instant at which the law has it.
pub(super) fn no_effect_early(events: &[RecordedEvent]) -> anyhow::Result<()> {
    for recorded in events {
        if let Event::Case(CaseEvent::TermExpired(TermExpired { term, due_on, legal_at })) =
            codec::decode(recorded)?
        {
            anyhow::ensure!(legal_at == first_instant_after(due_on), "{term} at {legal_at}");
            anyhow::ensure!(recorded.recorded_at >= legal_at, "{term} took effect early");
        }
    }
    Ok(())
}

/// One number a document, and every number of a year given once, in order.
pub(super) fn numbers_without_gap(events: &[RecordedEvent]) -> anyhow::Result<()> {
    let mut next: BTreeMap<String, u64> = BTreeMap::new();
    let mut recorded = BTreeSet::new();
    for event in events {
        let stream = event.stream.as_str();
        if stream.contains(".register-") {
            let expected = next.entry(stream.to_owned()).or_default();
            anyhow::ensure!(event.revision.get() == *expected, "a gap in {stream}");
            *expected += 1;
        }
        if let Event::Case(CaseEvent::DocumentRegistered(registered)) = codec::decode(event)? {
            anyhow::ensure!(recorded.insert(registered.number), "{} twice", registered.number);
        }
    }
    let given: u64 = next.values().sum();
    anyhow::ensure!(recorded.len() as u64 == given, "{given} numbers, {} in cases", recorded.len());
    Ok(())
}
