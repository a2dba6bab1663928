//! W4: replaying the whole log into all views, rows and checkpoint in one transaction a batch.

use crate::Size;
use crate::figures::Figure;
use crate::fill::Filler;
use crate::place::Place;
use crate::raw;
use crate::report::{Goal, Report};
use pratica_projections::{Views, ViewsOptions};
use pratica_store::{BlindIndex, EventReader};
use std::sync::Arc;
use std::time::Instant;

/// What a case of the filling comes to, roughly.
const EVENTS_OF_A_CASE: u64 = 12;

pub(crate) async fn run(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let place = Place::open(&size.directory.join("w4"))?;
    let open = place.open_town()?;
    Filler::new(open)?.cases(size.events / EVENTS_OF_A_CASE, 0).await?;
    let (log, rules) = (Arc::clone(&open.town.log), Arc::clone(&open.town.rules));
    let events = log.head().await?.get();
    let (mut bulk, mut live, mut hand) = (Figure::default(), Figure::default(), Figure::default());
    let mut digest = None;
    for _ in 0..size.runs {
        let directory = tempfile::tempdir_in(&size.directory)?;
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

        // The end of a rebuild reads all of it again for its digest: that is not replaying.
        let begun = Instant::now();
        let mut reached = begun.elapsed();
        let rebuilt = views
            .rebuild(reader, &rules, |at, head| {
                if at == head {
                    reached = begun.elapsed();
                }
            })
            .await?;
        let all = begun.elapsed();
        bulk.add(events as f64 / all.as_secs_f64());
        report.note(format!(
            "rebuild: {:.2} s until the last event, {:.2} s with indexes, swap and digest",
            reached.as_secs_f64(),
            all.as_secs_f64()
        ));
        anyhow::ensure!(rebuilt.content_digest == caught_up, "two replays, two results");
        anyhow::ensure!(*digest.get_or_insert(caught_up) == caught_up, "two runs, two results");
        let status = views.status().await?.value;
        anyhow::ensure!(status.iter().all(|s| s.position.get() == events), "a view is behind");
    }
    let goal = Some(Goal::AtLeast(200_000.0));
    report.row("rebuild into all views, with indexes, swap and digest", "events/s", &bulk, goal);
    report.row("catching up, a durable commit for 2000 events", "events/s", &live, goal);
    report.row("rusqlite by hand, one view, not decoded", "events/s", &hand, None);
    report.note(format!("{events} events; every replay came to the same content digest"));
    report.note("a replay into statistics alone does not exist yet".to_owned());
    Ok(())
}
