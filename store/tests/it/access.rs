//! The record of access: whose reads of which cases it finds again.

use jiff::Timestamp;
use pratica_store::access::{Access, AccessFilter, AccessLog};
use rusqlite::Connection;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_438_400 + second).unwrap()
}

fn read(second: i64, account: &str, cases: &[u128]) -> Access {
    Access {
        at: at(second),
        account: account.to_owned(),
        role: "officer".to_owned(),
        right: "own_office".to_owned(),
        method: "pratica.cases.v1.CasesService/ListCases".to_owned(),
        detail: String::new(),
        cases: cases.iter().copied().map(Uuid::from_u128).collect(),
    }
}

/// The numbers of the accesses of a case, the newest first.
fn of_case(log: &AccessLog, case: u128, limit: usize) -> Vec<u64> {
    let filter = AccessFilter { case: Some(Uuid::from_u128(case)), limit, ..Default::default() };
    log.list(&filter).unwrap().iter().map(|recorded| recorded.id).collect()
}

#[tokio::test]
async fn a_case_has_the_accesses_in_whose_answers_it_was_each_once() {
    let directory = tempfile::tempdir().unwrap();
    let log = AccessLog::open(&directory.path().join("access.db"), at(0)).unwrap();
    for turn in 0..30 {
        log.record(read(turn, "officer.anna", &[1, 2, 3, 2]));
        log.record(read(turn, "officer.carlo", &[3]));
        if turn % 10 == 9 {
            log.flush().await.unwrap();
        }
    }
    assert_eq!(of_case(&log, 1, 100), (0..30).rev().map(|n| 2 * n + 1).collect::<Vec<_>>());
    assert_eq!(of_case(&log, 2, 100), of_case(&log, 1, 100));
    assert_eq!(of_case(&log, 3, 100), (1..=60).rev().collect::<Vec<_>>());
    assert_eq!(of_case(&log, 3, 5), [60, 59, 58, 57, 56], "a page");
    assert!(of_case(&log, 4, 100).is_empty());
    let filter = AccessFilter {
        case: Some(Uuid::from_u128(3)),
        account: Some("officer.carlo".to_owned()),
        before: Some(60),
        limit: 2,
        ..AccessFilter::default()
    };
    let found = log.list(&filter).unwrap();
    assert_eq!(found.iter().map(|r| r.id).collect::<Vec<_>>(), [58, 56]);
    assert!(found.iter().all(|r| r.access.account == "officer.carlo"));
}

#[tokio::test]
async fn a_file_with_a_row_for_each_case_of_each_access_is_read_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access.db");
    drop(AccessLog::open(&path, at(0)).unwrap());
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TABLE seen;
         CREATE TABLE cases (
           case_id BLOB NOT NULL, access INTEGER NOT NULL, PRIMARY KEY (case_id, access)
         ) STRICT, WITHOUT ROWID;
         CREATE TRIGGER cases_never_go BEFORE DELETE ON cases
         BEGIN SELECT RAISE(ABORT, 'accesses are never deleted'); END;
         INSERT INTO accesses VALUES (1, 5, 'officer.anna', 'officer', 'own_office', 'm', '');
         INSERT INTO accesses VALUES (2, 6, 'officer.anna', 'officer', 'own_office', 'm', '');",
    )
    .unwrap();
    for (case, access) in [(1_u128, 1), (1, 2), (2, 2)] {
        let case = Uuid::from_u128(case);
        file.execute("INSERT INTO cases VALUES (?, ?)", (case.as_bytes(), access)).unwrap();
    }
    drop(file);
    for _ in 0..2 {
        let log = AccessLog::open(&path, at(10)).unwrap();
        assert_eq!(of_case(&log, 1, 9), [2, 1]);
        assert_eq!(of_case(&log, 2, 9), [2]);
    }
    let log = AccessLog::open(&path, at(20)).unwrap();
    log.record(read(20, "officer.carlo", &[2]));
    log.flush().await.unwrap();
    assert_eq!(of_case(&log, 2, 9), [3, 2]);
}
