//! Passkeys: public keys whose private half an authenticator holds (WebAuthn Level 3).

use super::id::{PasskeyId, UserId};
use super::name::Name;
use super::time::Timestamp;

/// How many passkeys an account has at most.
pub const PASSKEYS_MAX: u32 = 32;

/// A passkey of somebody's. Its public key is the store's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    pub id: PasskeyId,
    pub user: UserId,
    /// The domain that it was made for (§4, RP ID).
    pub rp_id: String,
    /// As its owner calls it. Empty: not at all.
    pub name: Name,
    /// Whether it was on more than one device, or kept by a service, when it was used last (§6.1.3).
    pub backed_up: bool,
    /// How a browser reaches its authenticator (§5.8.4), such as `internal`, `hybrid`, `usb`; sorted.
    pub transports: Vec<String>,
    pub created_at: Timestamp,
    /// `None`: never since it was made.
    pub last_used_at: Option<Timestamp>,
}

/// Where a passkey's private key is, as far as it tells: what `amr` says (RFC 8176 §2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyStorage {
    /// On one device, which it doesn't leave.
    Hardware,
    /// It is kept by a service as well, or on several devices.
    Software,
}

impl KeyStorage {
    pub const ALL: [Self; 2] = [Self::Hardware, Self::Software];

    /// Judges by the flag of the last use (§6.1.3).
    #[must_use]
    pub const fn of(backed_up: bool) -> Self {
        if backed_up { Self::Software } else { Self::Hardware }
    }

    /// As `amr` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hardware => "hwk",
            Self::Software => "swk",
        }
    }
}

/// The longest name of a domain, in bytes (RFC 1035 §2.3.4).
const DOMAIN_MAX: usize = 253;

/// Whether passkeys can belong to it: a domain in lower case, with a dot in it unless it is `localhost`.
#[must_use]
pub fn is_rp_id(text: &str) -> bool {
    let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_plain);
    text.len() <= DOMAIN_MAX && text.split('.').all(is_label) && (text.contains('.') || text == "localhost")
}
