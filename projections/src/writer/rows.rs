//! Rows that events give one by one: steps of the timeline, the register.

use pratica_domain::Event;
use pratica_domain::case::{self, Direction};
use pratica_domain::people::Personal;
use pratica_domain::register::Event as RegisterEvent;
use pratica_domain::{permit, residency};
use pratica_store::{Position, RecordedEvent};
use rusqlite::Connection;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;

use super::args;
use super::prepare::RegisterAct;
use crate::dates;
use crate::error::ViewError;

/// One step of a case's history, ready to be written.
pub(crate) struct Step {
    /// The integer of the case.
    case: i64,
    pub position: Position,
    revision: u64,
    event_type: Arc<str>,
    occurred_at: i64,
    recorded_at: i64,
    internal: bool,
    /// Actor, role and facts, one after the other.
    words: String,
    /// Where the actor ends, and the role.
    ends: (usize, usize),
}

/// For how many bytes of facts room is made.
const FACTS: usize = 160;

/// The two facts of the metadata that a step shows.
#[derive(Deserialize)]
struct Who<'a> {
    #[serde(borrow)]
    actor: Cow<'a, str>,
    #[serde(borrow)]
    role: Cow<'a, str>,
}

impl Step {
    pub(crate) fn of(
        case: i64,
        recorded: &RecordedEvent,
        event: &Event,
    ) -> Result<Step, ViewError> {
        let poison = |what: &str| ViewError::Poison {
            position: recorded.position,
            detail: format!("its {what} cannot be read"),
            source: None,
        };
        let who: Who<'_> =
            serde_json::from_slice(&recorded.metadata_json).map_err(|_| poison("metadata"))?;
        let ends = (who.actor.len(), who.actor.len() + who.role.len());
        let mut words = String::with_capacity(ends.1 + FACTS);
        words.push_str(&who.actor);
        words.push_str(&who.role);
        args::write(&mut words, event).map_err(|_| poison("facts"))?;
        Ok(Step {
            case,
            position: recorded.position,
            revision: recorded.revision.get(),
            event_type: Arc::clone(&recorded.event_type),
            occurred_at: recorded.occurred_at.as_microsecond(),
            recorded_at: recorded.recorded_at.as_microsecond(),
            internal: is_internal(event),
            words,
            ends,
        })
    }
}

/// Whether citizens never see the step.
fn is_internal(event: &Event) -> bool {
    use case::Event as C;
    match event {
        Event::Case(e) => match e {
            C::NoteAdded(_)
            | C::ConflictDeclared(_)
            | C::ProposalMade(_)
            | C::ProposalWithdrawn(_) => true,
            C::DocumentAdded(e) => e.direction == Direction::Internal,
            C::MessageSent(e) => e.direction == Direction::Internal,
            _ => false,
        },
        Event::Residency(e) => matches!(e, residency::Event::VisitRecorded(_)),
        // A note of the office about what the applicant filed, until an act rests on it.
        Event::Permit(e) => matches!(e, permit::Event::ConstraintsRecorded(_)),
        Event::Imported(_) | Event::Register(_) | Event::Enrolment(_) | Event::Call(_) => false,
    }
}

/// Writes steps.
pub(crate) fn steps(c: &Connection, steps: &[Step]) -> Result<(), ViewError> {
    let mut insert =
        c.prepare_cached("INSERT INTO timeline VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    for step in steps {
        let (who, facts) = step.words.split_at(step.ends.1);
        let (actor, role) = who.split_at(step.ends.0);
        insert.execute((
            step.position.get().cast_signed(),
            step.case,
            step.revision.cast_signed(),
            &*step.event_type,
            step.occurred_at,
            step.recorded_at,
            actor,
            role,
            step.internal,
            facts,
        ))?;
    }
    Ok(())
}

/// Writes an act of the register.
pub(crate) fn register(c: &Connection, act: &RegisterAct) -> Result<(), ViewError> {
    let poison =
        |detail: String| ViewError::Poison { position: act.position, detail, source: None };
    match &act.event {
        RegisterEvent::Registered(e) => {
            if e.correspondent.is_readable() {
                return Err(poison("its correspondent is not sealed".to_owned()));
            }
            let correspondent = text(&e.correspondent, act.position)?;
            let object = text(&e.object, act.position)?;
            c.prepare_cached(
                "INSERT INTO register(year, number, registered_on, direction, correspondent, \
                 object, sha256, case_id, document, filed_on, emergency_number, position) \
                 VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                e.number.year,
                e.number.number.cast_signed(),
                dates::number(e.registered_on),
                direction(e.direction),
                correspondent,
                object,
                &e.sha256,
                e.case.map(|id| *id.0.as_bytes()),
                e.document.map(|id| *id.0.as_bytes()),
                e.filed_on.map(dates::number),
                e.emergency_number,
                act.position.get().cast_signed(),
            ))?;
        }
        RegisterEvent::Annulled(e) => {
            let marked = c
                .prepare_cached(
                    "UPDATE register SET annulled_on = ?, annul_reason = ?, \
                     annul_authorisation = ?, annulled_by = ? WHERE year = ? AND number = ?",
                )?
                .execute((
                    dates::number(e.annulled_on),
                    text(&e.reason, act.position)?,
                    text(&e.authorisation, act.position)?,
                    e.by.as_str(),
                    e.number.year,
                    e.number.number.cast_signed(),
                ))?;
            if marked == 0 {
                return Err(poison(format!("it annuls {}, which is not registered", e.number)));
            }
        }
        RegisterEvent::DayClosed(_)
        | RegisterEvent::EmergencyOpened(_)
        | RegisterEvent::EmergencyClosed(_) => {}
    }
    Ok(())
}

/// Words as they stand in the log: sealed, except in events of a time when they were not.
fn text(words: &Personal<String>, position: Position) -> Result<String, ViewError> {
    serde_json::to_string(words).map_err(|_| ViewError::Poison {
        position,
        detail: "its words cannot be written".to_owned(),
        source: None,
    })
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Incoming => "incoming",
        Direction::Outgoing => "outgoing",
        Direction::Internal => "internal",
    }
}
