//! How often somebody may call, how much of theirs and of all is under way at once, and how many
//! answers are being read. Who is turned away hears when to come back. Health stands outside the
//! door. A call counts from when it is known whose it is, and before any of it is worked on.

use super::limits::{
    ANSWERS_MAX, ANSWERS_OF_ONE_MAX, CALLS_MAX, CALLS_OF_ONE_FEW, CALLS_OF_ONE_MAX,
};
use crate::app::Principal;
use http_body_util::BodyExt as _;
use pratica_domain::ids::OfficerId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// How many accounts are remembered before those that have been quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// The door of a server.
#[derive(Default)]
pub(crate) struct Door {
    /// Calls a second of one account; 0 for any number. Twice as many may come at once.
    calls_per_second: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    accounts: HashMap<OfficerId, Account>,
    /// Of all accounts.
    calls: usize,
    answers: usize,
}

struct Account {
    /// How many calls may still come at once, as of an instant.
    left: f64,
    at: Instant,
    /// Calls under way.
    calls: usize,
    /// Answers that were begun and are not over.
    answers: usize,
}

/// A call that was let in; while it lives it counts, as a call and then as its answer.
pub(crate) struct Inside {
    door: Arc<Door>,
    account: OfficerId,
    is_answer: bool,
}

impl Inside {
    /// The call is over, and its answer is under way for as long as its body lives.
    pub(crate) fn answers(mut self, response: http::Response<Body>) -> http::Response<Body> {
        {
            let mut state = self.door.state();
            state.calls -= 1;
            state.answers += 1;
            if let Some(account) = state.accounts.get_mut(&self.account) {
                account.calls -= 1;
                account.answers += 1;
            }
            self.is_answer = true;
        }
        response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _lives = &self;
                frame
            }))
        })
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = self.door.state();
        let of_all = if self.is_answer { &mut state.answers } else { &mut state.calls };
        *of_all -= 1;
        if let Some(account) = state.accounts.get_mut(&self.account) {
            let of_one = if self.is_answer { &mut account.answers } else { &mut account.calls };
            *of_one -= 1;
            if self.door.calls_per_second == 0 && account.is_outside() {
                state.accounts.remove(&self.account);
            }
        }
    }
}

impl Account {
    fn is_outside(&self) -> bool {
        self.calls == 0 && self.answers == 0
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
        let rate = f64::from(self.calls_per_second);
        let most = 2.0 * rate;
        let mut state = self.state();
        let grown =
            |a: &Account| (a.left + now.duration_since(a.at).as_secs_f64() * rate).min(most);
        if state.accounts.len() >= REMEMBERED {
            state.accounts.retain(|_, a| !a.is_outside() || grown(a) < most);
        }
        let (calls, answers) = (state.calls, state.answers);
        let account = state.accounts.entry(who.account.clone()).or_insert(Account {
            left: most,
            at: now,
            calls: 0,
            answers: 0,
        });
        (account.left, account.at) = (grown(account), now);
        let moment = Duration::from_secs(1);
        let refusal = if rate > 0.0 && account.left < 1.0 {
            let wait = Duration::from_secs_f64((1.0 - account.left) / rate);
            Some(("RATE_LIMITED", "too many calls of this account", wait))
        } else if account.calls >= CALLS_OF_ONE_MAX {
            Some(("RATE_LIMITED", "too many calls of this account at once", moment))
        } else if account.answers >= ANSWERS_OF_ONE_MAX {
            Some(("RATE_LIMITED", "too many open streams of this account", moment))
        } else if calls >= 2 * CALLS_MAX
            || (calls >= CALLS_MAX && account.calls >= CALLS_OF_ONE_FEW)
            || answers >= ANSWERS_MAX
        {
            Some(("OVERLOADED", "the server is busy", moment))
        } else {
            None
        };
        if let Some((reason, text, wait)) = refusal {
            if self.calls_per_second == 0 && account.is_outside() {
                state.accounts.remove(&who.account);
            }
            return Err(Box::new(later(reason, text, wait)));
        }
        account.left -= 1.0;
        account.calls += 1;
        state.calls += 1;
        Ok(Inside { door: Arc::clone(self), account: who.account.clone(), is_answer: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn what_is_over_counts_no_more_and_one_account_leaves_room_for_others() {
        let door = Door::new(0);
        let mut inside: Vec<_> =
            (0..CALLS_OF_ONE_MAX).map(|_| door.enter(&who("a")).unwrap()).collect();
        assert!(door.enter(&who("a")).is_err(), "enough of one account");
        assert_eq!(inside.len() + CALLS_OF_ONE_MAX, CALLS_MAX, "two accounts fill the house");
        inside.extend((0..CALLS_OF_ONE_MAX).map(|_| door.enter(&who("b")).unwrap()));
        let reason =
            |refused: Box<Status>| refused.get_error_details().error_info().unwrap().reason.clone();
        inside.extend((0..CALLS_OF_ONE_FEW).map(|_| door.enter(&who("c")).unwrap()));
        let refused = door.enter(&who("c")).map(drop).unwrap_err();
        assert_eq!(reason(refused), "OVERLOADED", "c has a few calls already");
        for n in 0..CALLS_MAX - CALLS_OF_ONE_FEW {
            inside.push(door.enter(&who(&format!("d{n}"))).unwrap());
        }
        let refused = door.enter(&who("e")).map(drop).unwrap_err();
        assert_eq!(reason(refused), "OVERLOADED", "nobody comes in beyond twice as many");
        drop(inside);
        assert!(door.enter(&who("a")).is_ok());
        assert!(door.state().accounts.is_empty(), "who is outside is not remembered");
    }

    #[test]
    fn an_answer_counts_until_its_body_is_gone() {
        let door = Door::new(0);
        let answer = || {
            let inside = door.enter(&who("a")).unwrap();
            inside.answers(http::Response::new(Body::new(String::from("x"))))
        };
        let answers: Vec<_> = (0..ANSWERS_OF_ONE_MAX).map(|_| answer()).collect();
        assert!(door.enter(&who("a")).is_err(), "enough open answers of one account");
        assert!(door.enter(&who("b")).is_ok());
        drop(answers);
        assert!(door.enter(&who("a")).is_ok());
        assert_eq!(door.state().answers, 0);
    }
}
