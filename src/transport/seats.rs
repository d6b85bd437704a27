//! The places that connections take: how many there are in all and for one network, and who makes room when
//! they are taken. Counts and times alone; to close a connection is `connection`'s.

use crate::domain::network::Network;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many connections that were asked to leave may still be there, beyond the places. They go at once
/// unless their thread is held up.
const LEAVING_MAX: usize = 32;

/// In the place of a time: the connection isn't idle.
const BUSY: u64 = u64::MAX;

/// All places of a server.
#[derive(Debug)]
pub struct Seats {
    max: usize,
    max_per_network: usize,
    /// What times are counted from.
    begun: Instant,
    /// Of each seat, since when its connection waits for a whole head, in nanoseconds; [`BUSY`] from there to
    /// the end of the answer.
    /// Beside the state, so that a request takes no lock.
    idle_since: Vec<AtomicU64>,
    state: Mutex<State>,
    /// One that was asked to leave has gone.
    has_left: Notify,
}

/// Why there is no seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// Nobody is idle.
    AllBusy,
    /// Too many that were asked to leave have yet to go.
    ManyLeaving,
}

#[derive(Debug, Default)]
struct State {
    /// Who has which seat; `None`: nobody.
    sitters: Vec<Option<Sitter>>,
    free: Vec<usize>,
    /// How many have a seat and were not asked to leave.
    staying: usize,
    leaving: usize,
    /// Of those that stay.
    of_network: HashMap<Network, usize>,
}

#[derive(Debug)]
struct Sitter {
    /// `None`: it brings the requests of many, as a proxy does.
    network: Option<Network>,
    leave: Arc<Notify>,
    is_leaving: bool,
}

/// A connection's place, given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    number: usize,
    leave: Arc<Notify>,
}

impl Seats {
    /// `max` places, of which one network has at most `max_per_network`.
    pub fn new(max: usize, max_per_network: usize) -> Arc<Self> {
        let seats = max + LEAVING_MAX;
        // All at once: a list that grew among the connections' own memory would stay there when they have
        // gone, and what lies below it could not be given back to the system.
        let state = State {
            sitters: Vec::with_capacity(seats),
            free: Vec::with_capacity(seats),
            of_network: HashMap::with_capacity(seats),
            ..State::default()
        };
        let idle_since = (0..seats).map(|_| AtomicU64::new(BUSY)).collect();
        let (begun, has_left) = (Instant::now(), Notify::new());
        Arc::new(Self { max, max_per_network, begun, idle_since, state: Mutex::new(state), has_left })
    }

    /// Takes a place for a connection from `network`; `None`: for one that no network's bound holds for.
    /// Where there is none left, the connection that has been idle for longest makes room: of that network,
    /// if it is the network that has too many, and otherwise of all, those without a network last.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(self: &Arc<Self>, network: Option<Network>) -> Result<Seat, Full> {
        let mut state = self.lock();
        let of_network = network.and_then(|network| state.of_network.get(&network).copied()).unwrap_or(0);
        if of_network >= self.max_per_network && network.is_some() {
            self.make_room(&mut state, |sitter| sitter.network == network)?;
        } else if state.staying >= self.max {
            self.make_room(&mut state, |sitter| sitter.network.is_some())
                .or_else(|_| self.make_room(&mut state, |sitter| sitter.network.is_none()))?;
        }
        let number = state.free.pop().unwrap_or_else(|| {
            state.sitters.push(None);
            state.sitters.len() - 1
        });
        let leave = Arc::new(Notify::new());
        state.sitters[number] = Some(Sitter { network, leave: leave.clone(), is_leaving: false });
        state.staying += 1;
        if let Some(network) = network {
            *state.of_network.entry(network).or_default() += 1;
        }
        drop(state);
        let seat = Seat { seats: self.clone(), number, leave };
        seat.idle(Instant::now());
        Ok(seat)
    }

    /// Waits until one that was asked to leave has gone; it may have done so before.
    pub async fn one_leaves(&self) {
        self.has_left.notified().await;
    }

    /// Asks the one to leave that has been idle for longest among those of a kind.
    fn make_room(&self, state: &mut State, is_of_kind: impl Fn(&Sitter) -> bool) -> Result<(), Full> {
        if state.leaving >= LEAVING_MAX {
            return Err(Full::ManyLeaving);
        }
        let mut longest = (BUSY, None);
        for (number, sitter) in state.sitters.iter().enumerate() {
            let since = self.idle_since[number].load(Ordering::Relaxed);
            let may_go = |sitter: &Sitter| !sitter.is_leaving && is_of_kind(sitter);
            if since < longest.0 && sitter.as_ref().is_some_and(may_go) {
                longest = (since, Some(number));
            }
        }
        let longest = longest.1.and_then(|number| state.sitters[number].as_mut());
        let sitter = longest.ok_or(Full::AllBusy)?;
        sitter.is_leaving = true;
        sitter.leave.notify_one();
        let network = sitter.network;
        state.leaving += 1;
        state.has_left(network);
        Ok(())
    }

    fn give_back(&self, number: usize) {
        let mut state = self.lock();
        self.idle_since[number].store(BUSY, Ordering::Relaxed);
        match state.sitters[number].take() {
            Some(Sitter { is_leaving: true, .. }) => {
                state.leaving -= 1;
                self.has_left.notify_one();
            }
            Some(Sitter { network, .. }) => state.has_left(network),
            None => {}
        }
        state.free.push(number);
    }

    /// Nothing that can panic runs under this lock but arithmetic on what stands there.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts one less of those that stay.
    fn has_left(&mut self, network: Option<Network>) {
        self.staying -= 1;
        let Some(network) = network else { return };
        if let Some(count) = self.of_network.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.of_network.remove(&network);
            }
        }
    }
}

impl Seat {
    /// The connection waits for its next head from `now` on.
    pub fn idle(&self, now: Instant) {
        let since = u64::try_from(now.saturating_duration_since(self.seats.begun).as_nanos());
        self.seats.idle_since[self.number].store(since.unwrap_or(BUSY - 1), Ordering::Relaxed);
    }

    /// A whole head has come.
    pub fn busy(&self) {
        self.seats.idle_since[self.number].store(BUSY, Ordering::Relaxed);
    }

    /// Waits until somebody else needs the place.
    pub async fn is_needed(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.give_back(self.number);
    }
}
