//! How hard a server is pressed: what it holds, what waits, and what was turned away.

use crate::tally::{Counter, Histogram, Level};

#[derive(Debug)]
pub struct Pressure {
    /// Connections that are open.
    pub connections: Level,
    /// Connections that found all places taken.
    pub turned_away: Counter,
    pub read: LaneTally,
    pub write: LaneTally,
    pub hash: LaneTally,
}

/// One lane.
#[derive(Debug)]
pub struct LaneTally {
    /// Requests that no thread has begun.
    pub waiting: Level,
    /// How long requests waited for a thread.
    pub waits: Histogram,
    /// Requests that found the queue full.
    pub refused: Counter,
}

impl Pressure {
    pub(super) fn new() -> Self {
        Self {
            connections: Level::default(),
            turned_away: Counter::default(),
            read: LaneTally::new(),
            write: LaneTally::new(),
            hash: LaneTally::new(),
        }
    }

    /// Every lane by its name.
    pub fn lanes(&self) -> [(&'static str, &LaneTally); 3] {
        [("hash", &self.hash), ("read", &self.read), ("write", &self.write)]
    }
}

impl LaneTally {
    fn new() -> Self {
        Self { waiting: Level::default(), waits: Histogram::of_spans(), refused: Counter::default() }
    }
}
