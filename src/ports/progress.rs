//! How far a long piece of work has come, and whether somebody wants it to end: what those who do it and
//! those who show it share. Whoever works only counts; what is drawn of it, and when, is another's business.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Set by whoever wants a long piece of work to stop.
pub type Stop = Arc<AtomicBool>;

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Bytes,
    /// By their name, in the plural: `users`.
    Things(&'static str),
    /// Nothing can be counted.
    Nothing,
}

/// A part of the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// What is done, for people: `copying`.
    pub doing: &'static str,
    pub unit: Unit,
    /// How much there is to do, in the unit. `None`: nobody knows.
    pub total: Option<u64>,
}

/// How far a piece of work has come. Its clones are one and the same; the default one is watched by nobody.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// `None`: nothing was begun.
    part: Mutex<Option<Part>>,
    done: AtomicU64,
    stop: Stop,
}

impl Progress {
    /// Makes the progress of a piece of work that ends soon after `stop` is set.
    #[must_use]
    pub fn stopped_by(stop: Stop) -> Self {
        Self(Arc::new(Shared { stop, ..Shared::default() }))
    }

    /// Begins a part of the work, of which nothing is done yet.
    pub fn begin(&self, doing: &'static str, unit: Unit, total: Option<u64>) {
        let mut part = self.0.part.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.done.store(0, Ordering::Relaxed);
        *part = Some(Part { doing, unit, total });
    }

    /// Says that so much more of the part is done.
    pub fn add(&self, done: u64) {
        self.0.done.fetch_add(done, Ordering::Relaxed);
    }

    /// Says how much of the part is done in all.
    pub fn set(&self, done: u64) {
        self.0.done.store(done, Ordering::Relaxed);
    }

    /// The part that is under way, and how much of it is done. `None`: nothing was begun.
    #[must_use]
    pub fn seen(&self) -> Option<(Part, u64)> {
        let part = *self.0.part.lock().unwrap_or_else(PoisonError::into_inner);
        part.map(|part| (part, self.0.done.load(Ordering::Relaxed)))
    }

    /// What is set to stop the work.
    #[must_use]
    pub fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// Whether somebody wants it to stop.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.stop.load(Ordering::Relaxed)
    }
}
