//! School enrolments: a call with its criteria, the applications of a cohort, the places.
//!
//! A call is a stream of its own, an application is a case; a process carries facts between them,
//! so that no command needs two streams at once. Whose place it is stands in the call, what a
//! family did with an offer stands in its application.
//!
//! Never here: how the ranking is computed ([`crate::ranking`]), a clock, a store.

pub mod call;
pub mod criteria;
pub mod enrolment;
pub mod fee;
pub mod process;
pub mod score;
pub mod standing;

pub use criteria::{Criteria, CriteriaProblem};
pub use fee::{Fee, FeeRule};
pub use score::{Facts, Proof, Score};
