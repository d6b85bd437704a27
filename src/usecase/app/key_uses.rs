//! When each API key was used last, until a worker writes it: a request notes it in memory, so that a busy
//! service costs a write a minute and not one a request.

use crate::domain::id::ApiKeyId;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is noted of a key that is not in the database yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::usecase) struct KeyUse {
    pub last_at: Timestamp,
    pub uses: u64,
}

/// The uses of each key that the database doesn't know yet.
#[derive(Debug, Default)]
pub(in crate::usecase) struct KeyUses(Mutex<HashMap<ApiKeyId, KeyUse>>);

impl KeyUses {
    /// Notes a use.
    pub(in crate::usecase) fn note(&self, key: ApiKeyId, at: Timestamp) {
        self.add(key, KeyUse { last_at: at, uses: 1 });
    }

    /// Adds uses, such as those that could not be written.
    pub(in crate::usecase) fn add(&self, key: ApiKeyId, more: KeyUse) {
        let mut noted = self.noted();
        let known = noted.entry(key).or_insert(KeyUse { uses: 0, ..more });
        known.last_at = known.last_at.max(more.last_at);
        known.uses = known.uses.saturating_add(more.uses);
    }

    /// Takes all that was noted, to be written.
    pub(in crate::usecase) fn take(&self) -> Vec<(ApiKeyId, KeyUse)> {
        std::mem::take(&mut *self.noted()).into_iter().collect()
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<ApiKeyId, KeyUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
