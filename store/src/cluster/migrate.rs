//! Moving an embedded log into a cluster: each append as it was made, in order, one after the other.
//!
//! What the cluster has already is asked of a copy that is filled from it, so that a move that was
//! killed goes on where it was, and a town that lives on is copied again from there for the last
//! stretch. Moving out is following: a copy filled from the cluster is an embedded log.

use std::path::Path;

use tokio::sync::mpsc;

use super::ClusterLog;
use crate::error::StoreError;
use crate::log::EventReader as _;
use crate::revision::Position;
use crate::sqlite::travel;

/// How many appends are read ahead.
const AHEAD: usize = 64;

const MOVING: &str = "moving the log into the cluster";

/// What a move did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// What the cluster had before.
    pub before: Position,
    /// What it has now; the head of the log when the move began.
    pub now: Position,
}

/// Appends to the cluster what `from` has and it has not. `into` must have caught up, and nobody
/// else may append to it meanwhile. `progress` hears of every append.
///
/// # Errors
/// [`StoreError::Corrupt`] when the two do not begin alike; whatever stops reading or appending.
pub async fn move_in(
    from: &Path,
    into: &ClusterLog,
    mut progress: impl FnMut(Position),
) -> Result<Moved, StoreError> {
    let before = into.head().await?;
    let (sender, mut appends) = mpsc::channel(AHEAD);
    let path = from.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        travel::appends(&path, before, |append| sender.blocking_send(append).is_ok())
    });
    while let Some(append) = appends.recv().await {
        let (stream, expected) = (append.stream.clone(), append.expected);
        match into.append_raw(append).await {
            Ok(done) => progress(done.position),
            Err(StoreError::Conflict { actual, .. }) => {
                return Err(StoreError::corrupt(
                    None,
                    format!(
                        "{stream} is at {actual:?} in the cluster and not at {:?}: somebody else \
                         appends there, or it is another comune's log",
                        expected.revision()
                    ),
                ));
            }
            Err(error) => return Err(error),
        }
    }
    let head = reading.await.map_err(|error| StoreError::unavailable(MOVING, error))??;
    let now = into.head().await?;
    if now != head {
        return Err(StoreError::corrupt(
            Some(now),
            format!("the cluster is at {now} and the log at {head}: they are not the same"),
        ));
    }
    Ok(Moved { before, now })
}
