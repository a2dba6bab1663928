//! The demonstration: a town's year over gRPC, with the silent and the contested branches, and
//! what each user would look at. All people are invented.
//!
//! It is a client like any other: it knows the contract only, and moves the manual clock by rpc.

mod building;
mod people;
mod school;
mod town;
mod year;

pub use building::{
    DECIDER, RESPONSIBLE, SURVEYOR, application as building_application, play as play_building,
};
pub use people::declaration;
pub use school::{
    Cohort, SCHOOL_CLERK, SCHOOL_OFFICER, SEED, family_form, play_school, publish_call,
};
pub use town::{Edit, OFFICER, Town, Who};
pub use year::play;
