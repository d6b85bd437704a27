//! The I/O threads. The first takes connections and hands each to the thread that has the fewest, where it
//! stays to its end: as many requests can be answered at once, where they were read, as there are threads.

use super::connection::{self, Place, ThreadContext};
use super::listen::{Accepted, Listener};
use super::seats::{Full, Seat, Seats};
use super::watchdog::Responder;
use crate::counters::Level;
use crate::domain::network::Network;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};

/// How long to wait before the next `accept` after one failed for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a newcomer waits for those that make room. They go at once unless their thread is held up.
const LEAVE_PATIENCE: Duration = Duration::from_millis(100);
/// How many connections beyond the cap are told so; those beyond these are dropped.
const TURNED_AWAY_AT_ONCE: usize = 64;

/// A connection on its way to the thread that serves it.
struct Arrival {
    stream: Accepted,
    peer: Option<IpAddr>,
    place: Place,
}

/// The way to one thread.
#[derive(Clone)]
pub struct IoHandle {
    arrivals: UnboundedSender<Arrival>,
    /// How many connections it has, or is about to have.
    load: Arc<Level>,
}

/// One thread's end.
pub struct IoThread {
    arrivals: UnboundedReceiver<Arrival>,
    load: Arc<Level>,
}

/// Makes the way to a thread that is yet to be started, and that thread's end of it.
pub fn pair() -> (IoHandle, IoThread) {
    let (sender, arrivals) = unbounded_channel();
    let load = Arc::new(Level::default());
    (IoHandle { arrivals: sender, load: load.clone() }, IoThread { arrivals, load })
}

/// What tells a thread to stop.
pub type Stop = watch::Receiver<bool>;

impl IoThread {
    /// Serves the connections that are handed over, until `stop`; then gives requests under way their time.
    /// Beside it runs `acceptor`, on the one thread that has the [`Acceptor`].
    pub fn serve(
        mut self,
        runtime: &Runtime,
        context: ThreadContext,
        responder: Responder,
        stop: Stop,
        acceptor: Option<Acceptor>,
    ) {
        let context = Rc::new(context);
        let local = LocalSet::new();
        local.spawn_local(responder.respond());
        if let Some(acceptor) = acceptor {
            local.spawn_local(acceptor.run(context.clone(), stop.clone()));
        }
        local.block_on(runtime, async {
            let mut connections = JoinSet::new();
            self.take(&context, stop, &mut connections).await;
            let all_gone = async { while connections.join_next().await.is_some() {} };
            if timeout(context.settings.deadlines.drain, all_gone).await.is_err() {
                tracing::warn!("some requests took too long to finish and were cut off");
            }
        });
    }

    async fn take(&mut self, context: &Rc<ThreadContext>, stop: Stop, connections: &mut JoinSet<()>) {
        let mut stopped = stop.clone();
        loop {
            let arrival = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                Some(_) = connections.join_next() => continue,
                arrival = self.arrivals.recv() => arrival,
            };
            let Some(Arrival { stream, peer, place }) = arrival else {
                return;
            };
            let (context, stop, load) = (context.clone(), stop.clone(), self.load.clone());
            connections.spawn_local(async move {
                context.pressure.connections.up();
                // One that fails here is gone already.
                if let Ok(stream) = stream.enter() {
                    connection::serve(context.clone(), stream, peer, place, stop).await;
                }
                context.pressure.connections.down();
                load.down();
            });
        }
    }
}

/// As [`Seats::take`]. Where many leave just now, newcomers wait for them: they came too fast for those that
/// make room on this very thread.
async fn find_seat(seats: &Arc<Seats>, network: Option<Network>) -> Result<Seat, Full> {
    loop {
        match seats.take(network) {
            Err(Full::ManyLeaving) if timeout(LEAVE_PATIENCE, seats.one_leaves()).await.is_ok() => {}
            found => return found,
        }
    }
}

/// Where connections come in.
pub struct Acceptor {
    listener: Listener,
    handles: Vec<IoHandle>,
}

impl Acceptor {
    /// Takes connections from `listener` and deals them to the threads behind `handles`.
    pub const fn new(listener: Listener, handles: Vec<IoHandle>) -> Self {
        Self { listener, handles }
    }

    /// Takes connections until `stop`; then nobody listens any more.
    async fn run(self, context: Rc<ThreadContext>, mut stop: Stop) {
        let settings = &context.settings;
        let quarter = settings.max_connections.div_ceil(4);
        let per_network = settings.max_connections_per_network.unwrap_or(quarter);
        let seats = Seats::new(settings.max_connections, per_network);
        let lobby = Arc::new(Semaphore::new(TURNED_AWAY_AT_ONCE));
        // Out of descriptors, every attempt fails the same way: one line in the log is enough.
        let mut complained = false;
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                accepted = self.listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                // A client that gave up while it waited is nobody's failure.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    if !complained {
                        tracing::warn!(%error, "can't take connections just now");
                    }
                    complained = true;
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            complained = false;
            let place = match find_seat(&seats, settings.network_of(peer)).await {
                Ok(seat) => Place::Seat(seat),
                Err(_) => {
                    context.pressure.turned_away.count();
                    let Ok(place) = lobby.clone().try_acquire_owned() else { continue };
                    Place::Lobby(place)
                }
            };
            self.hand_over(Arrival { stream, peer, place });
        }
    }

    fn hand_over(&self, arrival: Arrival) {
        if let Some(handle) = self.handles.iter().min_by_key(|handle| handle.load.read()) {
            handle.load.up();
            // A thread that has died takes the server with it: see `Server::start`.
            let _ = handle.arrivals.send(arrival);
        }
    }
}
