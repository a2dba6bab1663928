//! What was promised of school calls: no place given twice, nobody after the window, rankings that
//! come out again, nothing that the clock forgot.

use super::World;
use super::school::sha256;
use pratica_api::app::load;
use pratica_domain::Event;
use pratica_domain::ids::{CaseId, EntryId};
use pratica_domain::ranking::{ListId, Stage, verify};
use pratica_domain::school::call::{Call, Event as OfCall, Phase, Plan, Settlement, evolve};
use pratica_domain::school::criteria::Late;
use pratica_domain::school::enrolment::Event as OfApplication;
use pratica_domain::term::{first_instant_after, first_instant_of, rome_date};
use pratica_store::{RecordedEvent, Revision, codec};
use std::collections::{BTreeMap, BTreeSet};

/// How many rankings were made again, places accepted and applications looked at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) calls: usize,
    pub(super) applications: usize,
    pub(super) rankings: usize,
    pub(super) accepted: usize,
}

/// The places of one call, counted from its events alone.
#[derive(Default)]
struct Places {
    plan: Option<Plan>,
    of: BTreeMap<ListId, u32>,
    kept: BTreeMap<EntryId, (CaseId, ListId)>,
    settled: BTreeMap<EntryId, Settlement>,
}

impl World {
    /// Looks at every call and every application.
    pub(super) async fn calls_keep_their_promises(
        &self,
        events: &[RecordedEvent],
    ) -> anyhow::Result<Seen> {
        let mut seen = no_place_twice_and_nobody_late(events)?;
        let objected = with_observations(events)?;
        let (desk, town) = (&self.process.school, &self.process.town);
        for id in &self.school.calls {
            let Some(live) = desk.call(*id).await? else { continue };
            let stream = format!("{}.call-{id}", town.comune).parse()?;
            let mut replayed = Call::default();
            for recorded in load::events(town, &stream, Revision::FIRST, Revision::END).await? {
                replayed = evolve(replayed, &load::open(town, &recorded)?);
            }
            anyhow::ensure!(*live == replayed, "call {id} is not what its stream folds to");
            let today = rome_date(self.now());
            let due = live.due_on();
            let phase = live.phase.as_str();
            // Where somebody objected, a provisional ranking waits for the office, not for the clock.
            let waits = live.phase == Phase::Provisional && objected.contains(&id.to_string());
            anyhow::ensure!(
                waits || due.is_none_or(|due| due > today),
                "{id}, {phase}, was due on {due:?}"
            );
            for (stage, published) in
                [(Stage::Provisional, &live.provisional), (Stage::Definitive, &live.definitive)]
            {
                let Some(published) = published else { continue };
                let again = desk.recompute(*id, stage).await?;
                let first = &published.facts.sha256;
                anyhow::ensure!(again == *first, "the ranking of {id} comes out otherwise");
                let verified = verify(&published.text, sha256)?;
                anyhow::ensure!(verified.sha256 == *first, "the text of {id} is another");
                seen.rankings += 1;
            }
            seen.calls += 1;
        }
        Ok(seen)
    }
}

/// The calls to whose rankings somebody objected.
fn with_observations(events: &[RecordedEvent]) -> anyhow::Result<BTreeSet<String>> {
    let (mut call_of, mut objected) = (BTreeMap::new(), BTreeSet::new());
    for recorded in events {
        match codec::decode(recorded)? {
            Event::Enrolment(OfApplication::Filed(filed)) => {
                call_of.insert(recorded.stream.clone(), filed.pinned.call.to_string());
            }
            Event::Enrolment(OfApplication::ObservationFiled(_)) => {
                objected.extend(call_of.get(&recorded.stream).cloned());
            }
            _ => {}
        }
    }
    Ok(objected)
}

fn no_place_twice_and_nobody_late(events: &[RecordedEvent]) -> anyhow::Result<Seen> {
    let mut calls: BTreeMap<String, Places> = BTreeMap::new();
    let mut seen = Seen::default();
    let mut accepted: BTreeMap<EntryId, CaseId> = BTreeMap::new();
    for recorded in events {
        match codec::decode(recorded)? {
            Event::Call(event) => {
                let call = calls.entry(recorded.stream.rest().to_owned()).or_default();
                call.take(recorded, event)?;
            }
            Event::Enrolment(OfApplication::Filed(filed)) => {
                let call = calls.get(&filed.pinned.call.to_string());
                let plan = call.and_then(|call| call.plan.as_ref());
                let plan = plan.ok_or_else(|| anyhow::anyhow!("an application to no call"))?;
                let on = rome_date(filed.filed_at);
                anyhow::ensure!(on >= plan.opens_on, "filed on {on}, before the window");
                anyhow::ensure!(
                    filed.late == (on > plan.closes_on),
                    "late on {on}: {}",
                    filed.late
                );
                anyhow::ensure!(
                    !filed.late || plan.criteria.late == Late::AfterAllOthers,
                    "filed on {on}, after the window"
                );
                seen.applications += 1;
            }
            Event::Enrolment(OfApplication::Accepted(event)) => {
                let case: CaseId = recorded.stream.rest().parse()?;
                let twice = accepted.insert(event.offer, case);
                anyhow::ensure!(twice.is_none(), "an offer was accepted twice");
                seen.accepted += 1;
            }
            _ => {}
        }
    }
    // At rest the two sides tell one story.
    for call in calls.values() {
        for (offer, how) in &call.settled {
            let taken = accepted.contains_key(offer);
            anyhow::ensure!(taken == (*how == Settlement::Accepted), "{offer} is {how:?}");
        }
    }
    Ok(seen)
}

impl Places {
    fn take(&mut self, recorded: &RecordedEvent, event: OfCall) -> anyhow::Result<()> {
        let at = recorded.recorded_at;
        match event {
            OfCall::Drafted(e) => self.plan = Some(e.plan),
            OfCall::Revised(e) => self.plan = Some(e.plan),
            OfCall::CallPublished(_) => {
                let lists = self.plan.iter().flat_map(Plan::lists);
                self.of = lists.map(|(list, places)| (list, places.places)).collect();
            }
            OfCall::WindowOpened(e) => {
                let opens = self.plan.as_ref().map(|plan| first_instant_of(plan.opens_on));
                anyhow::ensure!(Some(e.legal_at) == opens && at >= e.legal_at, "opened early");
            }
            OfCall::WindowClosed(e) => {
                let closes = self.plan.as_ref().map(|plan| first_instant_after(plan.closes_on));
                anyhow::ensure!(Some(e.legal_at) == closes && at >= e.legal_at, "closed early");
            }
            OfCall::PlaceOffered(e) => {
                let kept = (e.application, e.list.clone());
                let before = self.kept.insert(e.offer, kept.clone());
                anyhow::ensure!(before.is_none(), "offer {} was made twice", e.offer);
                let same = self.kept.values().filter(|other| **other == kept).count();
                anyhow::ensure!(same == 1, "{} has two offers in {}", e.application, e.list);
                let kept = self.kept.values().filter(|(_, list)| *list == e.list).count();
                let places = self.of.get(&e.list).copied().unwrap_or_default();
                anyhow::ensure!(kept <= places as usize, "{kept} of {places} in {}", e.list);
            }
            OfCall::OfferSettled(e) => {
                let before = self.settled.insert(e.offer, e.outcome);
                anyhow::ensure!(before.is_none(), "offer {} was settled twice", e.offer);
                if e.outcome != Settlement::Accepted {
                    self.kept.remove(&e.offer);
                }
            }
            OfCall::ApplicationReleased(e) => {
                self.kept.retain(|_, (application, _)| *application != e.application);
            }
            OfCall::PlacesChanged(e) => {
                self.of.insert(e.list, e.places);
            }
            _ => {}
        }
        Ok(())
    }
}
