//! Clauses about repeated requests: one effect, the first answer, for ever.
#![allow(missing_docs, reason = "the name of a clause says what it demands")]

use super::{Place, append_together};
use crate::error::StoreError;
use crate::event::{AppendRequest, Appended};
use crate::revision::Expected::{self, Exact, NoStream};
use crate::revision::{Position, Revision};
use crate::testing::{append, events, name, request};

fn asked(stream: &str, at: Expected, numbers: std::ops::Range<u64>, id: u128) -> AppendRequest {
    AppendRequest { request: Some(request(id, 1)), ..append(stream, at, events(numbers)) }
}

pub async fn a_repeated_request_gets_the_first_answer(place: &impl Place) {
    let log = place.open();
    log.append(append("a.permit-0", NoStream, events(0..1))).await.unwrap();
    let first = log.append(asked("a.permit-1", NoStream, 1..3, 7)).await.unwrap();
    assert!(!first.replayed);
    for i in 10..40 {
        log.append(append(&format!("a.permit-{i}"), NoStream, events(i..i + 1))).await.unwrap();
    }
    log.append(append("a.permit-1", Exact(Revision::new(1)), events(3..4))).await.unwrap();
    // As it was, and with the revision a client that read again would expect: the id decides.
    for at in [NoStream, Exact(Revision::new(2)), Exact(Revision::new(77))] {
        let again = log.append(asked("a.permit-1", at, 1..3, 7)).await.unwrap();
        assert_eq!(again, Appended { replayed: true, ..first });
    }
    assert_eq!(log.head().await.unwrap(), Position::new(34));
}

pub async fn a_repeated_request_is_recognised_after_a_restart(place: &impl Place) {
    let log = place.open();
    let first = log.append(asked("a.permit-1", NoStream, 0..2, 7)).await.unwrap();
    drop(log);
    let log = place.open();
    let again = log.append(asked("a.permit-1", NoStream, 0..2, 7)).await.unwrap();
    assert_eq!(again, Appended { replayed: true, ..first });
    let record = log.find_request(request(7, 1).id).await.unwrap().unwrap();
    assert_eq!(record.stream, name("a.permit-1"));
    assert_eq!((record.fingerprint, record.event_count), ([1; 32], 2));
    assert_eq!((record.first_revision, record.revision), (first.first_revision, first.revision));
    assert_eq!(record.position, first.position);
    assert_eq!(log.find_request(request(8, 1).id).await.unwrap(), None);
    assert_eq!(log.head().await.unwrap(), Position::new(2));
}

pub async fn a_request_that_recorded_nothing_is_recognised_too(place: &impl Place) {
    let log = place.open();
    let nowhere = log.append(asked("a.permit-9", NoStream, 0..0, 1)).await.unwrap();
    assert_eq!((nowhere.revision, nowhere.position), (None, Position::START));
    log.append(append("a.permit-1", NoStream, events(0..3))).await.unwrap();
    let at = Exact(Revision::new(2));
    let first = log.append(asked("a.permit-1", at, 0..0, 2)).await.unwrap();
    assert_eq!((first.revision, first.first_revision), (Some(Revision::new(2)), None));
    assert_eq!((first.position, first.replayed), (Position::new(3), false));
    log.append(append("a.permit-1", at, events(3..4))).await.unwrap();
    log.append(append("a.permit-9", NoStream, events(4..5))).await.unwrap();
    drop(log);
    let log = place.open();
    let again = log.append(asked("a.permit-1", at, 0..0, 2)).await.unwrap();
    assert_eq!(again, Appended { replayed: true, ..first });
    let again = log.append(asked("a.permit-9", NoStream, 0..0, 1)).await.unwrap();
    assert_eq!(again, Appended { replayed: true, ..nowhere });
    assert_eq!(log.head().await.unwrap(), Position::new(5));
}

pub async fn a_request_id_with_other_content_is_refused(place: &impl Place) {
    let log = place.open();
    log.append(asked("a.permit-1", NoStream, 0..1, 7)).await.unwrap();
    let other_print = AppendRequest {
        request: Some(request(7, 2)),
        ..append("a.permit-1", Exact(Revision::FIRST), events(1..2))
    };
    let other_stream = asked("a.permit-2", NoStream, 0..1, 7);
    // Also where the expected revision is wrong as well: the id is looked at first.
    let both = asked("a.permit-2", Exact(Revision::new(5)), 0..1, 7);
    for reused in [other_print, other_stream, both] {
        match log.append(reused).await {
            Err(StoreError::RequestReused { request_id }) => {
                assert_eq!(request_id, request(7, 1).id);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(log.head().await.unwrap(), Position::new(1));
    assert_eq!(log.stream_revision(&name("a.permit-2")).await.unwrap(), None);
}

pub async fn a_refused_request_leaves_its_id_free(place: &impl Place) {
    let log = place.open();
    let wrong = Exact(Revision::FIRST);
    log.append(asked("a.permit-1", wrong, 0..1, 7)).await.unwrap_err();
    assert_eq!(log.find_request(request(7, 1).id).await.unwrap(), None);
    let done = log.append(asked("a.permit-1", NoStream, 0..1, 7)).await.unwrap();
    assert!(!done.replayed);
}

pub async fn the_same_request_sent_at_once_has_one_effect(place: &impl Place) {
    let log = place.open();
    let all = (0..20).map(|_| asked("a.permit-1", NoStream, 0..2, 7)).collect();
    let outcomes = append_together(&*log, all).await;
    let written = outcomes.iter().flatten().filter(|done| !done.replayed).count();
    assert_eq!(written, 1);
    for outcome in outcomes {
        let done = outcome.unwrap();
        assert_eq!((done.position, done.revision), (Position::new(2), Some(Revision::new(1))));
    }
    assert_eq!(log.head().await.unwrap(), Position::new(2));
}
