//! The criteria of a call as data: age bands, facts, scores, the order, reserved places, terms,
//! the formula of the fee. A file says all of it; nothing of a comune stands in the code.

use super::fee::FeeRule;
use crate::ids::BandId;
use crate::ranking::Better;
use crate::term::Length;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A day of every year, such as 30 April.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayOfYear {
    /// The month, 1 to 12.
    pub month: i8,
    /// The day of the month.
    pub day: i8,
}

impl DayOfYear {
    /// The day in a year; none on 29 February of most years.
    pub fn in_year(self, year: i16) -> Option<Date> {
        Date::new(year, self.month, self.day).ok()
    }
}

/// An age band: whole months on the reference day, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name.
    pub id: BandId,
    /// The youngest.
    pub from_months: u16,
    /// The oldest.
    pub to_months: u16,
}

/// What a family states, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRule {
    /// What it says, for people.
    pub title: String,
    /// The kind of document that proves it; the statement itself if none (DPR 445/2000 art. 46).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Health and other grounds of GDPR art. 9: never visible by itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

fn is_false(b: &bool) -> bool {
    !*b
}

/// How points follow from a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Points {
    /// So many if the fact holds.
    Fixed(i64),
    /// So many for each, up to a most.
    Each {
        /// For each.
        points: i64,
        /// No more than this altogether.
        most: i64,
    },
    /// By the last step that the number reaches: from, points.
    Steps(Vec<(i64, i64)>),
}

impl Points {
    /// The points for a value.
    pub fn of(&self, value: i64) -> i64 {
        match self {
            Points::Fixed(points) => {
                if value == 0 {
                    0
                } else {
                    *points
                }
            }
            Points::Each { points, most } => value.saturating_mul(*points).clamp(0, *most),
            Points::Steps(steps) => {
                steps.iter().rfind(|(from, _)| value >= *from).map_or(0, |(_, points)| *points)
            }
        }
    }
}

/// One criterion that gives points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRule {
    /// Its name.
    pub name: String,
    /// The score that it counts for, such as `main`.
    pub group: String,
    /// The fact.
    pub fact: String,
    /// How.
    pub by: Points,
}

/// Places kept for who has one of these facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReserveRule {
    /// The group, as rankings name it: a word that gives no ground away.
    pub group: String,
    /// Any of these facts.
    pub facts: Vec<String>,
}

/// What becomes of applications after the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Late {
    /// They are refused.
    Refused,
    /// They are taken until the provisional ranking, and stand after all others.
    AfterAllOthers,
}

/// One key of the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum OrderKey {
    /// Filed within the window.
    InTime,
    /// The sum of a group of scores.
    Score(String),
    /// A fact that is not sensitive.
    Fact(String),
    /// The lower ISEE; without one, last.
    Isee,
    /// An ISEE up to so many cents.
    IseeWithin(i64),
    /// The older child.
    Older,
    /// The younger child.
    Younger,
    /// The lot.
    Lot,
}

impl OrderKey {
    /// Which value comes first.
    pub fn better(&self) -> Better {
        match self {
            OrderKey::InTime | OrderKey::Score(_) | OrderKey::Fact(_) | OrderKey::IseeWithin(_) => {
                Better::Higher
            }
            OrderKey::Isee | OrderKey::Older | OrderKey::Younger | OrderKey::Lot => Better::Lower,
        }
    }

    /// Whether rankings show the order of the values instead of the values.
    pub fn is_hidden(&self) -> bool {
        matches!(self, OrderKey::Isee | OrderKey::Older | OrderKey::Younger)
    }
}

impl From<OrderKey> for String {
    fn from(key: OrderKey) -> String {
        match key {
            OrderKey::InTime => "in_time".to_owned(),
            OrderKey::Score(group) => format!("score.{group}"),
            OrderKey::Fact(fact) => format!("fact.{fact}"),
            OrderKey::Isee => "isee".to_owned(),
            OrderKey::IseeWithin(cents) => format!("isee_within.{cents}"),
            OrderKey::Older => "older".to_owned(),
            OrderKey::Younger => "younger".to_owned(),
            OrderKey::Lot => crate::ranking::LOT.to_owned(),
        }
    }
}

impl TryFrom<String> for OrderKey {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let known = match text.split_once('.') {
            None => match text.as_str() {
                "in_time" => Some(OrderKey::InTime),
                "isee" => Some(OrderKey::Isee),
                "older" => Some(OrderKey::Older),
                "younger" => Some(OrderKey::Younger),
                crate::ranking::LOT => Some(OrderKey::Lot),
                _ => None,
            },
            Some(("score", group)) => Some(OrderKey::Score(group.to_owned())),
            Some(("fact", fact)) => Some(OrderKey::Fact(fact.to_owned())),
            Some(("isee_within", cents)) => cents.parse().ok().map(OrderKey::IseeWithin),
            Some(_) => None,
        };
        known.ok_or_else(|| {
            format!(
                "{text:?} is no key: in_time, score.GROUP, fact.NAME, isee, isee_within.CENTS, \
                 older, younger or lot"
            )
        })
    }
}

/// The criteria of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criteria {
    /// Their name, such as `bologna`.
    pub name: String,
    /// Their version.
    pub version: String,
    /// Where they come from.
    pub source: String,
    /// What the source leaves open, and how it is read here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// The day on which ages count, in the year in which the school year begins.
    pub ages_on: DayOfYear,
    /// The age bands.
    pub bands: Vec<Band>,
    /// How many schools a family may name.
    pub most_choices: u8,
    /// Whether only residents may apply; the fact `resident` says who is one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub residents_only: bool,
    /// What becomes of late applications.
    pub late: Late,
    /// The documents that every application needs, by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    /// What families may state, by name.
    pub facts: BTreeMap<String, FactRule>,
    /// What gives points.
    pub scores: Vec<ScoreRule>,
    /// The order, the weightiest key first; the application's number comes last by itself.
    pub order: Vec<OrderKey>,
    /// Who may take reserved places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserves: Vec<ReserveRule>,
    /// How long the provisional ranking is open to observations.
    pub observations_within: Length,
    /// How long an offer of the first round stands.
    pub offer_within: Length,
    /// How long an offer of a place that became free stands.
    pub scrolled_offer_within: Length,
    /// What is paid on acceptance and not given back; 0 for nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deposit_cents: i64,
    /// Whether missing vaccines cost the place (DL 73/2017 art. 3-bis c. 5): not in compulsory
    /// school.
    pub vaccines_bind: bool,
    /// Who leaves after this day of the school year's first calendar year still owes the fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_free_until: Option<DayOfYear>,
    /// The monthly fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<FeeRule>,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// Criteria that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct CriteriaProblem {
    /// Where.
    pub field: String,
    /// Which rule is broken, and what helps.
    pub rule: String,
}

impl Criteria {
    /// Name and version, as rankings state them.
    pub fn title(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The band of a child in the school year that begins in `year`.
    pub fn band_of(&self, born: Date, year: i16) -> Option<&Band> {
        let on = self.ages_on.in_year(year)?;
        let months = i32::from(on.year() - born.year()) * 12 + i32::from(on.month() - born.month())
            - i32::from(on.day() < born.day());
        let months = u16::try_from(months).ok()?;
        self.bands.iter().find(|b| (b.from_months..=b.to_months).contains(&months))
    }

    /// Whether any key is the lot.
    pub fn draws_lots(&self) -> bool {
        self.order.contains(&OrderKey::Lot)
    }

    /// Checks that everything named is there and that nothing sensitive would show.
    ///
    /// # Errors
    /// The first problem.
    pub fn check(&self) -> Result<(), CriteriaProblem> {
        let bad = |field: String, rule: &str| Err(CriteriaProblem { field, rule: rule.to_owned() });
        for (field, text) in [("name", &self.name), ("version", &self.version)] {
            if text.is_empty() || text.len() > 30 || text.contains(|c: char| !is_plain(c)) {
                return bad(field.to_owned(), "1 to 30 of a-z, 0-9, `_`, `-` and `.`");
            }
        }
        if self.bands.is_empty() || self.order.is_empty() || self.most_choices == 0 {
            return bad("bands, order, most_choices".to_owned(), "at least one of each");
        }
        for (n, band) in self.bands.iter().enumerate() {
            let overlaps =
                |b: &&Band| b.from_months <= band.to_months && band.from_months <= b.to_months;
            if band.from_months > band.to_months || self.bands[..n].iter().any(|b| overlaps(&b)) {
                return bad(format!("bands[{n}]"), "from before to, and no month in two bands");
            }
        }
        let known = |fact: &String| self.facts.contains_key(fact);
        for (n, score) in self.scores.iter().enumerate() {
            if !known(&score.fact) {
                return bad(format!("scores[{n}].fact"), "one of the facts");
            }
            if score.name.contains(|c: char| !is_plain(c)) {
                return bad(format!("scores[{n}].name"), "of a-z, 0-9, `_`, `-` and `.`");
            }
        }
        self.check_order()?;
        for (n, reserve) in self.reserves.iter().enumerate() {
            if let Some(fact) = reserve.facts.iter().find(|f| !known(f)) {
                return bad(format!("reserves[{n}].facts"), &format!("{fact} is not a fact"));
            }
            if reserve.facts.len() < 2 && reserve.facts.iter().any(|f| self.sensitive(f)) {
                return bad(
                    format!("reserves[{n}]"),
                    "a sensitive fact needs another beside it: the group would name the ground",
                );
            }
        }
        let days = [Some(self.ages_on), self.leave_free_until];
        if days.into_iter().flatten().any(|d| d.in_year(2025).is_none()) {
            return bad("ages_on, leave_free_until".to_owned(), "a day of every year");
        }
        if let Some(fee) = &self.fee {
            fee.check()?;
        }
        Ok(())
    }

    fn sensitive(&self, fact: &str) -> bool {
        self.facts.get(fact).is_some_and(|f| f.sensitive)
    }

    fn check_order(&self) -> Result<(), CriteriaProblem> {
        let bad = |n: usize, rule: &str| {
            Err(CriteriaProblem { field: format!("order[{n}]"), rule: rule.to_owned() })
        };
        let mut seen = BTreeSet::new();
        for (n, key) in self.order.iter().enumerate() {
            if !seen.insert(key) {
                return bad(n, "each key once");
            }
            match key {
                OrderKey::Fact(fact) if !self.facts.contains_key(fact) => {
                    return bad(n, "one of the facts");
                }
                OrderKey::Fact(fact) if self.sensitive(fact) => {
                    return bad(n, "a sensitive fact cannot be a key: it would show by itself");
                }
                OrderKey::Score(group) => {
                    let of_group: BTreeSet<_> = self
                        .scores
                        .iter()
                        .filter(|s| s.group == *group)
                        .map(|s| s.fact.as_str())
                        .collect();
                    if of_group.is_empty() {
                        return bad(n, "a group that some score counts for");
                    }
                    if of_group.len() < 2 && of_group.iter().any(|f| self.sensitive(f)) {
                        return bad(
                            n,
                            "a sensitive fact needs another in its group: the sum would name it",
                        );
                    }
                }
                _ => {}
            }
        }
        if self.late == Late::AfterAllOthers && self.order.first() != Some(&OrderKey::InTime) {
            return bad(0, "in_time, because late applications stand after all others");
        }
        Ok(())
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.')
}
