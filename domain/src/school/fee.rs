//! The monthly fee by ISEE, in cents, with the rounding that the rule states. Whole numbers only.

use super::criteria::CriteriaProblem;
use serde::{Deserialize, Serialize};

/// How a fee between two cents is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearer multiple, a half up.
    Nearest,
    /// Always up.
    Up,
    /// Always down.
    Down,
}

/// One stretch of the formula: ISEE from the end of the one before up to `to_cents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// The highest ISEE of the stretch; none for the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_cents: Option<i64>,
    /// The fee at its beginning, and throughout if nothing else is said.
    pub fee_cents: i64,
    /// The fee at its end, if it grows in proportion between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_to_cents: Option<i64>,
}

/// The formula of the monthly fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRule {
    /// Its version, such as `2026/27`.
    pub version: String,
    /// The stretches, by growing ISEE.
    pub stretches: Vec<Stretch>,
    /// The fee is a multiple of so many cents.
    pub multiple_cents: i64,
    /// How it is rounded to one.
    pub rounding: Rounding,
    /// Whether who is not resident pays the highest fee.
    pub non_residents_pay_most: bool,
}

/// Why the fee is what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// By the ISEE.
    #[default] // what stands in for a value whose key is gone
    ByIsee,
    /// The highest: no ISEE, or one with omissions.
    NoIsee,
    /// The highest: not resident.
    NotResident,
}

/// A monthly fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fee {
    /// How much.
    pub monthly_cents: i64,
    /// Why.
    pub ground: Ground,
}

impl FeeRule {
    /// The fee for an ISEE without omissions, if there is one.
    pub fn monthly(&self, isee_cents: Option<i64>, resident: bool) -> Fee {
        let most = self.stretches.last().map_or(0, |s| s.fee_to_cents.unwrap_or(s.fee_cents));
        if self.non_residents_pay_most && !resident {
            return Fee { monthly_cents: most, ground: Ground::NotResident };
        }
        let Some(isee) = isee_cents else {
            return Fee { monthly_cents: most, ground: Ground::NoIsee };
        };
        let mut from = 0;
        for stretch in &self.stretches {
            match stretch.to_cents {
                Some(to) if isee > to => from = to,
                _ => {
                    let monthly_cents = self.within(stretch, from, isee);
                    return Fee { monthly_cents, ground: Ground::ByIsee };
                }
            }
        }
        Fee { monthly_cents: most, ground: Ground::ByIsee }
    }

    /// The fee in a stretch that begins one cent after `from`.
    fn within(&self, stretch: &Stretch, from: i64, isee: i64) -> i64 {
        let (Some(to), Some(end)) = (stretch.to_cents, stretch.fee_to_cents) else {
            return self.rounded(i128::from(stretch.fee_cents), 1);
        };
        let first = if from == 0 { 0 } else { from + 1 };
        let width = i128::from((to - first).max(1));
        let rise = i128::from(end - stretch.fee_cents) * i128::from(isee - first);
        self.rounded(i128::from(stretch.fee_cents) * width + rise, width)
    }

    /// A fraction of cents as a multiple.
    fn rounded(&self, numerator: i128, denominator: i128) -> i64 {
        let multiple = i128::from(self.multiple_cents.max(1));
        let unit = denominator * multiple;
        let times = match self.rounding {
            Rounding::Down => numerator.div_euclid(unit),
            Rounding::Up => -(-numerator).div_euclid(unit),
            Rounding::Nearest => (2 * numerator + unit).div_euclid(2 * unit),
        };
        i64::try_from(times * multiple).unwrap_or(i64::MAX)
    }

    /// Checks that the stretches follow on each other.
    pub(super) fn check(&self) -> Result<(), CriteriaProblem> {
        let bad = |field: String, rule: &str| Err(CriteriaProblem { field, rule: rule.to_owned() });
        if self.multiple_cents < 1 {
            return bad("fee.multiple_cents".to_owned(), "at least 1");
        }
        let mut from = 0;
        for (n, stretch) in self.stretches.iter().enumerate() {
            let field = format!("fee.stretches[{n}]");
            let last = n + 1 == self.stretches.len();
            match stretch.to_cents {
                Some(to) if to <= from => return bad(field, "each ends above the one before"),
                Some(to) => from = to,
                None if !last => return bad(field, "only the last has no end"),
                None if stretch.fee_to_cents.is_some() => {
                    return bad(field, "a stretch without an end cannot grow");
                }
                None => {}
            }
        }
        match self.stretches.last() {
            Some(last) if last.to_cents.is_none() => Ok(()),
            _ => bad("fee.stretches".to_owned(), "the last has no end"),
        }
    }
}
