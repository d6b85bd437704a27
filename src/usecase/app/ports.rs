//! The outside world as the app holds it.

use crate::ports::{Clock, Entropy, SystemClock, SystemEntropy};
use std::sync::Arc;

/// The outside world: the real one, or a test's.
#[derive(Clone, Debug)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl Ports {
    /// The clock and the random bytes of this machine.
    #[must_use]
    pub fn real() -> Self {
        Self { clock: Arc::new(SystemClock::new()), entropy: Arc::new(SystemEntropy) }
    }
}
