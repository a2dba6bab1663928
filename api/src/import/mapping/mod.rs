//! Mappings: what the words of an older system mean here. Data in TOML, checked before anything
//! is read; the keys are documented in `docs/import.md`.

mod check;
mod file;

pub use file::{ActivityRule, Becomes, Closing, DayRule, Decision, Kinds, Mapping, TermRule, When};

use pratica_domain::term::RuleBook;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// The mappings that ship with the program, by name.
pub const SHIPPED: &[(&str, &str)] = &[
    ("nl-bpic15", include_str!("../../../../mappings/nl-bpic15.toml")),
    ("nl-receipt", include_str!("../../../../mappings/nl-receipt.toml")),
];

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It cannot be read.
    #[error("cannot read the mapping {path}; a file, or one of the shipped ones: {}", shipped())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It does not have its shape; the source names line, key and rule.
    #[error("the mapping {path} is not valid")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// It says something that cannot be done.
    #[error("the mapping {path} cannot be used, {place}: {problem}")]
    Rule {
        /// The file.
        path: PathBuf,
        /// The table or key.
        place: String,
        /// What is wrong, and what would help.
        problem: String,
    },
}

fn shipped() -> String {
    SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A mapping that was checked against the rules of a comune.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The mapping.
    pub mapping: Mapping,
    /// SHA-256 of its text, in lower-case hexadecimal.
    pub sha256: String,
}

impl Checked {
    /// Reads a mapping: a shipped one by its name, otherwise a file.
    ///
    /// # Errors
    /// When it cannot be read, does not have its shape, or cannot be used under these rules.
    pub fn read(name: &Path, rules: &RuleBook) -> Result<Checked, MappingError> {
        let shipped = SHIPPED.iter().find(|(n, _)| Some(*n) == name.to_str());
        match shipped {
            Some((_, text)) => Checked::parse(name, text, rules),
            None => {
                let path = name.to_owned();
                let text = std::fs::read_to_string(name)
                    .map_err(|source| MappingError::Read { path, source })?;
                Checked::parse(name, &text, rules)
            }
        }
    }

    /// As [`Checked::read`], of a text.
    ///
    /// # Errors
    /// As [`Checked::read`].
    pub fn parse(path: &Path, text: &str, rules: &RuleBook) -> Result<Checked, MappingError> {
        let mapping: Mapping = toml::from_str(text).map_err(|source| MappingError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        check::check(&mapping, rules).map_err(|(place, problem)| MappingError::Rule {
            path: path.to_owned(),
            place,
            problem,
        })?;
        Ok(Checked { mapping, sha256: crate::app::deliver::hex(&Sha256::digest(text.as_bytes())) })
    }
}
