//! The outside world as the app holds it.

use crate::ports::http_client::HttpClient;
use crate::ports::web_client::WebClient;
use crate::ports::{Clock, Entropy, SystemClock, SystemEntropy};
use std::sync::Arc;

/// The outside world: the real one, or a test's.
#[derive(Clone, Debug)]
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// For asking servers that the configuration names.
    pub http: Arc<dyn HttpClient>,
}

impl Ports {
    /// The clock, the random bytes and the network of this machine.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            http: Arc::new(WebClient::new()),
        }
    }
}
