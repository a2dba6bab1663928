//! From what a family states, and what proves it, to points: each score names its proof.

use super::criteria::Criteria;
use crate::ids::{DocumentId, SchoolId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a family states: numbers by the name of the fact; 1 where a fact simply holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// For every school.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub all: BTreeMap<String, i64>,
    /// For one school, such as a sibling there; counts instead of the general one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at: BTreeMap<SchoolId, BTreeMap<String, i64>>,
}

impl Facts {
    /// The value of a fact at a school; 0 if nothing is stated.
    pub fn value(&self, fact: &str, school: &SchoolId) -> i64 {
        let at = self.at.get(school).and_then(|facts| facts.get(fact));
        at.or_else(|| self.all.get(fact)).copied().unwrap_or(0)
    }

    /// The names of all facts stated.
    pub fn names(&self) -> BTreeSet<&str> {
        let at = self.at.values().flat_map(BTreeMap::keys);
        self.all.keys().chain(at).map(String::as_str).collect()
    }
}

/// What proves a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The statement itself, in the event of this revision of the case.
    Statement(u64),
    /// A document of the case.
    Document(DocumentId),
}

/// Points at one school, with what proves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The criterion.
    pub criterion: String,
    /// The score that it counts for.
    pub group: String,
    /// The school.
    pub school: SchoolId,
    /// How many.
    pub points: i64,
    /// What proves the fact.
    pub proof: Proof,
}

/// What is known of the proofs when points are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// The event that holds the statement.
    pub statement: u64,
    /// The documents of the case by their kind, the newest of each.
    pub documents: BTreeMap<String, DocumentId>,
    /// Facts that the office set aside.
    pub set_aside: BTreeSet<String>,
}

impl Proofs {
    /// What proves a fact; none if it has to be proved and is not.
    pub fn of(&self, criteria: &Criteria, fact: &str) -> Option<Proof> {
        if self.set_aside.contains(fact) {
            return None;
        }
        match criteria.facts.get(fact)?.proof.as_ref() {
            None => Some(Proof::Statement(self.statement)),
            Some(kind) => self.documents.get(kind).copied().map(Proof::Document),
        }
    }
}

/// The points at each chosen school, without those whose fact is not proved.
pub fn scores(
    criteria: &Criteria,
    facts: &Facts,
    choices: &[SchoolId],
    proofs: &Proofs,
) -> Vec<Score> {
    let mut all = Vec::new();
    for school in choices {
        for rule in &criteria.scores {
            let points = rule.by.of(facts.value(&rule.fact, school));
            let Some(proof) = proofs.of(criteria, &rule.fact).filter(|_| points != 0) else {
                continue;
            };
            let (criterion, group) = (rule.name.clone(), rule.group.clone());
            all.push(Score { criterion, group, school: school.clone(), points, proof });
        }
    }
    all
}

/// The facts that were stated, count for something, and are not proved.
pub fn unproved(criteria: &Criteria, facts: &Facts, proofs: &Proofs) -> Vec<String> {
    let stated = facts.names().into_iter();
    stated.filter(|f| proofs.of(criteria, f).is_none()).map(str::to_owned).collect()
}
