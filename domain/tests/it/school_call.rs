//! A call: its life by the clock, its rules, and places that scroll.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use pratica_domain::ids::{CaseId, EntryId};
use pratica_domain::ranking::{
    Application, Choice, Document, Header, Input, Key, List, Reserve, Stage, commitment_of,
};
use pratica_domain::school::call::{
    Call, Command, Event as Own, OfferState, Phase, Plan, Prepared, Settlement, Surroundings,
    decide, evolve, rules,
};
use pratica_domain::term::first_instant_of;
use pratica_domain::{Context, Event, Rejection, RejectionCode as Code};
use proptest::prelude::*;
use uuid::Uuid;

use crate::given::{Given, nothing_yet, written_and_read};
use crate::ranking::{case, sha256};
use crate::school_scenarios::{plan_with, shipped};
use crate::support::day;

/// A call with its history, a day, and what its applications say.
#[derive(Clone)]
pub(crate) struct Told {
    call: Call,
    harness: Given,
    around: Surroundings,
    requests: u128,
}

fn told() -> Told {
    Told {
        call: Call::default(),
        harness: nothing_yet().on("2026-02-02"),
        around: Surroundings { criteria_sha256: "cd".repeat(32), ..Surroundings::default() },
        requests: 0,
    }
}

impl Told {
    fn on(mut self, date: &str) -> Told {
        self.harness = self.harness.on(date);
        self
    }

    fn context(&self) -> Context<'_> {
        Context { request_id: Uuid::from_u128(9_000 + self.requests), ..self.harness.context() }
    }

    fn ask(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        decide(&self.call, command, &self.around, &self.context())
    }

    #[track_caller]
    fn when(mut self, command: Command, names: &[&str]) -> Told {
        self.requests += 1;
        let events = self.ask(&command).unwrap_or_else(|r| panic!("{}: {r}", command.name()));
        let mut found: Vec<_> = events.iter().map(Event::event_type).collect();
        found.dedup();
        assert_eq!(found, names, "{}", command.name());
        for event in &events {
            assert_eq!(&written_and_read(event), event);
            self.call = evolve(std::mem::take(&mut self.call), event);
        }
        // What the applications say is of the moment; the call's own state keeps it from acting
        // twice.
        match self.ask(&command) {
            Ok(again) => assert_eq!(again, [], "{} again", command.name()),
            Err(r) => assert!(
                matches!(command, Command::Publish { .. }),
                "{} again was refused: {r}",
                command.name()
            ),
        }
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Surroundings)) -> Told {
        change(&mut self.around);
        self
    }
}

fn a_plan() -> Plan {
    let mut plan = plan_with(shipped()[2].clone(), &[("centro", 2), ("nord", 1)]);
    plan.criteria.reserves = vec![pratica_domain::school::criteria::ReserveRule {
        group: "protected".to_owned(),
        facts: vec!["disabled".to_owned(), "single_parent".to_owned()],
    }];
    plan.criteria.most_choices = 2;
    for school in plan.schools.values_mut() {
        for (band, places) in &mut school.bands {
            if band.as_str() == "medi" {
                places.reserved = vec![("protected".to_owned(), 1)];
            }
        }
    }
    plan
}

fn seed() -> String {
    commitment_of("acorn", sha256)
}

fn publish() -> Command {
    Command::Publish { act: "Det. 12/2026".to_owned(), seed_commitment: Some(seed()) }
}

fn reveal() -> Command {
    Command::RevealSeed { seed: "acorn".to_owned(), public_draw: String::new() }
}

fn drafted() -> Told {
    told().when(Command::Draft { plan: a_plan() }, &["call.drafted"])
}

fn published() -> Told {
    drafted().when(publish(), &["call.published"])
}

fn scoring() -> Told {
    published()
        .on("2026-03-02")
        .when(Command::Tick, &["call.window_opened"])
        .on("2026-04-01")
        .when(Command::Tick, &["call.window_closed"])
}

/// Five children of one band: 1 and 2 in the protected group, the others by their number.
fn document(stage: Stage, more: &[(u128, &[u32])]) -> Document {
    let medi = |school: &str, places: u32, reserved: u32| List {
        id: format!("{school}/medi").parse().unwrap(),
        places,
        reserves: vec![Reserve { group: "protected".to_owned(), places: reserved }],
    };
    let wants: Vec<(u128, Vec<u32>)> = if more.is_empty() {
        vec![(1, vec![0, 1]), (2, vec![0]), (3, vec![0, 1]), (4, vec![0, 1]), (5, vec![1, 0])]
    } else {
        more.iter().map(|(n, lists)| (*n, lists.to_vec())).collect()
    };
    let applications = wants
        .iter()
        .map(|(n, lists)| Application {
            id: case(*n),
            evidence: "ab".repeat(32),
            lot_of: case(*n),
            groups: (*n <= 2).then(|| "protected".to_owned()).into_iter().collect(),
            choices: lists
                .iter()
                .map(|list| {
                    let value = 100 - i64::try_from(*n).unwrap();
                    Choice { list: *list, values: vec![value] }
                })
                .collect(),
        })
        .collect();
    let keys = vec![Key {
        name: "score.main".to_owned(),
        better: pratica_domain::ranking::Better::Higher,
    }];
    let lists = vec![medi("centro", 2, 1), medi("nord", 1, 1)];
    let header = Header {
        call: pratica_domain::ids::CallId(Uuid::from_u128(1)),
        stage,
        criteria: "umbertide@2026-27".to_owned(),
        criteria_sha256: "cd".repeat(32),
        lots: None,
    };
    Document::compute(header, Input::new(keys, lists, applications).unwrap()).unwrap()
}

fn prepared(document: &Document) -> Prepared {
    let text = document.text();
    Prepared {
        sha256: sha256(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect(),
        applications: document.input.applications().len() as u64,
        as_of_position: 77,
        text,
    }
}

fn ready() -> Told {
    scoring()
        .on("2026-04-20")
        .with(|a| a.commitment_of_seed = Some(seed()))
        .when(reveal(), &["call.seed_revealed"])
        .with(|a| a.ranking = Some(prepared(&document(Stage::Provisional, &[]))))
}

fn provisional() -> Told {
    ready()
        .on("2026-05-04")
        .when(Command::PublishProvisional, &["call.ranking_page", "call.ranking_published"])
}

/// Nobody objected: definitive on the day after the fifteenth.
fn definitive() -> Told {
    provisional().on("2026-05-20").when(Command::Tick, &["call.ranking_became_definitive"])
}

fn offering() -> Told {
    definitive()
        .on("2026-06-01")
        .when(Command::StartOffers, &["call.offering_started", "call.place_offered"])
}

fn offers(call: &Call, list: &str) -> Vec<(u128, OfferState)> {
    let list = list.parse().unwrap();
    let mut found: Vec<_> = call
        .scroll
        .offers
        .values()
        .filter(|o| o.list == list)
        .map(|o| (o.application.0.as_u128(), o.state))
        .collect();
    found.sort_by_key(|(n, _)| *n);
    found
}

fn offer_of(call: &Call, n: u128, list: &str) -> EntryId {
    let list = list.parse().unwrap();
    let found = call.scroll.offers.iter().find(|(_, o)| o.application == case(n) && o.list == list);
    *found.unwrap_or_else(|| panic!("no offer to {n} in {list}")).0
}

#[test]
fn the_window_opens_and_closes_by_the_clock_with_its_legal_instants() {
    let call = scoring().call;
    assert_eq!(call.phase, Phase::Scoring);
    let late = published().on("2026-03-09");
    let events = late.ask(&Command::Tick).unwrap();
    let Event::Call(Own::WindowOpened(e)) = &events[0] else { panic!("{events:?}") };
    assert_eq!(e.legal_at, first_instant_of(day("2026-03-02")), "however late the clock is read");
    assert_eq!(published().call.due_on(), Some(day("2026-03-02")));
    assert_eq!(published().on("2026-03-01").ask(&Command::Tick), Ok(vec![]));
}

#[test]
fn a_draft_can_be_changed_and_a_published_call_cannot() {
    let mut plan = a_plan();
    plan.title = "Nidi, seconda stesura".to_owned();
    let revise = Command::Revise { plan };
    drafted().when(revise.clone(), &["call.revised"]);
    let refused = published().ask(&revise).unwrap_err();
    assert_eq!((refused.code, refused.rule), (Code::WrongPhase, "it_is_a_draft"));
}

#[test]
fn a_ranking_that_nobody_objects_to_becomes_definitive_without_a_second_act() {
    let call = definitive().call;
    let last = call.definitive.as_ref().unwrap();
    assert_eq!(last.facts.observations_until, Some(day("2026-05-19")));
    assert_eq!(last.text, call.provisional.as_ref().unwrap().text);
    // One observation, and the clock does nothing: the office answers and approves.
    let objected = provisional().on("2026-05-20").with(|a| a.observations = 1);
    assert_eq!(objected.ask(&Command::Tick), Ok(vec![]));
    let approved = objected.when(
        Command::ApproveDefinitive { act: "Det. 40/2026".to_owned() },
        &["call.ranking_page", "call.ranking_published"],
    );
    assert_eq!(approved.call.phase, Phase::Definitive);
}

#[test]
fn a_long_ranking_is_stored_in_pages_and_read_back_whole() {
    let wants: Vec<(u128, &[u32])> = (1..=2_500).map(|n| (n, &[0_u32, 1][..])).collect();
    let long = document(Stage::Provisional, &wants);
    let told = ready().with(|a| a.ranking = Some(prepared(&long))).on("2026-05-04");
    let events = told.ask(&Command::PublishProvisional).unwrap();
    assert!(events.len() > 3, "{} events", events.len());
    let told =
        told.when(Command::PublishProvisional, &["call.ranking_page", "call.ranking_published"]);
    let read = told.call.provisional.unwrap();
    assert_eq!(&*read.text, long.text());
    assert_eq!(read.document.as_deref(), Some(&long));
}

#[test]
fn the_first_round_offers_the_places_as_they_were_assigned() {
    let call = offering().call;
    let open = OfferState::Open;
    // 1 is protected and first; 2 is protected too, but the place is one; 3 is the next of all.
    assert_eq!(offers(&call, "centro/medi"), [(1, open), (2, open)]);
    assert_eq!(offers(&call, "nord/medi"), [(3, open)]);
    let reserved: Vec<_> =
        call.scroll.offers.values().filter_map(|o| o.reserve.as_deref()).collect();
    assert_eq!(reserved.len(), 1, "{reserved:?}");
}

#[test]
fn a_renounced_place_goes_to_the_next_in_line_once() {
    let told = offering();
    let offer = offer_of(&told.call, 3, "nord/medi");
    let settle = Command::Settle { offer, outcome: Settlement::Renounced };
    let told =
        told.on("2026-06-04").when(settle.clone(), &["call.offer_settled", "call.place_offered"]);
    let now = offers(&told.call, "nord/medi");
    assert_eq!(now.last().unwrap(), &(4, OfferState::Open));
    assert_eq!(told.ask(&settle), Ok(vec![]), "the same news again offers nothing again");
}

#[test]
fn who_accepts_one_place_gives_the_other_back() {
    // 3 holds an offer at its second choice; a place at its first becomes free.
    let told = offering().on("2026-06-04");
    let first = offer_of(&told.call, 2, "centro/medi");
    let told = told.when(
        Command::Settle { offer: first, outcome: Settlement::Lapsed },
        &["call.offer_settled", "call.place_offered"],
    );
    let better = offer_of(&told.call, 3, "centro/medi");
    let told = told
        .when(
            Command::Settle { offer: better, outcome: Settlement::Accepted },
            &["call.offer_settled"],
        )
        .when(
            Command::Settle {
                offer: offer_of(&offering().call, 3, "nord/medi"),
                outcome: Settlement::Dropped,
            },
            &["call.offer_settled", "call.place_offered"],
        );
    assert_eq!(told.call.scroll.accepted.get(&case(3)), Some(&better));
    assert!(offers(&told.call, "nord/medi").contains(&(4, OfferState::Open)));
}

#[test]
fn a_place_kept_for_a_group_goes_to_the_group_first_and_then_to_all() {
    let told = offering().on("2026-06-04");
    let kept = told.call.scroll.offers.iter().find(|(_, o)| o.reserve.is_some());
    let (offer, held) = kept.map(|(id, o)| (*id, o.clone())).unwrap();
    let told = told.when(
        Command::Settle { offer, outcome: Settlement::Renounced },
        &["call.offer_settled", "call.place_offered"],
    );
    // The other of the group has an open offer there already: the place goes to the next of all.
    let next = told.call.scroll.offers.values().filter(|o| o.state == OfferState::Open);
    assert!(next.filter(|o| o.list == held.list).any(|o| o.application == case(3)));
}

#[test]
fn who_leaves_the_lists_frees_what_they_held() {
    let told = offering().on("2026-09-01");
    let offer = offer_of(&told.call, 3, "nord/medi");
    let told = told
        .when(Command::Settle { offer, outcome: Settlement::Accepted }, &["call.offer_settled"])
        .when(
            Command::Release { application: case(3) },
            &["call.application_released", "call.place_offered"],
        );
    assert!(offers(&told.call, "nord/medi").contains(&(4, OfferState::Open)));
}

#[test]
fn new_places_are_offered_and_nobody_loses_one() {
    let told = offering();
    let change = |places| Command::ChangePlaces {
        list: "nord/medi".parse().unwrap(),
        places,
        act: "Det. 50/2026".to_owned(),
    };
    let refused = told.ask(&change(0)).unwrap_err();
    assert_eq!(refused.code, Code::PlacesTaken);
    let told = told.when(change(2), &["call.places_changed", "call.place_offered"]);
    assert!(offers(&told.call, "nord/medi").contains(&(4, OfferState::Open)));
}

#[test]
fn the_call_ends_with_the_school_year() {
    let told = offering().on("2027-07-01").when(Command::Tick, &["call.closed"]);
    assert_eq!(told.call.phase, Phase::Closed);
    assert_eq!(told.call.due_on(), None::<Date>);
}

/// Where each rule of each command refuses, for the tests and for the page.
pub(crate) fn rows() -> Vec<(&'static str, &'static str, Code, &'static str)> {
    refusals().into_iter().map(|(c, rule, code, on, ..)| (c, rule, code, on)).collect()
}

type Refusal = (&'static str, &'static str, Code, &'static str, Told, Command);

fn refusals() -> Vec<Refusal> {
    let bad_plan = {
        let mut plan = a_plan();
        plan.criteria.order.clear();
        plan
    };
    let approve = || Command::ApproveDefinitive { act: "Det. 40/2026".to_owned() };
    let change = |list: &str, places, act: &str| Command::ChangePlaces {
        list: list.parse().unwrap(),
        places,
        act: act.to_owned(),
    };
    let unpublished =
        |act: &str, seed_commitment| Command::Publish { act: act.to_owned(), seed_commitment };
    let after = || provisional().on("2026-05-20");
    let wrong = Code::WrongPhase;
    let settle = || Command::Settle {
        offer: offer_of(&offering().call, 3, "nord/medi"),
        outcome: Settlement::Lapsed,
    };
    let over = offering().on("2027-07-01").when(Command::Tick, &["call.closed"]);
    let release = Command::Release { application: case(3) };
    vec![
        (
            "call.draft",
            "the_call_is_new",
            wrong,
            "a second time",
            published(),
            Command::Draft { plan: a_plan() },
        ),
        (
            "call.draft",
            "the_plan_can_be_a_call",
            Code::CriteriaInvalid,
            "without an order",
            told(),
            Command::Draft { plan: bad_plan.clone() },
        ),
        (
            "call.revise",
            "it_is_a_draft",
            wrong,
            "once published",
            published(),
            Command::Revise { plan: bad_plan.clone() },
        ),
        (
            "call.revise",
            "the_plan_can_be_a_call",
            Code::CriteriaInvalid,
            "without an order",
            drafted(),
            Command::Revise { plan: bad_plan },
        ),
        ("call.publish", "it_is_a_draft", wrong, "once published", published(), publish()),
        (
            "call.publish",
            "the_act_is_named",
            Code::ReasonsMissing,
            "without its act",
            drafted(),
            unpublished(" ", Some(seed())),
        ),
        (
            "call.publish",
            "the_window_is_to_come",
            Code::DateTooEarly,
            "after its window",
            drafted().on("2026-04-01"),
            publish(),
        ),
        (
            "call.publish",
            "lots_have_a_commitment",
            Code::SeedNotCommitted,
            "with lots and no commitment",
            drafted(),
            unpublished("Det. 12/2026", None),
        ),
        (
            "call.reveal_seed",
            "the_window_is_closed",
            wrong,
            "within the window",
            published(),
            reveal(),
        ),
        (
            "call.reveal_seed",
            "the_seed_is_the_committed_one",
            Code::SeedMismatch,
            "with another seed",
            scoring(),
            reveal(),
        ),
        (
            "call.publish_provisional",
            "the_window_is_closed",
            wrong,
            "within the window",
            published(),
            Command::PublishProvisional,
        ),
        (
            "call.publish_provisional",
            "lots_are_drawn",
            Code::SeedNotRevealed,
            "before the lots are drawn",
            scoring(),
            Command::PublishProvisional,
        ),
        (
            "call.publish_provisional",
            "every_application_is_scored",
            Code::ApplicationsUnscored,
            "with one application unscored",
            ready().with(|a| a.unscored = 1),
            Command::PublishProvisional,
        ),
        (
            "call.publish_provisional",
            "no_child_applies_twice",
            Code::ChildAppliesTwice,
            "with a child twice",
            ready().with(|a| a.children_twice = 1),
            Command::PublishProvisional,
        ),
        (
            "call.publish_provisional",
            "the_ranking_is_there",
            Code::FormIncomplete,
            "without a ranking",
            ready().with(|a| a.ranking = None),
            Command::PublishProvisional,
        ),
        (
            "call.approve_definitive",
            "the_ranking_is_provisional",
            wrong,
            "before the provisional ranking",
            ready(),
            approve(),
        ),
        (
            "call.approve_definitive",
            "observations_could_be_filed",
            Code::ObservationWindowOpen,
            "while observations may be filed",
            provisional(),
            approve(),
        ),
        (
            "call.approve_definitive",
            "observations_are_answered",
            Code::ObservationsUnanswered,
            "with an observation unanswered",
            after().with(|a| a.unanswered = 1),
            approve(),
        ),
        (
            "call.approve_definitive",
            "every_application_is_scored",
            Code::ApplicationsUnscored,
            "with one application unscored",
            after().with(|a| a.unscored = 1),
            approve(),
        ),
        (
            "call.approve_definitive",
            "the_act_is_named",
            Code::ReasonsMissing,
            "without its act",
            after(),
            Command::ApproveDefinitive { act: String::new() },
        ),
        (
            "call.approve_definitive",
            "the_ranking_is_there",
            Code::FormIncomplete,
            "without a ranking",
            after().with(|a| a.ranking = None),
            approve(),
        ),
        (
            "call.start_offers",
            "the_ranking_is_definitive",
            wrong,
            "by a provisional ranking",
            provisional(),
            Command::StartOffers,
        ),
        (
            "call.change_places",
            "places_are_being_offered",
            wrong,
            "before offers",
            definitive(),
            change("nord/medi", 3, "Det."),
        ),
        (
            "call.change_places",
            "the_list_is_of_the_call",
            Code::UnknownSchool,
            "of another school",
            offering(),
            change("sud/medi", 3, "Det."),
        ),
        (
            "call.change_places",
            "nobody_loses_a_place",
            Code::PlacesTaken,
            "below what is taken",
            offering(),
            change("nord/medi", 0, "Det."),
        ),
        (
            "call.change_places",
            "the_act_is_named",
            Code::ReasonsMissing,
            "without its act",
            offering(),
            change("nord/medi", 3, " "),
        ),
        ("call.settle", "places_are_being_offered", wrong, "after the end", over.clone(), settle()),
        ("call.release", "the_call_is_published", wrong, "after the end", over, release),
    ]
}

#[test]
fn each_rule_of_a_call_refuses_with_its_own_name_and_code() {
    for (name, rule, code, on, told, command) in refusals() {
        assert_eq!(command.name(), name);
        let refused = told.ask(&command).expect_err(on);
        assert_eq!((refused.rule, refused.code), (rule, code), "{name} {on}");
    }
    let tried: BTreeSet<_> = refusals().iter().map(|r| (r.0, r.1)).collect();
    let listed: BTreeSet<_> =
        rules::ACTIONS.iter().flat_map(|a| a.rules.iter().map(|r| (a.command, r.name))).collect();
    assert_eq!(tried, listed);
}

/// What may happen to places, in any order.
#[derive(Debug, Clone)]
enum Happens {
    Settles(prop::sample::Index, Settlement),
    Leaves(u128),
    Places(bool, u32),
}

fn happens() -> impl Strategy<Value = Happens> {
    let how = prop::sample::select(vec![
        Settlement::Accepted,
        Settlement::Renounced,
        Settlement::Lapsed,
        Settlement::Dropped,
        Settlement::Unavailable,
    ]);
    prop_oneof![
        6 => (any::<prop::sample::Index>(), how).prop_map(|(i, s)| Happens::Settles(i, s)),
        2 => (1_u128..=12).prop_map(Happens::Leaves),
        1 => (any::<bool>(), 0_u32..5).prop_map(|(b, n)| Happens::Places(b, n)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Whatever arrives in whatever order: never more offers and acceptances than places, nobody
    /// with two places, nobody waiting while a place is free.
    #[test]
    fn places_scroll_without_being_given_twice_or_left_empty(
        wants in prop::collection::vec(prop::sample::select(vec![vec![0], vec![1], vec![0, 1], vec![1, 0]]), 3..12),
        story in prop::collection::vec(happens(), 0..25),
    ) {
        let wants: Vec<(u128, Vec<u32>)> = (1..).zip(wants).collect();
        let wants: Vec<(u128, &[u32])> = wants.iter().map(|(n, w)| (*n, w.as_slice())).collect();
        let ranking = prepared(&document(Stage::Provisional, &wants));
        let mut told = ready().with(|a| a.ranking = Some(ranking)).on("2026-05-04");
        let take = |told: &mut Told, command: Command| {
            told.requests += 1;
            if let Ok(events) = told.ask(&command) {
                for event in &events {
                    told.call = evolve(std::mem::take(&mut told.call), event);
                }
            }
        };
        take(&mut told, Command::PublishProvisional);
        told = told.on("2026-05-20");
        take(&mut told, Command::Tick);
        take(&mut told, Command::StartOffers);
        prop_assert_eq!(told.call.phase, Phase::Offering);
        the_places_are_well_kept(&told.call)?;
        for happens in story {
            let command = match happens {
                Happens::Settles(index, outcome) => {
                    let offers: Vec<EntryId> = told.call.scroll.offers.keys().copied().collect();
                    if offers.is_empty() {
                        continue;
                    }
                    let offer = offers[index.index(offers.len())];
                    let who = told.call.scroll.offers[&offer].application;
                    // The family's own case says accepted once only.
                    if outcome == Settlement::Accepted && told.call.scroll.accepted.contains_key(&who) {
                        continue;
                    }
                    Command::Settle { offer, outcome }
                }
                Happens::Leaves(n) => Command::Release { application: case(n) },
                Happens::Places(first, places) => Command::ChangePlaces {
                    list: if first { "centro/medi" } else { "nord/medi" }.parse().unwrap(),
                    places,
                    act: "Det.".to_owned(),
                },
            };
            take(&mut told, command);
            the_places_are_well_kept(&told.call)?;
        }
    }
}

fn the_places_are_well_kept(call: &Call) -> Result<(), TestCaseError> {
    let document = call.ranking().unwrap();
    let mut accepted: BTreeMap<CaseId, usize> = BTreeMap::new();
    for (list, places) in &call.scroll.places {
        let kept = call.scroll.offers.values().filter(|o| o.keeps_a_place() && o.list == *list);
        let kept: Vec<_> = kept.collect();
        prop_assert!(kept.len() <= *places as usize, "{} of {places} in {list}", kept.len());
        for held in kept.iter().filter(|o| o.state != OfferState::Open) {
            *accepted.entry(held.application).or_default() += 1;
        }
        if call.scroll.free(list) > 0 {
            prop_assert_eq!(call.scroll.line(document, list).next(), None, "free in {}", list);
        }
    }
    prop_assert!(accepted.values().all(|n| *n == 1), "{accepted:?}");
    Ok(())
}
