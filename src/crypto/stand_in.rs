//! Which of many an account that isn't there takes after: always the same for one name, and nobody without
//! the root key can tell which.

use super::root_key::{Purpose, RootKey};
use aws_lc_rs::hmac;

#[derive(Debug)]
pub struct StandInKey(hmac::Key);

impl StandInKey {
    /// Derives the key from the root key.
    #[must_use]
    pub fn new(root: &RootKey) -> Self {
        Self(root.hmac_key(Purpose::StandIns))
    }

    /// A number for a name, evenly spread over all there are.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        let tag = hmac::sign(&self.0, name.as_bytes());
        let first = tag.as_ref().first_chunk().expect("a tag of HMAC-SHA-256 has 32 bytes");
        u64::from_be_bytes(*first)
    }
}
