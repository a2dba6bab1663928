//! Opening: one writer, the right file, the right format.

use pratica_store::sqlite::{APPLICATION_ID, FORMAT, Options, require_safe_sqlite};
use pratica_store::testing::{append, events};
use pratica_store::{EventAppender, EventReader, Expected, SqliteLog, StoreError};
use rusqlite::Connection;

use super::crash::child;
use crate::places::InDirectory;

#[test]
fn the_sqlite_linked_in_is_safe() {
    require_safe_sqlite().unwrap();
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let place = InDirectory::new();
    let first = place.sqlite();
    let error = SqliteLog::open(place.file(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    assert!(error.to_string().contains("exactly one writing process"), "{error}");
    drop(first);
    place.sqlite();
}

#[test]
fn a_second_process_is_refused() {
    let place = InDirectory::new();
    let log = place.sqlite();
    let said = child("open", &place.file()).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("exactly one writing process"), "{said}");
    drop(log);
    let said = child("open", &place.file()).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("opened"), "{said}");
}

#[tokio::test]
async fn a_log_of_another_format_is_refused_and_left_as_it_is() {
    let place = InDirectory::new();
    drop(place.sqlite());
    for other in [FORMAT + 1, FORMAT - 1] {
        let c = Connection::open(place.file()).unwrap();
        c.pragma_update(None, "user_version", other).unwrap();
        drop(c);
        let before = std::fs::read(place.file()).unwrap();
        let error = SqliteLog::open(place.file(), Options::default()).unwrap_err();
        let StoreError::WrongFormat { found, supported, .. } = error else { panic!("{error:?}") };
        assert_eq!((found, supported), (other, FORMAT));
        assert_eq!(std::fs::read(place.file()).unwrap(), before);
    }
}

#[test]
fn a_file_that_is_no_log_is_refused_and_left_as_it_is() {
    let place = InDirectory::new();
    let c = Connection::open(place.file()).unwrap();
    c.execute_batch("CREATE TABLE other (x); INSERT INTO other VALUES (1)").unwrap();
    drop(c);
    let before = std::fs::read(place.file()).unwrap();
    let error = SqliteLog::open(place.file(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { found: 0, .. }), "{error:?}");
    assert_eq!(std::fs::read(place.file()).unwrap(), before);
    let text = b"this is not a database at all, but a text of some length".repeat(100);
    std::fs::write(place.file(), &text).unwrap();
    let error = SqliteLog::open(place.file(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert_eq!(std::fs::read(place.file()).unwrap(), text);
}

#[tokio::test]
async fn a_file_says_what_it_is() {
    let place = InDirectory::new();
    let log = place.sqlite();
    log.append(append("a.permit-1", Expected::NoStream, events(0..1))).await.unwrap();
    drop(log);
    let c = Connection::open(place.file()).unwrap();
    let pragma = |name: &str| c.query_row(&format!("PRAGMA {name}"), [], |r| r.get::<_, i32>(0));
    assert_eq!(pragma("application_id").unwrap(), APPLICATION_ID);
    assert_eq!(pragma("user_version").unwrap(), FORMAT);
}

#[tokio::test]
async fn dropping_the_log_writes_what_is_queued() {
    let place = InDirectory::new();
    let log = place.sqlite();
    for number in 0..50 {
        let stream = format!("a.permit-{number}");
        let mut append = log.append(append(&stream, Expected::NoStream, events(0..1)));
        // Begun, and not waited for.
        let begun = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(append.as_mut().poll(cx).map(|done| done.map(drop)))
        });
        drop(begun.await);
    }
    drop(log);
    assert_eq!(place.sqlite().head().await.unwrap().get(), 50);
}

/// Old logs stay as they were made: what is made now must not differ under the same number. A
/// new format gets a new number and a new file beside this one.
#[test]
fn the_tables_of_format_1_are_fixed() {
    assert_eq!(FORMAT, 1);
    let place = InDirectory::new();
    drop(place.sqlite());
    let c = Connection::open(place.file()).unwrap();
    let tables: String = c
        .query_row(
            "SELECT group_concat(sql, ';' || char(10) || char(10) ORDER BY rowid) || ';' || char(10) \
             FROM sqlite_schema WHERE sql IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/log_format_1.sql");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, &tables).unwrap();
    }
    assert_eq!(tables, std::fs::read_to_string(golden).unwrap());
}
