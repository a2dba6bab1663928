//! A process killed while it writes: what was acknowledged is there, once.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pratica_store::sqlite::Options;
use pratica_store::testing::conformance::read_everything;
use pratica_store::testing::{append, event, events, request};
use pratica_store::{AppendRequest, EventAppender, EventReader, Expected, SqliteLog};

use crate::places::InDirectory;

const DO: &str = "PRATICA_TEST_CHILD";
const FILE: &str = "PRATICA_TEST_LOG";

/// This test program again, to do one thing with a log in another process.
pub(super) fn child(what: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "sqlite::crash::what_a_child_does", "--nocapture"])
        .env(DO, what)
        .env(FILE, file)
        .stdout(Stdio::piped());
    command
}

fn asked(writer: u128, number: u64, at: Expected) -> AppendRequest {
    let id = writer * 1_000_000 + u128::from(number);
    let stream = format!("a.permit-{writer}");
    AppendRequest { request: Some(request(id, 1)), ..append(&stream, at, vec![event(number)]) }
}

/// Not a test by itself: the other process of the tests below. Alone it does nothing.
#[test]
fn what_a_child_does() {
    let (Ok(what), Some(file)) = (std::env::var(DO), std::env::var_os(FILE)) else { return };
    // A small write-ahead log, so that the kill also falls into its folding into the file.
    let options = Options { checkpoint_pages: 20, ..Options::default() };
    let say = |line: &str| writeln!(std::io::stdout(), "{line}").unwrap();
    let log = match SqliteLog::open(&file, options) {
        Ok(log) => Arc::new(log),
        Err(error) => return say(&format!("refused: {error}")),
    };
    say("opened");
    if what == "append" {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let write = |writer: u128| {
            let log = Arc::clone(&log);
            async move {
                let mut at = Expected::NoStream;
                for number in 0.. {
                    let done = log.append(asked(writer, number, at)).await.unwrap();
                    at = done.revision.into();
                    let line = format!("ack {writer} {number} {}", done.position);
                    writeln!(std::io::stdout(), "{line}").unwrap();
                }
            }
        };
        runtime.block_on(async {
            let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(writer))).collect();
            for writer in writers {
                writer.await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let place = InDirectory::new();
    for (round, kill_after) in [1, 40, 333].into_iter().enumerate() {
        let file = place.path(&format!("{round}.db"));
        let mut process = child("append", &file).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        for line in lines {
            let line = line.unwrap();
            // A line is one write into the pipe: it is there whole or not at all.
            let parts: Vec<&str> = line.split(' ').collect();
            if let ["ack", writer, number, position] = parts[..] {
                acknowledged.push((
                    writer.parse::<u128>().unwrap(),
                    number.parse::<u64>().unwrap(),
                    position.parse::<u64>().unwrap(),
                ));
            }
            if acknowledged.len() == kill_after {
                process.kill().unwrap();
            }
        }
        process.wait().unwrap();
        assert!(acknowledged.len() >= kill_after);
        let log = SqliteLog::open(file, Options::default()).unwrap();
        let verified = log.verify().await.unwrap();
        assert_eq!(verified.head.get(), verified.requests);
        for &(writer, number, position) in &acknowledged {
            let id = asked(writer, number, Expected::NoStream).request.unwrap().id;
            let record = log.find_request(id).await.unwrap().unwrap();
            assert_eq!(record.revision.unwrap().get(), number);
            assert_eq!(record.position.get(), position);
            let again = log.append(asked(writer, number, Expected::NoStream)).await.unwrap();
            assert!(again.replayed);
        }
        assert_eq!(log.head().await.unwrap(), verified.head);
    }
}

/// The files as a power cut would leave them at any moment: the write-ahead log up to some byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_copied_amid_writing_hold_every_acknowledged_event() {
    let place = InDirectory::with(Options { checkpoint_pages: 0, ..Options::default() });
    let log = Arc::new(place.sqlite());
    let end = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (log, end) = (Arc::clone(&log), Arc::clone(&end));
            tokio::spawn(async move {
                let mut at = Expected::NoStream;
                while !end.load(Ordering::Relaxed) {
                    let request = append(&format!("a.permit-{writer}"), at, events(0..3));
                    at = log.append(request).await.unwrap().revision.into();
                }
            })
        })
        .collect();
    let mut head = log.watch_head();
    let mut copies = Vec::new();
    for round in 1..=8_u64 {
        let before = *head.wait_for(|head| head.get() >= round * 30).await.unwrap();
        let copy = place.path(&format!("copy-{round}.db"));
        let wal = |path: &Path| path.with_extension("db-wal");
        std::fs::copy(place.file(), &copy).unwrap();
        std::fs::copy(wal(&place.file()), wal(&copy)).unwrap();
        copies.push((before, copy));
    }
    end.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let whole = read_everything(&*log, 1000).await;
    for (before, copy) in copies {
        let copy = SqliteLog::open(copy, Options::default()).unwrap();
        let events = read_everything(&copy, 1000).await;
        assert!(events.len() as u64 >= before.get());
        assert_eq!(events.len() % 3, 0, "half an append");
        assert_eq!(events, whole[..events.len()]);
        copy.verify().await.unwrap();
    }
}

/// What a killed writer left may not be on the disk yet: it is, before anybody is answered.
#[tokio::test]
async fn what_is_found_in_the_write_ahead_log_is_folded_in_before_it_is_told() {
    let place = InDirectory::with(Options { checkpoint_pages: 0, ..Options::default() });
    let log = place.sqlite();
    for writer in 0..5 {
        let stream = format!("a.permit-{writer}");
        log.append(append(&stream, Expected::NoStream, events(0..2))).await.unwrap();
    }
    let (copy, alone, after) =
        (place.path("copy.db"), place.path("alone.db"), place.path("after.db"));
    std::fs::copy(place.file(), &copy).unwrap();
    std::fs::copy(place.file(), &alone).unwrap();
    std::fs::copy(place.file().with_extension("db-wal"), copy.with_extension("db-wal")).unwrap();
    // The control: without its write-ahead log the file does not hold them.
    let without = SqliteLog::open(&alone, Options::default()).unwrap();
    assert_eq!(without.head().await.unwrap().get(), 0);
    drop(without);
    let opened = SqliteLog::open(&copy, Options::default()).unwrap();
    std::fs::copy(&copy, &after).unwrap();
    let folded = SqliteLog::open(&after, Options::default()).unwrap();
    assert_eq!(folded.head().await.unwrap(), opened.head().await.unwrap());
    assert_eq!(folded.verify().await.unwrap().head.get(), 10);
}
