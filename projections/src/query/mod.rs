//! Queries: SQL over the views, nothing else. Every query over cases takes an [`Access`] and has
//! it in its SQL. What must never enter: a clock (`today` is an argument), writing, filtering or
//! counting rows after they were read.

pub(crate) mod cases;
pub(crate) mod deadlines;
pub(crate) mod disposal;
pub(crate) mod page;
pub(crate) mod register;
pub(crate) mod rows;
pub(crate) mod scope;
pub(crate) mod statistics;
pub(crate) mod timeline;
pub(crate) mod worklist;

use crate::error::ViewError;
#[cfg(doc)]
use crate::types::Access;
use pratica_store::Position;
use rusqlite::Connection;

/// The position of the snapshot that the connection is in.
pub(crate) fn position(c: &Connection) -> Result<Position, ViewError> {
    let at: Option<i64> =
        c.prepare_cached("SELECT max(position) FROM meta")?.query_row([], |row| row.get(0))?;
    Ok(Position::new(at.unwrap_or(0).cast_unsigned()))
}

/// How each view stands.
pub(crate) fn status(c: &Connection) -> Result<Vec<crate::types::ViewStatus>, ViewError> {
    let mut statement =
        c.prepare_cached("SELECT view, position, events, digest FROM meta ORDER BY view")?;
    let rows = statement.query_map([], |row| {
        let digest: [u8; 16] = row.get(3)?;
        Ok(crate::types::ViewStatus {
            name: row.get(0)?,
            position: Position::new(row.get::<_, i64>(1)?.cast_unsigned()),
            events: row.get::<_, i64>(2)?.cast_unsigned(),
            digest: crate::digest::Digest::from_bytes(digest).to_string(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
