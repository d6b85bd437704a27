//! An authenticator app, made of HMAC alone, so that the tests don't ask the code under test what is right.

use aws_lc_rs::hmac;

/// The HOTP of RFC 4226 §5.3: six digits for a counter.
pub fn hotp(secret: &[u8], counter: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// An app that was given a secret in base32, as a person types it.
#[derive(Clone, Debug)]
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    pub fn new(base32: &str) -> Self {
        Self(data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap())
    }

    /// The code shown at a time, in seconds since the epoch.
    pub fn code_at(&self, secs: i64) -> String {
        hotp(&self.0, u64::try_from(secs).unwrap() / 30)
    }
}
