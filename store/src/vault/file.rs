//! `keys.db`: wrapped keys, and nothing that says whose they are. A key that was destroyed leaves
//! its number and no bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};

use super::cipher::Key;
use super::master::MasterKey;
use super::{Rewrapped, VaultError};
use crate::sqlite::fold::Folding;

/// Marks the file as a vault of Pratica: `PRAK`.
const APPLICATION_ID: i32 = 0x5052_414B;
const FORMAT: i32 = 1;
/// How many keys are made with one flush: they are there before anybody is waiting for one.
const POOL: u64 = 1024;
/// After how many pages the write-ahead log is folded in: after each making of keys.
const FOLDED: i64 = 1;
/// The same while all keys are wrapped anew.
const FOLDED_REWRAPPING: i64 = 1000;
/// How many keys one transaction of a rotation rewraps.
const REWRAP: i64 = 500;
/// How long a rotation waits for somebody who reads the file.
const READ_BY_OTHERS: Duration = Duration::from_secs(5);

const TABLES: &str = "
CREATE TABLE masters (
    generation INTEGER PRIMARY KEY,
    proof      BLOB NOT NULL
) STRICT;
CREATE TABLE secrets (
    name       TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    wrapped    BLOB NOT NULL
) STRICT;
CREATE TABLE data_keys (
    id         INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    wrapped    BLOB
) STRICT;
CREATE INDEX data_keys_to_rewrap ON data_keys(generation) WHERE wrapped IS NOT NULL;
";

/// The file, opened with its master key.
pub(super) struct KeyFile {
    connection: Connection,
    folding: Folding,
    generation: i64,
    wrapping: Key,
    _lock: Option<File>,
}

/// Everything that a vault holds, for one of another kind.
#[derive(Default)]
pub(super) struct Exported {
    pub(super) secrets: BTreeMap<String, Key>,
    /// None for a key that was destroyed.
    pub(super) keys: BTreeMap<u64, Option<Key>>,
}

/// What is known of a data key.
pub(super) enum Found {
    Key(Key),
    Destroyed,
    Unknown,
}

impl KeyFile {
    /// Opens the file, making it when there is none.
    pub(super) fn open(path: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let lock = lock(path)?;
        let connection = Connection::open(path)?;
        Self::prepare(connection, master, Some(lock))
    }

    pub(super) fn in_memory(master: &MasterKey) -> Result<Self, VaultError> {
        Self::prepare(Connection::open_in_memory()?, master, None)
    }

    fn prepare(
        mut c: Connection,
        master: &MasterKey,
        lock: Option<File>,
    ) -> Result<Self, VaultError> {
        let number = |c: &Connection, pragma: &str| -> Result<i32, VaultError> {
            Ok(c.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?)
        };
        let (application, format) = (number(&c, "application_id")?, number(&c, "user_version")?);
        let tables: i64 = c.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
        let is_new = application == 0 && tables == 0;
        if !is_new && (application != APPLICATION_ID || format != FORMAT) {
            return Err(VaultError::Foreign { application, format });
        }
        c.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        c.pragma_update(None, "synchronous", "FULL")?;
        // What is overwritten is gone from the file, not merely free.
        c.pragma_update(None, "secure_delete", true)?;
        let wrapping = master.wrapping()?;
        if is_new {
            let tx = c.transaction()?;
            tx.execute_batch(TABLES)?;
            tx.execute("INSERT INTO masters VALUES (1, ?)", [proof(&wrapping, 1)?])?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", FORMAT)?;
            tx.commit()?;
        }
        // Who wrote before may have died before a flush, or it failed and the system took it for
        // done: what can be read is not on the disk, and keys made after it would go with it.
        let mut folding = Folding::take_over(&c, FOLDED)?;
        if !folding.all(&c, "FULL")? {
            return Err(VaultError::Busy);
        }
        let generation = Self::proved(&c, &wrapping)?;
        Ok(KeyFile { connection: c, folding, generation, wrapping, _lock: lock })
    }

    /// The generation of the master key, if it is the one and the only one.
    fn proved(c: &Connection, wrapping: &Key) -> Result<i64, VaultError> {
        let masters = masters(c)?;
        if masters.len() > 1 {
            return Err(VaultError::RotationUnfinished);
        }
        masters
            .into_iter()
            .find(|(generation, proof)| proves(wrapping, *generation, proof))
            .map(|(generation, _)| generation)
            .ok_or(VaultError::WrongMasterKey)
    }

    /// A secret of the comune that outlives rotations; made when it is not there.
    pub(super) fn secret(&self, name: &str) -> Result<Key, VaultError> {
        let found: Option<Vec<u8>> = self
            .connection
            .query_row("SELECT wrapped FROM secrets WHERE name = ?", [name], |row| row.get(0))
            .optional()?;
        let aad = secret_aad(name, self.generation);
        if let Some(wrapped) = found {
            return unwrap(&self.wrapping, &aad, &wrapped)
                .ok_or_else(|| VaultError::Damaged(format!("the secret {name}")));
        }
        self.folding.sound()?;
        let key = Key::random()?;
        let wrapped = wrap(&self.wrapping, &aad, &key)?;
        self.connection
            .execute("INSERT INTO secrets VALUES (?, ?, ?)", (name, self.generation, wrapped))?;
        Ok(key)
    }

    /// Makes data keys, safe from a power cut before it returns. Their numbers were never used.
    pub(super) fn make(&mut self) -> Result<Vec<(u64, Key)>, VaultError> {
        self.folding.sound()?;
        let tx = self.connection.transaction()?;
        let last: i64 =
            tx.query_row("SELECT coalesce(max(id), 0) FROM data_keys", [], |row| row.get(0))?;
        let first = last.unsigned_abs() + 1;
        let mut made = Vec::new();
        for id in first..first + POOL {
            let key = Key::random()?;
            let wrapped = wrap(&self.wrapping, &key_aad(id, self.generation), &key)?;
            tx.prepare_cached("INSERT INTO data_keys VALUES (?, ?, ?)")?.execute((
                id.cast_signed(),
                self.generation,
                wrapped,
            ))?;
            made.push((id, key));
        }
        tx.commit()?;
        self.folding.when_long(&self.connection)?;
        Ok(made)
    }

    pub(super) fn find(&self, id: u64) -> Result<Found, VaultError> {
        let row: Option<(i64, Option<Vec<u8>>)> = self
            .connection
            .prepare_cached("SELECT generation, wrapped FROM data_keys WHERE id = ?")?
            .query_row([id.cast_signed()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match row {
            None => Ok(Found::Unknown),
            Some((_, None)) => Ok(Found::Destroyed),
            Some((generation, Some(wrapped))) => {
                unwrap(&self.wrapping, &key_aad(id, generation), &wrapped)
                    .map(Found::Key)
                    .ok_or_else(|| VaultError::Damaged(format!("the data key {id}")))
            }
        }
    }

    /// Destroys keys; when it returns, no byte of them is in the file or its write-ahead log.
    pub(super) fn destroy(&mut self, ids: &[u64]) -> Result<u64, VaultError> {
        self.folding.sound()?;
        let tx = self.connection.transaction()?;
        let mut destroyed = 0;
        for id in ids {
            destroyed += tx
                .prepare_cached(
                    "UPDATE data_keys SET wrapped = NULL WHERE id = ? AND wrapped IS NOT NULL",
                )?
                .execute([id.cast_signed()])?;
        }
        tx.commit()?;
        self.forget_the_past()?;
        Ok(destroyed as u64)
    }

    /// Folds the write-ahead log in and cuts it: it may hold what was overwritten.
    fn forget_the_past(&mut self) -> Result<(), VaultError> {
        if self.folding.all(&self.connection, "TRUNCATE")? { Ok(()) } else { Err(VaultError::Busy) }
    }

    pub(super) fn export(&self) -> Result<Exported, VaultError> {
        let mut exported = Exported::default();
        let mut names = self.connection.prepare("SELECT name FROM secrets")?;
        for name in names.query_map([], |row| row.get::<_, String>(0))? {
            let name = name?;
            let key = self.secret(&name)?;
            exported.secrets.insert(name, key);
        }
        let mut ids = self.connection.prepare("SELECT id FROM data_keys")?;
        for id in ids.query_map([], |row| row.get::<_, i64>(0))? {
            let id = id?.unsigned_abs();
            let key = match self.find(id)? {
                Found::Key(key) => Some(key),
                Found::Destroyed | Found::Unknown => None,
            };
            exported.keys.insert(id, key);
        }
        Ok(exported)
    }

    /// Takes in everything of another vault; this one must be new.
    pub(super) fn import(&mut self, exported: &Exported) -> Result<(), VaultError> {
        let (made, _) = self.count()?;
        let secrets: i64 =
            self.connection.query_row("SELECT count(*) FROM secrets", [], |row| row.get(0))?;
        if made > 0 || secrets > 0 {
            return Err(VaultError::NotEmpty);
        }
        let tx = self.connection.transaction()?;
        for (name, key) in &exported.secrets {
            let wrapped = wrap(&self.wrapping, &secret_aad(name, self.generation), key)?;
            tx.execute("INSERT INTO secrets VALUES (?, ?, ?)", (name, self.generation, wrapped))?;
        }
        for (id, key) in &exported.keys {
            let wrapped = match key {
                Some(key) => Some(wrap(&self.wrapping, &key_aad(*id, self.generation), key)?),
                None => None,
            };
            tx.prepare_cached("INSERT INTO data_keys VALUES (?, ?, ?)")?.execute((
                id.cast_signed(),
                self.generation,
                wrapped,
            ))?;
        }
        tx.commit()?;
        self.folding.when_long(&self.connection)?;
        Ok(())
    }

    /// How many keys there are, and how many of them are destroyed.
    pub(super) fn count(&self) -> Result<(u64, u64), VaultError> {
        let (all, there): (i64, i64) = self.connection.query_row(
            "SELECT count(*), count(wrapped) FROM data_keys",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok((all.unsigned_abs(), (all - there).unsigned_abs()))
    }
}

/// Wraps every key of the file with another master key. Safe to stop at any moment: started again
/// with the same two keys it goes on where it was; until it is done neither key alone opens. It is
/// done when neither the file nor its write-ahead log holds a byte that the old one opens.
pub(super) fn rewrap(
    path: &Path,
    old: &MasterKey,
    new: &MasterKey,
    progress: &mut dyn FnMut(Rewrapped),
) -> Result<Rewrapped, VaultError> {
    let _lock = lock(path)?;
    let mut c = Connection::open_with_flags(
        path,
        rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    c.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    c.pragma_update(None, "synchronous", "FULL")?;
    c.pragma_update(None, "secure_delete", true)?;
    c.busy_timeout(READ_BY_OTHERS)?;
    let held_up = || VaultError::RotationHeldUp { path: path.to_path_buf() };
    let mut folding = Folding::take_over(&c, FOLDED_REWRAPPING)?;
    if !folding.all(&c, "FULL")? {
        return Err(held_up());
    }
    let (from, to) = (old.wrapping()?, new.wrapping()?);
    let (was, is) = generations(&c, &from, &to)?;
    let total: i64 =
        c.query_row("SELECT count(*) FROM data_keys WHERE wrapped IS NOT NULL", [], |row| {
            row.get(0)
        })?;
    let mut at = Rewrapped { done: 0, total: total.unsigned_abs() };
    rewrap_secrets(&mut c, (&from, was), (&to, is))?;
    loop {
        let tx = c.transaction()?;
        let rows: Vec<(i64, Vec<u8>)> = tx
            .prepare_cached(
                "SELECT id, wrapped FROM data_keys \
                 WHERE generation = ? AND wrapped IS NOT NULL LIMIT ?",
            )?
            .query_map((was, REWRAP), |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if rows.is_empty() {
            break;
        }
        for (id, wrapped) in rows {
            let number = id.unsigned_abs();
            let key = unwrap(&from, &key_aad(number, was), &wrapped)
                .ok_or_else(|| VaultError::Damaged(format!("the data key {number}")))?;
            tx.prepare_cached("UPDATE data_keys SET generation = ?, wrapped = ? WHERE id = ?")?
                .execute((is, wrap(&to, &key_aad(number, is), &key)?, id))?;
        }
        tx.commit()?;
        folding.when_long(&c)?;
        let left: i64 = c.query_row(
            "SELECT count(*) FROM data_keys WHERE generation = ? AND wrapped IS NOT NULL",
            [was],
            |row| row.get(0),
        )?;
        at.done = at.total.saturating_sub(left.unsigned_abs());
        progress(at);
    }
    // A reader of before keeps what was overwritten in the write-ahead log. As long as the old master
    // key is named, the rotation is unfinished, and the same command goes on from here.
    c.execute_batch("VACUUM")?;
    if !folding.all(&c, "TRUNCATE")? {
        return Err(held_up());
    }
    // From here on the old master key opens nothing of this file any more.
    c.execute("DELETE FROM masters WHERE generation = ?", [was])?;
    at.done = at.total;
    Ok(at)
}

/// The generations of the old and the new master key; the new one is written down first.
fn generations(c: &Connection, from: &Key, to: &Key) -> Result<(i64, i64), VaultError> {
    let masters = masters(c)?;
    let of = |key: &Key| {
        masters.iter().find(|(g, proof)| proves(key, **g, proof)).map(|(generation, _)| *generation)
    };
    let was = of(from).ok_or(VaultError::WrongMasterKey)?;
    match (of(to), masters.len()) {
        (Some(is), _) if is == was => Err(VaultError::SameMasterKey),
        (Some(is), _) => Ok((was, is)),
        (None, 1) => {
            let is = was + 1;
            c.execute("INSERT INTO masters VALUES (?, ?)", (is, proof(to, is)?))?;
            Ok((was, is))
        }
        // Another rotation began with a third key.
        (None, _) => Err(VaultError::RotationUnfinished),
    }
}

fn rewrap_secrets(
    c: &mut Connection,
    (from, was): (&Key, i64),
    (to, is): (&Key, i64),
) -> Result<(), VaultError> {
    let tx = c.transaction()?;
    let rows: Vec<(String, Vec<u8>)> = tx
        .prepare("SELECT name, wrapped FROM secrets WHERE generation = ?")?
        .query_map([was], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (name, wrapped) in rows {
        let key = unwrap(from, &secret_aad(&name, was), &wrapped)
            .ok_or_else(|| VaultError::Damaged(format!("the secret {name}")))?;
        let wrapped = wrap(to, &secret_aad(&name, is), &key)?;
        tx.execute(
            "UPDATE secrets SET generation = ?, wrapped = ? WHERE name = ?",
            (is, wrapped, name),
        )?;
    }
    tx.commit()?;
    Ok(())
}

fn masters(c: &Connection) -> Result<BTreeMap<i64, Vec<u8>>, VaultError> {
    let mut statement = c.prepare("SELECT generation, proof FROM masters")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Something that only the master key could have sealed.
pub(super) fn proof(wrapping: &Key, generation: i64) -> Result<Vec<u8>, VaultError> {
    let mut sealed = Vec::new();
    wrapping.seal(&proof_aad(generation), b"pratica", &mut sealed)?;
    Ok(sealed)
}

pub(super) fn proves(wrapping: &Key, generation: i64, proof: &[u8]) -> bool {
    wrapping.open(&proof_aad(generation), proof).is_some()
}

pub(super) fn wrap(wrapping: &Key, aad: &[u8], key: &Key) -> Result<Vec<u8>, VaultError> {
    let mut wrapped = Vec::new();
    wrapping.seal(aad, key.bytes(), &mut wrapped)?;
    Ok(wrapped)
}

pub(super) fn unwrap(wrapping: &Key, aad: &[u8], wrapped: &[u8]) -> Option<Key> {
    wrapping.open(aad, wrapped).and_then(|bytes| Key::from_slice(&bytes))
}

fn proof_aad(generation: i64) -> Vec<u8> {
    format!("master {generation}").into_bytes()
}

pub(super) fn key_aad(id: u64, generation: i64) -> Vec<u8> {
    format!("key {id} {generation}").into_bytes()
}

pub(super) fn secret_aad(name: &str, generation: i64) -> Vec<u8> {
    format!("secret {name} {generation}").into_bytes()
}

/// Takes the lock beside the vault: two servers would hand out the same key twice.
fn lock(path: &Path) -> Result<File, VaultError> {
    let path = path.with_extension("lock");
    let io = |source| VaultError::Io { path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(VaultError::Locked { path: path.clone() }),
        Err(std::fs::TryLockError::Error(error)) => Err(io(error)),
    }
}
