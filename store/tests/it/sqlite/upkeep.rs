//! Verifying and backing up.

use std::sync::Arc;

use pratica_store::sqlite::Options;
use pratica_store::testing::conformance::read_everything;
use pratica_store::testing::{append, events, request};
use pratica_store::{AppendRequest, EventAppender, EventReader, Expected, SqliteLog, StoreError};
use rusqlite::Connection;

use crate::places::InDirectory;

async fn filled(place: &InDirectory) -> SqliteLog {
    let log = place.sqlite();
    for i in 0..4_u128 {
        let append = append(&format!("a.permit-{i}"), Expected::NoStream, events(0..3));
        log.append(AppendRequest { request: Some(request(i, 1)), ..append }).await.unwrap();
    }
    log
}

#[tokio::test]
async fn a_sound_log_is_verified() {
    let place = InDirectory::new();
    let verified = filled(&place).await.verify().await.unwrap();
    assert_eq!((verified.head.get(), verified.streams, verified.requests), (12, 4, 4));
    let empty = InDirectory::new().sqlite().verify().await.unwrap();
    assert_eq!((empty.head.get(), empty.streams, empty.requests), (0, 0, 0));
}

#[tokio::test]
async fn verifying_says_where_a_log_departs() {
    let damages = [
        ("DELETE FROM events WHERE position = 7", 7),
        ("DELETE FROM events WHERE position <= 2", 1),
        ("UPDATE events SET revision = 7 WHERE position = 6", 6),
        ("UPDATE events SET stream_id = 9, revision = 0 WHERE position = 4", 4),
        ("UPDATE events SET payload = '{' WHERE position = 5", 5),
        ("UPDATE events SET metadata = '{}' WHERE position = 8", 8),
        ("DELETE FROM streams WHERE id = 2", 4),
        ("UPDATE requests SET position = 2 WHERE position = 3", 2),
        ("UPDATE requests SET event_count = 2 WHERE position = 9", 9),
    ];
    for (damage, at) in damages {
        let place = InDirectory::new();
        let log = filled(&place).await;
        let c = Connection::open(place.file()).unwrap();
        let triggers: Vec<String> = c
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for trigger in triggers {
            c.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        assert!(c.execute(damage, []).unwrap() > 0);
        match log.verify().await {
            Err(StoreError::Corrupt { position: Some(position), .. }) => {
                assert_eq!(position.get(), at, "{damage}");
            }
            other => panic!("{damage}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_amid_writing_is_a_whole_log_of_one_moment() {
    let place = InDirectory::new();
    let log = Arc::new(filled(&place).await);
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for i in 0..300 {
                let append = append(&format!("a.call-{i}"), Expected::NoStream, events(0..2));
                log.append(append).await.unwrap();
            }
        })
    };
    let target = place.path("backup.db");
    log.watch_head().wait_for(|head| head.get() > 20).await.unwrap();
    let before = log.head().await.unwrap();
    log.backup_to(&target).await.unwrap();
    // Never over an older backup.
    let error = log.backup_to(&target).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    writer.await.unwrap();
    let copy = SqliteLog::open(&target, Options::default()).unwrap();
    assert!(copy.verify().await.unwrap().head >= before);
    let (copied, whole) = (read_everything(&copy, 99).await, read_everything(&*log, 99).await);
    assert_eq!(copied, whole[..copied.len()]);
    copy.append(append("a.permit-99", Expected::NoStream, events(0..1))).await.unwrap();
}
