//! The clocks of a case as rows, and which of them is due next.

use pratica_domain::case::ReckonedTerm;
use pratica_domain::term::{EffectAtEnd, TermOwner, TermStatus};

use super::Due;
use crate::dates;

/// One clock as a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    pub rule: String,
    pub end: Option<i64>,
    pub raw_end: Option<i64>,
    pub warn_on: Option<i64>,
    pub status: &'static str,
    pub owner: &'static str,
    pub effect: &'static str,
    pub expired_for: Option<i64>,
    /// The end, while it has to fire.
    pub fires: Option<i64>,
}

impl Deadline {
    pub(crate) fn of(term: &ReckonedTerm) -> Deadline {
        let r = &term.reckoning;
        Deadline {
            rule: r.rule.as_str().to_owned(),
            end: r.end.map(dates::number),
            raw_end: r.raw_end.map(dates::number),
            warn_on: r.warn_on.map(dates::number),
            status: status(&r.status),
            owner: owner(r.owner),
            effect: effect(r.effect_at_end),
            expired_for: term.expired_for.map(dates::number),
            fires: fires(term).then(|| r.end.map(dates::number)).flatten(),
        }
    }
}

/// Whether the end, once past, has to take effect (`ReckonedTerm::has_run_out`).
fn fires(term: &ReckonedTerm) -> bool {
    matches!(term.reckoning.status, TermStatus::Running)
        && term.reckoning.end.is_some()
        && term.expired_for != term.reckoning.end
}

/// The earliest end of a running term of the office or the citizen. A term whose expiry is on
/// record counts on only where the office still has to act: its work stays overdue.
pub(crate) fn next_due(terms: &[ReckonedTerm]) -> Due {
    let waiting = terms.iter().filter(|t| {
        let r = &t.reckoning;
        let office_owes = r.owner == TermOwner::Office && r.effect_at_end != EffectAtEnd::Lapse;
        matches!(r.status, TermStatus::Running)
            && r.owner != TermOwner::OtherBody
            && (t.expired_for != r.end || office_owes)
    });
    let first = waiting.filter_map(|t| t.reckoning.end.map(|end| (end, &t.key))).min();
    first.map_or_else(Due::default, |(end, key)| Due {
        on: dates::number(end),
        term: Some(key.to_string()),
        waits: false,
    })
}

/// Whether the act that ended a procedure came after the legal end of its term.
pub(crate) fn was_late(term: &ReckonedTerm) -> bool {
    matches!(term.reckoning.status, TermStatus::Stopped { in_time: false, .. })
}

fn status(status: &TermStatus) -> &'static str {
    match status {
        TermStatus::Running => "running",
        TermStatus::Suspended { .. } => "suspended",
        TermStatus::Interrupted { .. } => "interrupted",
        TermStatus::Stopped { .. } => "stopped",
    }
}

fn owner(owner: TermOwner) -> &'static str {
    match owner {
        TermOwner::Office => "office",
        TermOwner::Citizen => "citizen",
        TermOwner::OtherBody => "other_body",
    }
}

fn effect(effect: EffectAtEnd) -> &'static str {
    match effect {
        EffectAtEnd::SilenceAssent => "silence_assent",
        EffectAtEnd::SilenceRefusal => "silence_refusal",
        EffectAtEnd::Alert => "alert",
        EffectAtEnd::Lapse => "lapse",
    }
}
