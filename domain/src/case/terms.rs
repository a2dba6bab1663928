//! The terms of one case: which clocks it has, folded from its events, and their reckoning.
//!
//! The due date is never kept: it is computed from the clocks, the pinned rules and the calendar.

use super::events::NoticeStopsAt;
use crate::ids::EntryId;
use crate::term::{
    Calendar, ClockEntry, ClockOperation, Length, NoticeWindow, Reckoning, RuleSet, TermClock,
    TermError, TermRule, TermRuleId, TermStatus, notice_window, simple_term,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Names one clock of a case: a rule, and the request or notice that it belongs to, if any.
///
/// Text form: `residency.checks`, or `case.additions#<uuid>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TermKey(String);

impl TermKey {
    /// The clock of a rule that a case has once.
    pub fn of(rule: &str) -> Self {
        TermKey(rule.to_owned())
    }

    /// The clock of a rule that a case has once for each request or notice.
    pub fn instance(rule: &str, entry: EntryId) -> Self {
        TermKey(format!("{rule}#{entry}"))
    }

    /// The rule.
    pub fn rule(&self) -> TermRuleId {
        TermRuleId::from(self.0.split('#').next().unwrap_or_default())
    }

    /// The request or notice, if the clock belongs to one.
    pub fn entry(&self) -> Option<EntryId> {
        self.0.split_once('#').and_then(|(_, id)| id.parse().ok())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TermKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One clock of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaseTerm {
    /// The folded clock.
    pub clock: TermClock,
    /// The end for which expiry is on record.
    pub expired_for: Option<Date>,
}

impl CaseTerm {
    fn is_stopped(&self) -> bool {
        let stop = |e: &ClockEntry| matches!(e.operation, ClockOperation::Stop { .. });
        self.clock.entries.iter().any(stop)
    }
}

/// A notice of rejection as far as it moves clocks (L. 241/1990 art. 10-bis).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeClock {
    /// The notice.
    pub notice: EntryId,
    /// The terms it suspends.
    pub suspends: Vec<TermKey>,
    /// From which fact.
    pub stops_at: NoticeStopsAt,
    /// Sending: day and event.
    pub sent: (Date, u64),
    /// Receipt: day and event.
    pub received: Option<(Date, u64)>,
    /// Observations: day and event.
    pub observed: Option<(Date, u64)>,
}

/// A term with its reckoning, ready to be shown or to fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReckonedTerm {
    /// Which clock.
    pub key: TermKey,
    /// The rule.
    pub rule: TermRule,
    /// The dates and how they came about.
    pub reckoning: Reckoning,
    /// The end for which expiry is on record.
    pub expired_for: Option<Date>,
}

impl ReckonedTerm {
    /// Whether the clock has not been stopped for good.
    pub fn is_open(&self) -> bool {
        !matches!(self.reckoning.status, TermStatus::Stopped { .. })
    }

    /// Whether the term's last day is over on `today` and its expiry is not on record.
    pub fn has_run_out(&self, today: Date) -> bool {
        matches!(self.reckoning.status, TermStatus::Running)
            && self.reckoning.end.is_some_and(|end| end < today && self.expired_for != Some(end))
    }
}

/// All clocks of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    clocks: BTreeMap<TermKey, CaseTerm>,
    notices: Vec<NoticeClock>,
    /// What happens to the first happens to the second, but start and end.
    followers: BTreeMap<TermKey, BTreeSet<TermKey>>,
}

impl Terms {
    /// The notices of rejection, in the order of their sending.
    pub fn notices(&self) -> &[NoticeClock] {
        &self.notices
    }

    /// The notice that was sent last.
    pub fn last_notice(&self) -> Option<&NoticeClock> {
        self.notices.last()
    }

    /// Every clock's key.
    pub fn keys(&self) -> impl Iterator<Item = &TermKey> {
        self.clocks.keys()
    }

    /// Whether the case has this clock.
    pub fn has(&self, key: &TermKey) -> bool {
        self.clocks.contains_key(key)
    }

    /// The end for which expiry of this clock is on record.
    pub fn expired_for(&self, key: &TermKey) -> Option<Date> {
        self.clocks.get(key).and_then(|t| t.expired_for)
    }

    /// Starts a clock; a clock that exists is left alone.
    pub fn start(&mut self, key: TermKey, length: Option<Length>, entry: ClockEntry) {
        let rule = key.rule();
        self.clocks.entry(key).or_insert_with(|| {
            let clock = TermClock::new(rule, entry);
            let clock = match length {
                Some(length) => clock.with_length(length),
                None => clock,
            };
            CaseTerm { clock, expired_for: None }
        });
    }

    /// Puts a clock in the place of whatever stood under this key.
    pub(crate) fn replace(&mut self, key: TermKey, term: CaseTerm) {
        self.clocks.insert(key, term);
    }

    /// Lets a clock, there or to come, follow another: what suspends, interrupts or resumes the
    /// one does so to the other, even after the first has stopped.
    pub(crate) fn follow(&mut self, leader: &TermKey, follower: TermKey) {
        self.followers.entry(leader.clone()).or_default().insert(follower);
    }

    /// Adds an operation to a clock that exists, and to those that follow it.
    pub fn push(&mut self, key: &TermKey, entry: ClockEntry) {
        let shared = matches!(
            entry.operation,
            ClockOperation::Suspend { .. }
                | ClockOperation::Resume { .. }
                | ClockOperation::Interrupt { .. }
                | ClockOperation::Restart { .. }
        );
        if shared {
            for follower in self.followers.get(key).into_iter().flatten() {
                if let Some(term) = self.clocks.get_mut(follower) {
                    term.clock.push(entry.clone());
                }
            }
        }
        if let Some(term) = self.clocks.get_mut(key) {
            term.clock.push(entry);
        }
    }

    /// Lets a clock that was stopped run on as if it had not been.
    pub(crate) fn reinstate(&mut self, key: &TermKey) {
        if let Some(term) = self.clocks.get_mut(key) {
            let stop = |e: &ClockEntry| matches!(e.operation, ClockOperation::Stop { .. });
            term.clock.entries.retain(|e| !stop(e));
        }
    }

    /// Takes a clock away whose ground fell away.
    pub(crate) fn remove(&mut self, key: &TermKey) {
        self.clocks.remove(key);
    }

    /// Stops every clock that has not been stopped.
    pub fn stop_all(&mut self, on: Date, event: u64, event_type: &str) {
        for term in self.clocks.values_mut().filter(|t| !t.is_stopped()) {
            term.clock.push(ClockEntry {
                operation: ClockOperation::Stop { on },
                event,
                event_type: event_type.to_owned(),
                basis: String::new(),
            });
        }
    }

    /// Notes that expiry of the term with this end is on record.
    pub fn mark_expired(&mut self, key: &TermKey, due_on: Date) {
        if let Some(term) = self.clocks.get_mut(key) {
            term.expired_for = Some(due_on);
        }
    }

    /// Adds a notice of rejection.
    pub fn notice_sent(&mut self, notice: NoticeClock) {
        self.notices.push(notice);
    }

    /// Adds the receipt of a notice.
    pub fn notice_received(&mut self, notice: EntryId, on: Date, event: u64) {
        if let Some(n) = self.notices.iter_mut().find(|n| n.notice == notice) {
            n.received = Some((on, event));
        }
    }

    /// Adds the first observations on a notice.
    pub fn observations_filed(&mut self, notice: EntryId, on: Date, event: u64) {
        if let Some(n) = self.notices.iter_mut().find(|n| n.notice == notice) {
            n.observed.get_or_insert((on, event));
        }
    }

    /// Frees terms that start anew from the notices of the closed round.
    pub(crate) fn notices_leave(&mut self, restarts: &[TermKey]) {
        for notice in &mut self.notices {
            notice.suspends.retain(|key| !restarts.contains(key));
        }
    }

    /// The day from which a clock runs on after the suspension of this name, if on record.
    pub(crate) fn resumption(&self, key: &TermKey, suspension: &str) -> Option<Date> {
        let entries = &self.clocks.get(key)?.clock.entries;
        entries.iter().rev().find_map(|entry| match &entry.operation {
            ClockOperation::Resume { key, on } if key == suspension => Some(*on),
            _ => None,
        })
    }

    /// A clock with the notices that suspend it.
    fn clock(
        &self,
        key: &TermKey,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<Cow<'_, TermClock>>, TermError> {
        let Some(term) = self.clocks.get(key) else { return Ok(None) };
        let mut clock = Cow::Borrowed(&term.clock);
        for notice in self.notices.iter().filter(|n| n.suspends.contains(key)) {
            for entry in notice.clock_entries(rules, calendar)? {
                clock.to_mut().push(entry);
            }
        }
        Ok(Some(clock))
    }

    /// Reckons one clock.
    ///
    /// # Errors
    /// When the rule is unknown to the rule set or a date leaves the calendar.
    pub fn reckon(
        &self,
        key: &TermKey,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<ReckonedTerm>, TermError> {
        let Some(term) = self.clocks.get(key) else { return Ok(None) };
        let rule = rules.term(&key.rule())?;
        let Some(clock) = self.clock(key, rules, calendar)? else { return Ok(None) };
        let reckoning = clock.reckon(rules, calendar)?;
        Ok(Some(ReckonedTerm {
            key: key.clone(),
            rule: rule.clone(),
            reckoning,
            expired_for: term.expired_for,
        }))
    }

    /// The legal end of a clock as if everything that holds it up ended on a day.
    ///
    /// # Errors
    /// As [`Terms::reckon`].
    pub fn end_if_resumed_on(
        &self,
        key: &TermKey,
        on: Date,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<Date>, TermError> {
        match self.clock(key, rules, calendar)? {
            Some(clock) => clock.end_if_resumed_on(on, rules, calendar),
            None => Ok(None),
        }
    }

    /// Reckons every clock, in the order of their keys.
    ///
    /// # Errors
    /// As [`Terms::reckon`].
    pub fn reckon_all(
        &self,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Vec<ReckonedTerm>, TermError> {
        let mut all = Vec::with_capacity(self.clocks.len());
        for key in self.clocks.keys() {
            all.extend(self.reckon(key, rules, calendar)?);
        }
        Ok(all)
    }
}

/// The rule of the window for observations (L. 241/1990 art. 10-bis).
pub const OBSERVATIONS_RULE: &str = "case.notice_observations";

impl NoticeClock {
    /// The window for observations, once receipt is known.
    ///
    /// # Errors
    /// When the rule is missing or a date leaves the calendar.
    pub fn window(
        &self,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<NoticeWindow>, TermError> {
        let Some((received, _)) = self.received else { return Ok(None) };
        let rule = rules.term(&TermRuleId::from(OBSERVATIONS_RULE))?;
        let observed = self.observed.map(|(on, _)| on);
        notice_window(received, observed, rule.length, calendar).map(Some)
    }

    /// The last day for observations, once receipt is known.
    ///
    /// # Errors
    /// As [`NoticeClock::window`].
    pub fn window_end(
        &self,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<Date>, TermError> {
        Ok(self.window(rules, calendar)?.map(|window| window.closes_on))
    }

    /// The day the suspended terms run again, once it is known, and the event behind it: ten days
    /// after observations filed in time, otherwise the end of the window. Late observations move
    /// nothing; observations are in time as long as no receipt says otherwise.
    ///
    /// # Errors
    /// As [`NoticeClock::window`].
    pub fn resumes_on(
        &self,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<(Date, u64)>, TermError> {
        match (self.window(rules, calendar)?, self.observed, self.received) {
            (Some(w), Some((_, event)), _) if w.observations_in_time == Some(true) => {
                Ok(Some((w.resumes_on, event)))
            }
            (Some(w), _, Some((_, event))) => Ok(Some((w.resumes_on, event))),
            (_, Some((on, event)), _) => {
                let rule = rules.term(&TermRuleId::from(OBSERVATIONS_RULE))?;
                let after = simple_term(on, rule.length, true, calendar)?;
                Ok(after.raw_end.map(|resume| (resume, event)))
            }
            _ => Ok(None),
        }
    }

    fn clock_entries(
        &self,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Vec<ClockEntry>, TermError> {
        let basis = "L. 241/1990 art. 10-bis";
        let key = format!("notice#{}", self.notice);
        let stop = match self.stops_at {
            NoticeStopsAt::Sending => Some((self.sent, "case.notice_sent")),
            NoticeStopsAt::Receipt => self.received.map(|r| (r, "case.notice_received")),
        };
        let mut entries = Vec::with_capacity(2);
        if let Some(((on, event), event_type)) = stop {
            entries.push(ClockEntry {
                operation: ClockOperation::Suspend { key: key.clone(), on, cap_days: None },
                event,
                event_type: event_type.to_owned(),
                basis: basis.to_owned(),
            });
            if let Some((on, event)) = self.resumes_on(rules, calendar)? {
                let by_observations = self.observed.is_some_and(|(_, e)| e == event);
                entries.push(ClockEntry {
                    operation: ClockOperation::Resume { key, on },
                    event,
                    event_type: if by_observations {
                        "case.observations_filed".to_owned()
                    } else {
                        "case.notice_received".to_owned()
                    },
                    basis: basis.to_owned(),
                });
            }
        }
        Ok(entries)
    }
}
