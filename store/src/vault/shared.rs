//! A directory of wrapped keys that several nodes share, on a volume that all of them reach: the
//! vault of a cluster. It is a directory and not a stream of the log, because a log keeps for ever
//! what it was given, and a destroyed key must be gone.
//!
//! Keys stand in blocks, a file each, of records of one length. A block is made whole under another
//! name and linked into its place, which fails when another node was first; a record is overwritten
//! in place and flushed when its key is destroyed. `destroyed` grows by a byte each time, so that the
//! other nodes forget what they hold in memory before they use a key again.
//!
//! Where the volume keeps older contents (snapshots, copy on write, the wear levelling of a disk),
//! what was overwritten can be found again, wrapped: the rotation of the master key ends that.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::cipher::{KEY_LEN, Key};
use super::file::{Exported, Found, key_aad, proof, proves, secret_aad, unwrap, wrap};
use super::master::MasterKey;
use super::{Rewrapped, VaultError};

/// How many keys a block holds.
const BLOCK: u64 = 256;
/// A nonce, a key and a tag.
const WRAPPED: usize = 12 + KEY_LEN + 16;
/// The generation of the master key, then the wrapped key; zeros when it was destroyed.
const RECORD: usize = 8 + WRAPPED;

/// The directory, opened with its master key.
pub(super) struct KeyShelf {
    directory: PathBuf,
    generation: i64,
    wrapping: Key,
    /// Held by every node; a rotation needs it alone.
    _lock: File,
}

impl KeyShelf {
    /// Opens the directory; it must have been made by [`KeyShelf::make_new`]. One that is made by
    /// itself where a volume is not mounted would give keys that are gone when it is.
    pub(super) fn open(directory: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let lock = lock(directory, false)?;
        let wrapping = master.wrapping()?;
        let generation = match masters(directory)?.as_slice() {
            [(generation, text)] if proves(&wrapping, *generation, text) => *generation,
            [] | [_] => return Err(VaultError::WrongMasterKey),
            _ => return Err(VaultError::RotationUnfinished),
        };
        Ok(KeyShelf { directory: directory.to_owned(), generation, wrapping, _lock: lock })
    }

    /// Makes the directory's contents, with the keys of another vault where there is one.
    pub(super) fn make_new(
        directory: &Path,
        master: &MasterKey,
        keys: Exported,
    ) -> Result<Self, VaultError> {
        for part in ["masters", "secrets", "blocks"] {
            let path = directory.join(part);
            std::fs::create_dir_all(&path).map_err(|source| io(&path, source))?;
        }
        let wrapping = master.wrapping()?;
        let generation = 1;
        let shelf = |lock| KeyShelf {
            directory: directory.to_owned(),
            generation,
            wrapping: wrapping.clone(),
            _lock: lock,
        };
        let lock = File::create_new(directory.join("lock"))
            .map_err(|source| io(&directory.join("lock"), source))?;
        let shelf = shelf(lock);
        for (name, key) in &keys.secrets {
            let wrapped = wrap(&wrapping, &secret_aad(name, generation), key)?;
            shelf.place(&shelf.secret_path(name), &record(generation, &wrapped))?;
        }
        let last = keys.keys.keys().next_back().copied().unwrap_or_default();
        for block in 0..last.div_ceil(BLOCK) {
            let mut bytes = Vec::with_capacity(BLOCK as usize * RECORD);
            for id in ids(block) {
                match keys.keys.get(&id) {
                    Some(Some(key)) => {
                        let wrapped = wrap(&wrapping, &key_aad(id, generation), key)?;
                        bytes.extend(record(generation, &wrapped));
                    }
                    // Never given to anybody, or destroyed: nothing is sealed with it.
                    Some(None) | None => bytes.extend([0; RECORD]),
                }
            }
            shelf.place(&shelf.block_path(block), &bytes)?;
        }
        shelf.place(&directory.join("destroyed"), &[])?;
        // Last: with it the directory is a vault.
        let text = proof(&wrapping, generation)?;
        shelf.place(&directory.join("masters").join(generation.to_string()), &text)?;
        drop(shelf);
        Self::open(directory, master)
    }

    pub(super) fn secret(&self, name: &str) -> Result<Key, VaultError> {
        let path = self.secret_path(name);
        let damaged = || VaultError::Damaged(format!("the secret {name}"));
        if !path.exists() {
            let wrapped =
                wrap(&self.wrapping, &secret_aad(name, self.generation), &Key::random()?)?;
            // Another node may be first: its secret is then read below.
            self.place(&path, &record(self.generation, &wrapped))?;
        }
        let bytes = std::fs::read(&path).map_err(|source| io(&path, source))?;
        let (generation, wrapped) = split(&bytes).ok_or_else(damaged)?;
        unwrap(&self.wrapping, &secret_aad(name, generation), wrapped).ok_or_else(damaged)
    }

    pub(super) fn make(&self) -> Result<Vec<(u64, Key)>, VaultError> {
        loop {
            let block = blocks(&self.directory)?.last().map_or(0, |last| last + 1);
            let mut made = Vec::new();
            let mut bytes = Vec::with_capacity(BLOCK as usize * RECORD);
            for id in ids(block) {
                let key = Key::random()?;
                let wrapped = wrap(&self.wrapping, &key_aad(id, self.generation), &key)?;
                bytes.extend(record(self.generation, &wrapped));
                made.push((id, key));
            }
            if self.place(&self.block_path(block), &bytes)? {
                return Ok(made);
            }
        }
    }

    pub(super) fn find(&self, id: u64) -> Result<Found, VaultError> {
        let Some((block, offset)) = place_of(id) else { return Ok(Found::Unknown) };
        let path = self.block_path(block);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Unknown),
            Err(source) => return Err(io(&path, source)),
        };
        let mut bytes = [0; RECORD];
        file.seek(SeekFrom::Start(offset))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|source| io(&path, source))?;
        if bytes == [0; RECORD] {
            return Ok(Found::Destroyed);
        }
        let damaged = || VaultError::Damaged(format!("the data key {id}"));
        let (generation, wrapped) = split(&bytes).ok_or_else(damaged)?;
        unwrap(&self.wrapping, &key_aad(id, generation), wrapped)
            .map(Found::Key)
            .ok_or_else(damaged)
    }

    /// Overwrites keys and flushes; then tells the other nodes.
    pub(super) fn destroy(&self, keys: &[u64]) -> Result<u64, VaultError> {
        let mut destroyed = 0;
        for id in keys {
            if !matches!(self.find(*id)?, Found::Key(_)) {
                continue;
            }
            let Some((block, offset)) = place_of(*id) else { continue };
            let path = self.block_path(block);
            File::options()
                .write(true)
                .open(&path)
                .and_then(|mut file| {
                    file.seek(SeekFrom::Start(offset))?;
                    file.write_all(&[0; RECORD])?;
                    file.sync_all()
                })
                .map_err(|source| io(&path, source))?;
            destroyed += 1;
        }
        let path = self.directory.join("destroyed");
        File::options()
            .append(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(b".")?;
                file.sync_all()
            })
            .map_err(|source| io(&path, source))?;
        Ok(destroyed)
    }

    /// What tells that another node destroyed keys.
    pub(super) fn others(&self) -> Others {
        Others(self.directory.join("destroyed"))
    }

    pub(super) fn count(&self) -> Result<(u64, u64), VaultError> {
        let (mut all, mut gone) = (0, 0);
        for block in blocks(&self.directory)? {
            let path = self.block_path(block);
            let bytes = std::fs::read(&path).map_err(|source| io(&path, source))?;
            all += (bytes.len() / RECORD) as u64;
            gone += bytes.chunks(RECORD).filter(|r| r.iter().all(|b| *b == 0)).count() as u64;
        }
        Ok((all, gone))
    }

    /// Everything, for a vault of another kind.
    pub(super) fn export(&self) -> Result<Exported, VaultError> {
        let mut exported = Exported::default();
        for name in names(&self.directory.join("secrets"))? {
            let key = self.secret(&name)?;
            exported.secrets.insert(name, key);
        }
        for block in blocks(&self.directory)? {
            for id in ids(block) {
                let key = match self.find(id)? {
                    Found::Key(key) => Some(key),
                    Found::Destroyed | Found::Unknown => None,
                };
                exported.keys.insert(id, key);
            }
        }
        Ok(exported)
    }

    fn secret_path(&self, name: &str) -> PathBuf {
        self.directory.join("secrets").join(name)
    }

    fn block_path(&self, block: u64) -> PathBuf {
        self.directory.join("blocks").join(block.to_string())
    }

    /// Puts a file in its place, whole and flushed, unless there is one; whether it did.
    fn place(&self, path: &Path, bytes: &[u8]) -> Result<bool, VaultError> {
        let partial = self.directory.join(format!("partial-{}", uuid::Uuid::new_v4()));
        write_flushed(&partial, bytes)?;
        let linked = std::fs::hard_link(&partial, path);
        std::fs::remove_file(&partial).map_err(|source| io(&partial, source))?;
        match linked {
            Ok(()) => {
                flush_directory(path)?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(source) => Err(io(path, source)),
        }
    }
}

/// How often keys were destroyed, by any node: asked for before a key is used, without a lock.
pub(super) struct Others(PathBuf);

impl Others {
    pub(super) fn epoch(&self) -> Result<u64, VaultError> {
        std::fs::metadata(&self.0).map(|m| m.len()).map_err(|source| io(&self.0, source))
    }
}

/// Wraps everything with another master key, while no node has the directory open. Safe to stop at
/// any moment and to run again with the same two keys.
pub(super) fn rewrap(
    directory: &Path,
    old: &MasterKey,
    new: &MasterKey,
    progress: &mut dyn FnMut(Rewrapped),
) -> Result<Rewrapped, VaultError> {
    let _alone = lock(directory, true)?;
    let (from, to) = (old.wrapping()?, new.wrapping()?);
    let held = masters(directory)?;
    let of = |key: &Key| held.iter().find(|(g, text)| proves(key, *g, text)).map(|(g, _)| *g);
    let was = of(&from).ok_or(VaultError::WrongMasterKey)?;
    let is = match (of(&to), held.len()) {
        (Some(is), _) if is == was => return Err(VaultError::SameMasterKey),
        (Some(is), _) => is,
        (None, 1) => {
            let is = was + 1;
            let path = directory.join("masters").join(is.to_string());
            replace(&path, &proof(&to, is)?)?;
            is
        }
        (None, _) => return Err(VaultError::RotationUnfinished),
    };
    let again = |bytes: &[u8], what: &str, aad: &dyn Fn(i64) -> Vec<u8>| {
        let damaged = || VaultError::Damaged(what.to_owned());
        let (generation, wrapped) = split(bytes).ok_or_else(damaged)?;
        if generation == is {
            return Ok::<_, VaultError>(bytes.to_vec());
        }
        let key = unwrap(&from, &aad(generation), wrapped).ok_or_else(damaged)?;
        Ok(record(is, &wrap(&to, &aad(is), &key)?))
    };
    for name in names(&directory.join("secrets"))? {
        let path = directory.join("secrets").join(&name);
        let bytes = std::fs::read(&path).map_err(|source| io(&path, source))?;
        replace(&path, &again(&bytes, "a secret", &|g| secret_aad(&name, g))?)?;
    }
    let blocks = blocks(directory)?;
    let mut at = Rewrapped { done: 0, total: blocks.len() as u64 * BLOCK };
    for block in blocks {
        let path = directory.join("blocks").join(block.to_string());
        let bytes = std::fs::read(&path).map_err(|source| io(&path, source))?;
        let mut fresh = Vec::with_capacity(bytes.len());
        for (id, record) in ids(block).zip(bytes.chunks(RECORD)) {
            if record.iter().all(|byte| *byte == 0) {
                fresh.extend_from_slice(record);
            } else {
                fresh.extend(again(record, "a data key", &|g| key_aad(id, g))?);
            }
        }
        replace(&path, &fresh)?;
        at.done += BLOCK;
        progress(at);
    }
    // From here on the old master key opens nothing of this directory any more.
    let path = directory.join("masters").join(was.to_string());
    std::fs::remove_file(&path).map_err(|source| io(&path, source))?;
    flush_directory(&path)?;
    Ok(at)
}

fn lock(directory: &Path, alone: bool) -> Result<File, VaultError> {
    let path = directory.join("lock");
    let file = File::open(&path).map_err(|source| io(&path, source))?;
    let taken = if alone { file.try_lock() } else { file.try_lock_shared() };
    match taken {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(VaultError::Locked { path }),
        Err(std::fs::TryLockError::Error(source)) => Err(io(&path, source)),
    }
}

fn masters(directory: &Path) -> Result<Vec<(i64, Vec<u8>)>, VaultError> {
    let directory = directory.join("masters");
    let mut masters = Vec::new();
    for name in names(&directory)? {
        let path = directory.join(&name);
        let generation = name.parse().map_err(|_| VaultError::Damaged(name))?;
        masters.push((generation, std::fs::read(&path).map_err(|source| io(&path, source))?));
    }
    Ok(masters)
}

/// The numbers of the blocks, in order.
fn blocks(directory: &Path) -> Result<Vec<u64>, VaultError> {
    let mut blocks = names(&directory.join("blocks"))?
        .into_iter()
        .map(|name| name.parse().map_err(|_| VaultError::Damaged(name)))
        .collect::<Result<Vec<u64>, _>>()?;
    blocks.sort_unstable();
    Ok(blocks)
}

fn names(directory: &Path) -> Result<Vec<String>, VaultError> {
    std::fs::read_dir(directory)
        .and_then(|entries| {
            entries.map(|e| e.map(|e| e.file_name().to_string_lossy().into_owned())).collect()
        })
        .map_err(|source| io(directory, source))
}

/// The numbers of a block's keys; the first of all is 1.
fn ids(block: u64) -> std::ops::RangeInclusive<u64> {
    block * BLOCK + 1..=(block + 1) * BLOCK
}

/// The block of a key, and where in it the record stands.
fn place_of(id: u64) -> Option<(u64, u64)> {
    let index = id.checked_sub(1)?;
    Some((index / BLOCK, index % BLOCK * RECORD as u64))
}

fn record(generation: i64, wrapped: &[u8]) -> Vec<u8> {
    let mut record = generation.to_le_bytes().to_vec();
    record.extend_from_slice(wrapped);
    record
}

fn split(record: &[u8]) -> Option<(i64, &[u8])> {
    let (generation, wrapped) = record.split_first_chunk::<8>()?;
    (wrapped.len() == WRAPPED).then(|| (i64::from_le_bytes(*generation), wrapped))
}

/// Replaces a file by another, whole and flushed.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let above = path.parent().and_then(Path::parent).unwrap_or(path);
    let partial = above.join(format!("partial-{}", uuid::Uuid::new_v4()));
    write_flushed(&partial, bytes)?;
    std::fs::rename(&partial, path).map_err(|source| io(path, source))?;
    flush_directory(path)
}

fn write_flushed(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|source| io(path, source))
}

/// So that a new name, too, is safe from a power cut.
fn flush_directory(path: &Path) -> Result<(), VaultError> {
    let directory = path.parent().unwrap_or(path);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| io(directory, source))
}

fn io(path: &Path, source: std::io::Error) -> VaultError {
    VaultError::Io { path: path.to_owned(), source }
}
