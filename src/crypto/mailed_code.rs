//! The code that stands beside a magic link, for whoever reads their mail elsewhere: eight digits of an
//! HMAC-SHA-256 over the link's stored hash, under a key derived from the root key. It stands in no table: a
//! hundred million codes are tried in a moment by whoever has something to try them against.

use super::opaque::OpaqueHash;
use super::root_key::{Purpose, RootKey};
use crate::domain::secret::Secret;
use aws_lc_rs::{constant_time, hmac};

/// How many codes there are.
const CODES: u64 = 100_000_000;

#[derive(Debug)]
pub struct MailedCodeKey(hmac::Key);

impl MailedCodeKey {
    /// Derives the key from the root key.
    #[must_use]
    pub fn new(root: &RootKey) -> Self {
        Self(root.hmac_key(Purpose::MailedCodes))
    }

    /// The eight digits that belong to a link; the same every time.
    #[must_use]
    pub fn code(&self, link: &OpaqueHash) -> Secret<String> {
        let tag = hmac::sign(&self.0, link);
        let first = tag.as_ref().first_chunk().expect("HMAC-SHA-256 gives 32 bytes");
        Secret::new(format!("{:08}", u64::from_be_bytes(*first) % CODES))
    }

    /// Whether what was typed is the code of a link. Constant time.
    #[must_use]
    pub fn is_code(&self, link: &OpaqueHash, typed: &str) -> bool {
        let code = self.code(link);
        constant_time::verify_slices_are_equal(code.expose().as_bytes(), typed.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn a_code_belongs_to_one_link_under_one_root_key() {
        let keys = [(); 2].map(|()| MailedCodeKey::new(&RootKey::generate(&SystemEntropy)));
        let mut codes: Vec<String> = Vec::new();
        for link in [[1; 32], [2; 32]] {
            for key in &keys {
                let code = key.code(&link).expose().clone();
                assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
                assert!(key.is_code(&link, &code));
                assert!(!key.is_code(&link, &code[1..]) && !key.is_code(&link, ""));
                codes.push(code);
            }
        }
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 4);
    }
}
