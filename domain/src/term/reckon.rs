//! The arithmetic of a clock: from entries to a due date, with each step.
//!
//! Between two interruptions lies one full term. Its period is counted first; then each
//! suspension, in the order of dates, lets the residual run from the day of resumption. Only
//! the last day is moved off Sundays and holidays.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::arithmetic::{add, days_between, is_too_long, residual};
use super::calendar::Calendar;
use super::clock::TermClock;
use super::error::TermError;
use super::length::{Length, Unit};
use super::reckoning::{DayOff, IgnoredBecause, Pause, Reckoning, Step, StepKind, TermStatus};
use super::rule::{Roll, TermOwner, TermRule};
use super::rule_set::RuleSet;
use super::timeline::{Stretch, Timeline, ignored, step};

struct Run<'a> {
    rule: &'a TermRule,
    calendar: &'a Calendar,
    timeline: &'a Timeline<'a>,
    saturday_is_working: bool,
    rolls: bool,
    unit: Unit,
    lengths: Vec<Length>,
    /// Suspensions already explained, by their place in the timeline.
    told: BTreeSet<usize>,
    pauses: Vec<Pause>,
    steps: Vec<Step>,
}

/// One full term, its suspensions applied.
struct Term {
    /// None while an open suspension holds it up.
    end: Option<Date>,
    suspended: Option<TermStatus>,
    suspended_days: u32,
    pauses: Vec<Pause>,
}

pub(super) fn reckon(
    clock: &TermClock,
    rules: &RuleSet,
    calendar: &Calendar,
) -> Result<Reckoning, TermError> {
    let rule = rules.term(&clock.rule)?;
    let timeline = Timeline::of(clock)?;
    // Art. 2963 is general by its letter; the policy is for whoever reads it as made for the
    // citizen alone.
    let office_rolls = rules.policy_flag("office_terms_roll").unwrap_or(true);
    let own = clock.length.unwrap_or(rule.length);
    let mut run = Run {
        rule,
        calendar,
        timeline: &timeline,
        saturday_is_working: rules.saturday_is_working(rule),
        rolls: rule.roll == Roll::NextNonHoliday
            && (office_rolls || rule.owner != TermOwner::Office),
        unit: own.unit,
        lengths: Vec::new(),
        told: BTreeSet::new(),
        pauses: Vec::new(),
        steps: Vec::new(),
    };
    run.set_lengths(own)?;
    let (counted_from, term, interrupted) = run.last_term()?;

    let raw_end = if interrupted.is_some() { None } else { term.end };
    let end = raw_end.map(|raw| run.roll(raw)).transpose()?;
    run.tell_roll(raw_end, end);
    let mut status = interrupted.or(term.suspended).unwrap_or(TermStatus::Running);
    if let Some((on, entry)) = timeline.stop {
        let in_time = end.is_none_or(|end| on <= end);
        run.steps.push(step(StepKind::Stopped { on, in_time }, entry));
        status = TermStatus::Stopped { on, in_time };
    }
    let Run { mut pauses, mut steps, .. } = run;
    pauses.extend(term.pauses);
    steps.extend(timeline.ignored);
    let warn_on = raw_end.map(|raw| {
        raw.checked_sub(i32::from(rule.warn_days).days()).map_or(raw, |day| day.max(counted_from))
    });
    Ok(Reckoning {
        rule: rule.id.clone(),
        rules_version: rules.version.clone(),
        calendar_version: calendar.version().to_owned(),
        article: rule.article.clone(),
        owner: rule.owner,
        effect_at_end: rule.effect_at_end,
        status,
        counted_from,
        raw_end,
        end,
        warn_on,
        suspended_days: term.suspended_days,
        pauses,
        steps,
    })
}

impl<'a> Run<'a> {
    /// The lengths to count: doubled, extended, and ordered from the largest unit to the
    /// smallest so that the order of the events makes no difference.
    fn set_lengths(&mut self, own: Length) -> Result<(), TermError> {
        let (on, entry) = self.timeline.start;
        self.steps.push(step(StepKind::Started { on, length: own }, entry));
        let mut base = own;
        if let Some((key, entry)) = self.timeline.doubling {
            // A length set for the case has no parts: the whole is doubled.
            let part = self.rule.doubled_part.filter(|part| {
                own == self.rule.length && part.unit == own.unit && part.count <= own.count
            });
            base.count = own.count.saturating_add(part.unwrap_or(own).count);
            let key = key.to_owned();
            self.steps.push(step(StepKind::Doubled { key, from: own, to: base }, entry));
        }
        let mut all = vec![base];
        for (key, by, entry) in &self.timeline.extensions {
            all.push(*by);
            let key = (*key).to_owned();
            self.steps.push(step(StepKind::Extended { key, by: *by }, entry));
        }
        let total = |unit| {
            let same = all.iter().filter(|length| length.unit == unit);
            same.fold(0u32, |sum, length| sum.saturating_add(length.count))
        };
        let (mut years, mut months) = (total(Unit::Years), total(Unit::Months));
        if years > 0 && months > 0 {
            // Counted in one go: two goes would cut the day-number at two month ends.
            months = months.saturating_add(years.saturating_mul(12));
            years = 0;
        }
        self.lengths = vec![
            Length::years(years),
            Length::months(months),
            Length::days(total(Unit::Days)),
            Length::working_days(total(Unit::WorkingDays)),
        ];
        self.lengths.retain(|length| length.count > 0);
        match self.lengths.iter().find(|length| is_too_long(**length)) {
            Some(length) => Err(TermError::TooLong { length: *length }),
            None => Ok(()),
        }
    }

    /// Goes from interruption to interruption to the term that counts now.
    fn last_term(&mut self) -> Result<(Date, Term, Option<TermStatus>), TermError> {
        let timeline = self.timeline;
        let start = timeline.start.0;
        let mut from = start;
        let mut next = 0;
        loop {
            let Some(interruption) = timeline.interruptions.get(next) else {
                return Ok((from, self.term_from(from, None)?, None));
            };
            if interruption.until.is_some_and(|until| until < start) {
                let because = IgnoredBecause::OverBeforeStart;
                self.steps.push(ignored(interruption.begin, because));
                next += 1;
                continue;
            }
            let on = interruption.from.max(from);
            let term = self.term_from(from, Some(on))?;
            if let Some(end) = term.end
                && on > self.roll(end)?
            {
                // Whatever is dated later comes after the end as well.
                for late in timeline.interruptions.iter().skip(next) {
                    self.steps.push(ignored(late.begin, IgnoredBecause::AfterEnd));
                }
                self.tell_suspensions_after_the_end();
                return Ok((from, term, None));
            }
            self.pauses.extend(term.pauses.iter().cloned());
            let (last, after) = self.interruption_group(interruption, next);
            next = after;
            let key = last.key.to_owned();
            self.pauses.push(Pause {
                key: interruption.key.to_owned(),
                after: on,
                until: last.until,
            });
            let Some(until) = last.until else {
                let none =
                    Term { end: None, suspended: None, suspended_days: 0, pauses: Vec::new() };
                return Ok((from, none, Some(TermStatus::Interrupted { since: on, key })));
            };
            from = until.max(from);
            self.steps
                .push(step(StepKind::Restarted { key, on: from }, last.end.unwrap_or(last.begin)));
        }
    }

    /// Interruptions that overlap: the one that ends last, and the place of the next in line.
    fn interruption_group(
        &mut self,
        first: &'a Stretch<'a>,
        place: usize,
    ) -> (&'a Stretch<'a>, usize) {
        let timeline = self.timeline;
        let (mut last, mut next) = (first, place);
        while let Some(other) = timeline.interruptions.get(next) {
            if last.until.is_some_and(|until| other.from > until) {
                break;
            }
            let kind = StepKind::Interrupted { key: other.key.to_owned(), on: other.from };
            self.steps.push(step(kind, other.begin));
            last = later(last, other);
            next += 1;
        }
        (last, next)
    }

    /// The full term from a day (excluded) and its suspensions, those up to a day only if the
    /// term is interrupted on it.
    fn term_from(&mut self, from: Date, up_to: Option<Date>) -> Result<Term, TermError> {
        let timeline = self.timeline;
        let mut end = self.count(from)?;
        let mut suspended_days = 0;
        let mut pauses = Vec::new();
        let mut suspended = None;
        let mut next = 0;
        while let Some(first) = timeline.suspensions.get(next) {
            if first.until.is_some_and(|until| until <= from) {
                if self.told.insert(next) {
                    let because = if from == timeline.start.0 {
                        IgnoredBecause::OverBeforeStart
                    } else {
                        IgnoredBecause::DuringInterruption
                    };
                    self.steps.push(ignored(first.begin, because));
                }
                next += 1;
                continue;
            }
            let on = first.from.max(from);
            if up_to.is_some_and(|limit| on > limit) {
                break;
            }
            if on > self.roll(end)? {
                if self.told.insert(next) {
                    self.steps.push(ignored(first.begin, IgnoredBecause::AfterEnd));
                }
                next += 1;
                continue;
            }
            let unit = self.unit;
            let left = residual(on, end, unit, self.saturday_is_working, self.calendar);
            self.told.insert(next);
            self.steps.push(step(
                StepKind::Suspended {
                    key: first.key.to_owned(),
                    on,
                    end_before: end,
                    residual: left,
                },
                first.begin,
            ));
            let (last, after) = self.suspension_group(first, next + 1, up_to);
            next = after;
            pauses.push(Pause { key: first.key.to_owned(), after: on, until: last.until });
            let Some(until) = last.until else {
                let key = last.key.to_owned();
                suspended = Some(TermStatus::Suspended { since: on, key, residual: left });
                break;
            };
            suspended_days += days_between(on, until);
            if let Some(cap_days) = last.cap_days {
                let kind = StepKind::Capped { key: last.key.to_owned(), cap_days, on: until };
                self.steps.push(step(kind, last.begin));
            }
            let (to, skipped) = add(until, left, self.saturday_is_working, self.calendar)?;
            let key = last.key.to_owned();
            let kind = StepKind::Resumed { key, on: until, residual: left, to, skipped };
            self.steps.push(step(kind, last.end.unwrap_or(last.begin)));
            end = to;
        }
        let end = if suspended.is_some() { None } else { Some(end) };
        Ok(Term { end, suspended, suspended_days, pauses })
    }

    /// Suspensions that overlap: the one that ends last, and the place of the next in line.
    fn suspension_group(
        &mut self,
        first: &'a Stretch<'a>,
        following: usize,
        up_to: Option<Date>,
    ) -> (&'a Stretch<'a>, usize) {
        let timeline = self.timeline;
        let (mut last, mut next) = (first, following);
        while let Some(other) = timeline.suspensions.get(next) {
            if last.until.is_none_or(|until| other.from > until)
                || up_to.is_some_and(|limit| other.from > limit)
            {
                break;
            }
            self.told.insert(next);
            let kind = StepKind::Overlapped { key: other.key.to_owned(), on: other.from };
            self.steps.push(step(kind, other.begin));
            last = later(last, other);
            next += 1;
        }
        (last, next)
    }

    fn count(&mut self, from: Date) -> Result<Date, TermError> {
        let (mut to, mut skipped) = (from, Vec::new());
        for length in &self.lengths {
            let (end, more) = add(to, *length, self.saturday_is_working, self.calendar)?;
            to = end;
            skipped.extend(more);
        }
        let lengths = self.lengths.clone();
        self.steps.push(Step {
            kind: StepKind::Counted { from, lengths, to, skipped },
            article: Some(self.rule.article.clone()),
            event: None,
            event_type: None,
        });
        Ok(to)
    }

    fn roll(&self, raw: Date) -> Result<Date, TermError> {
        if !self.rolls {
            return Ok(raw);
        }
        self.calendar.checked_roll_forward(raw).ok_or(TermError::OutOfCalendar)
    }

    fn tell_roll(&mut self, raw: Option<Date>, end: Option<Date>) {
        let (Some(from), Some(to)) = (raw, end) else { return };
        if from == to {
            return;
        }
        let days = std::iter::successors(Some(from), |day| day.tomorrow().ok());
        let over = days
            .take_while(|day| *day < to)
            .map(|date| DayOff { date, name: self.calendar.day_off(date) })
            .collect();
        self.steps.push(Step {
            kind: StepKind::Rolled { from, to, over },
            article: Some("c.c. art. 2963 c.3".to_owned()),
            event: None,
            event_type: None,
        });
    }

    fn tell_suspensions_after_the_end(&mut self) {
        for (place, suspension) in self.timeline.suspensions.iter().enumerate() {
            if self.told.insert(place) {
                self.steps.push(ignored(suspension.begin, IgnoredBecause::AfterEnd));
            }
        }
    }
}

/// The stretch that ends later; an open one ends last, and of two equals the first.
fn later<'a>(one: &'a Stretch<'a>, other: &'a Stretch<'a>) -> &'a Stretch<'a> {
    match (one.until, other.until) {
        (None, _) => one,
        (Some(_), None) => other,
        (Some(until), Some(other_until)) if other_until > until => other,
        (Some(_), Some(_)) => one,
    }
}
