//! A copy of the log while it serves, and a log up to a position out of such a copy.
//!
//! `VACUUM INTO` reads one snapshot, so that the copy is of one moment and the writer is not
//! held up. It runs on a thread of its own: a large log must not take a reader away for minutes.
//! Never copy the file itself: without its write-ahead log it is not the log.

use std::fs::File;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use super::Options;
use super::pool::open_for_reading;
use super::read;
use super::schema::{self, sql};
use crate::error::{StoreError, is_damage};
use crate::revision::Position;

const DOING: &str = "writing the backup";
const CUTTING: &str = "writing the log up to a position";

pub(super) async fn backup(log: PathBuf, target: PathBuf) -> Result<(), StoreError> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("pratica-backup".to_owned())
        .spawn(move || {
            // Nobody waits any more: the copy is there all the same, or an error was logged.
            if let Err(Err(error)) = reply.send(snapshot(&log, &target)) {
                tracing::error!(error = &error as &dyn std::error::Error, "the backup failed");
            }
        })
        .map_err(|error| StoreError::unavailable(DOING, error))?;
    answer.await.map_err(|error| StoreError::unavailable(DOING, error))?
}

/// Writes a copy of a database of this program, of one moment, to a file that must not exist yet.
/// Others may be writing to it, also another process. Blocks; when it returns the copy is complete
/// and flushed.
///
/// # Errors
/// [`StoreError::Unavailable`] when it cannot be written, [`StoreError::DamagedBeside`] when the
/// database is damaged; no half copy is left under `target`.
pub fn snapshot(log: &Path, target: &Path) -> Result<(), StoreError> {
    let io = |error: std::io::Error| StoreError::unavailable(DOING, error);
    // Claims the name, and refuses to replace an older backup.
    File::create_new(target).map_err(io)?;
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let done = write(log, &partial).and_then(|()| std::fs::rename(&partial, target).map_err(io));
    if let Err(error) = done {
        for path in [&partial, target] {
            if let Err(error) = std::fs::remove_file(path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "a half backup is left behind");
            }
        }
        return Err(error);
    }
    let directory = target.parent().filter(|d| !d.as_os_str().is_empty());
    // So that the new name, too, is safe from a power cut.
    File::open(directory.unwrap_or(Path::new("."))).and_then(|d| d.sync_all()).map_err(io)
}

fn write(log: &Path, partial: &Path) -> Result<(), StoreError> {
    let io = |error: std::io::Error| StoreError::unavailable(DOING, error);
    if let Err(error) = std::fs::remove_file(partial)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(io(error));
    }
    let name = partial.to_str().ok_or_else(|| io(std::io::Error::other("not a UTF-8 path")))?;
    let connection = open_for_reading(log)?;
    // Not only logs are copied: what is damaged is said by its name.
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| match is_damage(&error) {
        true => {
            let (path, source) = (log.to_path_buf(), error.into());
            StoreError::DamagedBeside { path, doing: DOING, source }
        }
        false => StoreError::unavailable(DOING, error),
    })?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(io)
}

/// Writes what a log held when its head was at a position to a new file. Blocks.
///
/// # Errors
/// [`StoreError::Unavailable`] when the log has fewer events or a file fails; nothing is left
/// under `target` then. [`StoreError::Foreign`] and [`StoreError::WrongFormat`] as for opening.
pub fn cut(log: &Path, target: &Path, head: Position) -> Result<(), StoreError> {
    let io = |error: std::io::Error| StoreError::unavailable(CUTTING, error);
    drop(File::create_new(target).map_err(io)?);
    let done = copy_until(log, target, head);
    if done.is_err()
        && let Err(error) = std::fs::remove_file(target)
    {
        tracing::warn!(path = %target.display(), %error, "half a log is left behind");
    }
    done
}

/// The head of a log, also while another process writes it.
///
/// # Errors
/// [`StoreError::Unavailable`] and [`StoreError::Corrupt`] when it cannot be read.
pub fn head_of(log: &Path) -> Result<Position, StoreError> {
    read::head(&open_for_reading(log)?)
}

fn copy_until(log: &Path, target: &Path, head: Position) -> Result<(), StoreError> {
    let cutting = sql(CUTTING);
    let name = log.to_str().ok_or_else(|| {
        StoreError::unavailable(CUTTING, std::io::Error::other("not a UTF-8 path"))
    })?;
    let has = head_of(log)?;
    if has < head {
        let detail = format!("it holds {} events, not {}", has.get(), head.get());
        return Err(StoreError::unavailable(CUTTING, std::io::Error::other(detail)));
    }
    let mut c = schema::open_for_writing(target, &Options::default())?;
    c.execute("ATTACH ?1 AS whole", [name]).map_err(&cutting)?;
    let until = read::integer(head.get());
    let tx = c.transaction().map_err(&cutting)?;
    for copied in [
        "INSERT INTO events SELECT * FROM whole.events WHERE position <= ?1 ORDER BY position",
        "INSERT INTO requests SELECT * FROM whole.requests WHERE position <= ?1",
        "INSERT INTO streams SELECT * FROM whole.streams AS s
         WHERE EXISTS (SELECT 1 FROM whole.events e WHERE e.stream_id = s.id AND e.position <= ?1)
            OR EXISTS (SELECT 1 FROM whole.requests r
                       WHERE r.stream_id = s.id AND r.position <= ?1 AND r.event_count = 0)",
    ] {
        tx.execute(copied, [until]).map_err(&cutting)?;
    }
    tx.commit().map_err(&cutting)?;
    c.execute_batch("DETACH whole; PRAGMA wal_checkpoint(TRUNCATE);").map_err(&cutting)?;
    c.close().map_err(|(_, error)| cutting(error))?;
    File::open(target)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::unavailable(CUTTING, error))
}
