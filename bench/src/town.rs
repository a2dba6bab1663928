//! L2: a town's working day in a minute, as an open loop: calls come when people make them, not
//! when the server has time, so that waiting counts from the moment somebody wanted something.
//!
//! The day has its morning rush, its forenoon, its lunch, its afternoon, and the last hour of an
//! enrolment window, in which families file more and more until it closes. All the time people
//! watch cases on which officers write notes. What comes when follows from the seed.

use crate::Size;
use crate::commands::check;
use crate::figures::Figure;
use crate::fill::Filler;
use crate::place::{COMUNE, Place};
use crate::report::Report;
use crate::serving;
use anyhow::Context as _;
use hdrhistogram::Histogram;
use pratica_api::cli::Failure;
use pratica_api::demo::{SCHOOL_OFFICER, Town, publish_call};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use uuid::Uuid;

mod day;
mod people;

pub(crate) use day::Day;
use day::{DAY, Want, schedule};
use people::{Fates, People, WATCHED};

/// Calls that sixty members of staff make in a second, one each ten seconds: a town of some
/// hundred thousand people on a busy day. What is faster than this is a day in less than a day.
const REAL_PER_SECOND: f64 = 6.0;
/// How long who watches is waited for in the end.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn run(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let day = &size.day;
    let mut place = Place::open(&size.directory.join("l2"))?;
    let ids = Arc::new(Filler::new(place.open_town()?)?.cases(day.cases, 0).await?);
    place.settle().await?;
    let (served, key) = serving::pratica(&mut place).await?;
    let mut school = Town::new(COMUNE, &served.url, key.clone());
    let call = publish_call(&mut school, Uuid::from_u128(1)).await.map_err(failed)?;
    let open = place.open_town()?;
    let before = open.embedded.verify().await?.requests;

    let coming = schedule(day);
    let mut people = People::new(&served.url, &key, ids, &call).await?;
    let filed = people.noters.len() as u64;
    let mut numbers = people.noters.iter().map(|noter| noter.numbers).sum::<u64>();
    let (pushed, mut pushes) = mpsc::unbounded_channel();
    let (ended, watchers) = people.watch(&served.url, &key, day.watchers, &pushed).await?;
    drop(pushed);
    let begun = Instant::now();
    let lived = people.live(&coming, begun).await?;
    let took = begun.elapsed();
    // Who watches has seen the day to its end.
    ended.send_replace(Some(lived.noted));
    tokio::time::timeout(PATIENCE, watchers.join_all())
        .await
        .context("somebody who watches did not see the last note")?
        .into_iter()
        .collect::<anyhow::Result<()>>()?;

    let mut answered = BTreeMap::new();
    for (want, fate) in &lived.fates {
        answered.insert(*want, fate.took_us.len());
        tell(report, want.name(), &fate.took_us);
    }
    let mut seen = Fates::new()?;
    while let Some(took) = pushes.recv().await {
        seen.took(took);
    }
    tell(report, "from sending a note to its push to each who watches", &seen.took_us);
    let refused: u64 = lived.fates.values().map(|fate| fate.refused).sum();
    let made: u64 = answered.values().sum();
    anyhow::ensure!(made + refused == coming.len() as u64, "a call has no answer");
    report.note(format!(
        "seed {}: {} calls wanted in {} s ({}), the last answered after {:.1} s: {made} answered, \
         {refused} refused with the time to come back; speed factor {:.0}, where a town's staff \
         makes {REAL_PER_SECOND} calls a second; {} watchers on {WATCHED} cases; {} cases before",
        day.seed,
        coming.len(),
        day.seconds,
        DAY.map(|part| part.name).join(", "),
        took.as_secs_f64(),
        day.per_second / REAL_PER_SECOND,
        day.watchers,
        day.cases,
    ));
    let of = |want| answered.get(&want).copied().unwrap_or_default();
    let head = place.open_town()?.town.log.head().await?.get();
    let method = "pratica.enrolment.v1.CallService/ListCalls";
    let asked = json!({ "min_position": head });
    let counted = school.call(SCHOOL_OFFICER, method, asked).await.map_err(failed)?;
    let counted = counted["calls"][0]["applications"].as_u64().unwrap_or_default();
    let applied = of(Want::Apply);
    anyhow::ensure!(
        counted == applied && lived.applications == applied,
        "{applied} applications answered, {} of them different, {counted} counted",
        lived.applications
    );
    numbers += lived.numbers;
    let commands = filed + of(Want::Work) + of(Want::Note) + applied;
    check(&place, before, commands, numbers, report).await?;
    served.stop().await
}

fn failed(failure: Failure) -> anyhow::Error {
    match failure {
        Failure::Status(status) => (*status).into(),
        Failure::Fault(fault) => fault,
        Failure::Usage(words) => anyhow::anyhow!(words),
    }
}

fn tell(report: &mut Report, what: &str, took_us: &Histogram<u64>) {
    let shares = [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p99.9", 99.9), ("longest", 100.0)];
    for (name, share) in shares {
        // A percentile that no call lies beyond says nothing that the longest does not.
        let beyond = took_us.len() as f64 * (100.0 - share) / 100.0;
        if took_us.is_empty() || (share < 100.0 && beyond < 1.0) {
            continue;
        }
        let mut figure = Figure::default();
        figure.add(took_us.value_at_percentile(share) as f64);
        report.row(format!("{what}, {name} of {}", took_us.len()), "us", &figure, None);
    }
}
