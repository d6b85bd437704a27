//! The one writer. SQLite takes one at a time, so changes are jobs for one thread that owns the one
//! write connection, and jobs that wait are committed together: `BEGIN IMMEDIATE`, each job in a
//! savepoint of its own, one commit, one sync to disk, then everybody is told (group commit).
//!
//! Who handed a job in waits as a thread or as a task of the transport: the channel of the async runtime,
//! which needs no runtime, can do both. Nothing else of that crate stands here.

use super::connection::Connection;
use crate::counters::{Counter, Histogram};
use crate::domain::time::Timestamp;
use crate::error::Fault;
use crate::ports::Clock;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

/// The most jobs in one commit, so that none waits long for those after it.
const BATCH: usize = 256;

/// The bounds of a histogram of jobs in a commit.
const BATCHES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];

/// Tells a job's caller how its commit went.
type Completion = Box<dyn FnOnce(Result<(), Fault>) + Send>;

/// Runs inside the open transaction, or learns that there is none.
type Job = Box<dyn FnOnce(Result<&Connection, Fault>) -> Completion + Send>;

#[derive(Debug)]
pub struct Writer {
    /// `None` only while it is dropped.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    counters: Arc<WriterCounters>,
}

/// What a writer has done.
#[derive(Debug)]
pub struct WriterCounters {
    /// Commits that are on disk.
    pub commits: Counter,
    /// Transactions that could not be begun or committed; nothing of them was kept.
    pub failures: Counter,
    /// Jobs in a commit.
    pub jobs: Histogram,
    /// From the beginning of a transaction until it was on disk.
    pub spans: Histogram,
}

impl Writer {
    pub(in crate::store) fn new(connection: Connection, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let (jobs, receiver) = channel();
        let counters = Arc::new(WriterCounters::new());
        let writer = WriterThread { connection, clock: Arc::clone(&clock), counters: Arc::clone(&counters) };
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || writer.work(&receiver))
            .map_err(|error| Fault::Internal(format!("the writer thread can't be started: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), clock, counters })
    }

    pub(in crate::store) fn counters(&self) -> &WriterCounters {
        &self.counters
    }

    /// Hands `work` to the writer. Of what it gives, the second goes to `count` once all is on disk, then the
    /// first to whoever holds the receipt. The work is done and counted though nobody does any more.
    pub(in crate::store) fn submit<T: Send + 'static, N: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, Timestamp) -> Result<(T, N), Fault> + Send + 'static,
        count: impl FnOnce(N) + Send + 'static,
    ) -> Receipt<T> {
        let (answer, receiver) = oneshot::channel();
        let clock = Arc::clone(&self.clock);
        let job: Job = Box::new(move |transaction| {
            let outcome =
                transaction.and_then(|connection| in_savepoint(connection, |c| work(c, clock.now())));
            Box::new(move |committed| {
                let outcome = committed.and(outcome).map(|(value, note)| {
                    count(note);
                    value
                });
                // The caller may be gone: nobody is left to tell.
                let _ = answer.send(outcome);
            })
        });
        // A thread that has gone takes no job; with this one, the other end of its receipt is dropped.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
        Receipt(receiver)
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

impl Drop for Writer {
    /// Waits until the connection is closed. The last one to close folds the write-ahead log back, so that a
    /// database at rest is one file, whole, which an operator may copy.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn gone() -> Fault {
    Fault::Internal("the writer thread gave no answer".into())
}

impl WriterCounters {
    fn new() -> Self {
        Self {
            commits: Counter::default(),
            failures: Counter::default(),
            jobs: Histogram::new(BATCHES),
            spans: Histogram::of_spans(),
        }
    }
}

/// What the thread works with.
struct WriterThread {
    connection: Connection,
    clock: Arc<dyn Clock>,
    counters: Arc<WriterCounters>,
}

impl WriterThread {
    fn work(&self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let begun = self.clock.elapsed();
            match self.connection.run("BEGIN IMMEDIATE") {
                Ok(()) => self.commit_together(begun, first, jobs),
                // Whoever holds the lock made all who wait wait: tell them all, at once.
                Err(fault) => {
                    self.counters.failures.count();
                    // All of them first: one that comes in answer to these finds, perhaps, a free database.
                    let waiting: Vec<Job> = std::iter::once(first).chain(jobs.try_iter()).collect();
                    for job in waiting {
                        job(Err(fault.clone()))(Err(fault.clone()));
                    }
                }
            }
        }
    }

    fn commit_together(&self, begun: Duration, first: Job, jobs: &Receiver<Job>) {
        let batch = std::iter::once(first).chain(jobs.try_iter()).take(BATCH);
        let completions: Vec<Completion> = batch.map(|job| job(Ok(&self.connection))).collect();
        let committed = commit(&self.connection);
        match &committed {
            Ok(()) => {
                self.counters.commits.count();
                self.counters.jobs.record(completions.len() as u64);
                self.counters.spans.record_span(self.clock.elapsed().saturating_sub(begun));
            }
            Err(_) => self.counters.failures.count(),
        }
        for completion in completions {
            completion(committed.clone());
        }
    }
}

/// Some errors (a full disk) end the whole transaction in the midst of a job: then nothing of the
/// batch was written, and nobody may be told that it was.
fn commit(connection: &Connection) -> Result<(), Fault> {
    if connection.driver.is_autocommit() {
        return Err(Fault::StorageUnavailable(
            "the database gave up the transaction; nothing was changed".into(),
        ));
    }
    connection.run("COMMIT").inspect_err(|_| {
        if !connection.driver.is_autocommit() {
            // A failed commit may leave the transaction open; the next batch needs it closed.
            let _ = connection.run("ROLLBACK");
        }
    })
}

/// Runs one job so that its fault, or its panic, undoes what it did and nothing else.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if connection.driver.is_autocommit() {
        return Err(Fault::StorageUnavailable(
            "the database gave up the transaction; nothing was changed".into(),
        ));
    }
    connection.run("SAVEPOINT job")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(Fault::Internal("a transaction panicked; nothing of it was kept".into())));
    if connection.driver.is_autocommit() {
        return outcome;
    }
    let undone = if outcome.is_err() { connection.run("ROLLBACK TO job") } else { Ok(()) };
    if let Err(fault) = undone.and_then(|()| connection.run("RELEASE job")) {
        // Half a job must not be committed with the others: nothing of the batch is, and all are told.
        let _ = connection.run("ROLLBACK");
        return Err(fault);
    }
    outcome
}
