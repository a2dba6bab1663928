//! Backups: what of a comune is kept, in which order it is copied, and how it comes back.
//!
//! A backup is a directory with a copy of each file and `backup.json`, which holds their hashes.
//! Views are not in it, they come from the log; nor are the master key and the server's own key,
//! which must not lie where the data lies. Files are copied in such an order that each may be newer
//! than those before it and none is missing what an earlier one needs: tree and checkpoints, then the
//! log, then the keys that open it. What must never enter: repairing, or writing over data.

use super::deliver::hex;
use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use pratica_domain::ids::ComuneId;
use pratica_projections::Desk;
use pratica_store::evidence::Tree;
use pratica_store::{Position, sqlite};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The form of `backup.json` that this version writes and reads.
const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
/// The databases, in the order in which they are copied.
const DATABASES: [&str; 5] = ["evidence.db", "desk.db", "log.db", "keys.db", "access.db"];
/// Of the whole installation; the server's own key is made again where it is missing.
const SHARED: [&str; 1] = ["identity.toml"];
/// Never in a backup.
const SECRETS: [&str; 2] = ["master.key", "server.key"];

/// What `backup.json` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file.
    pub format: u32,
    /// The version of Pratica that made it.
    pub pratica: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Each comune.
    pub comuni: BTreeMap<ComuneId, Kept>,
    /// Files of the whole installation.
    pub shared: BTreeMap<String, Copied>,
}

/// What a backup holds of a comune.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// How many events its log holds: the position of the last.
    pub events: u64,
    /// Its files by their path within the comune's directory.
    pub files: BTreeMap<String, Copied>,
}

/// A file as it was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// Copies comuni, served meanwhile or not, into a directory that must not exist yet.
///
/// # Errors
/// When something cannot be read or written; no half backup is left under `target`.
pub fn make(
    data: &Path,
    comuni: &[ComuneId],
    target: &Path,
    made_at: Timestamp,
) -> anyhow::Result<Manifest> {
    ensure!(
        !target.exists(),
        "{} exists: a backup never replaces another, name a new directory",
        target.display()
    );
    ensure!(!comuni.is_empty(), "{} holds no comune", data.display());
    let partial = suffixed(target, ".partial");
    clear(&partial)?;
    let mut manifest = Manifest {
        format: FORMAT,
        pratica: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        comuni: BTreeMap::new(),
        shared: BTreeMap::new(),
    };
    for comune in comuni {
        let kept = keep(&data.join(comune.as_str()), &partial.join(comune.as_str()))
            .with_context(|| format!("cannot back up {comune}"))?;
        manifest.comuni.insert(comune.clone(), kept);
    }
    for name in SHARED.iter().filter(|name| data.join(name).is_file()) {
        copy(&data.join(name), &partial.join(name))?;
        manifest.shared.insert((*name).to_owned(), of(&partial.join(name))?);
    }
    let path = partial.join(MANIFEST);
    fs::write(&path, serde_json::to_vec_pretty(&manifest)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    flush(&path)?;
    rename(&partial, target)?;
    Ok(manifest)
}

/// Reads what a backup says of itself and checks every file of it against its hash.
///
/// # Errors
/// When a file is missing, more or other than was copied, or the form is another.
pub fn check(backup: &Path) -> anyhow::Result<Manifest> {
    let path = backup.join(MANIFEST);
    let text = fs::read(&path)
        .with_context(|| format!("{} is not a backup: {MANIFEST} is missing", backup.display()))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        manifest.format == FORMAT,
        "the backup has the form {}, this version reads {FORMAT}: restore it with Pratica {}",
        manifest.format,
        manifest.pratica
    );
    let of_comuni = manifest.comuni.iter().flat_map(|(comune, kept)| {
        kept.files.iter().map(move |(name, file)| (Path::new(comune.as_str()).join(name), file))
    });
    let shared = manifest.shared.iter().map(|(name, file)| (PathBuf::from(name), file));
    for (name, expected) in of_comuni.chain(shared) {
        let found = of(&backup.join(&name))?;
        ensure!(
            found == *expected,
            "{} is not what was backed up ({} bytes instead of {}, or another content): use another \
             backup",
            name.display(),
            found.bytes,
            expected.bytes
        );
    }
    Ok(manifest)
}

/// What a restore did for a comune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The comune.
    pub comune: ComuneId,
    /// How many events its log holds now.
    pub events: u64,
    /// How many of the backup were left out.
    pub left_out: u64,
}

/// What is to come back.
#[derive(Debug, Clone)]
pub struct Restore<'a> {
    /// The directory of the backup.
    pub backup: &'a Path,
    /// The directory of the data; the comune must not be there yet.
    pub data: &'a Path,
    /// Up to and including this event; all of it if none.
    pub until: Option<Position>,
    /// A newer `keys.db` than the backup's, so that what was erased since stays erased.
    pub vault: Option<&'a Path>,
}

impl Restore<'_> {
    /// Brings a comune back. Check the backup first, see [`check`].
    ///
    /// # Errors
    /// When the comune is there already, the backup has fewer events, or a file fails; the comune's
    /// directory is then not there.
    pub fn comune(&self, manifest: &Manifest, comune: &ComuneId) -> anyhow::Result<Restored> {
        let Some(kept) = manifest.comuni.get(comune) else {
            bail!("the backup holds no comune {comune}");
        };
        let target = self.data.join(comune.as_str());
        ensure!(
            !target.exists(),
            "{} exists: a restore never replaces data, move it away first",
            target.display()
        );
        let until = self.until.unwrap_or(Position::new(kept.events));
        ensure!(
            until.get() <= kept.events,
            "the backup of {comune} ends at position {}, before {}",
            kept.events,
            until.get()
        );
        let partial = suffixed(&target, ".partial");
        clear(&partial)?;
        let source = self.backup.join(comune.as_str());
        for name in kept.files.keys() {
            let (from, to) = (source.join(name), partial.join(name));
            match (name.as_str(), self.vault) {
                ("log.db", _) if until.get() < kept.events => sqlite::cut(&from, &to, until)?,
                ("keys.db", Some(newer)) => sqlite::snapshot(newer, &to)?,
                _ => copy(&from, &to)?,
            }
        }
        if until.get() < kept.events {
            if partial.join("evidence.db").is_file() {
                Tree::open(&partial.join("evidence.db"))?.cut(until.get())?;
            }
            if partial.join("desk.db").is_file() {
                Desk::open(&partial.join("desk.db"))?.cut(until)?;
            }
        }
        rename(&partial, &target)?;
        let left_out = kept.events - until.get();
        Ok(Restored { comune: comune.clone(), events: until.get(), left_out })
    }

    /// Brings back the files of the whole installation that are not there.
    ///
    /// # Errors
    /// When one cannot be copied.
    pub fn shared(&self, manifest: &Manifest) -> anyhow::Result<()> {
        for name in manifest.shared.keys().filter(|name| !self.data.join(name).exists()) {
            copy(&self.backup.join(name), &self.data.join(name))?;
        }
        Ok(())
    }
}

/// Copies one comune.
fn keep(directory: &Path, target: &Path) -> anyhow::Result<Kept> {
    fs::create_dir_all(target).with_context(|| format!("cannot make {}", target.display()))?;
    let mut files = BTreeMap::new();
    for name in DATABASES {
        let from = directory.join(name);
        if name == "log.db" || from.is_file() {
            sqlite::snapshot(&from, &target.join(name))
                .with_context(|| format!("cannot copy {name}"))?;
            files.insert(name.to_owned(), of(&target.join(name))?);
        }
    }
    for path in others(directory)? {
        let name = path.strip_prefix(directory)?.to_string_lossy().into_owned();
        copy(&path, &target.join(&name))?;
        files.insert(name.clone(), of(&target.join(&name))?);
    }
    Ok(Kept { events: sqlite::head_of(&target.join("log.db"))?.get(), files })
}

/// What else is the comune's own: settings, rules, whatever people put there.
fn others(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut ahead = vec![directory.to_owned()];
    while let Some(directory) = ahead.pop() {
        let reading = || format!("cannot read {}", directory.display());
        for entry in fs::read_dir(&directory).with_context(reading)? {
            let entry = entry.with_context(reading)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().with_context(reading)?.is_dir() {
                ahead.push(entry.path());
            } else if !of_a_database(&name) && !SECRETS.contains(&name.as_str()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file is a database of ours or belongs to one; those of views come from the log.
fn of_a_database(name: &str) -> bool {
    let database = |base: &str| {
        name.strip_prefix(base).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    DATABASES.iter().any(|base| database(base)) || database("views.db") || name.ends_with(".lock")
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copying = || format!("cannot copy {} to {}", from.display(), to.display());
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory).with_context(copying)?;
    }
    fs::copy(from, to).with_context(copying)?;
    flush(to)
}

fn of(path: &Path) -> anyhow::Result<Copied> {
    let reading = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(reading)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut chunk).with_context(reading)?;
        if read == 0 {
            return Ok(Copied { bytes, sha256: hex(&hash.finalize()) });
        }
        hash.update(&chunk[..read]);
        bytes += read as u64;
    }
}

/// Makes a file or a directory safe from a power cut.
fn flush(path: &Path) -> anyhow::Result<()> {
    let flushing = || format!("cannot flush {}", path.display());
    File::open(path).and_then(|file| file.sync_all()).with_context(flushing)
}

/// Gives a finished directory its name, in one step.
fn rename(partial: &Path, target: &Path) -> anyhow::Result<()> {
    flush(partial)?;
    fs::rename(partial, target)
        .with_context(|| format!("cannot name the directory {}", target.display()))?;
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => flush(parent),
        _ => flush(Path::new(".")),
    }
}

/// Makes an empty directory of this name; what an earlier attempt left is removed.
fn clear(partial: &Path) -> anyhow::Result<()> {
    if partial.exists() {
        fs::remove_dir_all(partial)
            .with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    fs::create_dir_all(partial).with_context(|| format!("cannot make {}", partial.display()))
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
