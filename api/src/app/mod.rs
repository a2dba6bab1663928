//! Use cases: commands, queries, processes and the deadline ticker.
//!
//! Never here: tonic, the contract's types, SQL. What comes in is a domain command; what goes out
//! is a domain value or an [`AppError`].

pub mod backup;
pub mod clock;
pub mod deliver;
pub mod erasure;
pub mod error;
pub mod evidence;
pub mod follow;
pub mod handler;
pub mod house;
pub mod http;
pub mod keys;
pub mod lead;
pub mod load;
pub mod policy;
pub mod register;
pub mod school;
pub mod settings;
pub mod ticker;
pub mod town;

pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{AppError, Violation};
pub use follow::Follower;
pub use handler::{CommandRequest, Outcome, Target, execute};
pub use house::House;
pub use keys::MasterKeys;
pub use lead::Lead;
pub use policy::{Access, Principal, Relation};
pub use town::Town;
