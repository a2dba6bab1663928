//! Acts about the register: annulment, the daily register, the emergency register.

use super::decide::RegisterHead;
use super::events::{Annulled, DayClosed, EmergencyClosed, EmergencyOpened, Event as Own};
use crate::context::Context;
use crate::event::Event;
use crate::ids::{ProtocolNumber, SubjectId};
use crate::people::Personal;
use crate::rejection::{Rejection, RejectionCode as Code};
use jiff::{Timestamp, civil::Date};
use std::collections::BTreeSet;

/// What the acts about a year's register fold to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acts {
    /// Annulled numbers.
    pub annulled: BTreeSet<u64>,
    /// The days closed.
    pub closed_days: BTreeSet<Date>,
    /// The last number that a closed day has.
    pub closed_last: u64,
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

/// What an act needs to know of the register that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    /// The year of the register whose acts these are.
    pub year: i16,
    /// How many numbers it has given out; entries of the emergency register may have theirs from
    /// the register of a later year.
    pub heads: Vec<RegisterHead>,
    /// The first day with registrations after those that are closed.
    pub first_open: Option<Date>,
}

/// Decides an act.
///
/// # Errors
/// When the number does not exist or is of another year, the day is not over, closed already or
/// has an open day before it, an authorisation or a reason is missing, or the emergency register
/// is not in the state that the act needs.
pub fn decide_act(
    acts: &Acts,
    command: &ActCommand,
    registers: &Registers,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    // Whoever is named in it: the words are of this act, and of nobody who has a case.
    let subject = SubjectId(ctx.new_id("words"));
    let words = |text: &str| Personal::new(subject, text.trim().to_owned());
    let event: Own = match command {
        ActCommand::Annul { number, reason, authorisation } => {
            it_is_of_this_year(number.year, number, registers.year)?;
            if acts.annulled.contains(&number.number) {
                return Ok(Vec::new());
            }
            the_registration_exists(*number, registers)?;
            the_annulment_is_authorised(reason, authorisation)?;
            Annulled {
                number: *number,
                reason: words(reason),
                authorisation: words(authorisation),
                by: ctx.actor.id.clone(),
                annulled_on: ctx.today(),
            }
            .into()
        }
        ActCommand::CloseDay { day, first, last, sha256 } => {
            it_is_of_this_year(day.year(), day, registers.year)?;
            the_day_can_be_closed(acts, *day, ctx)?;
            earlier_days_are_closed(*day, registers.first_open)?;
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
            EmergencyOpened { reason: words(reason), opened_at: *opened_at }.into()
        }
        ActCommand::CloseEmergency { recovered } => {
            if acts.emergency_since.is_none() {
                return Err(Rejection::new(Code::NoEmergency));
            }
            for (_, number) in recovered {
                the_registration_exists(*number, registers)?;
            }
            EmergencyClosed { closed_at: ctx.now, recovered: recovered.clone() }.into()
        }
    };
    Ok(vec![Event::Register(event)])
}

fn it_is_of_this_year(of: i16, what: impl std::fmt::Display, year: i16) -> Result<(), Rejection> {
    if of == year {
        return Ok(());
    }
    Err(Rejection::new(Code::WrongYear)
        .with("year", year)
        .with("of", what)
        .under("it_is_of_this_year", "DPR 445/2000 art. 57"))
}

fn the_registration_exists(number: ProtocolNumber, registers: &Registers) -> Result<(), Rejection> {
    let given = registers.heads.iter().find(|head| head.year == number.year);
    if given.is_some_and(|head| (1..=head.registrations).contains(&number.number)) {
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
    if acts.closed_days.contains(&day) {
        return Err(Rejection::new(Code::DayAlreadyClosed).with("date", day).under(rule, article));
    }
    Ok(())
}

/// Days are closed in their order, so that none with registrations is left without its register;
/// a day without any may be left out, or closed later.
fn earlier_days_are_closed(day: Date, first_open: Option<Date>) -> Result<(), Rejection> {
    match first_open {
        Some(first) if first < day => Err(Rejection::new(Code::EarlierDayOpen)
            .with("date", day)
            .with("first_open", first)
            .under("earlier_days_are_closed", "DPR 445/2000 art. 53 c. 2")),
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
        Event::Register(Own::DayClosed(e)) => {
            acts.closed_days.insert(e.day);
            acts.closed_last = acts.closed_last.max(e.last);
        }
        Event::Register(Own::EmergencyOpened(e)) => acts.emergency_since = Some(e.opened_at),
        Event::Register(Own::EmergencyClosed(_)) => acts.emergency_since = None,
        _ => {}
    }
    acts
}
