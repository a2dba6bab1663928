//! The tables, and opening the file.
//!
//! - `cases` has one row a case, keyed by the position of its first event: the order in which
//!   cases were opened, the same in every rebuild. A row carries all that a list shows.
//! - Lists page by `(filed_on, key)` backwards, the worklist by `(due, filed_on, key)`; each index
//!   ends in those columns so that a page is a walk along it. Worklist indexes hold open cases
//!   only. Where there is no due date, `due` is 99991231.
//! - `case_accounts` says which account may see which case, and until when: access is a join.
//! - `counts` and `due_counts` are moved by differences, together with the rows.
//! - `deadlines.fires` is the end of a term that has to fire, and null otherwise.
//! - `found_by` keeps which of a case's `search_keys` are made of personal data: once that is
//!   destroyed, nothing else says which must go.
//! - `stat_case` keeps what a closed case gave to the statistics, so that it can be taken back.
//! - Dates are integers such as 20260316, times are microseconds, ids are 16 bytes.
//!
//! What must never enter: anything that cannot be built again from the log.

use std::path::Path;

use rusqlite::Connection;

use crate::error::{ViewError, sql};
use crate::school;

/// Marks a file as the views of Pratica: `PRAv`.
pub(crate) const APPLICATION_ID: i32 = 0x5052_4176;

/// The version of the tables and of the logic that fills them. Raise it whenever either changes:
/// views of another version are built again.
pub(crate) const VERSION: i32 = 8;

const TABLES: &str = "
CREATE TABLE meta(
  view TEXT PRIMARY KEY, position INTEGER NOT NULL, events INTEGER NOT NULL, digest BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE rules(one INTEGER PRIMARY KEY CHECK (one = 1), digest BLOB NOT NULL);
CREATE TABLE cases(
  key INTEGER PRIMARY KEY, id BLOB NOT NULL, stream TEXT NOT NULL,
  procedure TEXT NOT NULL, kind TEXT NOT NULL, phase TEXT NOT NULL, closed INTEGER NOT NULL,
  filed_on INTEGER NOT NULL, closed_on INTEGER, outcome TEXT,
  office TEXT NOT NULL, officer TEXT NOT NULL, responsible TEXT,
  revision INTEGER NOT NULL, position INTEGER NOT NULL,
  due INTEGER NOT NULL, due_term TEXT, waits INTEGER NOT NULL,
  protocol_year INTEGER, protocol_number INTEGER, applicant TEXT, reference TEXT,
  rules_version TEXT NOT NULL,
  disposal TEXT NOT NULL, held INTEGER NOT NULL, erased_on INTEGER
);
CREATE TABLE case_accounts(
  account TEXT NOT NULL, case_key INTEGER NOT NULL, until INTEGER NOT NULL,
  PRIMARY KEY(account, case_key)
) WITHOUT ROWID;
CREATE TABLE deadlines(
  case_key INTEGER NOT NULL, term TEXT NOT NULL, rule TEXT NOT NULL, end INTEGER,
  raw_end INTEGER, warn_on INTEGER, status TEXT NOT NULL, owner TEXT NOT NULL,
  effect TEXT NOT NULL, expired_for INTEGER, fires INTEGER,
  PRIMARY KEY(case_key, term)
) WITHOUT ROWID;
CREATE TABLE counts(
  office TEXT NOT NULL, officer TEXT NOT NULL, open INTEGER NOT NULL, waiting INTEGER NOT NULL,
  PRIMARY KEY(office, officer)
) WITHOUT ROWID;
CREATE TABLE due_counts(
  office TEXT NOT NULL, due INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(office, due)
) WITHOUT ROWID;
CREATE TABLE timeline(
  position INTEGER PRIMARY KEY, case_key INTEGER NOT NULL, revision INTEGER NOT NULL,
  event_type TEXT NOT NULL, occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL,
  actor TEXT NOT NULL, role TEXT NOT NULL, internal INTEGER NOT NULL, args TEXT NOT NULL
);
CREATE TABLE search_keys(
  key INTEGER NOT NULL, case_key INTEGER NOT NULL, PRIMARY KEY(key, case_key)
) WITHOUT ROWID;
CREATE TABLE found_by(case_key INTEGER PRIMARY KEY, personal BLOB NOT NULL);
CREATE TABLE register(
  year INTEGER NOT NULL, number INTEGER NOT NULL, registered_on INTEGER NOT NULL,
  direction TEXT NOT NULL, correspondent TEXT NOT NULL, object TEXT NOT NULL,
  sha256 TEXT NOT NULL, case_id BLOB, document BLOB, filed_on INTEGER, emergency_number INTEGER,
  annulled_on INTEGER, annul_reason TEXT, annul_authorisation TEXT, annulled_by TEXT,
  position INTEGER NOT NULL,
  PRIMARY KEY(year, number)
) WITHOUT ROWID;
CREATE TABLE stat_case(
  case_key INTEGER PRIMARY KEY, procedure TEXT NOT NULL, kind TEXT NOT NULL,
  month INTEGER NOT NULL, outcome TEXT NOT NULL, total INTEGER NOT NULL, office INTEGER NOT NULL,
  citizen INTEGER NOT NULL, third_party INTEGER NOT NULL, suspended INTEGER NOT NULL,
  late INTEGER NOT NULL
);
CREATE TABLE stat_kinds(
  procedure TEXT NOT NULL, kind TEXT NOT NULL, open INTEGER NOT NULL,
  legal_days INTEGER NOT NULL, legal_key INTEGER NOT NULL, PRIMARY KEY(procedure, kind)
) WITHOUT ROWID;
CREATE TABLE stat_outcomes(
  procedure TEXT NOT NULL, kind TEXT NOT NULL, month INTEGER NOT NULL, outcome TEXT NOT NULL,
  n INTEGER NOT NULL, late INTEGER NOT NULL, PRIMARY KEY(procedure, kind, month, outcome)
) WITHOUT ROWID;
CREATE TABLE stat_days(
  procedure TEXT NOT NULL, kind TEXT NOT NULL, month INTEGER NOT NULL, measure TEXT NOT NULL,
  days INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(procedure, kind, month, measure, days)
) WITHOUT ROWID;
";

/// The tables alone, empty and in memory: for what is worked out and thrown away.
pub(crate) fn in_memory() -> Result<Connection, ViewError> {
    let connection = Connection::open_in_memory().map_err(sql("making tables in memory"))?;
    connection.execute_batch(TABLES).map_err(sql("making tables in memory"))?;
    Ok(connection)
}

const INDEXES: &str = "
CREATE UNIQUE INDEX IF NOT EXISTS cases_id ON cases(id);
CREATE INDEX IF NOT EXISTS cases_filed ON cases(filed_on);
CREATE INDEX IF NOT EXISTS cases_office ON cases(office, filed_on);
CREATE INDEX IF NOT EXISTS cases_officer ON cases(officer, filed_on) WHERE officer <> '';
CREATE INDEX IF NOT EXISTS cases_phase ON cases(phase, filed_on);
CREATE INDEX IF NOT EXISTS cases_kind ON cases(procedure, kind, filed_on);
CREATE INDEX IF NOT EXISTS work_all ON cases(due, filed_on) WHERE closed = 0;
CREATE INDEX IF NOT EXISTS work_office ON cases(office, due, filed_on) WHERE closed = 0;
CREATE INDEX IF NOT EXISTS work_officer ON cases(officer, due, filed_on) WHERE closed = 0;
CREATE INDEX IF NOT EXISTS work_waiting ON cases(office, due, filed_on)
  WHERE closed = 0 AND waits = 1;
CREATE INDEX IF NOT EXISTS cases_disposal ON cases(disposal, closed_on) WHERE disposal <> '';
CREATE INDEX IF NOT EXISTS cases_held ON cases(closed_on) WHERE held = 1;
CREATE INDEX IF NOT EXISTS deadlines_fire ON deadlines(fires) WHERE fires IS NOT NULL;
CREATE INDEX IF NOT EXISTS timeline_case ON timeline(case_key);
CREATE INDEX IF NOT EXISTS register_day ON register(registered_on);
";

/// The derived tables, each with the order that makes its content comparable.
pub(crate) const DERIVED: &[(&str, &str)] = &[
    ("cases", "key"),
    ("case_accounts", "account, case_key"),
    ("deadlines", "case_key, term"),
    ("counts", "office, officer"),
    ("due_counts", "office, due"),
    ("timeline", "position"),
    ("search_keys", "key, case_key"),
    ("found_by", "case_key"),
    ("register", "year, number"),
    ("stat_case", "case_key"),
    ("stat_kinds", "procedure, kind"),
    ("stat_outcomes", "procedure, kind, month, outcome"),
    ("stat_days", "procedure, kind, month, measure, days"),
];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Beside readers, in WAL.
    Live,
    /// Nobody reads it yet, and a crash throws it away: no journal, no flush, indexes at the end.
    Bulk,
}

/// What a file was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Of this version.
    Current,
    /// Views of another version.
    OtherVersion,
}

/// Looks at a file that exists, without changing it.
pub(crate) fn look(path: &Path) -> Result<Found, ViewError> {
    let c = Connection::open(path).map_err(sql("opening the views"))?;
    let id: i32 = c
        .query_row("PRAGMA application_id", [], |r| r.get(0))
        .map_err(sql("reading the application id"))?;
    let tables: i64 = c
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .map_err(sql("reading the schema"))?;
    let version: i32 =
        c.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(sql("reading the version"))?;
    match (id == APPLICATION_ID, tables) {
        (true, _) if version == VERSION => Ok(Found::Current),
        (true, _) | (false, 0) => Ok(Found::OtherVersion),
        (false, _) => Err(ViewError::Foreign { path: path.to_path_buf() }),
    }
}

/// Opens a file for its one writer, making the tables when there are none.
pub(crate) fn open(path: &Path, mode: Mode, cache_kib: u32) -> Result<Connection, ViewError> {
    let c = Connection::open(path).map_err(sql("opening the views"))?;
    c.busy_timeout(std::time::Duration::from_secs(5)).map_err(sql("opening the views"))?;
    c.set_prepared_statement_cache_capacity(128);
    pratica_store::sqlite::plan_once(&c).map_err(sql("opening the views"))?;
    let settings = match mode {
        // What an erasure deletes is gone from the file, not merely free. Pages that batches change
        // again and again are folded in every 32 MiB.
        Mode::Live => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; \
             PRAGMA wal_autocheckpoint = 8000;"
        }
        Mode::Bulk => "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;",
    };
    c.execute_batch(settings).map_err(sql("setting up the writer"))?;
    c.pragma_update(None, "cache_size", -i64::from(cache_kib))
        .map_err(sql("setting up the writer"))?;
    let tables: i64 = c
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .map_err(sql("reading the schema"))?;
    if tables == 0 {
        create(&c).map_err(sql("making the tables"))?;
    }
    if mode == Mode::Live {
        index(&c)?;
    }
    Ok(c)
}

/// Makes the indexes that are not there yet.
pub(crate) fn index(c: &Connection) -> Result<(), ViewError> {
    c.execute_batch(INDEXES).map_err(sql("making the indexes"))
}

fn create(c: &Connection) -> rusqlite::Result<()> {
    c.execute_batch(&format!(
        "BEGIN; {TABLES} {} {} PRAGMA application_id = {APPLICATION_ID}; \
         PRAGMA user_version = {VERSION}; COMMIT;",
        school::TABLES,
        school::INDEXES,
    ))
}

/// Empties every table: what is in them was built by other rules.
pub(crate) fn empty(c: &Connection) -> rusqlite::Result<()> {
    for (table, _) in DERIVED.iter().chain(&school::DERIVED) {
        c.execute(&format!("DELETE FROM {table}"), [])?;
    }
    c.execute("DELETE FROM meta", [])?;
    c.execute("DELETE FROM rules", [])?;
    Ok(())
}
