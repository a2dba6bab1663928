//! How long cases took.

use pratica_domain::Event;
use pratica_domain::case;
use pratica_projections::{Distribution, RecountOf, Views, recount};
use pratica_store::Position;

use crate::town::{
    Place, Town, answered, caught_up, confirmed, day, entry, imported_case, notice,
    notice_received, random_town, registered, reopened, requested, resumed, rules, suspended,
};

/// The statistics counted from the log alone are those of the views.
async fn recounted(town: &Town, views: &Views) {
    let answer = views.statistics(None, None, None).await.unwrap();
    let counted = recount(town.reader(), &rules(), RecountOf::default(), |_, _| {}).await.unwrap();
    assert_eq!(counted.position, answer.position);
    assert_eq!(counted.rows, answer.value);
    assert!(counted.folded < counted.position.get(), "nothing was passed over");
}

#[tokio::test]
async fn median_and_ninetieth_percentile_are_nearest_ranks_over_the_closed() {
    let mut town = Town::new();
    let took = [3, 60, 10, 4, 31, 30, 5, 5, 90, 20, 7];
    for (n, days) in (1..).zip(took) {
        town.on(n, "2026-01-07", imported_case("ordinary", day("2026-01-07"), days)).await;
    }
    town.on(50, "2026-01-07", imported_case("other", day("2026-01-07"), 9)).await;
    let mut open = imported_case("ordinary", day("2026-01-07"), 9);
    open.pop();
    town.on(51, "2026-01-07", open).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let rows = views.statistics(None, None, None).await.unwrap().value;
    assert_eq!(rows.len(), 2);
    let ordinary = &rows[0];
    assert_eq!((ordinary.procedure.as_str(), ordinary.kind.as_str()), ("permit", "ordinary"));
    assert_eq!((ordinary.open, ordinary.closed), (1, 11));
    assert_eq!(ordinary.outcomes, [("granted".to_owned(), 11)]);
    // Sorted: 3 4 5 5 7 10 20 30 31 60 90; the ranks are 6 and 10.
    assert_eq!(ordinary.total, Distribution { median: 10, p90: 60, sum: 265 });
    assert_eq!(ordinary.office, ordinary.total);
    assert_eq!(ordinary.citizen, Distribution { median: 0, p90: 0, sum: 0 });
    assert_eq!(ordinary.legal_term_days, 30);
    // 2026-02-06 is the thirtieth day: 31, 60 and 90 are late.
    assert_eq!(ordinary.late, 3);
    // By month of the end: January took 3 4 5 5 7 10 20.
    let january = Some(day("2026-01-01"));
    let rows = views.statistics(Some("permit"), january, january).await.unwrap().value;
    assert_eq!((rows[0].closed, rows[0].total.median), (7, 5));
    let of = RecountOf { procedure: Some("permit"), from: january, to: january, until: None };
    assert_eq!(recount(town.reader(), &rules(), of, |_, _| {}).await.unwrap().rows, rows);
    assert!(views.statistics(Some("residency"), None, None).await.unwrap().value.is_empty());
}

#[tokio::test]
async fn the_time_of_a_case_is_split_by_who_had_it_and_taken_back_when_it_is_reopened() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "").await;
    let received = case::ObservationsFiled {
        observations: entry(90),
        notice: entry(80),
        filed_on: day("2026-04-20"),
        text: pratica_domain::people::Personal::new(crate::town::subject(1), "no".to_owned()),
        documents: Vec::new(),
    };
    town.on(
        1,
        "2026-05-20",
        vec![
            registered(day("2026-03-04"), day("2026-03-02")),
            requested(70, 1, day("2026-03-10")),
            answered(70, day("2026-03-20")),
            suspended(60, day("2026-03-25")),
            resumed(60, day("2026-03-30")),
            notice(80, day("2026-04-10")),
            notice_received(80, day("2026-04-14")),
            Event::Case(received.into()),
            confirmed(day("2026-05-11")),
        ],
    )
    .await;
    let mut place = caught_up(&town).await;
    let row = place.views.statistics(None, None, None).await.unwrap().value.remove(0);
    let one = |days: u32| Distribution { median: days, p90: days, sum: days.into() };
    assert_eq!(row.total, one(70));
    // The request: 11 to 20 March. The window: 15 to 20 April.
    assert_eq!(row.citizen, one(16));
    // 26 to 30 March.
    assert_eq!(row.third_party, one(5));
    // The notice before its receipt: 11 to 14 April; the ten days after observations.
    assert_eq!(row.suspended, one(14));
    assert_eq!(row.office, one(35));
    assert_eq!((row.open, row.closed, row.late), (0, 1, 0));
    recounted(&town, &place.views).await;
    let closed = place.projector.position();
    town.on(1, "2026-05-21", vec![reopened(day("2026-05-21"))]).await;
    place.projector.catch_up(town.reader(), &rules()).await.unwrap();
    let row = place.views.statistics(None, None, None).await.unwrap().value.remove(0);
    assert_eq!((row.open, row.closed, row.total), (1, 0, Distribution::default()));
    recounted(&town, &place.views).await;
    // As it was known before.
    let of = RecountOf { until: Some(closed), ..RecountOf::default() };
    let row = recount(town.reader(), &rules(), of, |_, _| {}).await.unwrap().rows.remove(0);
    assert_eq!((row.open, row.closed, row.total), (0, 1, one(70)));
}

#[tokio::test]
async fn the_four_parts_sum_to_the_total_in_random_histories() {
    for seed in 300..306 {
        println!("seed {seed}");
        let town = random_town(seed, 400).await;
        let Place { dir: _dir, views, .. } = caught_up(&town).await;
        for row in views.statistics(None, None, None).await.unwrap().value {
            let parts = [row.office, row.citizen, row.third_party, row.suspended];
            assert!(row.closed > 0);
            assert_eq!(parts.iter().map(|d| d.sum).sum::<u64>(), row.total.sum);
            assert_eq!(row.outcomes.iter().map(|(_, n)| n).sum::<u64>(), row.closed);
        }
        recounted(&town, &views).await;
    }
}

#[tokio::test]
async fn the_statistics_of_any_position_are_those_that_the_views_had_there() {
    let town = random_town(77, 120).await;
    let mut place = crate::town::place();
    let events = town.all().await;
    for batch in events.chunks(97) {
        place.projector.apply(&*town.reader(), &rules(), batch).await.unwrap();
        let until = place.projector.position();
        let then = place.views.statistics(None, None, None).await.unwrap().value;
        let of = RecountOf { until: Some(until), ..RecountOf::default() };
        let counted = recount(town.reader(), &rules(), of, |_, _| {}).await.unwrap();
        assert_eq!((counted.position, counted.rows), (until, then));
    }
    assert!(place.projector.position() > Position::START);
}
