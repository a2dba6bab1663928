//! Reading rows back into values.

use pratica_domain::ids::{CaseId, ProtocolNumber};
use pratica_domain::people::Personal;
use pratica_store::{Position, Revision};
use rusqlite::Row;
use serde::de::DeserializeOwned;

use crate::dates;
use crate::error::ViewError;
use crate::types::CaseRow;

/// The columns of a case, in the order that [`case`] reads.
pub(crate) const CASE: &str = "c.key, c.id, c.stream, c.procedure, c.kind, c.phase, c.closed, \
    c.filed_on, c.closed_on, c.outcome, c.office, c.officer, c.responsible, c.revision, \
    c.position, c.due, c.due_term, c.waits, c.protocol_year, c.protocol_number, c.applicant, \
    c.reference, c.rules_version, c.disposal, c.held, c.erased_on";

/// Where a case row stands in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub key: i64,
    pub filed_on: i64,
    pub due: i64,
}

/// Reads a case.
pub(crate) fn case(row: &Row<'_>) -> Result<(CaseRow, Place), ViewError> {
    let place = Place { key: row.get(0)?, filed_on: row.get(7)?, due: row.get(15)? };
    let closed_on: Option<i64> = row.get(8)?;
    let applicant: Option<String> = row.get(20)?;
    let read = CaseRow {
        case: id(row, 1)?.map(CaseId).ok_or_else(|| damaged("a case without id"))?,
        stream: row.get(2)?,
        procedure: row.get(3)?,
        kind: row.get(4)?,
        phase: row.get(5)?,
        closed: row.get(6)?,
        filed_on: dates::date(place.filed_on)?,
        closed_on: closed_on.map(dates::date).transpose()?,
        outcome: row.get(9)?,
        office: filled(row.get(10)?),
        officer: filled(row.get(11)?),
        responsible: row.get(12)?,
        revision: Revision::new(unsigned(row, 13)?),
        position: Position::new(unsigned(row, 14)?),
        due_on: dates::date_or_never(place.due)?,
        due_term: row.get(16)?,
        waits_for_citizen: row.get(17)?,
        protocol: protocol(row, 18, 19)?,
        applicant: applicant.as_deref().map(personal).transpose()?,
        reference: row.get(21)?,
        rules_version: row.get(22)?,
        disposal: row.get(23)?,
        held: row.get(24)?,
        erased_on: date(row, 25)?,
    };
    Ok((read, place))
}

/// A number that is never negative.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, ViewError> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

/// An id of 16 bytes.
pub(crate) fn id(row: &Row<'_>, column: usize) -> Result<Option<uuid::Uuid>, ViewError> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(uuid::Uuid::from_bytes))
}

/// A date that may be missing.
pub(crate) fn date(row: &Row<'_>, column: usize) -> Result<Option<jiff::civil::Date>, ViewError> {
    row.get::<_, Option<i64>>(column)?.map(dates::date).transpose()
}

/// A protocol number from its two columns.
pub(crate) fn protocol(
    row: &Row<'_>,
    year: usize,
    number: usize,
) -> Result<Option<ProtocolNumber>, ViewError> {
    let parts = (row.get::<_, Option<i16>>(year)?, row.get::<_, Option<i64>>(number)?);
    Ok(match parts {
        (Some(year), Some(number)) => Some(ProtocolNumber { year, number: number.cast_unsigned() }),
        _ => None,
    })
}

/// Personal data as it is kept.
pub(crate) fn personal<T: DeserializeOwned + Default>(
    text: &str,
) -> Result<Personal<T>, ViewError> {
    // The parser's error may quote what it read: only its place is told.
    serde_json::from_str(text)
        .map_err(|e| damaged(&format!("personal data, line {} column {}", e.line(), e.column())))
}

/// A word of an enumeration of the domain.
pub(crate) fn word<T: DeserializeOwned>(text: String) -> Result<T, ViewError> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(|e| damaged(&e.to_string()))
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

pub(crate) fn damaged(detail: &str) -> ViewError {
    ViewError::Damaged { detail: detail.to_owned() }
}
