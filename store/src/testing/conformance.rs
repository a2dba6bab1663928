//! What every store must do, clause by clause; each clause is a sentence and a test.
//!
//! A store offers a [`Place`] and calls [`conformance_suite!`](crate::conformance_suite): every
//! clause becomes a test of its own. The clauses need no particular runtime. Never weaken one
//! for the sake of a store.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use crate::error::StoreError;
use crate::event::{AppendRequest, Appended, RecordedEvent};
use crate::log::{Direction, EventReader, EventStore, Filter};
use crate::revision::Position;

mod appending;
mod following;
mod idempotency;
mod reading;

pub use appending::*;
pub use following::*;
pub use idempotency::*;
pub use reading::*;

/// Where a log is kept: empty at first, and still there when it is opened again.
pub trait Place: Send + Sync {
    /// Opens the log. The log opened before has been dropped by then: this is a restart.
    fn open(&self) -> Arc<dyn EventStore>;
}

/// Makes a test of every clause: `conformance_suite!(Place::new());`, where the expression makes
/// a new, empty [`Place`] each time. The caller's crate needs tokio's test macro.
#[macro_export]
macro_rules! conformance_suite {
    ($place:expr) => {
        $crate::conformance_suite! { @clauses $place;
            all_events_of_an_append_become_visible_or_none
            an_event_comes_back_exactly_as_it_went_in
            a_wrong_expected_revision_names_the_actual_one
            of_two_appends_at_the_same_revision_exactly_one_wins
            unrelated_streams_do_not_conflict
            positions_are_gapless_across_streams_and_refusals
            what_could_not_be_read_again_is_refused
            what_is_too_large_is_refused
            an_append_of_nothing_changes_nothing
            a_repeated_request_gets_the_first_answer
            a_repeated_request_is_recognised_after_a_restart
            a_request_that_recorded_nothing_is_recognised_too
            a_request_id_with_other_content_is_refused
            a_refused_request_leaves_its_id_free
            the_same_request_sent_at_once_has_one_effect
            a_stream_is_read_both_ways_with_its_boundaries
            the_log_is_read_both_ways_with_its_boundaries
            a_filtered_read_resumes_where_it_looked_last
            a_page_never_passes_its_own_head
            a_subscription_resumes_at_every_boundary
            a_subscription_resumes_after_a_restart
            a_subscription_says_once_that_it_has_caught_up
            a_filtered_subscription_moves_on_past_strangers
            a_subscription_beyond_the_head_is_refused
            a_dropped_wait_loses_nothing
            a_follower_sees_every_position_once_while_others_write
        }
    };
    (@clauses $place:expr; $($clause:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $clause() {
                let place = $place;
                $crate::testing::conformance::$clause(&place).await;
            }
        )*
    };
}

/// The whole log, forwards, page by page.
///
/// # Panics
/// When it cannot be read.
pub async fn read_everything(reader: &dyn EventReader, page: usize) -> Vec<RecordedEvent> {
    let mut events = Vec::new();
    let mut from = Position::START;
    loop {
        let page = reader.read_all(from, Direction::Forwards, &Filter::all(), page).await.unwrap();
        events.extend(page.events);
        if page.next >= page.head {
            return events;
        }
        from = page.next;
    }
}

/// Runs futures side by side, and gives their outcomes in their order.
pub async fn together<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Some(future), None)).collect();
    std::future::poll_fn(move |cx| {
        let mut done = true;
        for (slot, outcome) in &mut running {
            if let Some(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(value) => (*outcome, *slot) = (Some(value), None),
                    Poll::Pending => done = false,
                }
            }
        }
        if done {
            Poll::Ready(running.iter_mut().filter_map(|(_, outcome)| outcome.take()).collect())
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Lets the others run: a store in memory never has to wait, and would hide what comes between.
async fn pause() {
    let mut paused = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn append_together(
    log: &dyn EventStore,
    requests: Vec<AppendRequest>,
) -> Vec<Result<Appended, StoreError>> {
    together(requests.into_iter().map(|request| log.append(request)).collect()).await
}

fn numbers(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position.get()).collect()
}
