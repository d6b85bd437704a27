//! The outside world as traits, and the real ones. The only place that reads the clock or draws
//! random bytes (`clippy.toml` bans both elsewhere), so that tests can move time and repeat chance.

use crate::domain::time::Timestamp;
use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync + Debug {
    /// The time of day, UTC. It may jump when the machine's clock is set.
    fn now(&self) -> Timestamp;

    /// A time that only goes forward, for measuring spans.
    fn elapsed(&self) -> Duration;
}

/// Draws random bytes that nobody can guess.
pub trait Entropy: Send + Sync + Debug {
    fn fill(&self, bytes: &mut [u8]);
}

/// An array of random bytes.
pub fn draw<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the port that the ban points to")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the port that the ban points to")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The kernel's random number generator.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the kernel has no random bytes to give: nothing safe can be done without them.
    #[allow(clippy::disallowed_methods, reason = "this is the port that the ban points to")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the kernel gives random bytes once it is up");
    }
}

/// The login name behind a user id of this machine, or `uid 998` where it has none.
#[must_use]
pub fn user_name(uid: u32) -> String {
    uzers::get_user_by_uid(uid).map_or_else(|| format!("uid {uid}"), |user| user.name().to_string_lossy().into_owned())
}
