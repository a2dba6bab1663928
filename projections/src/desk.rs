//! What people keep for themselves, saved views of the worklist, and how far each process is.
//!
//! This is not derived from the log, so it has a file of its own, flushed on every change, that
//! no rebuild touches. What must never enter: anything that a rebuild could make again.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension};

use crate::error::{ViewError, sql};
use crate::types::SavedView;
use pratica_store::Position;

/// The file of saved views. Cheap to clone. Its calls block for the time of one small statement;
/// [`crate::Views`] runs them on its own threads.
#[derive(Debug, Clone)]
pub struct Desk(Arc<Mutex<Connection>>);

impl Desk {
    /// Opens the file, making it when there is none.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Desk, ViewError> {
        let c = Connection::open(path).map_err(sql("opening the desk"))?;
        c.busy_timeout(std::time::Duration::from_secs(5)).map_err(sql("opening the desk"))?;
        c.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS saved_views(
               account TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL,
               PRIMARY KEY(account, name)
             ) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS checkpoints(
               process TEXT PRIMARY KEY, position INTEGER NOT NULL
             ) WITHOUT ROWID;",
        )
        .map_err(sql("opening the desk"))?;
        Ok(Desk(Arc::new(Mutex::new(c))))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Saves a view; one of the same name and account is replaced.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn save(&self, account: &str, view: &SavedView) -> Result<(), ViewError> {
        self.connection()
            .prepare_cached("INSERT OR REPLACE INTO saved_views VALUES(?, ?, ?)")?
            .execute((account, &view.name, &view.query))?;
        Ok(())
    }

    /// An account's saved views, by name.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn list(&self, account: &str) -> Result<Vec<SavedView>, ViewError> {
        let c = self.connection();
        let mut statement = c.prepare_cached(
            "SELECT name, query FROM saved_views WHERE account = ? ORDER BY name",
        )?;
        let rows = statement
            .query_map([account], |row| Ok(SavedView { name: row.get(0)?, query: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One saved view.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn get(&self, account: &str, name: &str) -> Result<Option<SavedView>, ViewError> {
        let c = self.connection();
        let found = c
            .prepare_cached("SELECT name, query FROM saved_views WHERE account = ? AND name = ?")?
            .query_row((account, name), |row| {
                Ok(SavedView { name: row.get(0)?, query: row.get(1)? })
            })
            .optional()?;
        Ok(found)
    }

    /// Drops a saved view; says whether there was one.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn delete(&self, account: &str, name: &str) -> Result<bool, ViewError> {
        let dropped = self
            .connection()
            .prepare_cached("DELETE FROM saved_views WHERE account = ? AND name = ?")?
            .execute((account, name))?;
        Ok(dropped > 0)
    }

    /// How far a process is; the start if it never said.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn checkpoint(&self, process: &str) -> Result<Position, ViewError> {
        let found: Option<i64> = self
            .connection()
            .prepare_cached("SELECT position FROM checkpoints WHERE process = ?")?
            .query_row([process], |row| row.get(0))
            .optional()?;
        Ok(Position::new(found.and_then(|p| u64::try_from(p).ok()).unwrap_or_default()))
    }

    /// Notes how far a process is. What it did since is done again after a crash, with one effect.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn keep_checkpoint(&self, process: &str, position: Position) -> Result<(), ViewError> {
        self.connection()
            .prepare_cached("INSERT OR REPLACE INTO checkpoints VALUES(?, ?)")?
            .execute((process, i64::try_from(position.get()).unwrap_or(i64::MAX)))?;
        Ok(())
    }

    /// Takes the processes back to a position that they have passed: for a log restored up to it.
    ///
    /// # Errors
    /// [`ViewError::Sqlite`].
    pub fn cut(&self, head: Position) -> Result<(), ViewError> {
        let head = i64::try_from(head.get()).unwrap_or(i64::MAX);
        self.connection()
            .execute("UPDATE checkpoints SET position = ?1 WHERE position > ?1", [head])?;
        Ok(())
    }
}
