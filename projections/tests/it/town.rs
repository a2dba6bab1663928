//! A small town for the tests: events appended to a log in memory, without deciders, so that each
//! test says exactly what happened.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use pratica_domain::case::{
    self, Channel, ClockEffect, DeliveryMode, Direction, NoticeStopsAt, PartyRole, Procedure,
    RequestKind, TermKey,
};
use pratica_domain::ids::{CaseId, DocumentId, EntryId, ProtocolNumber, SubjectId};
use pratica_domain::people::{Address, FiscalCode, Person, Personal};
use pratica_domain::register;
use pratica_domain::residency::{self, CHECKS, Content, Kind, RegistrationMode};
use pratica_domain::term::{Calendar, Length, RuleBook, first_instant_of};
use pratica_domain::{Event, imported};
use pratica_projections::{Projector, Rules, Views, ViewsOptions};
use pratica_store::{
    AppendRequest, EventAppender, EventReader, Expected, MemoryLog, Metadata, Position,
    RecordedEvent, Revision, StreamName, Vault, codec,
};
use uuid::Uuid;

const ITALY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/italy-2026.toml"));

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn rules() -> Arc<Rules> {
    let book = RuleBook::from_sets([toml::from_str(ITALY).unwrap()]).unwrap();
    Arc::new(Rules { book, calendar: Calendar::national() })
}

pub(crate) fn case(n: u128) -> CaseId {
    CaseId(Uuid::from_u128(n))
}

pub(crate) fn entry(n: u128) -> EntryId {
    EntryId(Uuid::from_u128(n))
}

pub(crate) fn subject(n: u128) -> SubjectId {
    SubjectId(Uuid::from_u128(0xfeed << 64 | n))
}

pub(crate) fn document(n: u128) -> DocumentId {
    DocumentId(Uuid::from_u128(0xd0c << 64 | n))
}

pub(crate) fn stream(n: u128) -> StreamName {
    StreamName::parse(&format!("town.residency-{}", case(n))).unwrap()
}

pub(crate) fn register_stream() -> StreamName {
    StreamName::parse("town.register-2026").unwrap()
}

/// A log with its writer.
pub(crate) struct Town {
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) vault: Arc<Vault>,
    next: BTreeMap<StreamName, Revision>,
    events: u128,
    registered: u64,
}

impl Town {
    pub(crate) fn new() -> Town {
        Town {
            log: Arc::default(),
            vault: vault(),
            next: BTreeMap::new(),
            events: 0,
            registered: 0,
        }
    }

    pub(crate) fn reader(&self) -> Arc<dyn EventReader> {
        self.log.clone()
    }

    pub(crate) async fn record(&mut self, stream: StreamName, on: Date, events: Vec<Event>) {
        let at = first_instant_of(on) + 10.hours();
        let new = events
            .iter()
            .map(|event| {
                self.events += 1;
                let id = Uuid::from_u128(self.events);
                codec::encode(event, id, &stream, at, metadata(), &self.vault).unwrap()
            })
            .collect();
        self.append(stream, at, new).await;
    }

    pub(crate) async fn append(
        &mut self,
        stream: StreamName,
        recorded_at: Timestamp,
        events: Vec<pratica_store::NewEvent>,
    ) {
        let expected = match self.next.get(&stream) {
            None => Expected::NoStream,
            Some(revision) => Expected::Exact(*revision),
        };
        let request =
            AppendRequest { stream: stream.clone(), expected, events, request: None, recorded_at };
        let done = self.log.append(request).await.unwrap();
        self.next.insert(stream, done.revision.unwrap());
    }

    pub(crate) async fn on(&mut self, n: u128, on: &str, events: Vec<Event>) {
        self.record(stream(n), day(on), events).await;
    }

    /// A declaration from another comune, by the person `family name` with an account.
    pub(crate) async fn declare(&mut self, n: u128, on: &str, name: &str, account: &str) {
        self.on(n, on, declared(n, day(on), "anagrafe", name, account)).await;
    }

    /// Registers the document of a case in the protocol register, and tells the case.
    pub(crate) async fn register(&mut self, n: u128, document_n: u128, on: &str) {
        self.registered += 1;
        let number = ProtocolNumber { year: 2026, number: self.registered };
        let registered = register::Registered {
            number,
            registered_on: day(on),
            direction: Direction::Incoming,
            correspondent: Personal::new(subject(n), "Rossi Mario".to_owned()),
            object: Personal::new(subject(n), "residency: declaration".to_owned()),
            sha256: "a".repeat(64),
            case: Some(case(n)),
            document: Some(document(document_n)),
            filed_on: None,
            emergency_number: None,
        };
        self.record(register_stream(), day(on), vec![Event::Register(registered.into())]).await;
        let told = case::DocumentRegistered {
            document: document(document_n),
            number,
            registered_on: day(on),
        };
        self.on(n, on, vec![Event::Case(told.into())]).await;
    }

    pub(crate) async fn all(&self) -> Vec<RecordedEvent> {
        let log = self.reader();
        let mut all = Vec::new();
        loop {
            let from = Position::new(all.len() as u64);
            let page = log
                .read_all(
                    from,
                    pratica_store::Direction::Forwards,
                    &pratica_store::Filter::all(),
                    1000,
                )
                .await
                .unwrap();
            if page.events.is_empty() {
                return all;
            }
            all.extend(page.events);
        }
    }
}

/// One vault for all: views made with another index differ from it.
pub(crate) fn vault() -> Arc<Vault> {
    static VAULT: OnceLock<Arc<Vault>> = OnceLock::new();
    Arc::clone(VAULT.get_or_init(|| Arc::new(Vault::in_memory().unwrap())))
}

fn metadata() -> Metadata {
    Metadata {
        actor: "clerk.1".to_owned(),
        role: "clerk".to_owned(),
        on_behalf_of: None,
        request_id: None,
        correlation_id: Uuid::from_u128(1),
        causation_id: None,
        rules_version: "italy-2026".to_owned(),
    }
}

/// Views of their own in a directory of their own, nothing applied.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) views: Views,
    pub(crate) projector: Projector,
}

pub(crate) fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let (views, projector) = open(&dir);
    Place { dir, views, projector }
}

pub(crate) fn open(dir: &tempfile::TempDir) -> (Views, Projector) {
    Views::open(&dir.path().join("views.db"), ViewsOptions::default(), vault()).unwrap()
}

/// Views that have applied the whole log of a town.
pub(crate) async fn caught_up(town: &Town) -> Place {
    let mut place = place();
    place.projector.catch_up(town.reader(), &rules()).await.unwrap();
    place
}

pub(crate) fn person(name: &str) -> Person {
    Person {
        given_name: "Mario".to_owned(),
        family_name: name.to_owned(),
        fiscal_code: FiscalCode::parse("RSSMRA80A01H501U").ok().filter(|_| name == "Rossi"),
        birth_date: Some(day("1980-01-01")),
        contact: None,
    }
}

pub(crate) fn opened(on: Date, office: &str) -> case::Opened {
    case::Opened {
        procedure: Procedure::Residency,
        kind: "from_other_comune".to_owned(),
        filed_on: on,
        filed_at: first_instant_of(on) + 9.hours(),
        channel: Channel::Portal,
        rules_version: "italy-2026".to_owned(),
        office: office.parse().unwrap(),
        reference: None,
    }
}

pub(crate) fn party(n: u128, role: PartyRole, name: &str, account: &str) -> Event {
    let added = case::PartyAdded {
        subject: subject(n),
        role,
        person: Personal::new(subject(n), person(name)),
        account: Some(account.to_owned()).filter(|a| !a.is_empty()),
    };
    Event::Case(added.into())
}

pub(crate) fn declared(n: u128, on: Date, office: &str, name: &str, account: &str) -> Vec<Event> {
    let declared = residency::Declared {
        kind: Kind::FromOtherComune,
        filed_at: first_instant_of(on) + 9.hours(),
        fact_on: None,
        declared_late: false,
        content: Content {
            ministry_form: true,
            origin: "Modena".to_owned(),
            address: Personal::new(
                subject(n),
                Address {
                    street: "via Segreta 1".to_owned(),
                    postcode: String::new(),
                    municipality: "Town".to_owned(),
                    province: String::new(),
                },
            ),
            title: None,
            title_details: None,
            members: Vec::new(),
            family_consent: None,
            other_parent_told: None,
        },
    };
    vec![
        Event::Case(opened(on, office).into()),
        party(n, PartyRole::Applicant, name, account),
        Event::Residency(declared.into()),
        added(n, "declaration", Direction::Incoming, on),
    ]
}

pub(crate) fn added(n: u128, kind: &str, direction: Direction, on: Date) -> Event {
    let added = case::DocumentAdded {
        document: document(n),
        kind: kind.to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: 1000,
        sha256: "a".repeat(64),
        direction,
        dated_on: on,
        version: 1,
        replaces: None,
        attached_to: None,
    };
    Event::Case(added.into())
}

pub(crate) fn assigned(office: &str, officer: Option<&str>) -> Event {
    let assigned = case::Assigned {
        office: office.parse().unwrap(),
        officer: officer.map(|o| o.parse().unwrap()),
        reason: None,
    };
    Event::Case(assigned.into())
}

pub(crate) fn registered(on: Date, filed_on: Date) -> Event {
    let registered = residency::Registered {
        registered_on: on,
        effective_from: filed_on,
        mode: RegistrationMode::OnDeclaration,
        late: false,
        anpr_reason: None,
    };
    Event::Residency(registered.into())
}

pub(crate) fn requested(request: u128, n: u128, on: Date) -> Event {
    let sent = case::RequestSent {
        request: entry(request),
        kind: RequestKind::Additions,
        text: Personal::new(subject(n), "Segreto".to_owned()),
        sent_on: on,
        answer_within: Length::days(30),
        clock: ClockEffect::Suspends { term: TermKey::of(CHECKS), cap_days: None },
        basis: "L. 241/1990 art. 6".to_owned(),
    };
    Event::Case(sent.into())
}

pub(crate) fn answered(request: u128, on: Date) -> Event {
    let answered =
        case::RequestAnswered { request: entry(request), answered_on: on, documents: Vec::new() };
    Event::Case(answered.into())
}

pub(crate) fn notice(n: u128, on: Date) -> Event {
    let sent = case::NoticeSent {
        notice: entry(n),
        sent_on: on,
        mode: DeliveryMode::Pec,
        reasons: vec![Personal::new(subject(n), "Segreto".to_owned())],
        suspends: vec![TermKey::of(CHECKS)],
        stops_at: NoticeStopsAt::Sending,
    };
    Event::Case(sent.into())
}

pub(crate) fn notice_received(n: u128, on: Date) -> Event {
    let received =
        case::NoticeReceived { notice: entry(n), received_on: on, mode: DeliveryMode::Pec };
    Event::Case(received.into())
}

pub(crate) fn suspended(id: u128, on: Date) -> Event {
    let suspended = case::TermSuspended {
        term: TermKey::of(CHECKS),
        suspension: entry(id),
        suspended_on: on,
        cap_days: Some(30),
        reason: personal("held by another comune"),
        basis: "L. 241/1990 art. 2 c. 7".to_owned(),
    };
    Event::Case(suspended.into())
}

pub(crate) fn resumed(id: u128, on: Date) -> Event {
    let resumed =
        case::TermResumed { term: TermKey::of(CHECKS), suspension: entry(id), resumed_on: on };
    Event::Case(resumed.into())
}

pub(crate) fn noted(id: u128, n: u128) -> Event {
    let text = Personal::new(subject(n), "Segreto".to_owned());
    Event::Case(case::NoteAdded { note: entry(id), text }.into())
}

pub(crate) fn confirmed(on: Date) -> Event {
    Event::Residency(residency::Confirmed { confirmed_on: on, reasons: None, late: None }.into())
}

pub(crate) fn expired(term: &str, due: Date) -> Event {
    let expired = case::TermExpired {
        term: TermKey::of(term),
        due_on: due,
        legal_at: first_instant_of(due.tomorrow().unwrap()),
    };
    Event::Case(expired.into())
}

pub(crate) fn reopened(on: Date) -> Event {
    let reopened = case::Reopened {
        ground: case::ReopeningGround::OwnAnnulment,
        reference: personal("act 1"),
        reopened_on: on,
        restarts: vec![TermKey::of(CHECKS)],
    };
    Event::Case(reopened.into())
}

/// An imported case that took a number of days.
pub(crate) fn imported_case(kind: &str, on: Date, took_days: i64) -> Vec<Event> {
    let closed_on = on + took_days.days();
    let opened = case::Opened {
        channel: Channel::Import,
        kind: kind.to_owned(),
        procedure: Procedure::Permit,
        reference: Some(format!("OLD-{took_days}")),
        ..opened(on, "edilizia")
    };
    let term = imported::TermSet { term: TermKey::of("case.general"), from: on, length: None };
    let closed = imported::Closed { outcome: imported::Outcome::Granted, closed_on };
    vec![Event::Case(opened.into()), Event::Imported(term.into()), Event::Imported(closed.into())]
}

/// A generator of pseudo-random numbers with a printed seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// A random history: cases of three offices that are declared, moved, asked, decided, reopened.
pub(crate) async fn random_town(seed: u64, steps: u64) -> Town {
    let mut town = Town::new();
    grow(&mut town, &mut Dice(seed), steps).await;
    town
}

pub(crate) async fn grow(town: &mut Town, dice: &mut Dice, steps: u64) {
    const OFFICES: [&str; 3] = ["anagrafe", "edilizia", "scuola"];
    const OFFICERS: [Option<&str>; 4] = [None, Some("anna"), Some("bruno"), Some("carla")];
    const NAMES: [&str; 4] = ["Rossi", "D'Àngelo", "Bianchi", "Angeli"];
    let first = day("2026-02-02");
    for _ in 0..steps {
        let cases = town.next.keys().filter(|s| s.kind() == "residency").count() as u128;
        let id = town.events + 1_000_000;
        let on = first + (i64::try_from(town.events / 3).unwrap() % 150).days();
        let pick = |dice: &mut Dice, n: usize| usize::try_from(dice.below(n as u64)).unwrap();
        let n = u128::from(dice.below(u64::try_from(cases).unwrap().max(1)));
        let event = match dice.below(12) {
            _ if cases == 0 => None,
            0..=2 => None,
            3 | 4 => Some(assigned(OFFICES[pick(dice, 3)], OFFICERS[pick(dice, 4)])),
            5 => Some(requested(id, n, on)),
            6 => Some(notice(id, on)),
            7 => Some(suspended(id, on)),
            8 => Some(confirmed(on)),
            9 => Some(reopened(on)),
            10 => Some(registered(on, on)),
            _ => {
                town.register(n, n, &on.to_string()).await;
                continue;
            }
        };
        match event {
            Some(event) => town.record(stream(n), on, vec![event]).await,
            None => {
                let (office, name) = (OFFICES[pick(dice, 3)], NAMES[pick(dice, 4)]);
                let account = format!("account-{}", dice.below(5));
                let events = declared(cases, on, office, name, &account);
                town.record(stream(cases), on, events).await;
            }
        }
    }
}

/// Words that belong to somebody.
pub(crate) fn personal(words: &str) -> Personal<String> {
    let subject = pratica_domain::ids::SubjectId(uuid::Uuid::nil());
    Personal::new(subject, words.to_owned())
}
