//! The checkpoint, and what each view says of the events it took in.

use pratica_store::Position;
use rusqlite::{Connection, OptionalExtension};

use super::prepare::Prepared;
use crate::digest::Digest;
use crate::error::ViewError;

/// The views that stand apart: which events each takes in.
const VIEWS: [&str; 3] = ["cases", "register", "timeline"];

/// What is known of all events applied. The digest of a view covers position, stream, revision,
/// name and payload of each event that it took in, in order: it comes out the same whether they
/// came one by one or in a rebuild, and another if one was missed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    pub position: Position,
    /// The rules that the views were built by.
    pub rules: Option<Digest>,
    of_cases: Taken,
    of_register: Taken,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Taken {
    events: i64,
    digest: Digest,
}

impl Meta {
    /// Of empty views, to be built by these rules.
    pub(crate) fn of(rules: Digest) -> Meta {
        Meta { rules: Some(rules), ..Meta::default() }
    }

    pub(crate) fn read(c: &Connection) -> Result<Meta, ViewError> {
        let mut meta = Meta::default();
        let mut statement = c.prepare("SELECT view, position, events, digest FROM meta")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let view: String = row.get(0)?;
            let taken = Taken { events: row.get(2)?, digest: Digest::from_bytes(row.get(3)?) };
            meta.position = Position::new(row.get::<_, i64>(1)?.cast_unsigned());
            match view.as_str() {
                "cases" => meta.of_cases = taken,
                "register" => meta.of_register = taken,
                _ => {}
            }
        }
        meta.rules = c
            .query_row("SELECT digest FROM rules", [], |row| row.get(0))
            .optional()?
            .map(Digest::from_bytes);
        Ok(meta)
    }

    /// Takes a batch in.
    pub(crate) fn applied(&mut self, prepared: &Prepared) {
        for (_, of_case, digest) in &prepared.digests {
            let taken = if *of_case { &mut self.of_cases } else { &mut self.of_register };
            taken.events += 1;
            taken.digest.digest(*digest);
        }
        self.position = prepared.position;
    }

    pub(crate) fn write(&self, c: &Connection) -> Result<(), ViewError> {
        let mut statement = c.prepare_cached("INSERT OR REPLACE INTO meta VALUES(?, ?, ?, ?)")?;
        for view in VIEWS {
            let taken = if view == "register" { self.of_register } else { self.of_cases };
            statement.execute((
                view,
                self.position.get().cast_signed(),
                taken.events,
                taken.digest.to_bytes(),
            ))?;
        }
        if let Some(rules) = self.rules {
            c.prepare_cached("INSERT OR REPLACE INTO rules VALUES(1, ?)")?
                .execute([rules.to_bytes()])?;
        }
        Ok(())
    }
}
