//! Places by deferred acceptance, applicants proposing (Gale and Shapley 1962), with reserved
//! places filled first and given to everybody where the group leaves them (Hafalir et al. 2013).
//!
//! Each list keeps, of all who ever asked, the best of each group in its reserve and the best of
//! the rest in what is left. What a reserve passes on only ever grows, so that who is turned away
//! once stays turned away, and the order of asking makes no difference.

use super::model::{Input, Seat};
use super::order::{Ranked, number};
use std::collections::BinaryHeap;

/// Rank and application; the worst is on top.
type Kept = BinaryHeap<(u32, u32)>;

/// One list while places are given.
struct Places<'a> {
    /// The group, how many places, who has them.
    reserves: Vec<(&'a str, usize, Kept)>,
    open: Kept,
    places: usize,
    /// How many sit in reserves.
    reserved: usize,
}

impl Places<'_> {
    /// Takes an application in; answers who has to go on asking, if somebody has.
    fn ask(&mut self, input: &Input, rank: u32, application: u32) -> Option<u32> {
        let mut standing = (rank, application);
        for (group, places, kept) in &mut self.reserves {
            let groups = &input.applications()[standing.1 as usize].groups;
            if *places == 0 || !groups.contains(*group) {
                continue;
            }
            if kept.len() < *places {
                kept.push(standing);
                self.reserved += 1;
                return self.shrink();
            }
            if kept.peek().is_some_and(|worst| standing < *worst) {
                kept.push(standing);
                if let Some(worst) = kept.pop() {
                    standing = worst;
                }
            }
        }
        self.open.push(standing);
        self.shrink()
    }

    /// Who no longer fits into what the reserves leave open.
    fn shrink(&mut self) -> Option<u32> {
        if self.reserved + self.open.len() > self.places {
            self.open.pop().map(|(_, application)| application)
        } else {
            None
        }
    }
}

/// Assigns the places. Linear in choices, save for a logarithm of a list's places.
pub fn assign(input: &Input, orders: &[Vec<Ranked>]) -> Vec<Option<Seat>> {
    let applications = input.applications();
    // The rank of each choice, in one row: choice c of application a stands at start[a] + c.
    let mut start = Vec::with_capacity(applications.len() + 1);
    let mut total = 0;
    for application in applications {
        start.push(total);
        total += application.choices.len();
    }
    let mut ranks = vec![0_u32; total];
    for list in orders {
        for (place, row) in list.iter().enumerate() {
            ranks[start[row.application as usize] + row.choice as usize] = number(place);
        }
    }
    let mut places: Vec<Places<'_>> = input
        .lists()
        .iter()
        .map(|list| Places {
            reserves: list
                .reserves
                .iter()
                .map(|r| (r.group.as_str(), r.places as usize, BinaryHeap::new()))
                .collect(),
            open: BinaryHeap::new(),
            places: list.places as usize,
            reserved: 0,
        })
        .collect();
    let mut next = vec![0_usize; applications.len()];
    for first in 0..applications.len() {
        let mut asking = Some(first);
        while let Some(index) = asking {
            let turn = next[index];
            let Some(choice) = applications[index].choices.get(turn) else { break };
            next[index] = turn + 1;
            let list = &mut places[choice.list as usize];
            let refused = list.ask(input, ranks[start[index] + turn], number(index));
            asking = refused.map(|a| a as usize);
        }
    }
    let mut seats = vec![None; applications.len()];
    for (list, held) in places.into_iter().enumerate() {
        for (reserve, (_, _, kept)) in held.reserves.into_iter().enumerate() {
            for (_, application) in kept {
                let reserve = Some(number(reserve));
                seats[application as usize] = Some(Seat { list: number(list), reserve });
            }
        }
        for (_, application) in held.open {
            seats[application as usize] = Some(Seat { list: number(list), reserve: None });
        }
    }
    seats
}
