//! Which events a reader of the whole log wants: prefixes, or a regular expression as the clients
//! write them, with look-ahead, over names of streams or types of events.
//!
//! Looking ahead needs backtracking, which a hostile pattern can make long: the steps a match may
//! take are bounded, and who goes beyond is told so.

use fancy_regex::{Regex, RegexBuilder};
use pratica_proto::event_store::client::streams::read_req::options::FilterOptions;
use pratica_proto::event_store::client::streams::read_req::options::filter_options::{
    Expression, Filter, Window,
};
use pratica_store::RecordedEvent;
use tonic::Status;

/// The longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1_000;
/// The most prefixes.
const PREFIXES_MAX: usize = 100;
/// How many steps back one match may take.
const STEPS_MAX: usize = 10_000;
/// The largest compiled pattern, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// How many events pass between checkpoints when the client does not say.
const WINDOW: u64 = 32;

/// What is wanted.
pub(super) struct Wanted {
    over: Over,
    by: By,
    /// After how many events looked at a checkpoint is due.
    pub(super) checkpoint_every: u64,
}

enum Over {
    Streams,
    Types,
}

enum By {
    Everything,
    Prefixes(Vec<String>),
    Pattern(Box<Regex>),
}

impl Wanted {
    /// Everything.
    pub(super) fn everything() -> Self {
        Wanted { over: Over::Streams, by: By::Everything, checkpoint_every: u64::MAX }
    }

    /// Reads a filter as it came.
    pub(super) fn parse(options: FilterOptions) -> Result<Self, Status> {
        let (over, expression) = match options.filter {
            Some(Filter::StreamIdentifier(expression)) => (Over::Streams, expression),
            Some(Filter::EventType(expression)) => (Over::Types, expression),
            None => return Err(Status::invalid_argument("a filter needs its expression")),
        };
        let window = match options.window {
            Some(Window::Max(max)) => u64::from(max.max(1)),
            Some(Window::Count(())) | None => WINDOW,
        };
        let times = u64::from(options.checkpoint_interval_multiplier.max(1));
        Ok(Wanted { over, by: by(expression)?, checkpoint_every: window.saturating_mul(times) })
    }

    /// The prefixes of streams that it comes down to, so that the log itself can pass over the rest.
    pub(super) fn stream_prefixes(&self) -> Option<&[String]> {
        match (&self.over, &self.by) {
            (Over::Streams, By::Prefixes(prefixes)) => Some(prefixes),
            _ => None,
        }
    }

    /// Whether an event is wanted.
    pub(super) fn matches(&self, event: &RecordedEvent) -> Result<bool, Status> {
        let text = match self.over {
            Over::Streams => event.stream.as_str(),
            Over::Types => &event.event_type,
        };
        match &self.by {
            By::Everything => Ok(true),
            By::Prefixes(prefixes) => Ok(prefixes.iter().any(|p| text.starts_with(p.as_str()))),
            By::Pattern(pattern) => pattern.is_match(text).map_err(|_| {
                Status::invalid_argument("the regular expression takes too many steps back")
            }),
        }
    }
}

/// A pattern comes before prefixes, as upstream.
fn by(expression: Expression) -> Result<By, Status> {
    if expression.regex.is_empty() {
        if expression.prefix.len() > PREFIXES_MAX {
            return Err(Status::invalid_argument(format!("at most {PREFIXES_MAX} prefixes")));
        }
        return Ok(By::Prefixes(expression.prefix));
    }
    if expression.regex.len() > PATTERN_BYTES_MAX {
        return Err(Status::invalid_argument(format!(
            "a regular expression of at most {PATTERN_BYTES_MAX} bytes"
        )));
    }
    RegexBuilder::new(&expression.regex)
        .backtrack_limit(STEPS_MAX)
        .delegate_size_limit(COMPILED_BYTES_MAX)
        .build()
        .map(|pattern| By::Pattern(Box::new(pattern)))
        .map_err(|_| Status::invalid_argument("the regular expression cannot be read"))
}
