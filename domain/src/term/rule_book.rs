//! All versions of the rules a comune has known.
//!
//! Versions are only ever added: a case filed under one keeps it.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::rule::TermRuleId;
use super::rule_set::{RuleProblem, RuleSet};

/// The versions of the rules, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleBook {
    versions: BTreeMap<String, RuleSet>,
}

impl RuleBook {
    /// An empty book.
    pub fn new() -> RuleBook {
        RuleBook::default()
    }

    /// A book of several files, each after the one it extends.
    ///
    /// # Errors
    /// As [`RuleBook::add`], at the first file that cannot be added.
    pub fn from_sets(sets: impl IntoIterator<Item = RuleSet>) -> Result<RuleBook, RuleProblem> {
        let mut book = RuleBook::new();
        for set in sets {
            book.add(set)?;
        }
        Ok(book)
    }

    /// Adds a version; one that extends another is laid over it and holds both.
    ///
    /// # Errors
    /// A version already in the book (versions never change), or one that extends an unknown
    /// version. The rules themselves are checked by [`RuleBook::validate`].
    pub fn add(&mut self, set: RuleSet) -> Result<(), RuleProblem> {
        let problem = |field, problem: String, help: &str| RuleProblem {
            version: set.version.clone(),
            rule: "the file".to_owned(),
            field,
            problem,
            help: help.to_owned(),
        };
        if self.versions.contains_key(&set.version) {
            let text = "a version of that name is already in the book".to_owned();
            return Err(problem("version", text, "rules in use never change: choose a new name"));
        }
        let set = match &set.extends {
            None => set,
            Some(base) => match self.versions.get(base) {
                Some(base) => set.laid_over(base),
                None => {
                    let text = format!("extends '{base}', which is not in the book");
                    return Err(problem("extends", text, "add that file first"));
                }
            },
        };
        self.versions.insert(set.version.clone(), set);
        Ok(())
    }

    /// The version of that name.
    pub fn version(&self, version: &str) -> Option<&RuleSet> {
        self.versions.get(version)
    }

    /// All versions by name.
    pub fn versions(&self) -> impl Iterator<Item = &RuleSet> {
        self.versions.values()
    }

    /// The version for a case filed on a date: the latest that was in force. Between two of
    /// the same day, the one that extends the other, else the later name. Versions for imported
    /// histories alone are passed over.
    pub fn in_force_on(&self, date: Date) -> Option<&RuleSet> {
        self.latest(date, |set| !set.imported_only)
    }

    /// The latest among the versions that know a term, those for imported histories included.
    /// For books that hold the rules of two countries.
    pub fn in_force_on_for(&self, date: Date, term: &TermRuleId) -> Option<&RuleSet> {
        self.latest(date, |set| set.terms.contains_key(term))
    }

    fn latest(&self, date: Date, fits: impl Fn(&RuleSet) -> bool) -> Option<&RuleSet> {
        self.versions
            .values()
            .filter(|set| set.in_force_from <= date && fits(set))
            .max_by_key(|set| (set.in_force_from, self.depth(set), set.version.as_str()))
    }

    /// How many versions it stands on. A book cannot hold a circle: bases come first.
    fn depth(&self, set: &RuleSet) -> usize {
        let mut depth = 0;
        let mut current = set;
        while let Some(base) = current.extends.as_ref().and_then(|base| self.versions.get(base)) {
            depth += 1;
            current = base;
        }
        depth
    }

    /// Checks every version.
    ///
    /// # Errors
    /// All problems found, each naming the version, the rule, the field and what would help.
    pub fn validate(&self) -> Result<(), Vec<RuleProblem>> {
        let problems: Vec<RuleProblem> =
            self.versions.values().flat_map(RuleSet::problems).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}
