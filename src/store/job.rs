//! A change on its way: what it does, who waits for it, and what is counted once it is on disk. Writers run
//! jobs, each database's in its own way.
//!
//! Who handed a job in waits as a thread or as a task of the transport: the channel of the async runtime,
//! which needs no runtime, can do both. Nothing else of that crate stands here.

use super::driver::Driver;
use crate::counters::{Counter, Histogram};
use crate::domain::time::Timestamp;
use crate::error::Fault;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// The bounds of a histogram of jobs in a commit.
const BATCHES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];

/// What a writer runs inside a transaction, and ends after it.
pub(in crate::store) trait Job: Send {
    /// Does the work, and keeps what comes of it. May be called again where nothing of the last time was
    /// kept.
    ///
    /// # Errors
    /// The work's: then nothing of it may be kept.
    fn run(&mut self, driver: Driver<'_>, now: Timestamp) -> Result<(), Fault>;

    /// Tells whoever waits what came of it. `committed`: how the transaction ended, or why there was none.
    fn finish(self: Box<Self>, committed: Result<(), Fault>);
}

/// Work that gives a value, and beside it what `count` is told once all is on disk.
struct Pending<W, T, N, C> {
    work: W,
    count: C,
    outcome: Result<(T, N), Fault>,
    answer: oneshot::Sender<Result<T, Fault>>,
}

/// Makes a job of `work`. Of what that gives, the second goes to `count` once all is on disk, then the first
/// to whoever holds the receipt. The work is done and counted though nobody does any more.
pub(in crate::store) fn job<T: Send + 'static, N: Send + 'static>(
    work: impl FnMut(Driver<'_>, Timestamp) -> Result<(T, N), Fault> + Send + 'static,
    count: impl FnOnce(N) + Send + 'static,
) -> (Box<dyn Job>, Receipt<T>) {
    let (answer, receiver) = oneshot::channel();
    (Box::new(Pending { work, count, outcome: Err(gone()), answer }), Receipt(receiver))
}

impl<W, T, N, C> Job for Pending<W, T, N, C>
where
    W: FnMut(Driver<'_>, Timestamp) -> Result<(T, N), Fault> + Send,
    T: Send,
    N: Send,
    C: FnOnce(N) + Send,
{
    fn run(&mut self, driver: Driver<'_>, now: Timestamp) -> Result<(), Fault> {
        let work = AssertUnwindSafe(|| (self.work)(driver, now));
        self.outcome = catch_unwind(work).unwrap_or_else(|_| {
            Err(Fault::Internal("a transaction panicked; nothing of it was kept".into()))
        });
        self.outcome.as_ref().map(drop).map_err(Clone::clone)
    }

    fn finish(self: Box<Self>, committed: Result<(), Fault>) {
        let Self { count, outcome, answer, .. } = *self;
        let outcome = committed.and(outcome).map(|(value, note)| {
            count(note);
            value
        });
        // The caller may be gone: nobody is left to tell.
        let _ = answer.send(outcome);
    }
}

/// What a job gives, once that is on disk. The job runs whether or not anybody keeps this.
#[derive(Debug)]
pub(in crate::store) struct Receipt<T>(oneshot::Receiver<Result<T, Fault>>);

impl<T> Receipt<T> {
    /// Waits, as a thread. Not for an I/O thread: it would hold up its connections, and panics.
    pub(in crate::store) fn wait(self) -> Result<T, Fault> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(gone()))
    }

    /// Waits, as a task.
    pub(in crate::store) async fn arrival(self) -> Result<T, Fault> {
        self.0.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> Fault {
    Fault::Internal("the writer thread gave no answer".into())
}

/// What writers have done.
#[derive(Debug)]
pub struct WriterCounters {
    /// Commits that are on disk.
    pub commits: Counter,
    /// Transactions that could not be begun or committed; nothing of them was kept.
    pub failures: Counter,
    /// Transactions that were begun once more, since another one was in their way. Never with SQLite, which
    /// has one writer.
    pub retries: Counter,
    /// Jobs in a commit.
    pub jobs: Histogram,
    /// From the beginning of a transaction until it was on disk.
    pub spans: Histogram,
}

impl WriterCounters {
    pub(in crate::store) fn new() -> Self {
        Self {
            commits: Counter::default(),
            failures: Counter::default(),
            retries: Counter::default(),
            jobs: Histogram::new(BATCHES),
            spans: Histogram::of_spans(),
        }
    }
}

impl fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}
