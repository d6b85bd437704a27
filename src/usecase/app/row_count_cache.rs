//! How many rows the database has, as it was counted last: counting takes long, and whoever asks often gets
//! what is known.

use crate::error::Fault;
use crate::store::tables::row_counts::RowCounts;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The database is not counted more often than this.
const PAUSE_MIN: Duration = Duration::from_secs(10);

/// And a pause is so many times as long as the counting took: a hundredth of one reader's time at most.
const PAUSE_FACTOR: u32 = 100;

/// What the last counting came to.
#[derive(Debug, Default)]
pub(in crate::usecase) struct RowCountCache(Mutex<Counted>);

/// When the database was counted, and what came of it. Times are of the clock that only goes forward.
#[derive(Clone, Debug, Default)]
pub(in crate::usecase) struct Counted {
    /// Not before then is it counted again.
    next: Duration,
    /// When it answered last.
    pub last: Duration,
    /// Whether it answered the last time that it was asked.
    pub answered: bool,
    /// `None`: it has never answered.
    pub row_counts: Option<RowCounts>,
}

impl RowCountCache {
    /// What is known, counted anew by `count` where that is due. Whoever comes while somebody counts waits
    /// for what that gives.
    pub(in crate::usecase) fn read(
        &self,
        elapsed: impl Fn() -> Duration,
        count: impl FnOnce() -> Result<RowCounts, Fault>,
    ) -> Counted {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = elapsed();
        if begun >= counted.next {
            let taken = count();
            let ended = elapsed();
            counted.next = ended + PAUSE_MIN.max(ended.saturating_sub(begun) * PAUSE_FACTOR);
            counted.answered = taken.is_ok();
            match taken {
                Ok(row_counts) => (counted.row_counts, counted.last) = (Some(row_counts), ended),
                Err(fault) => {
                    tracing::warn!(%fault, "the database can't be counted for the metrics");
                }
            }
        }
        counted.clone()
    }
}
