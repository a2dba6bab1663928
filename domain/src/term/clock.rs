//! The clock of one term: entries folded from the events of a case.
//!
//! A clock only remembers. What the entries mean is reckoned each time, so that a receipt
//! that arrives late changes the due date without rewriting anything.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::error::TermError;
use super::length::Length;
use super::reckoning::{Reckoning, TermStatus};
use super::rule::TermRuleId;
use super::rule_set::RuleSet;

/// What an event does to a clock. Suspension and interruption are different things: the first
/// stops the clock and lets the residual run on, the second sets it to zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockOperation {
    /// The term starts; the day itself is not counted (c.c. art. 2963 c.2). The first Start
    /// counts, another is ignored.
    Start {
        /// The day that is not counted.
        on: Date,
    },
    /// The clock stops at the end of the day. A key names one suspension; a second Suspend with
    /// the same key is ignored.
    Suspend {
        /// The name of the suspension.
        key: String,
        /// The last day that still elapses.
        on: Date,
        /// The clock resumes by itself after so many days (L. 241/1990 art. 2 c.7: 30).
        cap_days: Option<u16>,
    },
    /// The clock runs on; the day itself is not counted. A later entry with the same key
    /// replaces the earlier. May come before its Suspend in the log; dated before it, the
    /// suspension is null. Without a Suspend it is ignored.
    Resume {
        /// The name of the suspension.
        key: String,
        /// The day that is not counted.
        on: Date,
    },
    /// The clock is set to zero and waits for its Restart (DPR 380/2001 art. 20 c.5).
    Interrupt {
        /// The name of the interruption.
        key: String,
        /// The day of the request.
        on: Date,
    },
    /// A new full term begins; the day itself is not counted. A later entry with the same key
    /// replaces the earlier. Without an Interrupt it is ignored.
    Restart {
        /// The name of the interruption.
        key: String,
        /// The day that is not counted.
        on: Date,
    },
    /// The term is longer by so much, the new term after an interruption too. A second Extend
    /// with the same key is ignored.
    Extend {
        /// By how much.
        by: Length,
        /// The name of the extension.
        key: String,
    },
    /// The rule's own length is doubled, for the first term and for the new one after an
    /// interruption (DPR 380/2001 art. 20 c.7 doubles the terms of c.3 and c.5). Extensions
    /// are not doubled. Only one doubling counts.
    Double {
        /// The name of the doubling.
        key: String,
    },
    /// The clock stops for good. Of several, the earliest date counts. Entries dated later
    /// have no effect; nor have undated ones (Extend, Double) that follow it in the log.
    Stop {
        /// The day of the act that ends the procedure.
        on: Date,
    },
}

impl ClockOperation {
    /// The day the operation bears; Extend and Double bear none.
    pub fn on(&self) -> Option<Date> {
        match self {
            ClockOperation::Start { on }
            | ClockOperation::Suspend { on, .. }
            | ClockOperation::Resume { on, .. }
            | ClockOperation::Interrupt { on, .. }
            | ClockOperation::Restart { on, .. }
            | ClockOperation::Stop { on } => Some(*on),
            ClockOperation::Extend { .. } | ClockOperation::Double { .. } => None,
        }
    }
}

/// One entry of a clock, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockEntry {
    /// What it does.
    pub operation: ClockOperation,
    /// The revision of the event in the case's stream.
    pub event: u64,
    /// The type of the event.
    pub event_type: String,
    /// The article it rests on.
    pub basis: String,
}

/// The clock of one term of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermClock {
    /// The rule.
    pub rule: TermRuleId,
    /// A length set for this case by an act or a call, instead of the rule's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Length>,
    /// The entries in log order, which need not be the order of their dates.
    pub entries: Vec<ClockEntry>,
}

impl TermClock {
    /// A clock and its first entry.
    pub fn new(rule: TermRuleId, start: ClockEntry) -> TermClock {
        TermClock { rule, length: None, entries: vec![start] }
    }

    /// The same clock with a length of its own: half of another term for the substitute power,
    /// the days a request grants, the days of a school call.
    pub fn with_length(self, length: Length) -> TermClock {
        TermClock { length: Some(length), ..self }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: ClockEntry) {
        self.entries.push(entry);
    }

    /// Reckons the term.
    ///
    /// # Errors
    /// An unknown rule, no start, a length above a century, a date outside the calendar. No
    /// other list of entries is an error: what has no effect is a step that says so.
    pub fn reckon(&self, rules: &RuleSet, calendar: &Calendar) -> Result<Reckoning, TermError> {
        super::reckon::reckon(self, rules, calendar)
    }

    /// Reckons the term as if everything that holds it up ended on a date: a suspended clock
    /// resumes, an interrupted one restarts. "As if answered today."
    ///
    /// # Errors
    /// As [`TermClock::reckon`].
    pub fn reckon_if_resumed_on(
        &self,
        on: Date,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Reckoning, TermError> {
        let mut clock = self.clone();
        let mut reckoning = clock.reckon(rules, calendar)?;
        // Each round answers one key, so it ends with the last open one.
        for _ in 0..self.entries.len() {
            let operation = match &reckoning.status {
                TermStatus::Suspended { key, .. } => {
                    ClockOperation::Resume { key: key.clone(), on }
                }
                TermStatus::Interrupted { key, .. } => {
                    ClockOperation::Restart { key: key.clone(), on }
                }
                TermStatus::Running | TermStatus::Stopped { .. } => break,
            };
            let event_type = "what-if".to_owned();
            clock.push(ClockEntry { operation, event: 0, event_type, basis: String::new() });
            reckoning = clock.reckon(rules, calendar)?;
        }
        Ok(reckoning)
    }

    /// The legal end as if everything that holds the clock up ended on a date.
    ///
    /// # Errors
    /// As [`TermClock::reckon`].
    pub fn end_if_resumed_on(
        &self,
        on: Date,
        rules: &RuleSet,
        calendar: &Calendar,
    ) -> Result<Option<Date>, TermError> {
        Ok(self.reckon_if_resumed_on(on, rules, calendar)?.end)
    }
}
