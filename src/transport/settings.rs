//! How much a server takes on: connections, threads, and the spans that bound a connection.

use crate::config;
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
    /// For a service that hashes and writes, on so many `cores`. `hashes` run at once; four times as many
    /// requests may be at it.
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
