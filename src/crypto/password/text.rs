//! A password's hash as text, and the salt of a new one.

use std::fmt;

/// The bytes of a new hash's salt (RFC 9106 §3.1 recommends 16).
pub type Salt = [u8; 16];

/// A password's hash as stored: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, or an imported user's in another
/// format. Redacted when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHashText(pub String);

impl fmt::Debug for PasswordHashText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}
