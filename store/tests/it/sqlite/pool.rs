//! The threads that read.

use std::task::Poll;

use pratica_store::testing::{append, events};
use pratica_store::{EventAppender, EventReader, Expected, Position, StoreError};

use crate::places::InDirectory;

#[tokio::test]
async fn a_query_that_panics_harms_nobody_else() {
    let place = InDirectory::new();
    let log = place.sqlite();
    log.append(append("a.permit-1", Expected::NoStream, events(0..2))).await.unwrap();
    for _ in 0..5 {
        let outcome = log.readers().run(|_| panic!("in a query, on purpose")).await;
        assert!(matches!(outcome, Err::<(), _>(StoreError::Unavailable { .. })));
    }
    assert_eq!(log.verify().await.unwrap().head, Position::new(2));
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let place = InDirectory::new();
    let log = place.sqlite();
    let statement = "INSERT INTO streams (name) VALUES ('a.permit-1')";
    let outcome = log.readers().run(move |c| c.execute(statement, [])).await.unwrap();
    assert!(outcome.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn a_full_queue_makes_the_next_query_wait() {
    let place = InDirectory::with(pratica_store::sqlite::Options {
        readers: 1,
        read_queue: 1,
        ..Default::default()
    });
    let log = place.sqlite();
    // The one thread is held, so that queries pile up behind it.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let mut first = Box::pin(log.readers().run(move |_| held.recv()));
    let mut others: Vec<_> = (0..5).map(|i| Box::pin(log.readers().run(move |_| i))).collect();
    std::future::poll_fn(|cx| {
        assert!(first.as_mut().poll(cx).is_pending());
        assert!(others.iter_mut().all(|other| other.as_mut().poll(cx).is_pending()));
        Poll::Ready(())
    })
    .await;
    hold.send(()).unwrap();
    first.await.unwrap().unwrap();
    for (i, other) in others.into_iter().enumerate() {
        assert_eq!(other.await.unwrap(), i);
    }
}

#[tokio::test]
async fn a_reader_in_the_middle_of_a_read_does_not_hold_up_the_writer() {
    let place = InDirectory::new();
    let log = place.sqlite();
    log.append(append("a.permit-1", Expected::NoStream, events(0..2))).await.unwrap();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let count = "SELECT count(*) FROM events";
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let reading = log.readers().run(move |c| {
        let tx = c.transaction()?;
        let before: i64 = tx.query_row(count, [], |row| row.get(0))?;
        begun.send(()).unwrap();
        held.recv().unwrap();
        let after: i64 = tx.query_row(count, [], |row| row.get(0))?;
        Ok::<_, rusqlite::Error>((before, after))
    });
    let writing = async {
        beginning.await.unwrap();
        log.append(append("a.permit-2", Expected::NoStream, events(0..3))).await.unwrap();
        assert_eq!(
            log.stream_revision(&pratica_store::testing::name("a.permit-2"))
                .await
                .unwrap()
                .unwrap()
                .get(),
            2
        );
        hold.send(()).unwrap();
    };
    let (seen, ()) = tokio::join!(reading, writing);
    assert_eq!(seen.unwrap().unwrap(), (2, 2));
}
