//! The writers: threads with a session each, which take jobs from one queue. A job is a transaction of its
//! own, serializable, so that the store's functions may look before they change, as with SQLite's one writer.
//! Where another transaction was in the way, the job runs again; where a commit was sent and its answer
//! lost, never, since it may have happened.

use super::address::Address;
use super::fault::Met;
use super::session::{Commit, LineIds, Session};
use crate::error::Fault;
use crate::ports::Clock;
use crate::store::driver::Driver;
use crate::store::job::{Job, WriterCounters};
use std::hash::{BuildHasher, RandomState};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How a transaction begins. Nobody waits for a lock longer than for an answer, and a writer that died, or
/// was cut off, keeps its locks for no longer either.
const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL lock_timeout = '5s'; \
    SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// How often a job runs, if others are in its way again and again. From the third time on one job of this
/// process at a time: whoever is left then is another process's, or comes for the first time.
const TRIES: u32 = 30;
const ALONE_FROM: u32 = 3;

/// How often a job gets a new connection.
const CONNECTIONS: u32 = 2;

/// Who has waited so long in the queue has given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// A job, and since when it waits.
type Queued = (Box<dyn Job>, Duration);

#[derive(Debug)]
pub(in crate::store) struct Writers {
    /// `None` only while it is dropped.
    jobs: Option<Sender<Queued>>,
    threads: Vec<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    counters: Arc<WriterCounters>,
}

impl Writers {
    pub(super) fn new(address: &Arc<Address>, clock: Arc<dyn Clock>, count: u32) -> Result<Self, Fault> {
        let (jobs, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let contended = Arc::new(Mutex::new(()));
        let line_ids = Arc::default();
        let counters = Arc::new(WriterCounters::new());
        let threads = (0..count.max(1)).map(|number| {
            let mut writer = Writer {
                address: Arc::clone(address),
                session: None,
                clock: Arc::clone(&clock),
                counters: Arc::clone(&counters),
                contended: Arc::clone(&contended),
                line_ids: Arc::clone(&line_ids),
            };
            let jobs = Arc::clone(&receiver);
            thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || writer.work(&jobs))
                .map_err(|error| Fault::Internal(format!("a writer thread can't be started: {error}")))
        });
        let threads = threads.collect::<Result<_, _>>()?;
        Ok(Self { jobs: Some(jobs), threads, clock, counters })
    }

    pub(in crate::store) fn counters(&self) -> &WriterCounters {
        &self.counters
    }

    /// Hands a job to whichever thread is free first.
    pub(in crate::store) fn submit(&self, job: Box<dyn Job>) {
        // Threads that have gone take no job; with this one, the other end of its receipt is dropped.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send((job, self.clock.elapsed())));
    }
}

impl Drop for Writers {
    /// Waits until what was handed in is done.
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What a thread works with.
struct Writer {
    address: Arc<Address>,
    /// `None`: none was needed yet, or the last one broke.
    session: Option<Session>,
    clock: Arc<dyn Clock>,
    counters: Arc<WriterCounters>,
    contended: Arc<Mutex<()>>,
    line_ids: Arc<LineIds>,
}

/// How one try ended.
enum Try {
    Done,
    /// Nothing was kept, and it would be no use to try again.
    Failed(Fault),
    /// Nothing was kept, and it may go well the next time.
    Again(Fault, Met),
}

impl Writer {
    fn work(&mut self, jobs: &Mutex<Receiver<Queued>>) {
        while let Some((job, since)) = next(jobs) {
            if self.clock.elapsed().saturating_sub(since) > PATIENCE {
                self.counters.failures.count();
                job.finish(Err(Fault::StorageUnavailable(
                    "the database was too slow; nothing was changed, try again in a moment".into(),
                )));
                continue;
            }
            self.carry_out(job);
        }
    }

    /// Runs a job to its end, whatever that is, and tells whoever waits.
    fn carry_out(&mut self, mut job: Box<dyn Job>) {
        let begun = self.clock.elapsed();
        let committed = self.run(&mut *job);
        match &committed {
            Ok(()) => {
                self.counters.commits.count();
                self.counters.jobs.record(1);
                self.counters.spans.record_span(self.clock.elapsed().saturating_sub(begun));
            }
            Err(_) => self.counters.failures.count(),
        }
        job.finish(committed);
    }

    fn run(&mut self, job: &mut dyn Job) -> Result<(), Fault> {
        let contended = Arc::clone(&self.contended);
        let mut alone: Option<MutexGuard<'_, ()>> = None;
        let mut connections = 0;
        for tried in 1..=TRIES {
            if tried >= ALONE_FROM && alone.is_none() {
                alone = Some(held(&contended));
            }
            let session = match &self.session {
                Some(session) if session.is_open() => session,
                _ => {
                    connections += 1;
                    self.session.insert(Session::connect(&self.address)?.sharing(&self.line_ids))
                }
            };
            match attempt(session, job, &*self.clock) {
                Try::Done => return Ok(()),
                Try::Failed(fault) => return Err(fault),
                Try::Again(fault, Met::Lost) if connections >= CONNECTIONS => return Err(fault),
                Try::Again(fault, _) if tried == TRIES => return Err(fault),
                Try::Again(_, met) => {
                    self.counters.retries.count();
                    if met != Met::Lost {
                        session.pause(jitter(tried));
                    }
                }
            }
        }
        Err(Fault::Internal("a transaction was not tried at all".into()))
    }
}

/// Runs a job in one transaction.
fn attempt(session: &Session, job: &mut dyn Job, clock: &dyn Clock) -> Try {
    session.begin(BEGIN, clock.elapsed());
    let fault = match job.run(Driver::Postgres(session), clock.now()) {
        Ok(()) => match session.commit() {
            Commit::Done => return Try::Done,
            Commit::Unknown(fault) => return Try::Failed(fault),
            Commit::Refused(fault) => fault,
        },
        Err(fault) => {
            session.roll_back();
            fault
        }
    };
    match session.met() {
        met @ (Met::Conflict | Met::Rule | Met::Lost) => Try::Again(fault, met),
        Met::Nothing | Met::Silent | Met::Failure => Try::Failed(fault),
    }
}

/// From 1 ms to the longer the more often it was tried, 50 ms at most: two that met don't meet again at once.
fn jitter(tried: u32) -> Duration {
    let most = u64::from(tried.min(10)) * 5;
    // Seeded anew at each call by the standard library.
    Duration::from_millis(1 + RandomState::new().hash_one(tried) % most)
}

/// The next job. The lock is held while this thread waits, and let go before it works: the others wait for
/// it. `None`: there will be none.
fn next(jobs: &Mutex<Receiver<Queued>>) -> Option<Queued> {
    held(jobs).recv().ok()
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
