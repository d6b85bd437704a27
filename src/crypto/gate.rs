//! The hashing gate: a pool of threads that only hash passwords, behind a bounded queue. Each thread keeps
//! its memory for the next hash. Hashing in the requests' own threads grew the process past 2 GB and
//! starved everything else.

use super::password::{self, Memory, PasswordHashText, Salt};
use crate::counters::{Counter, Histogram, Level};
use crate::domain::password::{HashCost, Password};
use crate::error::Fault;
use crate::ports::Clock;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The niceness of the hashing threads (0 to 19; Linux): others get a contended core first. Idle cores are
/// still used in full: on two cores, logins a second stayed the same, and the 99th percentile of a token
/// check beside them halved (docs/performance.md).
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Runs hashing jobs of any thread on the pool; the caller waits for the result.
#[derive(Debug)]
pub struct Gate {
    jobs: SyncSender<Job>,
    cost: HashCost,
    clock: Arc<dyn Clock>,
    counters: Arc<GateCounters>,
}

/// How busy a gate is.
#[derive(Debug)]
pub struct GateCounters {
    /// Jobs that no thread has begun.
    pub waiting: Level,
    /// How long jobs waited for a thread.
    pub waits: Histogram,
    /// How long hashing itself took.
    pub spans: Histogram,
    /// Jobs that found the queue full.
    pub refused: Counter,
}

impl Gate {
    /// Starts the threads: `threads` hash at once, `queue` more jobs may wait. Memory is taken at a thread's
    /// first hash.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the machine has no thread to give.
    pub fn new(threads: usize, queue: usize, cost: HashCost, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let (jobs, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let kept = password::blocks(cost);
        for number in 0..threads.max(1) {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new()
                .name(format!("argon2-{number}"))
                .spawn(move || work(&receiver, kept))
                .map_err(|error| Fault::Internal(format!("a hashing thread can't be started: {error}")))?;
        }
        Ok(Self { jobs, cost, clock, counters: Arc::new(GateCounters::new()) })
    }

    /// The counters of this gate.
    #[must_use]
    pub fn counters(&self) -> &GateCounters {
        &self.counters
    }

    /// Hashes a new password at the configured cost.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] at once when the queue is full.
    pub fn hash(&self, password: &Password, salt: Salt) -> Result<PasswordHashText, Fault> {
        let (password, cost) = (password.clone(), self.cost);
        self.run(move |memory| password::hash(cost, &password, &salt, memory))?
    }

    /// Whether the password is the one that was hashed.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] at once when the queue is full; [`Fault::Storage`] for a broken hash.
    pub fn verify(&self, stored: &PasswordHashText, password: &Password) -> Result<bool, Fault> {
        let (stored, password) = (stored.clone(), password.clone());
        self.run(move |memory| password::verify(&stored, &password, memory))?
    }

    /// Takes as long as [`Gate::verify`] of a hash of this cost and says no: for an address without an
    /// account.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] at once when the queue is full.
    pub fn verify_nobody(&self, cost: HashCost, password: &Password) -> Result<bool, Fault> {
        let password = password.clone();
        let hashed = self.run(move |memory| password::hash(cost, &password, &Salt::default(), memory))?;
        hashed.map(|_| false)
    }

    /// What a new hash costs.
    #[must_use]
    pub const fn cost(&self) -> HashCost {
        self.cost
    }

    /// Whether a stored hash cost less than a new one would, or was made by another system.
    #[must_use]
    pub fn is_outdated(&self, stored: &PasswordHashText) -> bool {
        password::cost_of(stored).is_none_or(|cost| {
            cost.memory_kib < self.cost.memory_kib
                || cost.iterations < self.cost.iterations
                || cost.parallelism < self.cost.parallelism
        })
    }

    fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, receiver) = sync_channel(1);
        let (clock, counters, queued) =
            (Arc::clone(&self.clock), Arc::clone(&self.counters), self.clock.elapsed());
        let job: Job = Box::new(move |memory| {
            let begun = clock.elapsed();
            counters.waiting.down();
            counters.waits.record_span(begun.saturating_sub(queued));
            let outcome = job(memory);
            counters.spans.record_span(clock.elapsed().saturating_sub(begun));
            // The caller may be gone.
            let _ = answer.send(outcome);
        });
        // Before it is sent: an idle thread counts it down at once.
        self.counters.waiting.up();
        if let Err(error) = self.jobs.try_send(job) {
            self.counters.waiting.down();
            return Err(self.refuse(&error));
        }
        receiver.recv().map_err(|_| gone())
    }

    fn refuse(&self, error: &TrySendError<Job>) -> Fault {
        match error {
            TrySendError::Full(_) => {
                self.counters.refused.count();
                Fault::Overloaded { retry_after: Duration::from_secs(2) }
            }
            TrySendError::Disconnected(_) => gone(),
        }
    }
}

impl GateCounters {
    fn new() -> Self {
        Self {
            waiting: Level::default(),
            waits: Histogram::of_spans(),
            spans: Histogram::of_spans(),
            refused: Counter::default(),
        }
    }
}

fn gone() -> Fault {
    Fault::Internal("a password could not be hashed: the hashing thread gave no answer".into())
}

/// Lowers this thread's priority. Where that is not allowed, it keeps the one it has.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // To Linux, "this process" is this thread; elsewhere it would be the whole daemon.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

#[cfg(not(target_os = "linux"))]
const fn lower_priority() {}

fn work(jobs: &Mutex<Receiver<Job>>, kept: usize) {
    lower_priority();
    let mut memory = Memory::new();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A panic fails its own caller alone: the thread goes on.
        if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
            memory = Memory::new();
        }
        // Gives back what a costlier hash of an imported user needed.
        memory.keep(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemClock;

    const CHEAP: HashCost = HashCost { memory_kib: 8, iterations: 1, parallelism: 1 };

    fn gate(threads: usize, queue: usize, cost: HashCost) -> Gate {
        Gate::new(threads, queue, cost, Arc::new(SystemClock::new())).unwrap()
    }

    #[test]
    fn verifies_what_it_hashed_and_nothing_else() {
        let gate = gate(1, 4, CHEAP);
        let password = Password::new("correct horse battery staple").unwrap();
        let stored = gate.hash(&password, [1; 16]).unwrap();
        assert!(stored.0.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", stored.0);
        assert!(gate.verify(&stored, &password).unwrap());
        assert!(!gate.verify(&stored, &Password::new("Correct horse battery staple").unwrap()).unwrap());
        assert!(!gate.verify_nobody(CHEAP, &password).unwrap());
    }

    #[test]
    fn a_higher_cost_makes_old_hashes_outdated() {
        let old = gate(1, 4, CHEAP);
        let stored = old.hash(&Password::new("x").unwrap(), [1; 16]).unwrap();
        assert!(!old.is_outdated(&stored));
        let new = gate(1, 4, HashCost { iterations: 2, ..CHEAP });
        assert!(new.is_outdated(&stored));
        assert!(new.verify(&stored, &Password::new("x").unwrap()).unwrap());
    }

    #[test]
    fn a_full_queue_says_so_at_once() {
        let gate = gate(1, 1, CHEAP);
        let (release, wait) = sync_channel::<()>(0);
        let (started, running) = sync_channel::<()>(0);
        let (emptied, queue_is_empty) = sync_channel::<()>(1);
        let busy = move |_: &mut Memory| {
            started.send(()).unwrap();
            wait.recv().unwrap();
        };
        thread::scope(|scope| {
            scope.spawn(|| gate.run(busy));
            running.recv().unwrap();
            gate.jobs.try_send(Box::new(move |_| emptied.send(()).unwrap())).unwrap();
            let refused = gate.hash(&Password::new("x").unwrap(), [0; 16]);
            assert!(matches!(refused, Err(Fault::Overloaded { .. })), "{refused:?}");
            assert_eq!((gate.counters().refused.read(), gate.counters().waiting.read()), (1, 0));
            release.send(()).unwrap();
        });
        queue_is_empty.recv().unwrap();
        assert!(gate.hash(&Password::new("x").unwrap(), [0; 16]).is_ok());
        // The one that was put in past the gate is not counted.
        assert_eq!((gate.counters().waits.read().count(), gate.counters().spans.read().count()), (2, 2));
    }

    #[test]
    fn a_panic_is_one_fault_and_the_thread_lives_on() {
        let gate = gate(1, 4, CHEAP);
        let refused = gate.run(|_: &mut Memory| -> () { panic!("planted") });
        assert!(matches!(refused, Err(Fault::Internal(_))));
        assert!(gate.hash(&Password::new("x").unwrap(), [0; 16]).is_ok());
    }

    #[test]
    fn a_hash_out_of_bounds_can_not_take_the_machine() {
        let gate = gate(1, 4, CHEAP);
        let huge = "$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for text in [huge, "", "plain", "$2b$10$abcdefghijklmnopqrstuv"] {
            let refused = gate.verify(&PasswordHashText(text.into()), &Password::new("x").unwrap());
            assert!(matches!(refused, Err(Fault::Storage(_))), "{text}: {refused:?}");
        }
    }
}
