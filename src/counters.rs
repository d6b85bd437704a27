//! How often, how many, how long: counts in plain atomics, which any room may keep of its own work.
//!
//! They have no names and no format. Whoever reads them out gives them those, so that the rooms that
//! count know nothing of who looks. Counting takes a few nanoseconds, and never waits for a reader.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The bounds of spans, in microseconds: from half a millisecond to ten seconds.
pub const SPANS: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// How often something has happened since the process began.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn count(&self) {
        self.add(1);
    }

    /// Adds so many at once.
    pub fn add(&self, times: u64) {
        self.0.fetch_add(times, Relaxed);
    }

    /// Gives how often it has happened so far.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many there are just now.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    /// Adds one, until [`Level::down`] takes it back.
    pub fn up(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Takes back one [`Level::up`].
    pub fn down(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// Gives how many there are at this moment.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How values are distributed: a count for each range between two bounds, and the sum of all.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than there are bounds: the last is for what is above all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a [`Histogram`] held at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Distribution {
    /// Upper bounds (`None`: there is none), each with how many values were up to it and above the one
    /// before.
    pub buckets: Vec<(Option<u64>, u64)>,
    pub sum: u64,
}

impl Histogram {
    /// `bounds` rise. What they count is the caller's to know.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::default()).collect();
        Self { bounds, counts, sum: AtomicU64::default() }
    }

    /// A histogram of spans, in microseconds.
    #[must_use]
    pub fn of_spans() -> Self {
        Self::new(SPANS)
    }

    /// Counts a value, in the unit of the bounds, in the first range whose bound it doesn't exceed.
    pub fn record(&self, value: u64) {
        self.counts[self.bounds.partition_point(|bound| *bound < value)].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// Counts a span in whole microseconds, for a histogram whose bounds are such.
    pub fn record_span(&self, span: Duration) {
        self.record(u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
    }

    /// Copies out what it holds. A value that comes in meanwhile may be in the sum and not in the counts, or
    /// the reverse.
    #[must_use]
    pub fn read(&self) -> Distribution {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let buckets = bounds.zip(&self.counts).map(|(bound, count)| (bound, count.load(Relaxed))).collect();
        Distribution { buckets, sum: self.sum.load(Relaxed) }
    }
}

impl Distribution {
    /// How many values there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

/// Counters of one kind, one for each key. Nothing forgets a key: whoever chooses them sees to it that
/// they are few, and never what a client made up.
#[derive(Debug)]
pub struct Family<K, T> {
    members: RwLock<BTreeMap<K, Arc<T>>>,
    make: fn() -> T,
}

impl<K: Ord + Copy, T> Family<K, T> {
    /// Begins without members; `make` makes each when it is first asked for.
    #[must_use]
    pub const fn new(make: fn() -> T) -> Self {
        Self { members: RwLock::new(BTreeMap::new()), make }
    }

    /// The counter of `key`, which begins with the first that asks for it.
    #[must_use]
    pub fn of(&self, key: K) -> Arc<T> {
        if let Some(member) = self.members.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(member);
        }
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(members.entry(key).or_insert_with(|| Arc::new((self.make)())))
    }

    /// All counters, in the order of their keys.
    #[must_use]
    pub fn read(&self) -> Vec<(K, Arc<T>)> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.iter().map(|(key, member)| (*key, Arc::clone(member))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_counts_below_it() {
        let histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21, 1000] {
            histogram.record(value);
        }
        let read = histogram.read();
        assert_eq!(read.buckets, [(Some(10), 2), (Some(20), 2), (None, 2)]);
        assert_eq!((read.sum, read.count()), (1062, 6));
    }

    #[test]
    fn spans_are_counted_in_microseconds() {
        let histogram = Histogram::of_spans();
        histogram.record_span(Duration::from_micros(500));
        histogram.record_span(Duration::from_secs(11));
        let read = histogram.read();
        assert_eq!((read.buckets[0], *read.buckets.last().unwrap()), ((Some(500), 1), (None, 1)));
        assert_eq!(read.sum, 11_000_500);
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let (family, level) = (Family::new(Counter::default), Level::default());
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (family, level) = (&family, &level);
                scope.spawn(move || {
                    for round in 0..1000 {
                        level.up();
                        family.of((number + round) % 3).count();
                        level.down();
                    }
                });
            }
        });
        assert_eq!(level.read(), 0);
        assert_eq!(family.read().iter().map(|(_, counter)| counter.read()).sum::<u64>(), 4000);
        assert_eq!(family.read().iter().map(|(key, _)| *key).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
