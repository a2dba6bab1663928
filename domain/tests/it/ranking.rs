//! The ranking: total order, reasons, reserved places, lots, bytes, differences.

use std::collections::BTreeSet;

use pratica_domain::ids::{CallId, CaseId};
use pratica_domain::ranking::{
    Application, Better, Choice, Crossing, Deciding, Document, Header, Input, Key, LOT, List,
    LotsDrawn, RankingError, ReadError, Reserve, Stage, commitment_of, is_of_lots, lot, moves,
    verify,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn case(n: u128) -> CaseId {
    CaseId(Uuid::from_u128(n))
}

pub(crate) fn list(name: &str, places: u32, reserves: &[(&str, u32)]) -> List {
    let reserve =
        |(group, places): &(&str, u32)| Reserve { group: (*group).into(), places: *places };
    List { id: name.parse().unwrap(), places, reserves: reserves.iter().map(reserve).collect() }
}

pub(crate) fn applies(n: u128, groups: &[&str], choices: &[(u32, &[i64])]) -> Application {
    Application {
        id: case(n),
        evidence: "ab".repeat(32),
        lot_of: case(n),
        groups: groups.iter().map(|g| (*g).to_owned()).collect::<BTreeSet<_>>(),
        choices: choices
            .iter()
            .map(|(list, values)| Choice { list: *list, values: values.to_vec() })
            .collect(),
    }
}

fn keys() -> Vec<Key> {
    [("score.main", Better::Higher), ("isee", Better::Lower)]
        .map(|(name, better)| Key { name: name.to_owned(), better })
        .to_vec()
}

pub(crate) fn header() -> Header {
    Header {
        call: CallId(Uuid::from_u128(1)),
        stage: Stage::Provisional,
        criteria: "example@1".to_owned(),
        criteria_sha256: "cd".repeat(32),
        lots: None,
    }
}

fn small() -> Document {
    let input = Input::new(
        keys(),
        vec![list("nord/piccoli", 1, &[]), list("centro/piccoli", 2, &[("protected", 1)])],
        vec![
            applies(4, &[], &[(1, &[10, 1]), (0, &[10, 1])]),
            applies(3, &[], &[(1, &[10, 2])]),
            applies(2, &["protected"], &[(1, &[3, 1])]),
            applies(5, &[], &[(1, &[10, 2]), (0, &[11, 2])]),
        ],
    );
    Document::compute(header(), input.unwrap()).unwrap()
}

fn order_of(document: &Document, list: &str) -> Vec<(u128, String)> {
    let place = document.input.find_list(&list.parse().unwrap()).unwrap();
    let row = |row: &pratica_domain::ranking::Ranked| {
        let id = document.input.applications()[row.application as usize].id;
        (id.0.as_u128(), document.deciding(row).to_owned())
    };
    document.ranking.orders[place].iter().map(row).collect()
}

fn seat_of(document: &Document, n: u128) -> String {
    let place = document.input.find(case(n)).unwrap();
    document.seat(document.ranking.seats[place])
}

#[test]
fn each_neighbouring_pair_says_what_decided_it() {
    let of = |n, by: &str| (n, by.to_owned());
    assert_eq!(
        order_of(&small(), "centro/piccoli"),
        [of(4, "isee"), of(3, "number"), of(5, "score.main"), of(2, "last")]
    );
    assert_eq!(order_of(&small(), "nord/piccoli"), [of(5, "score.main"), of(4, "last")]);
}

#[test]
fn a_reserved_place_goes_to_the_best_of_its_group_before_better_ones_of_no_group() {
    let document = small();
    assert_eq!(seat_of(&document, 2), "centro/piccoli protected");
    assert_eq!(seat_of(&document, 4), "centro/piccoli");
    assert_eq!(seat_of(&document, 5), "nord/piccoli", "the second choice of who was turned away");
    assert_eq!(seat_of(&document, 3), "-");
}

#[test]
fn a_reserved_place_that_nobody_of_the_group_asks_for_goes_to_everybody() {
    let input = Input::new(
        keys(),
        vec![list("centro/piccoli", 2, &[("protected", 2)])],
        vec![applies(1, &[], &[(0, &[1, 1])]), applies(2, &["protected"], &[(0, &[0, 1])])],
    );
    let document = Document::compute(header(), input.unwrap()).unwrap();
    assert_eq!(seat_of(&document, 1), "centro/piccoli");
    assert_eq!(seat_of(&document, 2), "centro/piccoli protected");
}

#[test]
fn the_document_is_the_same_whatever_the_order_in_which_applications_come() {
    let document = small();
    let mut lists = document.input.lists().to_vec();
    let mut applications = document.input.applications().to_vec();
    lists.reverse();
    applications.reverse();
    for choice in applications.iter_mut().flat_map(|a| &mut a.choices) {
        choice.list = 1 - choice.list;
    }
    let again = Input::new(document.input.keys().to_vec(), lists, applications).unwrap();
    let again = Document::compute(header(), again).unwrap();
    assert_eq!(again.text(), document.text());
}

#[test]
fn the_bytes_of_a_known_ranking_never_change() {
    // Written once: another value means that documents of before can no longer be verified.
    let verified = verify(&small().text(), sha256).unwrap();
    assert_eq!(verified.document, small());
    assert_eq!(verified.sha256, "131c08c9e49ccbba0fc9caccd7b7c74ee7f17e38847be51a81e30f42c94305b8");
}

#[test]
fn whoever_changes_one_byte_is_found_out() {
    let text = small().text();
    let swapped = text.replace("rank nord/piccoli 1", "rank nord/piccoli 9");
    assert!(matches!(verify(&swapped, sha256), Err(ReadError::Differs { .. })));
    let promoted =
        text.replace(&format!("seat {} -", case(3)), &format!("seat {} nord/piccoli", case(3)));
    assert_ne!(promoted, text);
    assert!(matches!(verify(&promoted, sha256), Err(ReadError::Differs { .. })));
    // A better score gives another ranking: the lines that follow are no longer right.
    let bribed = text.replace("=3,1", "=30,1");
    assert_ne!(bribed, text);
    assert!(matches!(verify(&bribed, sha256), Err(ReadError::Differs { .. })));
    for cut in [text.trim_end(), &text[..text.len() / 2], "", &text.replace('\n', "\r\n")] {
        assert!(verify(cut, sha256).is_err());
    }
    let more = format!("{text}seat {} -\n", case(9));
    assert!(matches!(verify(&more, sha256), Err(ReadError::Differs { .. })));
}

#[test]
fn other_evidence_gives_another_hash_though_the_order_is_the_same() {
    let document = small();
    let mut applications = document.input.applications().to_vec();
    applications[0].evidence = "ef".repeat(32);
    let (keys, lists) = (document.input.keys().to_vec(), document.input.lists().to_vec());
    let other =
        Document::compute(header(), Input::new(keys, lists, applications).unwrap()).unwrap();
    assert_eq!(other.ranking, document.ranking);
    assert_ne!(sha256(other.text().as_bytes()), sha256(document.text().as_bytes()));
}

fn drawn(seed: &str, commitment: &str, shared: bool) -> Document {
    let keys = vec![Key { name: LOT.to_owned(), better: Better::Lower }];
    let applications = (1..=9)
        .map(|n| {
            let of = if shared && n == 7 { 3 } else { n };
            let drawn = lot(seed, "2026-04-02:17", case(of), sha256);
            Application { lot_of: case(of), ..applies(n, &[], &[(0, &[drawn])]) }
        })
        .collect();
    let input = Input::new(keys, vec![list("centro/piccoli", 3, &[])], applications).unwrap();
    let lots = LotsDrawn {
        commitment: commitment.to_owned(),
        seed: seed.to_owned(),
        public_draw: String::new(),
    };
    Document::compute(Header { lots: Some(lots), ..header() }, input).unwrap()
}

#[test]
fn lots_come_from_the_seed_that_was_committed_to_and_from_no_other() {
    let fair = commitment_of("seed-1", sha256);
    let mut document = drawn("seed-1", &fair, false);
    if let Some(lots) = &mut document.header.lots {
        lots.public_draw = "2026-04-02".to_owned();
    }
    // Drawn with another public draw than the document says.
    assert!(matches!(verify(&document.text(), sha256), Err(ReadError::Lot { .. })));
    let other = drawn("seed-2", &fair, false);
    assert!(matches!(verify(&other.text(), sha256), Err(ReadError::Commitment { .. })));
}

#[test]
fn every_public_draw_that_lots_can_be_of_is_read_back_as_it_was_written() {
    let texts = [
        "",
        "-",
        "17-42",
        "lotto-4.17.60",
        ".",
        "a b",
        "17:42",
        "città",
        &"x".repeat(64),
        "é",
        "-1",
    ];
    let commitment = commitment_of("acorn", sha256);
    let of_lots = |text: &str| text.is_empty() || is_of_lots(text);
    for draw in texts.into_iter().filter(|text| of_lots(text)) {
        let mut document = drawn("acorn", &commitment, false);
        if let Some(lots) = &mut document.header.lots {
            lots.public_draw = draw.to_owned();
        }
        let read = pratica_domain::ranking::read(&document.text()).unwrap();
        assert_eq!(read.header.lots, document.header.lots, "{draw:?}");
    }
    let refused: Vec<_> = texts.into_iter().filter(|text| !of_lots(text)).collect();
    assert_eq!(refused, ["-", ".", "a b", "17:42", "città", "é", "-1"]);
    assert!(!is_of_lots(&"x".repeat(65)));
}

#[test]
fn twins_draw_one_lot_and_stand_side_by_side() {
    let keys = vec![Key { name: LOT.to_owned(), better: Better::Lower }];
    let applications = (1..=40)
        .map(|n| {
            let of = if n == 33 { 5 } else { n };
            let drawn = lot("seed", "", case(of), sha256);
            Application { lot_of: case(of), ..applies(n, &[], &[(0, &[drawn])]) }
        })
        .collect();
    let input = Input::new(keys, vec![list("centro/piccoli", 3, &[])], applications).unwrap();
    let lots = LotsDrawn {
        commitment: commitment_of("seed", sha256),
        seed: "seed".to_owned(),
        public_draw: String::new(),
    };
    let document = Document::compute(Header { lots: Some(lots), ..header() }, input).unwrap();
    let verified = verify(&document.text(), sha256).unwrap();
    let order = order_of(&verified.document, "centro/piccoli");
    let at = |n| order.iter().position(|(id, _)| *id == n).unwrap();
    assert_eq!(at(5) + 1, at(33));
    let row = &document.ranking.orders[0][at(5)];
    assert_eq!(row.before_next, Deciding::Number);
}

#[test]
fn every_move_is_explained_by_what_crossed_it() {
    let old = small();
    let mut applications = old.input.applications().to_vec();
    // 3 gets the points that were forgotten; 4 goes; 6 is new.
    applications.retain(|a| a.id != case(4));
    for application in applications.iter_mut().filter(|a| a.id == case(3)) {
        application.choices[0].values[0] = 12;
    }
    applications.push(applies(6, &[], &[(0, &[11, 1])]));
    let input =
        Input::new(old.input.keys().to_vec(), old.input.lists().to_vec(), applications).unwrap();
    let new = Document::compute(header(), input).unwrap();
    let found = moves(&old, &new);
    let of = |list: &str, n| {
        let list = list.parse().unwrap();
        found.iter().find(|m| m.list == list && m.application == case(n)).unwrap()
    };
    let three = of("centro/piccoli", 3);
    assert_eq!((three.from, three.to), (Some(2), Some(1)));
    assert_eq!(three.why.keys, [("score.main".to_owned(), 10, 12)]);
    assert_eq!(three.why.crossed, [(case(4), Crossing::Left)]);
    let six = of("centro/piccoli", 6);
    assert_eq!((six.from, six.to), (None, Some(2)));
    assert_eq!((of("nord/piccoli", 4).from, of("nord/piccoli", 4).to), (Some(2), None));
    assert!(found.iter().all(|m| m.application != case(5) || m.list.school.as_str() != "centro"));
}

#[test]
fn an_input_that_cannot_be_ranked_says_which_rule_it_breaks() {
    let lists = || vec![list("centro/piccoli", 2, &[])];
    let with = |applications| Input::new(keys(), lists(), applications);
    let twice = with(vec![applies(1, &[], &[]), applies(1, &[], &[])]);
    assert_eq!(twice, Err(RankingError::ApplicationTwice(case(1))));
    let unknown = with(vec![applies(1, &[], &[(7, &[1, 1])])]);
    assert!(matches!(unknown, Err(RankingError::UnknownList { .. })));
    let same = with(vec![applies(1, &[], &[(0, &[1, 1]), (0, &[1, 1])])]);
    assert!(matches!(same, Err(RankingError::ChoiceTwice { .. })));
    let short = with(vec![applies(1, &[], &[(0, &[1])])]);
    assert!(matches!(short, Err(RankingError::Values { found: 1, keys: 2, .. })));
    let word = with(vec![applies(1, &["two words"], &[])]);
    assert!(matches!(word, Err(RankingError::Word(_))));
    let double = Input::new(keys(), [lists(), lists()].concat(), vec![]);
    assert!(matches!(double, Err(RankingError::ListTwice(_))));
    let much = Input::new(keys(), vec![list("centro/piccoli", 1, &[("a", 1), ("b", 1)])], vec![]);
    assert!(matches!(much, Err(RankingError::ReservedBeyondPlaces { reserved: 2, .. })));
}
