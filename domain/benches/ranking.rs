//! How long a ranking takes on one core, and how much memory: `cargo bench -p pratica-domain`.
//!
//! `cargo bench -p pratica-domain -- APPLICATIONS SCHOOLS` measures another size. The peer is
//! `bench/peers/matching_peer.py`, on the sizes that it can do. Prints figures, asserts none: they
//! are a machine's, not the code's alone.

#![allow(clippy::disallowed_methods, reason = "a measurement has a clock; the domain has none")]

use std::time::Instant;

use pratica_domain::ids::{CallId, CaseId};
use pratica_domain::ranking::{
    Application, Better, Choice, Document, Header, Input, Key, List, Reserve, Stage, rank,
};
use uuid::Uuid;

/// A generator that anybody can write again: the peer makes the same instances.
struct Dice(u64);

impl Dice {
    fn next(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const CHOICES: usize = 5;

fn instance(applications: usize, schools: usize) -> Result<Input, Box<dyn std::error::Error>> {
    let mut dice = Dice(42);
    let places = u32::try_from(applications * 9 / 10 / schools)?.max(1);
    let lists = (0..schools)
        .map(|n| {
            let reserves = vec![Reserve { group: "protected".to_owned(), places: places / 10 }];
            Ok(List { id: format!("s{n}/all").parse()?, places, reserves })
        })
        .collect::<Result<Vec<_>, pratica_domain::ids::InvalidId>>()?;
    let schools = schools as u64;
    let keys = ["score.main", "isee", "older"].map(|name| {
        let better = if name == "score.main" { Better::Higher } else { Better::Lower };
        Key { name: name.to_owned(), better }
    });
    let all = (0..applications)
        .map(|n| {
            let (isee, older) = (dice.next(50_000), dice.next(700));
            let mut choices: Vec<Choice> = Vec::with_capacity(CHOICES);
            while choices.len() < CHOICES.min(usize::try_from(schools).unwrap_or(CHOICES)) {
                let list = u32::try_from(dice.next(schools)).unwrap_or_default();
                if choices.iter().all(|c| c.list != list) {
                    let score = i64::try_from(dice.next(40)).unwrap_or_default();
                    let values = vec![score, isee.cast_signed(), older.cast_signed()];
                    choices.push(Choice { list, values });
                }
            }
            let id = CaseId(Uuid::from_u128(n as u128 + 1));
            let protected = dice.next(20) == 0;
            Application {
                id,
                evidence: "ab".repeat(32),
                lot_of: id,
                groups: protected.then(|| "protected".to_owned()).into_iter().collect(),
                choices,
            }
        })
        .collect();
    Ok(Input::new(keys.to_vec(), lists, all)?)
}

/// The most memory that the process has had, in MiB, where the system tells.
fn most_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.map_or_else(|| "unknown".to_owned(), |k| format!("{} MiB", k / 1024))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo adds `--bench`.
    let asked: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = match asked.as_slice() {
        [applications, schools, ..] => vec![(*applications, *schools)],
        _ => vec![(1_000, 10), (10_000, 50), (50_000, 250), (100_000, 500)],
    };
    for (applications, schools) in sizes {
        let begun = Instant::now();
        let input = instance(applications, schools)?;
        let made = begun.elapsed();
        let mut took = Vec::new();
        for _ in 0..3 {
            let begun = Instant::now();
            let ranking = rank(&input);
            took.push(begun.elapsed());
            assert_eq!(ranking.seats.len(), applications);
        }
        took.sort_unstable();
        let header = Header {
            call: CallId(Uuid::from_u128(1)),
            stage: Stage::Provisional,
            criteria: "bench@1".to_owned(),
            criteria_sha256: "cd".repeat(32),
            lots: None,
        };
        let begun = Instant::now();
        let document = Document::compute(header, input)?;
        let seated = document.ranking.seats.iter().filter(|s| s.is_some()).count();
        let text = document.text();
        println!(
            "{applications} applications, {schools} schools: checked and ordered {made:.0?}, ranked \
             and placed {:.0?} (median of 3), ranked and written {:.0?} ({} MB), {seated} placed, \
             most memory {}",
            took[1],
            begun.elapsed(),
            text.len() / 1_000_000,
            most_memory(),
        );
    }
    Ok(())
}
