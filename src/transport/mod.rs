//! The transport: HTTP/1.1 on a few I/O threads, which answer what is short by themselves and hand all other
//! requests, complete and bounded, to worker threads. Handlers are plain and synchronous, but for the lane
//! that awaits its commit. This folder alone names the HTTP crate and starts the async runtime; it knows
//! nothing of routes or of what authd does.
//!
//! `listen` opens the socket, `io` are the I/O threads, `connection` serves one connection, `guard` and
//! `head` refuse what is no sound request before the crate sees it, `seats` and `memory` bound how many
//! connections there are and what they hold, `lanes` are the worker threads, `watchdog` tells that the I/O
//! threads live.

mod connection;
mod guard;
mod head;
mod io;
mod lanes;
mod listen;
mod memory;
pub mod message;
pub mod pressure;
mod seats;
mod service;
mod settings;
mod watchdog;

pub use connection::BODY_MAX_BYTES;
pub use service::{Dispatch, Lane, Service, Trouble};
pub use settings::{Deadlines, Settings, Threads};
pub use watchdog::Watchdog;

use crate::config;
use crate::error::Fault;
use connection::ThreadContext;
use io::Acceptor;
use lanes::{Lanes, Workers};
use listen::Listener;
use memory::Memory;
use pressure::Pressure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// File descriptors that connections leave to the database, to those that are turned away, and to the rest.
const RESERVED_DESCRIPTORS: usize = 192;
/// How long workers may take to end after the last answer.
const WORKERS_END: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug)]
pub struct Server;

impl Server {
    /// Listens, and serves on threads of its own until it is told to stop. Port 0 is any free port.
    ///
    /// # Errors
    /// [`Fault::Config`] or [`Fault::Permission`], when it can't listen there; [`Fault::Internal`],
    /// when the machine has no threads to give.
    pub fn start(
        listen: &config::Listen,
        settings: Settings,
        service: Arc<dyn Service>,
    ) -> Result<Running, Fault> {
        let settings = Settings { max_connections: within_descriptors(settings.max_connections), ..settings };
        let internal = |error: std::io::Error| Fault::Internal(format!("can't start the server: {error}"));
        let runtime = || {
            let service = service.clone();
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().on_thread_park(move || service.before_wait()).build().map_err(internal)
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
        let memory = Memory::new(settings.memory_bytes);
        let (handles, ends): (Vec<_>, Vec<_>) = (0..settings.threads.io.max(1)).map(|_| io::pair()).unzip();
        let mut acceptor = Some((first, Acceptor::new(listener, handles)));
        let (mut watchdog, mut threads) = (Watchdog::default(), Vec::new());
        for (number, end) in ends.into_iter().enumerate() {
            let (runtime, acceptor) = match acceptor.take() {
                Some((first, acceptor)) => (first, Some(acceptor)),
                None => (runtime()?, None),
            };
            let context = ThreadContext {
                requests: Cell::default(),
                service: service.clone(),
                lanes: lanes.clone(),
                pressure: pressure.clone(),
                memory: memory.clone(),
                settings: settings.clone(),
            };
            let (responder, stopping, last) =
                (watchdog.responder(), stopping.clone(), StopsAtEnd(Arc::downgrade(&stop)));
            let serve = move || {
                // One that dies takes the others with it: half a server would be worse than none.
                let _last = last;
                end.serve(&runtime, context, responder, stopping, acceptor);
            };
            let thread =
                std::thread::Builder::new().name(format!("io-{number}")).spawn(serve).map_err(internal)?;
            threads.push(thread);
        }
        let lanes = ClosesAtEnd(lanes);
        Ok(Running { address, stopper: Stopper(stop), watchdog, pressure, threads, lanes, workers })
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

/// Lets the workers end when it is dropped: whoever doesn't wait for a server leaves no thread behind either.
#[derive(Debug)]
struct ClosesAtEnd(Arc<Lanes>);

impl Drop for ClosesAtEnd {
    fn drop(&mut self) {
        self.0.close();
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
    watchdog: Watchdog,
    pressure: Arc<Pressure>,
    threads: Vec<JoinHandle<()>>,
    lanes: ClosesAtEnd,
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
    /// Gives where it listens, with the port that was really taken.
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
    pub fn watchdog(&self) -> Watchdog {
        self.watchdog.clone()
    }

    /// Tells it to stop, as [`Stopper::stop`] does, and doesn't wait for it.
    pub fn shutdown(&self) {
        self.stopper.stop();
    }

    /// Waits until the server has been told to stop and has done so.
    ///
    /// # Errors
    /// [`Fault::Internal`], when its thread died.
    pub fn wait(self) -> Result<(), Fault> {
        let ends: Vec<_> = self.threads.into_iter().map(JoinHandle::join).collect();
        drop(self.lanes);
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
