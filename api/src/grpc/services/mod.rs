//! The services, each rpc in a few lines: read the message, call a use case, show the answer.

pub(crate) mod admin;
pub(crate) mod cases;
pub(crate) mod casework;
pub(crate) mod enrolment;
pub(crate) mod evidence;
pub(crate) mod feed;
pub(crate) mod history;
pub(crate) mod permit;
pub(crate) mod privacy;
pub(crate) mod register;
pub(crate) mod residency;
pub(crate) mod school_calls;
mod shared;
pub(crate) mod statistics;
pub(crate) mod worklist;

pub(crate) use shared::Shared;
