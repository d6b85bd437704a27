//! What the app knows of the servers that the configuration names as providers: copies of their documents,
//! and how many wait for them.

use super::cached::Cached;
use super::in_flight::InFlight;
use crate::domain::identity::ProviderName;
use crate::oidc::discovery::Metadata;
use crate::oidc::fault::ProviderFault;
use crate::oidc::jwks::KeySet;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long old metadata do while the provider gives no others.
const STALE_METADATA: Duration = Duration::from_secs(24 * 3600);
/// The same of its keys: one that was taken back must not count for long.
const STALE_KEYS: Duration = Duration::from_secs(2 * 3600);

/// By the provider's name.
#[derive(Debug, Default)]
pub struct Providers {
    states: Mutex<BTreeMap<ProviderName, Arc<ProviderState>>>,
}

/// Of one provider.
#[derive(Debug)]
pub struct ProviderState {
    pub in_flight: InFlight,
    pub metadata: Cached<Metadata, ProviderFault>,
    pub keys: Cached<KeySet, ProviderFault>,
}

impl Providers {
    /// The state of a provider that the configuration names: there are no more of them than that.
    pub fn of(&self, name: &ProviderName) -> Arc<ProviderState> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(name) {
            return Arc::clone(state);
        }
        let state = Arc::new(ProviderState::new());
        states.insert(name.clone(), Arc::clone(&state));
        state
    }
}

impl ProviderState {
    fn new() -> Self {
        Self {
            in_flight: InFlight::default(),
            metadata: Cached::new(STALE_METADATA),
            keys: Cached::new(STALE_KEYS),
        }
    }
}
