//! What the archivist and the data-protection officer ask: which cases may be erased, are being
//! erased, or are held. Rows are of cases, without anything personal.

use jiff::civil::Date;
use pratica_domain::ids::CaseId;
use rusqlite::{Connection, Row};

use super::rows;
use crate::dates;
use crate::error::ViewError;
use crate::types::{DisposalRow, DisposalStage};

const COLUMNS: &str = "key, id, procedure, kind, closed_on, disposal, held, erased_on";

/// The kinds of case that there are, by procedure.
pub(crate) fn kinds(c: &Connection) -> Result<Vec<(String, String)>, ViewError> {
    let mut statement =
        c.prepare_cached("SELECT DISTINCT procedure, kind FROM stat_kinds ORDER BY 1, 2")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Cases of a kind that ended before a day, that no hold keeps and nobody proposed, oldest filing
/// first.
pub(crate) fn ended_before(
    c: &Connection,
    procedure: &str,
    kind: &str,
    before: Date,
    limit: usize,
) -> Result<Vec<DisposalRow>, ViewError> {
    // Filed no later than ended: so only the old part of the index is walked.
    let sql = format!(
        "SELECT {COLUMNS} FROM cases INDEXED BY cases_kind WHERE procedure = ? AND kind = ? \
         AND filed_on < ?3 AND closed_on < ?3 AND disposal = '' AND held = 0 \
         ORDER BY filed_on, key LIMIT ?4"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    read(c, &sql, (procedure, kind, dates::number(before), limit))
}

/// Cases at a stage of their erasure, in the order in which the log opened them.
pub(crate) fn at(
    c: &Connection,
    stage: DisposalStage,
    after: i64,
    limit: usize,
) -> Result<Vec<DisposalRow>, ViewError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let page = "AND key > ? ORDER BY key LIMIT ?";
    match stage {
        DisposalStage::Held => {
            read(c, &format!("SELECT {COLUMNS} FROM cases WHERE held = 1 {page}"), (after, limit))
        }
        stage => {
            let sql =
                format!("SELECT {COLUMNS} FROM cases WHERE disposal = ? AND disposal <> '' {page}");
            read(c, &sql, (stage.as_str(), after, limit))
        }
    }
}

fn read(
    c: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<DisposalRow>, ViewError> {
    let mut statement = c.prepare_cached(sql)?;
    let mut found = statement.query(values)?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(one(row)?);
    }
    Ok(all)
}

fn one(row: &Row<'_>) -> Result<DisposalRow, ViewError> {
    Ok(DisposalRow {
        key: row.get(0)?,
        case: rows::id(row, 1)?.map(CaseId).ok_or_else(|| rows::damaged("a case without id"))?,
        procedure: row.get(2)?,
        kind: row.get(3)?,
        closed_on: rows::date(row, 4)?,
        stage: row.get(5)?,
        held: row.get(6)?,
        erased_on: rows::date(row, 7)?,
    })
}
