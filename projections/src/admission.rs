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
    let (_, entries) = prepare(events, |_| Before::Nothing, rules, index)?;
    for (stream, entry) in &entries {
        let procedure = entry.case.procedure();
        if procedure.is_none_or(|procedure| procedure.as_str() != stream.kind()) {
            let first = events.iter().find(|event| event.stream == *stream);
            return Err(ViewError::Poison {
                position: first.map(|event| event.position).unwrap_or_default(),
                detail: "its case is of another procedure than its stream".to_owned(),
                source: None,
            });
        }
    }
    Ok(())
}
