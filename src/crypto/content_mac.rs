//! The MAC of a file's whole content, read a piece at a time (HMAC-SHA-256, RFC 2104).

use super::root_key::{Purpose, RootKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use std::fmt;

/// A MAC that grows with what is read.
pub struct ContentMac(hmac::Context);

/// The MAC of a whole content.
pub struct ContentTag(hmac::Tag);

impl ContentMac {
    /// Begins, under the key of backups.
    #[must_use]
    pub fn of_backup(root: &RootKey) -> Self {
        Self(hmac::Context::with_key(&root.hmac_key(Purpose::Backups)))
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Ends it, once all has been read.
    #[must_use]
    pub fn finish(self) -> ContentTag {
        ContentTag(self.0.sign())
    }
}

impl ContentTag {
    /// Writes it as 64 hexadecimal digits.
    #[must_use]
    pub fn text(&self) -> String {
        HEXLOWER.encode(self.0.as_ref())
    }

    /// Whether a text is this one's, compared in constant time.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let other = HEXLOWER.decode(text.as_bytes()).unwrap_or_default();
        verify_slices_are_equal(self.0.as_ref(), &other).is_ok()
    }
}

impl fmt::Debug for ContentMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentMac").finish_non_exhaustive()
    }
}

impl fmt::Debug for ContentTag {
    /// It is no secret, but a log should not hold what is compared in constant time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentTag").finish_non_exhaustive()
    }
}
