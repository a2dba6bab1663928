//! The protocol register.

use jiff::civil::Date;
use pratica_domain::ids::{CaseId, DocumentId, ProtocolNumber};
use pratica_store::Position;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::page::{self, Binding};
use super::rows;
use crate::dates;
use crate::error::ViewError;
use crate::types::{Access, Annulment, PageRequest, Paged, RegistrationRow};

const COLUMNS: &str = "year, number, registered_on, direction, correspondent, object, sha256, \
    case_id, document, filed_on, emergency_number, annulled_on, annul_reason, \
    annul_authorisation, annulled_by, position";

fn registration(row: &Row<'_>) -> Result<RegistrationRow, ViewError> {
    let annulment = match rows::date(row, 11)? {
        None => None,
        Some(annulled_on) => Some(Annulment {
            annulled_on,
            reason: rows::personal(&row.get::<_, String>(12)?)?,
            authorisation: rows::personal(&row.get::<_, String>(13)?)?,
            by: row.get(14)?,
        }),
    };
    Ok(RegistrationRow {
        number: ProtocolNumber { year: row.get(0)?, number: rows::unsigned(row, 1)? },
        registered_on: dates::date(row.get(2)?)?,
        direction: rows::word(row.get(3)?)?,
        correspondent: rows::personal(&row.get::<_, String>(4)?)?,
        object: rows::personal(&row.get::<_, String>(5)?)?,
        sha256: row.get(6)?,
        case: rows::id(row, 7)?.map(CaseId),
        document: rows::id(row, 8)?.map(DocumentId),
        filed_on: rows::date(row, 9)?,
        emergency_number: row.get(10)?,
        annulment,
        position: Position::new(rows::unsigned(row, 15)?),
    })
}

fn collect(
    c: &Connection,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<RegistrationRow>, ViewError> {
    let mut statement = c.prepare_cached(sql)?;
    let mut found = statement.query(params_from_iter(values))?;
    let mut read = Vec::new();
    while let Some(row) = found.next()? {
        read.push(registration(row)?);
    }
    Ok(read)
}

/// A page of a year's registrations, newest first, perhaps of one day only.
pub(crate) fn list(
    c: &Connection,
    year: i16,
    on: Option<Date>,
    request: &PageRequest,
) -> Result<Paged<RegistrationRow>, ViewError> {
    let binding = Binding::new("register", &Access::Everything, &(year, on));
    let after = binding.read::<1>(request.after.as_deref())?.map_or(i64::MAX, |[number]| number);
    let size = page::size(request.size);
    let limit = Value::from(i64::try_from(size + 1).unwrap_or(i64::MAX));
    let mut values = vec![Value::from(i64::from(year)), Value::from(after)];
    let found = match on {
        None => {
            values.push(limit);
            let sql = format!(
                "SELECT {COLUMNS} FROM register WHERE year = ? AND number < ? \
                 ORDER BY number DESC LIMIT ?"
            );
            collect(c, &sql, values)?
        }
        Some(day) => {
            values.insert(0, Value::from(dates::number(day)));
            values.push(limit);
            let sql = format!(
                "SELECT {COLUMNS} FROM register INDEXED BY register_day WHERE registered_on = ? \
                 AND year = ? AND number < ? ORDER BY number DESC LIMIT ?"
            );
            collect(c, &sql, values)?
        }
    };
    let keyed = found.into_iter().map(|row| {
        let key = [row.number.number.cast_signed()];
        (row, key)
    });
    Ok(page::cut(keyed.collect(), size, binding))
}

/// One registration, annulled or not.
pub(crate) fn one(
    c: &Connection,
    number: ProtocolNumber,
) -> Result<Option<RegistrationRow>, ViewError> {
    let sql = format!("SELECT {COLUMNS} FROM register WHERE year = ? AND number = ?");
    let values =
        vec![Value::from(i64::from(number.year)), Value::from(number.number.cast_signed())];
    Ok(collect(c, &sql, values)?.pop())
}

/// All registrations of a day by number: the daily register.
pub(crate) fn of_day(c: &Connection, day: Date) -> Result<Vec<RegistrationRow>, ViewError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM register INDEXED BY register_day WHERE registered_on = ? \
         ORDER BY year, number"
    );
    collect(c, &sql, vec![Value::from(dates::number(day))])
}

/// The last number of a day's year given out up to and including that day.
pub(crate) fn last_to(c: &Connection, day: Date) -> Result<Option<u64>, ViewError> {
    let last: Option<i64> = c
        .prepare_cached("SELECT max(number) FROM register WHERE year = ? AND registered_on <= ?")?
        .query_row((day.year(), dates::number(day)), |row| row.get(0))?;
    Ok(last.and_then(|n| u64::try_from(n).ok()))
}
