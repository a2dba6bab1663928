//! What holds of every assignment: stability, no place left empty that somebody wants, nobody
//! better off by another list of choices than their own, the same whatever the order of filing.

use pratica_domain::ids::CaseId;
use pratica_domain::ranking::{
    Application, Better, Document, Input, Key, List, moves, rank, verify,
};
use proptest::prelude::*;

use crate::ranking::{applies, header, list, sha256};

const GROUPS: [&str; 2] = ["a", "b"];

/// Schools with places and reserves; children with choices, keys and groups.
fn instance(children: usize) -> impl Strategy<Value = Input> {
    let schools = prop::collection::vec((0_u32..4, 0_u32..3, 0_u32..3), 1..5);
    (schools, prop::collection::vec(child(), 0..=children)).prop_map(|(schools, children)| {
        let lists: Vec<List> = schools
            .iter()
            .enumerate()
            .map(|(n, (open, a, b))| {
                list(&format!("s{n}/all"), open + a + b, &[(GROUPS[0], *a), (GROUPS[1], *b)])
            })
            .collect();
        let applications =
            (1..).zip(children).map(|(n, child)| of(n, &child, lists.len())).collect();
        let keys = ["first", "second"].map(|k| Key { name: k.to_owned(), better: Better::Lower });
        Input::new(keys.to_vec(), lists, applications).unwrap()
    })
}

type Child = (Vec<u32>, Vec<(i64, i64)>, bool, bool);

fn child() -> impl Strategy<Value = Child> {
    (
        Just(vec![0_u32, 1, 2, 3]).prop_shuffle(),
        prop::collection::vec((0_i64..3, 0_i64..3), 4),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.3),
    )
}

fn of(n: u128, (wanted, values, a, b): &Child, lists: usize) -> Application {
    let length = 1 + usize::try_from(n).unwrap() % 4;
    let values: Vec<[i64; 2]> = values.iter().map(|(x, y)| [*x, *y]).collect();
    let choices: Vec<(u32, &[i64])> = wanted
        .iter()
        .filter(|l| (**l as usize) < lists)
        .take(length)
        .map(|l| (*l, values[*l as usize].as_slice()))
        .collect();
    let groups: Vec<&str> =
        [a, b].iter().zip(GROUPS).filter(|(has, _)| ***has).map(|(_, g)| g).collect();
    applies(n, &groups, &choices)
}

/// Whom a list would keep of these, worked out the long way: each reserve the best of its group in
/// turn, everybody else for what is left.
fn keeps(input: &Input, list: usize, mut asking: Vec<usize>) -> Vec<usize> {
    let ranking = pratica_domain::ranking::order(input);
    let rank = |a: &usize| ranking[list].iter().position(|r| r.application as usize == *a).unwrap();
    asking.sort_by_key(rank);
    let mut kept = Vec::new();
    for reserve in &input.lists()[list].reserves {
        for _ in 0..reserve.places {
            let best = asking
                .iter()
                .position(|a| input.applications()[*a].groups.contains(&reserve.group));
            let Some(best) = best else { break };
            kept.push(asking.remove(best));
        }
    }
    let left = (input.lists()[list].places as usize).saturating_sub(kept.len());
    kept.extend(asking.into_iter().take(left));
    kept
}

fn seated(input: &Input) -> Vec<Option<usize>> {
    rank(input).seats.iter().map(|s| s.map(|s| s.list as usize)).collect()
}

/// Which choice a seat is; past the last when there is none.
fn how_good(application: &Application, seat: Option<usize>) -> usize {
    let at = application.choices.iter().position(|c| Some(c.list as usize) == seat);
    at.unwrap_or(application.choices.len())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_list_would_rather_have_somebody_who_would_rather_be_there(input in instance(12)) {
        let seats = seated(&input);
        for list in 0..input.lists().len() {
            let there: Vec<usize> =
                (0..seats.len()).filter(|a| seats[*a] == Some(list)).collect();
            prop_assert!(there.len() <= input.lists()[list].places as usize);
            let mut kept = keeps(&input, list, there.clone());
            kept.sort_unstable();
            prop_assert_eq!(&kept, &there, "a list keeps whom it has");
            for (a, application) in input.applications().iter().enumerate() {
                let wanted = application.choices.iter().position(|c| c.list as usize == list);
                let prefers = wanted.is_some_and(|w| w < how_good(application, seats[a]));
                if prefers {
                    prop_assert_eq!(there.len(), input.lists()[list].places as usize,
                        "a place stays empty that somebody wants");
                    let mut asking = there.clone();
                    asking.push(a);
                    prop_assert!(!keeps(&input, list, asking).contains(&a), "a blocking pair");
                }
            }
        }
    }

    #[test]
    fn nobody_gets_a_better_place_by_other_choices_than_their_own(
        input in instance(7), liar in any::<prop::sample::Index>(),
        lie in Just(vec![0_usize, 1, 2, 3]).prop_shuffle(), length in 0_usize..5,
    ) {
        prop_assume!(!input.applications().is_empty());
        let liar = liar.index(input.applications().len());
        let truth = &input.applications()[liar];
        let honest = how_good(truth, seated(&input)[liar]);
        let mut applications = input.applications().to_vec();
        let choices = lie.iter().filter_map(|c| truth.choices.get(*c)).take(length);
        applications[liar].choices = choices.cloned().collect();
        let told =
            Input::new(input.keys().to_vec(), input.lists().to_vec(), applications).unwrap();
        prop_assert!(how_good(truth, seated(&told)[liar]) >= honest);
    }

    #[test]
    fn the_order_of_filing_makes_no_difference(
        (input, shuffled) in instance(12).prop_flat_map(|input| {
            let applications = Just(input.applications().to_vec()).prop_shuffle();
            (Just(input), applications)
        }),
    ) {
        let again = Input::new(input.keys().to_vec(), input.lists().to_vec(), shuffled).unwrap();
        let text = |input: Input| Document::compute(header(), input).unwrap().text();
        prop_assert_eq!(text(again), text(input));
    }

    #[test]
    fn every_document_verifies(input in instance(12)) {
        let document = Document::compute(header(), input).unwrap();
        let verified = verify(&document.text(), sha256);
        prop_assert_eq!(verified.map(|v| v.document), Ok(document));
    }

    #[test]
    fn crossings_account_for_every_place_that_was_won_or_lost(old in instance(12), new in instance(12)) {
        let same_keys = |input: Input| Document::compute(header(), input).unwrap();
        let (old, new) = (same_keys(old), same_keys(new));
        use pratica_domain::ranking::Crossing::{Entered, FellBehind, Left, Overtook};
        for m in moves(&old, &new) {
            let (Some(from), Some(to)) = (m.from, m.to) else { continue };
            let count = |which: &[_]| {
                m.why.crossed.iter().filter(|(_, how)| which.contains(how)).count()
            };
            let down = i64::try_from(count(&[Overtook, Entered])).unwrap();
            let up = i64::try_from(count(&[FellBehind, Left])).unwrap();
            prop_assert_eq!(i64::from(to) - i64::from(from), down - up);
            let others: Vec<CaseId> = m.why.crossed.iter().map(|(id, _)| *id).collect();
            prop_assert!(!others.contains(&m.application));
        }
    }
}
