//! Counts move by differences, summed over a batch and written once.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::dates;
use crate::derive::{Derived, Stat};
use crate::error::ViewError;

/// A procedure and a kind.
pub(crate) type Kind = (&'static str, String);

/// What a batch changes in the counts.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    /// By office and officer: open, waiting.
    counts: BTreeMap<(String, String), (i64, i64)>,
    /// By office and due date.
    due: BTreeMap<(String, i64), i64>,
    statistics: StatDeltas,
}

/// What changes in the statistics.
#[derive(Debug, Default)]
pub(crate) struct StatDeltas {
    /// Open cases, the legal term and the case it was taken from.
    kinds: BTreeMap<Kind, (i64, u32, i64)>,
    /// By month and outcome: closed, late.
    outcomes: BTreeMap<(Kind, i64, &'static str), (i64, i64)>,
    /// By month, measure and days.
    days: BTreeMap<(Kind, i64, &'static str, u32), i64>,
}

impl Deltas {
    /// Takes out what a case counted for, and in what it counts for now.
    pub(crate) fn moved(&mut self, key: i64, before: Option<&Derived>, after: &Derived) {
        if let Some(before) = before {
            self.held(before, -1);
        }
        self.held(after, 1);
        let kind = (after.row.opened.procedure, after.row.opened.kind.clone());
        let stat_before = before.and_then(|b| b.stat.as_ref());
        self.statistics.moved(&kind, stat_before, after.stat.as_ref());
        let was_open = before.is_some_and(|b| !b.row.phase.closed);
        let opened = i64::from(!after.row.phase.closed) - i64::from(was_open);
        self.statistics.opened(kind.clone(), opened);
        self.statistics.legal_term(kind, after.legal_days, key);
    }

    fn held(&mut self, derived: &Derived, by: i64) {
        if derived.row.phase.closed {
            return;
        }
        let (holder, due) = (&derived.row.holder, &derived.row.due);
        let counts =
            self.counts.entry((holder.office.clone(), holder.officer.clone())).or_default();
        counts.0 += by;
        counts.1 += if due.waits { by } else { 0 };
        if due.on != dates::NEVER {
            *self.due.entry((holder.office.clone(), due.on)).or_default() += by;
        }
    }

    /// Writes all of it. A count that comes to zero has no row.
    pub(crate) fn write(&self, c: &Connection) -> Result<(), ViewError> {
        let mut add = c.prepare_cached(
            "INSERT INTO counts VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE \
             SET open = open + ?3, waiting = waiting + ?4",
        )?;
        let mut drop =
            c.prepare_cached("DELETE FROM counts WHERE office = ? AND officer = ? AND open = 0")?;
        for ((office, officer), (open, waiting)) in &self.counts {
            if (*open, *waiting) != (0, 0) {
                add.execute((office, officer, open, waiting))?;
                drop.execute((office, officer))?;
            }
        }
        let mut add = c.prepare_cached(
            "INSERT INTO due_counts VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + ?3",
        )?;
        let mut drop =
            c.prepare_cached("DELETE FROM due_counts WHERE office = ? AND due = ? AND n = 0")?;
        for ((office, due), n) in self.due.iter().filter(|(_, n)| **n != 0) {
            add.execute((office, due, n))?;
            drop.execute((office, due))?;
        }
        self.statistics.write(c)
    }
}

impl StatDeltas {
    /// Takes out what a case gave, and in what it gives now.
    pub(crate) fn moved(&mut self, kind: &Kind, before: Option<&Stat>, after: Option<&Stat>) {
        if before == after {
            return;
        }
        if let Some(stat) = before {
            self.closed(kind, stat, -1);
        }
        if let Some(stat) = after {
            self.closed(kind, stat, 1);
        }
    }

    /// So many more of this kind are open.
    pub(crate) fn opened(&mut self, kind: Kind, by: i64) {
        self.kinds.entry(kind).or_default().0 += by;
    }

    /// The legal term of a kind, by the case with this key: of several the youngest counts.
    pub(crate) fn legal_term(&mut self, kind: Kind, days: u32, key: i64) {
        let known = self.kinds.entry(kind).or_default();
        if key >= known.2 {
            (known.1, known.2) = (days, key);
        }
    }

    fn closed(&mut self, kind: &Kind, stat: &Stat, by: i64) {
        let outcome = self.outcomes.entry((kind.clone(), stat.month, stat.outcome)).or_default();
        outcome.0 += by;
        outcome.1 += if stat.late { by } else { 0 };
        let split = &stat.split;
        for (measure, days) in [
            ("total", split.total_days),
            ("office", split.office_days),
            ("citizen", split.citizen_days),
            ("third_party", split.third_party_days),
            ("suspended", split.suspended_days),
        ] {
            *self.days.entry((kind.clone(), stat.month, measure, days)).or_default() += by;
        }
    }

    /// Writes all of it. A count that comes to zero has no row, except of the open.
    pub(crate) fn write(&self, c: &Connection) -> Result<(), ViewError> {
        let mut add = c.prepare_cached(
            "INSERT INTO stat_kinds VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET \
             open = open + ?3, \
             legal_days = CASE WHEN ?5 >= legal_key THEN ?4 ELSE legal_days END, \
             legal_key = max(legal_key, ?5)",
        )?;
        for ((procedure, kind), (open, legal_days, key)) in &self.kinds {
            add.execute((procedure, kind, open, legal_days, key))?;
        }
        let mut add = c.prepare_cached(
            "INSERT INTO stat_outcomes VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE \
             SET n = n + ?5, late = late + ?6",
        )?;
        let mut drop = c.prepare_cached(
            "DELETE FROM stat_outcomes WHERE procedure = ? AND kind = ? AND month = ? \
             AND outcome = ? AND n = 0",
        )?;
        for (((procedure, kind), month, outcome), (n, late)) in &self.outcomes {
            if (*n, *late) != (0, 0) {
                add.execute((procedure, kind, month, outcome, n, late))?;
                drop.execute((procedure, kind, month, outcome))?;
            }
        }
        let mut add = c.prepare_cached(
            "INSERT INTO stat_days VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE \
             SET n = n + ?6",
        )?;
        let mut drop = c.prepare_cached(
            "DELETE FROM stat_days WHERE procedure = ? AND kind = ? AND month = ? \
             AND measure = ? AND days = ? AND n = 0",
        )?;
        for (((procedure, kind), month, measure, days), n) in &self.days {
            if *n != 0 {
                add.execute((procedure, kind, month, measure, days, n))?;
                drop.execute((procedure, kind, month, measure, days))?;
            }
        }
        Ok(())
    }
}
