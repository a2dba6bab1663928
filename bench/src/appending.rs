//! W1: appending one event of 300 bytes with an expected revision, durable, in process.

use crate::Size;
use crate::figures::{Rate, Times};
use crate::peers::{Appends, Peers, best};
use crate::raw::RawLog;
use crate::report::{Goal, Report};
use jiff::Timestamp;
use pratica_store::{
    AppendRequest, EventAppender, Expected, Metadata, NewEvent, Request, Revision, SqliteLog,
    StreamName, sqlite,
};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

const WRITERS: [usize; 3] = [1, 8, 64];
/// Appends of one commit by hand, as a group commit would have them.
const TOGETHER: usize = 50;

pub(crate) fn run(
    runtime: &Runtime,
    size: &Size,
    peers: &Peers,
    report: &mut Report,
) -> anyhow::Result<()> {
    let path = size.directory.join("w1.db");
    let log = Arc::new(SqliteLog::open(&path, sqlite::Options::default())?);
    let mut raw = RawLog::open(&size.directory.join("w1-by-hand.db"))?;
    let slice = Duration::from_millis(size.slice_ms);
    let mut ours: Vec<Rate> = WRITERS.iter().map(|_| Rate::default()).collect();
    let (mut recognised, mut alone, mut together, mut asked) =
        (Rate::default(), Rate::default(), Rate::default(), Rate::default());
    let every = ["eventcore", "cqrs", "umadb"];
    let mut others = Appends::of(peers.start(&every, false, &size.directory, report)?, &WRITERS);
    for _ in 0..size.runs {
        let (times, took) = by_hand(&raw, slice, 1)?;
        alone.add(times, took);
        let (times, took);
        (raw, times, took) = by_hand_when_asked(runtime, raw, slice)?;
        asked.add(times, took);
        for (writers, rate) in WRITERS.iter().zip(&mut ours) {
            let (times, took) = runtime.block_on(append(&log, *writers, slice, false))?;
            rate.add(times, took);
        }
        let (times, took) = by_hand(&raw, slice, TOGETHER)?;
        together.add(times, took);
        let (times, took) = runtime.block_on(append(&log, 64, slice, true))?;
        recognised.add(times, took);
        for other in &mut others {
            other.run(&WRITERS, size.slice_ms)?;
        }
    }

    for (writers, rate) in WRITERS.iter().zip(&ours) {
        report.rate(&format!("Pratica, writers: {writers}"), rate);
    }
    report.rate("Pratica, writers: 64, each append with a request id", &recognised);
    report.rate("rusqlite by hand, one append a commit", &alone);
    report.rate("the same on a thread of its own that a task asks and waits for", &asked);
    report.row(
        format!("rusqlite by hand, {TOGETHER} appends a commit"),
        "/s",
        &together.per_second,
        None,
    );
    let [one, _, many] = ours.as_slice() else { anyhow::bail!("three numbers of writers") };
    report.ratio(
        "1 writer over rusqlite by hand",
        &one.per_second,
        &alone.per_second,
        Some(Goal::AtLeast(0.8)),
    );
    report.ratio(
        "1 writer over rusqlite by hand on a thread of its own",
        &one.per_second,
        &asked.per_second,
        None,
    );
    report.ratio(
        "64 writers over rusqlite by hand, 50 a commit",
        &many.per_second,
        &together.per_second,
        Some(Goal::AtLeast(0.6)),
    );
    let with_64: Vec<_> = others.iter().filter_map(|o| Some(&o.rates.last()?.per_second)).collect();
    if let Some(best) = best(&with_64) {
        let goal = Some(Goal::AtLeast(10.0));
        report.ratio("64 writers over the best peer of the run", &many.per_second, &best, goal);
    }
    for other in others {
        other.report("writers", &WRITERS, report)?;
    }

    let done: u64 = ours.iter().map(|r| r.done).sum::<u64>() + recognised.done;
    let verified = runtime.block_on(log.verify())?;
    anyhow::ensure!(verified.head.get() == done, "{done} appends, but {:?}", verified.head);
    anyhow::ensure!(verified.requests == recognised.done, "request ids are missing");
    anyhow::ensure!(
        raw.count()? == alone.done + asked.done + together.done,
        "the log by hand lost events"
    );
    let stats = log.stats();
    report.note(format!(
        "verified: {done} events in {} commits, the largest of {} appends",
        stats.commits, stats.largest_batch
    ));
    Ok(())
}

/// 300 bytes of JSON.
pub(crate) fn payload() -> String {
    let text = r#"{"note":"018f7c1e-6c5b-7d4a-9b1f-2f6f0a4c9b11","text":{"subject":"018f7c1e-6c5b-7d4a-9b1f-2f6f0a4c9b12","value":""}}"#;
    text.replace(r#""value":"""#, &format!(r#""value":"{}""#, "x".repeat(300 - text.len())))
}

pub(crate) fn metadata() -> Metadata {
    Metadata {
        actor: "anna.rossi".to_owned(),
        role: "officer".to_owned(),
        on_behalf_of: None,
        request_id: None,
        correlation_id: Uuid::from_u128(0x018f_7c1e_6c5b_7d4a_9b1f_2f6f_0a4c_9b13),
        causation_id: None,
        rules_version: "italy-2026".to_owned(),
    }
}

/// Each writer appends to a new case each time, one after the other.
pub(crate) async fn append(
    log: &Arc<SqliteLog>,
    writers: usize,
    slice: Duration,
    with_request: bool,
) -> anyhow::Result<(Times, Duration)> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let log = Arc::clone(log);
            tokio::spawn(async move { writer(&log, begun + slice, with_request).await })
        })
        .collect();
    let mut all = Times::default();
    for task in tasks {
        all.join(task.await??);
    }
    Ok((all, begun.elapsed()))
}

async fn writer(log: &SqliteLog, until: Instant, with_request: bool) -> anyhow::Result<Times> {
    let (text, metadata) = (payload().into_bytes(), metadata());
    let now = Timestamp::from_second(1_772_000_000)?;
    let mut times = Times::default();
    while Instant::now() < until {
        let id = Uuid::new_v4();
        let request = AppendRequest {
            stream: StreamName::parse(&format!("collina.residency-{id}"))?,
            expected: Expected::NoStream,
            events: vec![NewEvent {
                id,
                event_type: Cow::Borrowed("case.note_added"),
                schema_version: 1,
                occurred_at: now,
                payload: text.clone(),
                metadata: metadata.clone(),
            }],
            request: with_request.then_some(Request { id, fingerprint: [7; 32] }),
            recorded_at: now,
        };
        let begun = Instant::now();
        let appended = log.append(request).await?;
        times.add(begun.elapsed());
        anyhow::ensure!(appended.revision == Some(Revision::FIRST), "not the first of its case");
    }
    Ok(times)
}

fn by_hand(raw: &RawLog, slice: Duration, together: usize) -> anyhow::Result<(Times, Duration)> {
    let (text, metadata) = (payload(), serde_json::to_string(&metadata())?);
    let begun = Instant::now();
    let mut times = Times::default();
    while begun.elapsed() < slice {
        let one = Instant::now();
        commit_by_hand(raw, &metadata, &text, together)?;
        for _ in 0..together {
            times.add(one.elapsed());
        }
    }
    Ok((times, begun.elapsed()))
}

fn commit_by_hand(raw: &RawLog, metadata: &str, text: &str, together: usize) -> anyhow::Result<()> {
    raw.begin()?;
    for _ in 0..together {
        let stream = format!("collina.residency-{}", Uuid::new_v4());
        raw.append(&stream, -1, metadata, text)?;
    }
    raw.commit()
}

/// By hand, asked from a task: what any store costs at least whose callers may not block.
fn by_hand_when_asked(
    runtime: &Runtime,
    raw: RawLog,
    slice: Duration,
) -> anyhow::Result<(RawLog, Times, Duration)> {
    let (text, metadata) = (payload(), serde_json::to_string(&metadata())?);
    let (ask, mut asked) = mpsc::channel::<oneshot::Sender<anyhow::Result<()>>>(1);
    let by_hand = std::thread::spawn(move || {
        while let Some(reply) = asked.blocking_recv() {
            // Who asked waits for it.
            let _ = reply.send(commit_by_hand(&raw, &metadata, &text, 1));
        }
        raw
    });
    let begun = Instant::now();
    let asking = runtime.spawn(async move {
        let mut times = Times::default();
        while begun.elapsed() < slice {
            let one = Instant::now();
            let (reply, answer) = oneshot::channel();
            ask.send(reply).await?;
            answer.await??;
            times.add(one.elapsed());
        }
        anyhow::Ok(times)
    });
    let times = runtime.block_on(asking)??;
    let took = begun.elapsed();
    let raw = by_hand.join().map_err(|_| anyhow::anyhow!("the thread by hand panicked"))?;
    Ok((raw, times, took))
}
