//! Batches, redelivery, crashes, poison: whatever the way, the views come out the same.

use pratica_domain::Event;
use pratica_domain::ids::ProtocolNumber;
use pratica_domain::people::Personal;
use pratica_domain::register;
use pratica_projections::{ViewError, Views, ViewsOptions};
use pratica_store::{Direction, EventReader, Filter, NewEvent, Position};

use crate::town::{
    Place, Town, caught_up, confirmed, day, open, place, random_town, register_stream, rules,
    stream, subject, vault,
};

async fn in_batches(town: &Town, size: usize) -> Place {
    let mut place = place();
    let all = town.all().await;
    for batch in all.chunks(size) {
        place.projector.apply(&*town.log, &rules(), batch).await.unwrap();
    }
    place
}

async fn digests(place: &Place) -> (String, Vec<String>, Position) {
    let content = place.views.content_digest().await.unwrap();
    let status = place.views.status().await.unwrap().value;
    (content.value.to_string(), status.into_iter().map(|s| s.digest).collect(), content.position)
}

#[tokio::test]
async fn batches_of_any_size_and_a_rebuild_give_the_same_views() {
    let town = random_town(7, 700).await;
    let by_one = in_batches(&town, 1).await;
    let expected = digests(&by_one).await;
    assert_eq!(expected.2, town.log.head().await.unwrap());
    for size in [7, 1000] {
        assert_eq!(digests(&in_batches(&town, size).await).await, expected, "batches of {size}");
    }
    by_one.views.rebuild(town.reader(), &rules(), |_, _| {}).await.unwrap();
    assert_eq!(digests(&by_one).await, expected);
}

#[tokio::test]
async fn another_log_has_another_digest() {
    let one = random_town(7, 50).await;
    let other = random_town(8, 50).await;
    assert_ne!(digests(&caught_up(&one).await).await, digests(&caught_up(&other).await).await);
}

#[tokio::test]
async fn a_batch_that_comes_again_changes_nothing() {
    let town = random_town(3, 200).await;
    let mut place = caught_up(&town).await;
    let before = digests(&place).await;
    let all = town.all().await;
    for batch in [&all[..], &all[10..40], &all[all.len() - 1..]] {
        let position = place.projector.apply(&*town.log, &rules(), batch).await.unwrap();
        assert_eq!(position, before.2);
    }
    assert_eq!(digests(&place).await, before);
}

#[tokio::test]
async fn events_left_out_are_refused() {
    let town = random_town(3, 50).await;
    let mut place = place();
    let all = town.all().await;
    let error = place.projector.apply(&*town.log, &rules(), &all[5..]).await.unwrap_err();
    assert!(matches!(error, ViewError::Gap { next, .. } if next == Position::new(6)), "{error}");
    assert_eq!(place.projector.position(), Position::START);
}

#[tokio::test]
async fn a_writer_that_was_dropped_is_taken_up_where_its_last_batch_ended() {
    let town = random_town(11, 400).await;
    let expected = digests(&caught_up(&town).await).await;
    let Place { dir, views, mut projector } = place();
    let all = town.all().await;
    projector.apply(&*town.log, &rules(), &all[..100]).await.unwrap();
    drop((views, projector));
    let (views, mut projector) = open(&dir);
    assert_eq!(views.position(), Position::new(100));
    projector.catch_up(town.reader(), &rules()).await.unwrap();
    assert_eq!(digests(&Place { dir, views, projector }).await, expected);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_the_views_before_it_and_is_named() {
    let mut town = random_town(5, 60).await;
    let poison = NewEvent {
        id: uuid::Uuid::from_u128(99),
        event_type: "case.not_of_this_build".into(),
        schema_version: 1,
        occurred_at: "2026-06-01T00:00:00Z".parse().unwrap(),
        payload: b"{}".to_vec(),
        metadata: town.all().await[0].metadata().unwrap(),
    };
    let at = town.log.head().await.unwrap().next();
    town.append(stream(0), poison.occurred_at, vec![poison]).await;
    town.on(1, "2026-07-01", vec![confirmed(day("2026-07-01"))]).await;
    let mut place = place();
    for _ in 0..2 {
        let error = place.projector.catch_up(town.reader(), &rules()).await.unwrap_err();
        assert!(matches!(error, ViewError::Poison { position, .. } if position == at), "{error}");
        assert_eq!(place.projector.position().next(), at);
        assert_eq!(place.views.position().next(), at);
    }
}

/// While a batch is written the next is worked out: an event may stop either.
#[tokio::test]
async fn whatever_stops_the_views_between_two_batches_is_named_and_what_comes_before_it_is_applied()
{
    for found_while_writing in [true, false] {
        for batch_events in 1..9 {
            let mut town = random_town(5, 40).await;
            let at = town.log.head().await.unwrap().next();
            if found_while_writing {
                // A number that was never given is looked for in the table.
                let annulled = register::Annulled {
                    number: ProtocolNumber { year: 2026, number: 4711 },
                    reason: Personal::new(subject(1), "error".to_owned()),
                    authorisation: Personal::new(subject(1), "act 1".to_owned()),
                    by: "officer".parse().unwrap(),
                    annulled_on: day("2026-06-01"),
                };
                let annulled = vec![Event::Register(annulled.into())];
                town.record(register_stream(), day("2026-06-01"), annulled).await;
            } else {
                // Out of a case that was never opened.
                town.on(7000, "2026-06-01", vec![confirmed(day("2026-06-01"))]).await;
            }
            for n in 8000..8005 {
                town.declare(n, "2026-06-02", "Bianchi", "b").await;
            }
            let dir = tempfile::tempdir().unwrap();
            let options = ViewsOptions { batch_events, ..ViewsOptions::default() };
            let path = dir.path().join("views.db");
            let (views, mut projector) = Views::open(&path, options, vault()).unwrap();
            for _ in 0..2 {
                let error = projector.catch_up(town.reader(), &rules()).await.unwrap_err();
                let named = matches!(error, ViewError::Poison { position, .. } if position == at);
                assert!(named, "{error}, batches of {batch_events}");
                assert_eq!(views.position().next(), at, "batches of {batch_events}");
                assert_eq!(projector.position().next(), at, "batches of {batch_events}");
            }
        }
    }
}

#[tokio::test]
async fn a_case_that_pinned_rules_nobody_has_stops_the_views_and_says_so() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "a").await;
    let mut other = Town::new();
    std::mem::swap(&mut other, &mut town);
    let mut empty = (*rules()).clone();
    empty.book = pratica_domain::term::RuleBook::new();
    let mut place = place();
    let error = place.projector.catch_up(other.reader(), &empty).await.unwrap_err();
    assert!(matches!(error, ViewError::Terms { .. }), "{error}");
}

#[tokio::test]
async fn other_rules_build_the_views_again() {
    let town = random_town(5, 60).await;
    let mut place = caught_up(&town).await;
    let before = digests(&place).await;
    let mut other = (*rules()).clone();
    other.calendar = other
        .calendar
        .with_local(vec![pratica_domain::term::LocalHoliday::fixed("Patrono", 4, 16, true)]);
    assert_eq!(place.projector.catch_up(town.reader(), &other).await.unwrap(), before.2);
    assert_eq!(digests(&place).await.1, before.1, "the same events");
    place.projector.catch_up(town.reader(), &rules()).await.unwrap();
    assert_eq!(digests(&place).await, before);
}

#[tokio::test]
async fn a_runner_follows_the_log_tells_its_position_and_stops_when_asked() {
    let mut town = random_town(5, 60).await;
    let Place { dir: _dir, views, mut projector } = place();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (told, mut heard) = tokio::sync::watch::channel(Position::START);
    projector.on_applied(Box::new(move |position| {
        told.send_replace(position);
    }));
    let reader = town.reader();
    let runner = tokio::spawn(async move {
        projector
            .run(reader, rules(), async {
                stopped.await.unwrap();
            })
            .await
    });
    for n in 5000..5010 {
        town.declare(n, "2026-03-02", "Rossi", "a").await;
        let head = town.log.head().await.unwrap();
        heard.wait_for(|position| *position >= head).await.unwrap();
        assert!(views.case_row(crate::town::case(n)).await.unwrap().value.is_some());
    }
    stop.send(()).unwrap();
    runner.await.unwrap().unwrap();
    let page =
        town.log.read_all(views.position(), Direction::Forwards, &Filter::all(), 10).await.unwrap();
    assert!(page.events.is_empty());
}

#[tokio::test]
async fn cases_beyond_the_cache_are_folded_from_the_log() {
    let town = random_town(21, 600).await;
    let expected = digests(&caught_up(&town).await).await;
    let dir = tempfile::tempdir().unwrap();
    let options = ViewsOptions { cached_cases: 2, batch_events: 5, ..ViewsOptions::default() };
    let (views, mut projector) =
        Views::open(&dir.path().join("views.db"), options, vault()).unwrap();
    projector.catch_up(town.reader(), &rules()).await.unwrap();
    assert_eq!(digests(&Place { dir, views, projector }).await, expected);
}
