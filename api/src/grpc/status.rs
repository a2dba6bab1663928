//! The single table from errors to statuses. Clients branch on the reason, never on the text.

use crate::app::AppError;
use crate::app::error::chain;
use crate::messages::{self, Facts, Language};
use pratica_domain::Rejection;
use std::collections::HashMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

const DOMAIN: &str = "pratica";

/// What would unblock a refusal, in words.
pub(crate) fn unblock(language: Language, rejection: &Rejection) -> String {
    messages::text(language, &format!("unblock.{}", rejection.code), &facts(rejection))
}

/// A refusal in words.
pub(crate) fn reason(language: Language, rejection: &Rejection) -> String {
    messages::text(language, &format!("rejection.{}", rejection.code), &facts(rejection))
}

fn facts(rejection: &Rejection) -> Facts {
    rejection.details.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

/// The status of an error.
pub(crate) fn status(error: AppError) -> Status {
    match error {
        AppError::Invalid(violations) => {
            let mut details = ErrorDetails::new();
            details.set_error_info("INVALID_ARGUMENT", DOMAIN, HashMap::new());
            let mut fields = Vec::with_capacity(violations.len());
            for violation in violations {
                fields.push(violation.field.clone());
                details.add_bad_request_violation(violation.field, violation.rule);
            }
            let text = format!("these fields break a rule: {}", fields.join(", "));
            Status::with_error_details(Code::InvalidArgument, text, details)
        }
        AppError::Denied => {
            with_reason(Code::PermissionDenied, "PERMISSION_DENIED", "not permitted")
        }
        AppError::NotFound(what) => {
            with_reason(Code::NotFound, "NOT_FOUND", &format!("no such {what}"))
        }
        AppError::Rejected(rejection) => rejected(&rejection),
        AppError::Conflict { expected, actual, by } => {
            let winner = by.first();
            let mut metadata = HashMap::from([
                ("expected_etag".to_owned(), expected),
                ("actual_etag".to_owned(), actual),
            ]);
            let mut text = "the case changed meanwhile: read it again".to_owned();
            if let Some(winner) = winner {
                metadata.insert("event_type".to_owned(), winner.event_type.clone());
                metadata.insert("actor".to_owned(), winner.actor.clone());
                metadata.insert("revision".to_owned(), winner.revision.to_string());
                text = format!("{text}; {} came first, by {}", winner.event_type, winner.actor);
            }
            let mut details = ErrorDetails::new();
            details.set_error_info("ETAG_MISMATCH", DOMAIN, metadata);
            Status::with_error_details(Code::Aborted, text, details)
        }
        AppError::RequestReused(id) => with_reason(
            Code::FailedPrecondition,
            "REQUEST_ID_REUSED",
            &format!("request_id {id} was used for another request: make a new one"),
        ),
        AppError::NotReached { what, position } => with_reason(
            Code::DeadlineExceeded,
            "POSITION_NOT_REACHED",
            &format!("{what} did not reach position {position} in time; ask again"),
        ),
        AppError::CutOff => with_reason(
            Code::Unavailable,
            "CUT_OFF",
            "this node is cut off from the cluster: it answers what it has, and records nothing; try \
             another node, or again with the same request_id",
        ),
        AppError::Fault { transient, .. } => {
            tracing::error!(error = chain(&error), "a call failed");
            if transient {
                with_reason(Code::Unavailable, "UNAVAILABLE", "try again with the same request_id")
            } else {
                with_reason(Code::Internal, "INTERNAL", "something of ours failed; see the log")
            }
        }
    }
}

fn with_reason(code: Code, reason: &str, text: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, text, details)
}

fn rejected(rejection: &Rejection) -> Status {
    let code = rejection.code.to_string();
    let mut metadata: HashMap<String, String> =
        rejection.details.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    metadata.insert("rule".to_owned(), rejection.rule.to_owned());
    metadata.insert("article".to_owned(), rejection.article.to_owned());
    metadata.insert("unblock".to_owned(), unblock(Language::En, rejection));
    let text = reason(Language::En, rejection);
    let mut details = ErrorDetails::new();
    details.set_error_info(&code, DOMAIN, metadata);
    details.add_precondition_failure_violation(&code, rejection.rule, &text);
    let italian =
        format!("{} {}", reason(Language::It, rejection), unblock(Language::It, rejection));
    details.set_localized_message("it", italian);
    Status::with_error_details(Code::FailedPrecondition, text, details)
}
