//! Folding a write-ahead log into its file: for every database with one writer that has to know
//! whether it was done. SQLite does it within `COMMIT`, and keeps a failure to itself.
//!
//! After a failed flush of the file no later one may be trusted: the system may take for written what
//! is not, and SQLite, which folds in only what is new since the last time, would then begin the
//! write-ahead log anew. So nothing is folded in any more, not even when the file is closed: the
//! write-ahead log keeps all of it, and who opens the file next folds it in from its beginning.

use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_IOERR_WRITE;
use rusqlite::{Connection, ErrorCode};

/// A flush of the file failed: what was committed is in the write-ahead log, and stays there.
pub(crate) type Unflushed = Arc<rusqlite::Error>;

/// Why all of it could not be folded in.
#[derive(Debug)]
pub(crate) enum NotFolded {
    /// There was no room for it, or it could not be written: another time may do.
    Unwritten(rusqlite::Error),
    /// It is not tried any more.
    Unflushed(Unflushed),
}

impl From<Unflushed> for NotFolded {
    fn from(error: Unflushed) -> Self {
        NotFolded::Unflushed(error)
    }
}

/// How a database is folded in by who writes it.
#[derive(Debug)]
pub(crate) struct Folding {
    /// 0 for never.
    pages: i64,
    failed: Option<Unflushed>,
}

impl Folding {
    /// Takes it over from SQLite, for whenever the write-ahead log has so many pages; 0 for never.
    pub(crate) fn take_over(c: &Connection, pages: i64) -> rusqlite::Result<Self> {
        c.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(Folding { pages, failed: None })
    }

    /// Whether no flush failed. To be asked before anything is written.
    pub(crate) fn sound(&self) -> Result<(), Unflushed> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Folds in what was committed, when it is long enough. That a reader holds up some of it, or that
    /// there is no room, is no failure: it is folded in later.
    pub(crate) fn when_long(&mut self, c: &Connection) -> Result<(), Unflushed> {
        match self.long_enough(c) {
            Ok(_) => Ok(()),
            Err(NotFolded::Unflushed(error)) => Err(error),
            Err(NotFolded::Unwritten(error)) => {
                tracing::warn!(
                    file = c.path(),
                    error = &error as &dyn std::error::Error,
                    "the write-ahead log stays long: see that the disk has room"
                );
                Ok(())
            }
        }
    }

    fn long_enough(&mut self, c: &Connection) -> Result<bool, NotFolded> {
        self.sound()?;
        let length = c
            .prepare_cached("PRAGMA wal_checkpoint(NOOP)")
            .and_then(|mut noop| noop.query_row([], |row| row.get::<_, i64>(1)));
        match self.heard(c, length)? {
            Some(length) if self.pages > 0 && length >= self.pages => self.all(c, "PASSIVE"),
            _ => Ok(false),
        }
    }

    /// Folds in all of it; says whether it could be, which a reader of before may hold up. `how` is
    /// SQLite's mode.
    pub(crate) fn all(&mut self, c: &Connection, how: &str) -> Result<bool, NotFolded> {
        self.sound()?;
        let folded = checkpoint(c, how);
        Ok(self.heard(c, folded)?.unwrap_or(false))
    }

    /// What came of it; nothing when somebody else was at it. What could not be written is written
    /// again the next time; what could not be flushed may be taken for written.
    fn heard<T>(
        &mut self,
        c: &Connection,
        done: rusqlite::Result<T>,
    ) -> Result<Option<T>, NotFolded> {
        let error = match done {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        let unwritten = error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_WRITE);
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Ok(None),
            Some(ErrorCode::DiskFull) => Err(NotFolded::Unwritten(error)),
            _ if unwritten => Err(NotFolded::Unwritten(error)),
            _ => {
                leave_unfolded(c);
                Err(NotFolded::Unflushed(Arc::clone(self.failed.insert(Arc::new(error)))))
            }
        }
    }
}

/// Has a connection leave the write-ahead log as it is when it is the last to close.
pub(crate) fn leave_unfolded(c: &Connection) {
    if let Err(error) = c.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::error!(
            file = c.path(),
            error = &error as &dyn std::error::Error,
            "a write-ahead log that must stay may be folded in"
        );
    }
}

/// Folds a write-ahead log into its file and flushes that; says whether all of it could be, which a
/// reader of before may hold up. `how` is SQLite's mode.
pub(crate) fn checkpoint(c: &Connection, how: &str) -> rusqlite::Result<bool> {
    c.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(0))
        .map(|busy: i64| busy == 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

    use super::*;
    use std::path::Path;

    fn open(path: &Path) -> (Connection, Folding) {
        let c = Connection::open(path).unwrap();
        c.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        let folding = Folding::take_over(&c, 4).unwrap();
        (c, folding)
    }

    fn add(c: &Connection) {
        c.execute_batch("CREATE TABLE IF NOT EXISTS t (x); INSERT INTO t VALUES (1);").unwrap();
    }

    fn length(path: &Path) -> u64 {
        std::fs::metadata(path).map_or(0, |file| file.len())
    }

    #[test]
    fn what_is_long_enough_is_folded_in_and_what_is_not_waits() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let (c, mut folding) = open(&path);
        add(&c);
        let before = length(&path);
        folding.when_long(&c).unwrap();
        assert_eq!(length(&path), before, "not yet");
        for _ in 0..4 {
            add(&c);
        }
        assert_eq!(length(&path), before, "nor by SQLite");
        folding.when_long(&c).unwrap();
        assert!(length(&path) > before);
        assert!(folding.all(&c, "TRUNCATE").unwrap());
        assert_eq!(length(&path.with_extension("db-wal")), 0);
    }

    #[test]
    fn after_a_failure_nothing_is_folded_in_until_the_file_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, aside) = (dir.path().join("t.db"), dir.path().join("aside"));
        let wal = path.with_extension("db-wal");
        let (c, mut folding) = open(&path);
        for _ in 0..8 {
            add(&c);
        }
        // The disk does not give back what is to be folded in.
        std::fs::copy(&wal, &aside).unwrap();
        std::fs::File::options().write(true).open(&wal).unwrap().set_len(40).unwrap();
        assert!(folding.when_long(&c).is_err());
        let whole = std::fs::read(&aside).unwrap();
        std::fs::write(&wal, &whole).unwrap();
        let before = std::fs::read(&path).unwrap();
        // It would succeed now: it is not tried.
        assert!(folding.sound().is_err() && folding.when_long(&c).is_err());
        assert!(folding.all(&c, "TRUNCATE").is_err());
        drop(c);
        assert_eq!(std::fs::read(&path).unwrap(), before, "nor is it when the file is closed");
        assert_eq!(std::fs::read(&wal).unwrap(), whole);
        let (c, mut folding) = open(&path);
        assert!(folding.all(&c, "FULL").unwrap());
        let rows: i64 = c.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 8);
        assert!(length(&path) > before.len() as u64);
    }
}
