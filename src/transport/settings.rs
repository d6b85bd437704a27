//! How much a server takes on: connections, threads, and the spans that bound a connection.

use crate::config::Config;
use crate::domain::network::Network;
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;

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

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    pub max_connections: usize,
    /// How many of them one network may have; `None`: a quarter.
    pub max_connections_per_network: Option<usize>,
    /// Networks whose hosts bring the requests of many, so that the bound above doesn't hold for them.
    pub trusted: Vec<IpNet>,
    /// What all connections together may hold of heads, bodies and answers that are longer than most.
    pub memory_bytes: usize,
    pub threads: Threads,
    /// How many requests may wait to be hashed.
    pub hash_queue: usize,
    pub deadlines: Deadlines,
}

impl Settings {
    /// How many requests may wait to ask another server.
    pub(super) const OUTBOUND_QUEUE: usize = 64;

    /// For [`Settings::memory_bytes`]: a thousand of the longest bodies.
    pub const MEMORY_BYTES: usize = 64 << 20;

    /// The network that a peer's connections count for. `None`: they count for none, since they bring the
    /// requests of many. A `peer` of `None` is on a Unix socket, as a proxy is.
    pub(super) fn network_of(&self, peer: Option<IpAddr>) -> Option<Network> {
        let peer = peer?.to_canonical();
        let is_trusted = self.trusted.iter().any(|network| network.contains(&peer));
        (!is_trusted).then(|| Network::of(Some(peer)))
    }
}

/// How many threads each lane has. One without any must not be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threads {
    /// Those that serve connections: at least one.
    pub io: usize,
    pub read: usize,
    pub write: usize,
    pub hash: usize,
    /// Those that ask other servers.
    pub outbound: usize,
}

impl Threads {
    const READ: usize = 4;

    /// For a service that hashes and writes, on so many `cores`. `hashes` run at once; four times as many
    /// requests may be at it. As many `providers` of identities are asked.
    #[must_use]
    pub fn new(cores: usize, hashes: usize, providers: usize) -> Self {
        // So many write that the jobs waiting for the one writer can be committed together.
        // Whoever has hashed waits for a commit: were there no more than that waiting on a slow disk, nobody
        // would hash meanwhile.
        Self {
            io: cores.clamp(1, 4),
            read: Self::READ,
            write: 8,
            hash: 4 * hashes.max(1),
            outbound: outbound(providers),
        }
    }
}

/// Without a provider nobody is asked, and one thread says so.
const fn outbound(providers: usize) -> usize {
    if providers == 0 { 1 } else { 8 }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let server = &config.server;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            max_connections: server.max_connections,
            max_connections_per_network: server.max_connections_per_network,
            trusted: config.proxy.trusted.clone(),
            memory_bytes: Self::MEMORY_BYTES,
            threads: Threads {
                // Who reads from a server waits for it: as many at once as there are connections for that.
                read: config.database.path().map_or(config.postgres.readers() as usize, |_| Threads::READ),
                ..Threads::new(cores, server.hash_threads.unwrap_or(cores), config.oauth.len())
            },
            hash_queue: server.hash_queue,
            deadlines: Deadlines::default(),
        }
    }
}
