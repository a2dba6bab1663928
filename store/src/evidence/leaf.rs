//! What of an event is evidence: a short text, without personal data, that names the event and
//! holds the hashes of what it carries. Its form never changes; a new form gets a new first line.

use crate::event::RecordedEvent;
use ring::digest::{SHA256, digest};
use std::fmt::Write as _;

/// The first line of the text.
pub const LEAF_FORM: &str = "pratica event 1";

/// The text of an event: the leaf of the tree (RFC 6962 section 2.1).
///
/// The payload's hash is over its stored bytes, sealed as they are: erasing a person's data leaves
/// it as it was.
pub fn leaf(event: &RecordedEvent) -> String {
    let mut text = String::with_capacity(480);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{LEAF_FORM}\nposition {}\nstream {}\nrevision {}\nid {}\ntype {} {}\noccurred {}\n\
         recorded {}\nmetadata {}\npayload {}\n",
        event.position.get(),
        event.stream.as_str(),
        event.revision.get(),
        event.id,
        event.event_type,
        event.schema_version,
        event.occurred_at,
        event.recorded_at,
        hash(&event.metadata_json),
        hash(&event.payload),
    );
    text
}

fn hash(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let mut text = String::with_capacity(64);
    for byte in digest.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
