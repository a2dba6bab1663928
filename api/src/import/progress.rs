//! How an import tells where it is. What is shown, and whether, is for the caller.

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the whole file, recording nothing.
    Checking,
    /// Recording cases.
    Recording,
    /// Counting in the log what was recorded.
    Counting,
    /// Bringing the views up to date.
    Views,
}

/// Hears how far an import is.
pub trait Progress: Send + Sync {
    /// A stage begins; its end is at `total`.
    fn begin(&self, stage: Stage, total: u64);
    /// The present stage is here.
    fn at(&self, done: u64);
}

/// Tells nobody.
impl Progress for () {
    fn begin(&self, _: Stage, _: u64) {}
    fn at(&self, _: u64) {}
}
