//! Building permit (DPR 380/2001 arts. 10-24, 42; L. 241/1990 arts. 2, 10-bis, 14-20, 21-nonies).
//!
//! Three clock operations meet in one procedure: a request for additions interrupts, minor
//! changes and safeguards suspend, complexity doubles. Silence grants at the latest lawful day,
//! never on constrained property; and the title then lives on, until works end or it lapses.
//!
//! ```text
//! under_review <-> awaiting_additions | awaiting_changes | suspended_by_safeguards
//! under_review -> in_conference -> granted | notice_pending -> in_conference (again)
//! under_review -> proposed -> granted | granted_by_silence | refused
//! under_review | proposed -> notice_pending -> observation_window -> under_review | proposed
//! under_review -> irreceivable | archived | withdrawn
//! granted | granted_by_silence -> in_works -> finished -> usability_control -> usable
//! granted | in_works -> lapsed;  any title -> annulled
//! refused | irreceivable | archived -> under_review (reopened)
//! notice of works (SCIA): under_control <-> conformation_ordered -> consolidated | prohibited
//! communication of works (CILA): communicated
//! ```

mod commands;
mod decide;
mod events;
pub mod rules;
mod stands;
mod state;
pub mod suap;

pub use commands::{BodyForm, Command, Form, InstalmentForm};
pub(crate) use decide::{decide, end_of_term};
pub use events::*;
pub(crate) use stands::stands_already;
pub(crate) use state::run_clocks;
pub use state::{
    Application, Conference, Contribution, Control, Extension, Instalment, Invited, Opinion, Stage,
    State, Title, Works, evolve,
};

/// Communication of the responsible officer (art. 20 c. 2).
pub const RESPONSIBLE: &str = "permit.responsible";
/// Only within it a request for additions interrupts (art. 20 c. 5).
pub const ADDITIONS_REQUEST: &str = "permit.additions_request";
/// Review and proposal (art. 20 c. 3).
pub const REVIEW: &str = "permit.review";
/// The end of which in silence grants (art. 20 c. 8), by the comune's reading of a notice.
pub const SILENCE: &str = "permit.silence";
/// The earliest day on which any reading lets silence grant: refuse before its end.
pub const SILENCE_EARLIEST: &str = "permit.silence_earliest";
/// The final act, from the proposal (art. 20 c. 6).
pub const DECISION: &str = "permit.decision";
/// The final act, from the proposal, after a notice of rejection (art. 20 c. 6).
pub const DECISION_AFTER_NOTICE: &str = "permit.decision_after_notice";
/// The permit of art. 36-bis: its whole term, whose end in silence grants (c. 6).
pub const REGULARISATION: &str = "permit.regularisation";
/// The landscape body's opinion on it (art. 36-bis c. 4).
pub const REGULARISATION_LANDSCAPE: &str = "permit.regularisation_landscape";
/// What the applicant has to file changes that they agreed to (art. 20 c. 4).
pub const MINOR_CHANGES: &str = "permit.minor_changes";
/// Safeguard measures (art. 12 c. 3).
pub const SAFEGUARDS: &str = "permit.safeguards";
/// Safeguard measures when the plan went for approval within a year.
pub const SAFEGUARDS_LONG: &str = "permit.safeguards_long";
/// Convening the conferenza (L. 241/1990 art. 14-bis c. 2 lett. a).
pub const CONVENING: &str = "permit.conference_convening";
/// Within it the bodies may ask for additions (lett. b).
pub const CONFERENCE_ADDITIONS: &str = "permit.conference_additions";
/// The determination of a body (lett. c).
pub const BODY: &str = "permit.conference_body";
/// The determination of a body for environment, landscape, culture, health or safety (lett. c).
pub const BODY_SENSITIVE: &str = "permit.conference_body_sensitive";
/// The determination that concludes (art. 14-bis c. 5).
pub const CONCLUSION: &str = "permit.conference_conclusion";
/// The meeting of the synchronous form (art. 14-bis c. 7).
pub const MEETING: &str = "permit.conference_meeting";
/// The works of the meeting (art. 14-ter c. 2).
pub const MEETING_WORKS: &str = "permit.conference_works";
/// The same where sensitive bodies take part.
pub const MEETING_WORKS_SENSITIVE: &str = "permit.conference_works_sensitive";
/// Opposition of a qualified body (art. 14-quinquies).
pub const OPPOSITION: &str = "permit.opposition";
/// The attestation on request (art. 20 c. 8).
pub const ATTESTATION: &str = "permit.attestation";
/// Own annulment (L. 241/1990 art. 21-nonies).
pub const SELF_ANNULMENT: &str = "case.self_annulment";
/// The substitute's term (L. 241/1990 art. 2 c. 9-ter).
pub const SUBSTITUTE: &str = "case.substitute_power";
/// Start of works (art. 15 c. 2).
pub const WORKS_START: &str = "permit.works_start";
/// End of works (art. 15 c. 2).
pub const WORKS_FINISH: &str = "permit.works_finish";
/// Decision on an extension.
pub const EXTENSION: &str = "permit.extension_decision";
/// An instalment of the contribution (art. 16).
pub const INSTALMENT: &str = "permit.instalment";
/// The three steps of late payment (art. 42 c. 2).
pub const LATE_PAYMENT: [&str; 3] =
    ["permit.late_payment_1", "permit.late_payment_2", "permit.late_payment_3"];
/// The share on the cost of construction, after the end of works (art. 16 c. 3).
pub const COST_BALANCE: &str = "permit.cost_balance";
/// The certified report of usability (art. 24 c. 2).
pub const USABILITY: &str = "permit.usability";
/// Control of a report or notice (L. 241/1990 art. 19 c. 6-bis).
pub const CONTROL: &str = "permit.control";
/// Time to conform (L. 241/1990 art. 19 c. 3): never less than thirty days.
pub const CONFORMATION: &str = "permit.conformation";
