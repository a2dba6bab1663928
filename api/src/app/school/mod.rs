//! School calls at work: commands of calls, what surrounds them, and the process between calls and
//! applications.
//!
//! Never here: how a ranking comes about, who is next in line; that is the domain's.

mod desk;
mod gather;
mod process;
mod shipped;

pub use desk::{CallCommand, CallOutcome, Desk};
pub use gather::Gathered;
pub use process::CHECKPOINT;
pub use shipped::{SHIPPED, criteria_of};
