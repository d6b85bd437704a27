//! The daemon's background threads: one type for all of them, so that each is started, woken and stopped
//! alike.

use super::wakeup::{Waker, Wakeup};
use crate::error::{Error, Fault};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How a worker is called, and when its rounds begin.
#[derive(Clone, Copy, Debug)]
pub(in crate::usecase) struct Schedule {
    /// The thread's name, which log lines give too.
    pub name: &'static str,
    pub first: FirstRound,
    /// How long a worker that nobody wakes waits for its next round.
    pub every: Duration,
    /// How long [`Worker::stop`] waits for the round under way. `None`: to its end.
    pub patience: Option<Duration>,
}

/// When the first round begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum FirstRound {
    AtOnce,
    /// When the worker is woken, or after [`Schedule::every`].
    Later,
}

/// One background thread.
#[derive(Debug)]
#[must_use = "a worker that is dropped runs on, and nobody can stop it"]
pub struct Worker {
    schedule: Schedule,
    stopping: Arc<AtomicBool>,
    waker: Waker,
    ended: Receiver<()>,
}

impl Worker {
    /// Starts the thread, which waits on `wakeup`. `work` sets up what the thread keeps, and calls
    /// [`Rounds::run`].
    ///
    /// # Errors
    /// [`Fault::Internal`] when this work has a worker already, or the machine has no thread to give.
    pub(in crate::usecase) fn start(
        schedule: Schedule,
        wakeup: &Wakeup,
        work: impl FnOnce(&Rounds) + Send + 'static,
    ) -> Result<Self, Fault> {
        let stopping = Arc::new(AtomicBool::new(false));
        let rounds = Rounds { schedule, stopping: Arc::clone(&stopping), woken: wakeup.listen()? };
        let (end, ended) = sync_channel(1);
        let spawned = thread::Builder::new().name(schedule.name.into()).spawn(move || {
            work(&rounds);
            // Whoever stopped it may not have waited.
            let _ = end.send(());
        });
        let name = schedule.name;
        spawned
            .map_err(|error| Fault::Internal(format!("the thread for {name} can't be started: {error}")))?;
        Ok(Self { schedule, stopping, waker: wakeup.waker(), ended })
    }

    /// Ends the thread after its last round, and waits for that as its schedule says.
    pub fn stop(self) {
        self.begin_to_stop();
        self.wait(self.schedule.patience);
    }

    /// As [`Worker::stop`], and waits no longer than `patience`.
    pub fn stop_within(self, patience: Duration) {
        self.begin_to_stop();
        self.wait(Some(patience));
    }

    fn begin_to_stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    fn wait(&self, patience: Option<Duration>) {
        // A thread that panicked outside of its rounds has dropped its end, which counts as ended.
        match patience {
            Some(patience) => drop(self.ended.recv_timeout(patience)),
            None => drop(self.ended.recv()),
        }
    }
}

/// Stops workers together: all are told before the first is waited for.
pub fn stop_all(workers: Vec<Worker>) {
    workers.iter().for_each(Worker::begin_to_stop);
    for worker in workers {
        worker.wait(worker.schedule.patience);
    }
}

/// The rounds of one worker, as its thread sees them.
#[derive(Debug)]
pub(in crate::usecase) struct Rounds {
    schedule: Schedule,
    stopping: Arc<AtomicBool>,
    woken: Receiver<()>,
}

/// Why a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) enum Wait {
    Woken,
    TimedOut,
}

impl Rounds {
    /// Runs `round` at each wake-up and unasked as the schedule says, and a last time when the worker stops:
    /// a round that has nothing to save then looks at [`Rounds::is_stopping`] first. A round that fails or
    /// panics costs itself and not the thread. `begun_by`: what the round was begun by; the first is
    /// [`Wait::TimedOut`].
    pub(in crate::usecase) fn run(&self, mut round: impl FnMut(Wait) -> Result<(), Error>) {
        let name = self.schedule.name;
        let mut begun_by = Wait::TimedOut;
        if self.schedule.first == FirstRound::Later {
            begun_by = self.wait(self.schedule.every);
        }
        loop {
            // Read before the round: what is left to do once this is true, this round does.
            let is_last = self.is_stopping();
            match catch_unwind(AssertUnwindSafe(|| round(begun_by))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(worker = name, %error, "a round failed; trying again at the next");
                }
                Err(_) => {
                    tracing::error!(worker = name, "a round panicked; trying again at the next");
                }
            }
            if is_last {
                return;
            }
            begun_by = self.wait(self.schedule.every);
        }
    }

    /// Whether the worker was told to stop.
    pub(in crate::usecase) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Waits in the midst of a round, until somebody wakes or stops the worker.
    pub(in crate::usecase) fn wait(&self, longest: Duration) -> Wait {
        if self.is_stopping() {
            return Wait::TimedOut;
        }
        match self.woken.recv_timeout(longest) {
            Ok(()) => Wait::Woken,
            Err(RecvTimeoutError::Timeout) => Wait::TimedOut,
            // The app holds the other end, and the worker the app.
            Err(RecvTimeoutError::Disconnected) => {
                self.stopping.store(true, Ordering::SeqCst);
                Wait::TimedOut
            }
        }
    }
}
