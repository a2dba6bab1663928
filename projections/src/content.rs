//! A digest of all that the derived tables hold, row by row in the order of their keys.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::digest::Digest;
use crate::error::ViewError;
use crate::schema::DERIVED;
use crate::school;

/// Reads every row of every derived table.
pub(crate) fn digest(c: &Connection) -> Result<Digest, ViewError> {
    let mut digest = Digest::default();
    for (table, order) in DERIVED.iter().chain(&school::DERIVED) {
        digest.bytes(table.as_bytes());
        let mut statement = c.prepare(&format!("SELECT * FROM {table} ORDER BY {order}"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                match row.get_ref(column)? {
                    ValueRef::Null => digest.number(0),
                    ValueRef::Integer(n) => {
                        digest.number(1);
                        digest.number(n.cast_unsigned());
                    }
                    ValueRef::Real(n) => {
                        digest.number(2);
                        digest.number(n.to_bits());
                    }
                    ValueRef::Text(bytes) => {
                        digest.number(3);
                        digest.bytes(bytes);
                    }
                    ValueRef::Blob(bytes) => {
                        digest.number(4);
                        digest.bytes(bytes);
                    }
                }
            }
        }
    }
    Ok(digest)
}
