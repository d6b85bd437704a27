//! A question to the database that is asked once a second at most, however many want to know.

use crate::error::{Error, Fault};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);
/// How long somebody waits for the answer to a question that another one has asked. Whoever can't be answered
/// in that time isn't ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// The last answer, and whether the next is on its way.
#[derive(Debug, Default)]
pub struct SharedProbe {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_asking: bool,
    /// When it came, by a clock that only goes forward. `None`: nobody has asked yet.
    last: Option<(Duration, Result<(), Error>)>,
}

impl State {
    fn answer(&self, now: Duration) -> Option<Result<(), Error>> {
        let (at, answer) = self.last.as_ref()?;
        (now.saturating_sub(*at) < HOLDS).then(|| answer.clone())
    }
}

impl SharedProbe {
    /// Gives the last answer while it holds, and asks anew after that. Of many at once one asks, and the
    /// others wait for the answer. `now` reads a clock that only goes forward.
    ///
    /// # Errors
    /// What `ask` says; `storage_unavailable` where another one's question goes unanswered for a second.
    pub fn ask(
        &self,
        now: impl Fn() -> Duration,
        ask: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let state = self.lock();
        if let Some(answer) = state.answer(now()) {
            return answer;
        }
        let (mut state, _) = self
            .answered
            .wait_timeout_while(state, PATIENCE, |state| state.is_asking)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = state.answer(now()) {
            return answer;
        }
        if state.is_asking {
            return Err(Fault::StorageUnavailable("the last probe is still waiting".into()).into());
        }
        state.is_asking = true;
        drop(state);
        let asking = Asking(self);
        let answer = ask();
        self.lock().last = Some((now(), answer.clone()));
        drop(asking);
        answer
    }

    /// A state that a panic left behind is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, others wait; by a panic it ends, too.
struct Asking<'a>(&'a SharedProbe);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().is_asking = false;
        self.0.answered.notify_all();
    }
}
