//! What the ticker asks: which terms have run out.

use jiff::civil::Date;
use pratica_domain::case::TermKey;
use pratica_domain::ids::CaseId;
use rusqlite::Connection;

use super::rows;
use crate::dates;
use crate::error::ViewError;
use crate::types::DueTerm;

/// Running terms that ended before a day and whose expiry is not on record, oldest first.
pub(crate) fn due(c: &Connection, before: Date, limit: usize) -> Result<Vec<DueTerm>, ViewError> {
    let mut statement = c.prepare_cached(
        "SELECT c.id, c.stream, d.term, d.fires FROM deadlines d INDEXED BY deadlines_fire \
         CROSS JOIN cases c ON c.key = d.case_key WHERE d.fires < ? \
         ORDER BY d.fires, d.case_key, d.term LIMIT ?",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = statement.query([dates::number(before), limit])?;
    let mut read = Vec::new();
    while let Some(row) = found.next()? {
        let case = rows::id(row, 0)?.map(CaseId);
        read.push(DueTerm {
            case: case.ok_or_else(|| rows::damaged("a case without id"))?,
            stream: row.get(1)?,
            term: rows::word::<TermKey>(row.get(2)?)?,
            end: dates::date(row.get(3)?)?,
        });
    }
    Ok(read)
}

/// The earliest end, on or after a day, of a term that has to fire.
pub(crate) fn next_end(c: &Connection, from: Date) -> Result<Option<Date>, ViewError> {
    let end: Option<i64> = c
        .prepare_cached("SELECT min(fires) FROM deadlines WHERE fires >= ?")?
        .query_row([dates::number(from)], |row| row.get(0))?;
    end.map(dates::date).transpose()
}
