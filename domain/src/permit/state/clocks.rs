//! The clocks that events of a permit move.
//!
//! What happens to the review happens to silence and to the decision too: they follow it. A notice
//! does not go that way, since the law gives it another effect on each.

use super::{Application, Opinion, State};
use crate::case::{self, CaseFile, Channel, TermKey};
use crate::event::Event as AnyEvent;
use crate::ids::EntryId;
use crate::permit::events::{ContributionKind, Controlled, Event, Kind, OpinionKind};
use crate::permit::{
    ADDITIONS_REQUEST, ATTESTATION, BODY, BODY_SENSITIVE, CONCLUSION, CONFERENCE_ADDITIONS,
    CONFORMATION, CONTROL, CONVENING, COST_BALANCE, DECISION, DECISION_AFTER_NOTICE, EXTENSION,
    INSTALMENT, LATE_PAYMENT, MEETING, MEETING_WORKS, MEETING_WORKS_SENSITIVE, MINOR_CHANGES,
    OPPOSITION, REGULARISATION_LANDSCAPE, RESPONSIBLE, REVIEW, SAFEGUARDS, SAFEGUARDS_LONG,
    SELF_ANNULMENT, SILENCE, SILENCE_EARLIEST, SUBSTITUTE, USABILITY, WORKS_FINISH, WORKS_START,
};
use crate::term::{ClockOperation, Length};
use jiff::civil::Date;

const ART_15: &str = "DPR 380/2001 art. 15 c. 2";
const ART_20: &str = "DPR 380/2001 art. 20";
const ART_14_BIS: &str = "L. 241/1990 art. 14-bis";

/// The clock of another body, by article and by what it protects.
pub(crate) fn opinion_rule(opinion: &Opinion) -> &'static str {
    if opinion.on_regularisation && opinion.sensitive {
        return REGULARISATION_LANDSCAPE;
    }
    match (opinion.kind, opinion.sensitive, opinion.interrupted.is_some_and(|i| i.1.is_some())) {
        (OpinionKind::Opinion, _, false) => "permit.opinion",
        (OpinionKind::Opinion, _, true) => "permit.opinion_again",
        (OpinionKind::Evaluation, _, false) => "permit.evaluation",
        (OpinionKind::Evaluation, _, true) => "permit.opinion_again",
        (OpinionKind::Assent, false, _) => "permit.assent",
        (OpinionKind::Assent, true, _) => "permit.assent_sensitive",
    }
}

struct Clocks<'a> {
    file: &'a mut CaseFile,
    name: &'static str,
}

impl Clocks<'_> {
    fn start(&mut self, rule: &str, on: Date, basis: &str) {
        self.start_as(TermKey::of(rule), None, on, basis);
    }

    fn start_as(&mut self, key: TermKey, length: Option<Length>, on: Date, basis: &str) {
        let entry = self.file.entry(ClockOperation::Start { on }, self.name, basis);
        self.file.terms.start(key, length, entry);
    }

    fn stop(&mut self, rule: &str, on: Date) {
        self.stop_as(&TermKey::of(rule), on);
    }

    fn stop_as(&mut self, key: &TermKey, on: Date) {
        self.push(key, ClockOperation::Stop { on }, "");
    }

    fn push(&mut self, key: &TermKey, operation: ClockOperation, basis: &str) {
        let entry = self.file.entry(operation, self.name, basis);
        self.file.terms.push(key, entry);
    }

    fn follow_review(&mut self, rule: &str) {
        self.file.terms.follow(&TermKey::of(REVIEW), TermKey::of(rule));
    }
}

/// Moves the clocks. `before` is the state before the event.
pub(crate) fn run_clocks(file: &mut CaseFile, before: &State, event: &AnyEvent) {
    // An imported history has the clocks of its own law: `imported` moves those.
    if file.opening.as_ref().is_some_and(|o| o.channel == Channel::Import) {
        return;
    }
    match event {
        AnyEvent::Permit(own) => {
            let mut clocks = Clocks { file, name: own.event_type() };
            match own {
                Event::Filed(e) => {
                    filed(&mut clocks, e.kind, &e.content.assents_needed, e.own_term)
                }
                _ => {
                    review(&mut clocks, before, own);
                    conference(&mut clocks, before, own);
                    title(&mut clocks, before, own);
                    money(&mut clocks, before, own);
                    control(&mut clocks, before, own);
                }
            }
        }
        AnyEvent::Case(common) => {
            let mut clocks = Clocks { file, name: common.event_type() };
            common_facts(&mut clocks, before, common);
        }
        _ => {}
    }
}

fn filed(clocks: &mut Clocks<'_>, kind: Kind, assents: &[String], own: Option<Length>) {
    let Some(on) = clocks.file.opening.as_ref().map(|o| o.filed_on) else { return };
    match kind {
        Kind::Notice => clocks.start(CONTROL, on, "L. 241/1990 art. 19 c. 6-bis"),
        Kind::Communication => {}
        _ => {
            clocks.start(RESPONSIBLE, on, "DPR 380/2001 art. 20 c. 2");
            clocks.start(ADDITIONS_REQUEST, on, "DPR 380/2001 art. 20 c. 5");
            let article =
                |usual| if own.is_some() { "DPR 380/2001 art. 36-bis c. 6" } else { usual };
            for (rule, usual) in [
                (REVIEW, "DPR 380/2001 art. 20 c. 3"),
                (SILENCE, "DPR 380/2001 art. 20 c. 8"),
                (SILENCE_EARLIEST, "DPR 380/2001 art. 20 c. 6, 8"),
            ] {
                clocks.start_as(TermKey::of(rule), own, on, article(usual));
            }
            clocks.follow_review(SILENCE);
            clocks.follow_review(SILENCE_EARLIEST);
            clocks.follow_review(DECISION);
            clocks.follow_review(DECISION_AFTER_NOTICE);
            if !assents.is_empty() {
                clocks.start(CONVENING, on, ART_14_BIS);
            }
        }
    }
}

fn common_facts(clocks: &mut Clocks<'_>, before: &State, event: &case::Event) {
    let State::Pending(a) = before else {
        if let case::Event::Reopened(e) = event {
            clocks.follow_review(SILENCE);
            clocks.follow_review(SILENCE_EARLIEST);
            reopened(clocks, before, e.reopened_on);
        }
        return;
    };
    match event {
        case::Event::ResponsibleNamed(e) => {
            if let Some(on) = e.named_on {
                clocks.stop(RESPONSIBLE, on);
            }
        }
        case::Event::RequestSent(e) if matches!(e.clock, case::ClockEffect::Interrupts { .. }) => {
            clocks.stop(ADDITIONS_REQUEST, e.sent_on);
        }
        case::Event::ProposalMade(e) => {
            let Some(on) = e.made_on else { return };
            clocks.stop(REVIEW, on);
            let rule = if clocks.file.terms.last_notice().is_some() {
                DECISION_AFTER_NOTICE
            } else {
                DECISION
            };
            clocks.file.terms.restart(
                TermKey::of(rule),
                clocks.file.entry(ClockOperation::Start { on }, clocks.name, ART_20),
            );
        }
        case::Event::ProposalWithdrawn(_) => {
            clocks.file.terms.reinstate(&TermKey::of(REVIEW));
            clocks.file.terms.remove(&TermKey::of(DECISION));
            clocks.file.terms.remove(&TermKey::of(DECISION_AFTER_NOTICE));
        }
        case::Event::NoticeSent(e) => {
            if let Some(on) = a.proposed_on {
                clocks.stop(DECISION, e.sent_on);
                clocks.start(DECISION_AFTER_NOTICE, on, "DPR 380/2001 art. 20 c. 6");
            }
        }
        case::Event::RequestAnswered(e) => {
            clocks.stop_as(&TermKey::instance(MINOR_CHANGES, e.request), e.answered_on);
        }
        case::Event::RequestCancelled(e) => {
            clocks.stop_as(&TermKey::instance(MINOR_CHANGES, e.request), e.cancelled_on);
        }
        case::Event::RequestLapsed(e) => {
            clocks.stop_as(&TermKey::instance(MINOR_CHANGES, e.request), e.due_on);
        }
        _ => {}
    }
}

fn reopened(clocks: &mut Clocks<'_>, before: &State, _: Date) {
    if before.application().is_some_and(|a| a.complex) {
        for rule in [REVIEW, SILENCE, SILENCE_EARLIEST] {
            let key = "complex reopened".to_owned();
            let entry = clocks.file.entry(
                ClockOperation::Double { key },
                clocks.name,
                "DPR 380/2001 art. 20 c. 7",
            );
            clocks.file.terms.push(&TermKey::of(rule), entry);
        }
    }
}

fn review(clocks: &mut Clocks<'_>, before: &State, event: &Event) {
    let review = TermKey::of(REVIEW);
    match event {
        Event::DeclaredComplex(_) => {
            let double = || ClockOperation::Double { key: "complex".to_owned() };
            // The decision is not among the terms that c. 7 doubles.
            for rule in [REVIEW, SILENCE, SILENCE_EARLIEST, ADDITIONS_REQUEST] {
                let entry = clocks.file.entry(double(), clocks.name, "DPR 380/2001 art. 20 c. 7");
                clocks.file.terms.push(&TermKey::of(rule), entry);
            }
        }
        Event::ChangesAnswered(e) if e.adheres => {
            clocks.stop_as(&TermKey::instance("case.additions", e.request), e.answered_on);
            let own = TermKey::instance(MINOR_CHANGES, e.request);
            clocks.start_as(own, None, e.answered_on, "DPR 380/2001 art. 20 c. 4");
            if e.resumes {
                let key = format!("request#{}", e.request);
                let resume = ClockOperation::Resume { key, on: e.answered_on };
                clocks.push(&review, resume, "DPR 380/2001 art. 20 c. 4");
            }
        }
        Event::SafeguardsApplied(e) => {
            let key = e.suspension.to_string();
            let suspend = ClockOperation::Suspend { key, on: e.applied_on, cap_days: None };
            clocks.push(&review, suspend, "DPR 380/2001 art. 12 c. 3");
            let rule = if e.sent_for_approval { SAFEGUARDS_LONG } else { SAFEGUARDS };
            let own = TermKey::instance(rule, e.suspension);
            clocks.start_as(own, None, e.plan_adopted_on, "DPR 380/2001 art. 12 c. 3");
        }
        Event::SafeguardsEnded(e) => {
            let resume = ClockOperation::Resume { key: e.suspension.to_string(), on: e.ended_on };
            clocks.push(&review, resume, "DPR 380/2001 art. 12 c. 3");
            for rule in [SAFEGUARDS, SAFEGUARDS_LONG] {
                if e.by_law {
                    let own = TermKey::instance(rule, e.suspension);
                    clocks.file.terms.mark_expired(&own, e.ended_on);
                }
                clocks.stop_as(&TermKey::instance(rule, e.suspension), e.ended_on);
            }
        }
        Event::OpinionRequested(_)
        | Event::OpinionInterrupted(_)
        | Event::OpinionResumed(_)
        | Event::OpinionReceived(_)
        | Event::OpinionLapsed(_) => opinion(clocks, before, event),
        Event::SubstituteInvoked(e) => {
            let basis = "L. 241/1990 art. 2 c. 9-ter";
            clocks.start_as(TermKey::of(SUBSTITUTE), Some(e.within), e.invoked_on, basis);
        }
        _ => {}
    }
}

fn opinion(clocks: &mut Clocks<'_>, before: &State, event: &Event) {
    let known = |id: &EntryId| before.application().and_then(|a| a.opinions.get(id)).cloned();
    match event {
        Event::OpinionRequested(e) => {
            let asked = Opinion {
                kind: e.kind,
                sensitive: e.sensitive,
                on_regularisation: before
                    .application()
                    .is_some_and(|a| a.kind == Kind::Regularisation),
                requested_on: e.requested_on,
                interrupted: None,
                received_on: None,
                tenor: None,
                lapsed: None,
            };
            let key = TermKey::instance(opinion_rule(&asked), e.opinion);
            clocks.start_as(key, None, e.requested_on, "L. 241/1990 arts. 16, 17, 17-bis");
        }
        Event::OpinionInterrupted(e) => {
            if let Some(o) = known(&e.opinion) {
                let key = TermKey::instance(opinion_rule(&o), e.opinion);
                let interrupt =
                    ClockOperation::Interrupt { key: "needs".to_owned(), on: e.asked_on };
                clocks.push(&key, interrupt, "L. 241/1990 arts. 16 c. 4, 17 c. 3, 17-bis c. 1");
            }
        }
        Event::OpinionResumed(e) => {
            let Some(mut o) = known(&e.opinion) else { return };
            let first = TermKey::instance(opinion_rule(&o), e.opinion);
            if let Some((_, received)) = &mut o.interrupted {
                *received = Some(e.received_on);
            }
            let again = TermKey::instance(opinion_rule(&o), e.opinion);
            if again == first {
                // Art. 17-bis: the term starts anew.
                let restart =
                    ClockOperation::Restart { key: "needs".to_owned(), on: e.received_on };
                clocks.push(&first, restart, "L. 241/1990 art. 17-bis c. 1");
            } else {
                // Arts. 16 c. 4 and 17 c. 3: fifteen days from the additions.
                clocks.stop_as(&first, e.received_on);
                clocks.start_as(again, None, e.received_on, "L. 241/1990 arts. 16 c. 4, 17 c. 3");
            }
        }
        Event::OpinionLapsed(e) => {
            if let Some(o) = known(&e.opinion) {
                let key = TermKey::instance(opinion_rule(&o), e.opinion);
                clocks.file.terms.mark_expired(&key, e.due_on);
            }
        }
        Event::OpinionReceived(e) => {
            if let Some(o) = known(&e.opinion) {
                let key = TermKey::instance(opinion_rule(&o), e.opinion);
                clocks.stop_as(&key, e.received_on);
            }
        }
        _ => {}
    }
}

fn conference(clocks: &mut Clocks<'_>, before: &State, event: &Event) {
    let round = before.application().and_then(Application::conference);
    match event {
        Event::ConferenceConvened(e) => {
            clocks.stop(CONVENING, e.convened_on);
            let own = |rule| TermKey::instance(rule, e.conference);
            clocks.start_as(own(CONFERENCE_ADDITIONS), None, e.convened_on, ART_14_BIS);
            for body in &e.bodies {
                let rule = if body.sensitive { BODY_SENSITIVE } else { BODY };
                let key = TermKey::instance(rule, body.body);
                clocks.start_as(key.clone(), None, e.convened_on, ART_14_BIS);
                clocks.file.terms.follow(&TermKey::of(REVIEW), key);
            }
            if e.form == crate::permit::events::ConferenceForm::Synchronous {
                clocks.start_as(own(MEETING), None, e.convened_on, "L. 241/1990 art. 14-bis c. 7");
            }
        }
        Event::DeterminationReceived(e) => {
            for rule in [BODY, BODY_SENSITIVE] {
                clocks.stop_as(&TermKey::instance(rule, e.body), e.received_on);
            }
            positions(clocks, round, e.body, e.due_on);
        }
        Event::BodyAssentedBySilence(e) => {
            for rule in [BODY, BODY_SENSITIVE] {
                let key = TermKey::instance(rule, e.body);
                clocks.file.terms.mark_expired(&key, e.due_on);
            }
            positions(clocks, round, e.body, e.due_on);
        }
        Event::MeetingOpened(e) => {
            let own = |rule| TermKey::instance(rule, e.conference);
            clocks.stop_as(&own(MEETING), e.opened_on);
            clocks.stop_as(&own(CONCLUSION), e.opened_on);
            let sensitive = round.is_some_and(super::Conference::is_sensitive);
            let rule = if sensitive { MEETING_WORKS_SENSITIVE } else { MEETING_WORKS };
            clocks.start_as(own(rule), None, e.opened_on, "L. 241/1990 art. 14-ter c. 2");
        }
        Event::ConferenceConcluded(e) => {
            for rule in
                [CONFERENCE_ADDITIONS, CONCLUSION, MEETING, MEETING_WORKS, MEETING_WORKS_SENSITIVE]
            {
                clocks.stop_as(&TermKey::instance(rule, e.conference), e.concluded_on);
            }
            for body in round.into_iter().flat_map(|r| r.bodies.keys()) {
                for rule in [BODY, BODY_SENSITIVE] {
                    clocks.stop_as(&TermKey::instance(rule, *body), e.concluded_on);
                }
            }
        }
        Event::OppositionRaised(e) => clocks.stop(OPPOSITION, e.raised_on),
        Event::OppositionEnded(e) => clocks.stop(OPPOSITION, e.ended_on),
        _ => {}
    }
}

/// Once the last position is known the determination is due, from the end of the bodies' terms.
fn positions(
    clocks: &mut Clocks<'_>,
    round: Option<&super::Conference>,
    body: EntryId,
    due_on: Date,
) {
    let Some(round) = round.filter(|r| r.met_on.is_none()) else { return };
    let mut round = round.clone();
    if let Some(b) = round.bodies.get_mut(&body) {
        b.position.get_or_insert(crate::permit::events::Position::Assent);
        b.due_on = Some(due_on);
    }
    if let Some(on) = round.positions_due_on() {
        let key = TermKey::instance(CONCLUSION, round.conference);
        clocks.start_as(key, None, on, "L. 241/1990 art. 14-bis c. 5");
    }
}

fn title(clocks: &mut Clocks<'_>, before: &State, event: &Event) {
    match event {
        Event::Issued(e) => {
            clocks.start(WORKS_START, e.issued_on, ART_15);
            clocks.start(SELF_ANNULMENT, e.issued_on, "L. 241/1990 art. 21-nonies");
            let opposable = before.application().and_then(|a| a.conferences.last());
            if e.conference.is_some() && opposable.is_some_and(|c| !c.may_oppose.is_empty()) {
                clocks.start(OPPOSITION, e.issued_on, "L. 241/1990 art. 14-quinquies");
            }
        }
        Event::GrantedBySilence(e) => {
            clocks.file.terms.mark_expired(&TermKey::of(SILENCE), e.due_on);
            clocks.start(WORKS_START, e.effective_on, ART_15);
            clocks.start(SELF_ANNULMENT, e.effective_on, "L. 241/1990 art. 21-nonies");
        }
        Event::AttestationRequested(e) => {
            let key = TermKey::instance(ATTESTATION, e.request);
            clocks.start_as(key, None, e.requested_on, "DPR 380/2001 art. 20 c. 8");
        }
        Event::SilenceAttested(e) if e.on_request => {
            for (request, _) in open_attestations(before) {
                clocks.stop_as(&TermKey::instance(ATTESTATION, request), e.attested_on);
            }
        }
        Event::AttestationDenied(e) => {
            clocks.stop_as(&TermKey::instance(ATTESTATION, e.request), e.answered_on);
        }
        Event::WorksStarted(e) => {
            clocks.stop(WORKS_START, e.started_on);
            clocks.start(WORKS_FINISH, e.started_on, ART_15);
        }
        Event::WorksFinished(e) => {
            clocks.stop(WORKS_FINISH, e.finished_on);
            clocks.start(USABILITY, e.finished_on, "DPR 380/2001 art. 24 c. 2");
        }
        Event::ExtensionRequested(e) => {
            let key = TermKey::instance(EXTENSION, e.extension);
            clocks.start_as(key, None, e.requested_on, ART_15);
        }
        Event::ExtensionGranted(e) => {
            clocks.stop_as(&TermKey::instance(EXTENSION, e.extension), e.granted_on);
            let key = e.extension.to_string();
            let extend = ClockOperation::Extend { key, by: e.by };
            clocks.push(&TermKey::of(e.term.rule()), extend, ART_15);
        }
        Event::ExtensionRefused(e) => {
            clocks.stop_as(&TermKey::instance(EXTENSION, e.extension), e.refused_on);
        }
        Event::ExtendedByLaw(e) => {
            let key = e.extension.to_string();
            let extend = ClockOperation::Extend { key, by: e.by };
            clocks.push(&TermKey::of(e.term.rule()), extend, &e.basis);
        }
        Event::Lapsed(e) => {
            for rule in [WORKS_START, WORKS_FINISH] {
                let key = TermKey::of(rule);
                clocks.file.terms.mark_expired(&key, e.due_on);
                clocks.stop_as(&key, e.due_on);
            }
        }
        Event::Annulled(e) => end_of_title(clocks, e.annulled_on),
        Event::OppositionEnded(e) if e.upheld => end_of_title(clocks, e.ended_on),
        Event::UsabilityReported(e) => {
            if !e.partial {
                clocks.stop(USABILITY, e.reported_on);
            }
            let entry = clocks.file.entry(
                ClockOperation::Start { on: e.reported_on },
                clocks.name,
                "L. 241/1990 art. 19 c. 6-bis",
            );
            // A later report, such as that of another part, is controlled anew.
            clocks.file.terms.restart(TermKey::of(CONTROL), entry);
        }
        _ => {}
    }
}

/// A title that is gone has no terms any more; what is owed stays owed.
fn end_of_title(clocks: &mut Clocks<'_>, on: Date) {
    for rule in [WORKS_START, WORKS_FINISH, SELF_ANNULMENT, USABILITY, CONTROL, OPPOSITION] {
        clocks.stop(rule, on);
    }
}

fn open_attestations(before: &State) -> impl Iterator<Item = (EntryId, bool)> + '_ {
    let all = before.application().into_iter().flat_map(|a| a.attestations.iter());
    all.map(|(id, answered)| (*id, *answered)).filter(|(_, answered)| !answered)
}

fn money(clocks: &mut Clocks<'_>, before: &State, event: &Event) {
    match event {
        Event::ContributionDetermined(e) => {
            for i in &e.instalments {
                let days = (i.due_on - e.determined_on).get_days();
                let length = Length::days(u32::try_from(days).unwrap_or(0));
                let own = TermKey::instance(INSTALMENT, i.instalment);
                let basis = "DPR 380/2001 art. 16";
                clocks.start_as(own, Some(length), e.determined_on, basis);
                for rule in LATE_PAYMENT {
                    let key = TermKey::instance(rule, i.instalment);
                    clocks.start_as(key, None, i.due_on, "DPR 380/2001 art. 42 c. 2");
                }
            }
        }
        Event::ContributionOffset(e) => {
            for r in &e.reductions {
                let open = before.title().and_then(|t| t.instalment(&r.instalment));
                if open.is_some_and(|(_, i)| i.open_cents() <= r.amount_cents) {
                    settled(clocks, r.instalment, e.offset_on);
                }
            }
        }
        Event::PaymentRecorded(e) if e.settles => {
            settled(clocks, e.instalment, e.paid_on);
            if !cost_is_owed(before, Some(e.instalment)) {
                clocks.stop(COST_BALANCE, e.paid_on);
            }
        }
        Event::WorksFinished(e) if cost_is_owed(before, None) => {
            clocks.start(COST_BALANCE, e.finished_on, "DPR 380/2001 art. 16 c. 3");
        }
        _ => {}
    }
}

/// Whether part of the share on the cost of construction is open, an instalment left out.
fn cost_is_owed(before: &State, without: Option<EntryId>) -> bool {
    before.title().is_some_and(|t| {
        let parts =
            t.contributions.values().filter(|c| c.kind == ContributionKind::ConstructionCost);
        parts
            .flat_map(|c| c.instalments.iter())
            .any(|(id, i)| Some(*id) != without && i.open_cents() > 0)
    })
}

fn settled(clocks: &mut Clocks<'_>, instalment: EntryId, on: Date) {
    clocks.stop_as(&TermKey::instance(INSTALMENT, instalment), on);
    for rule in LATE_PAYMENT {
        clocks.stop_as(&TermKey::instance(rule, instalment), on);
    }
}

fn control(clocks: &mut Clocks<'_>, before: &State, event: &Event) {
    let key = TermKey::of(CONTROL);
    match event {
        Event::ConformationOrdered(e) => {
            let interrupt =
                ClockOperation::Interrupt { key: e.order.to_string(), on: e.ordered_on };
            clocks.push(&key, interrupt, "L. 241/1990 art. 19 c. 3");
            let own = TermKey::instance(CONFORMATION, e.order);
            let basis = "L. 241/1990 art. 19 c. 3";
            clocks.start_as(own, Some(e.comply_within), e.ordered_on, basis);
        }
        Event::ConformationReported(e) => {
            let restart = ClockOperation::Restart { key: e.order.to_string(), on: e.reported_on };
            clocks.push(&key, restart, "L. 241/1990 art. 19 c. 3");
            clocks.stop_as(&TermKey::instance(CONFORMATION, e.order), e.reported_on);
        }
        Event::Prohibited(e) => {
            clocks.stop_as(&key, e.prohibited_on);
            if let Some((order, _)) = before.control().and_then(|(_, c)| c.ordered) {
                let own = TermKey::instance(CONFORMATION, order);
                if let Some(due_on) =
                    e.prohibited_on.yesterday().ok().filter(|_| e.reasons.is_none())
                {
                    clocks.file.terms.mark_expired(&own, due_on);
                }
                clocks.stop_as(&own, e.prohibited_on);
            }
        }
        Event::ControlEnded(e) if e.of == Controlled::Usability => {
            clocks.file.terms.mark_expired(&key, e.due_on);
            clocks.stop_as(&key, e.due_on);
        }
        Event::ControlEnded(e) => clocks.file.terms.mark_expired(&key, e.due_on),
        _ => {}
    }
}
