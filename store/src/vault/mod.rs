//! The vault: a key for each person of each case, wrapped by the comune's master key.
//!
//! Personal data is sealed here on its way into the log and opened on its way into an answer.
//! Destroying a person's keys makes the data unreadable wherever it was copied to: in the log, in
//! views, in backups. Events never change for it, so that the log still verifies.
//!
//! What must never enter: the master key's own keeping (it is given), personal data in an error,
//! keys in an error, and the cryptography itself (it is `ring`'s).

mod cipher;
mod file;
mod index;
mod master;
mod shared;
mod token;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use pratica_domain::ids::SubjectId;
use pratica_domain::people::Personal;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::is_damage;
use crate::sqlite::fold::{NotFolded, Unflushed};
use cipher::{Hasher, Key};
use file::{Exported, Found, KeyFile};
pub use index::{BlindIndex, BlindKey, Find};
pub use master::MasterKey;
use shared::KeyShelf;
pub use token::Place;
use token::Token;

/// How many opened keys are kept in memory; beyond that they are read from the file again.
const KEPT: usize = 65_536;
/// When fewer keys than this wait for somebody, more are made beside.
const FEW: usize = 512;

/// Why the vault cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The master key is not the one that the vault was made with.
    #[error(
        "the master key does not open keys.db: give the key that it was made or last rotated with"
    )]
    WrongMasterKey,
    /// The master key is not written as one.
    #[error("a master key is 64 hexadecimal digits")]
    MasterKeyShape,
    /// A rotation began and did not end.
    #[error("a rotation of the master key was not finished: run it again with both keys")]
    RotationUnfinished,
    /// A rotation from a key to itself.
    #[error("the new master key is the old one")]
    SameMasterKey,
    /// Another process has the vault.
    #[error("another process has the vault: {path} is locked")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The file is not a vault of this format.
    #[error(
        "keys.db is not a vault of this version (application id {application}, format {format})"
    )]
    Foreign {
        /// What it says it is.
        application: i32,
        /// Which format.
        format: i32,
    },
    /// The vault does not know a key that the log names.
    #[error("keys.db does not know key {0}: it is older than the log; restore them together")]
    UnknownKey(u64),
    /// A sealed text was changed, moved, or is no sealed text at all.
    #[error("sealed data was altered or does not belong where it stands")]
    Altered,
    /// A vault that should be new holds keys.
    #[error("the vault holds keys already: they would be mixed with others")]
    NotEmpty,
    /// Something of the vault itself is damaged.
    #[error("{0} in keys.db is damaged")]
    Damaged(String),
    /// A part of the file itself is damaged.
    #[error("keys.db is damaged: keep the file, and restore a backup")]
    DamagedFile(#[source] rusqlite::Error),
    /// The write-ahead log could not be cut.
    #[error("keys.db is read by another program: close it and try again")]
    Busy,
    /// Every key is wrapped anew, and a reader of before keeps the old ones in the write-ahead log.
    #[error(
        "{} is read by another program, so that its write-ahead log still holds keys that the old \
         master key opens: close that program and run the same command again, which finishes it",
        .path.display()
    )]
    RotationHeldUp {
        /// The file.
        path: PathBuf,
    },
    /// The library refused.
    #[error("{0} failed")]
    Cipher(&'static str),
    /// A file could not be used.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// SQLite failed.
    #[error("keys.db cannot be used")]
    Sqlite(#[source] rusqlite::Error),
    /// A flush of the file failed, and no later one can be trusted.
    #[error(
        "keys.db could not be flushed, and is not written until the server is started again: see that \
         its disk is sound"
    )]
    Unflushed(#[source] Arc<rusqlite::Error>),
    /// What was opened is not of its shape.
    #[error("opened data does not have its shape")]
    Shape,
}

impl From<rusqlite::Error> for VaultError {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) { VaultError::DamagedFile(error) } else { VaultError::Sqlite(error) }
    }
}

impl From<Unflushed> for VaultError {
    fn from(error: Unflushed) -> Self {
        VaultError::Unflushed(error)
    }
}

impl From<NotFolded> for VaultError {
    fn from(error: NotFolded) -> Self {
        match error {
            NotFolded::Unwritten(error) => error.into(),
            NotFolded::Unflushed(error) => error.into(),
        }
    }
}

impl VaultError {
    /// Whether the keys themselves are damaged: what they sealed is as it was.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, VaultError::Damaged(_) | VaultError::DamagedFile(_))
    }

    /// Whether the keys are out of reach, which may pass: nothing is wrong with what was asked.
    #[must_use]
    pub fn may_be_retried(&self) -> bool {
        matches!(
            self,
            VaultError::Sqlite(_)
                | VaultError::Io { .. }
                | VaultError::Busy
                | VaultError::Unflushed(_)
        )
    }
}

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys wrapped anew.
    pub done: u64,
    /// All keys.
    pub total: u64,
}

/// What became of a sealed text.
pub enum Unsealed {
    /// It opened.
    Open(Zeroizing<Vec<u8>>),
    /// Its key was destroyed: nobody will ever read it.
    Erased,
}

/// The vault of one comune.
pub struct Vault {
    keys: Arc<Keys>,
    /// The thread that makes keys before anybody waits for one; joined when the vault goes.
    maker: Mutex<Option<JoinHandle<()>>>,
    /// What tells that another node destroyed keys; none where there is no other.
    others: Option<shared::Others>,
    index: Hasher,
    pseudonyms: Hasher,
    requests: Hasher,
}

/// The keys on the disk and those in memory. Who needs both takes the file first.
struct Keys {
    file: Mutex<Kept>,
    known: Mutex<Known>,
}

impl Keys {
    fn file(&self) -> MutexGuard<'_, Kept> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes keys when there are still fewer than asked for. Those who take keys meanwhile are not
    /// held up.
    fn make(&self, fewer_than: usize) -> Result<(), VaultError> {
        let mut file = self.file();
        if self.known().pool.len() < fewer_than {
            let made = file.make()?;
            self.known().pool.extend(made);
        }
        Ok(())
    }
}

/// Where the keys are: a file of this process's, or a directory that several nodes share.
enum Kept {
    File(KeyFile),
    Shelf(KeyShelf),
}

impl Kept {
    fn secret(&self, name: &str) -> Result<Key, VaultError> {
        match self {
            Kept::File(file) => file.secret(name),
            Kept::Shelf(shelf) => shelf.secret(name),
        }
    }

    fn make(&mut self) -> Result<Vec<(u64, Key)>, VaultError> {
        match self {
            Kept::File(file) => file.make(),
            Kept::Shelf(shelf) => shelf.make(),
        }
    }

    fn find(&self, id: u64) -> Result<Found, VaultError> {
        match self {
            Kept::File(file) => file.find(id),
            Kept::Shelf(shelf) => shelf.find(id),
        }
    }

    fn destroy(&mut self, ids: &[u64]) -> Result<u64, VaultError> {
        match self {
            Kept::File(file) => file.destroy(ids),
            Kept::Shelf(shelf) => shelf.destroy(ids),
        }
    }

    fn count(&self) -> Result<(u64, u64), VaultError> {
        match self {
            Kept::File(file) => file.count(),
            Kept::Shelf(shelf) => shelf.count(),
        }
    }
}

#[derive(Default)]
struct Known {
    /// How often keys had been destroyed when these were read.
    epoch: u64,
    keys: HashMap<u64, Key>,
    /// The key with which a person's further data is sealed.
    subjects: HashMap<SubjectId, u64>,
    /// Made, flushed, and given to nobody yet.
    pool: VecDeque<(u64, Key)>,
    /// Destroyed since the vault was opened: a reader that was under way keeps none of them.
    destroyed: HashSet<u64>,
}

impl Known {
    /// Keeps a key; a person who has one already goes on with that.
    fn keep(&mut self, subject: SubjectId, id: u64, key: Key) {
        if self.keys.len() >= KEPT {
            self.keys.clear();
            self.subjects.clear();
        }
        self.keys.entry(id).or_insert(key);
        self.subjects.entry(subject).or_insert(id);
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// Opens `keys.db`, making it when there is none.
    ///
    /// # Errors
    /// [`VaultError::WrongMasterKey`], [`VaultError::RotationUnfinished`], [`VaultError::Locked`],
    /// or why the file cannot be used.
    pub fn open(path: &Path, master: &MasterKey) -> Result<Vault, VaultError> {
        Self::of(Kept::File(KeyFile::open(path, master)?))
    }

    /// Opens a directory of keys that several nodes share; [`Vault::share`] made it.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open_shared(directory: &Path, master: &MasterKey) -> Result<Vault, VaultError> {
        Self::of(Kept::Shelf(KeyShelf::open(directory, master)?))
    }

    /// Makes a shared directory of keys, with those of a `keys.db` where one is named: the same
    /// keys by the same numbers. The file stays as it is; once the nodes use the directory it must
    /// be destroyed, since it would open what is erased from then on.
    ///
    /// # Errors
    /// As [`Vault::open`]; when the directory is one already.
    pub fn share(
        from: Option<&Path>,
        directory: &Path,
        master: &MasterKey,
    ) -> Result<Vault, VaultError> {
        let keys = match from {
            Some(path) => KeyFile::open(path, master)?.export()?,
            None => Exported::default(),
        };
        Self::of(Kept::Shelf(KeyShelf::make_new(directory, master, keys)?))
    }

    /// Makes a `keys.db` of a shared directory of keys, for a single node again.
    ///
    /// # Errors
    /// As [`Vault::open`]; [`VaultError::NotEmpty`].
    pub fn unshare(directory: &Path, to: &Path, master: &MasterKey) -> Result<Vault, VaultError> {
        let keys = KeyShelf::open(directory, master)?.export()?;
        let mut file = KeyFile::open(to, master)?;
        file.import(&keys)?;
        Self::of(Kept::File(file))
    }

    /// A vault that is gone with the process, under a master key of its own: for tests.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn in_memory() -> Result<Vault, VaultError> {
        Self::of(Kept::File(KeyFile::in_memory(&MasterKey::generate()?)?))
    }

    fn of(file: Kept) -> Result<Vault, VaultError> {
        let hasher = |name| file.secret(name).map(|key: Key| key.hasher());
        let (index, pseudonyms, requests) =
            (hasher("index")?, hasher("pseudonyms")?, hasher("requests")?);
        let others = match &file {
            Kept::File(_) => None,
            Kept::Shelf(shelf) => Some(shelf.others()),
        };
        let keys = Arc::new(Keys { file: Mutex::new(file), known: Mutex::default() });
        Ok(Vault { keys, maker: Mutex::default(), others, index, pseudonyms, requests })
    }

    /// Wraps all keys of a vault, that no process has open, with another master key. It may be
    /// stopped at any time and run again with the same two keys.
    ///
    /// # Errors
    /// As [`Vault::open`]; [`VaultError::SameMasterKey`]; [`VaultError::RotationHeldUp`] when somebody
    /// reads the file, and the old keys cannot be taken from it: it is then not done.
    pub fn rotate(
        path: &Path,
        old: &MasterKey,
        new: &MasterKey,
        mut progress: impl FnMut(Rewrapped),
    ) -> Result<Rewrapped, VaultError> {
        if path.is_dir() {
            return shared::rewrap(path, old, new, &mut progress);
        }
        file::rewrap(path, old, new, &mut progress)
    }

    /// A secret of the comune that no person's data is sealed with, such as a signing key. It is
    /// made when it is first asked for.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn secret(&self, name: &str) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        Ok(Zeroizing::new(*self.keys.file().secret(name)?.bytes()))
    }

    /// Seals a value of a person for its place in a stream.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn seal(
        &self,
        stream: &str,
        place: Place,
        subject: SubjectId,
        plain: &[u8],
    ) -> Result<String, VaultError> {
        let (id, key) = self.key_of(subject)?;
        let mut bytes = token::header(id, place);
        let aad = token::bound_to(&bytes, stream, subject);
        key.seal(&aad, plain, &mut bytes)?;
        Ok(token::text(&bytes))
    }

    /// Opens a sealed text of a person. `place` is where it was found; none in a view, which holds
    /// copies.
    ///
    /// # Errors
    /// [`VaultError::Altered`] when it does not belong there; [`VaultError::UnknownKey`].
    pub fn unseal(
        &self,
        stream: &str,
        place: Option<Place>,
        subject: SubjectId,
        sealed: &str,
    ) -> Result<Unsealed, VaultError> {
        let token = Token::read(sealed).ok_or(VaultError::Altered)?;
        if place.is_some_and(|place| place != token.place) {
            return Err(VaultError::Altered);
        }
        self.forget_what_others_destroyed()?;
        let aad = token::bound_to(token.header(), stream, subject);
        let open = |key: &Key| key.open(&aad, token.sealed()).ok_or(VaultError::Altered);
        let kept = self.keys.known().keys.get(&token.key).cloned();
        if let Some(key) = kept {
            return open(&key).map(Unsealed::Open);
        }
        let Some(key) = self.read_key(token.key)? else { return Ok(Unsealed::Erased) };
        let plain = open(&key)?;
        let epoch = self.epoch()?;
        let mut known = self.keys.known();
        if !known.destroyed.contains(&token.key) && known.epoch == epoch {
            known.keep(subject, token.key, key);
        }
        Ok(Unsealed::Open(plain))
    }

    /// Opens personal data of a stream; erased data stays as it is.
    ///
    /// # Errors
    /// As [`Vault::unseal`]; [`VaultError::Shape`].
    pub fn read<T>(&self, stream: &str, data: Personal<T>) -> Result<Personal<T>, VaultError>
    where
        T: DeserializeOwned + Default,
    {
        let Some(sealed) = data.sealed() else { return Ok(data) };
        match self.unseal(stream, None, data.subject, sealed)? {
            Unsealed::Erased => Ok(data),
            Unsealed::Open(plain) => {
                let value = serde_json::from_slice(&plain).map_err(|_| VaultError::Shape)?;
                Ok(Personal::new(data.subject, value))
            }
        }
    }

    /// The number of the key that a sealed text needs.
    pub fn key_number(sealed: &str) -> Option<u64> {
        Token::read(sealed).map(|token| token.key)
    }

    /// Destroys keys for ever and answers how many there were. What they sealed is unreadable from
    /// here on; in older copies of this file, from the next rotation of the master key on.
    ///
    /// # Errors
    /// When the file cannot be written, or another program holds its write-ahead log.
    pub fn destroy(&self, keys: &[u64]) -> Result<u64, VaultError> {
        let mut file = self.keys.file();
        let mut known = self.keys.known();
        known.destroyed.extend(keys);
        known.keys.retain(|id, _| !keys.contains(id));
        known.subjects.retain(|_, id| !keys.contains(id));
        file.destroy(keys)
    }

    /// How many data keys were made, and how many of them were destroyed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count(&self) -> Result<(u64, u64), VaultError> {
        self.keys.file().count()
    }

    /// A stable name for who must not be named to the reader: the same for the same text, and
    /// without the key not to be told from chance.
    pub fn pseudonym(&self, kind: &str, text: &str) -> String {
        let hash = self.pseudonyms.hash(&[kind.as_bytes(), text.as_bytes()]);
        format!("{kind}-{}", index::hex(&hash[..10]))
    }

    /// A hash over a request that tells nobody without the key what was asked.
    pub fn fingerprint(&self, hash: [u8; 32]) -> [u8; 32] {
        self.requests.hash(&[&hash])
    }

    fn key_of(&self, subject: SubjectId) -> Result<(u64, Key), VaultError> {
        self.forget_what_others_destroyed()?;
        loop {
            let mut known = self.keys.known();
            if let Some(id) = known.subjects.get(&subject)
                && let Some(key) = known.keys.get(id)
            {
                return Ok((*id, key.clone()));
            }
            if let Some((id, key)) = known.pool.pop_front() {
                known.keep(subject, id, key.clone());
                let left = known.pool.len();
                drop(known);
                if left < FEW {
                    self.make_more();
                }
                return Ok((id, key));
            }
            drop(known);
            self.keys.make(1)?;
        }
    }

    /// Makes keys on a thread of their own, unless one is at it. Where that fails, whoever finds
    /// the pool empty tries again and is told why.
    fn make_more(&self) {
        let mut maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner);
        if maker.as_ref().is_some_and(|maker| !maker.is_finished()) {
            return;
        }
        let keys = Arc::clone(&self.keys);
        let make = move || {
            if let Err(error) = keys.make(FEW) {
                tracing::warn!(error = &error as &dyn std::error::Error, "no keys in advance");
            }
        };
        *maker = std::thread::Builder::new().name("keys".to_owned()).spawn(make).ok();
    }

    /// A key that is not in memory; none when it was destroyed.
    fn read_key(&self, id: u64) -> Result<Option<Key>, VaultError> {
        match self.keys.file().find(id)? {
            Found::Key(key) => Ok(Some(key)),
            Found::Destroyed => Ok(None),
            Found::Unknown => Err(VaultError::UnknownKey(id)),
        }
    }

    fn epoch(&self) -> Result<u64, VaultError> {
        self.others.as_ref().map_or(Ok(0), shared::Others::epoch)
    }

    /// Forgets the keys in memory when another node destroyed some: they are read again.
    fn forget_what_others_destroyed(&self) -> Result<(), VaultError> {
        if self.others.is_none() {
            return Ok(());
        }
        let epoch = self.epoch()?;
        let mut known = self.keys.known();
        if known.epoch != epoch {
            known.epoch = epoch;
            known.keys.clear();
            known.subjects.clear();
        }
        Ok(())
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        let maker = self.maker.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A maker that panicked made no keys that anybody has.
        maker.map(JoinHandle::join);
    }
}
