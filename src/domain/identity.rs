//! Accounts at other servers (identity providers) that sign in here.

use super::email::Email;
use super::id::{IdentityId, UserId};
use super::name::Name;
use super::role::is_word;
use super::time::Timestamp;
use std::fmt;

/// The name of a provider in the configuration and in URLs. Spelled as a role's name is:
/// `[a-z0-9][a-z0-9._-]*`, at most 64 bytes long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProviderName(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidProviderName;

impl InvalidProviderName {
    pub const MESSAGE: &'static str = "a provider's name has lower-case letters, digits, `.`, `_` and `-`, begins with a letter or digit, and is at most 64 long";
}

impl ProviderName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidProviderName`].
    pub fn parse(text: &str) -> Result<Self, InvalidProviderName> {
        if is_word(text) { Ok(Self(text.to_owned())) } else { Err(InvalidProviderName) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who an account elsewhere is: the key of an identity. Neither the provider's name here nor an address is
/// part of it (OpenID Connect Core §5.7).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct IdentityKey {
    /// The `iss` of the ID token; for providers without one their origin, such as `https://github.com`.
    pub issuer: String,
    /// The `sub`, or the numeric id. At most [`IdentityKey::MAX_BYTES`] long, without control characters.
    pub subject: String,
}

impl IdentityKey {
    /// The longest issuer and the longest subject, in bytes (OpenID Connect Core §2 allows a `sub` 255).
    pub const MAX_BYTES: usize = 255;

    /// Reads a key.
    ///
    /// # Errors
    /// What is wrong with it, for people: either part is empty, too long, or holds control characters.
    pub fn parse(issuer: &str, subject: &str) -> Result<Self, &'static str> {
        let good = |text: &str| {
            !text.is_empty() && text.len() <= Self::MAX_BYTES && !text.chars().any(char::is_control)
        };
        if !good(issuer) {
            return Err("an issuer is 1 to 255 bytes without control characters");
        }
        if !good(subject) {
            return Err("a subject is 1 to 255 bytes without control characters");
        }
        Ok(Self { issuer: issuer.to_owned(), subject: subject.to_owned() })
    }
}

/// An address as a provider states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatedEmail {
    pub email: Email,
    /// The provider says that it is verified, in the same document as the address. What is missing is false.
    pub verified: bool,
    /// The provider is also the one to say so: it gives out the addresses of this domain, or checks them
    /// itself. Never true without `verified`.
    pub authoritative: bool,
}

/// What a provider says of how a person proved to it who they are.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ProviderProof {
    /// By which methods (RFC 8176). Empty: it doesn't say.
    pub amr: Vec<String>,
    /// When they did so last. `None`: it doesn't say.
    pub at: Option<Timestamp>,
}

/// What a provider says of whoever came back from it: all of it checked, none of it judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    pub key: IdentityKey,
    /// `None`: it states no address, or none that can be one.
    pub email: Option<StatedEmail>,
    /// Empty where it says none, or none that is a name.
    pub name: Name,
    pub proof: ProviderProof,
    /// The values of the claim that `role_claim` names, in the provider's words. Empty where it is missing.
    pub groups: Vec<String>,
}

/// An account elsewhere that signs in to an account here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    pub id: IdentityId,
    pub user: UserId,
    /// By which it was linked.
    pub provider: ProviderName,
    pub key: IdentityKey,
    /// What the provider stated last; it only informs. `None`: nothing.
    pub email: Option<String>,
    pub linked_at: Timestamp,
    /// When somebody signed in by it last. `None`: never.
    pub last_used_at: Option<Timestamp>,
}
