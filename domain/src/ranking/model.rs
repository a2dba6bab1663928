//! What a ranking is made from: lists with places, applications with choices, keys that order.

use super::error::RankingError;
use crate::ids::{BandId, CaseId, SchoolId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One list: a school and an age band. Text form `centro/piccoli`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId {
    /// The school.
    pub school: SchoolId,
    /// The age band.
    pub band: BandId,
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.school, self.band)
    }
}

impl std::str::FromStr for ListId {
    type Err = crate::ids::InvalidId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || crate::ids::InvalidId {
            what: "ListId",
            text: text.to_owned(),
            rule: "SCHOOL/BAND, such as centro/piccoli",
        };
        let (school, band) = text.split_once('/').ok_or_else(invalid)?;
        Ok(ListId { school: school.parse()?, band: band.parse()? })
    }
}

impl serde::Serialize for ListId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> serde::Deserialize<'de> for ListId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <String as serde::Deserialize>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which value of a key comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The greater.
    Higher,
    /// The smaller.
    Lower,
}

/// One key of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name, such as `score.main`.
    pub name: String,
    /// Which value comes first.
    pub better: Better,
}

/// Places kept for a group; what the group does not take goes to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// The group.
    pub group: String,
    /// How many places.
    pub places: u32,
}

/// A list with its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Which.
    pub id: ListId,
    /// All places, the reserved ones among them.
    pub places: u32,
    /// In the order in which they are filled.
    pub reserves: Vec<Reserve>,
}

/// A choice: a list, and the values of all keys there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The list's place in [`Input::lists`].
    pub list: u32,
    /// One value a key.
    pub values: Vec<i64>,
}

/// An application: most wanted choice first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its number, the last key of every order.
    pub id: CaseId,
    /// Hash of the events that it rests on.
    pub evidence: String,
    /// Whose lot it draws: its own, or for twins that of the smallest number among them.
    pub lot_of: CaseId,
    /// The groups with reserved places that it belongs to.
    pub groups: BTreeSet<String>,
    /// Most wanted first.
    pub choices: Vec<Choice>,
}

/// A place that an application gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// The list's place in [`Input::lists`].
    pub list: u32,
    /// The reserve's place in the list's reserves; none for a place open to all.
    pub reserve: Option<u32>,
}

/// All that a ranking is computed from, checked and in canonical order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    keys: Vec<Key>,
    lists: Vec<List>,
    applications: Vec<Application>,
}

impl Input {
    /// Checks an input and puts it into its canonical order: lists by name, applications by
    /// number. The order in which they come makes no difference.
    ///
    /// # Errors
    /// The first thing that keeps it from being ranked.
    pub fn new(
        keys: Vec<Key>,
        lists: Vec<List>,
        applications: Vec<Application>,
    ) -> Result<Self, RankingError> {
        for word in keys.iter().map(|k| &k.name) {
            a_word(word)?;
        }
        let (lists, moved) = sorted(lists)?;
        let mut applications = applications;
        applications.sort_unstable_by_key(|a| a.id);
        if let Some(twice) = applications.windows(2).find(|w| w[0].id == w[1].id) {
            return Err(RankingError::ApplicationTwice(twice[0].id));
        }
        for application in &mut applications {
            a_word(&application.evidence)?;
            for group in &application.groups {
                a_word(group)?;
            }
            let mut seen: Vec<u32> = Vec::with_capacity(application.choices.len());
            for choice in &mut application.choices {
                let Some(place) = moved.get(choice.list as usize).copied() else {
                    let (application, list) = (application.id, choice.list.to_string());
                    return Err(RankingError::UnknownList { application, list });
                };
                choice.list = place;
                let list = &lists[place as usize].id;
                if seen.contains(&place) {
                    let (application, list) = (application.id, list.clone());
                    return Err(RankingError::ChoiceTwice { application, list });
                }
                seen.push(place);
                if choice.values.len() != keys.len() {
                    return Err(RankingError::Values {
                        application: application.id,
                        list: list.clone(),
                        found: choice.values.len(),
                        keys: keys.len(),
                    });
                }
            }
        }
        Ok(Input { keys, lists, applications })
    }

    /// The keys, the weightiest first.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The lists by name.
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    /// The applications by number.
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// Where an application stands in [`Input::applications`].
    pub fn find(&self, id: CaseId) -> Option<usize> {
        self.applications.binary_search_by_key(&id, |a| a.id).ok()
    }

    /// Where a list stands in [`Input::lists`].
    pub fn find_list(&self, id: &ListId) -> Option<usize> {
        self.lists.binary_search_by(|l| l.id.cmp(id)).ok()
    }
}

/// The lists by name, and where each of them went.
fn sorted(lists: Vec<List>) -> Result<(Vec<List>, Vec<u32>), RankingError> {
    let mut places: BTreeMap<ListId, usize> = BTreeMap::new();
    for (index, list) in lists.iter().enumerate() {
        if places.insert(list.id.clone(), index).is_some() {
            return Err(RankingError::ListTwice(list.id.clone()));
        }
        for reserve in &list.reserves {
            a_word(&reserve.group)?;
        }
        let reserved: u64 = list.reserves.iter().map(|r| u64::from(r.places)).sum();
        if reserved > u64::from(list.places) {
            let (list, places) = (list.id.clone(), list.places);
            return Err(RankingError::ReservedBeyondPlaces { list, reserved, places });
        }
    }
    let mut moved = vec![0; lists.len()];
    for (new, old) in places.values().enumerate() {
        moved[*old] = u32::try_from(new).unwrap_or(u32::MAX);
    }
    let mut lists = lists;
    lists.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok((lists, moved))
}

/// What stands in a document between blanks must not hold its marks.
pub(super) fn a_word(text: &str) -> Result<(), RankingError> {
    let bad = |c: char| c.is_whitespace() || matches!(c, '=' | ';' | ':' | '>' | ',');
    if text.is_empty() || text.chars().count() > 64 || text.contains(bad) {
        return Err(RankingError::Word(text.to_owned()));
    }
    Ok(())
}
