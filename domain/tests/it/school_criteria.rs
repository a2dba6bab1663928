//! Criteria as data: the shipped ones can be used and order as their sources say; others say which
//! rule they break.

use std::collections::BTreeSet;

use pratica_domain::ids::SubjectId;
use pratica_domain::people::Personal;
use pratica_domain::ranking::rank;
use pratica_domain::school::criteria::{Late, OrderKey};
use pratica_domain::school::enrolment::{Application, Content, Standing};
use pratica_domain::school::fee::{FeeRule, Ground, Rounding, Stretch};
use pratica_domain::school::score::{Proofs, scores};
use pratica_domain::school::standing::{Entry, input};
use pratica_domain::school::{Criteria, Facts};
use uuid::Uuid;

use crate::ranking::{case, sha256};
use crate::school_scenarios::{call_view, facts, plan_with, school, shipped};
use crate::support::day;

#[test]
fn the_shipped_criteria_can_be_used_and_state_their_doubts() {
    for criteria in shipped() {
        criteria.check().unwrap_or_else(|e| panic!("{}: {e}", criteria.name));
        assert!(!criteria.doubts.is_empty(), "{}", criteria.name);
        let again: Criteria =
            serde_json::from_value(serde_json::to_value(&criteria).unwrap()).unwrap();
        assert_eq!(again, criteria);
    }
}

/// A family: what it states, its ISEE, the child's birth.
type Family = (Facts, Option<i64>, &'static str);

/// Ranks families for one school by shipped criteria; answers their order.
fn order_of(name: &str, families: &[Family]) -> Vec<usize> {
    let criteria = shipped().into_iter().find(|c| c.name == name).unwrap();
    let plan = plan_with(criteria, &[("centro", 1)]);
    let applications: Vec<(Application, Standing)> = families
        .iter()
        .map(|(facts, isee, born)| {
            let born = day(born);
            let band = plan.criteria.band_of(born, 2026).unwrap().id.clone();
            let child = SubjectId(Uuid::from_u128(1));
            // Everything is proved here.
            let documents = plan
                .criteria
                .facts
                .values()
                .filter_map(|f| f.proof.clone())
                .map(|kind| (kind, pratica_domain::ids::DocumentId(Uuid::from_u128(2))))
                .collect();
            let proofs = Proofs { statement: 0, documents, set_aside: BTreeSet::new() };
            let choices = vec![school("centro")];
            let standing = Standing {
                scores: scores(&plan.criteria, facts, &choices, &proofs),
                not_counted: Vec::new(),
                facts: facts.clone(),
                isee_cents: *isee,
                born_on: Some(born),
            };
            let application = Application {
                pinned: call_view().pinned(),
                child,
                content: Content {
                    band,
                    choices,
                    facts: Personal::new(child, facts.clone()),
                    twins: Vec::new(),
                    siblings: Vec::new(),
                },
                stated_at: 0,
                late: false,
                isee: None,
                standing: None,
                ranked: None,
                observations: Default::default(),
                offers: Default::default(),
                vaccines_in_order: None,
                vaccines_stated_on: None,
                vaccine_proof: None,
                fee: None,
                lost: None,
            };
            (application, standing)
        })
        .collect();
    let entries: Vec<Entry<'_>> = (1..)
        .zip(&applications)
        .map(|(n, (application, standing))| Entry {
            id: case(n),
            application,
            standing,
            evidence: "ab".repeat(32),
        })
        .collect();
    let input = input(&plan, &entries, Some(("seed", "", sha256))).unwrap();
    let ranking = rank(&input);
    let rows = ranking.orders.iter().find(|rows| !rows.is_empty()).unwrap();
    rows.iter()
        .map(|row| {
            let id = input.applications()[row.application as usize].id;
            usize::try_from(id.0.as_u128()).unwrap() - 1
        })
        .collect()
}

const BORN: &str = "2025-03-10";

#[test]
fn bologna_breaks_ties_by_isee_up_to_fifty_thousand_then_work_load_isee_and_age() {
    // The same main score throughout: 5 points, by one parent at work or by one of another kind.
    let base = |more: &[(&str, i64)]| {
        let mut stated = vec![("resident", 1), ("working_parents", 1)];
        stated.extend(more);
        facts(&stated)
    };
    let order = order_of(
        "bologna",
        &[
            (base(&[("weekly_hours", 36)]), Some(6_000_000), BORN),
            (base(&[("weekly_hours", 20)]), Some(4_900_000), BORN),
            (base(&[("weekly_hours", 36)]), Some(4_000_000), BORN),
            (base(&[("weekly_hours", 36)]), Some(3_000_000), BORN),
            (base(&[("weekly_hours", 36)]), Some(3_000_000), "2025-02-01"),
        ],
    );
    assert_eq!(order, [4, 3, 2, 1, 0]);
}

#[test]
fn pavullo_puts_residents_first_then_scores_grandparents_and_the_older_child() {
    let of = |stated: &[(&str, i64)]| facts(stated);
    let order = order_of(
        "pavullo",
        &[
            (of(&[("working_parents", 2)]), None, BORN),
            (of(&[("resident", 1), ("working_parents", 1)]), None, BORN),
            (of(&[("resident", 1), ("working_parents", 1)]), None, "2025-01-01"),
            (
                of(&[("resident", 1), ("working_parents", 1), ("grandparents_unavailable", 4)]),
                None,
                BORN,
            ),
        ],
    );
    assert_eq!(order, [3, 2, 1, 0]);
}

#[test]
fn umbertide_breaks_ties_by_the_lower_income_and_who_states_none_comes_last() {
    let same = || facts(&[("resident", 1)]);
    let born = "2025-03-10";
    let order = order_of(
        "umbertide",
        &[(same(), None, born), (same(), Some(2_000_000), born), (same(), Some(1_000_000), born)],
    );
    assert_eq!(order, [2, 1, 0]);
}

#[test]
fn trento_counts_the_sibling_in_the_school_itself() {
    let here = {
        let mut stated = facts(&[("resident", 1)]);
        stated.at.insert(school("centro"), [("sibling_here".to_owned(), 1)].into());
        stated
    };
    let elsewhere = {
        let mut stated = facts(&[("resident", 1)]);
        stated.at.insert(school("nord"), [("sibling_here".to_owned(), 1)].into());
        stated
    };
    let order = order_of("trento", &[(elsewhere, None, "2024-01-01"), (here, None, BORN)]);
    assert_eq!(order, [1, 0]);
}

#[test]
fn incomes_and_births_stand_in_the_ranking_as_their_order_only() {
    let criteria = shipped()[0].clone();
    for key in [OrderKey::Isee, OrderKey::Older, OrderKey::Younger] {
        assert!(key.is_hidden());
    }
    assert!(criteria.order.contains(&OrderKey::Isee));
}

#[test]
fn criteria_that_would_name_a_ground_of_health_are_refused() {
    let with = |change: fn(&mut Criteria)| {
        let mut criteria = shipped()[0].clone();
        change(&mut criteria);
        criteria.check().map_err(|e| e.field)
    };
    let key = |c: &mut Criteria| c.order.push(OrderKey::Fact("disabled".to_owned()));
    assert_eq!(with(key), Err("order[9]".to_owned()));
    assert_eq!(
        with(|c| c.scores.retain(|s| s.fact != "social_report")),
        Err("order[2]".to_owned()),
        "a score of one sensitive fact alone"
    );
    let alone = |c: &mut Criteria| c.reserves[0].facts.truncate(1);
    assert_eq!(with(alone), Err("reserves[0]".to_owned()));
}

#[test]
fn criteria_say_which_rule_they_break() {
    let with = |change: fn(&mut Criteria)| {
        let mut criteria = shipped()[0].clone();
        change(&mut criteria);
        criteria.check().unwrap_err().field
    };
    assert_eq!(with(|c| c.name = "Bologna!".to_owned()), "name");
    assert_eq!(with(|c| c.bands[1].from_months = 12), "bands[1]");
    assert_eq!(with(|c| c.scores[0].fact = "x".to_owned()), "scores[0].fact");
    assert_eq!(with(|c| c.order.push(OrderKey::Isee)), "order[9]");
    assert_eq!(with(|c| c.order.push(OrderKey::Score("x".to_owned()))), "order[9]");
    assert_eq!(
        with(|c| {
            c.order.remove(0);
        }),
        "order[0]",
        "late applications need in_time"
    );
    assert_eq!(with(|c| c.ages_on.day = 31 + 1), "ages_on, leave_free_until");
    assert_eq!(with(|c| c.fee.as_mut().unwrap().multiple_cents = 0), "fee.multiple_cents");
    let swapped = |c: &mut Criteria| c.fee.as_mut().unwrap().stretches.swap(0, 1);
    assert_eq!(with(swapped), "fee.stretches[1]");
    let mut early = shipped()[0].clone();
    early.late = Late::Refused;
    early.order.remove(0);
    assert!(early.check().is_ok());
}

#[test]
fn a_child_belongs_to_the_band_of_its_months_on_the_day_of_the_call() {
    let criteria = &shipped()[0];
    let band = |born: &str| criteria.band_of(day(born), 2026).map(|b| b.id.to_string());
    for (born, expected) in [
        ("2026-10-01", None),
        ("2026-09-30", Some("piccoli")),
        ("2025-12-31", Some("piccoli")),
        ("2025-11-30", Some("medi")),
        ("2024-12-31", Some("medi")),
        ("2024-11-30", Some("grandi")),
        ("2023-12-31", Some("grandi")),
        ("2023-11-30", None),
    ] {
        assert_eq!(band(born).as_deref(), expected, "{born}");
    }
}

#[test]
fn fees_follow_the_formula_to_the_cent_with_the_rounding_that_it_states() {
    let ravenna = shipped()[0].fee.clone().unwrap();
    for (isee, fee) in [
        (0, 0),
        (450_000, 0),
        (450_001, 3_000),
        (1_725_000, 15_500),
        (3_000_000, 28_000),
        (3_500_000, 41_500),
        (9_900_000, 41_500),
    ] {
        assert_eq!(ravenna.monthly(Some(isee), true).monthly_cents, fee, "{isee}");
    }
    assert_eq!(ravenna.monthly(None, true).ground, Ground::NoIsee);
    assert_eq!(ravenna.monthly(Some(0), false).ground, Ground::NotResident);
    assert_eq!(ravenna.monthly(Some(0), false).monthly_cents, 41_500);
    let rule = |rounding| FeeRule {
        version: "x".to_owned(),
        stretches: vec![
            Stretch { to_cents: Some(1_000), fee_cents: 0, fee_to_cents: Some(1_000) },
            Stretch { to_cents: None, fee_cents: 1_000, fee_to_cents: None },
        ],
        multiple_cents: 100,
        rounding,
        non_residents_pay_most: false,
    };
    for (rounding, fee) in [(Rounding::Down, 200), (Rounding::Nearest, 300), (Rounding::Up, 300)] {
        assert_eq!(rule(rounding).monthly(Some(250), true).monthly_cents, fee);
    }
    assert_eq!(rule(Rounding::Nearest).monthly(Some(249), true).monthly_cents, 200);
}
