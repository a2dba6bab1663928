//! What a use case may answer instead of a result. The gRPC layer sees nothing else.

use pratica_domain::Rejection;
use pratica_store::{StoreError, VaultError};
use uuid::Uuid;

/// A field that breaks a rule of shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, such as `form.members[0].person.fiscal_code`.
    pub field: String,
    /// The rule, and what would help. Never the personal data itself.
    pub rule: String,
}

impl Violation {
    /// A violation of one field.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Violation { field: field.into(), rule: rule.into() }
    }
}

/// An event that came between the etag a client sent and the present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervening {
    /// Its stored name.
    pub event_type: String,
    /// The account that did it.
    pub actor: String,
    /// Its revision.
    pub revision: u64,
}

/// What a use case answers instead of a result.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Malformed input: every field that breaks a rule.
    #[error("{} field(s) break a rule", .0.len())]
    Invalid(Vec<Violation>),
    /// The caller may not do or see this.
    #[error("not permitted")]
    Denied,
    /// There is no such thing, for those who may know.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// The law or the facts say no.
    #[error("refused")]
    Rejected(#[source] Rejection),
    /// Somebody else changed the case first.
    #[error("the case changed since etag {expected}")]
    Conflict {
        /// The etag that the client sent.
        expected: String,
        /// The present etag.
        actual: String,
        /// What came between.
        by: Vec<Intervening>,
    },
    /// The same request id came with another content.
    #[error("request id {0} was used for another request")]
    RequestReused(Uuid),
    /// `min_position` or a process was not reached in time.
    #[error("{what} did not reach position {position} in time")]
    NotReached {
        /// What was waited for.
        what: &'static str,
        /// The position.
        position: u64,
    },
    /// This node is cut off from the cluster that keeps the log.
    #[error("cut off from the cluster")]
    CutOff,
    /// Something of ours failed.
    #[error("{doing} failed")]
    Fault {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
        /// Whether trying again may help.
        transient: bool,
    },
}

impl AppError {
    /// A failure of the log.
    pub fn store(doing: &'static str, error: StoreError) -> Self {
        match error {
            StoreError::RequestReused { request_id, .. } => AppError::RequestReused(request_id),
            StoreError::CutOff => AppError::CutOff,
            error => {
                let transient = error.may_be_retried();
                AppError::Fault { doing, source: Box::new(error), transient }
            }
        }
    }

    /// A failure of the vault.
    pub fn vault(doing: &'static str, error: VaultError) -> Self {
        let transient = error.may_be_retried();
        AppError::Fault { doing, source: Box::new(error), transient }
    }

    /// A failure of the views.
    pub fn views(error: pratica_projections::ViewError) -> Self {
        AppError::Fault { doing: "reading a view", source: Box::new(error), transient: true }
    }
}

impl From<Rejection> for AppError {
    fn from(rejection: Rejection) -> Self {
        AppError::Rejected(rejection)
    }
}

/// The whole chain of an error, for logs.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
