//! School calls in a town lived through from a seed: drafted, published, applied to in time, late and
//! twice, ranked, objected to, offered, taken, renounced, left; with commands that do not fit, and with
//! everything that happens to the rest of the town.

use super::{World, calls, error_is_of_the_store, follow, follow_once, officer};
use crate::scenarios;
use crate::school_scenarios as samples;
use jiff::ToSpan as _;
use jiff::civil::Date;
use pratica_api::app::error::chain;
use pratica_api::app::house::system;
use pratica_api::app::school::CallCommand;
use pratica_api::app::{AppError, Clock as _, Follower as _, Target, load};
use pratica_domain::case::{Channel, Procedure};
use pratica_domain::ids::{CallId, CaseId, EntryId};
use pratica_domain::people::Person;
use pratica_domain::ranking::commitment_of;
use pratica_domain::school::call::{Call, Command as OfCall, Phase, Plan, rules};
use pratica_domain::school::enrolment::{
    Appeal, Application, CallView, Command as Own, Form, Ground, OfferStanding,
};
use pratica_domain::term::rome_date;
use pratica_domain::{Case, Command, ProcedureState, actions_of};
use pratica_store::Position;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// The seed of every call's lots.
const SEED: &str = "ghianda-2026";
/// How many children there are: few, so that some are applied for twice.
const CHILDREN: usize = 24;
/// How many applications a call has at most, over all calls.
const APPLICATIONS: usize = 14;
/// What brings a call on; the rest is done now and then.
const USUAL: [&str; 5] = [
    "enrolment.admit",
    "enrolment.score",
    "enrolment.answer_observation",
    "enrolment.accept",
    "enrolment.renounce",
];

/// What is known of the calls of a town, and what was sent to them.
#[derive(Default)]
pub(super) struct School {
    pub(super) calls: Vec<CallId>,
    pub(super) applications: Vec<CaseId>,
    sent: Vec<SentToCall>,
}

/// A request to a call, to be sent again word for word.
struct SentToCall {
    id: Uuid,
    call: Option<CallId>,
    command: OfCall,
    officer: usize,
    answered: Option<Position>,
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}

fn application_of(case: &Case) -> Option<&Application> {
    match &case.procedure {
        ProcedureState::Enrolment(state) => state.application(),
        _ => None,
    }
}

impl World {
    /// A step in the school office.
    pub(super) async fn school(&mut self) -> anyhow::Result<()> {
        if self.random.one_in(3) {
            self.carry().await?;
        }
        if self.random.one_in(8) {
            return self.repeat_to_call().await;
        }
        let Some(mut id) = self.school.calls.last().copied() else { return self.draft().await };
        if self.random.one_in(3) {
            id = self.random.pick(&self.school.calls).copied().unwrap_or(id);
        }
        let Some(call) = self.process.school.call(id).await? else { return self.draft().await };
        if self.random.one_in(10) {
            return self.any_command(id, &call).await;
        }
        match call.phase {
            Phase::NotDrafted | Phase::Closed => self.draft().await,
            Phase::Drafted if self.random.one_in(4) => {
                let plan = self.plan();
                self.send_to_call(Some(id), OfCall::Revise { plan }).await
            }
            Phase::Drafted => self.send_to_call(Some(id), publish()).await,
            Phase::Published | Phase::WindowOpen => {
                for _ in 0..4 {
                    self.apply(id, &call).await?;
                }
                Ok(())
            }
            Phase::Offering if self.random.one_in(8) => self.draft().await,
            Phase::Scoring | Phase::Provisional | Phase::Definitive | Phase::Offering => {
                if call.phase == Phase::Scoring && self.random.one_in(5) {
                    self.apply(id, &call).await?;
                }
                if call.phase == Phase::Scoring && self.random.one_in(2) {
                    self.exclude_some(id).await?;
                }
                if call.phase >= Phase::Definitive {
                    self.bring_on(id, &call).await?;
                    self.carry().await?;
                }
                for case in self.listed(id).await? {
                    if call.phase == Phase::Offering || !self.random.one_in(3) {
                        self.act_on_application(id, &call, case).await?;
                    }
                }
                self.bring_on(id, &call).await
            }
        }
    }

    /// The applications as the office sees them: also one whose family never had its answer.
    async fn listed(&mut self, id: CallId) -> anyhow::Result<Vec<CaseId>> {
        follow_once(&mut self.process, &self.rules).await?;
        let listed = self.process.town.views.call_applications(id).await?.value;
        let known = &mut self.school.applications;
        known.extend(
            listed.iter().filter(|case| !known.contains(case)).copied().collect::<Vec<_>>(),
        );
        Ok(listed)
    }

    async fn draft(&mut self) -> anyhow::Result<()> {
        let plan = self.plan();
        self.send_to_call(None, OfCall::Draft { plan }).await
    }

    /// A call that opens in a day or two; now and then one that cannot be.
    fn plan(&mut self) -> Plan {
        let today = rome_date(self.clock.now());
        let after = |days: i64| today.checked_add(days.days()).unwrap_or(today);
        // Of Trento, which draws lots and takes nothing late, or of Bologna, which does.
        let [bologna, _, _, trento] = samples::shipped();
        let criteria = if self.random.one_in(2) { bologna } else { trento };
        let mut plan = samples::plan_with(criteria, &[("centro", 2), ("nord", 1)]);
        plan.school_year = today.year();
        (plan.opens_on, plan.closes_on, plan.ends_on) = (after(1), after(15), after(110));
        if self.random.one_in(8) {
            plan.closes_on = after(-1);
        }
        plan
    }

    /// What the office does next with a call as a whole.
    async fn bring_on(&mut self, id: CallId, call: &Call) -> anyhow::Result<()> {
        let act = || "Det. 12/2026".to_owned();
        let command = match call.phase {
            Phase::Scoring if call.seed.is_none() && call.seed_commitment.is_some() => reveal(),
            Phase::Scoring => OfCall::PublishProvisional,
            Phase::Provisional => OfCall::ApproveDefinitive { act: act() },
            Phase::Definitive => OfCall::StartOffers,
            Phase::Offering if self.random.one_in(6) => {
                let lists: Vec<_> = call.scroll.places.keys().cloned().collect();
                let Some(list) = self.random.pick(&lists).cloned() else { return Ok(()) };
                let places = u32::try_from(self.random.below(4))?;
                OfCall::ChangePlaces { list, places, act: act() }
            }
            _ => return Ok(()),
        };
        self.send_to_call(Some(id), command).await
    }

    /// A command to a call, whatever its phase.
    async fn any_command(&mut self, id: CallId, call: &Call) -> anyhow::Result<()> {
        let plan = self.plan();
        let wrong = OfCall::RevealSeed { seed: "quercia".into(), public_draw: String::new() };
        let commands = [
            OfCall::Revise { plan },
            publish(),
            wrong,
            OfCall::PublishProvisional,
            OfCall::ApproveDefinitive { act: String::new() },
            OfCall::StartOffers,
        ];
        let command = commands[self.random.below(commands.len())].clone();
        self.apply(id, call).await?;
        self.send_to_call(Some(id), command).await
    }

    /// A family applies: in the window or not, for a child that has applied or not.
    async fn apply(&mut self, id: CallId, call: &Call) -> anyhow::Result<()> {
        let Some(view) = view(id, call) else { return Ok(()) };
        if self.school.applications.len() >= APPLICATIONS * self.school.calls.len() {
            return Ok(());
        }
        let number = self.random.below(CHILDREN);
        let month = i8::try_from(1 + number % 12)?;
        let child = Person {
            given_name: format!("Nino{number:02}"),
            birth_date: Some(Date::new(2024 + i16::from(month > 8), month, 5)?),
            ..samples::child()
        };
        let criteria = &view.plan.criteria;
        let mut stated: Vec<(&str, i64)> = Vec::new();
        for fact in criteria.facts.keys() {
            let value = match fact.as_str() {
                "resident" => i64::from(!self.random.one_in(12)),
                _ => i64::try_from(self.random.below(2))?,
            };
            stated.push((fact, value));
        }
        let mut choices = vec![samples::school("centro"), samples::school("nord")];
        choices.rotate_left(self.random.below(2));
        choices.truncate(1 + self.random.below(2));
        let form = Form { choices, facts: samples::facts(&stated), ..samples::form() };
        let mut kinds = criteria.documents.clone();
        kinds.extend(criteria.facts.values().filter_map(|fact| fact.proof.clone()));
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        let mut filing = samples::file(view, form, &kinds);
        if let Own::File { filed_at, child: whose, channel, .. } = &mut filing {
            (*filed_at, *whose, *channel) = (self.clock.now(), child, Channel::Counter);
        }
        self.send(Target::New(Procedure::Enrolment), filing.into()).await
    }

    /// A command for an application: mostly one that its rules allow and that brings it on.
    async fn act_on_application(
        &mut self,
        id: CallId,
        call: &Call,
        case: CaseId,
    ) -> anyhow::Result<()> {
        let Some(view) = view(id, call) else { return Ok(()) };
        let Some(found) = load::current(&self.process.town, case).await? else { return Ok(()) };
        let Some(application) = application_of(&found) else { return Ok(()) };
        if application.pinned.call != id {
            return Ok(());
        }
        let seen = self.seen(&found);
        let names: Vec<&str> = actions_of(Procedure::Enrolment).map(|a| a.command).collect();
        let fits = |name: &&str| seen.refusal_of(name).is_none();
        let usual: Vec<&str> = USUAL.into_iter().filter(fits).collect();
        let fitting: Vec<&str> = names.iter().copied().filter(fits).collect();
        let among = match self.random.below(10) {
            0 => &names,
            1 => &fitting,
            _ => &usual,
        };
        let Some(name) = self.random.pick(among).copied() else { return Ok(()) };
        // The ticker, the register and the process of calls have their own ways.
        let own_ways = ["record_rank", "receive_offer", "finish", "expire_term", "registration"];
        if own_ways.iter().any(|way| name.ends_with(way)) {
            return Ok(());
        }
        let open = application.offers.iter().find(|(_, o)| o.standing == OfferStanding::Open);
        let offer = open.map_or(EntryId(Uuid::nil()), |(offer, _)| *offer);
        let command: Command = match (name, scenarios::sample(name, &seen)) {
            ("enrolment.amend", _) => Own::Amend {
                form: Form { choices: vec![samples::school("nord")], ..samples::form() },
                call: view,
            }
            .into(),
            ("enrolment.score", _) => Own::Score { call: view, set_aside: BTreeSet::new() }.into(),
            (_, Command::Enrolment(Own::Complete { request, facts, .. })) => {
                Own::Complete { call: view, request, facts }.into()
            }
            (_, Command::Enrolment(Own::AnswerObservation { observation, reasons, .. })) => {
                Own::AnswerObservation {
                    call: view,
                    observation,
                    accepted: self.random.one_in(2),
                    reasons,
                    set_aside: BTreeSet::new(),
                    correct: None,
                }
                .into()
            }
            ("enrolment.accept", _) => {
                Own::Accept { offer, deposit_receipt: Some("IUV 301".to_owned()) }.into()
            }
            ("enrolment.renounce", _) => Own::Renounce { offer }.into(),
            ("enrolment.set_fee", _) => Own::SetFee { fee: view.plan.criteria.fee.clone() }.into(),
            (_, sample) => sample,
        };
        self.send(Target::Existing(case), command).await
    }

    /// Of two applications for one child the later is excluded, and some that are not ready.
    async fn exclude_some(&mut self, id: CallId) -> anyhow::Result<()> {
        let mut children = BTreeSet::new();
        for case in self.listed(id).await? {
            let Some(found) = load::current(&self.process.town, case).await? else { continue };
            let Some(application) = application_of(&found) else { continue };
            if application.pinned.call != id || found.file.closure.is_some() {
                continue;
            }
            let child = found.file.parties.get(&application.child);
            let ready = application.standing.is_some();
            let again = !children.insert(child.map(|party| party.person.value.given_name.clone()));
            if again || !ready && self.random.one_in(6) {
                let exclude = Own::Exclude {
                    ground: if again { Ground::Duplicate } else { Ground::NotCompleted },
                    reasons: "Seconda domanda, o incompleta".to_owned(),
                    appeal: Appeal { authority: "TAR".to_owned(), term_days: 60 },
                };
                self.send(Target::Existing(case), exclude.into()).await?;
            }
        }
        Ok(())
    }

    async fn send_to_call(&mut self, call: Option<CallId>, command: OfCall) -> anyhow::Result<()> {
        let id =
            Uuid::from_u128(u128::from(self.random.draw()) << 64 | u128::from(self.random.draw()));
        let officer = self.random.below(3);
        self.deliver_to_call(SentToCall { id, call, command, officer, answered: None }).await
    }

    async fn repeat_to_call(&mut self) -> anyhow::Result<()> {
        if self.school.sent.is_empty() {
            return Ok(());
        }
        let place = self.random.below(self.school.sent.len());
        let again = self.school.sent.swap_remove(place);
        self.tally.repeated += 1;
        self.deliver_to_call(again).await
    }

    /// What was acknowledged is answered again from the record; a refusal names a rule of its command.
    async fn deliver_to_call(&mut self, mut sent: SentToCall) -> anyhow::Result<()> {
        let principal = officer(sent.officer)?;
        let request = CallCommand {
            principal: &principal,
            call: sent.call,
            command: sent.command.clone(),
            request_id: sent.id,
            fingerprint: [u8::try_from(sent.officer)?; 32],
            etag: None,
            validate_only: false,
            causation_id: None,
        };
        let desk = Arc::clone(&self.process.school);
        let acted = tokio::select! {
            biased;
            acted = desk.act(request) => acted,
            failed = follow(&mut self.process, &self.rules) => return Err(failed),
        };
        let name = sent.command.name();
        match acted {
            Ok(outcome) => {
                if let Some(first) = sent.answered {
                    anyhow::ensure!(
                        outcome.replayed && outcome.position == first,
                        "{name} {} was recorded at {first} and then at {}",
                        sent.id,
                        outcome.position
                    );
                }
                if !self.school.calls.contains(&outcome.id) {
                    self.school.calls.push(outcome.id);
                }
                if outcome.replayed || !outcome.events.is_empty() {
                    self.tally.acknowledged += usize::from(sent.answered.is_none());
                    sent.answered = Some(outcome.position);
                }
                self.school.sent.push(sent);
            }
            Err(AppError::Rejected(rejection)) => {
                anyhow::ensure!(sent.answered.is_none(), "{name} was taken, then {rejection}");
                let action = rules::ACTIONS.iter().find(|action| action.command == name);
                let its_own = |rule: &rules::Rule| rule.name == rejection.rule;
                anyhow::ensure!(
                    action.is_some_and(|action| action.rules.iter().any(its_own)),
                    "{name} was refused by {:?}, which is none of its rules: {rejection:?}",
                    rejection.rule
                );
                *self.tally.refused.entry(rejection.rule).or_default() += 1;
            }
            Err(error) => {
                anyhow::ensure!(error_is_of_the_store(&error), "{name}: {}", chain(&error));
                self.tally.lost += 1;
                self.school.sent.push(sent);
            }
        }
        Ok(())
    }

    /// The process between calls and applications, from its checkpoint, stopped by a failing store or
    /// because nothing is left: where it stands then does not hang on how fast its checkpoint is kept.
    pub(super) async fn carry(&mut self) -> anyhow::Result<()> {
        // One that has carried nothing yet: what it is through with is what it did now.
        let desk = calls::Desk::new(Arc::clone(&self.process.town), system("school")?);
        tokio::select! {
            biased;
            _ = desk.follow() => Ok(()),
            _ = desk.settle() => Ok(()),
            failed = follow(&mut self.process, &self.rules) => Err(failed),
        }
    }

    /// What the clock has due for calls, as often as the store lets it down.
    pub(super) async fn tick_calls(&mut self) -> anyhow::Result<()> {
        let desk = Arc::clone(&self.process.school);
        for _ in 0..200 {
            let ended = tokio::select! {
                biased;
                ended = desk.tick() => ended,
                failed = follow(&mut self.process, &self.rules) => return Err(failed),
            };
            match ended {
                Ok(_) => return Ok(()),
                Err(error) => anyhow::ensure!(error_is_of_the_store(&error), "{}", chain(&error)),
            }
        }
        anyhow::bail!("the clock of calls never came to its end")
    }
}

fn publish() -> OfCall {
    OfCall::Publish {
        act: "Det. 12/2026".to_owned(),
        seed_commitment: Some(commitment_of(SEED, sha256)),
    }
}

fn reveal() -> OfCall {
    OfCall::RevealSeed { seed: SEED.to_owned(), public_draw: "lotto-4.17.60".to_owned() }
}

/// A call as commands of applications read it.
fn view(id: CallId, call: &Call) -> Option<CallView> {
    let plan = Arc::clone(call.plan.as_ref().filter(|_| call.phase > Phase::Drafted)?);
    Some(CallView { call: id, phase: call.phase, plan })
}
