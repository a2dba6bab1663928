//! `given(history).on(day).by(actor).when(command).then(events)`: the only place of these tests
//! that decides and folds.
//!
//! Whatever a test asks, some things are checked besides: the same request again records nothing;
//! the state folded step by step is that of the whole history; every event can be written and
//! read back; and what the list of available actions refuses, the decision refuses too.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use pratica_domain::ids::{CaseId, ComuneId, DocumentId, EntryId};
use pratica_domain::term::{Calendar, RuleBook, first_instant_of};
use pratica_domain::{
    Actor, Case, Check, Command, Context, Event, Rejection, RejectionCode as Code, Role, Written,
    available_actions, decide, evolve, fold,
};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{book, day};

static BOOK: LazyLock<RuleBook> = LazyLock::new(book);
static CALENDAR: LazyLock<Calendar> = LazyLock::new(Calendar::national);
static COMUNE: LazyLock<ComuneId> = LazyLock::new(|| "vergate".parse().unwrap());

/// The case of every scenario.
pub(crate) const CASE: CaseId = CaseId(Uuid::from_u128(7));

pub(crate) fn officer(id: &str) -> Actor {
    Actor { id: id.parse().unwrap(), role: Role::Officer, on_behalf_of: None }
}

/// A case with its history, a day and somebody who acts.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) case: Case,
    pub(crate) log: Vec<Event>,
    now: Timestamp,
    actor: Actor,
    book: &'static RuleBook,
    requests: u128,
}

/// A history as others recorded it.
pub(crate) fn given(events: impl IntoIterator<Item = Event>) -> Given {
    let log: Vec<Event> = events.into_iter().collect();
    Given {
        case: fold(&log),
        log,
        now: first_instant_of(day("2026-03-02")),
        actor: officer("anna"),
        book: &BOOK,
        requests: 0,
    }
}

/// No case yet.
pub(crate) fn nothing_yet() -> Given {
    given([])
}

impl Given {
    /// Noon of a day in Rome, or nearly.
    pub(crate) fn on(self, date: &str) -> Given {
        self.on_day(day(date))
    }

    pub(crate) fn on_day(mut self, date: Date) -> Given {
        self.now = first_instant_of(date).checked_add(12.hours()).unwrap();
        self
    }

    pub(crate) fn at(mut self, instant: &str) -> Given {
        self.now = instant.parse().unwrap();
        self
    }

    pub(crate) fn by(mut self, actor: Actor) -> Given {
        self.actor = actor;
        self
    }

    /// With policies in another setting than the rules we ship.
    pub(crate) fn where_policy(mut self, key: &str, value: &str) -> Given {
        let version = "italy-2026";
        let text = crate::support::ITALY.replace("\r", "");
        let mark = format!("[policies.{key}]\nvalue = ");
        let (before, after) = text.split_once(&mark).expect("a policy of that name");
        let rest = after.split_once('\n').unwrap().1;
        let set = toml::from_str(&format!("{before}{mark}{value}\n{rest}")).unwrap();
        let book = RuleBook::from_sets([set]).unwrap();
        assert!(book.version(version).is_some() && book.validate().is_ok());
        // A few tests leak a few rules: it keeps the harness free of lifetimes.
        self.book = Box::leak(Box::new(book));
        self
    }

    /// The same case filed in Lombardy.
    pub(crate) fn of_lombardy(mut self) -> Given {
        let sets = [crate::support::ITALY, crate::support::LOMBARDY];
        let book = RuleBook::from_sets(sets.map(|text| toml::from_str(text).unwrap())).unwrap();
        assert!(book.validate().is_ok());
        self.book = Box::leak(Box::new(book));
        let mut log = self.log.clone();
        for event in &mut log {
            if let Event::Case(pratica_domain::case::Event::Opened(opened)) = event {
                opened.rules_version = "lombardia-2026".to_owned();
            }
        }
        self.case = fold(&log);
        self.log = log;
        self
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            comune: &COMUNE,
            case_id: CASE,
            now: self.now,
            actor: &self.actor,
            rules: self.book,
            calendar: &CALENDAR,
            request_id: Uuid::from_u128(1_000 + self.requests),
            written,
        }
    }

    /// Decides, without any check.
    pub(crate) fn ask(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        decide(&self.case, command, &self.context())
    }

    pub(crate) fn when(mut self, command: impl Into<Command>) -> Outcome {
        self.requests += 1;
        let command = command.into();
        let result = self.ask(&command);
        self.the_list_of_actions_agrees(&command, &result);
        Outcome { before: self, command, result, once: false }
    }

    /// What stands in the way of a command by the case alone.
    pub(crate) fn refusal_of(&self, command: &str) -> Option<Rejection> {
        let all = available_actions(&self.case, &self.context());
        all.into_iter().find(|a| a.command == command).and_then(|a| a.refusal)
    }

    /// A command that may be refused: what it records is taken in, and asked again it records
    /// nothing more.
    pub(crate) fn step(&mut self, command: &Command) -> Result<Vec<Event>, Rejection> {
        self.requests += 1;
        let result = self.ask(command);
        self.the_list_of_actions_agrees(command, &result);
        let events = result?;
        self.take(&events);
        // Nothing stands any more that could be taken back: asked again it is refused.
        if !events.is_empty() && command.name() != "case.withdraw_proposal" {
            assert_eq!(self.ask(command), Ok(Vec::new()), "{} again", command.name());
        }
        Ok(events)
    }

    pub(crate) fn later(self, days: i32) -> Given {
        let day = self.context().today().checked_add(days.days()).unwrap();
        self.on_day(day)
    }

    pub(crate) fn policy(&self, key: &str) -> Option<String> {
        self.book.version(self.case.rules_version())?.policy_text(key).map(str::to_owned)
    }

    /// Every clock with its end.
    pub(crate) fn clocks(&self) -> Vec<pratica_domain::case::ReckonedTerm> {
        let Some(rules) = self.book.version(self.case.rules_version()) else { return Vec::new() };
        self.case.file.terms.reckon_all(rules, &CALENDAR).unwrap()
    }

    fn the_list_of_actions_agrees(
        &self,
        command: &Command,
        result: &Result<Vec<Event>, Rejection>,
    ) {
        let Some(refusal) = self.refusal_of(command.name()) else { return };
        match result {
            Ok(events) => assert!(events.is_empty(), "{} is said to be refused", command.name()),
            // A rule about the content may come first.
            Err(r) if r.rule != refusal.rule => assert!(
                pratica_domain::all_actions()
                    .find(|a| a.command == command.name())
                    .and_then(|a| a.rules.iter().find(|rule| rule.name == r.rule))
                    .is_some_and(|rule| matches!(rule.check, Check::Content(_))),
                "{} was refused by {}, the list says {}",
                command.name(),
                r.rule,
                refusal.rule
            ),
            Err(r) => assert_eq!(r, &refusal),
        }
    }

    /// Takes events in, checking what holds of every event.
    pub(crate) fn take(&mut self, events: &[Event]) {
        for event in events {
            let written = written_and_read(event);
            assert_eq!(&written, event, "an event is read as it was written");
            self.case = evolve(std::mem::take(&mut self.case), event);
            self.log.push(event.clone());
        }
        assert_eq!(fold(&self.log), self.case, "folding the whole gives the same");
    }

    pub(crate) fn phase(&self) -> &'static str {
        self.case.phase()
    }

    /// The legal end of a term, if it is known.
    pub(crate) fn end_of(&self, term: &str) -> Option<Date> {
        self.reckoned(term).reckoning.end
    }

    pub(crate) fn reckoned(&self, term: &str) -> pratica_domain::case::ReckonedTerm {
        let rules = self.book.version(self.case.rules_version()).unwrap();
        let key = self.case.file.terms.keys().find(|key| key.as_str().starts_with(term));
        let key = key.unwrap_or_else(|| panic!("no clock {term}"));
        self.case.file.terms.reckon(key, rules, &CALENDAR).unwrap().unwrap()
    }

    pub(crate) fn ends_on(self, term: &str, end: &str) -> Given {
        assert_eq!(self.end_of(term).map(|d| d.to_string()).as_deref(), Some(end), "{term}");
        self
    }

    pub(crate) fn notice(&self) -> EntryId {
        self.case.file.terms.last_notice().expect("a notice").notice
    }

    pub(crate) fn request(&self) -> EntryId {
        *self.case.file.requests.keys().next_back().expect("a request")
    }

    pub(crate) fn suspension(&self) -> EntryId {
        *self.case.file.suspensions.keys().next_back().expect("a suspension")
    }

    pub(crate) fn document(&self, kind: &str) -> DocumentId {
        let found = self.case.file.documents.iter().find(|(_, d)| d.kind == kind);
        *found.unwrap_or_else(|| panic!("no document {kind}")).0
    }
}

pub(crate) fn payload(event: &Event) -> Value {
    event.serialize_payload(serde_json::value::Serializer).unwrap()
}

pub(crate) fn written_and_read(event: &Event) -> Event {
    Event::deserialize_payload(event.event_type(), payload(event)).unwrap().expect("a known event")
}

fn written(_: &Event) -> Written {
    Written { media_type: "text/plain", size_bytes: 10, sha256: "ab".repeat(32) }
}

/// What came of a command.
pub(crate) struct Outcome {
    before: Given,
    command: Command,
    result: Result<Vec<Event>, Rejection>,
    once: bool,
}

impl Outcome {
    /// The same request again is refused instead of recording nothing, and here is why.
    pub(crate) fn once_because(mut self, _reason: &str) -> Outcome {
        self.once = true;
        self
    }

    /// What was recorded, by name, documents that were written along left out.
    #[track_caller]
    pub(crate) fn then<const N: usize>(self, names: [&str; N]) -> Given {
        let name = self.command.name();
        let events = match &self.result {
            Ok(events) => events.clone(),
            Err(r) => panic!("{name} was refused: {r} by {} ({})", r.rule, r.article),
        };
        let found: Vec<_> = events
            .iter()
            .map(Event::event_type)
            .filter(|t| *t != "case.document_added" || names.contains(t))
            .collect();
        assert_eq!(found, names, "{name}");
        let mut after = self.before;
        after.take(&events);
        match after.ask(&self.command) {
            Ok(again) if !self.once => assert_eq!(again, [], "{name} again"),
            Err(r) if !self.once => panic!("{name} again was refused: {r} by {}", r.rule),
            Err(_) => {}
            Ok(again) => panic!("{name} again was marked as refused: {again:?}"),
        }
        after
    }

    /// As `then`, with some fields of one event.
    #[track_caller]
    pub(crate) fn with(self, name: &str, fields: &Value) -> Outcome {
        let events = self.result.as_ref().expect("recorded");
        let event = events.iter().find(|e| e.event_type() == name);
        let found = payload(event.unwrap_or_else(|| panic!("no {name} in {events:?}")));
        for (key, value) in fields.as_object().unwrap() {
            assert_eq!(found.get(key).unwrap_or(&Value::Null), value, "{name}.{key}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn rejected(self, code: Code) -> Given {
        match &self.result {
            Ok(events) => panic!("{} was not refused: {events:?}", self.command.name()),
            Err(r) => {
                assert_eq!(r.code, code, "{} by {}: {:?}", self.command.name(), r.rule, r.details);
            }
        }
        self.before
    }

    #[track_caller]
    pub(crate) fn nothing(self) -> Given {
        assert_eq!(self.result, Ok(Vec::new()), "{}", self.command.name());
        self.before
    }

    pub(crate) fn rejection(&self) -> Option<&Rejection> {
        self.result.as_ref().err()
    }
}
