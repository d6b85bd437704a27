//! How many may wait for one server of somebody else's at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who waits for a provider holds one of the threads that there are for all of them, eight: half are always
/// left for the others, whatever one does. Four answer some ten sign-ins a second where a provider takes 400
/// ms.
const MOST: usize = 4;

/// How long the others wait for their turn: a burst is served, one after the other.
const PATIENCE: Duration = Duration::from_secs(1);

/// From when on nobody waits any more: the server doesn't answer, so no turn comes soon.
const SLOW: Duration = Duration::from_secs(2);

/// Counts those under way.
#[derive(Debug, Default)]
pub struct InFlight {
    /// When each began, by a clock that only goes forward.
    begun: Mutex<Vec<Duration>>,
    ended: Condvar,
}

/// A turn; it ends when this is let go.
#[derive(Debug)]
pub struct Turn<'a> {
    of: &'a InFlight,
    begun: Duration,
}

impl InFlight {
    /// Waits for a turn for at most a second, and not at all where the ones under way take long.
    ///
    /// `None`: there is none.
    #[must_use]
    pub fn turn(&self, now: impl Fn() -> Duration) -> Option<Turn<'_>> {
        let mut begun = self.lock();
        let is_slow = |begun: &[Duration]| begun.iter().any(|begun| now().saturating_sub(*begun) >= SLOW);
        if begun.len() >= MOST && !is_slow(&begun) {
            let waited = self.ended.wait_timeout_while(begun, PATIENCE, |begun| begun.len() >= MOST);
            begun = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if begun.len() >= MOST {
            return None;
        }
        let turn = Turn { of: self, begun: now() };
        begun.push(turn.begun);
        Some(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Duration>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut begun = self.of.lock();
        if let Some(at) = begun.iter().position(|begun| *begun == self.begun) {
            begun.swap_remove(at);
        }
        drop(begun);
        self.of.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_server_that_hangs_holds_four_and_no_more() {
        let in_flight = InFlight::default();
        let start = || Duration::from_secs(10);
        let turns: Vec<Turn> = (0..MOST).map(|_| in_flight.turn(start).unwrap()).collect();
        // Nobody waits a second for these: the test would take minutes.
        let later = || Duration::from_secs(12);
        for _ in 0..300 {
            assert!(in_flight.turn(later).is_none());
        }
        drop(turns);
        assert!(in_flight.turn(later).is_some());
    }

    #[test]
    fn in_a_burst_the_next_comes_when_one_ends() {
        let in_flight = InFlight::default();
        let now = || Duration::from_secs(10);
        let mut turns: Vec<Turn> = (0..MOST).map(|_| in_flight.turn(now).unwrap()).collect();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| in_flight.turn(now).is_some());
            turns.pop();
            assert!(waiting.join().unwrap());
        });
    }
}
