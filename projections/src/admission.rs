//! Whether the views could take events that come from elsewhere, asked before they are recorded: what
//! they cannot take stops them for ever.

use pratica_domain::case::Procedure;
use pratica_store::{BlindIndex, RecordedEvent};

use crate::error::ViewError;
use crate::rules::Rules;
use crate::writer::prepare::{Before, is_of_a_case as of_a_case, prepare};

/// Whether these events stand in streams where such may stand: those of a case in a case's, and no
/// others there, since a case counts its events.
#[must_use]
pub fn belong(events: &[RecordedEvent]) -> bool {
    events.iter().all(|event| of_a_case(event) == is_of_a_case(event.stream.kind()))
}

/// Whether streams of this kind are cases.
#[must_use]
pub fn is_of_a_case(kind: &str) -> bool {
    Procedure::ALL.iter().any(|procedure| procedure.as_str() == kind)
}

/// Works events out as the views would: those of a case from its first on.
///
/// # Errors
/// What would stop the views.
pub fn admit(
    events: &[RecordedEvent],
    rules: &Rules,
    index: &dyn BlindIndex,
) -> Result<(), ViewError> {
    let prepared = prepare(events, |_| Ok(Before::Nothing), rules, index)?;
    for touched in &prepared.cases {
        let procedure = touched.case.procedure();
        if procedure.is_none_or(|procedure| procedure.as_str() != touched.stream.kind()) {
            return Err(ViewError::Poison {
                position: touched.first,
                detail: "its case is of another procedure than its stream".to_owned(),
                source: None,
            });
        }
    }
    Ok(())
}
