//! Writing one touched case: only what differs from what is there.

use std::sync::Arc;

use pratica_domain::ids::CaseId;
use pratica_store::{Position, StreamName};
use rusqlite::{Connection, OptionalExtension};

use super::deltas::Deltas;
use super::prepare::Touched;
use crate::derive::deadlines::Deadline;
use crate::derive::{CaseFacts, Derived};
use crate::error::ViewError;

/// The integer of a case that is in the views.
pub(crate) fn key(
    c: &Connection,
    stream: &StreamName,
    position: Position,
) -> Result<i64, ViewError> {
    let id = stream.rest().parse::<CaseId>().ok();
    let found = match id {
        None => None,
        Some(id) => c
            .prepare_cached("SELECT key FROM cases WHERE id = ?")?
            .query_row([id.0.as_bytes()], |row| row.get(0))
            .optional()?,
    };
    found.ok_or_else(|| ViewError::Poison {
        position,
        detail: "its case has earlier events that the views do not have; rebuild them".to_owned(),
        source: None,
    })
}

/// Writes what differs, and notes how counts move.
pub(crate) fn write(
    c: &Connection,
    key: i64,
    touched: &Touched,
    deltas: &mut Deltas,
) -> Result<(), ViewError> {
    let after = &touched.after;
    match &touched.before {
        None => insert(c, key, touched)?,
        Some(before) => update(c, key, touched, &before.row, &after.row)?,
    }
    let nothing = Derived::default();
    let before = touched.before.as_ref().unwrap_or(&nothing);
    deadlines(c, key, before, after)?;
    accounts(c, key, before, after)?;
    keys(c, key, before, after)?;
    stat(c, key, before, after)?;
    deltas.moved(key, touched.before.as_ref(), after);
    Ok(())
}

fn revision(touched: &Touched) -> i64 {
    touched.case.file.events.saturating_sub(1).cast_signed()
}

fn insert(c: &Connection, key: i64, touched: &Touched) -> Result<(), ViewError> {
    let CaseFacts { opened, phase, holder, due, plain, papers } = &touched.after.row;
    let mut statement = c.prepare_cached(
        "INSERT INTO cases VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
         ?, ?, ?, ?, ?)",
    )?;
    statement.execute(rusqlite::params![
        key,
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
        revision(touched),
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
    touched: &Touched,
    before: &CaseFacts,
    after: &CaseFacts,
) -> Result<(), ViewError> {
    let position = touched.last.get().cast_signed();
    if before.plain == after.plain {
        c.prepare_cached("UPDATE cases SET revision = ?, position = ? WHERE key = ?")?
            .execute((revision(touched), position, key))?;
    } else {
        let plain = &after.plain;
        c.prepare_cached(
            "UPDATE cases SET revision = ?, position = ?, responsible = ?, protocol_year = ?, \
             protocol_number = ?, applicant = ? WHERE key = ?",
        )?
        .execute((
            revision(touched),
            position,
            &plain.responsible,
            plain.protocol.map(|p| p.year),
            plain.protocol.map(|p| p.number.cast_signed()),
            &plain.applicant,
            key,
        ))?;
    }
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

fn deadlines(c: &Connection, key: i64, before: &Derived, after: &Derived) -> Result<(), ViewError> {
    let changed =
        |(term, deadline): &(&String, &Deadline)| before.deadlines.get(*term) != Some(*deadline);
    for (term, d) in after.deadlines.iter().filter(changed) {
        c.prepare_cached(
            "INSERT OR REPLACE INTO deadlines VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
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
    for term in before.deadlines.keys().filter(|t| !after.deadlines.contains_key(*t)) {
        c.prepare_cached("DELETE FROM deadlines WHERE case_key = ? AND term = ?")?
            .execute((key, term))?;
    }
    Ok(())
}

fn accounts(c: &Connection, key: i64, before: &Derived, after: &Derived) -> Result<(), ViewError> {
    for (account, until) in &after.accounts {
        if before.accounts.get(account) != Some(until) {
            c.prepare_cached("INSERT OR REPLACE INTO case_accounts VALUES(?, ?, ?)")?
                .execute((account, key, until))?;
        }
    }
    for account in before.accounts.keys().filter(|a| !after.accounts.contains_key(*a)) {
        c.prepare_cached("DELETE FROM case_accounts WHERE account = ? AND case_key = ?")?
            .execute((account, key))?;
    }
    Ok(())
}

fn keys(c: &Connection, case: i64, before: &Derived, after: &Derived) -> Result<(), ViewError> {
    if Arc::ptr_eq(&before.keys, &after.keys) {
        return Ok(());
    }
    let (before, after) = (&before.keys.all, &after.keys.all);
    let mut delete =
        c.prepare_cached("DELETE FROM search_keys WHERE kind = ? AND key = ? AND case_key = ?")?;
    for gone in before.difference(after) {
        delete.execute((gone.kind, &gone.key, case))?;
    }
    let mut insert = c.prepare_cached("INSERT INTO search_keys VALUES(?, ?, ?)")?;
    for new in after.difference(before) {
        insert.execute((new.kind, &new.key, case))?;
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
