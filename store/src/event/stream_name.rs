//! The name of a stream: `<comune>.<kind>-<rest>`.
//!
//! Names are seen by everybody who sees the log: never a person in one.

use std::fmt;
use std::sync::Arc;

use crate::error::StoreError;

/// The name of a stream, checked. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The longest name, in bytes.
    pub const MAX_BYTES: usize = 200;

    /// Checks a name: `<comune>.<kind>-<rest>`, each part non-empty, of ASCII lower-case letters,
    /// digits, `.`, `_` and `-`. The comune ends at the first `.`, the kind at the first `-`
    /// after it.
    ///
    /// # Errors
    /// [`StoreError::InvalidStreamName`] names the rule broken, never the name.
    pub fn parse(name: &str) -> Result<Self, StoreError> {
        let refuse = |reason| Err(StoreError::InvalidStreamName { reason });
        if name.len() > Self::MAX_BYTES {
            return refuse("longer than 200 bytes");
        }
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        if !name.bytes().all(allowed) {
            return refuse("only ASCII lower-case letters, digits, `.`, `_` and `-`");
        }
        let Some((comune, tail)) = name.split_once('.') else {
            return refuse("no `.` after the comune");
        };
        let Some((kind, rest)) = tail.split_once('-') else {
            return refuse("no `-` after the kind");
        };
        if comune.is_empty() || kind.is_empty() || rest.is_empty() {
            return refuse("the comune, the kind and the rest must not be empty");
        }
        Ok(Self(name.into()))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first `.`.
    #[must_use]
    pub fn comune(&self) -> &str {
        self.0.split_once('.').map_or("", |(comune, _)| comune)
    }

    /// The part between the first `.` and the first `-` after it, such as `permit`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.tail().map_or("", |(kind, _)| kind)
    }

    /// The part after the kind, such as the case's id.
    #[must_use]
    pub fn rest(&self) -> &str {
        self.tail().map_or("", |(_, rest)| rest)
    }

    fn tail(&self) -> Option<(&str, &str)> {
        self.0.split_once('.').and_then(|(_, tail)| tail.split_once('-'))
    }
}

impl std::str::FromStr for StreamName {
    type Err = StoreError;

    fn from_str(name: &str) -> Result<Self, StoreError> {
        Self::parse(name)
    }
}

impl AsRef<str> for StreamName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
mod tests {
    use super::StreamName;

    #[test]
    fn a_name_splits_into_comune_kind_and_rest() {
        let name = StreamName::parse("san-giovanni.permit-0a-1b.2").unwrap();
        assert_eq!(
            ("san-giovanni", "permit", "0a-1b.2"),
            (name.comune(), name.kind(), name.rest())
        );
    }

    #[test]
    fn what_is_not_a_name_is_refused_without_repeating_it() {
        let long = format!("a.b-{}", "c".repeat(StreamName::MAX_BYTES));
        for bad in ["", "a", "a.b", ".b-c", "a.-c", "a.b-", "A.b-c", "a.b-ù", "a b.c-d", &long] {
            let error = StreamName::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with("not a stream name"), "{bad}: {error}");
        }
        let error = StreamName::parse("RSSMRA80A01H501U").unwrap_err().to_string();
        assert!(!error.contains("RSSMRA"), "{error}");
    }
}
