//! What several test modules share: the rules of the project, dates, shared data.

use std::path::PathBuf;

use jiff::civil::Date;
use pratica_domain::term::{RuleBook, RuleSet};

pub(crate) const ITALY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/italy-2026.toml"));
pub(crate) const NETHERLANDS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/nl-wabo.toml"));

pub(crate) const LOMBARDY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/lombardia-2026.toml"));

pub(crate) fn italy() -> RuleSet {
    toml::from_str(ITALY).unwrap()
}

pub(crate) fn book() -> RuleBook {
    RuleBook::from_sets([italy(), toml::from_str(NETHERLANDS).unwrap()]).unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap_or_else(|error| panic!("'{text}' is no date: {error}"))
}

/// A file of test vectors that lies beside the project. It belongs to others and is not part
/// of it: without the file the test says so and passes over.
pub(crate) fn shared_vectors(name: &str) -> Option<String> {
    shared_file("vectors", name)
}

/// The same for the specifications of national platforms.
pub(crate) fn shared_platform_file(name: &str) -> Option<String> {
    shared_file("platforms", name)
}

#[allow(clippy::disallowed_methods, reason = "the test reads files; the domain does not")]
fn shared_file(area: &str, name: &str) -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let path = PathBuf::from(folder).join(area).join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            eprintln!("NOT TESTED: {} cannot be read ({error})", path.display());
            None
        }
    }
}
