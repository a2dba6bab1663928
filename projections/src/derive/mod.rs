//! What the views hold of one case, as a pure function of the folded case and the rules.
//!
//! Because it is pure, the rows written before need not be read to be changed: they are derived
//! again from the case as it was. What must never enter: SQL, a clock, anything kept between two
//! calls.

pub(crate) mod deadlines;
pub(crate) mod keys;
pub(crate) mod split;

use std::sync::Arc;

use pratica_domain::case::{CaseFile, Direction, Party, PartyRole, ReckonedTerm, TermKey};
use pratica_domain::ids::{OfficeId, OfficerId, ProtocolNumber, SubjectId};
use pratica_domain::term::{TermError, Unit};
use pratica_domain::{Case, Event, ProcedureState, permit, residency};

use crate::dates;
use crate::rules::Rules;
use deadlines::Deadline;
use keys::Keys;

/// What the views hold of one case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Derived {
    pub row: CaseFacts,
    /// By the key of the term.
    pub deadlines: Sorted<Deadline>,
    /// Who may see it, and until when.
    pub accounts: Sorted<i64>,
    /// What it is found by.
    pub keys: Arc<Keys>,
    /// What it gives to the statistics, once closed.
    pub stat: Option<Stat>,
    /// The legal term of the procedure, in days.
    pub legal_days: u32,
}

/// Values by their keys, in order. For a few of them, of which a map would take the room of eleven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sorted<V>(Vec<(String, V)>);

impl<V> Default for Sorted<V> {
    fn default() -> Self {
        Sorted(Vec::new())
    }
}

impl<V: Ord> FromIterator<(String, V)> for Sorted<V> {
    /// Of several values of a key the greatest counts.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(values: I) -> Self {
        let mut all = Vec::from_iter(values);
        all.sort_unstable_by(|(a, v), (b, w)| a.cmp(b).then_with(|| w.cmp(v)));
        all.dedup_by(|(later, _), (first, _)| later == first);
        Sorted(all)
    }
}

impl<V: PartialEq> Sorted<V> {
    fn get(&self, key: &str) -> Option<&V> {
        let at = self.0.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// What is new here or has another value than in `before`.
    pub(crate) fn changed<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a (String, V)> {
        self.0.iter().filter(|(key, value)| before.get(key) != Some(value))
    }

    /// The keys that are not here and were in `before`.
    pub(crate) fn gone<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = &'a str> {
        before.0.iter().map(|(key, _)| key.as_str()).filter(|key| self.get(key).is_none())
    }
}

/// The columns of a case that its events decide, in groups that change apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CaseFacts {
    pub opened: Opened,
    pub phase: Phase,
    pub holder: Holder,
    pub due: Due,
    pub plain: Plain,
    pub papers: Papers,
}

/// Whether its papers are held, and how far their end is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Papers {
    pub stage: &'static str,
    pub held: bool,
    pub erased_on: Option<i64>,
}

/// What never changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Opened {
    pub procedure: &'static str,
    pub kind: String,
    pub filed_on: i64,
    pub reference: Option<String>,
    pub rules_version: String,
}

/// Where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Phase {
    pub phase: &'static str,
    pub closed: bool,
    pub closed_on: Option<i64>,
    pub outcome: Option<&'static str>,
}

/// Who has it; empty where nobody has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Holder {
    pub office: String,
    pub officer: String,
}

/// What is due next, and whether the citizen has to act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub on: i64,
    pub term: Option<String>,
    pub waits: bool,
}

impl Default for Due {
    fn default() -> Self {
        Due { on: dates::NEVER, term: None, waits: false }
    }
}

/// What no index holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plain {
    pub responsible: Option<String>,
    pub protocol: Option<ProtocolNumber>,
    /// `Personal<Person>` as JSON, sealed as in the log.
    pub applicant: Option<String>,
}

/// What a closed case gives to the statistics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub month: i64,
    pub outcome: &'static str,
    pub split: split::TimeSplit,
    pub late: bool,
}

/// The clock by which a procedure is late or in time: the checks of a residency change, or its
/// registration where there are none; the latest day of a permit, or the control of a notice of
/// works; of an imported case the term that was set.
pub(crate) fn main_term(case: &Case) -> Option<TermKey> {
    let terms = &case.file.terms;
    match &case.procedure {
        ProcedureState::Residency(_) => [residency::CHECKS, residency::REGISTRATION]
            .into_iter()
            .map(TermKey::of)
            .find(|key| terms.has(key)),
        ProcedureState::Permit(_) => [permit::SILENCE, permit::CONTROL]
            .into_iter()
            .map(TermKey::of)
            .find(|key| terms.has(key))
            // An imported permit has the one term that was set.
            .or_else(|| terms.keys().find(|key| key.entry().is_none()).cloned()),
        ProcedureState::Imported(_) => terms.keys().find(|key| key.entry().is_none()).cloned(),
        // A cohort has no term of its own: the call has its days.
        ProcedureState::Enrolment(_) | ProcedureState::NotOpened => None,
    }
}

/// The terms of a case, reckoned by the rules that it pinned.
pub(crate) fn reckon(case: &Case, rules: &Rules) -> Result<Vec<ReckonedTerm>, TermError> {
    if case.file.terms.keys().next().is_none() {
        return Ok(Vec::new());
    }
    let version = case.rules_version();
    let Some(set) = rules.book.version(version) else {
        let rule = case.file.terms.keys().next().map(TermKey::rule).unwrap_or_default();
        return Err(TermError::UnknownRule { rule, version: version.to_owned() });
    };
    case.file.terms.reckon_all(set, &rules.calendar)
}

/// The events that move no clock, no closure, and nothing of what the statistics say. They are
/// named one by one: a new event counts as one that may.
pub(crate) const STAND_STILL: &[&str] = &[
    "case.party_added",
    "case.representation_granted",
    "case.representation_ended",
    "case.assigned",
    "case.conflict_declared",
    "case.note_added",
    "case.message_sent",
    "case.document_added",
    "case.document_registered",
    "case.linked",
    "case.hold_placed",
    "case.hold_lifted",
    "case.erasure_proposed",
    "case.erasure_authorised",
    "case.erased",
];

/// Whether an event may move a clock, the closure or what the statistics say.
pub(crate) fn moves_clocks(event: &Event) -> bool {
    !STAND_STILL.contains(&event.event_type())
}

/// Derives all of it. `kept` is what was derived before, if no event since then moves a clock:
/// then nothing is reckoned again.
///
/// # Errors
/// When a term cannot be reckoned.
pub(crate) fn derive(
    case: &Case,
    rules: &Rules,
    kept: Option<&Derived>,
) -> Result<Derived, TermError> {
    let file = &case.file;
    let mut derived = Derived { accounts: accounts(file), row: facts(case), ..Derived::default() };
    if let Some(kept) = kept {
        derived.deadlines.clone_from(&kept.deadlines);
        derived.stat.clone_from(&kept.stat);
        derived.legal_days = kept.legal_days;
        derived.row.due.clone_from(&kept.row.due);
    } else {
        let terms = reckon(case, rules)?;
        derived.deadlines = terms.iter().map(|t| (t.key.to_string(), Deadline::of(t))).collect();
        derived.stat = stat(case, &terms);
        derived.legal_days = legal_days(case, &terms);
        derived.row.due = deadlines::next_due(&terms);
    }
    derived.row.due.waits = file.waits_for_citizen();
    Ok(derived)
}

fn facts(case: &Case) -> CaseFacts {
    let file = &case.file;
    let opened = file.opening.as_ref().map(|o| Opened {
        procedure: o.procedure.as_str(),
        kind: o.kind.clone(),
        filed_on: dates::number(o.filed_on),
        reference: o.reference.clone(),
        rules_version: o.rules_version.clone(),
    });
    let closure = file.closure.as_ref();
    CaseFacts {
        opened: opened.unwrap_or_default(),
        phase: Phase {
            phase: case.phase(),
            closed: closure.is_some(),
            closed_on: closure.map(|c| dates::number(c.closed_on)),
            outcome: closure.map(|c| c.outcome),
        },
        holder: Holder {
            office: file.office.as_ref().map_or("", OfficeId::as_str).to_owned(),
            officer: file.officer.as_ref().map_or("", OfficerId::as_str).to_owned(),
        },
        due: Due::default(),
        plain: Plain {
            responsible: file.responsible.as_ref().map(|o| o.as_str().to_owned()),
            protocol: protocol(file),
            applicant: applicant(file),
        },
        papers: Papers {
            stage: file.disposal.stage(),
            held: file.disposal.is_held(),
            erased_on: file.disposal.erased_on().map(dates::number),
        },
    }
}

/// The number of the filing: of the declaration, or of what came in first.
fn protocol(file: &CaseFile) -> Option<ProtocolNumber> {
    let incoming = || file.documents.values().filter(|d| d.direction == Direction::Incoming);
    let declared = incoming().filter(|d| d.kind == "declaration").filter_map(|d| d.number).min();
    declared.or_else(|| incoming().filter_map(|d| d.number).min())
}

fn applicant(file: &CaseFile) -> Option<String> {
    let (_, party) = file.applicant()?;
    if file.disposal.erased_on().is_some() {
        return None;
    }
    // Only what is sealed may stand in a view. Writing two strings as JSON cannot fail.
    party.person.sealed().and_then(|_| serde_json::to_string(&party.person).ok())
}

/// The accounts of parties; of a representative while a power lasts (`account_takes_part`).
fn accounts(file: &CaseFile) -> Sorted<i64> {
    let of = |(subject, party): (&SubjectId, &Party)| {
        let account = party.account.as_ref()?;
        let until = if party.role == PartyRole::Representative {
            file.representations
                .values()
                .filter(|r| r.agent == *subject && !r.ended)
                .map(|r| r.until.map_or(dates::NEVER, dates::number))
                .max()
        } else {
            Some(dates::NEVER)
        };
        Some((account.clone(), until?))
    };
    file.parties.iter().filter_map(of).collect()
}

/// What a closed case gives to the statistics; none while it is open.
pub(crate) fn stat_of(case: &Case, rules: &Rules) -> Result<Option<Stat>, TermError> {
    if case.file.closure.is_none() {
        return Ok(None);
    }
    Ok(stat(case, &reckon(case, rules)?))
}

/// The legal term of its procedure, in days; 0 if it has none.
pub(crate) fn legal_days_of(case: &Case, rules: &Rules) -> Result<u32, TermError> {
    Ok(legal_days(case, &reckon(case, rules)?))
}

fn legal_days(case: &Case, terms: &[ReckonedTerm]) -> u32 {
    let Some(main) = main_term(case) else { return 0 };
    let length = terms.iter().find(|t| t.key == main).map(|t| t.rule.length);
    length.map_or(0, |length| match length.unit {
        Unit::Days | Unit::WorkingDays => length.count,
        // Only for comparison with days that really passed: no due date comes from this.
        Unit::Months => length.count.saturating_mul(30),
        Unit::Years => length.count.saturating_mul(365),
    })
}

fn stat(case: &Case, terms: &[ReckonedTerm]) -> Option<Stat> {
    let closure = case.file.closure.as_ref()?;
    let split = split::time_split(case, terms)?;
    let main = main_term(case).and_then(|key| terms.iter().find(|t| t.key == key));
    Some(Stat {
        month: dates::month(closure.closed_on),
        outcome: closure.outcome,
        split,
        late: main.is_some_and(deadlines::was_late),
    })
}
