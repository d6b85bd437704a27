//! The transport: HTTP/1.1 on a few I/O threads, which answer what is short by themselves and hand all other
//! requests, complete and bounded, to worker threads. Handlers are plain and synchronous, but for the lane that
//! awaits its commit. This folder alone names the HTTP crate and starts the async runtime; it knows nothing of
//! routes or of what authd does.
//!
//! `listen` opens the socket, `io` are the I/O threads, `connection` serves one connection, `guard` and `head` refuse what is no sound
//! request before the crate sees it, `lanes` are the worker threads, `pulse` tells that the I/O threads live.

pub mod client;
mod connection;
mod guard;
mod head;
mod io;
mod lanes;
mod listen;
pub mod message;
pub mod pressure;
mod pulse;

pub use connection::BODY_MAX_BYTES;
pub use pulse::Pulse;

use crate::config;
use crate::error::Fault;
use connection::House;
use io::Acceptor;
use lanes::{Lanes, Workers};
use listen::Listener;
use message::{Head, Request, Response, Then};
use pressure::Pressure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// File descriptors that connections leave to the database and the rest.
const RESERVED_DESCRIPTORS: usize = 128;
/// How long workers may take to end after the last answer.
const WORKERS_END: Duration = Duration::from_millis(500);

/// What answers requests.
pub trait Service: Send + Sync + 'static {
    /// Where a request is answered. Called on an I/O thread: must not block.
    fn lane(&self, head: &Head) -> Lane;

    /// Answers a request, where its lane says. A panic is answered through [`Service::refuse`].
    fn handle(&self, request: &Request) -> Response;

    /// An I/O thread has nothing to do and is about to wait: called on it, at its start, too, and now and then while it
    /// is so busy that it never waits.
    fn rest(&self) {}

    /// As [`Service::handle`], for [`Lane::Commit`] alone: it is polled by the I/O thread that read the request, must
    /// not block, and waits for nothing but its commit. Dropped when the connection has gone.
    fn begin<'a>(&'a self, request: &'a Request) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
        Box::pin(async { self.handle(request) })
    }

    /// The answer where a request can't be handled; `head` is `None` when there is no sound one.
    /// Called on I/O threads, too: must not block.
    fn refuse(&self, trouble: Trouble, head: Option<&Head>) -> Response;
}

/// Where a request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// At once, by the I/O thread that read it: a hop to another thread takes longer than one indexed read. It must
    /// never wait, for all connections of that thread would wait with it.
    Short,
    /// By the I/O thread that read it, which goes on with others while the write is on its way to disk. So it wakes
    /// nobody but the writer, which wakes the I/O thread once for many answers.
    Commit,
    /// Only reads, however much.
    Read,
    /// Writes: waits for the disk, in company.
    Write,
    /// Hashes a password: long. The queue is bounded.
    Hash,
}

/// Why the transport doesn't let a request through, or a handler didn't answer it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It is no sound HTTP/1.1 request. The text, for people, says why.
    BadRequest(&'static str),
    /// A head over 16 KiB or 100 fields.
    HeadersTooLarge,
    /// A body over [`BODY_MAX_BYTES`].
    BodyTooLarge,
    /// It did not come in time.
    RequestTimeout,
    /// An `Expect` other than `100-continue`.
    ExpectationFailed,
    /// TRACE and CONNECT are answered nowhere.
    MethodRefused,
    /// All connections are taken.
    Crowded,
    /// The lane's queue is full; nothing was done.
    Overloaded,
    /// The handler panicked.
    Panicked,
}

impl Trouble {
    /// Whether the stream can be trusted to hold another request.
    const fn then(self) -> Then {
        match self {
            Self::Overloaded | Self::Panicked => Then::KeepAlive,
            Self::BadRequest(_)
            | Self::HeadersTooLarge
            | Self::BodyTooLarge
            | Self::RequestTimeout
            | Self::ExpectationFailed
            | Self::MethodRefused
            | Self::Crowded => Then::Close,
        }
    }
}

/// The spans that bound a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadlines {
    /// For a request's head, from its first byte; on a new connection from its beginning.
    pub head: Duration,
    /// For a whole request, from its first byte to its last.
    pub request: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// For a client to make room for an answer.
    pub write: Duration,
    /// For a client to stop sending after it was refused.
    pub linger: Duration,
    /// For requests under way at a shutdown.
    pub drain: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            request: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(15),
            linger: Duration::from_secs(2),
            // With the workers' end and a writer that waits for a foreign lock, 5 s in all.
            drain: Duration::from_millis(2500),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    pub max_connections: usize,
    pub threads: Threads,
    /// How many requests may wait to be hashed.
    pub hash_queue: usize,
    pub deadlines: Deadlines,
}

/// How many threads each lane has. One without any must not be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads {
    /// Those that serve connections: at least one.
    pub io: usize,
    pub read: usize,
    pub write: usize,
    pub hash: usize,
}

impl Threads {
    /// For a service that hashes and writes, on so many `cores`. `hashes` run at once; four times as many requests may
    /// be at it.
    #[must_use]
    pub fn new(cores: usize, hashes: usize) -> Self {
        // So many write that the jobs waiting for the one writer can be committed together.
        // Whoever has hashed waits for a commit: were there no more than that waiting on a slow disk, nobody
        // would hash meanwhile.
        Self { io: cores.clamp(1, 4), read: 4, write: 8, hash: 4 * hashes.max(1) }
    }
}

impl From<&config::Server> for Settings {
    fn from(server: &config::Server) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_connections: server.max_connections,
            threads: Threads::new(cores, server.hash_threads.unwrap_or(cores)),
            hash_queue: server.hash_queue,
            deadlines: Deadlines::default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Server;

impl Server {
    /// Listens, and serves on threads of its own until it is told to stop. Port 0 is any free port.
    ///
    /// # Errors
    /// [`Fault::Config`] or [`Fault::Permission`], when it can't listen there; [`Fault::Internal`],
    /// when the machine has no threads to give.
    pub fn start(listen: &config::Listen, settings: Settings, service: Arc<dyn Service>) -> Result<Running, Fault> {
        let settings = Settings { max_connections: within_descriptors(settings.max_connections), ..settings };
        let internal = |error: std::io::Error| Fault::Internal(format!("can't start the server: {error}"));
        let runtime = || {
            let service = service.clone();
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().on_thread_park(move || service.rest()).build().map_err(internal)
        };
        let first = runtime()?;
        let listener = {
            let _within = first.enter();
            Listener::open(listen)?
        };
        let address = Address { listen: listen.clone(), tcp: listener.tcp_address() };
        let (stop, stopping) = watch::channel(false);
        let stop = Arc::new(stop);
        let pressure = Arc::new(Pressure::new());
        let (lanes, workers) = Lanes::start(&settings, &service, &pressure)?;
        let lanes = Arc::new(lanes);
        let (handles, ends): (Vec<_>, Vec<_>) = (0..settings.threads.io.max(1)).map(|_| io::pair()).unzip();
        let mut acceptor = Some((first, Acceptor::new(listener, handles)));
        let (mut pulse, mut threads) = (Pulse::default(), Vec::new());
        for (number, end) in ends.into_iter().enumerate() {
            let (runtime, acceptor) = match acceptor.take() {
                Some((first, acceptor)) => (first, Some(acceptor)),
                None => (runtime()?, None),
            };
            let house = House {
                requests: Cell::default(),
                service: service.clone(),
                lanes: lanes.clone(),
                pressure: pressure.clone(),
                settings,
            };
            let (heart, stopping, last) = (pulse.heart(), stopping.clone(), StopsAtEnd(Arc::downgrade(&stop)));
            let serve = move || {
                // One that dies takes the others with it: half a server would be worse than none.
                let _last = last;
                end.serve(&runtime, house, heart, stopping, acceptor);
            };
            let thread = std::thread::Builder::new().name(format!("io-{number}")).spawn(serve).map_err(internal)?;
            threads.push(thread);
        }
        Ok(Running { address, stopper: Stopper(stop), pulse, pressure, threads, lanes, workers })
    }
}

/// Tells the server to stop when it is dropped, by a panic, too.
struct StopsAtEnd(Weak<watch::Sender<bool>>);

impl Drop for StopsAtEnd {
    fn drop(&mut self) {
        if let Some(stop) = self.0.upgrade() {
            stop.send_replace(true);
        }
    }
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub struct Address {
    listen: config::Listen,
    tcp: Option<SocketAddr>,
}

impl Address {
    /// With the port that was really taken; `None` for a Unix socket.
    #[must_use]
    pub const fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.tcp, &self.listen) {
            (Some(tcp), _) => write!(f, "http://{tcp}"),
            (None, config::Listen::Unix(path)) => write!(f, "unix:{}", path.display()),
            (None, config::Listen::Systemd | config::Listen::Tcp(_)) => {
                f.write_str("the socket that systemd handed over")
            }
        }
    }
}

/// A server at work. It stops when this and all its [`Stopper`]s are dropped.
#[derive(Debug)]
pub struct Running {
    address: Address,
    stopper: Stopper,
    pulse: Pulse,
    pressure: Arc<Pressure>,
    threads: Vec<JoinHandle<()>>,
    lanes: Arc<Lanes>,
    workers: Workers,
}

/// Tells a server to stop, from any thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Stopper {
    /// No connection is taken any more; requests under way are finished, for at most 5 s.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Running {
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// How hard it is pressed, now and whenever it is read.
    #[must_use]
    pub fn pressure(&self) -> Arc<Pressure> {
        self.pressure.clone()
    }

    /// For a thread that waits for signals.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// For a thread that watches over this one.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    pub fn shutdown(&self) {
        self.stopper.stop();
    }

    /// Waits until the server has been told to stop and has done so.
    ///
    /// # Errors
    /// [`Fault::Internal`], when its thread died.
    pub fn wait(self) -> Result<(), Fault> {
        let ends: Vec<_> = self.threads.into_iter().map(JoinHandle::join).collect();
        self.lanes.close();
        if ends.iter().any(Result::is_err) {
            return Err(Fault::Internal("a thread of the server died".into()));
        }
        // A handler that is still at it has nobody to answer to; what it writes is a transaction.
        let _ = self.workers.recv_timeout(WORKERS_END);
        Ok(())
    }
}

/// Raises this process's bound on open files as far as it goes, and gives the number of connections
/// that leaves the database its own.
fn within_descriptors(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it can't be raised, the bound that stands is the one to keep within.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let bound = if raised.is_ok() { limit.maximum } else { limit.current };
    let bound = bound.and_then(|bound| usize::try_from(bound).ok()).unwrap_or(usize::MAX);
    wanted.min(bound.saturating_sub(RESERVED_DESCRIPTORS)).max(1)
}
