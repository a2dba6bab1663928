//! The rounds of the conferenza and what each body said.

use crate::ids::EntryId;
use crate::permit::events::{ConferenceForm, Event, Position};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// A body that takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// Its name.
    pub name: String,
    /// Whether it has the longer term and may oppose.
    pub sensitive: bool,
    /// What counts, once it is known; silence counts as assent.
    pub position: Option<Position>,
    /// The day it said so; none for silence.
    pub received_on: Option<Date>,
    /// The end of its term, once its position is known.
    pub due_on: Option<Date>,
}

/// A round of the conferenza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conference {
    /// Identifies it.
    pub conference: EntryId,
    /// The form.
    pub form: ConferenceForm,
    /// The day it was convened.
    pub convened_on: Date,
    /// The day set for a meeting.
    pub meeting_on: Date,
    /// Who takes part.
    pub bodies: BTreeMap<EntryId, Invited>,
    /// The day of the first meeting, once it met.
    pub met_on: Option<Date>,
    /// How it was concluded: whether positive, and the day.
    pub concluded: Option<(bool, Date)>,
    /// Bodies that may oppose the determination.
    pub may_oppose: Vec<EntryId>,
    /// Whether it keeps silence from granting.
    pub keeps_silence_off: bool,
}

impl Conference {
    /// Whether a body with the longer term takes part.
    pub fn is_sensitive(&self) -> bool {
        self.bodies.values().any(|b| b.sensitive)
    }

    /// The bodies whose position is not known.
    pub fn awaited(&self) -> usize {
        self.bodies.values().filter(|b| b.position.is_none()).count()
    }

    /// The end of the last term of the bodies, once all positions are known.
    pub(crate) fn positions_due_on(&self) -> Option<Date> {
        if self.awaited() > 0 {
            return None;
        }
        self.bodies.values().filter_map(|b| b.due_on).max()
    }
}

/// Folds what concerns the conferenza.
pub(super) fn note(conferences: &mut Vec<Conference>, event: &Event) {
    if let Event::ConferenceConvened(e) = event {
        let bodies = e.bodies.iter().map(|b| {
            let invited = Invited {
                name: b.name.clone(),
                sensitive: b.sensitive,
                position: None,
                received_on: None,
                due_on: None,
            };
            (b.body, invited)
        });
        conferences.push(Conference {
            conference: e.conference,
            form: e.form,
            convened_on: e.convened_on,
            meeting_on: e.meeting_on,
            bodies: bodies.collect(),
            met_on: None,
            concluded: None,
            may_oppose: Vec::new(),
            keeps_silence_off: e.keeps_silence_off,
        });
        return;
    }
    let Some(round) = conferences.last_mut() else { return };
    match event {
        Event::DeterminationReceived(e) => {
            if let Some(body) = round.bodies.get_mut(&e.body) {
                body.position = Some(e.counts_as);
                body.received_on = Some(e.received_on);
                body.due_on = Some(e.due_on);
            }
        }
        Event::BodyAssentedBySilence(e) => {
            if let Some(body) = round.bodies.get_mut(&e.body) {
                body.position = Some(Position::Assent);
                body.due_on = Some(e.due_on);
            }
        }
        Event::MeetingOpened(e) => round.met_on = Some(e.opened_on),
        Event::ConferenceConcluded(e) => {
            round.concluded = Some((e.positive, e.concluded_on));
            round.may_oppose.clone_from(&e.may_oppose);
        }
        _ => {}
    }
}
