//! What tells whether two registrations that wait for one address were made with the same password, and
//! whether a login shows one of theirs, at no cost that time would tell: an HMAC-SHA-256 over address and
//! password, under a key derived from the root key. It is no password hash: it is kept beside one, for as
//! long as a registration waits, and without the key file it says nothing.

use super::root_key::{Purpose, RootKey};
use crate::domain::email::Email;
use crate::domain::identity::IdentityKey;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use aws_lc_rs::{constant_time, hmac};

/// The tag of a password at an address.
pub type PasswordTag = [u8; 32];

#[derive(Debug)]
pub struct PasswordTagKey(hmac::Key);

impl PasswordTagKey {
    /// Derives the key from the root key.
    #[must_use]
    pub fn new(root: &RootKey) -> Self {
        Self(root.hmac_key(Purpose::Registrations))
    }

    /// The tag of a password at an address, however that is spelled; the same every time.
    #[must_use]
    pub fn tag(&self, email: &Email, password: &Password) -> PasswordTag {
        // No address holds a NUL: two pairs never make the same message.
        let message = Secret::new([email.key().as_bytes(), b"\0", password.expose().as_bytes()].concat());
        self.sign(message.expose())
    }

    /// The tag of an identity at an address, which is no password's: see `domain/identity.rs`.
    #[must_use]
    pub fn tag_of_identity(&self, email: &Email, identity: &IdentityKey) -> PasswordTag {
        // It begins as no address does, and no issuer holds a control character.
        let parts = [email.key(), identity.issuer.clone(), identity.subject.clone()];
        self.sign(format!("\0{}", parts.join("\0")).as_bytes())
    }

    fn sign(&self, message: &[u8]) -> PasswordTag {
        let tag = hmac::sign(&self.0, message);
        tag.as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
    }
}

/// Whether two tags are one. Constant time.
#[must_use]
pub fn is_same(one: &PasswordTag, other: &PasswordTag) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}
