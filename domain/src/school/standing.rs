//! From the applications of a call to the input of its ranking: keys fit for publication.
//!
//! What tells an income or a birth date is shown as its order among all: the same order, and no
//! value. Sums of points stand as they are; criteria are checked so that no sum names a ground of
//! health (see [`super::criteria::Criteria::check`]).

use super::call::Plan;
use super::criteria::OrderKey;
use super::enrolment::{Application, Standing};
use crate::ids::{CaseId, SchoolId};
use crate::ranking::{
    Application as Ranked, Choice, Hash, Input, Key, List, ListId, RankingError, Reserve, lot,
};
use std::collections::{BTreeMap, BTreeSet};

/// An application with the hash of the events that it rests on.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its case.
    pub id: CaseId,
    /// The application.
    pub application: &'a Application,
    /// What the ranking reads of it.
    pub standing: &'a Standing,
    /// SHA-256 over the events of the application, in lower-case hexadecimal.
    pub evidence: String,
}

/// The seed of the lots with the public draw, and the hash that draws.
pub type Lots<'a> = Option<(&'a str, &'a str, Hash)>;

/// The input of the ranking.
///
/// # Errors
/// When the plan's criteria make no input that can be ranked.
pub fn input(plan: &Plan, entries: &[Entry<'_>], lots: Lots<'_>) -> Result<Input, RankingError> {
    let criteria = &plan.criteria;
    let keys: Vec<Key> = criteria
        .order
        .iter()
        .map(|key| Key { name: String::from(key.clone()), better: key.better() })
        .collect();
    let lists: Vec<List> = plan
        .lists()
        .map(|(id, places)| {
            let reserve =
                |(group, places): &(String, u32)| Reserve { group: group.clone(), places: *places };
            let reserves = places.reserved.iter().map(reserve).collect();
            List { id, places: places.places, reserves }
        })
        .collect();
    let index: BTreeMap<&ListId, u32> = (0_u32..).zip(&lists).map(|(n, l)| (&l.id, n)).collect();
    let drawn_by = lots_of(entries);
    let mut applications = Vec::with_capacity(entries.len());
    for entry in entries {
        let lot_of = drawn_by.get(&entry.id).copied().unwrap_or(entry.id);
        let mut choices = Vec::with_capacity(entry.application.content.choices.len());
        for school in &entry.application.content.choices {
            let band = entry.application.content.band.clone();
            let list = ListId { school: school.clone(), band };
            let Some(list) = index.get(&list).copied() else { continue };
            let values =
                criteria.order.iter().map(|key| value(key, entry, school, lot_of, lots)).collect();
            choices.push(Choice { list, values });
        }
        let holds = |fact: &String| {
            entry
                .application
                .content
                .choices
                .iter()
                .any(|s| entry.standing.facts.value(fact, s) != 0)
        };
        let groups = criteria
            .reserves
            .iter()
            .filter(|r| r.facts.iter().any(holds))
            .map(|r| r.group.clone())
            .collect();
        let evidence = entry.evidence.clone();
        applications.push(Ranked { id: entry.id, evidence, lot_of, groups, choices });
    }
    for (place, key) in criteria.order.iter().enumerate() {
        if key.is_hidden() {
            hide(&mut applications, place);
        }
    }
    Input::new(keys, lists, applications)
}

/// Whose lot each application draws: twins that apply together that of the smallest number among
/// them, whichever of them names the other.
fn lots_of(entries: &[Entry<'_>]) -> BTreeMap<CaseId, CaseId> {
    let mut drawn_by: BTreeMap<CaseId, CaseId> = entries.iter().map(|e| (e.id, e.id)).collect();
    loop {
        let mut changed = false;
        for entry in entries {
            for twin in &entry.application.content.twins {
                let (Some(own), Some(other)) =
                    (drawn_by.get(&entry.id).copied(), drawn_by.get(twin).copied())
                else {
                    continue;
                };
                if own != other {
                    drawn_by.insert(entry.id, own.min(other));
                    drawn_by.insert(*twin, own.min(other));
                    changed = true;
                }
            }
        }
        if !changed {
            return drawn_by;
        }
    }
}

fn value(
    key: &OrderKey,
    entry: &Entry<'_>,
    school: &SchoolId,
    lot_of: CaseId,
    lots: Lots<'_>,
) -> i64 {
    let standing = entry.standing;
    let born = standing.born_on.map_or(0, |b| {
        i64::from(b.year()) * 10_000 + i64::from(b.month()) * 100 + i64::from(b.day())
    });
    match key {
        OrderKey::InTime => i64::from(!entry.application.late),
        OrderKey::Score(group) => standing
            .scores
            .iter()
            .filter(|s| s.group == *group && s.school == *school)
            .map(|s| s.points)
            .sum(),
        OrderKey::Fact(fact) => standing.facts.value(fact, school),
        OrderKey::Isee => standing.isee_cents.unwrap_or(i64::MAX),
        OrderKey::IseeWithin(most) => {
            i64::from(standing.isee_cents.is_some_and(|isee| isee <= *most))
        }
        OrderKey::Older => born,
        OrderKey::Younger => -born,
        OrderKey::Lot => lots.map_or(0, |(seed, draw, hash)| lot(seed, draw, lot_of, hash)),
    }
}

/// Puts the order of the values in the place of the values.
fn hide(applications: &mut [Ranked], place: usize) {
    let values: BTreeSet<i64> =
        applications.iter().flat_map(|a| &a.choices).map(|c| c.values[place]).collect();
    let order: BTreeMap<i64, i64> = values.into_iter().zip(1_i64..).collect();
    for choice in applications.iter_mut().flat_map(|a| &mut a.choices) {
        let value = &mut choice.values[place];
        *value = order.get(value).copied().unwrap_or(0);
    }
}
