//! How a command ends. The numbers are documented and never change.

use crate::app::error::chain;
use std::process::ExitCode;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The command line is wrong (clap uses the same number).
    Usage = 2,
    /// The law or the facts say no.
    Rejected = 3,
    /// Somebody else changed the case first.
    Conflict = 4,
    /// Not permitted, or no valid token.
    Denied = 5,
    /// No such thing.
    NotFound = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command did not end well.
#[derive(Debug)]
pub enum Failure {
    /// The server said no.
    Status(Box<Status>),
    /// Something of ours failed.
    Fault(anyhow::Error),
    /// An argument is wrong.
    Usage(String),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Failure::Status(Box::new(status))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::Fault(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Fault(error.into())
    }
}

impl Failure {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::Fault(_) => Exit::Failed,
            Failure::Usage(_) => Exit::Usage,
            Failure::Status(status) => match status.code() {
                Code::FailedPrecondition => Exit::Rejected,
                Code::Aborted => Exit::Conflict,
                Code::PermissionDenied | Code::Unauthenticated => Exit::Denied,
                Code::NotFound => Exit::NotFound,
                Code::InvalidArgument => Exit::Usage,
                _ => Exit::Failed,
            },
        }
    }

    /// Prints to stderr what failed, and for a refusal what would unblock it.
    pub fn print(&self) {
        match self {
            Failure::Usage(text) => eprintln!("error: {text}"),
            Failure::Fault(error) => eprintln!("error: {}", chain(error.as_ref())),
            Failure::Status(status) => print_status(status),
        }
    }
}

fn print_status(status: &Status) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|i| i.reason.clone()).unwrap_or_default();
    let label = if reason.is_empty() { format!("{:?}", status.code()) } else { reason };
    eprintln!("{label}: {}", status.message());
    if let Some(info) = details.error_info() {
        for (key, title) in [("article", "source"), ("unblock", "what helps"), ("actor", "by")] {
            if let Some(value) = info.metadata.get(key).filter(|v| !v.is_empty()) {
                eprintln!("  {title}: {value}");
            }
        }
    }
    if let Some(bad) = details.bad_request() {
        for violation in &bad.field_violations {
            eprintln!("  {}: {}", violation.field, violation.description);
        }
    }
}
