//! When each API key was used last, until a worker writes it: a request notes it in memory, so that a busy
//! service costs a write a minute and not one a request.

use crate::domain::id::ApiKeyId;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The latest use of each key that is not in the database yet.
#[derive(Debug, Default)]
pub(in crate::usecase) struct KeyUses(Mutex<HashMap<ApiKeyId, Timestamp>>);

impl KeyUses {
    /// Notes a use. An older one than is known changes nothing.
    pub(in crate::usecase) fn note(&self, key: ApiKeyId, at: Timestamp) {
        let mut noted = self.noted();
        let latest = noted.entry(key).or_insert(at);
        *latest = at.max(*latest);
    }

    /// Takes all that was noted, to be written.
    pub(in crate::usecase) fn take(&self) -> Vec<(ApiKeyId, Timestamp)> {
        std::mem::take(&mut *self.noted()).into_iter().collect()
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
