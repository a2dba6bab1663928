//! The protocol register: one number after the other, and the acts about it.

use pratica_domain::case::Direction;
use pratica_domain::ids::{ProtocolNumber, SubjectId};
use pratica_domain::people::Personal;
use pratica_domain::register::{
    ActCommand, Acts, Entry, RegisterHead, Registers, decide_act, evolve_acts, register,
};
use pratica_domain::{Context, Event, RejectionCode as Code};
use serde_json::json;
use uuid::Uuid;

use crate::given::{nothing_yet, payload, written_and_read};
use crate::scenarios::FILED;
use crate::support::day;

fn entry() -> Entry {
    Entry {
        direction: Direction::Incoming,
        correspondent: Personal::new(SubjectId(Uuid::nil()), "Rossi Ada".to_owned()),
        object: words("residency: declaration"),
        sha256: "ab".repeat(32),
        case: None,
        document: None,
        filed_on: Some(day(FILED)),
        emergency_number: None,
    }
}

fn words(text: &str) -> Personal<String> {
    Personal::new(SubjectId(Uuid::nil()), text.to_owned())
}

fn number(number: u64) -> ProtocolNumber {
    ProtocolNumber { year: 2026, number }
}

fn annul(n: u64) -> ActCommand {
    ActCommand::Annul {
        number: number(n),
        reason: "Doppione".to_owned(),
        authorisation: "Det. 3/2026".to_owned(),
    }
}

fn close(date: &str) -> ActCommand {
    ActCommand::CloseDay { day: day(date), first: Some(1), last: 4, sha256: "ab".repeat(32) }
}

/// A register that has given out ten numbers.
fn registers() -> Registers {
    let heads = vec![RegisterHead { year: 2026, registrations: 10 }];
    Registers { year: 2026, heads, first_open: None }
}

/// Decides and folds, and asks the same again: an annulment then records nothing.
fn act(acts: Acts, command: &ActCommand, ctx: &Context<'_>) -> (Acts, Event) {
    let events = decide_act(&acts, command, &registers(), ctx).unwrap();
    let [event] = events.as_slice() else { panic!("one act, one event: {events:?}") };
    assert_eq!(&written_and_read(event), event);
    (evolve_acts(acts, event), event.clone())
}

fn refused(acts: &Acts, command: &ActCommand, ctx: &Context<'_>) -> Code {
    decide_act(acts, command, &registers(), ctx).unwrap_err().code
}

#[test]
fn numbers_follow_one_another_without_a_gap() {
    let at = nothing_yet().on("2026-03-03");
    let ctx = at.context();
    for registrations in 0..50 {
        let head = RegisterHead { year: 2026, registrations };
        let (given, event) = register(head, &entry(), &ctx).unwrap();
        assert_eq!(given, number(registrations + 1));
        assert_eq!(payload(&event)["filed_on"], json!(FILED), "registered later than filed");
        assert_eq!(written_and_read(&event), event);
    }
    assert_eq!(number(42).to_string(), "0000042/2026");
}

#[test]
fn the_year_turns_at_midnight_in_rome() {
    let head = |year| RegisterHead { year, registrations: 900 };
    let before = nothing_yet().at("2026-12-31T22:59:59Z");
    assert_eq!(register(head(2026), &entry(), &before.context()).unwrap().0.number, 901);
    let after = nothing_yet().at("2026-12-31T23:00:00Z");
    let refusal = register(head(2026), &entry(), &after.context()).unwrap_err();
    assert_eq!(refusal.code, Code::WrongYear);
    let new = RegisterHead { year: 2027, registrations: 0 };
    let (first, event) = register(new, &entry(), &after.context()).unwrap();
    assert_eq!(first, ProtocolNumber { year: 2027, number: 1 });
    assert_eq!(payload(&event)["registered_on"], json!("2027-01-01"));
}

#[test]
fn a_registration_needs_an_object_a_correspondent_a_hash_and_a_direction() {
    let at = nothing_yet().on(FILED);
    type Spoil = fn(&mut Entry);
    let spoil: [(&str, Spoil); 5] = [
        ("object", |e| e.object.value.clear()),
        ("correspondent", |e| e.correspondent.value.clear()),
        ("sha256", |e| e.sha256 = "short".to_owned()),
        ("sha256", |e| e.sha256 = "zz".repeat(32)),
        ("direction", |e| e.direction = Direction::Internal),
    ];
    for (field, spoil) in spoil {
        let mut entry = entry();
        spoil(&mut entry);
        let head = RegisterHead { year: 2026, registrations: 0 };
        let refusal = register(head, &entry, &at.context()).unwrap_err();
        assert_eq!(refusal.code, Code::FormIncomplete);
        assert_eq!(refusal.details["field"], field);
    }
}

#[test]
fn an_annulled_registration_stays_and_is_annulled_once() {
    let at = nothing_yet().on("2026-03-05");
    let ctx = at.context();
    let (acts, event) = act(Acts::default(), &annul(4), &ctx);
    assert_eq!(payload(&event)["authorisation"]["value"], json!("Det. 3/2026"));
    assert_eq!(decide_act(&acts, &annul(4), &registers(), &ctx), Ok(Vec::new()));
    assert!(acts.annulled.contains(&4));
    for unknown in [0, 11] {
        assert_eq!(refused(&acts, &annul(unknown), &ctx), Code::UnknownRegistration);
    }
}

#[test]
fn an_annulment_needs_a_reason_and_an_authorisation() {
    let at = nothing_yet().on("2026-03-05");
    let with = |reason: &str, authorisation: &str| ActCommand::Annul {
        number: number(4),
        reason: reason.to_owned(),
        authorisation: authorisation.to_owned(),
    };
    let acts = Acts::default();
    assert_eq!(refused(&acts, &with(" ", "Det. 3"), &at.context()), Code::ReasonsMissing);
    assert_eq!(refused(&acts, &with("Errore", " "), &at.context()), Code::AuthorisationMissing);
}

#[test]
fn a_day_is_closed_once_and_only_when_it_is_over_in_rome() {
    // 22:30 UTC on 4 March is 23:30 in Rome; half an hour later the day is over.
    let still = nothing_yet().at("2026-03-04T22:30:00Z");
    assert_eq!(refused(&Acts::default(), &close("2026-03-04"), &still.context()), Code::DayNotOver);
    let over = nothing_yet().at("2026-03-04T23:00:00Z");
    let (acts, _) = act(Acts::default(), &close("2026-03-04"), &over.context());
    assert_eq!(refused(&acts, &close("2026-03-04"), &over.context()), Code::DayAlreadyClosed);
    let (acts, _) = act(acts, &close("2026-03-03"), &over.context());
    assert_eq!((acts.closed_days.len(), acts.closed_last), (2, 4), "a day without registrations");
}

#[test]
fn a_day_is_closed_after_every_earlier_day_that_has_registrations() {
    let at = nothing_yet().on("2026-03-05");
    let open = Registers { first_open: Some(day("2026-03-03")), ..registers() };
    let ask = |date| decide_act(&Acts::default(), &close(date), &open, &at.context());
    let refusal = ask("2026-03-04").unwrap_err();
    assert_eq!(refusal.code, Code::EarlierDayOpen);
    assert_eq!(refusal.details["first_open"], "2026-03-03");
    assert!(ask("2026-03-03").is_ok());
    assert!(
        ask("2026-03-02").is_ok(),
        "a day without registrations takes nothing from a later one"
    );
}

#[test]
fn an_act_about_another_years_number_or_day_is_refused() {
    let at = nothing_yet().on("2026-03-05");
    let elsewhere = Registers { year: 2025, ..registers() };
    let mut acts = Acts::default();
    acts.annulled.insert(4);
    for command in [annul(4), annul(5), close("2026-03-04")] {
        let refusal = decide_act(&acts, &command, &elsewhere, &at.context()).unwrap_err();
        assert_eq!(refusal.code, Code::WrongYear);
        assert_eq!(refusal.details["year"], "2025");
    }
}

#[test]
fn an_emergency_of_one_year_recovers_into_the_register_of_the_next() {
    let at = nothing_yet().on("2027-01-02");
    let acts = Acts { emergency_since: Some(at.context().now), ..Acts::default() };
    let into = |year, n| ActCommand::CloseEmergency {
        recovered: vec![(1, ProtocolNumber { year, number: n })],
    };
    let mut both = registers();
    both.heads.push(RegisterHead { year: 2027, registrations: 3 });
    assert!(decide_act(&acts, &into(2027, 3), &both, &at.context()).is_ok());
    for unknown in [into(2027, 4), into(2028, 1)] {
        let refusal = decide_act(&acts, &unknown, &both, &at.context()).unwrap_err();
        assert_eq!(refusal.code, Code::UnknownRegistration);
    }
}

#[test]
fn the_emergency_register_opens_once_and_recovers_into_numbers_that_exist() {
    let at = nothing_yet().on("2026-03-05");
    let ctx = at.context();
    let open = |reason: &str, at: jiff::Timestamp| ActCommand::OpenEmergency {
        reason: reason.to_owned(),
        opened_at: at,
    };
    let recover = |n| ActCommand::CloseEmergency { recovered: vec![(1, number(n))] };
    let none = Acts::default();
    assert_eq!(refused(&none, &recover(9), &ctx), Code::NoEmergency);
    assert_eq!(refused(&none, &open(" ", ctx.now), &ctx), Code::AuthorisationMissing);
    let tomorrow = nothing_yet().on("2026-03-06").context().now;
    assert_eq!(refused(&none, &open("Guasto", tomorrow), &ctx), Code::DateInFuture);
    let (acts, _) = act(none, &open("Guasto, det. 9", ctx.now), &ctx);
    assert_eq!(refused(&acts, &open("Guasto", ctx.now), &ctx), Code::EmergencyAlreadyOpen);
    assert_eq!(refused(&acts, &recover(11), &ctx), Code::UnknownRegistration);
    let (acts, _) = act(acts, &recover(9), &ctx);
    assert_eq!((acts.emergency_since, acts.events), (None, 2));
}
