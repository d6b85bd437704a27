//! The threads that handlers run on, in lanes, so that what is short never waits behind what is long.

use super::message::{Request, Response};
use super::pressure::{LaneCounters, Pressure};
use super::service::{Service, Trouble};
use super::settings::Settings;
use crate::error::Fault;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

#[derive(Debug)]
pub struct Lanes {
    pressure: Arc<Pressure>,
    read: Arc<Queue>,
    write: Arc<Queue>,
    hash: Arc<Queue>,
    outbound: Arc<Queue>,
}

/// The worker threads of one queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pool {
    Read,
    Write,
    Hash,
    Outbound,
}

/// Disconnects when the last worker has gone.
pub type Workers = mpsc::Receiver<Infallible>;

impl Lanes {
    /// Starts all threads. They end when the lanes are [closed](Lanes::close).
    pub fn start(
        settings: &Settings,
        service: &Arc<dyn Service>,
        pressure: &Arc<Pressure>,
    ) -> Result<(Self, Workers), Fault> {
        let (alive, workers) = mpsc::channel();
        // The cap on connections bounds the first two: a connection has one request under way.
        let lanes = Self {
            pressure: pressure.clone(),
            read: Queue::new(settings.max_connections),
            write: Queue::new(settings.max_connections),
            hash: Queue::new(settings.hash_queue),
            outbound: Queue::new(Settings::OUTBOUND_QUEUE),
        };
        let pools = [
            ("read", Pool::Read, settings.threads.read),
            ("write", Pool::Write, settings.threads.write),
            ("hash", Pool::Hash, settings.threads.hash),
            ("outbound", Pool::Outbound, settings.threads.outbound),
        ];
        for (name, pool, threads) in pools {
            for number in 0..threads {
                let (queue, service, alive) = (lanes.queue(pool).clone(), service.clone(), alive.clone());
                let pressure = pressure.clone();
                let work = move || {
                    work_off(&queue, &*service, counters_of(&pressure, pool), pool);
                    // Whoever waits for the threads waits for what they hold, too: the database is closed
                    // then.
                    drop(service);
                    drop(alive);
                };
                let thread = std::thread::Builder::new().name(format!("{name}-{number}"));
                thread
                    .spawn(work)
                    .map_err(|error| Fault::Internal(format!("can't start a thread: {error}")))?;
            }
        }
        Ok((lanes, workers))
    }

    /// Queues a request for `pool`.
    ///
    /// # Errors
    /// The request itself, when the lane is full.
    pub fn submit(&self, pool: Pool, request: Request) -> Result<oneshot::Receiver<Response>, Box<Request>> {
        let (reply, response) = oneshot::channel();
        let counters = counters_of(&self.pressure, pool);
        // Before it is queued: a thread that is free counts it down at once.
        counters.waiting.up();
        self.queue(pool).push(Job { request, reply, since: Instant::now() }).inspect_err(|_| {
            counters.waiting.down();
            counters.refused.count();
        })?;
        Ok(response)
    }

    const fn queue(&self, pool: Pool) -> &Arc<Queue> {
        match pool {
            Pool::Read => &self.read,
            Pool::Write => &self.write,
            Pool::Hash => &self.hash,
            Pool::Outbound => &self.outbound,
        }
    }

    /// Lets the threads end once their queues are empty.
    pub fn close(&self) {
        for queue in [&self.read, &self.write, &self.hash, &self.outbound] {
            queue.lock().closed = true;
            queue.ready.notify_all();
        }
    }
}

fn counters_of(pressure: &Pressure, pool: Pool) -> &LaneCounters {
    match pool {
        Pool::Read => &pressure.read,
        Pool::Write => &pressure.write,
        Pool::Hash => &pressure.hash,
        Pool::Outbound => &pressure.outbound,
    }
}

#[derive(Debug)]
struct Job {
    request: Request,
    reply: oneshot::Sender<Response>,
    since: Instant,
}

#[derive(Debug)]
struct Queue {
    state: Mutex<QueueState>,
    ready: Condvar,
    /// How many jobs may wait.
    bound: usize,
}

#[derive(Default, Debug)]
struct QueueState {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), ready: Condvar::new(), bound })
    }

    /// Handlers don't run under this lock, so that a poisoned one still holds a sound queue.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), Box<Request>> {
        let mut state = self.lock();
        if state.jobs.len() >= self.bound {
            return Err(Box::new(job.request));
        }
        state.jobs.push_back(job);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// Waits for a job; `None` once the queue is closed and empty.
    fn pop(&self) -> Option<Job> {
        let state = self.lock();
        let mut state = self
            .ready
            .wait_while(state, |state| state.jobs.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.jobs.pop_front()
    }
}

/// Who has waited so long for a thread that reads or writes has given up: were each worked off, a database
/// that hangs would keep all who come after it waiting as well. Of the other lanes the queues are short.
const PATIENCE: Duration = Duration::from_secs(5);

fn work_off(queue: &Queue, service: &dyn Service, counters: &LaneCounters, pool: Pool) {
    while let Some(Job { mut request, reply, since }) = queue.pop() {
        request.waited = since.elapsed();
        counters.waiting.down();
        counters.waits.record_span(request.waited);
        // The connection has gone: nobody would read the answer, and nothing has begun.
        if reply.is_closed() {
            continue;
        }
        let is_too_late = matches!(pool, Pool::Read | Pool::Write) && request.waited > PATIENCE;
        let response = if is_too_late {
            service.refuse(Trouble::Overloaded, Some(&request.head))
        } else {
            answer(service, &request)
        };
        // An error here means that the connection went meanwhile.
        let _ = reply.send(response);
    }
}

/// Has a request answered. A panic is one request's failure. What it may have left half done is a
/// transaction, which rolls back.
pub fn answer(service: &dyn Service, request: &Request) -> Response {
    catch_unwind(AssertUnwindSafe(|| service.handle(request))).unwrap_or_else(|_| panicked(service, request))
}

/// As [`answer`], in [`Lane::Commit`]: the I/O thread goes on with other requests whenever this one waits.
///
/// [`Lane::Commit`]: super::service::Lane::Commit
pub async fn answer_later(service: &dyn Service, request: &Request) -> Response {
    let mut response = pin!(async { service.begin(request).await });
    // What has panicked is ready, so it isn't polled again.
    let poll = |context: &mut Context<'_>| {
        catch_unwind(AssertUnwindSafe(|| response.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(panicked(service, request)))
    };
    poll_fn(poll).await
}

/// What is said of a panic may panic for the same reason, and must not take the thread along.
fn panicked(service: &dyn Service, request: &Request) -> Response {
    let said = catch_unwind(AssertUnwindSafe(|| service.refuse(Trouble::Panicked, Some(&request.head))));
    said.unwrap_or_else(|_| Response::empty(500))
}
