//! The session state machine: alive or ended, and what a refresh token of some generation means.
//!
//! A session has a generation that counts its rotations. The refresh token in the client's hands
//! names one; only the newest rotates. An older one has been used already: somebody copied it
//! (RFC 9700 §4.14.2), and the family ends.

use super::id::{SessionId, UserId};
use super::time::Timestamp;
use std::net::IpAddr;
use std::time::Duration;

/// How many times a session's refresh token, or a browser's cookie, has been rotated.
pub type Generation = u64;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub generation: Generation,
    /// The oldest generation whose tokens still count: those before a change of password don't.
    pub oldest: Generation,
    pub created_at: Timestamp,
    /// The last login or rotation; of a browser's session its last use, some minutes late at most.
    pub last_used_at: Timestamp,
    /// The end of its whole life, whatever its use.
    pub expires_at: Timestamp,
    /// `None`: not ended by anybody.
    pub ended_at: Option<Timestamp>,
    /// When the person proved who they are. `None`: nobody did, an operator minted it.
    pub auth_time: Option<Timestamp>,
    /// How they did, as in RFC 8176: `pwd`, `otp`, …; empty if and only if nobody did.
    pub amr: Vec<String>,
    /// How the provider by whose account they came says that they did there. It only informs.
    pub provider_amr: Vec<String>,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// How long it lives unused; `None`: as configured.
    pub idle: Option<Duration>,
}

/// What a session's refresh token can come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// The newest token: make the next one.
    Rotate,
    /// The one before the newest, within the grace: hand out the newest again.
    SameSuccessor,
    /// A token used before: end the session.
    Reuse,
    /// The session has ended or run out.
    Dead,
}

/// The spans that bound a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetime {
    pub idle: Duration,
    pub grace: Duration,
}

/// What bounds a session's life; see [`Session`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub last_used_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub idle: Option<Duration>,
}

impl Bounds {
    /// Whether the session is within its bounds. Exact to the millisecond: at `expires_at`, and `idle` after
    /// the last use, it is over. A span of its own counts before the configured `idle`.
    #[must_use]
    pub fn are_kept(&self, now: Timestamp, idle: Duration) -> bool {
        self.ended_at.is_none()
            && now < self.expires_at
            && now < self.last_used_at.plus(self.idle.unwrap_or(idle))
    }
}

impl Session {
    /// Whether its [`Bounds`] are kept.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp, idle: Duration) -> bool {
        let Self { last_used_at, expires_at, ended_at, idle: own, .. } = *self;
        Bounds { last_used_at, expires_at, ended_at, idle: own }.are_kept(now, idle)
    }

    /// What the (authentic) refresh token of `generation` means at `now`.
    #[must_use]
    pub fn rotation(&self, generation: Generation, now: Timestamp, lifetime: Lifetime) -> Rotation {
        if !self.is_alive(now, lifetime.idle) {
            return Rotation::Dead;
        }
        if generation == self.generation {
            return Rotation::Rotate;
        }
        let previous = generation.checked_add(1) == Some(self.generation);
        if previous && generation >= self.oldest && now < self.last_used_at.plus(lifetime.grace) {
            return Rotation::SameSuccessor;
        }
        Rotation::Reuse
    }
}
