//! The life of a signing key: it signs, then only verifies what it signed, then its time is over.

use super::algorithm::Algorithm;
use super::time::Timestamp;
use std::fmt;

/// A signing key as operators see it. Never holds the private half.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    pub algorithm: Algorithm,
    pub created_at: Timestamp,
    /// Since when, and until when, another key signs and this one only verifies. `None`: it signs.
    pub retired: Option<Retired>,
}

/// See [`SigningKey::retired`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retired {
    pub at: Timestamp,
    /// From then on no token that it signed can still live.
    pub keep_until: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState {
    Signing,
    /// Its tokens are honoured, and its public half is published.
    Verifying,
    /// It is over; only its row is left.
    Expired,
}

impl SigningKey {
    /// Exact to the millisecond: at `keep_until` its time is over.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        match self.retired {
            None => KeyState::Signing,
            Some(retired) if now < retired.keep_until => KeyState::Verifying,
            Some(_) => KeyState::Expired,
        }
    }
}

impl KeyState {
    /// The name of the state, as shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Verifying => "verifying",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
