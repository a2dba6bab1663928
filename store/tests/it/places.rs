//! Where the stores under test keep their logs.

use std::path::PathBuf;
use std::sync::Arc;

use pratica_store::sqlite::Options;
use pratica_store::testing::conformance::Place;
use pratica_store::{EventStore, MemoryLog, SqliteLog};

/// A log in memory: it is the same one each time it is opened.
pub(crate) struct InMemory(pub(crate) Arc<MemoryLog>);

impl Place for InMemory {
    fn open(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.0) as _
    }
}

/// A log in a directory of its own, which goes with it.
pub(crate) struct InDirectory {
    directory: tempfile::TempDir,
    options: Options,
}

impl InDirectory {
    pub(crate) fn new() -> Self {
        // Small, so that the suite meets the pages without events of a large log.
        Self::with(Options { scan_events: 64, ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), options }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("log.db")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn sqlite(&self) -> SqliteLog {
        SqliteLog::open(self.file(), self.options.clone()).unwrap()
    }
}

impl Place for InDirectory {
    fn open(&self) -> Arc<dyn EventStore> {
        Arc::new(self.sqlite())
    }
}
