//! Who asks for passkeys, and what it demands.

/// Whose passkeys these are.
#[derive(Clone, Copy, Debug)]
pub struct RelyingParty<'a> {
    /// A domain: a passkey belongs to it for good.
    pub rp_id: &'a str,
    /// Where its pages stand, to the letter: `https://auth.example.com`. Nothing else is taken, no
    /// subdomain either.
    pub origins: &'a [String],
}

/// Whether the device must have asked who is there: by a PIN, a finger, a face.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserVerification {
    Required,
    /// As the device can: the answer says whether it did.
    Preferred,
}
