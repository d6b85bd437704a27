//! How hard a server is pressed: what it holds, what waits, and what was turned away.

use crate::counters::{Counter, Histogram, Level};

#[derive(Debug)]
pub struct Pressure {
    /// Connections that are open.
    pub connections: Level,
    /// Connections that found all places taken.
    pub turned_away: Counter,
    pub read: LaneCounters,
    pub write: LaneCounters,
    pub hash: LaneCounters,
    pub outbound: LaneCounters,
}

/// One lane.
#[derive(Debug)]
pub struct LaneCounters {
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
            read: LaneCounters::new(),
            write: LaneCounters::new(),
            hash: LaneCounters::new(),
            outbound: LaneCounters::new(),
        }
    }

    /// Every lane by its name.
    pub fn lanes(&self) -> [(&'static str, &LaneCounters); 4] {
        [("hash", &self.hash), ("outbound", &self.outbound), ("read", &self.read), ("write", &self.write)]
    }
}

impl LaneCounters {
    fn new() -> Self {
        Self { waiting: Level::default(), waits: Histogram::of_spans(), refused: Counter::default() }
    }
}
