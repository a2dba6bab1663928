//! Why an import did not happen, one enum for the room's edge. No value of the file in a text:
//! a legacy file may hold personal data anywhere.

use pratica_store::StoreError;
use std::path::PathBuf;

/// Something in the file that cannot be taken over: where, what rule, what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}; {help}")]
pub struct Fault {
    /// The line, from 1.
    pub line: u64,
    /// The rule that is broken there.
    pub problem: String,
    /// What would help.
    pub help: &'static str,
}

impl Fault {
    pub(crate) fn new(line: u64, problem: impl Into<String>, help: &'static str) -> Self {
        Fault { line, problem: problem.into(), help }
    }
}

/// Why an import did not happen, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Personal data could not be sealed.
    #[error("personal data cannot be sealed")]
    Vault(#[source] pratica_store::VaultError),
    /// The file is refused: nothing of it was recorded.
    #[error("{file} is refused, {fault}")]
    Refused {
        /// The file.
        file: PathBuf,
        /// Where and why.
        fault: Fault,
    },
    /// The file changed between its check and its recording. What was recorded until then stays;
    /// run the import again.
    #[error("{file} changed while it was imported, {fault}; run the import again")]
    Changed {
        /// The file.
        file: PathBuf,
        /// Where it departs.
        fault: Fault,
    },
    /// The file cannot be opened.
    #[error("cannot open {file}")]
    Open {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not a file that can be read twice.
    #[error("{file} is not a plain file; it is read twice, so save it to disk first")]
    NotAFile {
        /// The path.
        file: PathBuf,
    },
    /// The log failed. Cases recorded until then stay; run the import again to go on.
    #[error("the log failed while {doing}; run the import again to go on from there")]
    Log {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// A task of the import ended badly.
    #[error("recording a case ended badly; run the import again")]
    Task(#[source] tokio::task::JoinError),
    /// The log does not hold what the file holds.
    #[error("the log does not hold what was recorded: {detail}")]
    Uncounted {
        /// The first difference.
        detail: String,
    },
}
