//! Residency change (DPR 223/1989, DL 5/2012 art. 5, L. 241/1990).
//!
//! Registration comes first, within two working days and with effect from the day of the
//! declaration; the checks come after, within forty-five days; their end in silence confirms. A
//! negative end is no refusal: it annuls the registration from the day of the declaration and
//! restores the earlier position.
//!
//! ```text
//! declared -> irreceivable
//! declared -> under_check -> confirmed | confirmed_by_silence
//! under_check -> notice_pending -> observation_window -> under_review -> confirmed | position_restored
//! declared (to abroad, Italian) = awaiting_consulate -> cancelled
//! ex_officio -> registered_ex_officio | cancelled | confirmed (found after all)
//! any open phase of a declaration -> withdrawn
//! any open phase -> superseded | died | moved
//! position_restored -> under_review, irreceivable -> declared, cancelled -> ex_officio (reopened)
//! ```

mod commands;
mod decide;
mod events;
pub mod rules;
mod stands;
mod state;

pub use crate::case::{Appeal, Attachment, LateStatement};
pub use commands::{Command, Form, MemberForm};
pub(crate) use decide::{decide, silence};
pub use events::*;
pub(crate) use stands::stands_already;
pub(crate) use state::run_clocks;
pub use state::{Declaration, ExOfficio, Phase, State, evolve};

/// The clock of registration (DL 5/2012 art. 5 c. 3).
pub const REGISTRATION: &str = "residency.registration";
/// The clock of the checks, whose end in silence confirms (DPR 223/1989 art. 18-bis).
pub const CHECKS: &str = "residency.checks";
/// The clock of the consular declaration (L. 470/1988 art. 6).
pub const CONSULAR_DECLARATION: &str = "residency.consular_declaration";
/// The year after which a missing consular form starts checks of untraceability.
pub const CONSULAR_FORM_YEAR: &str = "residency.consular_form_year";
/// The year of absence (DPR 223/1989 art. 11 c. 1 lett. c).
pub const UNTRACEABLE_ABSENCE: &str = "residency.untraceable_absence";
/// The clock of an invitation (DPR 223/1989 arts. 11 and 15).
pub const INVITATION: &str = "residency.renewal_invitation";
/// The clock of the report on a cancellation (DPR 223/1989 art. 11 c. 2).
pub const PREFECT_REPORT: &str = "residency.prefect_report";
