//! The one writer: group commit, waiting, and stopping for good.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use pratica_store::sqlite::Options;
use pratica_store::testing::{append, event, events, name, request};
use pratica_store::{
    AppendRequest, Appended, EventAppender, EventReader, Expected, Fut, SqliteLog, StoreError,
};
use rusqlite::Connection;

use crate::places::InDirectory;

/// A stranger that holds the write lock, so that appends queue up; until it is dropped.
fn stranger(place: &InDirectory) -> Connection {
    let c = Connection::open(place.file()).unwrap();
    c.execute_batch("BEGIN IMMEDIATE").unwrap();
    c
}

fn to_cases(log: &SqliteLog, count: u64) -> Vec<Fut<'_, Appended>> {
    (0..count)
        .map(|i| log.append(append(&format!("a.permit-{i}"), Expected::NoStream, events(0..1))))
        .collect()
}

/// Sends them all off, and waits for none.
async fn begin(appends: &mut [Fut<'_, Appended>]) {
    std::future::poll_fn(|cx| {
        assert!(appends.iter_mut().all(|a| Pin::as_mut(a).poll(cx).is_pending()));
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn appends_that_queue_up_share_one_flush() {
    let place = InDirectory::new();
    let log = place.sqlite();
    let lock = stranger(&place);
    // As many as tokio lets one task send off without a break (128).
    let mut appends = to_cases(&log, 100);
    begin(&mut appends).await;
    drop(lock);
    for append in appends {
        append.await.unwrap();
    }
    let stats = log.stats();
    assert_eq!((stats.appends, stats.events), (100, 100));
    // The writer had taken some before it met the lock; the rest came in one.
    assert!(stats.commits <= 2, "{stats:?}");
    // The control: one after the other they need a flush each.
    for i in 100..120 {
        let stream = format!("a.permit-{i}");
        log.append(append(&stream, Expected::NoStream, events(0..1))).await.unwrap();
    }
    assert_eq!(log.stats().commits, stats.commits + 20);
}

#[tokio::test]
async fn within_one_transaction_each_append_is_judged_by_itself() {
    let place = InDirectory::new();
    let log = place.sqlite();
    let lock = stranger(&place);
    let at = |revision| Expected::Exact(pratica_store::Revision::new(revision));
    let asked = |number, print| Some(request(number, print));
    let mut appends = vec![
        log.append(append("a.permit-0", Expected::NoStream, events(0..1))),
        log.append(append("a.permit-1", Expected::NoStream, events(0..2))),
        log.append(append("a.permit-1", Expected::NoStream, events(0..1))),
        log.append(append("a.permit-1", at(1), events(2..3))),
        log.append(AppendRequest {
            request: asked(1, 1),
            ..append("a.permit-2", Expected::NoStream, events(0..2))
        }),
        log.append(AppendRequest {
            request: asked(1, 1),
            ..append("a.permit-2", Expected::NoStream, events(0..2))
        }),
        log.append(AppendRequest {
            request: asked(1, 2),
            ..append("a.permit-3", Expected::NoStream, events(0..2))
        }),
        log.append(append("a.permit-3", Expected::NoStream, events(0..1))),
    ];
    begin(&mut appends).await;
    drop(lock);
    let mut outcomes = Vec::new();
    for append in appends {
        outcomes.push(match append.await {
            Ok(done) if done.replayed => format!("replayed {}", done.position),
            Ok(done) => format!("done {}", done.position),
            Err(StoreError::Conflict { .. }) => "conflict".to_owned(),
            Err(StoreError::RequestReused { .. }) => "reused".to_owned(),
            Err(other) => panic!("{other:?}"),
        });
    }
    let expected =
        ["done 1", "done 3", "conflict", "done 4", "done 6", "replayed 6", "reused", "done 7"];
    assert_eq!(outcomes, expected);
    // The writer took some before it met the lock, and then the rest: one half is at least four.
    assert!(log.stats().largest_batch >= 4, "{:?}", log.stats());
    log.verify().await.unwrap();
}

#[tokio::test]
async fn a_full_queue_makes_the_next_append_wait() {
    let place = InDirectory::with(Options { write_queue: 2, ..Options::default() });
    let log = place.sqlite();
    let lock = stranger(&place);
    let mut appends = to_cases(&log, 50);
    begin(&mut appends).await;
    drop(lock);
    let outcomes = pratica_store::testing::conformance::together(appends).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(log.head().await.unwrap().get(), 50);
}

#[tokio::test]
async fn a_stranger_that_keeps_the_lock_makes_the_log_unavailable_for_that_time() {
    let options = Options { busy_timeout: Duration::ZERO, ..Options::default() };
    let place = InDirectory::with(options);
    let log = place.sqlite();
    let lock = stranger(&place);
    let first = || append("a.permit-1", Expected::NoStream, events(0..1));
    let error = log.append(first()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    drop(lock);
    assert_eq!(log.append(first()).await.unwrap().position.get(), 1);
}

#[tokio::test]
async fn a_full_disk_stops_the_writer_without_loss() {
    let place = InDirectory::with(Options { max_pages: Some(80), ..Options::default() });
    let log = place.sqlite();
    let asked = |number: u64| {
        let stream = format!("a.permit-{number}");
        let append = append(&stream, Expected::NoStream, vec![event(number)]);
        AppendRequest { request: Some(request(number.into(), 1)), ..append }
    };
    let mut acknowledged = 0;
    let error = loop {
        match log.append(asked(acknowledged)).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(acknowledged > 50, "{acknowledged}");
    let StoreError::Stopped { source } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("full"), "{source}");
    assert!(error.may_be_retried());
    let told = log.watch_stopped().borrow().clone().unwrap();
    assert_eq!(told.to_string(), source.to_string(), "who watches is told the same");
    // For good, also for what would still fit; and reading goes on.
    for request in [asked(0), asked(9999)] {
        let again = log.append(request).await.unwrap_err();
        assert!(matches!(again, StoreError::Stopped { .. }), "{again:?}");
    }
    assert_eq!(log.verify().await.unwrap().head.get(), acknowledged);
    assert_eq!(log.head().await.unwrap().get(), acknowledged);
    drop(log);
    // The cause mended: what was not answered is repeated with the same request id.
    let log = SqliteLog::open(place.file(), Options::default()).unwrap();
    assert!(!log.append(asked(acknowledged)).await.unwrap().replayed);
    for number in 0..=acknowledged {
        assert!(log.append(asked(number)).await.unwrap().replayed);
    }
    assert_eq!(log.verify().await.unwrap().head.get(), acknowledged + 1);
}

#[tokio::test]
async fn a_failed_commit_acknowledges_nobody_and_stops_the_writer() {
    let place = InDirectory::new();
    let log = place.sqlite();
    log.append(append("a.permit-0", Expected::NoStream, events(0..2))).await.unwrap();
    let lock = stranger(&place);
    // Broken only when the transaction commits: a constraint that is looked at then.
    lock.execute_batch(
        "CREATE TABLE poison (stream INTEGER REFERENCES streams (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER poisoned AFTER INSERT ON events WHEN NEW.type = 'test.poison'
         BEGIN INSERT INTO poison VALUES (-1); END;",
    )
    .unwrap();
    let mut poison = event(9);
    poison.event_type = "test.poison".into();
    let mut appends = vec![
        log.append(append("a.permit-1", Expected::NoStream, events(0..1))),
        log.append(append("a.permit-2", Expected::NoStream, vec![poison])),
        log.append(append("a.permit-3", Expected::NoStream, events(0..1))),
    ];
    begin(&mut appends).await;
    lock.execute_batch("COMMIT").unwrap();
    let mut acknowledged = Vec::new();
    for (append, stream) in appends.into_iter().zip(["a.permit-1", "a.permit-2", "a.permit-3"]) {
        match append.await {
            Ok(_) => acknowledged.push(stream),
            Err(error) => assert!(matches!(error, StoreError::Stopped { .. }), "{error:?}"),
        }
    }
    // The first may have had a transaction to itself; the poison and what followed did not.
    assert!(acknowledged.is_empty() || acknowledged == ["a.permit-1"], "{acknowledged:?}");
    let error = log.append(append("a.permit-4", Expected::NoStream, events(0..1))).await;
    assert!(matches!(error, Err(StoreError::Stopped { .. })), "{error:?}");
    drop(log);
    let log = place.sqlite();
    let verified = log.verify().await.unwrap();
    assert_eq!(verified.head.get(), 2 + acknowledged.len() as u64);
    assert_eq!(log.stream_revision(&name("a.permit-2")).await.unwrap(), None);
    assert_eq!(log.stream_revision(&name("a.permit-3")).await.unwrap(), None);
}

#[tokio::test]
async fn a_stranger_that_wrote_history_stops_the_writer() {
    let place = InDirectory::new();
    let log = place.sqlite();
    log.append(append("a.permit-0", Expected::NoStream, events(0..1))).await.unwrap();
    let c = Connection::open(place.file()).unwrap();
    c.execute(
        "INSERT INTO events SELECT 2, stream_id, 1, event_id, type, schema_version, occurred_at, \
         recorded_at, metadata, payload FROM events",
        [],
    )
    .unwrap();
    let at = Expected::Exact(pratica_store::Revision::FIRST);
    let outcome = log.append(append("a.permit-0", at, events(1..2))).await;
    assert!(matches!(outcome, Err(StoreError::Stopped { .. })), "{outcome:?}");
}

/// Appends a page of text each time, until the writer has stopped; answers how often and why.
async fn append_until_stopped(log: &SqliteLog, most: u64) -> (u64, Option<StoreError>) {
    for number in 0..most {
        let mut event = event(number);
        event.payload = format!("{{\"text\": \"{}\"}}", "x".repeat(4000)).into_bytes();
        let at = log.head().await.unwrap();
        let append = append(&format!("a.permit-{at}"), Expected::NoStream, vec![event]);
        if let Err(error) = log.append(append).await {
            return (number, Some(error));
        }
    }
    (most, None)
}

#[tokio::test]
async fn a_write_ahead_log_that_cannot_be_folded_in_stops_the_writer() {
    let place = InDirectory::with(Options { checkpoint_pages: 20, ..Options::default() });
    let log = place.sqlite();
    let (_, stopped) = append_until_stopped(&log, 300).await;
    assert!(stopped.is_none(), "what can be folded in stops nobody: {stopped:?}");
    // The file is cut behind the writer's back. It writes to its write-ahead log all the same, which
    // says of many more pages that they were there.
    std::fs::File::options().write(true).open(place.file()).unwrap().set_len(4096).unwrap();
    let (acknowledged, error) = append_until_stopped(&log, 300).await;
    assert!(acknowledged > 0, "a commit needs no page of the file");
    let Some(StoreError::Stopped { source }) = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("malformed"), "{source}");
    assert!(log.watch_stopped().borrow().is_some());
    drop(log);
    let again = SqliteLog::open(place.file(), Options::default());
    assert!(matches!(again, Err(StoreError::Corrupt { .. })), "nothing is repaired");
}

#[tokio::test]
async fn a_reader_that_holds_up_the_folding_in_stops_nobody() {
    let place = InDirectory::with(Options { checkpoint_pages: 20, ..Options::default() });
    let log = place.sqlite();
    append_until_stopped(&log, 1).await;
    let reader = Connection::open(place.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
    let (acknowledged, error) = append_until_stopped(&log, 50).await;
    assert_eq!(acknowledged, 50, "{error:?}");
    let folded = || std::fs::metadata(place.file()).unwrap().len();
    let held_up = folded();
    reader.execute_batch("COMMIT").unwrap();
    // The second is taken when the first is folded in.
    append_until_stopped(&log, 2).await;
    assert!(folded() > held_up, "what was held up is folded in afterwards");
}
