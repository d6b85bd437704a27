//! The one writer. SQLite takes one at a time, so changes are jobs for one thread that owns the one
//! write connection, and jobs that wait are committed together: `BEGIN IMMEDIATE`, each job in a
//! savepoint of its own, one commit, one sync to disk, then everybody is told (group commit).

use super::connection::Connection;
use crate::error::Fault;
use crate::ports::Clock;
use crate::store::driver::Driver;
use crate::store::job::{Job, WriterCounters};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The most jobs in one commit, so that none waits long for those after it.
const BATCH: usize = 256;

#[derive(Debug)]
pub struct Writer {
    /// `None` only while it is dropped.
    jobs: Option<Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<WriterCounters>,
}

impl Writer {
    pub(in crate::store) fn new(connection: Connection, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let (jobs, receiver) = channel();
        let counters = Arc::new(WriterCounters::new());
        let writer = WriterThread { connection, clock, counters: Arc::clone(&counters) };
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || writer.work(&receiver))
            .map_err(|error| Fault::Internal(format!("the writer thread can't be started: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), counters })
    }

    pub(in crate::store) fn counters(&self) -> &WriterCounters {
        &self.counters
    }

    /// Hands a job to the thread.
    pub(in crate::store) fn submit(&self, job: Box<dyn Job>) {
        // A thread that has gone takes no job; with this one, the other end of its receipt is dropped.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
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

/// What the thread works with.
struct WriterThread {
    connection: Connection,
    clock: Arc<dyn Clock>,
    counters: Arc<WriterCounters>,
}

impl WriterThread {
    fn work(&self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            let begun = self.clock.elapsed();
            match self.connection.run("BEGIN IMMEDIATE") {
                Ok(()) => self.commit_together(begun, first, jobs),
                // Whoever holds the lock made all who wait wait: tell them all, at once.
                Err(fault) => {
                    self.counters.failures.count();
                    // All of them first: one that comes in answer to these finds, perhaps, a free database.
                    let waiting: Vec<_> = std::iter::once(first).chain(jobs.try_iter()).collect();
                    for job in waiting {
                        job.finish(Err(fault.clone()));
                    }
                }
            }
        }
    }

    fn commit_together(&self, begun: Duration, first: Box<dyn Job>, jobs: &Receiver<Box<dyn Job>>) {
        let batch = std::iter::once(first).chain(jobs.try_iter()).take(BATCH);
        let outcomes: Vec<_> = batch.map(|job| self.in_savepoint(job)).collect();
        let committed = commit(&self.connection);
        match &committed {
            Ok(()) => {
                self.counters.commits.count();
                self.counters.jobs.record(outcomes.len() as u64);
                self.counters.spans.record_span(self.clock.elapsed().saturating_sub(begun));
            }
            Err(_) => self.counters.failures.count(),
        }
        for (job, outcome) in outcomes {
            job.finish(committed.clone().and(outcome));
        }
    }

    /// Runs one job so that its fault, or its panic, undoes what it did and nothing else.
    fn in_savepoint(&self, mut job: Box<dyn Job>) -> (Box<dyn Job>, Result<(), Fault>) {
        let outcome = run_in_savepoint(&self.connection, || {
            job.run(Driver::Sqlite(&self.connection), self.clock.now())
        });
        (job, outcome)
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

fn run_in_savepoint(connection: &Connection, work: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
    if connection.driver.is_autocommit() {
        return Err(Fault::StorageUnavailable(
            "the database gave up the transaction; nothing was changed".into(),
        ));
    }
    connection.run("SAVEPOINT job")?;
    let outcome = work();
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
