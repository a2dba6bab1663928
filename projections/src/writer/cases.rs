//! Writing one touched case: only what differs from what is there.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Statement};

use super::deltas::Deltas;
use super::prepare::Touched;
use crate::derive::keys::{Key, Keys};
use crate::derive::{CaseFacts, Derived, Plain};
use crate::error::ViewError;

/// Writes the cases of a batch. What nearly every case needs is prepared once.
pub(crate) struct Cases<'c> {
    connection: &'c Connection,
    insert: CachedStatement<'c>,
    touch: CachedStatement<'c>,
    plain: CachedStatement<'c>,
    deadline: CachedStatement<'c>,
    account: CachedStatement<'c>,
    personal: CachedStatement<'c>,
    search_keys: SearchKeys,
    deltas: Deltas,
}

impl<'c> Cases<'c> {
    pub(crate) fn new(c: &'c Connection) -> rusqlite::Result<Cases<'c>> {
        Ok(Cases {
            connection: c,
            insert: c.prepare_cached(
                "INSERT INTO cases VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
                 ?, ?, ?, ?, ?, ?, ?)",
            )?,
            touch: c.prepare_cached("UPDATE cases SET revision = ?, position = ? WHERE key = ?")?,
            plain: c.prepare_cached(
                "UPDATE cases SET revision = ?, position = ?, responsible = ?, protocol_year = ?, \
                 protocol_number = ?, applicant = ? WHERE key = ?",
            )?,
            deadline: c.prepare_cached(
                "INSERT OR REPLACE INTO deadlines VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?,
            account: c.prepare_cached("INSERT OR REPLACE INTO case_accounts VALUES(?, ?, ?)")?,
            personal: c.prepare_cached("INSERT OR REPLACE INTO found_by VALUES(?, ?)")?,
            search_keys: SearchKeys::default(),
            deltas: Deltas::default(),
        })
    }

    /// Writes what differs, and notes how counts and keys move.
    pub(crate) fn write(&mut self, touched: &Touched) -> Result<(), ViewError> {
        let (key, before, after) = (touched.key, touched.before.as_deref(), &*touched.after);
        match before {
            None => insert(&mut self.insert, touched)?,
            Some(before) => {
                self.touch(touched, &before.row.plain, &after.row.plain)?;
                update(self.connection, key, &before.row, &after.row)?;
            }
        }
        self.deltas.moved(key, before, after);
        self.keys(touched)?;
        let nothing = Derived::default();
        let before = before.unwrap_or(&nothing);
        self.deadlines(key, before, after)?;
        self.accounts(key, before, after)?;
        stat(self.connection, key, before, after)
    }

    fn touch(&mut self, touched: &Touched, before: &Plain, after: &Plain) -> Result<(), ViewError> {
        let (key, position) = (touched.key, touched.last.get().cast_signed());
        let rows = if before == after {
            self.touch.execute((touched.revision, position, key))?
        } else {
            self.plain.execute((
                touched.revision,
                position,
                &after.responsible,
                after.protocol.map(|p| p.year),
                after.protocol.map(|p| p.number.cast_signed()),
                &after.applicant,
                key,
            ))?
        };
        if rows == 0 {
            return Err(ViewError::Poison {
                position: touched.last,
                detail: "its case is not in the views".to_owned(),
                source: None,
            });
        }
        Ok(())
    }

    fn deadlines(&mut self, key: i64, before: &Derived, after: &Derived) -> Result<(), ViewError> {
        for (term, d) in after.deadlines.changed(&before.deadlines) {
            self.deadline.execute((
                key,
                term,
                &d.rule,
                d.end,
                d.raw_end,
                d.warn_on,
                d.status,
                d.owner,
                d.effect,
                d.expired_for,
                d.fires,
            ))?;
        }
        for term in after.deadlines.gone(&before.deadlines) {
            self.connection
                .prepare_cached("DELETE FROM deadlines WHERE case_key = ? AND term = ?")?
                .execute((key, term))?;
        }
        Ok(())
    }

    fn accounts(&mut self, key: i64, before: &Derived, after: &Derived) -> Result<(), ViewError> {
        for (account, until) in after.accounts.changed(&before.accounts) {
            self.account.execute((account, key, until))?;
        }
        for account in after.accounts.gone(&before.accounts) {
            self.connection
                .prepare_cached("DELETE FROM case_accounts WHERE account = ? AND case_key = ?")?
                .execute((account, key))?;
        }
        Ok(())
    }

    fn keys(&mut self, touched: &Touched) -> Result<(), ViewError> {
        let (key, after) = (touched.key, &touched.after.keys);
        let before = match &touched.before {
            None => Arc::default(),
            Some(before) if touched.folded => {
                Arc::new(before.keys.with_personal(personal(self.connection, key)?))
            }
            Some(before) => Arc::clone(&before.keys),
        };
        if Arc::ptr_eq(&before, after) {
            return Ok(());
        }
        self.search_keys.moved(key, &before, after);
        if before.personal() == after.personal() {
            return Ok(());
        }
        if after.personal().is_empty() {
            self.connection
                .prepare_cached("DELETE FROM found_by WHERE case_key = ?")?
                .execute([key])?;
        } else {
            self.personal.execute((key, as_blob(after.personal())))?;
        }
        Ok(())
    }

    /// Writes what was noted of all cases together.
    pub(crate) fn end(self) -> Result<(), ViewError> {
        self.search_keys.write(self.connection)?;
        self.deltas.write(self.connection)
    }
}

fn insert(statement: &mut Statement<'_>, touched: &Touched) -> Result<(), ViewError> {
    let CaseFacts { opened, phase, holder, due, plain, papers } = &touched.after.row;
    statement.execute(rusqlite::params![
        touched.key,
        touched.id.0.as_bytes(),
        touched.stream.as_str(),
        opened.procedure,
        opened.kind,
        phase.phase,
        phase.closed,
        opened.filed_on,
        phase.closed_on,
        phase.outcome,
        holder.office,
        holder.officer,
        plain.responsible,
        touched.revision,
        touched.last.get().cast_signed(),
        due.on,
        due.term,
        due.waits,
        plain.protocol.map(|p| p.year),
        plain.protocol.map(|p| p.number.cast_signed()),
        plain.applicant,
        opened.reference,
        opened.rules_version,
        papers.stage,
        papers.held,
        papers.erased_on,
    ])?;
    Ok(())
}

/// One statement a group of columns, so that only the indexes of what changed are touched.
fn update(
    c: &Connection,
    key: i64,
    before: &CaseFacts,
    after: &CaseFacts,
) -> Result<(), ViewError> {
    if before.opened != after.opened {
        // A second case.opened is refused by every decider; what it says is written all the same.
        let o = &after.opened;
        c.prepare_cached(
            "UPDATE cases SET procedure = ?, kind = ?, filed_on = ?, reference = ?, \
             rules_version = ? WHERE key = ?",
        )?
        .execute((
            o.procedure,
            &o.kind,
            o.filed_on,
            &o.reference,
            &o.rules_version,
            key,
        ))?;
    }
    if before.phase.closed != after.phase.closed {
        c.prepare_cached("UPDATE cases SET closed = ? WHERE key = ?")?
            .execute((after.phase.closed, key))?;
    }
    if before.phase != after.phase {
        let p = &after.phase;
        c.prepare_cached("UPDATE cases SET phase = ?, closed_on = ?, outcome = ? WHERE key = ?")?
            .execute((p.phase, p.closed_on, p.outcome, key))?;
    }
    if before.papers != after.papers {
        let p = &after.papers;
        c.prepare_cached("UPDATE cases SET disposal = ?, held = ?, erased_on = ? WHERE key = ?")?
            .execute((p.stage, p.held, p.erased_on, key))?;
    }
    if before.holder != after.holder {
        c.prepare_cached("UPDATE cases SET office = ?, officer = ? WHERE key = ?")?.execute((
            &after.holder.office,
            &after.holder.officer,
            key,
        ))?;
    }
    if before.due.waits != after.due.waits {
        c.prepare_cached("UPDATE cases SET waits = ? WHERE key = ?")?
            .execute((after.due.waits, key))?;
    }
    if (before.due.on, &before.due.term) != (after.due.on, &after.due.term) {
        c.prepare_cached("UPDATE cases SET due = ?, due_term = ? WHERE key = ?")?.execute((
            after.due.on,
            &after.due.term,
            key,
        ))?;
    }
    Ok(())
}

fn stat(c: &Connection, key: i64, before: &Derived, after: &Derived) -> Result<(), ViewError> {
    if before.stat == after.stat {
        return Ok(());
    }
    let Some(stat) = &after.stat else {
        c.prepare_cached("DELETE FROM stat_case WHERE case_key = ?")?.execute([key])?;
        return Ok(());
    };
    let (opened, split) = (&after.row.opened, &stat.split);
    c.prepare_cached("INSERT OR REPLACE INTO stat_case VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute((
        key,
        opened.procedure,
        &opened.kind,
        stat.month,
        stat.outcome,
        split.total_days,
        split.office_days,
        split.citizen_days,
        split.third_party_days,
        split.suspended_days,
        stat.late,
    ))?;
    Ok(())
}

/// The keys that the views hold of a case's personal data.
fn personal(c: &Connection, key: i64) -> Result<Vec<Key>, ViewError> {
    let blob: Option<Vec<u8>> = c
        .prepare_cached("SELECT personal FROM found_by WHERE case_key = ?")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    let blob = blob.unwrap_or_default();
    let (keys, []) = blob.as_chunks() else {
        let detail = format!("found_by: {} bytes of case {key} are no keys of 8", blob.len());
        return Err(ViewError::Damaged { detail });
    };
    Ok(keys.iter().map(|key| Key(i64::from_be_bytes(*key))).collect())
}

fn as_blob(keys: &[Key]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(size_of_val(keys));
    for Key(key) in keys {
        blob.extend_from_slice(&key.to_be_bytes());
    }
    blob
}

/// What a batch changes in the keys that cases are found by. They are hashes: written in their own
/// order, those that share a page of the table are written together.
#[derive(Debug, Default)]
struct SearchKeys {
    gone: Vec<(Key, i64)>,
    new: Vec<(Key, i64)>,
}

impl SearchKeys {
    fn moved(&mut self, case: i64, before: &Keys, after: &Keys) {
        self.gone.extend(before.beyond(after).map(|key| (key, case)));
        self.new.extend(after.beyond(before).map(|key| (key, case)));
    }

    /// Writes all of it.
    fn write(mut self, c: &Connection) -> Result<(), ViewError> {
        self.gone.sort_unstable();
        self.new.sort_unstable();
        let mut delete =
            c.prepare_cached("DELETE FROM search_keys WHERE key = ? AND case_key = ?")?;
        for (Key(key), case) in self.gone {
            delete.execute((key, case))?;
        }
        let mut insert = c.prepare_cached("INSERT INTO search_keys VALUES(?, ?)")?;
        for (Key(key), case) in self.new {
            insert.execute((key, case))?;
        }
        Ok(())
    }
}
