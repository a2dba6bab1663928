//! Legal terms: calendars, rules as data, and clocks that are reckoned from events.
//!
//! What enters: civil dates, rules, holidays, entries folded from the case's events.
//! What must never enter: the present time, files, randomness, anything that differs
//! between two runs. A due date is computed, never stored, and can always explain itself.
//!
//! The common rules are those of c.c. art. 2963: the first day is not counted, days that are
//! holidays inside the term are, and a term that ends on a holiday ends on the next day that
//! is none.

mod arithmetic;
mod calendar;
mod civil;
mod clock;
mod error;
mod length;
mod notice;
mod reckon;
mod reckoning;
mod retention;
mod rule;
mod rule_book;
mod rule_set;
mod timeline;

pub use arithmetic::{Backward, backward, simple_term};
pub use calendar::{Calendar, Holiday, LocalDay, LocalHoliday, LocalHolidayError, easter};
pub use civil::{first_instant_after, first_instant_of, rome_date};
pub use clock::{ClockEntry, ClockOperation, TermClock};
pub use error::TermError;
pub use length::{Length, LengthError, Unit};
pub use notice::{NoticeWindow, notice_window};
pub use reckoning::{DayOff, IgnoredBecause, Pause, Reckoning, Step, StepKind, TermStatus};
pub use retention::{Keep, KeepError, Retention};
pub use rule::{EffectAtEnd, Roll, TermOwner, TermRule, TermRuleId};
pub use rule_book::RuleBook;
pub use rule_set::{PolicySetting, PolicyValue, RuleProblem, RuleSet};
