//! The Merkle tree over the log, in a file of its own beside it: made from the log alone, and so
//! made again at any time. Its hashes are never trusted over the log's.

use std::cell::Cell;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Transaction};
use tlog_tiles::tlog::{
    self, Hash, HashReader, record_hash, stored_hash_count, stored_hash_index,
    stored_hashes_for_record_hash,
};

use super::{EvidenceError, leaf};
use crate::event::RecordedEvent;
use crate::revision::Position;
use crate::sqlite::fold::Folding;

/// Marks the file as a tree of Pratica: `PRAM`.
const APPLICATION_ID: i32 = 0x5052_414D;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS hashes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
";

/// After how many pages the write-ahead log is folded in.
const FOLDED: i64 = 250;

/// The tree of one log.
pub struct Tree {
    file: Mutex<File>,
}

struct File {
    connection: Connection,
    folding: Folding,
}

impl File {
    /// Writes in one transaction, unless a flush failed before.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, EvidenceError>,
    ) -> Result<T, EvidenceError> {
        self.folding.sound()?;
        let tx = self.connection.transaction()?;
        let done = work(&tx)?;
        tx.commit()?;
        self.folding.when_long(&self.connection)?;
        Ok(done)
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tree(..)")
    }
}

/// Reads hashes through a connection; beside it those of the batch that is being written.
struct Stored<'a> {
    connection: &'a Connection,
    /// Why they could not be read: the tree's own errors would keep its words alone.
    failed: Cell<Option<rusqlite::Error>>,
}

impl<'a> Stored<'a> {
    fn new(connection: &'a Connection) -> Self {
        Stored { connection, failed: Cell::new(None) }
    }

    fn read(&self, index: u64) -> rusqlite::Result<Option<Hash>> {
        let mut statement =
            self.connection.prepare_cached("SELECT hash FROM hashes WHERE id = ?")?;
        let hash = statement.query_row([index.cast_signed()], |row| row.get(0)).optional()?;
        Ok(hash.map(Hash))
    }

    /// What came of hashes that were read here.
    fn said<T>(&self, result: Result<T, tlog::Error>) -> Result<T, EvidenceError> {
        result.map_err(|error| match self.failed.take() {
            Some(failed) => failed.into(),
            None => error.into(),
        })
    }
}

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        let read = |index: &u64| match self.read(*index) {
            Ok(hash) => hash.ok_or(tlog::Error::IndexesNotInTree),
            Err(error) => {
                let text = tlog::Error::InvalidInput(error.to_string());
                self.failed.set(Some(error));
                Err(text)
            }
        };
        indexes.iter().map(read).collect()
    }
}

impl Tree {
    /// Opens the file, making it when there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or is something else.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        Self::of(Connection::open(path)?)
    }

    /// A tree that is gone with the process: to compute one anew.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn in_memory() -> Result<Self, EvidenceError> {
        Self::of(Connection::open_in_memory()?)
    }

    fn of(c: Connection) -> Result<Self, EvidenceError> {
        let id: i32 = c.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let tables: i64 = c.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
        if id != APPLICATION_ID && tables > 0 {
            return Err(EvidenceError::Foreign);
        }
        c.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // A crash may lose the last hashes: they are made again from the log.
        c.pragma_update(None, "synchronous", "NORMAL")?;
        // One transaction: a power cut must not leave tables that nobody knows for ours.
        c.execute_batch(&format!(
            "BEGIN; PRAGMA application_id = {APPLICATION_ID}; {TABLES} COMMIT;"
        ))?;
        // What a failed flush left behind is folded in from its beginning, with what comes.
        let folding = Folding::take_over(&c, FOLDED)?;
        Ok(Tree { file: Mutex::new(File { connection: c, folding }) })
    }

    fn lock(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events it holds: the position of the last one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn size(&self) -> Result<u64, EvidenceError> {
        size(&self.lock().connection)
    }

    /// Adds the events that come next, in one transaction; those that are there are passed over.
    ///
    /// # Errors
    /// [`EvidenceError::Gap`] when they do not follow.
    pub fn append(&self, events: &[RecordedEvent]) -> Result<u64, EvidenceError> {
        let mut file = self.lock();
        let mut next = size(&file.connection)?;
        file.write(|tx| {
            for event in events {
                let index = event.position.get().saturating_sub(1);
                if index < next {
                    continue;
                }
                if index > next {
                    return Err(EvidenceError::Gap { position: event.position });
                }
                let hash = record_hash(leaf(event).as_bytes());
                let stored = Stored::new(tx);
                let hashes = stored.said(stored_hashes_for_record_hash(next, hash, &stored))?;
                let first = stored_hash_index(0, next);
                let mut insert =
                    tx.prepare_cached("INSERT OR REPLACE INTO hashes VALUES (?, ?)")?;
                for (id, hash) in (first..).zip(hashes) {
                    insert.execute((id.cast_signed(), hash.0))?;
                }
                next += 1;
            }
            Ok(next)
        })
    }

    /// The root of the tree over the first `size` events (RFC 6962 section 2.1).
    ///
    /// # Errors
    /// When it does not hold so many.
    pub fn root(&self, size: u64) -> Result<Hash, EvidenceError> {
        let file = self.lock();
        let stored = Stored::new(&file.connection);
        stored.said(tlog::tree_hash(size, &stored))
    }

    /// The hash that it holds of the event at a position.
    ///
    /// # Errors
    /// When it does not hold the event.
    pub fn leaf_hash(&self, position: Position) -> Result<Hash, EvidenceError> {
        let index = stored_hash_index(0, position.get().saturating_sub(1));
        let found = Stored::new(&self.lock().connection).read(index)?;
        found.ok_or(EvidenceError::TooShort { size: position.get() })
    }

    /// The proof that the event at `position` is in the tree of `size` (RFC 6962 section 2.1.1).
    ///
    /// # Errors
    /// When it is not.
    pub fn inclusion(&self, position: Position, size: u64) -> Result<Vec<Hash>, EvidenceError> {
        let index = position.get().saturating_sub(1);
        if position.get() == 0 || position.get() > size {
            return Err(EvidenceError::TooShort { size });
        }
        let file = self.lock();
        let stored = Stored::new(&file.connection);
        stored.said(tlog::prove_record(size, index, &stored))
    }

    /// The proof that the tree of `to` begins with that of `from` (RFC 6962 section 2.1.2).
    ///
    /// # Errors
    /// When there are no such trees.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash>, EvidenceError> {
        let file = self.lock();
        if from == 0 || from > to || to > size(&file.connection)? {
            return Err(EvidenceError::TooShort { size: to });
        }
        let stored = Stored::new(&file.connection);
        stored.said(tlog::prove_tree(to, from, &stored))
    }

    /// Keeps a signed checkpoint.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&self, size: u64, note: &str) -> Result<(), EvidenceError> {
        self.lock().write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?)",
                (size.cast_signed(), note),
            )?;
            Ok(())
        })
    }

    /// The newest checkpoint of at least `size` events, if there is one: its size and its note.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn checkpoint(&self, size: u64) -> Result<Option<(u64, String)>, EvidenceError> {
        Ok(self
            .lock()
            .connection
            .query_row(
                "SELECT size, note FROM checkpoints WHERE size >= ? ORDER BY size DESC LIMIT 1",
                [size.cast_signed()],
                |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)),
            )
            .optional()?)
    }

    /// Every checkpoint, from the oldest on.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<String>, EvidenceError> {
        let file = self.lock();
        let mut statement =
            file.connection.prepare("SELECT note FROM checkpoints ORDER BY size")?;
        let notes = statement.query_map([], |row| row.get(0))?;
        Ok(notes.collect::<Result<_, _>>()?)
    }

    /// Forgets what it holds of events beyond a size: for a log restored up to an earlier
    /// position. Checkpoints that went outside go on saying that there was more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn cut(&self, size: u64) -> Result<(), EvidenceError> {
        self.lock().write(|tx| {
            let kept = stored_hash_count(size).cast_signed();
            tx.execute("DELETE FROM hashes WHERE id >= ?", [kept])?;
            tx.execute("DELETE FROM checkpoints WHERE size > ?", [size.cast_signed()])?;
            Ok(())
        })
    }
}

/// How many events have all their hashes there.
fn size(c: &Connection) -> Result<u64, EvidenceError> {
    let last: Option<i64> = c.query_row("SELECT max(id) FROM hashes", [], |row| row.get(0))?;
    let count = last.map_or(0, |last| last.cast_unsigned() + 1);
    // Just under two hashes an event: the size lies between.
    let (mut low, mut high) = (count / 2, count);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if stored_hash_count(middle) <= count { low = middle } else { high = middle - 1 }
    }
    Ok(low)
}
