//! The outside world as traits, and the real ones. The only place that reads the clock or draws
//! random bytes (`clippy.toml` bans both elsewhere), so that tests can move time and repeat chance;
//! and the only one that speaks SMTP, or HTTP as a client.

pub mod http_client;
pub mod process;
pub mod progress;
mod public_address;
pub mod secret_file;
pub mod smtp;
pub mod web_client;

use crate::domain::id::MailId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use std::fmt::{self, Debug};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use uzers::os::unix::GroupExt;

/// Tells the time.
pub trait Clock: Send + Sync + Debug {
    /// The time of day, UTC. It may jump when the machine's clock is set.
    fn now(&self) -> Timestamp;

    /// A time that only goes forward, for measuring spans.
    fn elapsed(&self) -> Duration;
}

/// Draws random bytes that nobody can guess.
pub trait Entropy: Send + Sync + Debug {
    /// Overwrites all of `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// Hands mail on to whoever brings it to people.
pub trait Mailer: Send + Sync + Debug {
    /// Returns once the next server has taken the mail, and with it the duty to deliver it.
    ///
    /// # Errors
    /// [`Undelivered`]. After one it may still arrive: the answer can be what was lost.
    fn send(&self, message: &Message) -> Result<(), Undelivered>;
}

/// A mail on its way out.
#[derive(Clone, Debug)]
pub struct Message {
    /// Makes the `Message-ID` (RFC 5322 §3.6.4): who gets the same mail twice can tell.
    pub id: MailId,
    /// When it was written.
    pub date: Timestamp,
    pub to: String,
    /// One line.
    pub subject: String,
    pub text: Secret<String>,
    pub html: Secret<String>,
}

/// Why a mail was not handed on: one line, which may hold what a stranger's server said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Undelivered {
    /// It may work later.
    Transient(String),
    /// It never will: the server wants nothing of this mail, or of this recipient.
    Permanent(String),
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transient(why) | Self::Permanent(why) => f.write_str(why),
        }
    }
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
    /// Starts the clock: spans are measured from here on.
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
    uzers::get_user_by_uid(uid)
        .map_or_else(|| format!("uid {uid}"), |user| user.name().to_string_lossy().into_owned())
}

/// Whether a group is the one that a user of this machine was made with, and nobody else is in it: what it
/// may do, its user may. On many systems each user has one, and new folders are open to it.
#[must_use]
pub fn is_private_group(gid: u32, uid: u32) -> bool {
    let (Some(user), Some(group)) = (uzers::get_user_by_uid(uid), uzers::get_group_by_gid(gid)) else {
        return false;
    };
    group.name() == user.name()
        && user.primary_group_id() == gid
        && group.members().iter().all(|member| member == user.name())
}
