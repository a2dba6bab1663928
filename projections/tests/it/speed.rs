//! How fast a rebuild is: printed with `--nocapture`, never asserted. The size may be given in
//! `VIEWS_CASES`; run with `--release` for figures that mean something.

use std::time::Instant;

use pratica_store::EventReader;

use crate::town::{Town, added, assigned, caught_up, confirmed, day, registered, rules, stream};
use pratica_domain::case::Direction;

/// Cases of eight to nine events each, `at_once` of them under way at the same time.
pub(crate) async fn busy_town(cases: u128, at_once: u128) -> Town {
    let mut town = Town::new();
    let on = day("2026-03-02");
    for first in (0..cases).step_by(usize::try_from(at_once).unwrap()) {
        let group = first..(first + at_once).min(cases);
        for n in group.clone() {
            town.declare(n, "2026-03-02", "Rossi", "").await;
        }
        for n in group.clone() {
            town.register(n, n, "2026-03-02").await;
        }
        for n in group.clone() {
            town.record(stream(n), on, vec![assigned("anagrafe", Some("anna"))]).await;
        }
        for n in group.clone() {
            let events = vec![
                registered(day("2026-03-04"), on),
                added(n + (1 << 40), "start_communication", Direction::Outgoing, on),
            ];
            town.record(stream(n), on, events).await;
        }
        for n in group {
            town.record(stream(n), on, vec![confirmed(day("2026-04-10"))]).await;
        }
    }
    town
}

#[tokio::test]
async fn a_rebuild_says_how_fast_it_was() {
    let cases = std::env::var("VIEWS_CASES").map_or(500, |n| n.parse().unwrap());
    for at_once in [1, 200, 5000] {
        let town = busy_town(cases, at_once).await;
        let events = town.log.head().await.unwrap().get();
        let started = Instant::now();
        let place = caught_up(&town).await;
        let live = started.elapsed();
        let started = Instant::now();
        place.views.rebuild(town.reader(), &rules(), |_, _| {}).await.unwrap();
        let rebuilt = started.elapsed();
        let rate = |time: std::time::Duration| events as f64 / time.as_secs_f64();
        println!(
            "{events} events, {at_once} cases at once: live {:.0}/s, rebuild {:.0}/s (with digest)",
            rate(live),
            rate(rebuilt)
        );
    }
}
