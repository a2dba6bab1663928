//! The history of one case.

use jiff::Timestamp;
use pratica_domain::ids::CaseId;
use pratica_store::{Position, Revision};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::page::{self, Binding};
use super::rows::{damaged, unsigned};
use crate::error::ViewError;
use crate::types::{Access, PageRequest, Paged, TimelineRow};

/// Facts that name an officer: not for who does not see internals.
const OFFICERS: [&str; 2] = ["officer", "by"];

/// A page of the steps of a case, oldest first.
pub(crate) fn list(
    c: &Connection,
    case: CaseId,
    include_internal: bool,
    request: &PageRequest,
) -> Result<Paged<TimelineRow>, ViewError> {
    let binding = Binding::new("timeline", &Access::Everything, &(case, include_internal));
    let after = binding.read::<1>(request.after.as_deref())?.map_or(0, |[position]| position);
    let size = page::size(request.size);
    let mut statement = c.prepare_cached(
        "SELECT t.revision, t.position, t.event_type, t.occurred_at, t.recorded_at, t.actor, \
         t.role, t.internal, t.args FROM timeline t INDEXED BY timeline_case \
         WHERE t.case_key = (SELECT key FROM cases WHERE id = ?) AND t.position > ? \
         AND t.internal <= ? ORDER BY t.position LIMIT ?",
    )?;
    let values = [
        Value::from(case.0.as_bytes().to_vec()),
        Value::from(after),
        Value::from(i64::from(include_internal)),
        Value::from(i64::try_from(size + 1).unwrap_or(i64::MAX)),
    ];
    let mut found = statement.query(params_from_iter(values))?;
    let mut read = Vec::new();
    while let Some(row) = found.next()? {
        let position = unsigned(row, 1)?;
        let args: String = row.get(8)?;
        let mut args: serde_json::Map<_, _> =
            serde_json::from_str(&args).map_err(|e| damaged(&e.to_string()))?;
        let mut actor: String = row.get(5)?;
        if !include_internal {
            actor.clear();
            for name in OFFICERS {
                args.remove(name);
            }
        }
        let step = TimelineRow {
            revision: Revision::new(unsigned(row, 0)?),
            position: Position::new(position),
            event_type: row.get(2)?,
            occurred_at: time(row.get(3)?)?,
            recorded_at: time(row.get(4)?)?,
            actor,
            role: row.get(6)?,
            internal: row.get(7)?,
            args,
        };
        read.push((step, [position.cast_signed()]));
    }
    Ok(page::cut(read, size, binding))
}

fn time(micros: i64) -> Result<Timestamp, ViewError> {
    Timestamp::from_microsecond(micros).map_err(|e| damaged(&e.to_string()))
}
