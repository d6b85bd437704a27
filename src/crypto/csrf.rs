//! The value that ties a page's requests to its session: an HMAC-SHA-256 over the session's id, under
//! a key derived from the root key. Whoever knows the id can't make it, and it needs no storage.

use super::root_key::{Purpose, RootKey};
use crate::domain::id::SessionId;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

#[derive(Debug)]
pub struct CsrfKey(hmac::Key);

impl CsrfKey {
    /// Derives the key from the root key.
    #[must_use]
    pub fn new(root: &RootKey) -> Self {
        Self(root.hmac_key(Purpose::Csrf))
    }

    /// The value of one session; the same every time.
    #[must_use]
    pub fn value(&self, session: SessionId) -> String {
        BASE64URL_NOPAD.encode(hmac::sign(&self.0, session.as_bytes()).as_ref())
    }

    /// The value of the forms that a browser is shown which is signed in nowhere, and has this cookie.
    #[must_use]
    pub fn value_of_browser(&self, cookie: &str) -> String {
        BASE64URL_NOPAD.encode(hmac::sign(&self.0, &browser(cookie)).as_ref())
    }

    /// Whether `value` is the one of a browser with this cookie. Constant time.
    #[must_use]
    pub fn is_of_browser(&self, cookie: &str, value: &str) -> bool {
        let tag = BASE64URL_NOPAD.decode(value.as_bytes());
        tag.is_ok_and(|tag| hmac::verify(&self.0, &browser(cookie), &tag).is_ok())
    }

    /// Whether `value` is the one of this session. Constant time.
    #[must_use]
    pub fn is_authentic(&self, session: SessionId, value: &str) -> bool {
        let tag = BASE64URL_NOPAD.decode(value.as_bytes());
        tag.is_ok_and(|tag| hmac::verify(&self.0, session.as_bytes(), &tag).is_ok())
    }
}

/// What is signed for a browser without a session. It is longer than a session's id, which is signed as it
/// is.
fn browser(cookie: &str) -> Vec<u8> {
    [b"browser without a session:", cookie.as_bytes()].concat()
}
