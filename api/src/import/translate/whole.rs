//! What a trace says of its case as a whole: opening, term, end.

use super::activity::Course;
use super::{Known, Plan, Told, digest, text, types};
use crate::import::error::Fault;
use crate::import::xes::Trace;
use jiff::Timestamp;
use jiff::civil::Date;
use pratica_domain::case::{Channel, Opened, TermKey};
use pratica_domain::imported::{self, Outcome};
use pratica_domain::term::{Length, Unit, rome_date};
use pratica_domain::{Event, case};

/// The end of a case, and after which event of the file it stands.
pub(super) struct End {
    pub(super) after: u64,
    pub(super) told: Told,
}

impl Plan {
    /// When the case was filed.
    pub(super) fn filed(&self, trace: &Trace, known: &[Known<'_>]) -> Result<Timestamp, Fault> {
        for place in &self.mapping().filed {
            if place == "first_event" {
                if let Some(first) = known.first() {
                    return Ok(first.at);
                }
            } else if let Some(attribute) = trace.attributes.get(place) {
                return self.instant(attribute, place, trace.line);
            }
        }
        Err(Fault::new(
            trace.line,
            "nothing says when the case was filed",
            "the mapping's key filed names the attributes to look at, such as first_event",
        ))
    }

    /// The events that open the case.
    pub(super) fn whole(
        &self,
        course: &Course<'_>,
        trace: &Trace,
        known: &[Known<'_>],
        reference: &str,
    ) -> Result<Vec<Told>, Fault> {
        let mapping = self.mapping();
        let filed_on = rome_date(course.filed_at);
        // Nothing of a case may come before its opening, though some files have it so.
        let occurred_at = known.iter().map(|k| k.at).fold(course.filed_at, Timestamp::min);
        let opened = Opened {
            procedure: mapping.procedure,
            kind: self.kind(trace),
            filed_on,
            filed_at: course.filed_at,
            channel: Channel::Import,
            rules_version: mapping.rules_version.clone(),
            office: self.office.clone(),
            reference: Some(reference.to_owned()),
        };
        let kept = self.keep(course.case_id, &trace.attributes, &[]);
        let taken_over = imported::TakenOver {
            source: mapping.source.clone(),
            reference: reference.to_owned(),
            source_events: known.len() as u64,
            attributes: kept.plain,
            personal: kept.personal,
            types: types(trace),
            history_sha256: digest(trace),
            mapping_sha256: self.checked.sha256.clone(),
        };
        let carried = known.first().filter(|first| course.opened_by(first));
        let source = carried.map(|first| course.source(first));
        let told = |event: Event, source| Told { event, source, occurred_at, line: trace.line };
        let mut events = vec![
            told(case::Event::from(opened).into(), source),
            told(imported::Event::from(taken_over).into(), None),
        ];
        if let Some(term) = &mapping.term {
            let set = imported::TermSet {
                term: TermKey::of(&term.key),
                from: filed_on,
                length: self.length(trace, filed_on)?,
            };
            events.push(told(imported::Event::from(set).into(), None));
        }
        Ok(events)
    }

    fn kind(&self, trace: &Trace) -> String {
        let kinds = &self.mapping().kind;
        let said = kinds.attribute.as_ref().and_then(|key| text(&trace.attributes, key));
        let said = said.unwrap_or_default();
        let is = |wanted: &str| match &kinds.separator {
            Some(separator) => said.split(separator.as_str()).any(|part| part.trim() == wanted),
            None => said == wanted,
        };
        let found = kinds.values.iter().find(|v| is(&v.is));
        found.map_or(&kinds.default, |v| &v.kind).clone()
    }

    /// The length of the term where it is not the rule's own.
    fn length(&self, trace: &Trace, filed_on: Date) -> Result<Option<Length>, Fault> {
        let Some(term) = &self.mapping().term else { return Ok(None) };
        if let Some(attribute) = term.ends.as_ref().and_then(|key| trace.attributes.get(key)) {
            let key = term.ends.as_deref().unwrap_or_default();
            let ends_on = rome_date(self.instant(attribute, key, trace.line)?);
            let days = (ends_on - filed_on).get_days();
            if let Ok(count @ 1..) = u32::try_from(days) {
                return Ok(Some(Length { count, unit: Unit::Days }));
            }
        }
        let other = term.lengths.iter().find(|l| {
            let said = text(&trace.attributes, &l.when.attribute);
            said.is_some_and(|said| l.when.is.iter().any(|v| v == said))
        });
        Ok(other.map(|l| l.length))
    }

    /// The end of the case, if it has one.
    pub(super) fn closing(
        &self,
        trace: &Trace,
        known: &[Known<'_>],
        course: &Course<'_>,
    ) -> Result<Option<End>, Fault> {
        let Some(rule) = &self.mapping().closing else { return Ok(None) };
        if let Some(when) = &rule.when {
            let said = text(&trace.attributes, &when.attribute).unwrap_or_default();
            if !when.is.iter().any(|v| v == said) {
                return Ok(None);
            }
        }
        let mut end = None;
        for place in &rule.on {
            if place == "last_event" {
                end = known.last().map(|last| last.at);
            } else if let Some(attribute) = trace.attributes.get(place) {
                end = Some(self.instant(attribute, place, trace.line)?);
            }
            if end.is_some() {
                break;
            }
        }
        let Some(end) = end.map(|end| end.max(course.filed_at)) else { return Ok(None) };
        let closed_on = rome_date(end);
        let last = known.iter().rev().find(|k| rome_date(k.at) <= closed_on);
        let said = rule.attribute.as_ref().and_then(|key| text(&trace.attributes, key));
        let outcome: Outcome =
            said.and_then(|said| rule.values.get(said)).copied().unwrap_or(rule.default);
        let closed = imported::Closed { outcome, closed_on };
        Ok(Some(End {
            after: last.map_or(0, |k| k.index),
            told: Told {
                event: imported::Event::from(closed).into(),
                source: None,
                occurred_at: last.map_or(end, |k| k.at.max(end)),
                line: trace.line,
            },
        }))
    }
}
