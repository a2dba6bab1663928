//! What comes when in a town's day: it follows from the seed.

use std::time::Duration;

/// How a town's day is played.
pub(crate) struct Day {
    pub(crate) seed: u64,
    /// Calls a second in the forenoon.
    pub(crate) per_second: f64,
    /// How long the day lasts here.
    pub(crate) seconds: u64,
    pub(crate) watchers: usize,
    /// Cases that are there in the morning.
    pub(crate) cases: u64,
}

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Want {
    Case,
    Worklist,
    Timeline,
    Statistics,
    Work,
    Note,
    Apply,
}

/// A part of the day: its share of it, how busy it is against the forenoon, and how busy families
/// are at its beginning and at its end.
pub(super) struct Part {
    pub(super) name: &'static str,
    share: f64,
    busy: f64,
    families: (f64, f64),
}

pub(super) const DAY: [Part; 5] = [
    Part { name: "morning rush", share: 0.10, busy: 3.0, families: (0.0, 0.0) },
    Part { name: "forenoon", share: 0.35, busy: 1.0, families: (0.02, 0.05) },
    Part { name: "lunch", share: 0.15, busy: 0.3, families: (0.05, 0.05) },
    Part { name: "afternoon", share: 0.20, busy: 0.8, families: (0.05, 0.10) },
    Part { name: "last hour of the window", share: 0.20, busy: 0.8, families: (0.10, 1.50) },
];

/// Of a hundred calls of the staff: the mix of a working day.
const MIX: [(Want, u32); 6] = [
    (Want::Case, 45),
    (Want::Worklist, 20),
    (Want::Timeline, 8),
    (Want::Statistics, 2),
    (Want::Work, 17),
    (Want::Note, 8),
];

impl Want {
    pub(super) fn name(self) -> &'static str {
        match self {
            Want::Case => "GetCase",
            Want::Worklist => "ListWorklist",
            Want::Timeline => "GetTimeline",
            Want::Statistics => "GetStatistics",
            Want::Work => "a clerk's command",
            Want::Note => "a note on a watched case",
            Want::Apply => "an application",
        }
    }
}

/// When who wants what: exponential pauses, as of many people who know nothing of each other.
pub(super) fn schedule(day: &Day) -> Vec<(Duration, Want)> {
    let mut chance = fastrand::Rng::with_seed(day.seed);
    let whole = day.seconds as f64;
    let mut coming = Vec::new();
    let mut begins = 0.0;
    for part in &DAY {
        let lasts = part.share * whole;
        let mut at = 0.0;
        let staff = day.per_second * part.busy;
        while let Some(next) = later(&mut chance, at, staff, lasts) {
            at = next;
            let mut draw = chance.u32(0..100);
            let want = MIX.iter().find(|(_, share)| {
                let this = draw < *share;
                draw = draw.saturating_sub(*share);
                this
            });
            let want = want.map_or(Want::Case, |(want, _)| *want);
            coming.push((Duration::from_secs_f64(begins + at), want));
        }
        let (first, last) = part.families;
        let busiest = day.per_second * first.max(last);
        let mut at = 0.0;
        while let Some(next) = later(&mut chance, at, busiest, lasts) {
            at = next;
            // Thinned out to what the moment has.
            let now = first + (last - first) * at / lasts;
            if chance.f64() * first.max(last) < now {
                coming.push((Duration::from_secs_f64(begins + at), Want::Apply));
            }
        }
        begins += lasts;
    }
    coming.sort_unstable();
    coming
}

fn later(chance: &mut fastrand::Rng, at: f64, per_second: f64, lasts: f64) -> Option<f64> {
    if per_second <= 0.0 {
        return None;
    }
    let next = at - (1.0 - chance.f64()).ln() / per_second;
    (next < lasts).then_some(next)
}
