//! Queries over calls: nothing here is personal, so that no access is part of them.

use jiff::civil::Date;
use pratica_domain::ids::{CallId, CaseId, EntryId};
use rusqlite::Connection;
use uuid::Uuid;

use super::types::{CallRow, ListRow, OfferRow, RankRow};
use crate::dates;
use crate::error::ViewError;
use crate::query::page::{Binding, cut, size};
use crate::query::rows::damaged;
use crate::types::{Access, PageRequest, Paged};

fn blob(id: Uuid) -> [u8; 16] {
    *id.as_bytes()
}

fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

/// Every call, the newest school year first.
pub(crate) fn calls(c: &Connection) -> Result<Vec<CallRow>, ViewError> {
    let mut statement = c.prepare_cached(
        "SELECT id, title, school_year, phase, criteria, opens_on, closes_on, ends_on, \
         observations_until, applications FROM calls ORDER BY school_year DESC, opens_on DESC, id",
    )?;
    let mut rows = statement.query([])?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let until: Option<i64> = row.get(8)?;
        read.push(CallRow {
            call: CallId(uuid(row.get(0)?)),
            title: row.get(1)?,
            school_year: row.get(2)?,
            phase: row.get(3)?,
            criteria: row.get(4)?,
            opens_on: dates::date(row.get(5)?)?,
            closes_on: dates::date(row.get(6)?)?,
            ends_on: dates::date(row.get(7)?)?,
            observations_until: until.map(dates::date).transpose()?,
            applications: row.get::<_, i64>(9)?.cast_unsigned(),
        });
    }
    Ok(read)
}

/// Calls for which the clock has something to do on or before a day.
pub(crate) fn due(c: &Connection, on: Date) -> Result<Vec<CallId>, ViewError> {
    let mut statement =
        c.prepare_cached("SELECT id FROM calls WHERE next_on <= ? ORDER BY next_on, id")?;
    let rows = statement.query_map([dates::number(on)], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(rows.map(|r| r.map(|b| CallId(uuid(b)))).collect::<Result<_, _>>()?)
}

/// The first day after a day on which the clock has something to do for a call.
pub(crate) fn next_on(c: &Connection, after: Date) -> Result<Option<Date>, ViewError> {
    let day: Option<i64> = c
        .prepare_cached("SELECT min(next_on) FROM calls WHERE next_on > ?")?
        .query_row([dates::number(after)], |row| row.get(0))?;
    day.map(dates::date).transpose()
}

/// The applications of a call, ended ones too.
pub(crate) fn applications(c: &Connection, call: CallId) -> Result<Vec<CaseId>, ViewError> {
    let mut statement =
        c.prepare_cached("SELECT case_id FROM call_applications WHERE call = ? ORDER BY case_id")?;
    let rows = statement.query_map([blob(call.0)], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(rows.map(|r| r.map(|b| CaseId(uuid(b)))).collect::<Result<_, _>>()?)
}

/// The lists of a call with their counts.
pub(crate) fn lists(c: &Connection, call: CallId) -> Result<Vec<ListRow>, ViewError> {
    let mut statement = c.prepare_cached(
        "SELECT list, places, first_choices, choices, offered, taken, renounced, lapsed \
         FROM call_lists WHERE call = ? ORDER BY list",
    )?;
    let rows = statement.query_map([blob(call.0)], |row| {
        Ok(ListRow {
            list: row.get(0)?,
            places: row.get(1)?,
            first_choices: row.get(2)?,
            choices: row.get(3)?,
            offered: row.get(4)?,
            taken: row.get(5)?,
            renounced: row.get(6)?,
            lapsed: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The offers of a call that wait for an answer, the first due first.
pub(crate) fn offers(c: &Connection, call: CallId) -> Result<Vec<OfferRow>, ViewError> {
    let mut statement = c.prepare_cached(
        "SELECT o.offer, o.application, o.list, o.rank, o.offered_on, d.end FROM call_offers o \
         LEFT JOIN cases c ON c.id = o.application \
         LEFT JOIN deadlines d ON d.case_key = c.key AND d.term = 'school.offer#' || o.offer \
         WHERE o.call = ? AND o.state = 'open' ORDER BY d.end, o.list, o.rank",
    )?;
    let mut rows = statement.query([blob(call.0)])?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let offer: String = row.get(0)?;
        let due: Option<i64> = row.get(5)?;
        read.push(OfferRow {
            offer: offer.parse::<EntryId>().map_err(|_| damaged("an offer without id"))?,
            application: CaseId(uuid(row.get(1)?)),
            list: row.get(2)?,
            rank: row.get(3)?,
            offered_on: dates::date(row.get(4)?)?,
            due_on: due.map(dates::date).transpose()?,
        });
    }
    Ok(read)
}

/// A page of one list of a ranking, best first.
pub(crate) fn ranks(
    c: &Connection,
    call: CallId,
    stage: &str,
    list: &str,
    page: &PageRequest,
) -> Result<Paged<RankRow>, ViewError> {
    let size = size(page.size);
    let binding = Binding::new("ranks", &Access::Everything, &(call, stage, list));
    let after = binding.read::<1>(page.after.as_deref())?.map_or(0, |[rank]| rank);
    let mut statement = c.prepare_cached(
        "SELECT rank, application, keys, decided_by, seat FROM call_ranks \
         WHERE call = ? AND stage = ? AND list = ? AND rank > ? ORDER BY rank LIMIT ?",
    )?;
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let mut rows = statement.query((blob(call.0), stage, list, after, limit))?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        let keys: String = row.get(2)?;
        let rank: u32 = row.get(0)?;
        let keys = keys.split(' ').filter(|k| !k.is_empty()).map(str::parse);
        let row = RankRow {
            rank,
            application: CaseId(uuid(row.get(1)?)),
            keys: keys.collect::<Result<_, _>>().map_err(|_| damaged("a rank without keys"))?,
            decided_by: row.get(3)?,
            seat: row.get(4)?,
        };
        read.push((row, [i64::from(rank)]));
    }
    Ok(cut(read, size, binding))
}
