//! What an import came to, in numbers.

use super::count::Counted;
use super::translate::Story;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many different activities are counted one by one.
const ACTIVITIES: usize = 10_000;

/// What the file holds, and what it becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Cases.
    pub cases: u64,
    /// Events of the file.
    pub source_events: u64,
    /// Events of the file that are carried by a domain event, by its type.
    pub domain: BTreeMap<String, u64>,
    /// Events of the file that are recorded steps.
    pub steps: u64,
    /// Events that stand for what the file says of cases as a whole, by type.
    pub of_cases: BTreeMap<String, u64>,
}

impl Tally {
    /// Events of the file that are carried by a domain event.
    pub fn domain_events(&self) -> u64 {
        self.domain.values().sum()
    }

    /// Counts one event.
    pub(super) fn add(&mut self, event_type: &str, carries: bool) {
        self.source_events += u64::from(carries);
        match (carries, event_type) {
            (true, "imported.step_recorded") => self.steps += 1,
            (true, _) => *self.domain.entry(event_type.to_owned()).or_default() += 1,
            (false, _) => *self.of_cases.entry(event_type.to_owned()).or_default() += 1,
        }
    }
}

/// What a whole reading of the file found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// The counts.
    #[serde(flatten)]
    pub tally: Tally,
    /// Steps whose activity the mapping does not name, by activity.
    pub unmapped: BTreeMap<String, u64>,
    /// Steps whose activity it names, where the history did not admit the event, by activity.
    pub not_admitted: BTreeMap<String, u64>,
    /// Legal days that could not be read or came out of order: the event's own day stands.
    pub days_set_aside: u64,
    /// How the outcomes of the cases agree with what the older system said of them.
    pub outcomes: Outcomes,
    /// Activities that the mapping names and the file does not have.
    pub absent: Vec<String>,
}

/// The outcomes of cases held against what the older system said of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// They agree.
    pub agree: u64,
    /// They differ.
    pub differ: u64,
    /// The older system says nothing of the outcome.
    pub unsaid: u64,
    /// The names of the first cases that differ.
    pub differing: Vec<String>,
}

impl Outcomes {
    fn add(&mut self, story: &Story) {
        match story.agreement {
            None => self.unsaid += 1,
            Some(true) => self.agree += 1,
            Some(false) => {
                self.differ += 1;
                if self.differing.len() < 20 {
                    self.differing.push(story.reference.clone());
                }
            }
        }
    }
}

impl Survey {
    pub(super) fn add(&mut self, story: &Story) {
        self.tally.cases += 1;
        for told in &story.events {
            self.tally.add(told.event.event_type(), told.source.is_some());
        }
        for (names, counts) in
            [(&story.unmapped, &mut self.unmapped), (&story.not_admitted, &mut self.not_admitted)]
        {
            for name in names {
                if let Some(count) = counts.get_mut(name) {
                    *count += 1;
                } else if counts.len() < ACTIVITIES {
                    counts.insert(name.clone(), 1);
                }
            }
        }
        self.days_set_aside += story.days_set_aside;
        self.outcomes.add(story);
    }
}

/// A case whose history in the log is another than in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Its name in the older system.
    pub reference: String,
    /// The case.
    pub case_id: String,
    /// The line of its trace.
    pub line: u64,
    /// In what it differs, as far as that is known.
    pub because: &'static str,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The file.
    pub file: Survey,
    /// Cases recorded now.
    pub new: u64,
    /// Cases that were there, the same.
    pub same: u64,
    /// Cases that are there with another history; they were not touched.
    pub other: u64,
    /// The first of them.
    pub differing: Vec<Differing>,
    /// What the log holds for the cases of the file, read back from it.
    pub log: Counted,
    /// Whether the log holds, of these cases, exactly what the file holds.
    pub equal: bool,
}
