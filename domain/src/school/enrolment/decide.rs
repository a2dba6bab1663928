//! Turns an allowed command into the facts it records. Every refusal stands in `rules`.

use super::commands::{CallView, Command, Form};
use super::events::{
    Accepted, Admitted, Amended, AttendanceStarted, CompletedOnRequest, Content, Event as Own,
    Excluded, FeeSet, Filed, Isee, IseeRecorded, LossGround, ObservationAnswered, ObservationFiled,
    OfferDropped, OfferLapsed, Offered, PlaceLeft, PlaceLost, RankedIn, Renounced, Scored,
    Standing, VaccineProofFiled, VaccineProofInvited, VaccinesRecorded, YearFinished,
};
use super::rules::own;
use super::state::{Application, OfferStanding, Phase};
use super::{OFFER, VACCINE_PROOF};
use crate::case::rules::wrong_phase;
use crate::case::{
    Channel, Direction, DocumentAdded, LinkKind, Linked, Opened, PartyAdded, PartyRole, Procedure,
    TermKey, written_id,
};
use crate::context::Context;
use crate::decider::Case;
use crate::event::Event;
use crate::ids::{BandId, DocumentId, EntryId, OfficeId, SubjectId};
use crate::people::{Person, Personal};
use crate::rejection::Rejection;
use crate::residency::Attachment;
use crate::school::fee::{Fee, FeeRule};
use crate::school::score::{Facts, Proofs, scores, unproved};
use crate::term::{Length, first_instant_after, rome_date};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeSet;

pub(crate) fn decide(
    case: &Case,
    command: &Command,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    if let Command::File {
        call,
        applicant,
        account,
        child,
        form,
        channel,
        filed_at,
        office,
        attachments,
    } = command
    {
        let filing = Filing { call, applicant, account, child, form, attachments };
        return filing.events(*channel, *filed_at, office.clone(), ctx);
    }
    let Some((phase, app)) = own(case) else {
        return wrong_phase(case, &[Phase::Filed.as_str()]);
    };
    let today = ctx.today();
    let owner = case.file.applicant().map_or(SubjectId(ctx.case_id.0), |(subject, _)| *subject);
    let personal = |text: &str| Personal::new(owner, text.trim().to_owned());
    let own: Own = match command.clone() {
        Command::File { .. } => return Ok(Vec::new()),
        Command::Amend { form, .. } => {
            let content = content(&form, app.content.band.clone(), app.child);
            let mut events = vec![Event::Enrolment(Amended { content }.into())];
            events.extend(links(&form));
            return Ok(events);
        }
        Command::Complete { request, facts, .. } => {
            CompletedOnRequest { request, facts: Personal::new(app.child, facts) }.into()
        }
        Command::Admit => Admitted { admitted_on: today }.into(),
        Command::Exclude { ground, reasons, appeal } => {
            Excluded { ground, reasons: personal(&reasons), excluded_on: today, appeal }.into()
        }
        Command::RecordIsee { isee } => IseeRecorded { isee: Personal::new(owner, isee) }.into(),
        Command::Score { call, set_aside } => {
            let facts = app.content.facts.value.clone();
            let standing = standing(case, app, &call, facts, set_aside, None);
            Scored { standing: Personal::new(app.child, standing) }.into()
        }
        Command::FileObservation { text } => ObservationFiled {
            observation: EntryId(ctx.new_id("observation")),
            text: personal(&text),
            filed_on: today,
        }
        .into(),
        Command::AnswerObservation { call, observation, accepted, reasons, set_aside, correct } => {
            let corrected = accepted.then(|| {
                let facts = correct.unwrap_or_else(|| app.content.facts.value.clone());
                let until = Some(app.pinned.closes_on);
                let standing = standing(case, app, &call, facts, set_aside, until);
                Personal::new(app.child, standing)
            });
            let reasons = personal(&reasons);
            ObservationAnswered { observation, accepted, reasons, corrected }.into()
        }
        Command::Accept { offer, deposit_receipt } => {
            let receipt = deposit_receipt.and_then(|words| Personal::said(owner, &words));
            return Ok(accept(app, offer, receipt, today));
        }
        Command::Renounce { offer } => {
            let Some(made) = app.offers.get(&offer) else { return Ok(Vec::new()) };
            Renounced { offer, school: made.school.clone(), renounced_on: today }.into()
        }
        Command::RecordVaccines { in_order, stated_on } => {
            VaccinesRecorded { in_order: Personal::new(app.child, in_order), stated_on }.into()
        }
        Command::InviteVaccineProof { sent_on } => {
            let days = ten_july(sent_on).map_or(0, |end| (end - sent_on).get_days());
            let within = Length::days(u32::try_from(days).unwrap_or(0));
            VaccineProofInvited { sent_on, within }.into()
        }
        Command::FileVaccineProof { proof, document } => {
            let proof = Personal::new(app.child, proof);
            VaccineProofFiled { proof, document, filed_on: today }.into()
        }
        Command::StartAttendance { started_on } => AttendanceStarted { started_on }.into(),
        Command::SetFee { fee } => {
            let Some(rule) = fee else { return Ok(Vec::new()) };
            let fee = fee_of(app, &rule, today);
            FeeSet {
                monthly_cents: Personal::new(owner, fee.monthly_cents),
                ground: Personal::new(owner, fee.ground),
                formula: rule.version,
                isee_protocol: isee_for_fees(app, today)
                    .map(|i| Personal::new(owner, i.value.protocol.clone())),
            }
            .into()
        }
        Command::Leave { reason } => PlaceLeft {
            left_on: today,
            fee_owed: app.pinned.leave_free_until.is_some_and(|until| today > until),
            reason: reason.filter(|r| !r.trim().is_empty()).map(|r| personal(&r)),
        }
        .into(),
        Command::DeclareLoss { ground, reasons, appeal, .. } => PlaceLost {
            ground: Personal::new(app.child, ground),
            reasons: Some(personal(&reasons)),
            appeal: Some(appeal),
            lost_on: today,
            legal_at: None,
        }
        .into(),
        Command::RecordRank { ranking, stage, published_on, places, observations_within } => {
            RankedIn { ranking, stage, published_on, places, observations_within }.into()
        }
        Command::ReceiveOffer { offer, school, offered_on, answer_within } => {
            Offered { offer, school, offered_on, answer_within }.into()
        }
        Command::Finish { ended_on } => {
            let had_a_place = matches!(phase, Phase::Accepted | Phase::Attending);
            YearFinished { ended_on, had_a_place }.into()
        }
    };
    Ok(vec![Event::Enrolment(own)])
}

/// A filing: the case, its two people, the application and what came with it.
struct Filing<'a> {
    call: &'a CallView,
    applicant: &'a Person,
    account: &'a Option<String>,
    child: &'a Person,
    form: &'a Form,
    attachments: &'a [Attachment],
}

impl Filing<'_> {
    fn events(
        &self,
        channel: Channel,
        filed_at: Timestamp,
        office: OfficeId,
        ctx: &Context<'_>,
    ) -> Result<Vec<Event>, Rejection> {
        let filed_on = rome_date(filed_at);
        let criteria = &self.call.plan.criteria;
        let (parent, child) = (SubjectId(ctx.new_id("party 0")), SubjectId(ctx.new_id("party 1")));
        let born = self.child.birth_date;
        let band = born.and_then(|b| criteria.band_of(b, self.call.plan.school_year));
        let Some(band) = band.map(|b| b.id.clone()) else { return Ok(Vec::new()) };
        let opened = Opened {
            procedure: Procedure::Enrolment,
            kind: criteria.name.clone(),
            filed_on,
            filed_at,
            channel,
            rules_version: ctx.rules_in_force(filed_on)?.version.clone(),
            office,
            reference: None,
        };
        let party = |subject, role, person: &Person, account: Option<String>| PartyAdded {
            subject,
            role,
            person: Personal::new(subject, person.clone()),
            account,
        };
        let applicant = party(parent, PartyRole::Applicant, self.applicant, self.account.clone());
        let filed = Filed {
            pinned: self.call.pinned(),
            filed_at,
            child,
            content: content(self.form, band, child),
            late: super::rules::is_late(self.call, filed_on),
        };
        let mut events = vec![
            Event::Case(opened.into()),
            Event::Case(applicant.into()),
            Event::Case(party(child, PartyRole::Member, self.child, None).into()),
        ];
        let written = written_id(ctx, events.len());
        events.push(Event::Enrolment(filed.into()));
        events.extend(links(self.form));
        for (index, a) in self.attachments.iter().enumerate() {
            let document = DocumentAdded {
                document: DocumentId(ctx.new_id(&format!("attachment {index}"))),
                kind: a.kind.clone(),
                media_type: a.media_type.clone(),
                size_bytes: a.size_bytes,
                sha256: a.sha256.clone(),
                direction: Direction::Incoming,
                dated_on: filed_on,
                version: 1,
                replaces: None,
                attached_to: Some(written),
            };
            events.push(Event::Case(document.into()));
        }
        Ok(events)
    }
}

pub(super) fn content(form: &Form, band: BandId, child: SubjectId) -> Content {
    Content {
        band,
        choices: form.choices.clone(),
        facts: Personal::new(child, form.facts.clone()),
        twins: form.twins.clone(),
        siblings: form.siblings.clone(),
    }
}

fn links(form: &Form) -> impl Iterator<Item = Event> {
    let others = form.twins.iter().chain(&form.siblings);
    others.map(|other| Event::Case(Linked { other: *other, kind: LinkKind::Siblings }.into()))
}

/// The ISEE that fees go by: without omissions, and still valid.
fn isee_for_fees(app: &Application, today: Date) -> Option<&Personal<Isee>> {
    let valid = |i: &&Personal<Isee>| !i.value.with_omissions && i.value.valid_until >= today;
    app.isee.as_ref().filter(valid)
}

/// The fee by the formula of the call.
pub(super) fn fee_of(app: &Application, rule: &FeeRule, today: Date) -> Fee {
    let resident = app.content.facts.value.all.get("resident").copied().unwrap_or(0) != 0;
    rule.monthly(isee_for_fees(app, today).map(|i| i.value.cents), resident)
}

/// What the ranking reads: points with their proofs. `until` leaves out documents that came later.
pub(super) fn standing(
    case: &Case,
    app: &Application,
    call: &CallView,
    facts: Facts,
    set_aside: BTreeSet<String>,
    until: Option<Date>,
) -> Standing {
    let criteria = &call.plan.criteria;
    let documents = case
        .file
        .documents
        .iter()
        .filter(|(_, d)| d.replaced_by.is_none() && until.is_none_or(|u| d.dated_on <= u))
        .map(|(id, d)| (d.kind.clone(), *id))
        .collect();
    let proofs = Proofs { statement: app.stated_at, documents, set_aside };
    let not_counted = unproved(criteria, &facts, &proofs);
    let mut counted = facts.clone();
    for fact in &not_counted {
        counted.all.remove(fact);
        counted.at.values_mut().for_each(|at| {
            at.remove(fact);
        });
    }
    let child = case.file.parties.get(&app.child);
    Standing {
        scores: scores(criteria, &facts, &app.content.choices, &proofs),
        not_counted,
        facts: counted,
        isee_cents: app.isee.as_ref().filter(|i| !i.value.with_omissions).map(|i| i.value.cents),
        born_on: child.and_then(|c| c.person.value.birth_date),
    }
}

/// Accepting one place drops every other offer at once.
fn accept(
    app: &Application,
    offer: EntryId,
    deposit_receipt: Option<Personal<String>>,
    today: Date,
) -> Vec<Event> {
    let Some(made) = app.offers.get(&offer) else { return Vec::new() };
    let accepted = Accepted {
        offer,
        school: made.school.clone(),
        accepted_on: today,
        deposit_cents: app.pinned.deposit_cents,
        deposit_receipt,
    };
    let mut events = vec![Event::Enrolment(accepted.into())];
    let others =
        app.offers.iter().filter(|(id, o)| **id != offer && o.standing == OfferStanding::Open);
    events.extend(others.map(|(id, o)| {
        let dropped = OfferDropped { offer: *id, school: o.school.clone(), dropped_on: today };
        Event::Enrolment(dropped.into())
    }));
    events
}

/// The 10 July that a day looks forward to: of its own year.
pub(super) fn ten_july(day: Date) -> Option<Date> {
    Date::new(day.year(), 7, 10).ok()
}

/// What the end of a term brings about: an offer lapses; without proof of vaccination the place is
/// lost by law, where the law says so.
pub(crate) fn expired(case: &Case, term: &TermKey, due_on: Date) -> Option<Vec<Event>> {
    let (_, app) = own(case)?;
    let legal_at = first_instant_after(due_on);
    let event: Own = match term.rule().as_str() {
        OFFER => {
            let offer = term.entry()?;
            let made = app.offers.get(&offer)?;
            if made.standing != OfferStanding::Open {
                return None;
            }
            OfferLapsed { offer, school: made.school.clone(), due_on, legal_at }.into()
        }
        VACCINE_PROOF if app.pinned.vaccines_bind => PlaceLost {
            ground: Personal::new(app.child, LossGround::Vaccines),
            reasons: None,
            appeal: None,
            lost_on: due_on,
            legal_at: Some(legal_at),
        }
        .into(),
        _ => return None,
    };
    Some(vec![Event::Enrolment(event)])
}
