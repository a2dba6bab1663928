//! The total order of each list, with the reason for each neighbouring pair.

use super::model::{Better, Input};
use std::cmp::Ordering;

/// What puts one application before its next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deciding {
    /// The key of this place in [`Input::keys`], the first on which they differ.
    Key(u32),
    /// Equal on every key: the application's number.
    Number,
    /// There is no next.
    Last,
}

/// One row of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// The application's place in [`Input::applications`].
    pub application: u32,
    /// Which of its choices the list is, from 0.
    pub choice: u32,
    /// What puts it before the next.
    pub before_next: Deciding,
}

/// Orders every list.
pub fn order(input: &Input) -> Vec<Vec<Ranked>> {
    let mut rows: Vec<Vec<Ranked>> = vec![Vec::new(); input.lists().len()];
    for (index, application) in input.applications().iter().enumerate() {
        for (choice, chosen) in application.choices.iter().enumerate() {
            rows[chosen.list as usize].push(Ranked {
                application: number(index),
                choice: number(choice),
                before_next: Deciding::Last,
            });
        }
    }
    for list in &mut rows {
        list.sort_unstable_by(|a, b| compare(input, a, b).0);
        for next in (1..list.len()).rev() {
            list[next - 1].before_next = compare(input, &list[next - 1], &list[next]).1;
        }
    }
    rows
}

/// How two rows of a list stand to each other, and by what.
fn compare(input: &Input, a: &Ranked, b: &Ranked) -> (Ordering, Deciding) {
    let (left, right) = (values(input, a), values(input, b));
    for (place, key) in input.keys().iter().enumerate() {
        let order = match key.better {
            Better::Higher => right[place].cmp(&left[place]),
            Better::Lower => left[place].cmp(&right[place]),
        };
        if order != Ordering::Equal {
            return (order, Deciding::Key(number(place)));
        }
    }
    // Applications stand in the order of their numbers.
    (a.application.cmp(&b.application), Deciding::Number)
}

fn values<'a>(input: &'a Input, row: &Ranked) -> &'a [i64] {
    &input.applications()[row.application as usize].choices[row.choice as usize].values
}

pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
