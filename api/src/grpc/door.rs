//! How often somebody may call, and how much is under way at once. Who is turned away hears when to
//! come back. Health stands outside the door, and a stream that is open is not counted again.

use super::limits::CALLS_MAX;
use crate::app::Principal;
use pratica_domain::ids::OfficerId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// How many accounts are remembered before those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// The door of a server.
#[derive(Default)]
pub(crate) struct Door {
    /// Calls a second of one account; 0 for any number. Twice as many may come at once.
    calls_per_second: u32,
    accounts: Mutex<HashMap<OfficerId, Bucket>>,
    under_way: AtomicUsize,
}

struct Bucket {
    left: f64,
    at: Instant,
}

/// A call that was let in; while it lives it counts.
pub(crate) struct Inside(Arc<Door>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Door {
    pub(crate) fn new(calls_per_second: u32) -> Arc<Door> {
        Arc::new(Door { calls_per_second, ..Door::default() })
    }

    /// Lets a call in, or says when to come back.
    pub(crate) fn enter(self: &Arc<Self>, who: &Principal) -> Result<Inside, Box<Status>> {
        self.enter_at(who, Instant::now())
    }

    fn enter_at(self: &Arc<Self>, who: &Principal, now: Instant) -> Result<Inside, Box<Status>> {
        if let Some(wait) = self.wait(&who.account, now) {
            return Err(Box::new(later("RATE_LIMITED", "too many calls of this account", wait)));
        }
        let inside = Inside(Arc::clone(self));
        if self.under_way.fetch_add(1, Ordering::Relaxed) >= CALLS_MAX {
            // Dropping it takes it out of the count again.
            return Err(Box::new(later(
                "OVERLOADED",
                "the server is busy",
                Duration::from_secs(1),
            )));
        }
        Ok(inside)
    }

    /// How long an account has to wait; none when it may come in.
    fn wait(&self, account: &OfficerId, now: Instant) -> Option<Duration> {
        if self.calls_per_second == 0 {
            return None;
        }
        let rate = f64::from(self.calls_per_second);
        let most = 2.0 * rate;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |b: &Bucket| b.left + now.duration_since(b.at).as_secs_f64() * rate >= most;
        if accounts.len() >= REMEMBERED {
            accounts.retain(|_, bucket| !full(bucket));
        }
        let bucket = accounts.entry(account.clone()).or_insert(Bucket { left: most, at: now });
        let grown = bucket.left + now.duration_since(bucket.at).as_secs_f64() * rate;
        (bucket.left, bucket.at) = (grown.min(most), now);
        if bucket.left < 1.0 {
            return Some(Duration::from_secs_f64((1.0 - bucket.left) / rate));
        }
        bucket.left -= 1.0;
        None
    }
}

fn later(reason: &str, text: &str, wait: Duration) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, "pratica", HashMap::new());
    details.set_retry_info(Some(wait));
    let millis = wait.as_millis().max(1);
    let text = format!("{text}: come back in {millis} ms");
    Status::with_error_details(Code::ResourceExhausted, text, details)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]
    use super::*;

    fn who(account: &str) -> Principal {
        Principal::system(account.parse().unwrap())
    }

    #[test]
    fn an_account_that_calls_too_often_waits_and_no_other_does() {
        let door = Door::new(10);
        let now = Instant::now();
        for _ in 0..20 {
            assert!(door.enter_at(&who("busy"), now).is_ok());
        }
        let refused = door.enter_at(&who("busy"), now).map(drop).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let wait = refused.get_error_details().retry_info().unwrap().retry_delay.unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
        assert!(door.enter_at(&who("other"), now).is_ok());
        assert!(door.enter_at(&who("busy"), now + wait).is_ok(), "after the advised time");
    }

    #[test]
    fn what_is_over_counts_no_more() {
        let door = Door::new(0);
        let inside: Vec<_> = (0..CALLS_MAX).map(|_| door.enter(&who("a")).unwrap()).collect();
        assert!(door.enter(&who("a")).is_err());
        drop(inside);
        assert!(door.enter(&who("a")).is_ok());
    }
}
