//! W4: replaying the whole log into all views, rows and checkpoint in one transaction a batch.

use crate::Size;
use crate::figures::Figure;
use crate::fill::Filler;
use crate::peers::Peers;
use crate::place::Place;
use crate::raw;
use crate::report::{Goal, Report};
use pratica_projections::{RecountOf, Views, ViewsOptions, recount};
use pratica_store::{BlindIndex, EventReader};
use std::sync::Arc;
use std::time::Instant;

/// What a case of the filling comes to, roughly.
const EVENTS_OF_A_CASE: u64 = 12;
/// A peer that commits for every event is given fewer cases, or it would never end.
const PEER_CASES: u64 = 500;

pub(crate) async fn run(size: &Size, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let place = Place::open(&size.directory.join("w4"))?;
    let open = place.open_town()?;
    Filler::new(open)?.cases(size.events / EVENTS_OF_A_CASE, 0).await?;
    let (log, rules) = (Arc::clone(&open.town.log), Arc::clone(&open.town.rules));
    let events = log.head().await?.get();
    let (mut bulk, mut live, mut hand) = (Figure::default(), Figure::default(), Figure::default());
    let (mut read, mut alone, mut folded) = (Figure::default(), Figure::default(), 0);
    let mut digest = None;
    let mut others = Vec::new();
    for mut peer in peers.start(&["cqrs"], false, &size.directory, report)? {
        peer.fill((size.events / EVENTS_OF_A_CASE).min(PEER_CASES), EVENTS_OF_A_CASE)?;
        others.push((peer, Figure::default()));
    }
    for _ in 0..size.runs {
        for (peer, rate) in &mut others {
            let went = peer.replay()?;
            rate.add(went.done as f64 * 1e6 / went.took_us);
        }
        let directory = tempfile::tempdir_in(&size.directory)?;
        let path = open.embedded.path().to_owned();
        let begun = Instant::now();
        let found = tokio::task::spawn_blocking(move || raw::read_all(&path)).await??;
        read.add(found as f64 / begun.elapsed().as_secs_f64());
        anyhow::ensure!(found == events, "{found} of {events} read by hand");
        let (path, view) = (open.embedded.path().to_owned(), directory.path().join("by-hand.db"));
        let begun = Instant::now();
        let applied = tokio::task::spawn_blocking(move || raw::replay(&path, &view)).await??;
        hand.add(applied as f64 / begun.elapsed().as_secs_f64());
        anyhow::ensure!(applied == events, "{applied} of {events} by hand");

        let reader: Arc<dyn EventReader> = Arc::clone(&log) as Arc<dyn EventReader>;
        let options = ViewsOptions::default();
        let index: Arc<dyn BlindIndex> = Arc::clone(&open.town.vault) as Arc<dyn BlindIndex>;
        let (views, mut projector) =
            Views::open(&directory.path().join("views.db"), options, index)?;
        let begun = Instant::now();
        let position = projector.catch_up(Arc::clone(&reader), &rules).await?;
        live.add(events as f64 / begun.elapsed().as_secs_f64());
        anyhow::ensure!(position.get() == events, "the views are at {position:?}");
        let caught_up = views.content_digest().await?.value;

        let begun = Instant::now();
        let mut reached = begun.elapsed();
        views
            .rebuild(reader, &rules, |at, head| {
                if at == head {
                    reached = begun.elapsed();
                }
            })
            .await?;
        let all = begun.elapsed();
        bulk.add(events as f64 / all.as_secs_f64());
        report.note(format!(
            "rebuild: {:.2} s until the last event, {:.2} s with indexes and swap",
            reached.as_secs_f64(),
            all.as_secs_f64()
        ));
        let rebuilt = views.content_digest().await?.value;
        anyhow::ensure!(rebuilt == caught_up, "two replays, two results");
        anyhow::ensure!(*digest.get_or_insert(caught_up) == caught_up, "two runs, two results");
        let reader: Arc<dyn EventReader> = Arc::clone(&log) as Arc<dyn EventReader>;
        let begun = Instant::now();
        let counted = recount(reader, &rules, RecountOf::default(), |_, _| {}).await?;
        alone.add(events as f64 / begun.elapsed().as_secs_f64());
        let kept = views.statistics(None, None, None).await?.value;
        anyhow::ensure!(counted.rows == kept, "two ways of counting, two results");
        folded = counted.folded;
        let status = views.status().await?.value;
        anyhow::ensure!(status.iter().all(|s| s.position.get() == events), "a view is behind");
    }
    let goal = Some(Goal::AtLeast(200_000.0));
    report.row("rebuild into all views, with indexes and swap", "events/s", &bulk, goal);
    let batch = ViewsOptions::default().batch_events;
    let what = format!("catching up, a commit for {batch} events");
    report.row(what, "events/s", &live, goal);
    report.row("rusqlite by hand, one view, not decoded", "events/s", &hand, None);
    report.row("rusqlite by hand, read and nothing else, one thread", "events/s", &read, None);
    for (peer, rate) in others {
        let what = "its own view, a durable commit an event";
        report.row(format!("{}, {what}", peer.name), "events/s", &rate, None);
        peer.check(report)?;
    }
    report.note(format!("{events} events; every replay came to the same content digest"));
    let goal = Some(Goal::AtLeast(1_000_000.0));
    report.row("statistics alone, nothing sealed opened", "events/s", &alone, goal);
    report.note(format!(
        "the statistics alone are those of the views; of {events} events {folded} count for them \
         and were decoded, the others passed over by name"
    ));
    Ok(())
}
