//! Who had a case, day by day: the days from filing to end, split without remainder.

use jiff::civil::Date;
use pratica_domain::Case;
use pratica_domain::case::{OBSERVATIONS_RULE, ReckonedTerm};
use pratica_domain::term::TermStatus;

/// The days from filing to end, by who had the case. The four parts sum to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeSplit {
    /// Days from filing to end; the day of filing is not counted.
    pub total_days: u32,
    /// The office had it.
    pub office_days: u32,
    /// A request waited for the citizen, or the window for observations ran.
    pub citizen_days: u32,
    /// The main term was suspended for what other bodies hold (L. 241/1990 art. 2 c. 7).
    pub third_party_days: u32,
    /// The main term stood still for another reason: a notice not yet received, the ten days
    /// after observations.
    pub suspended_days: u32,
}

/// Days after `after`, up to and including `to`.
#[derive(Debug, Clone, Copy)]
struct Days {
    after: Date,
    to: Date,
}

impl Days {
    fn contain(self, day: Date) -> bool {
        self.after < day && day <= self.to
    }
}

/// Splits the time of a closed case; none while it is open. A day that two could claim is the
/// citizen's before it is another body's, and that before it is merely suspended. A pause before
/// an interruption of the main term is part of the interruption's own term and counts as the
/// office's: the reckoning keeps the pauses of the present term only.
pub fn time_split(case: &Case, terms: &[ReckonedTerm]) -> Option<TimeSplit> {
    let filed_on = case.file.opening.as_ref()?.filed_on;
    let closed_on = case.file.closure.as_ref()?.closed_on;
    let mut citizen = Vec::new();
    let mut others = Vec::new();
    let mut suspended = Vec::new();
    for term in terms {
        if let Some(days) = citizens_turn(case, term, closed_on) {
            citizen.push(days);
        }
    }
    let main = super::main_term(case);
    if let Some(term) = terms.iter().find(|t| Some(&t.key) == main.as_ref()) {
        for pause in &term.reckoning.pauses {
            let days = Days { after: pause.after, to: pause.until.unwrap_or(closed_on) };
            let declared = pause.key.parse().is_ok_and(|e| case.file.suspensions.contains_key(&e));
            if declared { others.push(days) } else { suspended.push(days) }
        }
    }
    let mut split = TimeSplit::default();
    let mut day = filed_on;
    while day < closed_on {
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        let on = |stretches: &[Days]| stretches.iter().any(|days| days.contain(day));
        split.total_days += 1;
        if on(&citizen) {
            split.citizen_days += 1;
        } else if on(&others) {
            split.third_party_days += 1;
        } else if on(&suspended) {
            split.suspended_days += 1;
        } else {
            split.office_days += 1;
        }
    }
    Some(split)
}

/// The days on which a term has the citizen act: a request until it is answered, lapses or is
/// taken back, the window for observations until they come or it ends.
fn citizens_turn(case: &Case, term: &ReckonedTerm, closed_on: Date) -> Option<Days> {
    let entry = term.key.entry()?;
    let request = case.file.requests.get(&entry);
    let window = term.key.rule().as_str() == OBSERVATIONS_RULE;
    if request.is_none() && !window {
        return None;
    }
    let stopped = match term.reckoning.status {
        TermStatus::Stopped { on, .. } => Some(on),
        _ => None,
    };
    let ends =
        if window { [stopped, term.reckoning.end].into_iter().flatten().min() } else { stopped };
    let after = request.map_or(term.reckoning.counted_from, |r| r.sent_on);
    Some(Days { after, to: ends.unwrap_or(closed_on) })
}
