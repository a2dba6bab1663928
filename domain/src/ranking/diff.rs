//! From the provisional ranking to the definitive one: every move with what explains it.
//!
//! A row moves by as many places as others crossed it: who is above it now and was not, less who
//! was and is not. The counts explain the move without remainder.

use super::document::Document;
use super::model::ListId;
use crate::ids::CaseId;
use std::collections::BTreeMap;

/// How another application crossed a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crossing {
    /// It was below, and is above.
    Overtook,
    /// It was not in the list, and is above.
    Entered,
    /// It was above, and is below.
    FellBehind,
    /// It was above, and is no longer in the list.
    Left,
}

/// Why a row is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The keys whose values changed, with both values.
    pub keys: Vec<(String, i64, i64)>,
    /// Who crossed it, and how.
    pub crossed: Vec<(CaseId, Crossing)>,
}

/// One row that stands elsewhere, or is new, or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The list.
    pub list: ListId,
    /// Whose.
    pub application: CaseId,
    /// The place before, from 1.
    pub from: Option<u32>,
    /// The place now.
    pub to: Option<u32>,
    /// What explains it.
    pub why: Why,
}

type Rows<'a> = BTreeMap<CaseId, (u32, &'a [i64])>;

/// Every row that moved, entered or left, list by list in the order of the new places.
pub fn moves(old: &Document, new: &Document) -> Vec<Move> {
    let mut lists: Vec<&ListId> = old.input.lists().iter().map(|l| &l.id).collect();
    lists.extend(new.input.lists().iter().map(|l| &l.id));
    lists.sort_unstable();
    lists.dedup();
    let mut all = Vec::new();
    for list in lists {
        let (before, after) = (rows(old, list), rows(new, list));
        let mut moved: Vec<Move> = Vec::new();
        for (id, (to, values)) in &after {
            let from = before.get(id).map(|(place, _)| *place);
            let keys = before.get(id).map_or_else(Vec::new, |(_, old)| changed(new, old, values));
            if from != Some(*to) || !keys.is_empty() {
                let crossed =
                    from.map_or_else(Vec::new, |from| crossings(&before, &after, *id, from, *to));
                let (list, application) = (list.clone(), *id);
                let why = Why { keys, crossed };
                moved.push(Move { list, application, from, to: Some(*to), why });
            }
        }
        moved.sort_unstable_by_key(|m| m.to);
        for (id, (from, _)) in before.iter().filter(|(id, _)| !after.contains_key(*id)) {
            let why = Why { keys: Vec::new(), crossed: Vec::new() };
            let (list, application) = (list.clone(), *id);
            moved.push(Move { list, application, from: Some(*from), to: None, why });
        }
        all.append(&mut moved);
    }
    all
}

fn rows<'a>(document: &'a Document, list: &ListId) -> Rows<'a> {
    let Some(place) = document.input.find_list(list) else { return Rows::new() };
    (1..)
        .zip(&document.ranking.orders[place])
        .map(|(place, row)| {
            let application = &document.input.applications()[row.application as usize];
            let values = application.choices[row.choice as usize].values.as_slice();
            (application.id, (place, values))
        })
        .collect()
}

fn changed(document: &Document, old: &[i64], new: &[i64]) -> Vec<(String, i64, i64)> {
    let keys = document.input.keys().iter();
    keys.zip(old.iter().zip(new))
        .filter(|(_, (old, new))| old != new)
        .map(|(key, (old, new))| (key.name.clone(), *old, *new))
        .collect()
}

fn crossings(
    before: &Rows<'_>,
    after: &Rows<'_>,
    id: CaseId,
    from: u32,
    to: u32,
) -> Vec<(CaseId, Crossing)> {
    let mut crossed = Vec::new();
    for (other, (now, _)) in after.iter().filter(|(other, _)| **other != id) {
        match before.get(other) {
            Some((was, _)) if *was > from && *now < to => {
                crossed.push((*other, Crossing::Overtook))
            }
            Some((was, _)) if *was < from && *now > to => {
                crossed.push((*other, Crossing::FellBehind));
            }
            None if *now < to => crossed.push((*other, Crossing::Entered)),
            _ => {}
        }
    }
    let left = before.iter().filter(|(other, (was, _))| *was < from && !after.contains_key(*other));
    crossed.extend(left.map(|(other, _)| (*other, Crossing::Left)));
    crossed
}
