//! Brings the entries of a clock, which come in log order, into the order of their dates.
//!
//! Here it is decided which entry counts and which is ignored; no date is reckoned except
//! the end of a capped suspension.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::clock::{ClockEntry, ClockOperation, TermClock};
use super::error::TermError;
use super::length::Length;
use super::reckoning::{IgnoredBecause, Step, StepKind};

/// A suspension or an interruption with a beginning and perhaps an end.
pub(super) struct Stretch<'a> {
    pub(super) key: &'a str,
    pub(super) from: Date,
    pub(super) until: Option<Date>,
    pub(super) begin: &'a ClockEntry,
    /// The entry that ends it; none if it is open or ends by its cap.
    pub(super) end: Option<&'a ClockEntry>,
    /// Set if it ends by its cap.
    pub(super) cap_days: Option<u16>,
}

pub(super) struct Timeline<'a> {
    pub(super) start: (Date, &'a ClockEntry),
    pub(super) stop: Option<(Date, &'a ClockEntry)>,
    pub(super) doubling: Option<(&'a str, &'a ClockEntry)>,
    pub(super) extensions: Vec<(&'a str, Length, &'a ClockEntry)>,
    /// By date of beginning.
    pub(super) suspensions: Vec<Stretch<'a>>,
    /// By date of beginning.
    pub(super) interruptions: Vec<Stretch<'a>>,
    pub(super) ignored: Vec<Step>,
}

pub(super) fn step(kind: StepKind, entry: &ClockEntry) -> Step {
    Step {
        kind,
        article: Some(entry.basis.clone()).filter(|basis| !basis.is_empty()),
        event: Some(entry.event),
        event_type: Some(entry.event_type.clone()),
    }
}

pub(super) fn ignored(entry: &ClockEntry, because: IgnoredBecause) -> Step {
    step(StepKind::Ignored { entry: entry.operation.clone(), because }, entry)
}

type Ends<'a> = BTreeMap<&'a str, (Date, &'a ClockEntry)>;

impl<'a> Timeline<'a> {
    pub(super) fn of(clock: &'a TermClock) -> Result<Timeline<'a>, TermError> {
        let stop = first_stop(&clock.entries);
        let mut start = None;
        let mut doubling = None;
        let mut extensions: Vec<(&str, Length, &ClockEntry)> = Vec::new();
        let mut suspensions: Vec<Stretch<'a>> = Vec::new();
        let mut interruptions: Vec<Stretch<'a>> = Vec::new();
        let (mut resumes, mut restarts) = (Ends::new(), Ends::new());
        let mut skipped = Vec::new();

        for (index, entry) in clock.entries.iter().enumerate() {
            let mut skip = |entry, because| skipped.push(ignored(entry, because));
            let is_start = matches!(entry.operation, ClockOperation::Start { .. });
            if let Some((stop_index, stop_on, _)) = stop
                && index != stop_index
                && !is_start
                && is_after_stop(entry, index, stop_index, stop_on)
            {
                skip(entry, IgnoredBecause::AfterStop);
                continue;
            }
            match &entry.operation {
                ClockOperation::Start { on } => match start {
                    None => start = Some((*on, entry)),
                    Some(_) => skip(entry, IgnoredBecause::AlreadyStarted),
                },
                ClockOperation::Suspend { key, on, cap_days } => {
                    if suspensions.iter().any(|known| known.key == key) {
                        skip(entry, IgnoredBecause::KeyAlreadyUsed);
                    } else {
                        let mut stretch = Stretch::open(key, *on, entry);
                        stretch.cap_days = *cap_days;
                        suspensions.push(stretch);
                    }
                }
                ClockOperation::Interrupt { key, on } => {
                    if interruptions.iter().any(|known| known.key == key) {
                        skip(entry, IgnoredBecause::KeyAlreadyUsed);
                    } else {
                        interruptions.push(Stretch::open(key, *on, entry));
                    }
                }
                ClockOperation::Resume { key, on } => {
                    if let Some((_, old)) = resumes.insert(key, (*on, entry)) {
                        skip(old, IgnoredBecause::Replaced);
                    }
                }
                ClockOperation::Restart { key, on } => {
                    if let Some((_, old)) = restarts.insert(key, (*on, entry)) {
                        skip(old, IgnoredBecause::Replaced);
                    }
                }
                ClockOperation::Extend { by, key } => {
                    if extensions.iter().any(|(known, ..)| known == key) {
                        skip(entry, IgnoredBecause::KeyAlreadyUsed);
                    } else {
                        extensions.push((key, *by, entry));
                    }
                }
                ClockOperation::Double { key } => match doubling {
                    None => doubling = Some((key.as_str(), entry)),
                    Some(_) => skip(entry, IgnoredBecause::AlreadyDoubled),
                },
                // The one that counts is known already; a later one was skipped above.
                ClockOperation::Stop { .. } => {}
            }
        }

        let start = start.ok_or_else(|| TermError::NotStarted { rule: clock.rule.clone() })?;
        let suspensions = close(suspensions, resumes, &mut skipped, true)?;
        let interruptions = close(interruptions, restarts, &mut skipped, false)?;
        let stop = stop.map(|(_, on, entry)| (on, entry));
        Ok(Timeline {
            start,
            stop,
            doubling,
            extensions,
            suspensions,
            interruptions,
            ignored: skipped,
        })
    }
}

impl<'a> Stretch<'a> {
    fn open(key: &'a str, from: Date, begin: &'a ClockEntry) -> Stretch<'a> {
        Stretch { key, from, until: None, begin, end: None, cap_days: None }
    }
}

/// The Stop that counts: the earliest date, since a stopped clock cannot be stopped again.
fn first_stop(entries: &[ClockEntry]) -> Option<(usize, Date, &ClockEntry)> {
    entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| match entry.operation {
            ClockOperation::Stop { on } => Some((index, on, entry)),
            _ => None,
        })
        .min_by_key(|(index, on, _)| (*on, *index))
}

fn is_after_stop(entry: &ClockEntry, index: usize, stop_index: usize, stop_on: Date) -> bool {
    match &entry.operation {
        ClockOperation::Stop { .. } => true,
        operation => operation.on().map_or(index > stop_index, |on| on > stop_on),
    }
}

/// Gives each stretch its end, drops those that last no time, and sorts by date. A restart on
/// the day of the interruption is a new term; a resumption on the day of the suspension holds
/// nothing up.
fn close<'a>(
    stretches: Vec<Stretch<'a>>,
    mut ends: Ends<'a>,
    skipped: &mut Vec<Step>,
    is_suspension: bool,
) -> Result<Vec<Stretch<'a>>, TermError> {
    let mut closed = Vec::new();
    for mut stretch in stretches {
        if let Some((on, entry)) = ends.remove(stretch.key) {
            (stretch.until, stretch.end) = (Some(on), Some(entry));
        }
        if let Some(days) = stretch.cap_days {
            let capped = stretch.from.checked_add(i32::from(days).days());
            let capped = capped.map_err(|_| TermError::OutOfCalendar)?;
            if stretch.until.is_none_or(|until| capped < until) {
                (stretch.until, stretch.end) = (Some(capped), None);
            } else {
                stretch.cap_days = None;
            }
        }
        let is_null = stretch
            .until
            .is_some_and(|until| until < stretch.from || (is_suspension && until == stretch.from));
        if is_null {
            skipped.push(ignored(stretch.begin, IgnoredBecause::EndsBeforeItBegins));
        } else {
            closed.push(stretch);
        }
    }
    for (_, entry) in ends.into_values() {
        skipped.push(ignored(entry, IgnoredBecause::NothingToEnd));
    }
    // A stable sort: of two on the same day the one logged first leads.
    closed.sort_by_key(|stretch| stretch.from);
    Ok(closed)
}
