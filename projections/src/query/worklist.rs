//! The worklist: open cases by urgency, and the counts of an office.

use jiff::ToSpan;
use jiff::civil::Date;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::cases::collect;
use super::page::{self, Binding};
use super::scope::Part;
use crate::dates;
use crate::error::ViewError;
use crate::types::{Access, CaseRow, Counts, PageRequest, Paged, Queue, WorklistQuery};
use pratica_domain::ids::{OfficeId, OfficerId};

/// A page of a queue: the earliest due date first, cases without one last; or the earliest filing.
pub(crate) fn list(
    c: &Connection,
    access: &Access,
    query: &WorklistQuery,
    today: Date,
    request: &PageRequest,
) -> Result<Paged<CaseRow>, ViewError> {
    let binding = Binding::new("worklist", access, query);
    let after = binding.read::<3>(request.after.as_deref())?;
    let size = page::size(request.size);
    let officer = match query.queue {
        Queue::Unassigned => {
            if query.officer.is_some() {
                // Nobody's case is somebody's: all conditions apply together.
                return Ok(Paged { rows: Vec::new(), next: None });
            }
            Some("")
        }
        Queue::Mine if query.officer.is_none() => {
            return Ok(Paged { rows: Vec::new(), next: None });
        }
        _ => query.officer.as_ref().map(OfficerId::as_str),
    };
    let narrow = |part: &mut Part| {
        part.holds("c.closed = 0");
        if let Some(officer) = officer {
            part.and("c.officer = ?", officer.to_owned());
        }
        match query.queue {
            Queue::Overdue => part.and("c.due < ?", dates::number(today)),
            Queue::WaitingForCitizen => part.holds("c.waits = 1"),
            Queue::Office | Queue::Mine | Queue::Unassigned => {}
        }
        if let Some(to) = query.due_to {
            part.and("c.due <= ?", dates::number(to).min(dates::NEVER - 1));
        }
        if let Some(procedure) = &query.procedure {
            part.and("c.procedure = ?", procedure.clone());
        }
        if let Some(phase) = &query.phase {
            part.and("c.phase = ?", phase.clone());
        }
        if let Some(key) = after {
            if query.by_filing {
                part.holds("(c.filed_on, c.key) > (?, ?)");
                part.values.extend(key.into_iter().skip(1).map(Value::from));
            } else {
                part.holds("(c.due, c.filed_on, c.key) > (?, ?, ?)");
                part.values.extend(key.map(Value::from));
            }
        }
    };
    let office = query.office.as_ref().map(OfficeId::as_str);
    let by_office = office.is_some() || matches!(access, Access::Offices(_));
    let index = match (officer, by_office) {
        (Some(""), true) | (None, true) if query.queue == Queue::WaitingForCitizen => {
            "work_waiting"
        }
        (Some(name), _) if !name.is_empty() => "work_officer",
        (_, true) => "work_office",
        (_, false) => "work_all",
    };
    let (index, order) = match (query.by_filing, officer, by_office) {
        (false, ..) => (index, "due, filed_on, key"),
        (true, Some(name), _) if !name.is_empty() => ("cases_officer", "filed_on, key"),
        (true, _, true) => ("cases_office", "filed_on, key"),
        (true, _, false) => ("cases_filed", "filed_on, key"),
    };
    let found = collect(c, access, office, narrow, index, order, size + 1)?;
    let keyed = found.into_iter().map(|(row, p)| (row, [p.due, p.filed_on, p.key])).collect();
    Ok(page::cut(keyed, size, binding))
}

/// The counts of an office. They are kept for offices: an account has none.
pub(crate) fn counts(
    c: &Connection,
    access: &Access,
    office: &OfficeId,
    officer: Option<&OfficerId>,
    today: Date,
) -> Result<Counts, ViewError> {
    let (allowed, mut values) = match access {
        Access::Everything => ("1".to_owned(), Vec::new()),
        Access::Offices(offices) => (
            format!("office IN ({})", vec!["?"; offices.len()].join(", ")),
            offices.iter().map(|o| Value::from(o.as_str().to_owned())).collect(),
        ),
        Access::Account { .. } => ("0".to_owned(), Vec::new()),
    };
    let name = officer.map_or("", OfficerId::as_str);
    let mut counted = c.prepare_cached(&format!(
        "SELECT coalesce(sum(open), 0), coalesce(sum(open) FILTER (WHERE officer = ''), 0), \
         coalesce(sum(open) FILTER (WHERE officer = ? AND officer <> ''), 0), \
         coalesce(sum(waiting), 0) FROM counts WHERE office = ? AND {allowed}"
    ))?;
    let mut all = vec![Value::from(name.to_owned()), Value::from(office.as_str().to_owned())];
    all.extend(values.iter().cloned());
    let mut counts = counted.query_row(params_from_iter(all), |row| {
        let n = |i| row.get::<_, i64>(i).map(i64::cast_unsigned);
        Ok(Counts {
            open: n(0)?,
            unassigned: n(1)?,
            mine: n(2)?,
            waiting_for_citizen: n(3)?,
            ..Counts::default()
        })
    })?;
    let week =
        dates::number(today.checked_add(7.days()).unwrap_or(Date::MAX)).min(dates::NEVER - 1);
    let from = dates::number(today);
    let mut due = c.prepare_cached(&format!(
        "SELECT coalesce(sum(n) FILTER (WHERE due < ?), 0), \
         coalesce(sum(n) FILTER (WHERE due >= ?), 0) \
         FROM due_counts WHERE office = ? AND due <= ? AND {allowed}"
    ))?;
    let mut all = vec![
        Value::from(from),
        Value::from(from),
        Value::from(office.as_str().to_owned()),
        Value::from(week),
    ];
    all.append(&mut values);
    (counts.overdue, counts.due_within_7_days) = due.query_row(params_from_iter(all), |row| {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()))
    })?;
    Ok(counts)
}
