//! The database itself refuses every change to history, also from a foreign tool.

use pratica_store::testing::{append, events, request};
use pratica_store::{AppendRequest, EventAppender, EventReader, Expected};
use rusqlite::Connection;

use crate::places::InDirectory;

fn dump(c: &Connection) -> Vec<String> {
    let mut dump = Vec::new();
    for table in ["events", "requests", "streams"] {
        let mut statement = c.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|i| row.get_ref(i).unwrap()).collect();
            dump.push(format!("{table} {values:?}"));
        }
    }
    dump
}

const ATTEMPTS: &[&str] = &[
    "UPDATE events SET payload = '{}'",
    "UPDATE events SET position = 9 WHERE position = 3",
    "UPDATE OR REPLACE events SET revision = 0 WHERE position = 2",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 3",
    "REPLACE INTO events SELECT * FROM events WHERE position = 1",
    "REPLACE INTO events SELECT position, stream_id, revision, event_id, type, schema_version, \
     occurred_at, recorded_at, metadata, '{}' FROM events WHERE position = 3",
    // A new position, but in the place of an old revision.
    "REPLACE INTO events SELECT 4, stream_id, 1, event_id, type, schema_version, \
     occurred_at, recorded_at, metadata, '{}' FROM events WHERE position = 3",
    // Gaps.
    "INSERT INTO events SELECT 9, stream_id, 3, event_id, type, schema_version, \
     occurred_at, recorded_at, metadata, payload FROM events WHERE position = 3",
    "INSERT INTO events SELECT 4, stream_id, 9, event_id, type, schema_version, \
     occurred_at, recorded_at, metadata, payload FROM events WHERE position = 3",
    "UPDATE requests SET fingerprint = x'00'",
    "DELETE FROM requests",
    "UPDATE streams SET name = 'a.permit-2'",
    "DELETE FROM streams",
    "REPLACE INTO streams VALUES (1, 'a.permit-2')",
    "REPLACE INTO streams VALUES (2, 'a.permit-1')",
];

#[tokio::test]
async fn no_statement_changes_what_was_recorded() {
    let place = InDirectory::new();
    let log = place.sqlite();
    let first = append("a.permit-1", Expected::NoStream, events(0..3));
    log.append(AppendRequest { request: Some(request(7, 1)), ..first }).await.unwrap();
    for recursive_triggers in [false, true] {
        let c = Connection::open(place.file()).unwrap();
        c.pragma_update(None, "recursive_triggers", recursive_triggers).unwrap();
        let before = dump(&c);
        assert_eq!(before.len(), 5);
        for attempt in ATTEMPTS {
            let error = c.execute(attempt, []).unwrap_err();
            assert!(!error.to_string().contains("syntax"), "{attempt}: {error}");
            assert_eq!(dump(&c), before, "{attempt}");
        }
        // Ignored without an error: so the writer recognises a repeated request.
        let changed = c
            .execute(
                "REPLACE INTO requests SELECT request_id, zeroblob(32), 1, 0, 0, 1, 1, 1 \
                 FROM requests",
                [],
            )
            .unwrap();
        assert_eq!((changed, dump(&c)), (0, before));
    }
    drop(log);
    let log = place.sqlite();
    log.verify().await.unwrap();
    assert_eq!(log.head().await.unwrap().get(), 3);
}

#[tokio::test]
async fn an_analyst_finds_a_readable_view() {
    let place = InDirectory::new();
    let log = place.sqlite();
    log.append(append("a.permit-1", Expected::NoStream, events(0..2))).await.unwrap();
    let c = Connection::open(place.file()).unwrap();
    let row = c
        .query_row(
            "SELECT position || '|' || stream || '|' || revision || '|' || type || '|' || \
             occurred_at || '|' || actor || '|' || payload || '|' || event_id \
             FROM event_log ORDER BY position DESC LIMIT 1",
            [],
            |row| row.get::<_, String>(0),
        )
        .unwrap();
    assert_eq!(
        row,
        "2|a.permit-1|1|test.happened|2026-02-25T06:13:21.123Z|clerk-1|{\"number\": 1}|\
         00000000000000000000000000000001"
    );
}
