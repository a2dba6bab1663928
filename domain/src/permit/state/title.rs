//! The title: whether it has effect, how far the works are, what is owed, what is controlled.

use super::Stage;
use crate::ids::EntryId;
use crate::permit::events::{ContributionKind, Event, WorksTerm};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// How far the works are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Works {
    /// Not begun.
    NotStarted,
    /// Begun on this day.
    Started(Date),
    /// Begun and ended.
    Finished(Date, Date),
}

/// An instalment of the contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instalment {
    /// How much, reductions taken off, in cents.
    pub amount_cents: u64,
    /// How much of it was paid, in cents.
    pub paid_cents: u64,
    /// The last day to pay.
    pub due_on: Date,
}

impl Instalment {
    /// What is left, in cents.
    pub fn open_cents(&self) -> u64 {
        self.amount_cents.saturating_sub(self.paid_cents)
    }
}

/// A part of the contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// Which part.
    pub kind: ContributionKind,
    /// Its instalments.
    pub instalments: BTreeMap<EntryId, Instalment>,
}

/// A request for more time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Which term.
    pub term: WorksTerm,
    /// The day of the request.
    pub requested_on: Date,
    /// Granted, refused, or neither yet.
    pub granted: Option<bool>,
}

/// A control after the fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// The order to conform that awaits compliance.
    pub ordered: Option<(EntryId, Date)>,
    /// Orders that were complied with.
    pub complied: Vec<(EntryId, Date)>,
    /// Whether the time to control ran out.
    pub ended: bool,
    /// Whether it was forbidden.
    pub prohibited: bool,
}

impl Control {
    pub(super) fn stage(&self) -> Stage {
        if self.ended || self.prohibited {
            Stage::Ended
        } else if self.ordered.is_some() {
            Stage::ConformationOrdered
        } else {
            Stage::UnderControl
        }
    }

    pub(super) fn advance(mut self, event: &Event) -> Control {
        match event {
            Event::ConformationOrdered(e) => self.ordered = Some((e.order, e.ordered_on)),
            Event::ConformationReported(e) => {
                self.ordered = None;
                self.complied.push((e.order, e.reported_on));
            }
            Event::ControlEnded(_) => self.ended = true,
            Event::Prohibited(_) => {
                self.prohibited = true;
                self.ordered = None;
            }
            _ => {}
        }
        self
    }
}

/// The title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// The day of issue, or the first day on which silence stands.
    pub granted_on: Date,
    /// Whether silence granted it.
    pub by_silence: bool,
    /// Whether bodies may oppose it, or one did: it has no effect yet.
    pub effect_suspended: bool,
    /// The body that opposed, and the day.
    pub opposed: Option<(EntryId, Date)>,
    /// The day an opposition ended.
    pub opposition_ended_on: Option<Date>,
    /// How far the works are.
    pub works: Works,
    /// The day it was published.
    pub published_on: Option<Date>,
    /// The contribution.
    pub contributions: BTreeMap<EntryId, Contribution>,
    /// Payments and offsets on record.
    pub entries: Vec<EntryId>,
    /// Requests for more time.
    pub extensions: BTreeMap<EntryId, Extension>,
    /// Extensions by law: identity and term.
    pub by_law: Vec<EntryId>,
    /// The last day on which it stood, once it lapsed.
    pub lapsed_on: Option<Date>,
    /// The day it was annulled.
    pub annulled_on: Option<Date>,
    /// The report of usability and its control.
    pub control: Option<Control>,
    /// Reports of usability: identity, day, whether partial.
    pub reports: Vec<(EntryId, Date, bool)>,
}

impl Title {
    pub(super) fn granted(on: Date, by_silence: bool, effect_suspended: bool) -> Title {
        Title {
            granted_on: on,
            by_silence,
            effect_suspended,
            opposed: None,
            opposition_ended_on: None,
            works: Works::NotStarted,
            published_on: None,
            contributions: BTreeMap::new(),
            entries: Vec::new(),
            extensions: BTreeMap::new(),
            by_law: Vec::new(),
            lapsed_on: None,
            annulled_on: None,
            control: None,
            reports: Vec::new(),
        }
    }

    /// Whether it stands: not annulled, not lapsed.
    pub fn stands(&self) -> bool {
        self.annulled_on.is_none() && self.lapsed_on.is_none()
    }

    /// A request for more time for a term that nobody answered.
    pub fn pending_extension(&self, term: WorksTerm) -> Option<(&EntryId, &Extension)> {
        self.extensions.iter().find(|(_, e)| e.term == term && e.granted.is_none())
    }

    /// An instalment, with the contribution it belongs to.
    pub fn instalment(&self, id: &EntryId) -> Option<(&Contribution, &Instalment)> {
        self.contributions.values().find_map(|c| Some((c, c.instalments.get(id)?)))
    }

    pub(super) fn stage(&self) -> Stage {
        if self.annulled_on.is_some() {
            return Stage::Annulled;
        }
        if self.lapsed_on.is_some() {
            return Stage::Lapsed;
        }
        if self.effect_suspended {
            return Stage::EffectSuspended;
        }
        match (&self.control, self.works) {
            (Some(c), _) if c.ended => Stage::Usable,
            (Some(c), _) if c.ordered.is_some() => Stage::ConformationOrdered,
            (Some(c), _) if !c.prohibited => Stage::UsabilityControl,
            (_, Works::Finished(..)) => Stage::Finished,
            (_, Works::Started(_)) => Stage::InWorks,
            (_, Works::NotStarted) if self.by_silence => Stage::GrantedBySilence,
            (_, Works::NotStarted) => Stage::Granted,
        }
    }

    pub(super) fn advance(mut self, event: &Event) -> Title {
        match event {
            Event::OppositionRaised(e) => {
                self.opposed = Some((e.body, e.raised_on));
                self.effect_suspended = true;
            }
            Event::OppositionEnded(e) => {
                self.effect_suspended = false;
                self.opposed = None;
                self.opposition_ended_on = Some(e.ended_on);
                if e.upheld {
                    self.annulled_on = Some(e.ended_on);
                }
            }
            Event::Annulled(e) => self.annulled_on = Some(e.annulled_on),
            Event::Published(e) => self.published_on = Some(e.published_on),
            Event::WorksStarted(e) => self.works = Works::Started(e.started_on),
            Event::WorksFinished(e) => {
                let started = match self.works {
                    Works::Started(on) | Works::Finished(on, _) => on,
                    Works::NotStarted => e.finished_on,
                };
                self.works = Works::Finished(started, e.finished_on);
            }
            Event::ExtensionRequested(e) => {
                let asked = Extension { term: e.term, requested_on: e.requested_on, granted: None };
                self.extensions.insert(e.extension, asked);
            }
            Event::ExtensionGranted(e) => self.answer(e.extension, true),
            Event::ExtensionRefused(e) => self.answer(e.extension, false),
            Event::ExtendedByLaw(e) => self.by_law.push(e.extension),
            Event::Lapsed(e) => self.lapsed_on = Some(e.due_on),
            Event::UsabilityReported(e) => {
                self.reports.push((e.report, e.reported_on, e.partial));
                self.control = Some(Control::default());
            }
            Event::ConformationOrdered(_)
            | Event::ConformationReported(_)
            | Event::ControlEnded(_)
            | Event::Prohibited(_) => self.control = self.control.map(|c| c.advance(event)),
            _ => self.account(event),
        }
        self
    }

    fn answer(&mut self, extension: EntryId, granted: bool) {
        if let Some(e) = self.extensions.get_mut(&extension) {
            e.granted = Some(granted);
        }
    }

    fn account(&mut self, event: &Event) {
        match event {
            Event::ContributionDetermined(e) => {
                let instalments = e.instalments.iter().map(|i| {
                    let due = Instalment {
                        amount_cents: i.amount_cents,
                        paid_cents: 0,
                        due_on: i.due_on,
                    };
                    (i.instalment, due)
                });
                let part = Contribution { kind: e.kind, instalments: instalments.collect() };
                self.contributions.insert(e.contribution, part);
            }
            Event::ContributionOffset(e) => {
                self.entries.push(e.offset);
                for r in &e.reductions {
                    if let Some(i) = self.instalment_mut(&r.instalment) {
                        i.amount_cents = i.amount_cents.saturating_sub(r.amount_cents);
                    }
                }
            }
            Event::PaymentRecorded(e) => {
                self.entries.push(e.payment);
                if let Some(i) = self.instalment_mut(&e.instalment) {
                    i.paid_cents = i.paid_cents.saturating_add(e.amount_cents);
                }
            }
            _ => {}
        }
    }

    fn instalment_mut(&mut self, id: &EntryId) -> Option<&mut Instalment> {
        self.contributions.values_mut().find_map(|c| c.instalments.get_mut(id))
    }
}
