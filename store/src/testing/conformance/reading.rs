//! Clauses about reading: both ways, every boundary, filtered and resumed.
#![allow(missing_docs, reason = "the name of a clause says what it demands")]

use super::{Place, numbers};
use crate::log::Direction::{self, Backwards, Forwards};
use crate::log::{EventStore, Filter};
use crate::revision::Expected::NoStream;
use crate::revision::{Position, Revision};
use crate::testing::{append, events, name};

pub async fn a_stream_is_read_both_ways_with_its_boundaries(place: &impl Place) {
    let log = place.open();
    log.append(append("a.permit-0", NoStream, events(0..3))).await.unwrap();
    log.append(append("a.permit-1", NoStream, events(3..8))).await.unwrap();
    let end = Revision::END.get();
    let table: &[(u64, Direction, usize, &[u64])] = &[
        (0, Forwards, 9, &[0, 1, 2, 3, 4]),
        (0, Forwards, 2, &[0, 1]),
        (2, Forwards, 2, &[2, 3]),
        (4, Forwards, 9, &[4]),
        (5, Forwards, 9, &[]),
        (end, Forwards, 9, &[]),
        (0, Forwards, 0, &[]),
        (end, Backwards, 9, &[4, 3, 2, 1, 0]),
        (end, Backwards, 1, &[4]),
        (u64::MAX, Backwards, 1, &[4]),
        (4, Backwards, 2, &[4, 3]),
        (1, Backwards, 9, &[1, 0]),
        (0, Backwards, 9, &[0]),
    ];
    for &(from, direction, max, expected) in table {
        let read = log
            .read_stream(&name("a.permit-1"), Revision::new(from), direction, max)
            .await
            .unwrap();
        let read: Vec<u64> = read.iter().map(|event| event.revision.get()).collect();
        assert_eq!(read, expected, "from {from} {direction:?}, at most {max}");
    }
    for direction in [Forwards, Backwards] {
        let none = log.read_stream(&name("a.permit-9"), Revision::FIRST, direction, 9).await;
        assert_eq!(none.unwrap(), []);
    }
    assert_eq!(log.stream_revision(&name("a.permit-9")).await.unwrap(), None);
}

pub async fn the_log_is_read_both_ways_with_its_boundaries(place: &impl Place) {
    let log = place.open();
    let end = Position::END.get();
    let empty: &[(u64, Direction, usize, &[u64], u64)] =
        &[(0, Forwards, 9, &[], 0), (3, Forwards, 9, &[], 3), (end, Backwards, 9, &[], 0)];
    check(&*log, empty, 0).await;
    log.append(append("a.permit-0", NoStream, events(0..2))).await.unwrap();
    log.append(append("a.permit-1", NoStream, events(2..5))).await.unwrap();
    // From, direction, at most, the positions read, where to read on.
    let table: &[(u64, Direction, usize, &[u64], u64)] = &[
        (0, Forwards, 9, &[1, 2, 3, 4, 5], 5),
        (0, Forwards, 1, &[1], 1),
        (1, Forwards, 3, &[2, 3, 4], 4),
        (4, Forwards, 9, &[5], 5),
        (5, Forwards, 9, &[], 5),
        (6, Forwards, 9, &[], 6),
        (end, Forwards, 9, &[], end),
        (2, Forwards, 0, &[], 2),
        (end, Backwards, 2, &[5, 4], 4),
        (u64::MAX, Backwards, 1, &[5], 5),
        (4, Backwards, 9, &[3, 2, 1], 0),
        (4, Backwards, 2, &[3, 2], 2),
        (2, Backwards, 1, &[1], 0),
        (1, Backwards, 9, &[], 0),
        (0, Backwards, 9, &[], 0),
    ];
    check(&*log, table, 5).await;
}

async fn check(log: &dyn EventStore, table: &[(u64, Direction, usize, &[u64], u64)], head: u64) {
    for &(from, direction, max, expected, next) in table {
        let page = log.read_all(Position::new(from), direction, &Filter::all(), max).await.unwrap();
        let read = (numbers(&page.events), page.next.get(), page.head.get());
        let expected = (expected.to_vec(), next, head);
        assert_eq!(read, expected, "from {from} {direction:?}, at most {max}");
    }
    assert_eq!(log.head().await.unwrap().get(), head);
    assert_eq!(log.watch_head().borrow().get(), head);
}

pub async fn a_filtered_read_resumes_where_it_looked_last(place: &impl Place) {
    let log = place.open();
    // Long stretches of strangers, so that a page ends before anything matched.
    for i in 0..12_u64 {
        log.append(append(&format!("a.permit-{i}"), NoStream, events(0..50))).await.unwrap();
        let few = if i % 4 == 0 { 3 } else { 0 };
        log.append(append(&format!("a.call-{i}"), NoStream, events(0..few))).await.unwrap();
    }
    let cases: &[(&[&str], usize)] = &[
        (&["a.call-"], 9),
        (&["a.permit-1"], 150), // 1, 10 and 11
        (&["a.call-0", "a.call-8", "a.permit-7"], 56),
        (&["b."], 0),
        (&[], 0),
        (&[""], 609),
    ];
    for &(prefixes, count) in cases {
        let filter = Filter::prefixes(prefixes);
        for max in [1, 7, 1000] {
            let forwards = walk(&*log, Position::START, Forwards, &filter, max).await;
            assert_eq!(forwards.len(), count, "{prefixes:?}");
            assert!(forwards.is_sorted() && forwards.windows(2).all(|pair| pair[0] < pair[1]));
            let mut backwards = walk(&*log, Position::END, Backwards, &filter, max).await;
            backwards.reverse();
            assert_eq!(backwards, forwards, "{prefixes:?}");
        }
    }
    let all = walk(&*log, Position::START, Forwards, &Filter::all(), 1000).await;
    // By the beginning of an event's name, alone and with streams.
    for (filter, count) in [
        (Filter::all().passing_over(&["test."]), 0),
        (Filter::all().passing_over(&["test.happened"]), 0),
        (Filter::all().passing_over(&["other.", "test.happene"]), all.len()),
        (Filter::prefixes(["a.call-"]).passing_over(&["other."]), 9),
        (Filter::prefixes(["a.call-"]).passing_over(&["other.", "test."]), 0),
    ] {
        for max in [1, 7, 1000] {
            let read = walk(&*log, Position::START, Forwards, &filter, max).await;
            assert_eq!(read.len(), count, "{filter:?}");
        }
    }
}

async fn walk(
    log: &dyn EventStore,
    mut from: Position,
    direction: Direction,
    filter: &Filter,
    max: usize,
) -> Vec<u64> {
    let mut read = Vec::new();
    loop {
        let page = log.read_all(from, direction, filter, max).await.unwrap();
        assert!(page.events.len() <= max);
        assert!(page.events.iter().all(|event| filter.matches(&event.stream)));
        read.extend(numbers(&page.events));
        let end = match direction {
            Forwards => page.head,
            Backwards => Position::START,
        };
        if page.next == end {
            return read;
        }
        assert_ne!(page.next, from, "a page that leads nowhere");
        from = page.next;
    }
}

pub async fn a_page_never_passes_its_own_head(place: &impl Place) {
    let log = place.open();
    let writing = async {
        for i in 0..200 {
            log.append(append(&format!("a.permit-{i}"), NoStream, events(0..2))).await.unwrap();
            super::pause().await;
        }
    };
    let reading = async {
        let mut last = Position::START;
        while last.get() < 400 {
            // From the start each time: whatever the head claims must be among the rows.
            let page = log.read_all(Position::START, Forwards, &Filter::all(), 1000).await.unwrap();
            assert_eq!(page.events.len() as u64, page.head.get());
            assert_eq!(page.next, page.head);
            assert!(page.head >= last, "the head went back");
            assert_eq!(page.head.get() % 2, 0, "half an append is visible");
            last = page.head;
            super::pause().await;
        }
    };
    let both: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> =
        vec![Box::pin(writing), Box::pin(reading)];
    super::together(both).await;
}
