//! The marks of appends under way, and which of them came back from the cluster.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// The appends under way.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<Uuid, bool>>);

/// One of them, forgotten when it is dropped.
pub(super) struct Attempt<'a> {
    pub(super) id: Uuid,
    of: &'a Attempts,
}

impl Attempts {
    pub(super) fn begin(&self) -> Attempt<'_> {
        let id = Uuid::new_v4();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, false);
        Attempt { id, of: self }
    }

    /// One came back from the cluster: it is recorded. To be said before the copy has it.
    pub(super) fn came_back(&self, id: Uuid) {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(recorded) = attempts.get_mut(&id) {
            *recorded = true;
        }
    }
}

impl Attempt<'_> {
    pub(super) fn is_recorded(&self) -> bool {
        let attempts = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.get(&self.id).copied().unwrap_or_default()
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.of.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
