//! Going through a log with its checkpoints in hand: where does it depart from what was signed?

use tlog_tiles::tlog::{Hash, record_hash};

use super::receipt::{Stated, check_consistency};
use super::{EvidenceError, Tree, leaf};
use crate::log::{Direction, EventReader, Filter};
use crate::revision::Position;

const PAGE: usize = 1000;

/// What an audit found to be sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Audited {
    /// How many events were read.
    pub events: u64,
    /// How many checkpoints they agree with.
    pub checkpoints: u64,
    /// The root over all events.
    pub root: Hash,
}

/// Reads the whole log, computes its tree anew and compares it with every checkpoint, and event by
/// event with the tree that was kept, if there is one.
///
/// # Errors
/// [`EvidenceError::Departs`] with the first position that the log departs at: exactly, where a
/// kept tree that agrees with the checkpoints still knows the event's hash; otherwise the range
/// between the last checkpoint that agrees and the first that does not. [`EvidenceError::TreeDeparts`]
/// when it is the kept tree that departs, from a log that is what was signed.
pub async fn audit(
    log: &dyn EventReader,
    kept: Option<&Tree>,
    checkpoints: &[Stated],
    mut progress: impl FnMut(Position, Position) + Send,
) -> Result<Audited, EvidenceError> {
    let fresh = Tree::in_memory()?;
    let known = kept.map(Tree::size).transpose()?.unwrap_or(0);
    // The first event whose hash is another than the kept tree's.
    let mut differs: Option<u64> = None;
    let mut after = Position::START;
    loop {
        let page = log.read_all(after, Direction::Forwards, &Filter::all(), PAGE).await;
        let page = page.map_err(|source| EvidenceError::Unreadable { after, source })?;
        fresh.append(&page.events)?;
        for event in &page.events {
            let position = event.position.get();
            if let Some(kept) = kept
                && differs.is_none()
                && position <= known
                && kept.leaf_hash(event.position)? != record_hash(leaf(event).as_bytes())
            {
                differs = Some(position);
            }
        }
        progress(page.next, page.head);
        after = page.next;
        if page.events.is_empty() || page.next >= page.head {
            break;
        }
    }
    let events = fresh.size()?;
    let root = fresh.root(events)?;
    let mut sorted: Vec<&Stated> = checkpoints.iter().collect();
    sorted.sort_by_key(|stated| stated.size);
    let (mut agreed, mut signed_otherwise) = (0, None);
    for stated in &sorted {
        let same = stated.size <= events && fresh.root(stated.size)? == stated.root;
        if !same {
            signed_otherwise = Some(stated.size);
            break;
        }
        agreed = stated.size;
    }
    match (differs, signed_otherwise) {
        // Nobody finds another log that has the root that was signed.
        (Some(position), _) if position <= agreed => {
            return Err(EvidenceError::TreeDeparts { position });
        }
        (Some(position), _) => return Err(EvidenceError::Departs { from: position, to: position }),
        _ if known > events => {
            return Err(EvidenceError::Departs { from: events + 1, to: known });
        }
        (None, Some(to)) => return Err(EvidenceError::Departs { from: agreed + 1, to }),
        (None, None) => {}
    }
    for pair in sorted.windows(2) {
        if let [older, newer] = pair
            && older.size > 0
        {
            let proof = fresh.consistency(older.size, newer.size)?;
            check_consistency(older, newer, &proof)?;
        }
    }
    Ok(Audited { events, checkpoints: sorted.len() as u64, root })
}
