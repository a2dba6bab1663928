//! W3: loading a case of 50 events and folding it, without any cache of ours.

use crate::Size;
use crate::figures::{Figure, Times};
use crate::fill::Filler;
use crate::peers::Peers;
use crate::place::Place;
use crate::raw;
use crate::report::{Goal, Report};
use pratica_api::app::{Town, load};
use pratica_domain::case::Procedure;
use pratica_domain::{Event, fold};
use pratica_store::{Revision, StreamName};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// The events of a long case.
pub(crate) const EVENTS: u64 = 50;

#[derive(Default)]
struct Found {
    median: Figure,
    p99: Figure,
}

impl Found {
    fn add(&mut self, mut times: Times) {
        self.median.add(times.percentile_us(0.50));
        self.p99.add(times.percentile_us(0.99));
    }
}

pub(crate) async fn run(size: &Size, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let place = Place::open(&size.directory.join("w3"))?;
    let open = place.open_town()?;
    // The steps of every case come to 13 events for one that is closed and 10 for one that is not;
    // what is beyond the fiftieth is not read.
    let ids = Filler::new(open)?.cases(size.long_cases, EVENTS).await?;
    let town = Arc::clone(&open.town);
    let streams: Arc<Vec<StreamName>> = Arc::new(
        ids.iter()
            .map(|id| town.case_stream(Procedure::Residency, *id))
            .collect::<Result<_, _>>()?,
    );
    let by_hand = raw::reader(open.embedded.path())?;
    let (mut whole, mut reading, mut folding, mut hand) =
        (Found::default(), Found::default(), Found::default(), Found::default());
    let every = ["eventcore", "cqrs", "umadb"];
    let mut others = Vec::new();
    for mut peer in peers.start(&every, false, &size.directory, report)? {
        peer.fill(size.long_cases, EVENTS)?;
        others.push((peer, Found::default()));
    }
    for _ in 0..size.runs {
        for (peer, found) in &mut others {
            let went = peer.load()?;
            anyhow::ensure!(went.done == size.long_cases, "{} loads", went.done);
            found.median.add(went.p50_us);
            found.p99.add(went.p99_us);
        }
        let mut times = Times::default();
        for stream in streams.iter() {
            let begun = Instant::now();
            let read = raw::read_stream(&by_hand, stream.as_str(), EVENTS)?;
            times.add(begun.elapsed());
            anyhow::ensure!(read as u64 == EVENTS, "{read} events by hand");
        }
        hand.add(times);
        // As in a server: on a thread of the runtime.
        let (town, streams) = (Arc::clone(&town), Arc::clone(&streams));
        let [all, read, folded] =
            tokio::spawn(async move { load(&town, &streams).await }).await??;
        whole.add(all);
        reading.add(read);
        folding.add(folded);
    }
    report.row("load and fold, median", "us", &whole.median, Some(Goal::AtMost(80.0)));
    report.row("load and fold, p99", "us", &whole.p99, None);
    report.row("of it: reading through the store, median", "us", &reading.median, None);
    report.row("of it: decoding and folding, median", "us", &folding.median, None);
    report.row("rusqlite by hand, rows only, not decoded, median", "us", &hand.median, None);
    for (peer, found) in others {
        let what = "plain notes decoded and folded";
        report.row(format!("{}, {what}, median", peer.name), "us", &found.median, None);
        report.row(format!("{}, {what}, p99", peer.name), "us", &found.p99, None);
        peer.check(report)?;
    }
    report.note(format!(
        "{} cases, their pages in memory; each load was checked for its {EVENTS} events",
        streams.len()
    ));
    Ok(())
}

/// The times of the whole, of reading alone and of folding alone.
pub(crate) async fn load(town: &Town, streams: &[StreamName]) -> anyhow::Result<[Times; 3]> {
    let last = Revision::new(EVENTS - 1);
    let [mut whole, mut reading, mut folding] =
        [Times::default(), Times::default(), Times::default()];
    for stream in streams {
        let begun = Instant::now();
        let case = load::fold(town, stream, last).await?;
        whole.add(begun.elapsed());
        anyhow::ensure!(case.file.events == EVENTS, "{} events", case.file.events);
        drop(case);

        let begun = Instant::now();
        let events = load::events(town, stream, Revision::FIRST, last).await?;
        reading.add(begun.elapsed());

        let begun = Instant::now();
        let decoded: Vec<Event> = events.iter().map(load::decode).collect::<Result<_, _>>()?;
        black_box(fold(&decoded));
        folding.add(begun.elapsed());
    }
    Ok([whole, reading, folding])
}
