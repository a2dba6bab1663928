//! Lists, the worklist and its counts, against a plain recount of all rows.

use std::collections::BTreeSet;

use jiff::ToSpan;
use pratica_projections::{
    Access, CaseFilter, CaseRow, Counts, PageRequest, Queue, SavedView, ViewError, Views,
    WorklistQuery,
};

use crate::town::{Dice, Place, caught_up, day, grow, random_town, rules};

const TODAY: &str = "2026-04-20";

async fn every_page(
    views: &Views,
    access: &Access,
    filter: &CaseFilter,
    size: usize,
) -> Vec<CaseRow> {
    let mut page = PageRequest::first(size);
    let mut all = Vec::new();
    loop {
        let part = views.list_cases(access, filter, &page).await.unwrap().value;
        assert!(part.rows.len() <= size);
        all.extend(part.rows);
        match part.next {
            Some(token) => page.after = Some(token),
            None => return all,
        }
    }
}

async fn queue(views: &Views, access: &Access, query: &WorklistQuery, size: usize) -> Vec<CaseRow> {
    let mut page = PageRequest::first(size);
    let mut all = Vec::new();
    loop {
        let part = views.worklist(access, query, day(TODAY), &page).await.unwrap().value;
        all.extend(part.rows);
        match part.next {
            Some(token) => page.after = Some(token),
            None => return all,
        }
    }
}

fn offices(names: &[&str]) -> Access {
    Access::Offices(names.iter().map(|n| n.parse().unwrap()).collect())
}

fn accesses() -> Vec<Access> {
    vec![
        Access::Everything,
        offices(&["anagrafe"]),
        offices(&["anagrafe", "scuola"]),
        offices(&[]),
        Access::Account { account: "account-1".to_owned(), today: day(TODAY) },
    ]
}

fn may_see(access: &Access, row: &CaseRow, own: &BTreeSet<u128>) -> bool {
    match access {
        Access::Everything => true,
        Access::Offices(offices) => {
            offices.iter().any(|o| Some(o.as_str()) == row.office.as_deref())
        }
        Access::Account { .. } => own.contains(&row.case.0.as_u128()),
    }
}

async fn own_cases(views: &Views) -> BTreeSet<u128> {
    let access = &accesses()[4];
    let rows = every_page(views, access, &CaseFilter::default(), 1000).await;
    assert!(!rows.is_empty());
    rows.iter().map(|r| r.case.0.as_u128()).collect()
}

#[tokio::test]
async fn every_filter_applies_for_every_asker_and_every_size_of_page() {
    let town = random_town(42, 500).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let all = every_page(&views, &Access::Everything, &CaseFilter::default(), 1000).await;
    let own = own_cases(&views).await;
    let none = CaseFilter::default;
    let filters = [
        none(),
        CaseFilter { procedure: Some("residency".into()), ..none() },
        CaseFilter { procedure: Some("permit".into()), ..none() },
        CaseFilter { kind: Some("from_other_comune".into()), ..none() },
        CaseFilter { kind: Some("untraceable".into()), ..none() },
        CaseFilter {
            procedure: Some("residency".into()),
            kind: Some("from_other_comune".into()),
            ..none()
        },
        CaseFilter { phase: Some("under_check".into()), ..none() },
        CaseFilter { office: Some("anagrafe".parse().unwrap()), ..none() },
        CaseFilter { officer: Some("anna".parse().unwrap()), ..none() },
        CaseFilter { closed: Some(true), ..none() },
        CaseFilter { closed: Some(false), ..none() },
        CaseFilter { filed_from: Some(day("2026-03-01")), ..none() },
        CaseFilter { filed_to: Some(day("2026-03-31")), ..none() },
        CaseFilter {
            office: Some("scuola".parse().unwrap()),
            officer: Some("bruno".parse().unwrap()),
            phase: Some("declared".into()),
            closed: Some(false),
            filed_from: Some(day("2026-02-10")),
            filed_to: Some(day("2026-05-31")),
            ..none()
        },
    ];
    for access in accesses() {
        for filter in &filters {
            let text = |want: &Option<String>, has: &str| want.as_ref().is_none_or(|w| w == has);
            let expected: Vec<&CaseRow> = all
                .iter()
                .filter(|r| {
                    may_see(&access, r, &own)
                        && text(&filter.procedure, &r.procedure)
                        && text(&filter.kind, &r.kind)
                        && text(&filter.phase, &r.phase)
                        && filter
                            .office
                            .as_ref()
                            .is_none_or(|o| Some(o.as_str()) == r.office.as_deref())
                        && filter
                            .officer
                            .as_ref()
                            .is_none_or(|o| Some(o.as_str()) == r.officer.as_deref())
                        && filter.closed.is_none_or(|c| c == r.closed)
                        && filter.filed_from.is_none_or(|d| r.filed_on >= d)
                        && filter.filed_to.is_none_or(|d| r.filed_on <= d)
                })
                .collect();
            for size in [3, 1000] {
                let got = every_page(&views, &access, filter, size).await;
                assert_eq!(got.iter().collect::<Vec<_>>(), expected, "{access:?} {filter:?}");
            }
        }
    }
}

#[tokio::test]
async fn every_queue_is_the_open_cases_it_says_by_urgency() {
    let town = random_town(43, 500).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let all = every_page(&views, &Access::Everything, &CaseFilter::default(), 1000).await;
    let own = own_cases(&views).await;
    let today = day(TODAY);
    let officers = [None, Some("anna")];
    let office_choices = [None, Some("anagrafe"), Some("edilizia")];
    let queues =
        [Queue::Office, Queue::Mine, Queue::Unassigned, Queue::Overdue, Queue::WaitingForCitizen];
    for access in accesses() {
        for queue_kind in queues {
            for (officer, office) in officers.iter().flat_map(|o| office_choices.map(|f| (*o, f))) {
                for (due_to, phase) in [(None, None), (Some(today + 10.days()), Some("declared"))] {
                    let query = WorklistQuery {
                        queue: queue_kind,
                        office: office.map(|o| o.parse().unwrap()),
                        officer: officer.map(|o| o.parse().unwrap()),
                        due_to,
                        procedure: Some("residency".to_owned()),
                        phase: phase.map(str::to_owned),
                        by_filing: false,
                    };
                    let mut expected: Vec<&CaseRow> = all
                        .iter()
                        .filter(|r| {
                            may_see(&access, r, &own)
                                && !r.closed
                                && office.is_none_or(|o| Some(o) == r.office.as_deref())
                                && officer.is_none_or(|o| Some(o) == r.officer.as_deref())
                                && due_to.is_none_or(|to| r.due_on.is_some_and(|due| due <= to))
                                && phase.is_none_or(|p| p == r.phase)
                                && match queue_kind {
                                    Queue::Office => true,
                                    Queue::Mine => officer.is_some(),
                                    Queue::Unassigned => r.officer.is_none(),
                                    Queue::Overdue => r.overdue(today),
                                    Queue::WaitingForCitizen => r.waits_for_citizen,
                                }
                        })
                        .collect();
                    // `all` is newest first; the number of a case is the order of the log.
                    expected.sort_by_key(|r| {
                        (r.due_on.unwrap_or(day("9999-12-31")), r.filed_on, r.case.0.as_u128())
                    });
                    let got = queue(&views, &access, &query, 4).await;
                    assert_eq!(got.iter().collect::<Vec<_>>(), expected, "{access:?} {query:?}");
                }
            }
        }
    }
}

fn recount(rows: &[CaseRow], office: &str, officer: Option<&str>) -> Counts {
    let today = day(TODAY);
    let mut counts = Counts::default();
    for row in rows.iter().filter(|r| !r.closed && r.office.as_deref() == Some(office)) {
        counts.open += 1;
        counts.unassigned += u64::from(row.officer.is_none());
        counts.mine += u64::from(officer.is_some() && row.officer.as_deref() == officer);
        counts.overdue += u64::from(row.overdue(today));
        counts.due_within_7_days +=
            u64::from(row.due_on.is_some_and(|d| today <= d && d <= today + 7.days()));
        counts.waiting_for_citizen += u64::from(row.waits_for_citizen);
    }
    counts
}

#[tokio::test]
async fn counts_are_those_of_a_recount_after_random_histories() {
    for seed in 100..112 {
        println!("seed {seed}");
        let mut dice = Dice(seed);
        let mut town = random_town(seed, 20).await;
        let mut place = caught_up(&town).await;
        for _ in 0..5 {
            let steps = 10 + dice.below(60);
            grow(&mut town, &mut dice, steps).await;
            place.projector.catch_up(town.reader(), &rules()).await.unwrap();
            let views = &place.views;
            let rows = every_page(views, &Access::Everything, &CaseFilter::default(), 1000).await;
            for office in ["anagrafe", "edilizia", "scuola", "nowhere"] {
                for officer in [None, Some("anna"), Some("nobody")] {
                    let (o, f) = (office.parse().unwrap(), officer.map(|o| o.parse().unwrap()));
                    let counts = views
                        .counts(&Access::Everything, &o, f.as_ref(), day(TODAY))
                        .await
                        .unwrap()
                        .value;
                    assert_eq!(counts, recount(&rows, office, officer), "{office} {officer:?}");
                    let beyond = offices(&["another"]);
                    let hidden = views.counts(&beyond, &o, f.as_ref(), day(TODAY)).await.unwrap();
                    assert_eq!(hidden.value, Counts::default());
                }
            }
        }
    }
}

#[tokio::test]
async fn a_page_gives_each_row_once_while_rows_are_added() {
    let mut town = random_town(9, 200).await;
    let mut dice = Dice(9);
    let mut place = caught_up(&town).await;
    let filter = CaseFilter::default();
    let before = every_page(&place.views, &Access::Everything, &filter, 1000).await;
    let mut page = PageRequest::first(5);
    let mut seen = Vec::new();
    loop {
        let part = place.views.list_cases(&Access::Everything, &filter, &page).await.unwrap().value;
        seen.extend(part.rows.into_iter().map(|r| r.case));
        grow(&mut town, &mut dice, 10).await;
        place.projector.catch_up(town.reader(), &rules()).await.unwrap();
        match part.next {
            Some(token) => page.after = Some(token),
            None => break,
        }
    }
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len());
    assert!(before.iter().all(|row| distinct.contains(&row.case)));
}

#[tokio::test]
async fn a_token_of_another_query_or_another_asker_is_refused() {
    let town = random_town(9, 200).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let first = views
        .list_cases(&Access::Everything, &CaseFilter::default(), &PageRequest::first(2))
        .await
        .unwrap();
    let page = PageRequest { size: 2, after: first.value.next };
    let other = CaseFilter { closed: Some(false), ..CaseFilter::default() };
    let refused = |result: Result<_, ViewError>| {
        assert!(matches!(result.map(|_: ()| ()), Err(ViewError::PageToken)));
    };
    let everything = Access::Everything;
    refused(views.list_cases(&everything, &other, &page).await.map(drop));
    refused(views.list_cases(&offices(&["scuola"]), &CaseFilter::default(), &page).await.map(drop));
    refused(
        views.worklist(&everything, &WorklistQuery::default(), day(TODAY), &page).await.map(drop),
    );
    for token in ["", "x", "1.2.3", "zzzz.1.1", "0000000000000000.1.2"] {
        let page = PageRequest { size: 2, after: Some(token.to_owned()) };
        refused(views.list_cases(&everything, &CaseFilter::default(), &page).await.map(drop));
    }
    views.list_cases(&everything, &CaseFilter::default(), &page).await.unwrap();
}

#[tokio::test]
async fn a_saved_view_is_kept_for_its_account_and_outlives_a_rebuild() {
    let town = random_town(9, 50).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let saved = |name: &str, query: &str| SavedView { name: name.into(), query: query.into() };
    views.save_view("anna", &saved("mine", r#"{"queue":"mine"}"#)).await.unwrap();
    views.save_view("anna", &saved("late", r#"{"queue":"overdue"}"#)).await.unwrap();
    views
        .save_view("anna", &saved("mine", r#"{"queue":"mine","phase":"declared"}"#))
        .await
        .unwrap();
    views.save_view("bruno", &saved("mine", "{}")).await.unwrap();
    views.rebuild(town.reader(), &rules(), |_, _| {}).await.unwrap();
    let kept = views.saved_views("anna").await.unwrap();
    assert_eq!(kept.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["late", "mine"]);
    let mine = views.saved_view("anna", "mine").await.unwrap().unwrap();
    assert!(mine.query.contains("declared"));
    assert!(views.delete_view("anna", "mine").await.unwrap());
    assert!(!views.delete_view("anna", "mine").await.unwrap());
    assert_eq!(views.saved_view("bruno", "mine").await.unwrap().unwrap().query, "{}");
}

#[tokio::test]
async fn a_query_that_went_through_a_saved_view_gives_what_the_live_one_gives() {
    let town = random_town(43, 300).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    for queue_kind in [Queue::Office, Queue::Overdue, Queue::WaitingForCitizen] {
        let live = WorklistQuery {
            queue: queue_kind,
            office: Some("anagrafe".parse().unwrap()),
            due_to: Some(day("2026-05-31")),
            ..WorklistQuery::default()
        };
        let text = serde_json::to_string(&live).unwrap();
        views.save_view("anna", &SavedView { name: "v".into(), query: text }).await.unwrap();
        let saved = views.saved_view("anna", "v").await.unwrap().unwrap();
        let saved: WorklistQuery = serde_json::from_str(&saved.query).unwrap();
        assert_eq!(saved, live);
        let access = Access::Everything;
        assert_eq!(
            queue(&views, &access, &saved, 3).await,
            queue(&views, &access, &live, 1000).await
        );
    }
}
