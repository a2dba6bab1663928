//! The result of a reckoning and the steps that explain it.
//!
//! Steps are structured data; turning them into sentences is someone else's work.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::civil::first_instant_after;
use super::clock::ClockOperation;
use super::length::Length;
use super::rule::{EffectAtEnd, TermOwner, TermRuleId};

/// How a term stands, by what is on record. A reckoning knows no "today": a suspension whose
/// end is known, even a future one, leaves the term Running (see [`Reckoning::is_paused_on`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum TermStatus {
    /// The end is known.
    Running,
    /// The clock stands and nothing says when it resumes.
    Suspended {
        /// The last day that elapsed.
        since: Date,
        /// The suspension that holds it up (the first, of several).
        key: String,
        /// What is left: calendar days, or working days if the rule counts those.
        residual: Length,
    },
    /// The clock was set to zero and waits for its restart.
    Interrupted {
        /// The day of the interruption.
        since: Date,
        /// The interruption that holds it up.
        key: String,
    },
    /// An act has ended the procedure.
    Stopped {
        /// The day of the act.
        on: Date,
        /// Whether the act came no later than the legal end.
        in_time: bool,
    },
}

/// A stretch in which the clock stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// The suspension (the first, where several overlap) or the interruption.
    pub key: String,
    /// The clock stopped at the end of this day.
    pub after: Date,
    /// The day from which it runs on, not counted itself; none if unknown.
    pub until: Option<Date>,
}

/// A day on which nobody works, met while counting or rolling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayOff {
    /// The day.
    pub date: Date,
    /// Its Italian name: a holiday, "domenica", "sabato".
    pub name: String,
}

/// One step of the arithmetic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was done.
    #[serde(flatten)]
    pub kind: StepKind,
    /// The article, where the step rests on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// The revision of the event behind it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<u64>,
    /// The type of that event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum StepKind {
    /// The term starts; the day is not counted.
    Started {
        /// The day.
        on: Date,
        /// The rule's length, or the one set for the case.
        length: Length,
    },
    /// The length is doubled.
    Doubled {
        /// The doubling.
        key: String,
        /// Before.
        from: Length,
        /// After.
        to: Length,
    },
    /// The term is made longer.
    Extended {
        /// The extension.
        key: String,
        /// By how much.
        by: Length,
    },
    /// The full length is counted from a day, which is excluded.
    Counted {
        /// The day excluded.
        from: Date,
        /// The lengths counted, in this order.
        lengths: Vec<Length>,
        /// The last day.
        to: Date,
        /// Days skipped in counting working days.
        skipped: Vec<DayOff>,
    },
    /// The clock stops at the end of a day.
    Suspended {
        /// The suspension.
        key: String,
        /// The last day that elapses.
        on: Date,
        /// The end before this suspension.
        end_before: Date,
        /// What is left.
        residual: Length,
    },
    /// Another suspension overlaps the one under way; days are not counted twice.
    Overlapped {
        /// The other suspension.
        key: String,
        /// Its beginning.
        on: Date,
    },
    /// A suspension ends at its cap.
    Capped {
        /// The suspension.
        key: String,
        /// The cap.
        cap_days: u16,
        /// The last day of the cap, from which the clock runs on.
        on: Date,
    },
    /// The clock runs on from a day, which is excluded.
    Resumed {
        /// The suspension that ended last.
        key: String,
        /// The day excluded.
        on: Date,
        /// What was left.
        residual: Length,
        /// The new last day.
        to: Date,
        /// Days skipped in counting working days.
        skipped: Vec<DayOff>,
    },
    /// The clock is set to zero.
    Interrupted {
        /// The interruption.
        key: String,
        /// The day.
        on: Date,
    },
    /// A new full term begins from a day, which is excluded.
    Restarted {
        /// The interruption that ended last.
        key: String,
        /// The day excluded.
        on: Date,
    },
    /// The last day is a Sunday or a holiday: the end moves.
    Rolled {
        /// From.
        from: Date,
        /// To.
        to: Date,
        /// The days passed over.
        over: Vec<DayOff>,
    },
    /// An act ends the procedure.
    Stopped {
        /// The day.
        on: Date,
        /// Whether it is in time.
        in_time: bool,
    },
    /// An entry has no effect.
    Ignored {
        /// The entry.
        entry: ClockOperation,
        /// Why.
        because: IgnoredBecause,
    },
}

/// Why an entry has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoredBecause {
    /// The term had already started.
    AlreadyStarted,
    /// The key names an operation already recorded.
    KeyAlreadyUsed,
    /// A later entry with the same key replaces it.
    Replaced,
    /// Nothing of that key was suspended or interrupted.
    NothingToEnd,
    /// It was over before the term started.
    OverBeforeStart,
    /// It lies within an interruption, while no term ran.
    DuringInterruption,
    /// The term had already run out on that day.
    AfterEnd,
    /// The clock had already been stopped.
    AfterStop,
    /// A doubled term is not doubled again.
    AlreadyDoubled,
    /// It ends before it begins, so it lasts no day.
    EndsBeforeItBegins,
}

/// What a clock comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reckoning {
    /// The term.
    pub rule: TermRuleId,
    /// The version of the rules used.
    pub rules_version: String,
    /// What the calendar was made of.
    pub calendar_version: String,
    /// The article of the rule.
    pub article: String,
    /// Who must act.
    pub owner: TermOwner,
    /// What the end brings about.
    pub effect_at_end: EffectAtEnd,
    /// How the term stands.
    #[serde(flatten)]
    pub status: TermStatus,
    /// The day from which the present term is counted (excluded).
    pub counted_from: Date,
    /// The last day before the roll: the office's own alerts go by it. None while the end is
    /// unknown (suspended without a cap, or interrupted).
    pub raw_end: Option<Date>,
    /// The legal last day, after the roll.
    pub end: Option<Date>,
    /// The day on which to warn: `warn_days` before the raw end, not before the start.
    pub warn_on: Option<Date>,
    /// How many days the present term stood still, unended suspensions not counted.
    pub suspended_days: u32,
    /// Where the clock stood, suspensions of the present term and all interruptions.
    pub pauses: Vec<Pause>,
    /// Each step of the arithmetic, in order.
    pub steps: Vec<Step>,
}

impl Reckoning {
    /// The instant at which the term has run out: the first of the day after its end, in Rome.
    /// None if the end is unknown or an act came first.
    pub fn runs_out_at(&self) -> Option<Timestamp> {
        match self.status {
            TermStatus::Stopped { in_time: true, .. } => None,
            _ => self.end.map(first_instant_after),
        }
    }

    /// Whether the term has run out when a day begins.
    pub fn has_run_out_on(&self, day: Date) -> bool {
        self.runs_out_at().is_some() && self.end.is_some_and(|end| end < day)
    }

    /// Whether an act on a day would be in time. An unknown end cannot be missed.
    pub fn is_in_time_on(&self, day: Date) -> bool {
        self.end.is_none_or(|end| day <= end)
    }

    /// Whether the clock stands on a day.
    pub fn is_paused_on(&self, day: Date) -> bool {
        self.pauses
            .iter()
            .any(|pause| pause.after < day && pause.until.is_none_or(|until| day <= until))
    }
}
