//! Acts about the register: annulment, the daily register, the emergency register.

use super::events::{Annulled, DayClosed, EmergencyClosed, EmergencyOpened, Event as Own};
use crate::context::Context;
use crate::event::Event;
use crate::ids::ProtocolNumber;
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::{Timestamp, civil::Date};
use std::collections::BTreeSet;

/// What the acts about a year's register fold to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acts {
    /// Annulled numbers.
    pub annulled: BTreeSet<u64>,
    /// The last day closed.
    pub closed_to: Option<Date>,
    /// Since when the emergency register is open.
    pub emergency_since: Option<Timestamp>,
    /// How many acts there are.
    pub events: u64,
}

/// An act about the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActCommand {
    /// Annuls a registration, wholly; it stays readable with a mark.
    Annul {
        /// Which.
        number: ProtocolNumber,
        /// Why.
        reason: String,
        /// The act that authorises it.
        authorisation: String,
    },
    /// Produces the daily register of a day that is over.
    CloseDay {
        /// Which.
        day: Date,
        /// First number of the day.
        first: Option<u64>,
        /// Last number up to and including the day.
        last: u64,
        /// SHA-256 of the list.
        sha256: String,
    },
    /// Opens the emergency register.
    OpenEmergency {
        /// The failure, and who authorised it.
        reason: String,
        /// From when.
        opened_at: Timestamp,
    },
    /// Closes the emergency register once its entries are recovered.
    CloseEmergency {
        /// Emergency number and protocol number of each entry.
        recovered: Vec<(u32, ProtocolNumber)>,
    },
}

/// Decides an act. `registrations` is how many numbers the year's register has given out.
///
/// # Errors
/// When the number does not exist, the day is not over or closed already, an authorisation or a
/// reason is missing, or the emergency register is not in the state that the act needs.
pub fn decide_act(
    acts: &Acts,
    command: &ActCommand,
    registrations: u64,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let event: Own = match command {
        ActCommand::Annul { number, reason, authorisation } => {
            if acts.annulled.contains(&number.number) {
                return Ok(Vec::new());
            }
            the_registration_exists(*number, registrations)?;
            the_annulment_is_authorised(reason, authorisation)?;
            Annulled {
                number: *number,
                reason: reason.trim().to_owned(),
                authorisation: authorisation.trim().to_owned(),
                by: ctx.actor.id.clone(),
                annulled_on: ctx.today(),
            }
            .into()
        }
        ActCommand::CloseDay { day, first, last, sha256 } => {
            the_day_can_be_closed(acts, *day, ctx)?;
            DayClosed { day: *day, first: *first, last: *last, sha256: sha256.clone() }.into()
        }
        ActCommand::OpenEmergency { reason, opened_at } => {
            if let Some(since) = acts.emergency_since {
                return Err(Rejection::new(Code::EmergencyAlreadyOpen).with("since", since));
            }
            if reason.trim().is_empty() {
                return Err(Rejection::new(Code::AuthorisationMissing)
                    .under("the_emergency_is_authorised", "DPR 445/2000 art. 63"));
            }
            if *opened_at > ctx.now {
                return Err(Rejection::new(Code::DateInFuture)
                    .with("field", "opened_at")
                    .with("date", opened_at)
                    .with("latest", ctx.now));
            }
            EmergencyOpened { reason: reason.trim().to_owned(), opened_at: *opened_at }.into()
        }
        ActCommand::CloseEmergency { recovered } => {
            if acts.emergency_since.is_none() {
                return Err(Rejection::new(Code::NoEmergency));
            }
            for (_, number) in recovered {
                the_registration_exists(*number, registrations)?;
            }
            EmergencyClosed { closed_at: ctx.now, recovered: recovered.clone() }.into()
        }
    };
    Ok(vec![Event::Register(event)])
}

fn the_registration_exists(number: ProtocolNumber, registrations: u64) -> Result<(), Rejection> {
    if (1..=registrations).contains(&number.number) {
        Ok(())
    } else {
        Err(Rejection::new(Code::UnknownRegistration).with("number", number))
    }
}

fn the_annulment_is_authorised(reason: &str, authorisation: &str) -> Result<(), Rejection> {
    let article = "DPR 445/2000 art. 54; DPCM 31-10-2000 art. 8";
    if reason.trim().is_empty() {
        return Err(Rejection::new(Code::ReasonsMissing)
            .with("field", "reason")
            .under("the_annulment_is_authorised", article));
    }
    if authorisation.trim().is_empty() {
        return Err(Rejection::new(Code::AuthorisationMissing)
            .under("the_annulment_is_authorised", article));
    }
    Ok(())
}

fn the_day_can_be_closed(acts: &Acts, day: Date, ctx: &Context<'_>) -> Result<(), Rejection> {
    let article = "DPR 445/2000 art. 53 c. 2";
    let rule = "the_day_is_over_and_not_closed";
    if day >= ctx.today() {
        return Err(Rejection::new(Code::DayNotOver).with("date", day).under(rule, article));
    }
    match acts.closed_to {
        Some(closed) if day <= closed => {
            Err(Rejection::new(Code::DayAlreadyClosed).with("date", day).under(rule, article))
        }
        _ => Ok(()),
    }
}

/// Folds an act.
#[must_use]
pub fn evolve_acts(mut acts: Acts, event: &Event) -> Acts {
    acts.events += 1;
    match event {
        Event::Register(Own::Annulled(e)) => {
            acts.annulled.insert(e.number.number);
        }
        Event::Register(Own::DayClosed(e)) => acts.closed_to = Some(e.day),
        Event::Register(Own::EmergencyOpened(e)) => acts.emergency_since = Some(e.opened_at),
        Event::Register(Own::EmergencyClosed(_)) => acts.emergency_since = None,
        _ => {}
    }
    acts
}
