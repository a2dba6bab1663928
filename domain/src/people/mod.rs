//! People as the registers know them: identifiers, and nothing that is a case.
//!
//! What enters: texts to be recognised as identifiers. What must never enter: look-ups,
//! storage, and personal data in error or debug texts.

pub mod fiscal_code;
mod letters;
mod personal;

pub use fiscal_code::FiscalCode;
pub use letters::fold_letters;
pub use personal::{Address, PERSONAL, Person, Personal};
