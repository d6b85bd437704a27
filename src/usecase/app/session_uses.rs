//! When each browser's session was used last, until a worker writes it: nothing refreshes such a session, so
//! its use is what keeps it, and a request notes that in memory. A session costs a write in some minutes and
//! not one a request.

use crate::domain::id::SessionId;
use crate::domain::session::Bounds;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a use may wait to be written where the idle life is long.
const LATEST: Duration = Duration::from_secs(5 * 60);

/// How many sessions are noted at once, in some 5 MB. Beyond, the next round makes room, and what is used
/// then is noted.
const SESSIONS_MAX: usize = 65_536;

/// Which of the noted uses to take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Take {
    /// Those that are due.
    Due,
    All,
}

/// What is noted of a session that is not in the database yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) struct SessionUse {
    pub last_at: Timestamp,
    /// When it is to be written.
    due_at: Timestamp,
}

/// The uses of each session that the database doesn't know yet.
#[derive(Debug, Default)]
pub(in crate::usecase) struct SessionUses(Mutex<HashMap<SessionId, SessionUse>>);

/// How long a use may wait to be written where a session lives unused for `idle`: some minutes, or so small a
/// part of it that no session ends that is used.
pub(in crate::usecase) fn longest_wait(idle: Duration) -> Duration {
    LATEST.min(idle / 8)
}

impl SessionUses {
    /// Notes a use of a session, of which the database says `bounds`; without a span of its own it lives
    /// unused for `idle`.
    pub(in crate::usecase) fn note(
        &self,
        session: SessionId,
        at: Timestamp,
        bounds: &Bounds,
        idle: Duration,
    ) {
        if at > bounds.last_used_at {
            let due_at = bounds.last_used_at.plus(longest_wait(bounds.idle.unwrap_or(idle)));
            self.add(session, SessionUse { last_at: at, due_at });
        }
    }

    /// Adds a use, such as one that could not be written.
    pub(in crate::usecase) fn add(&self, session: SessionId, more: SessionUse) {
        let mut noted = self.noted();
        if let Some(known) = noted.get_mut(&session) {
            known.last_at = known.last_at.max(more.last_at);
        } else if noted.len() < SESSIONS_MAX {
            noted.insert(session, more);
        }
    }

    /// Takes what was noted, to be written. Where there is no room for more, that is all.
    pub(in crate::usecase) fn take(&self, which: Take, now: Timestamp) -> Vec<(SessionId, SessionUse)> {
        let mut noted = self.noted();
        let all = which == Take::All || noted.len() >= SESSIONS_MAX;
        noted.extract_if(|_, noted| all || noted.due_at <= now).collect()
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<SessionId, SessionUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u32) -> SessionId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    #[test]
    fn uses_beyond_the_bound_are_not_noted_until_all_were_taken() {
        let uses = SessionUses::default();
        let far = Timestamp::from_millis(1_000_000);
        let one = SessionUse { last_at: far, due_at: far };
        for number in 0..u32::try_from(SESSIONS_MAX).unwrap() {
            uses.add(session(number), one);
        }
        uses.add(session(u32::MAX), one);
        let later = SessionUse { last_at: far.plus(LATEST), ..one };
        uses.add(session(7), later);
        let taken = uses.take(Take::Due, Timestamp::from_millis(0));
        assert_eq!(taken.len(), SESSIONS_MAX, "due or not");
        assert!(taken.contains(&(session(7), later)), "one that is there has room");
        uses.add(session(u32::MAX), one);
        assert_eq!(uses.take(Take::Due, Timestamp::from_millis(999_999)), []);
        assert_eq!(uses.take(Take::Due, far), [(session(u32::MAX), one)]);
    }
}
