//! Reading XES (IEEE 1849), strictly and in constant memory: one trace at a time, each fault with
//! its line.
//!
//! What a case is made of (traces, events, their attributes) is checked and kept whole. The head
//! of the file (extensions, globals, classifiers) describes the file, not a case: it must be
//! well-formed, and is not kept. What must never enter: mappings, domain events.

mod lines;
mod open;
mod read;
mod value;

pub use open::{Counted, open};
pub use read::XesReader;
pub use value::{Kind, Moment, moment};

use std::collections::BTreeMap;

/// An attribute as the file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub kind: Kind,
    /// Its value, as written.
    pub value: String,
}

/// Attributes by key. What is nested stands under `OUTER/INNER`, the n-th value of a list under
/// `LIST/n/KEY`.
pub type Attributes = BTreeMap<String, Attribute>;

/// One event of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEvent {
    /// The line on which it begins.
    pub line: u64,
    /// What it says.
    pub attributes: Attributes,
}

/// One trace: a case of the older system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The line on which it begins.
    pub line: u64,
    /// What it says of the case as a whole.
    pub attributes: Attributes,
    /// Its events, in the order of the file.
    pub events: Vec<SourceEvent>,
}
