//! API keys: what services prove themselves with, and what they may do.

use super::id::ApiKeyId;
use super::role::{Permission, is_word};
use super::time::Timestamp;
use std::fmt;

/// What an API key's secret begins with.
pub const PREFIX: &str = "authd_key_";

/// Spelled as a role's name is: `[a-z0-9][a-z0-9._-]*`, at most 64 bytes long.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ApiKeyName(String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidApiKeyName;

impl InvalidApiKeyName {
    pub const MESSAGE: &'static str = "an API key's name has lower-case letters, digits, `.`, `_` and `-`, begins with a letter or digit, and is at most 64 long";
}

impl ApiKeyName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`InvalidApiKeyName`].
    pub fn parse(text: &str) -> Result<Self, InvalidApiKeyName> {
        if is_word(text) { Ok(Self(text.to_owned())) } else { Err(InvalidApiKeyName) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An API key as operators see it. Never holds its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub name: ApiKeyName,
    /// Sorted, each once.
    pub permissions: Vec<Permission>,
    pub created_at: Timestamp,
    /// `None`: never.
    pub expires_at: Option<Timestamp>,
    /// `None`: never.
    pub last_used_at: Option<Timestamp>,
}

impl ApiKey {
    /// Exact to the millisecond: at `expires_at` it counts no more.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}
