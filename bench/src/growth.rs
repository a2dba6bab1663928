//! W8: what W1, W3 and W4 cost per event in a small log and in a large one, side by side.

use crate::Size;
use crate::figures::Figure;
use crate::grown::{Grown, Towns};
use crate::place::{COMUNE, Place};
use crate::raw::{self, RawKeys};
use crate::report::{Goal, Report};
use crate::{appending, loading};
use anyhow::Context as _;
use pratica_domain::case::Procedure;
use pratica_projections::{RecountOf, Views, ViewsOptions, recount};
use pratica_store::{BlindIndex, EventReader, StreamName};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is measured at each size, in microseconds per event, and whether the goal is for it.
const WORKS: [(&str, bool); 7] = [
    ("W1, 1 writer", true),
    ("W1, 64 writers", true),
    ("W3, load and fold 50 events, median", true),
    ("W4, catching up in all views", true),
    ("W4, rebuild into all views", true),
    ("W4, statistics alone", true),
    ("rusqlite by hand, only what cases are found by", false),
];

/// How many batches of the views' keys are written by hand in a run.
const BATCHES_BY_HAND: usize = 5;

/// One size.
struct Side {
    grown: Rc<Grown>,
    place: Place,
    streams: Arc<Vec<StreamName>>,
    figures: [Figure; WORKS.len()],
    /// What cases are found by, by hand.
    keys: RawKeys,
    keys_of_a_batch: u64,
}

pub(crate) async fn run(size: &Size, towns: &mut Towns, report: &mut Report) -> anyhow::Result<()> {
    let mut sides = Vec::new();
    for cases in &size.cases {
        let grown = towns.of(*cases, size, report).await?;
        let place = Place::open(&grown.directory)?;
        let town = &place.open_town()?.town;
        let streams: Result<Vec<_>, _> =
            grown.long.iter().map(|id| town.case_stream(Procedure::Residency, *id)).collect();
        let (streams, figures) = (Arc::new(streams?), <[Figure; WORKS.len()]>::default());
        let views = raw::reader(&grown.directory.join(COMUNE).join("views.db"))?;
        let keys: i64 =
            views.query_row("SELECT count(*) FROM search_keys", [], |row| row.get(0))?;
        let keys = keys.unsigned_abs();
        let keys_of_a_batch = keys * ViewsOptions::default().batch_events as u64 / grown.events;
        let keys = RawKeys::open(&size.directory.join(format!("w8-keys-{cases}.db")), keys)?;
        sides.push(Side { grown, place, streams, figures, keys, keys_of_a_batch });
    }
    for _ in 0..size.runs {
        for side in &mut sides {
            side.read(size).await?;
        }
    }
    // Last: these are notes without a case, which no view would take.
    for side in &sides {
        side.grown.spend()?;
    }
    for _ in 0..size.runs {
        for side in &mut sides {
            side.append(Duration::from_millis(size.slice_ms)).await?;
        }
    }
    let (small, large) = (sides.first(), sides.last());
    let (small, large) = small.zip(large).context("no sizes")?;
    for (n, (work, has_goal)) in WORKS.into_iter().enumerate() {
        for side in &sides {
            let what = format!("{work}, a log of {} events", side.grown.events);
            report.row(what, "us/event", &side.figures[n], None);
        }
        if sides.len() > 1 {
            let what = format!("{work}: {} events over {}", large.grown.events, small.grown.events);
            let goal = has_goal.then_some(Goal::AtMost(1.2));
            report.ratio(&what, &large.figures[n], &small.figures[n], goal);
        }
    }
    report.note(format!("{} keys in a batch of the views", large.keys_of_a_batch));
    report.note("the rebuilt views hold what those that followed hold, at every size".to_owned());
    Ok(())
}

impl Side {
    async fn read(&mut self, size: &Size) -> anyhow::Result<()> {
        let open = self.place.open_town()?;
        let (town, streams) = (Arc::clone(&open.town), Arc::clone(&self.streams));
        let [mut whole, _, _] =
            tokio::spawn(async move { loading::load(&town, &streams).await }).await??;
        self.figures[2].add(whole.percentile_us(0.50) / loading::EVENTS as f64);

        let town = &open.town;
        let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
        let directory = tempfile::tempdir_in(&size.directory)?;
        let index: Arc<dyn BlindIndex> = Arc::clone(&town.vault) as Arc<dyn BlindIndex>;
        let file = directory.path().join("views.db");
        let (views, mut projector) = Views::open(&file, ViewsOptions::default(), index)?;
        let begun = Instant::now();
        let position = projector.catch_up(Arc::clone(&reader), &town.rules).await?;
        self.figures[3].add(begun.elapsed().as_secs_f64() * 1e6 / self.grown.events as f64);
        anyhow::ensure!(position.get() == self.grown.events, "the views are at {position}");
        // Every row is read for it: once is enough.
        let followed = match self.figures[3].runs() {
            1 => Some(views.content_digest().await?.value),
            _ => None,
        };

        let begun = Instant::now();
        views.rebuild(Arc::clone(&reader), &town.rules, |_, _| {}).await?;
        self.figures[4].add(begun.elapsed().as_secs_f64() * 1e6 / self.grown.events as f64);
        if let Some(followed) = followed {
            let rebuilt = views.content_digest().await?.value;
            anyhow::ensure!(rebuilt == followed, "two replays, two results");
        }

        let begun = Instant::now();
        for _ in 0..BATCHES_BY_HAND {
            self.keys.add(usize::try_from(self.keys_of_a_batch)?)?;
        }
        let events = BATCHES_BY_HAND * ViewsOptions::default().batch_events;
        self.figures[6].add(begun.elapsed().as_secs_f64() * 1e6 / events as f64);

        let begun = Instant::now();
        let counted = recount(reader, &town.rules, RecountOf::default(), |_, _| {}).await?;
        self.figures[5].add(begun.elapsed().as_secs_f64() * 1e6 / self.grown.events as f64);
        let kept = views.statistics(None, None, None).await?.value;
        anyhow::ensure!(counted.rows == kept, "two ways of counting, two results");
        Ok(())
    }

    async fn append(&mut self, slice: Duration) -> anyhow::Result<()> {
        let log = Arc::clone(&self.place.open_town()?.embedded);
        for (n, writers) in [1, 64].into_iter().enumerate() {
            let before = log.head().await?.get();
            let (times, took) = appending::append(&log, writers, slice, false).await?;
            let done = log.head().await?.get() - before;
            anyhow::ensure!(done == times.count() as u64, "{done} events, not {}", times.count());
            self.figures[n].add(took.as_secs_f64() * 1e6 / done as f64);
        }
        Ok(())
    }
}
