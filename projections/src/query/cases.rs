//! Cases: one, lists, search.

use pratica_domain::ids::CaseId;
use pratica_store::BlindIndex;
use pratica_store::vault::Find;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::page::{self, Binding};
use super::rows::{self, Place};
use super::scope::{self, Part};
use crate::dates;
use crate::derive::keys::{self, Key};
use crate::error::ViewError;
use crate::types::{Access, CaseFilter, CaseRow, PageRequest, Paged, SearchKey};

/// One case.
pub(crate) fn one(
    c: &Connection,
    access: &Access,
    case: CaseId,
) -> Result<Option<CaseRow>, ViewError> {
    let mut found = collect(
        c,
        access,
        None,
        |part| {
            part.and("c.id = ?", case.0.as_bytes().to_vec());
        },
        "cases_id",
        "key",
        1,
    )?;
    Ok(found.pop().map(|(row, _)| row))
}

/// A page of cases, newest filing first.
pub(crate) fn list(
    c: &Connection,
    access: &Access,
    filter: &CaseFilter,
    request: &PageRequest,
) -> Result<Paged<CaseRow>, ViewError> {
    let binding = Binding::new("cases", access, filter);
    let after = binding.read::<2>(request.after.as_deref())?;
    let size = page::size(request.size);
    let narrow = |part: &mut Part| {
        let texts = [
            ("c.procedure = ?", filter.procedure.as_deref()),
            ("c.kind = ?", filter.kind.as_deref()),
            ("c.phase = ?", filter.phase.as_deref()),
            ("c.officer = ?", filter.officer.as_ref().map(|o| o.as_str())),
        ];
        for (condition, text) in texts {
            if let Some(text) = text {
                part.and(condition, text.to_owned());
            }
        }
        if filter.officer.is_some() {
            part.holds("c.officer <> ''");
        }
        if let Some(closed) = filter.closed {
            part.and("c.closed = ?", closed);
        }
        if let Some(from) = filter.filed_from {
            part.and("c.filed_on >= ?", dates::number(from));
        }
        if let Some(to) = filter.filed_to {
            part.and("c.filed_on <= ?", dates::number(to));
        }
        if let Some([filed_on, key]) = after {
            part.holds("(c.filed_on, c.key) < (?, ?)");
            part.values.extend([Value::from(filed_on), Value::from(key)]);
        }
    };
    let narrowed_office = filter.office.as_ref().map(|o| o.as_str());
    let by_office = narrowed_office.is_some() || matches!(access, Access::Offices(_));
    let index = if filter.officer.is_some() {
        "cases_officer"
    } else if filter.phase.is_some() {
        "cases_phase"
    } else if filter.procedure.is_some() && filter.kind.is_some() {
        "cases_kind"
    } else if by_office {
        "cases_office"
    } else {
        "cases_filed"
    };
    let order = "filed_on DESC, key DESC";
    let found = collect(c, access, narrowed_office, narrow, index, order, size + 1)?;
    let keyed = found.into_iter().map(|(row, place)| (row, [place.filed_on, place.key])).collect();
    Ok(page::cut(keyed, size, binding))
}

/// Of how many that are found, those opened last, the newest filings are shown: as many have the
/// name Rossi as the town has, and nobody reads them all.
const SEARCHED: usize = 1_000;

/// Cases found by a key, newest filing first: of the [`SEARCHED`] opened last.
pub(crate) fn search(
    c: &Connection,
    access: &Access,
    key: &SearchKey,
    limit: usize,
    index: &dyn BlindIndex,
) -> Result<Vec<CaseRow>, ViewError> {
    let blind = |find| index.find(find).map(Key::from);
    let by = match key {
        SearchKey::Case(case) => return Ok(one(c, access, *case)?.into_iter().collect()),
        SearchKey::Protocol(number) => Some(keys::protocol(*number)),
        SearchKey::Reference(reference) => keys::reference(reference),
        SearchKey::FiscalCode(code) => blind(Find::FiscalCode(code)),
        SearchKey::NamePrefix(prefix) => blind(Find::Name(prefix)),
        SearchKey::AddressPrefix(prefix) => blind(Find::Address(prefix)),
        SearchKey::Parcel(parcel) => blind(Find::Parcel(parcel)),
    };
    let Some(Key(by)) = by else { return Ok(Vec::new()) };
    let size = page::size(limit);
    let order = "filed_on DESC, key DESC";
    let found = if scope::by_account(access) {
        // Who comes by account has few cases: each is looked up among those found.
        let narrow = move |part: &mut Part| {
            part.and("c.key IN (SELECT s.case_key FROM search_keys s WHERE s.key = ?)", by);
        };
        collect(c, access, None, narrow, "", order, size)?
    } else {
        let (mut selects, mut all) = (Vec::new(), Vec::new());
        for part in scope::parts(access, None) {
            selects.push(format!(
                "SELECT * FROM (SELECT {} FROM search_keys s CROSS JOIN cases c \
                 ON c.key = s.case_key WHERE s.key = ? AND {} \
                 ORDER BY s.case_key DESC LIMIT {SEARCHED})",
                rows::CASE,
                part.sql()
            ));
            all.extend([Value::from(by)].into_iter().chain(part.values));
        }
        match selects.is_empty() {
            true => Vec::new(),
            false => read(c, &ordered(&selects, order, size), all)?,
        }
    };
    Ok(found.into_iter().map(|(row, _)| row).collect())
}

/// Runs a query over the parts of an access, in one statement, and reads what it finds. `index`
/// is the one to walk, any when it is empty; who comes by account always goes by the account.
pub(crate) fn collect(
    c: &Connection,
    access: &Access,
    office: Option<&str>,
    narrow: impl Fn(&mut Part),
    index: &str,
    order: &str,
    limit: usize,
) -> Result<Vec<(CaseRow, Place)>, ViewError> {
    let parts = scope::parts(access, office);
    let hint = if index.is_empty() || scope::by_account(access) {
        String::new()
    } else {
        format!(" INDEXED BY {index}")
    };
    let source = scope::source(access);
    let columns = rows::CASE;
    let mut selects = Vec::with_capacity(parts.len());
    let mut values = Vec::new();
    for mut part in parts {
        narrow(&mut part);
        selects.push(format!(
            "SELECT * FROM (SELECT {columns} FROM {source}{hint} WHERE {} ORDER BY {order} \
             LIMIT {limit})",
            part.sql()
        ));
        values.extend(part.values);
    }
    let sql = match selects.as_slice() {
        [] => return Ok(Vec::new()),
        [only] => only.clone(),
        many => ordered(many, order, limit),
    };
    read(c, &sql, values)
}

/// Several queries as one, in an order of their own.
fn ordered(selects: &[String], order: &str, limit: usize) -> String {
    format!("{} ORDER BY {order} LIMIT {limit}", selects.join(" UNION ALL "))
}

fn read(c: &Connection, sql: &str, values: Vec<Value>) -> Result<Vec<(CaseRow, Place)>, ViewError> {
    let mut statement = c.prepare_cached(sql)?;
    let mut found = statement.query(params_from_iter(values))?;
    let mut read = Vec::new();
    while let Some(row) = found.next()? {
        read.push(rows::case(row)?);
    }
    Ok(read)
}
