//! Clauses about subscriptions: nothing skipped, nothing doubled, at any boundary.
#![allow(missing_docs, reason = "the name of a clause says what it demands")]

use std::sync::Arc;
use std::task::Poll;

use super::{Place, numbers, read_everything, together};
use crate::error::StoreError;
use crate::log::{EventStore, Filter};
use crate::revision::Expected::NoStream;
use crate::revision::{Position, Revision};
use crate::subscription::{Delivery, Subscription};
use crate::testing::{append, event, events};

fn subscribe(log: &Arc<dyn EventStore>, after: u64, filter: Filter) -> Subscription {
    Subscription::new(Arc::clone(log) as _, Position::new(after), filter)
}

/// Everything up to the next time it has caught up, and where that was.
async fn catch_up(subscription: &mut Subscription) -> (Vec<u64>, u64) {
    let mut seen = Vec::new();
    loop {
        match subscription.next().await.unwrap() {
            Delivery::Events { events, position } => {
                assert!(!events.is_empty());
                seen.extend(numbers(&events));
                assert!(Some(&position.get()) >= seen.last());
                assert_eq!(position, subscription.position());
            }
            Delivery::CaughtUp { position } => return (seen, position.get()),
        }
    }
}

/// It has nothing to deliver now. Polls some times, since a store may answer later.
async fn assert_waiting(subscription: &mut Subscription) {
    let head = subscription.position();
    let mut next = Box::pin(subscription.next());
    let mut polls = 0;
    std::future::poll_fn(move |cx| {
        polls += 1;
        match next.as_mut().poll(cx) {
            Poll::Ready(delivery) => panic!("nothing is new at {head}, and yet: {delivery:?}"),
            Poll::Pending if polls < 50 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Pending => Poll::Ready(()),
        }
    })
    .await;
}

async fn add(log: &Arc<dyn EventStore>, stream: &str, count: u64) {
    log.append(append(stream, NoStream, events(0..count))).await.unwrap();
}

pub async fn a_subscription_resumes_at_every_boundary(place: &impl Place) {
    let log = place.open();
    let mut empty = subscribe(&log, 0, Filter::all());
    assert_eq!(catch_up(&mut empty).await, (vec![], 0));
    add(&log, "a.permit-0", 4).await;
    assert_eq!(catch_up(&mut empty).await, (vec![1, 2, 3, 4], 4));
    add(&log, "a.permit-1", 3).await;
    for batch in [1, 2, 3, 7, 100] {
        for after in 0..=7 {
            let mut subscription = subscribe(&log, after, Filter::all()).batch(batch);
            let expected: Vec<u64> = (after + 1..=7).collect();
            assert_eq!(catch_up(&mut subscription).await, (expected, 7), "{after}, {batch}");
        }
    }
    let mut at_head = subscribe(&log, 7, Filter::all());
    assert_eq!(catch_up(&mut at_head).await, (vec![], 7));
    add(&log, "a.permit-2", 1).await;
    assert_eq!(catch_up(&mut at_head).await, (vec![8], 8));
    assert_eq!(catch_up(&mut empty).await, (vec![5, 6, 7, 8], 8));
}

pub async fn a_subscription_resumes_after_a_restart(place: &impl Place) {
    let mut seen = Vec::new();
    let mut checkpoint = 0;
    for round in 0..5_u64 {
        let log = place.open();
        add(&log, &format!("a.permit-{round}"), 3).await;
        // Handles two deliveries of two, so that it lags behind, then the process ends.
        let mut subscription = subscribe(&log, checkpoint, Filter::all()).batch(2);
        for _ in 0..2 {
            if let Delivery::Events { events, position } = subscription.next().await.unwrap() {
                seen.extend(numbers(&events));
                checkpoint = position.get();
            }
        }
    }
    let log = place.open();
    let (rest, end) = catch_up(&mut subscribe(&log, checkpoint, Filter::all())).await;
    seen.extend(rest);
    assert_eq!((seen, end), ((1..=15).collect(), 15));
}

pub async fn a_subscription_says_once_that_it_has_caught_up(place: &impl Place) {
    let log = place.open();
    add(&log, "a.permit-0", 3).await;
    let mut subscription = subscribe(&log, 0, Filter::all());
    assert_eq!(catch_up(&mut subscription).await, (vec![1, 2, 3], 3));
    assert_waiting(&mut subscription).await;
    assert_waiting(&mut subscription).await;
    add(&log, "a.permit-1", 1).await;
    assert_eq!(catch_up(&mut subscription).await, (vec![4], 4));
    assert_waiting(&mut subscription).await;
}

pub async fn a_filtered_subscription_moves_on_past_strangers(place: &impl Place) {
    let log = place.open();
    for i in 0..6 {
        add(&log, &format!("a.permit-{i}"), 40).await;
    }
    add(&log, "a.call-1", 2).await;
    add(&log, "a.permit-9", 40).await;
    let mut calls = subscribe(&log, 0, Filter::prefixes(["a.call-"])).batch(1);
    assert_eq!(catch_up(&mut calls).await, (vec![241, 242], 282));
    add(&log, "a.permit-10", 1).await;
    assert_eq!(catch_up(&mut calls).await, (vec![], 283));
    add(&log, "a.call-2", 1).await;
    assert_eq!(catch_up(&mut calls).await, (vec![284], 284));
    let mut resumed = subscribe(&log, 241, Filter::prefixes(["a.call-"]));
    assert_eq!(catch_up(&mut resumed).await, (vec![242, 284], 284));
}

pub async fn a_subscription_beyond_the_head_is_refused(place: &impl Place) {
    let log = place.open();
    add(&log, "a.permit-0", 3).await;
    match subscribe(&log, 4, Filter::all()).next().await {
        Err(StoreError::BeyondHead { position, head }) => {
            assert_eq!((position.get(), head.get()), (4, 3));
        }
        other => panic!("{other:?}"),
    }
}

pub async fn a_dropped_wait_loses_nothing(place: &impl Place) {
    let log = place.open();
    let mut subscription = subscribe(&log, 0, Filter::all()).batch(2);
    assert_eq!(catch_up(&mut subscription).await, (vec![], 0));
    let mut seen = Vec::new();
    for round in 0..10 {
        assert_waiting(&mut subscription).await;
        add(&log, &format!("a.permit-{round}"), 3).await;
        // Begun and dropped at once, in the middle of reading.
        let mut begun = Box::pin(subscription.next());
        let polled = std::future::poll_fn(|cx| Poll::Ready(begun.as_mut().poll(cx))).await;
        drop(begun);
        if let Poll::Ready(delivery) = polled {
            let Delivery::Events { events, .. } = delivery.unwrap() else { panic!() };
            seen.extend(numbers(&events));
        }
        seen.extend(catch_up(&mut subscription).await.0);
    }
    assert_eq!(seen, (1..=30).collect::<Vec<_>>());
}

/// Eight writers, each with a case of its own, and two followers that start before and amid
/// them. The log read afterwards is the control: what a follower missed must be there.
pub async fn a_follower_sees_every_position_once_while_others_write(place: &impl Place) {
    const WRITERS: u64 = 8;
    const APPENDS: u64 = 50;
    let log = place.open();
    let write = |writer: u64| {
        let log = &log;
        async move {
            let mut at = NoStream;
            for number in 0..APPENDS {
                let stream = format!("a.permit-{writer}");
                let batch = vec![event(number); (number % 3 + 1) as usize];
                let done = log.append(append(&stream, at, batch)).await.unwrap();
                at = done.revision.into();
                super::pause().await;
            }
            Vec::new()
        }
    };
    let total = WRITERS * (0..APPENDS).map(|number| number % 3 + 1).sum::<u64>();
    let follow = |after: u64| {
        let mut subscription = subscribe(&log, after, Filter::all()).batch(5);
        async move {
            let mut seen = Vec::new();
            while subscription.position().get() < total {
                if let Delivery::Events { events, .. } = subscription.next().await.unwrap() {
                    seen.extend(numbers(&events));
                }
            }
            seen
        }
    };
    add(&log, "a.call-0", 0).await;
    let mut all: Vec<std::pin::Pin<Box<dyn Future<Output = Vec<u64>> + Send + '_>>> = Vec::new();
    all.push(Box::pin(follow(0)));
    all.extend((0..WRITERS).map(|writer| Box::pin(write(writer)) as _));
    all.push(Box::pin(follow(0)));
    let outcomes = together(all).await;
    let control = numbers(&read_everything(&*log, 100).await);
    assert_eq!(control, (1..=total).collect::<Vec<_>>());
    assert_eq!(outcomes.first(), Some(&control));
    assert_eq!(outcomes.last(), Some(&control));
    for writer in 0..WRITERS {
        let stream = crate::testing::name(&format!("a.permit-{writer}"));
        let revision = log.stream_revision(&stream).await.unwrap();
        assert_eq!(revision, Some(Revision::new(total / WRITERS - 1)));
    }
}
