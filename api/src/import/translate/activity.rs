//! The course of one case: which domain event an event of the file becomes, given those before.

use super::{Known, Plan, Told, text};
use crate::import::error::Fault;
use crate::import::mapping::{ActivityRule, Becomes};
use crate::import::xes::Trace;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;
use pratica_domain::case::{
    ClockEffect, Procedure, RequestAnswered, RequestKind, RequestSent, Tenor, TermExtended,
    TermKey, TermResumed, TermSuspended,
};
use pratica_domain::ids::{CaseId, EntryId, SubjectId, derived};
use pratica_domain::imported::{self, Departure, Outcome, Source};
use pratica_domain::people::Personal;
use pratica_domain::term::rome_date;
use pratica_domain::{Event, case, permit};
use std::collections::BTreeSet;

/// What the events so far came to.
pub(super) struct Course<'a> {
    plan: &'a Plan,
    pub(super) case_id: CaseId,
    pub(super) filed_at: Timestamp,
    said: Option<Outcome>,
    opened_by_first: bool,
    /// The open request and the day it was sent.
    request: Option<(EntryId, Date)>,
    /// The open suspension and the day it began.
    suspension: Option<(EntryId, Date)>,
    decided: bool,
    /// Whether the decision ended the case.
    pub(super) ended: bool,
    closed: bool,
    /// What the events came to, in the words of outcomes.
    pub(super) outcome: &'static str,
    held_up: u32,
    pub(super) departures: BTreeSet<Departure>,
    pub(super) unmapped: Vec<String>,
    pub(super) not_admitted: Vec<String>,
    pub(super) days_set_aside: u64,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        case_id: CaseId,
        trace: &Trace,
        known: &[Known<'_>],
    ) -> Result<Self, Fault> {
        let decision = plan.mapping().decision.as_ref();
        let said = decision.and_then(|d| {
            text(&trace.attributes, &d.attribute).and_then(|said| d.values.get(said)).copied()
        });
        let mut course = Course {
            plan,
            case_id,
            filed_at: plan.filed(trace, known)?,
            said,
            opened_by_first: false,
            request: None,
            suspension: None,
            decided: false,
            ended: false,
            closed: false,
            outcome: "open",
            held_up: 0,
            departures: BTreeSet::new(),
            unmapped: Vec::new(),
            not_admitted: Vec::new(),
            days_set_aside: 0,
        };
        course.opened_by_first = known
            .first()
            .and_then(|first| course.rule(first))
            .is_some_and(|rule| rule.becomes == Becomes::Opened);
        Ok(course)
    }

    /// From here on every event is a step: nothing moves a closed case.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether `case.opened` carries the event.
    pub(super) fn opened_by(&self, event: &Known<'_>) -> bool {
        event.index == 1 && self.opened_by_first
    }

    /// The whole event, for a domain event to carry.
    pub(super) fn source(&self, event: &Known<'_>) -> Source {
        let (step, source) = self.plan.step(self.case_id, event);
        Source {
            activity: Some(step.activity),
            resource: step.resource,
            attributes: step.attributes,
            ..source
        }
    }

    /// What is recorded of an event.
    pub(super) fn tell(&mut self, event: &Known<'_>) -> Told {
        let told = |recorded, source| Told {
            event: recorded,
            source: Some(source),
            occurred_at: event.at,
            line: event.line,
        };
        let admitted = match self.rule(event) {
            None => {
                self.unmapped.push(event.activity.to_owned());
                None
            }
            Some(rule) => {
                let admitted = if self.closed { None } else { self.become_event(rule, event) };
                if admitted.is_none() {
                    self.not_admitted.push(event.activity.to_owned());
                }
                admitted
            }
        };
        match admitted {
            Some(recorded) => told(recorded, self.source(event)),
            None => {
                let (step, source) = self.plan.step(self.case_id, event);
                told(imported::Event::from(step).into(), source)
            }
        }
    }

    /// The rule that applies to an event.
    fn rule(&self, event: &Known<'_>) -> Option<&'a ActivityRule> {
        let mapping = self.plan.mapping();
        if let Some(transition) = text(event.attributes, "lifecycle:transition")
            && !mapping.lifecycle.contains(&transition.to_ascii_lowercase())
        {
            return None;
        }
        mapping.activities.iter().find(|rule| {
            rule.name == event.activity
                && rule.when.as_ref().is_none_or(|when| {
                    text(event.attributes, &when.attribute)
                        .is_some_and(|said| when.is.iter().any(|v| v == said))
                })
        })
    }

    /// The domain event, if the history so far admits it.
    fn become_event(&mut self, rule: &ActivityRule, event: &Known<'_>) -> Option<Event> {
        let term = || self.plan.mapping().term.as_ref().map(|t| TermKey::of(&t.key));
        let basis = rule.basis.clone().unwrap_or_default();
        let words = rule.text.clone().unwrap_or_else(|| event.activity.to_owned());
        let reason = Personal::new(SubjectId(self.case_id.0), words);
        let filed_on = rome_date(self.filed_at);
        // What ended a case ended its terms: only who contests it still adds a fact.
        if self.ended && rule.becomes != Becomes::Contested {
            return None;
        }
        Some(match rule.becomes {
            Becomes::Opened => return None,
            Becomes::RequestSent => {
                if self.request.is_some() {
                    return None;
                }
                let (term, within) = (term()?, rule.answer_within?);
                let request = self.entry("request", event);
                let sent_on = self.day(rule, event, filed_on);
                if self.held_up == 0 && (sent_on - filed_on).get_days() > 30 {
                    self.departures.insert(Departure::AdditionsAskedLate);
                }
                self.hold_up();
                self.request = Some((request, sent_on));
                case::Event::from(RequestSent {
                    request,
                    kind: RequestKind::Additions,
                    text: reason,
                    sent_on,
                    answer_within: within,
                    clock: ClockEffect::Suspends { term, cap_days: rule.cap_days },
                    basis,
                })
                .into()
            }
            Becomes::RequestAnswered => {
                let (request, sent_on) = self.request.take()?;
                let answered_on = self.day(rule, event, sent_on);
                let documents = Vec::new();
                case::Event::from(RequestAnswered { request, answered_on, documents }).into()
            }
            Becomes::TermExtended => {
                let (term, by) = (term()?, rule.by?);
                self.departures.insert(Departure::ExtendedByTheOffice);
                let extension = self.entry("extension", event);
                case::Event::from(TermExtended { term, extension, by, reason, basis }).into()
            }
            Becomes::TermSuspended => {
                if self.suspension.is_some() {
                    return None;
                }
                let term = term()?;
                let suspension = self.entry("suspension", event);
                let suspended_on = self.day(rule, event, filed_on);
                self.hold_up();
                self.suspension = Some((suspension, suspended_on));
                let cap_days = rule.cap_days;
                case::Event::from(TermSuspended {
                    term,
                    suspension,
                    suspended_on,
                    cap_days,
                    reason,
                    basis,
                })
                .into()
            }
            Becomes::TermResumed => {
                let term = term()?;
                let (suspension, since) = self.suspension.take()?;
                let resumed_on = self.day(rule, event, since);
                if (resumed_on - since).get_days() > 30 {
                    self.departures.insert(Departure::SuspendedTooLong);
                }
                case::Event::from(TermResumed { term, suspension, resumed_on }).into()
            }
            Becomes::Decided => {
                if std::mem::replace(&mut self.decided, true) {
                    return None;
                }
                let decided_on = self.day(rule, event, filed_on);
                self.decision(rule.outcome.or(self.said), decided_on, event)
            }
            Becomes::Contested => {
                if !self.decided {
                    return None;
                }
                permit::Event::from(permit::Contested {
                    contest: self.entry("contest", event),
                    forum: rule.forum?,
                    contested_on: self.day(rule, event, filed_on),
                    reference: None,
                })
                .into()
            }
        })
    }

    /// The decision: the permit's own event where the outcome is said, and the procedure has one.
    fn decision(&mut self, said: Option<Outcome>, on: Date, event: &Known<'_>) -> Event {
        let words = || Personal::new(SubjectId(self.case_id.0), event.activity.to_owned());
        // The older system says nothing of appeals.
        let appeal = || case::Appeal { authority: String::new(), term_days: 0 };
        let is_permit = self.plan.mapping().procedure == Procedure::Permit;
        let (outcome, told): (_, Event) = match said.filter(|_| is_permit) {
            Some(Outcome::Granted) => (
                "granted",
                permit::Event::from(permit::Issued {
                    issued_on: on,
                    conditions: None,
                    reasons: None,
                    conference: None,
                    late: None,
                })
                .into(),
            ),
            Some(Outcome::Refused) => (
                "refused",
                permit::Event::from(permit::Refused {
                    refused_on: on,
                    reasons: words(),
                    answers: None,
                    appeal: appeal(),
                    effect: permit::RefusalEffect::Effective,
                    late: None,
                })
                .into(),
            ),
            Some(Outcome::NotConsidered) => (
                "archived",
                permit::Event::from(permit::Archived {
                    archived_on: on,
                    reasons: words(),
                    answers: None,
                    appeal: appeal(),
                })
                .into(),
            ),
            Some(Outcome::Withdrawn) => (
                "withdrawn",
                case::Event::from(case::Withdrawn {
                    withdrawn_on: on,
                    reason: Some(words()),
                    undoes_provisional_effect: false,
                })
                .into(),
            ),
            _ => {
                let tenor = match said {
                    Some(Outcome::Granted) => Some(Tenor::Favourable),
                    Some(Outcome::Refused | Outcome::NotConsidered) => Some(Tenor::Negative),
                    _ => None,
                };
                let activity = event.activity.to_owned();
                let decided = imported::Decided { outcome: tenor, decided_on: on, activity };
                self.outcome = "decided";
                return imported::Event::from(decided).into();
            }
        };
        if matches!(outcome, "refused" | "archived") {
            self.departures.insert(Departure::NoNotice);
        }
        self.outcome = outcome;
        self.ended = true;
        told
    }

    /// Notes that the term is held up once more.
    fn hold_up(&mut self) {
        self.held_up += 1;
        if self.held_up > 1 {
            self.departures.insert(Departure::HeldUpAgain);
        }
    }

    fn entry(&self, what: &str, event: &Known<'_>) -> EntryId {
        EntryId(derived(self.case_id.0, &format!("{what} {}", event.index)))
    }

    /// The legal day of an event: where the rule says, if it is to be read there and does not come
    /// before what it follows; otherwise the day of the event.
    fn day(&mut self, rule: &ActivityRule, event: &Known<'_>, not_before: Date) -> Date {
        let own = rome_date(event.at);
        let becomes = rule.becomes;
        let Some(rule) = &rule.day else { return own };
        let said = text(event.attributes, &rule.attribute);
        let day = said.and_then(|said| {
            strtime::parse(&rule.format, said).and_then(|parsed| parsed.to_date()).ok()
        });
        // A suspension may be announced for a day to come; nothing else is entered before it is.
        let to_come = matches!(becomes, Becomes::TermSuspended | Becomes::TermResumed);
        match day {
            Some(day) if day >= not_before && (day <= own || to_come) => day,
            _ => {
                self.days_set_aside += 1;
                own
            }
        }
    }
}
