//! A copy of the log while it serves.
//!
//! `VACUUM INTO` reads one snapshot, so that the copy is of one moment and the writer is not
//! held up. It runs on a thread of its own: a large log must not take a reader away for minutes.
//! Never copy the file itself: without its write-ahead log it is not the log.

use std::fs::File;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use super::pool::open_for_reading;
use super::schema::sql;
use crate::error::StoreError;

const DOING: &str = "writing the backup";

pub(super) async fn backup(log: PathBuf, target: PathBuf) -> Result<(), StoreError> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("pratica-backup".to_owned())
        .spawn(move || {
            // Nobody waits any more: the copy is there all the same, or an error was logged.
            if let Err(Err(error)) = reply.send(copy(&log, &target)) {
                tracing::error!(error = &error as &dyn std::error::Error, "the backup failed");
            }
        })
        .map_err(|error| StoreError::unavailable(DOING, error))?;
    answer.await.map_err(|error| StoreError::unavailable(DOING, error))?
}

fn copy(log: &Path, target: &Path) -> Result<(), StoreError> {
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
    connection.execute("VACUUM INTO ?1", [name]).map_err(sql(DOING))?;
    File::open(partial).and_then(|file| file.sync_all()).map_err(io)
}
