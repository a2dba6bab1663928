//! Clauses about appending: atomic, checked, gapless, exact.
#![allow(missing_docs, reason = "the name of a clause says what it demands")]

use super::{Place, append_together, numbers, read_everything};
use crate::error::StoreError;
use crate::event::{MAX_APPEND_BYTES, MAX_APPEND_EVENTS};
use crate::log::Direction;
use crate::revision::Expected::{Exact, NoStream};
use crate::revision::{Position, Revision};
use crate::testing::{append, event, events, metadata, name, time};

pub async fn all_events_of_an_append_become_visible_or_none(place: &impl Place) {
    let log = place.open();
    let done = log.append(append("a.permit-1", NoStream, events(1..4))).await.unwrap();
    assert_eq!(done.first_revision, Some(Revision::FIRST));
    assert_eq!(done.revision, Some(Revision::new(2)));
    assert_eq!(done.position, Position::new(3));
    assert!(!done.replayed);
    // The third of these cannot be stored, and takes the other two with it.
    let mut broken = events(4..7);
    broken[2].payload = b"{".to_vec();
    let at = Exact(Revision::new(2));
    assert!(log.append(append("a.permit-1", at, broken)).await.is_err());
    assert!(log.append(append("a.permit-1", NoStream, events(4..7))).await.is_err());
    assert_eq!(numbers(&read_everything(&*log, 10).await), [1, 2, 3]);
    assert_eq!(log.stream_revision(&name("a.permit-1")).await.unwrap(), Some(Revision::new(2)));
}

pub async fn an_event_comes_back_exactly_as_it_went_in(place: &impl Place) {
    let log = place.open();
    let mut new = event(7);
    new.payload = "{ \"spaces\" :  [1.0, \"è\", null ]}\n".as_bytes().to_vec();
    new.schema_version = u16::MAX;
    new.metadata.on_behalf_of = Some("citizen-9".to_owned());
    new.metadata.request_id = Some(uuid::Uuid::max());
    new.metadata.causation_id = Some(uuid::Uuid::from_u128(3));
    let mut request = append("a.permit-1", NoStream, vec![new.clone()]);
    request.recorded_at = time(99);
    log.append(request).await.unwrap();
    drop(log);
    let log = place.open();
    let stream = name("a.permit-1");
    let read = log.read_stream(&stream, Revision::FIRST, Direction::Forwards, 9).await.unwrap();
    let [read] = &read[..] else { panic!("{read:?}") };
    assert_eq!((read.position, read.revision), (Position::new(1), Revision::FIRST));
    assert_eq!(read.stream, stream);
    assert_eq!((read.id, &*read.event_type), (new.id, &*new.event_type));
    assert_eq!(read.schema_version, new.schema_version);
    assert_eq!((read.occurred_at, read.recorded_at), (new.occurred_at, time(99)));
    assert_eq!(&*read.payload, &new.payload[..]);
    assert_eq!(read.metadata().unwrap(), new.metadata);
    assert_eq!(read_everything(&*log, 10).await, std::slice::from_ref(read));
}

pub async fn a_wrong_expected_revision_names_the_actual_one(place: &impl Place) {
    let log = place.open();
    let cases = [
        ("a.permit-1", Exact(Revision::FIRST), None),
        ("a.permit-2", NoStream, Some(Revision::new(1))),
        ("a.permit-2", Exact(Revision::FIRST), Some(Revision::new(1))),
        ("a.permit-2", Exact(Revision::new(2)), Some(Revision::new(1))),
        ("a.permit-2", Exact(Revision::END), Some(Revision::new(1))),
    ];
    log.append(append("a.permit-2", NoStream, events(0..2))).await.unwrap();
    for (stream, wrong, is) in cases {
        // Also where there is nothing to append: it, too, was decided upon what was read.
        for batch in [events(5..6), Vec::new()] {
            match log.append(append(stream, wrong, batch)).await {
                Err(StoreError::Conflict { stream: named, expected, actual }) => {
                    assert_eq!((named.as_str(), expected, actual), (stream, wrong, is));
                }
                other => panic!("{stream} {wrong:?}: {other:?}"),
            }
        }
    }
    assert_eq!(log.head().await.unwrap(), Position::new(2));
}

pub async fn of_two_appends_at_the_same_revision_exactly_one_wins(place: &impl Place) {
    let log = place.open();
    let mut at = NoStream;
    for round in 0..20 {
        let both = [event(round * 2), event(round * 2 + 1)]
            .map(|event| append("a.permit-1", at, vec![event]));
        let outcomes = append_together(&*log, both.into()).await;
        let won = outcomes.iter().flatten().count();
        let lost =
            outcomes.iter().filter(|o| matches!(o, Err(StoreError::Conflict { .. }))).count();
        assert_eq!((won, lost), (1, 1), "round {round}: {outcomes:?}");
        at = Exact(Revision::new(round));
    }
    assert_eq!(read_everything(&*log, 7).await.len(), 20);
}

pub async fn unrelated_streams_do_not_conflict(place: &impl Place) {
    let log = place.open();
    for round in 0..5_u64 {
        let at = round.checked_sub(1).map(Revision::new).into();
        let all = (0..30).map(|i| append(&format!("a.permit-{i}"), at, vec![event(i)])).collect();
        for outcome in append_together(&*log, all).await {
            assert_eq!(outcome.unwrap().revision, Some(Revision::new(round)));
        }
    }
    assert_eq!(log.head().await.unwrap(), Position::new(150));
}

pub async fn positions_are_gapless_across_streams_and_refusals(place: &impl Place) {
    let log = place.open();
    for i in 0..10_u64 {
        let stream = format!("a.permit-{i}");
        log.append(append(&stream, NoStream, events(0..i % 3 + 1))).await.unwrap();
        log.append(append(&stream, NoStream, events(0..3))).await.unwrap_err();
    }
    let read = read_everything(&*log, 4).await;
    assert_eq!(numbers(&read), (1..=read.len() as u64).collect::<Vec<_>>());
    assert_eq!(log.head().await.unwrap().get(), read.len() as u64);
}

pub async fn what_could_not_be_read_again_is_refused(place: &impl Place) {
    let log = place.open();
    type Spoil = fn(&mut crate::event::NewEvent);
    let spoils: [Spoil; 6] = [
        |e| e.payload = Vec::new(),
        |e| e.payload = b"{\"a\":}".to_vec(),
        |e| e.payload = b"\"\xff\"".to_vec(),
        |e| e.event_type = "".into(),
        |e| e.event_type = "Residency Registered".into(),
        |e| e.occurred_at = jiff::Timestamp::MIN,
    ];
    for (number, spoil) in spoils.into_iter().enumerate() {
        let mut batch = events(0..2);
        spoil(&mut batch[1]);
        match log.append(append("a.permit-1", NoStream, batch)).await {
            Err(StoreError::InvalidEvent { index: 1, .. }) => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(log.head().await.unwrap(), Position::START);
}

pub async fn what_is_too_large_is_refused(place: &impl Place) {
    let log = place.open();
    let too_many = events(0..MAX_APPEND_EVENTS as u64 + 1);
    let mut too_long = event(0);
    too_long.payload = format!("\"{}\"", "x".repeat(MAX_APPEND_BYTES)).into_bytes();
    for batch in [too_many, vec![too_long]] {
        match log.append(append("a.permit-1", NoStream, batch)).await {
            Err(StoreError::TooLarge { found, limit, .. }) => assert!(found > limit),
            other => panic!("{other:?}"),
        }
    }
    let mut large = event(0);
    let spare = serde_json::to_string(&metadata(0)).unwrap().len() + 2;
    large.payload = format!("\"{}\"", "x".repeat(MAX_APPEND_BYTES - spare)).into_bytes();
    log.append(append("a.permit-1", NoStream, vec![large.clone()])).await.unwrap();
    assert_eq!(*read_everything(&*log, 1).await[0].payload, large.payload);
}

pub async fn an_append_of_nothing_changes_nothing(place: &impl Place) {
    let log = place.open();
    let done = log.append(append("a.permit-1", NoStream, Vec::new())).await.unwrap();
    assert_eq!((done.revision, done.first_revision), (None, None));
    assert_eq!(done.position, Position::START);
    log.append(append("a.permit-2", NoStream, events(0..2))).await.unwrap();
    let at = Exact(Revision::new(1));
    let done = log.append(append("a.permit-2", at, Vec::new())).await.unwrap();
    assert_eq!((done.revision, done.first_revision), (Some(Revision::new(1)), None));
    assert_eq!((done.position, done.replayed), (Position::new(2), false));
    log.append(append("a.permit-1", NoStream, events(2..3))).await.unwrap();
}
