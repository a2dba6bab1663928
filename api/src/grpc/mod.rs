//! The gRPC layer: messages in, domain commands and queries out, and back.
//!
//! Never here: the log, SQL, a rule. It goes through `app` and the views' queries.

pub mod auth;
pub mod convert;
mod correspondence;
pub(crate) mod door;
pub(crate) mod incoming;
pub mod issuer;
pub(crate) mod limits;
pub(crate) mod pseudonyms;
mod server;
mod services;
mod show;
mod status;
pub mod tls;

pub use server::{Options, serve};
pub use show::reckoning_steps as explain_steps;
