//! One version of the rules: all terms and the policy switches.
//!
//! Policies are for questions the law leaves open; each has a safe default, its allowed
//! values and its source. A file may extend another version: it then overrides what it names.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::error::TermError;
use super::length::Unit;
use super::retention::{Keep, Retention};
use super::rule::{TermRule, TermRuleId};

/// The value of a policy switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PolicySetting {
    /// Yes or no.
    Flag(bool),
    /// A number, its unit is in the policy's name.
    Number(i64),
    /// One of the allowed words.
    Text(String),
}

impl fmt::Display for PolicySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicySetting::Flag(flag) => write!(f, "{flag}"),
            PolicySetting::Number(number) => write!(f, "{number}"),
            PolicySetting::Text(text) => write!(f, "{text}"),
        }
    }
}

/// A policy switch. A file that extends another may give the value alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyValue {
    /// The value in force.
    pub value: PolicySetting,
    /// The values it may take; empty for any number.
    #[serde(default)]
    pub allowed: Vec<PolicySetting>,
    /// The article, or the decision, behind the question.
    #[serde(default)]
    pub source: String,
    /// What the question is and why the default is the safe one.
    #[serde(default)]
    pub note: String,
}

/// A version of the rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RuleSetFile")]
pub struct RuleSet {
    /// Its name; a case pins it when it is filed.
    pub version: String,
    /// The version it was made from, if it extends one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// The first day on which cases are filed under it.
    pub in_force_from: Date,
    /// Whether it serves imported histories alone, so that nothing filed here falls under it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported_only: bool,
    /// The terms by name.
    pub terms: BTreeMap<TermRuleId, TermRule>,
    /// The policy switches by name.
    pub policies: BTreeMap<String, PolicyValue>,
    /// How long cases are kept: by procedure, or by procedure and kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retention: BTreeMap<String, Retention>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSetFile {
    version: String,
    #[serde(default)]
    extends: Option<String>,
    in_force_from: Date,
    #[serde(default)]
    imported_only: bool,
    #[serde(default)]
    terms: BTreeMap<TermRuleId, TermRule>,
    #[serde(default)]
    policies: BTreeMap<String, PolicyValue>,
    #[serde(default)]
    retention: BTreeMap<String, Retention>,
}

/// Something wrong in the rules: where, what, and what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rules '{version}', {rule}, field {field}: {problem}; {help}")]
pub struct RuleProblem {
    /// The version of the rules.
    pub version: String,
    /// The term, or `policy NAME`, or `the file`.
    pub rule: String,
    /// The field.
    pub field: &'static str,
    /// What is wrong.
    pub problem: String,
    /// What would help.
    pub help: String,
}

impl TryFrom<RuleSetFile> for RuleSet {
    type Error = RuleProblem;

    fn try_from(file: RuleSetFile) -> Result<RuleSet, RuleProblem> {
        let RuleSetFile {
            version,
            extends,
            in_force_from,
            imported_only,
            mut terms,
            policies,
            retention,
        } = file;
        for (id, rule) in &mut terms {
            if rule.id != TermRuleId::default() && rule.id != *id {
                return Err(RuleProblem {
                    version,
                    rule: format!("term {id}"),
                    field: "id",
                    problem: format!("says '{}', but the table is named '{id}'", rule.id),
                    help: "leave id out: the name of the table is the id".to_owned(),
                });
            }
            rule.id = id.clone();
        }
        Ok(RuleSet { version, extends, in_force_from, imported_only, terms, policies, retention })
    }
}

impl RuleSet {
    /// The rule of a term.
    ///
    /// # Errors
    /// [`TermError::UnknownRule`] if this version lacks it.
    pub fn term(&self, id: &TermRuleId) -> Result<&TermRule, TermError> {
        self.terms.get(id).ok_or_else(|| TermError::UnknownRule {
            rule: id.clone(),
            version: self.version.clone(),
        })
    }

    /// The word of a policy, if it is known and a word.
    pub fn policy_text(&self, key: &str) -> Option<&str> {
        match &self.policies.get(key)?.value {
            PolicySetting::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The flag of a policy, if it is known and a flag.
    pub fn policy_flag(&self, key: &str) -> Option<bool> {
        match self.policies.get(key)?.value {
            PolicySetting::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// The number of a policy, if it is known and a number.
    pub fn policy_number(&self, key: &str) -> Option<i64> {
        match self.policies.get(key)?.value {
            PolicySetting::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Whether Saturday is a working day for a rule, its policy considered.
    pub fn saturday_is_working(&self, rule: &TermRule) -> bool {
        match rule.saturday_policy.as_deref().and_then(|key| self.policy_text(key)) {
            Some("working") => true,
            Some("not_working") => false,
            _ => rule.saturday_is_working,
        }
    }

    /// This set laid over another: terms and policies named here win, the rest stays; a policy
    /// given here by its value alone keeps the allowed values, the source and the note.
    pub fn laid_over(self, base: &RuleSet) -> RuleSet {
        let mut terms = base.terms.clone();
        terms.extend(self.terms);
        let mut policies = base.policies.clone();
        for (key, mut policy) in self.policies {
            if let Some(old) = policies.get(&key) {
                if policy.allowed.is_empty() {
                    policy.allowed = old.allowed.clone();
                }
                if policy.source.is_empty() {
                    policy.source = old.source.clone();
                }
                if policy.note.is_empty() {
                    policy.note = old.note.clone();
                }
            }
            policies.insert(key, policy);
        }
        let mut retention = base.retention.clone();
        retention.extend(self.retention);
        RuleSet { terms, policies, retention, ..self }
    }

    /// Everything wrong in this set; empty when it is fit for use.
    pub fn problems(&self) -> Vec<RuleProblem> {
        let mut found = Vec::new();
        let mut say = |rule: String, field, problem: String, help: &str| {
            let version = self.version.clone();
            found.push(RuleProblem { version, rule, field, problem, help: help.to_owned() });
        };
        if self.version.trim().is_empty() {
            say("the file".into(), "version", "is empty".into(), "name the version");
        }
        for (id, rule) in &self.terms {
            let name = || format!("term {id}");
            let texts = [
                ("article", &rule.article),
                ("title_it", &rule.title_it),
                ("title_en", &rule.title_en),
            ];
            for (field, text) in texts {
                if text.trim().is_empty() {
                    say(name(), field, "is empty".into(), "explanations quote it: fill it in");
                }
            }
            if rule.length.count == 0 {
                say(name(), "length", "is zero".into(), "give at least one day, as in \"1d\"");
            }
            if let Some(part) = rule.doubled_part
                && (part.unit != rule.length.unit || part.count > rule.length.count)
            {
                let problem = format!("{part} is no part of {}", rule.length);
                say(name(), "doubled_part", problem, "use the unit of length, and not more of it");
            }
            if super::arithmetic::is_too_long(rule.length) {
                let problem = format!("{} is more than 100 years", rule.length);
                say(name(), "length", problem, "check the count and the unit");
            }
            if rule.length.unit == Unit::Days
                && u32::from(rule.warn_days) >= rule.length.count.max(1)
            {
                let problem = format!("{} days, but the term is {}", rule.warn_days, rule.length);
                say(name(), "warn_days", problem, "warn fewer days before than the term is long");
            }
            if let Some(key) = &rule.saturday_policy
                && !matches!(self.policy_text(key), Some("working" | "not_working"))
            {
                let problem = format!("'{key}' is no policy with the value working or not_working");
                say(name(), "saturday_policy", problem, "add the policy or leave the field out");
            }
        }
        for (key, policy) in &self.policies {
            let name = || format!("policy {key}");
            if !policy.allowed.is_empty() && !policy.allowed.contains(&policy.value) {
                let allowed: Vec<String> = policy.allowed.iter().map(ToString::to_string).collect();
                let help = format!("choose one of: {}", allowed.join(", "));
                say(name(), "value", format!("'{}' is not allowed", policy.value), &help);
            }
            if policy.source.trim().is_empty() {
                say(name(), "source", "is empty".into(), "name the article behind the question");
            }
        }
        for (kind, retention) in &self.retention {
            let name = || format!("retention {kind}");
            for (field, text) in [("class", &retention.class), ("article", &retention.article)] {
                if text.trim().is_empty() {
                    say(name(), field, "is empty".into(), "every proposal quotes it: fill it in");
                }
            }
            if let Keep::For(length) = retention.keep
                && length.count == 0
            {
                say(name(), "keep", "is zero".into(), "give at least one month, as in \"1m\"");
            }
        }
        found
    }
}
