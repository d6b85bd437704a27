//! A document of somebody else's server, kept for a while. Of many who want it one asks, and a server that
//! fails isn't asked by everybody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// How long a copy is used without asking.
const FRESH: Duration = Duration::from_secs(3600);
/// How long nobody asks again after a failure.
const FAILED: Duration = Duration::from_secs(30);
/// How long nobody asks again for something newer than what is fresh.
const RENEWED: Duration = Duration::from_secs(60);

/// A document `T`, or the failure `F` to get it. Times are by a clock that only goes forward.
#[derive(Debug)]
pub struct Cached<T, F> {
    /// How old a copy may be where no newer one is to be had.
    stale: Duration,
    /// Held by whoever asks.
    asking: Mutex<()>,
    state: Mutex<State<T, F>>,
}

#[derive(Debug)]
struct State<T, F> {
    copy: Option<(Duration, Arc<T>)>,
    failure: Option<(Duration, F)>,
    /// When something newer was asked for last. `None`: never.
    renewed: Option<Duration>,
}

impl<T, F: Clone> Cached<T, F> {
    /// Makes an empty one. A copy is used for an hour, and for so long in all while no other is to be had.
    pub const fn new(stale: Duration) -> Self {
        let state = State { copy: None, failure: None, renewed: None };
        Self { stale, asking: Mutex::new(()), state: Mutex::new(state) }
    }

    /// What needs no asking: a fresh copy; after a failure of just now an old one, or the failure. `None`:
    /// somebody has to ask.
    pub fn at_hand(&self, now: Duration) -> Option<Result<Arc<T>, F>> {
        let state = self.lock();
        if let Some(copy) = state.copy(now, FRESH) {
            return Some(Ok(copy));
        }
        let (at, failure) = state.failure.as_ref()?;
        (now.saturating_sub(*at) < FAILED).then(|| state.copy(now, self.stale).ok_or_else(|| failure.clone()))
    }

    /// Gives the copy while it is fresh, and asks anew after that. Whoever has an old copy doesn't wait while
    /// another one asks.
    ///
    /// # Errors
    /// What `ask` says, at once again for half a minute, where there is no copy that may still be used.
    pub fn get(&self, now: impl Fn() -> Duration, ask: impl FnOnce() -> Result<T, F>) -> Result<Arc<T>, F> {
        if let Some(at_hand) = self.at_hand(now()) {
            return at_hand;
        }
        let old = self.lock().copy(now(), self.stale);
        let asking = match (self.asking.try_lock(), old) {
            (Ok(asking), _) => asking,
            (Err(TryLockError::WouldBlock), Some(old)) => return Ok(old),
            (Err(TryLockError::WouldBlock), None) => {
                self.asking.lock().unwrap_or_else(PoisonError::into_inner)
            }
            (Err(TryLockError::Poisoned(error)), _) => error.into_inner(),
        };
        let answer = match self.at_hand(now()) {
            Some(at_hand) => at_hand,
            None => self.ask(now(), ask),
        };
        drop(asking);
        answer
    }

    /// Gives a copy other than `known`, which lacks something: another one's, or a new one, for which nobody
    /// asks more than once a minute. `known` itself where there is none.
    pub fn renew(
        &self,
        now: impl Fn() -> Duration,
        known: &Arc<T>,
        ask: impl FnOnce() -> Result<T, F>,
    ) -> Arc<T> {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        if let Some(copy) = state.copy(now(), self.stale).filter(|copy| !Arc::ptr_eq(copy, known)) {
            return copy;
        }
        if state.renewed.is_some_and(|at| now().saturating_sub(at) < RENEWED) {
            return Arc::clone(known);
        }
        state.renewed = Some(now());
        drop(state);
        let answer = ask().map_or_else(|_| Arc::clone(known), |new| self.keep(now(), new));
        drop(asking);
        answer
    }

    fn ask(&self, now: Duration, ask: impl FnOnce() -> Result<T, F>) -> Result<Arc<T>, F> {
        match ask() {
            Ok(new) => Ok(self.keep(now, new)),
            Err(failure) => {
                let mut state = self.lock();
                state.failure = Some((now, failure.clone()));
                state.copy(now, self.stale).ok_or(failure)
            }
        }
    }

    fn keep(&self, now: Duration, new: T) -> Arc<T> {
        let copy = Arc::new(new);
        let mut state = self.lock();
        (state.copy, state.failure) = (Some((now, Arc::clone(&copy))), None);
        copy
    }

    /// A state that a panic left behind is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<T, F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, F> State<T, F> {
    fn copy(&self, now: Duration, oldest: Duration) -> Option<Arc<T>> {
        let (at, copy) = self.copy.as_ref()?;
        (now.saturating_sub(*at) < oldest).then(|| Arc::clone(copy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::mpsc::channel;
    use std::thread;

    const DAY: Duration = Duration::from_secs(86_400);

    /// Asks for the newest version, unless it is broken, and counts.
    struct Server {
        version: Cell<u32>,
        is_broken: Cell<bool>,
        asked: Cell<u32>,
        now: Cell<u64>,
    }

    impl Server {
        fn new() -> Self {
            Self {
                version: Cell::new(1),
                is_broken: Cell::new(false),
                asked: Cell::new(0),
                now: Cell::new(1_000_000),
            }
        }

        fn answer(&self) -> Result<u32, &'static str> {
            self.asked.set(self.asked.get() + 1);
            if self.is_broken.get() { Err("broken") } else { Ok(self.version.get()) }
        }

        fn get(&self, cached: &Cached<u32, &'static str>) -> Result<u32, &'static str> {
            cached.get(|| Duration::from_secs(self.now.get()), || self.answer()).map(|copy| *copy)
        }

        fn renew(&self, cached: &Cached<u32, &'static str>, known: &Arc<u32>) -> u32 {
            *cached.renew(|| Duration::from_secs(self.now.get()), known, || self.answer())
        }

        fn pass(&self, seconds: u64) {
            self.now.set(self.now.get() + seconds);
        }
    }

    #[test]
    fn a_copy_is_used_for_an_hour() {
        let (server, cached) = (Server::new(), Cached::new(DAY));
        assert_eq!(server.get(&cached), Ok(1));
        server.version.set(2);
        server.pass(3599);
        assert_eq!((server.get(&cached), server.asked.get()), (Ok(1), 1));
        server.pass(1);
        assert_eq!((server.get(&cached), server.asked.get()), (Ok(2), 2));
    }

    #[test]
    fn a_server_that_fails_is_asked_every_half_minute() {
        let (server, cached) = (Server::new(), Cached::new(DAY));
        server.is_broken.set(true);
        for _ in 0..100 {
            assert_eq!(server.get(&cached), Err("broken"));
        }
        assert_eq!(server.asked.get(), 1);
        server.is_broken.set(false);
        server.pass(30);
        assert_eq!((server.get(&cached), server.asked.get()), (Ok(1), 2));
    }

    #[test]
    fn an_old_copy_serves_while_the_server_fails_but_not_for_ever() {
        let (server, cached) = (Server::new(), Cached::new(DAY));
        assert_eq!(server.get(&cached), Ok(1));
        server.is_broken.set(true);
        server.pass(3600);
        assert_eq!((server.get(&cached), server.get(&cached), server.asked.get()), (Ok(1), Ok(1), 2));
        server.pass(86_400);
        assert_eq!(server.get(&cached), Err("broken"));
    }

    #[test]
    fn something_newer_is_asked_for_once_a_minute_and_the_first_does_not_count() {
        let (server, cached) = (Server::new(), Cached::new(DAY));
        assert_eq!(server.get(&cached), Ok(1));
        let known = cached.at_hand(Duration::from_secs(server.now.get())).unwrap().unwrap();
        server.version.set(2);
        assert_eq!(server.renew(&cached, &known), 2, "at once after the first");
        assert_eq!((server.renew(&cached, &known), server.asked.get()), (2, 2), "another one's will do");
        let known = cached.at_hand(Duration::from_secs(server.now.get())).unwrap().unwrap();
        server.version.set(3);
        for _ in 0..100 {
            assert_eq!(server.renew(&cached, &known), 2);
        }
        server.pass(59);
        assert_eq!((server.renew(&cached, &known), server.asked.get()), (2, 2));
        server.pass(1);
        assert_eq!((server.renew(&cached, &known), server.asked.get()), (3, 3));
    }

    #[test]
    fn of_many_one_asks() {
        let cached = &Cached::<u32, ()>::new(DAY);
        let (begun, has_begun) = channel();
        let (go, may_go) = channel::<()>();
        let at = || Duration::from_secs(1);
        thread::scope(|scope| {
            scope.spawn(move || {
                cached.get(at, || {
                    begun.send(()).unwrap();
                    may_go.recv().unwrap();
                    Ok(7)
                })
            });
            has_begun.recv().unwrap();
            let others: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| cached.get(at, || panic!("the first one's answer is due"))))
                .collect();
            go.send(()).unwrap();
            for other in others {
                assert_eq!(other.join().unwrap().map(|copy| *copy), Ok(7));
            }
        });
    }

    #[test]
    fn who_has_an_old_copy_does_not_wait() {
        let cached = Cached::<u32, ()>::new(DAY);
        cached.get(|| Duration::from_secs(1), || Ok(7)).unwrap();
        let later = || Duration::from_secs(4000);
        let asking = cached.asking.lock().unwrap();
        assert_eq!(cached.get(later, || panic!("another one asks")).map(|copy| *copy), Ok(7));
        drop(asking);
    }
}
