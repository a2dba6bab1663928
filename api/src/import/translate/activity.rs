//! The course of one case: which domain event an event of the file becomes, given those before.

use super::{Known, Plan, Told, text};
use crate::import::error::Fault;
use crate::import::mapping::{ActivityRule, Becomes};
use crate::import::xes::Trace;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::strtime;
use pratica_domain::case::{
    ClockEffect, RequestAnswered, RequestKind, RequestSent, Tenor, TermExtended, TermKey,
    TermResumed, TermSuspended,
};
use pratica_domain::ids::{CaseId, EntryId, SubjectId, derived};
use pratica_domain::imported::{self, Source};
use pratica_domain::people::Personal;
use pratica_domain::term::rome_date;
use pratica_domain::{Event, case};

/// What the events so far came to.
pub(super) struct Course<'a> {
    plan: &'a Plan,
    pub(super) case_id: CaseId,
    pub(super) filed_at: Timestamp,
    tenor: Option<Tenor>,
    opened_by_first: bool,
    /// The open request and the day it was sent.
    request: Option<(EntryId, Date)>,
    /// The open suspension and the day it began.
    suspension: Option<(EntryId, Date)>,
    decided: bool,
    closed: bool,
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
        let tenor = decision.and_then(|d| {
            text(&trace.attributes, &d.attribute).and_then(|said| d.values.get(said)).copied()
        });
        let mut course = Course {
            plan,
            case_id,
            filed_at: plan.filed(trace, known)?,
            tenor,
            opened_by_first: false,
            request: None,
            suspension: None,
            decided: false,
            closed: false,
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
        Some(match rule.becomes {
            Becomes::Opened => return None,
            Becomes::RequestSent => {
                if self.request.is_some() {
                    return None;
                }
                let (term, within) = (term()?, rule.answer_within?);
                let request = self.entry("request", event);
                let sent_on = self.day(rule, event, filed_on);
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
            Becomes::TermExtended => case::Event::from(TermExtended {
                term: term()?,
                extension: self.entry("extension", event),
                by: rule.by?,
                reason,
                basis,
            })
            .into(),
            Becomes::TermSuspended => {
                if self.suspension.is_some() {
                    return None;
                }
                let term = term()?;
                let suspension = self.entry("suspension", event);
                let suspended_on = self.day(rule, event, filed_on);
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
                case::Event::from(TermResumed { term, suspension, resumed_on }).into()
            }
            Becomes::Decided => {
                if std::mem::replace(&mut self.decided, true) {
                    return None;
                }
                imported::Event::from(imported::Decided {
                    outcome: rule.tenor.or(self.tenor),
                    decided_on: self.day(rule, event, filed_on),
                    activity: event.activity.to_owned(),
                })
                .into()
            }
        })
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
