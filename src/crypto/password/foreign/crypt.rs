//! Hashes as crypt(3) and Apache write them: bcrypt (`$2b$…`), sha-crypt (`$5$…`, `$6$…`), `$apr1$…`,
//! `{SHA}…`.

use super::unusable::Unusable;
use crate::domain::secret::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use bcrypt::HashParts;
use data_encoding::{BASE64, HEXLOWER};
use sha_crypt::PasswordVerifier;
use unix_crypt::apr1;

/// The highest cost that is verified: about two seconds.
const BCRYPT_COST_MAX: u32 = 15;

/// The highest cost that is verified: about a second for a password of the usual length.
const SHA_CRYPT_ROUNDS_MAX: u32 = 1_000_000;

/// What bcrypt is given in the password's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given {
    Password,
    /// Its SHA-256 in hexadecimal, as Django's `bcrypt_sha256` does, so that all of a long password counts.
    Sha256,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bcrypt {
    text: String,
    given: Given,
}

impl Bcrypt {
    /// Reads bcrypt's own text, `$2b$cost$salthash`.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        Self::parse_given(text, Given::Password)
    }

    /// Reads bcrypt's own text; `given` is what bcrypt hashed in the password's place.
    pub fn parse_given(text: &str, given: Given) -> Result<Self, Unusable> {
        let parts: HashParts = text.parse().map_err(|_| Unusable::Malformed)?;
        match parts.get_cost() {
            4..=BCRYPT_COST_MAX => Ok(Self { text: text.to_owned(), given }),
            16..=31 => Err(Unusable::TooCostly),
            _ => Err(Unusable::Malformed),
        }
    }

    /// Whether the password is the one that was hashed. bcrypt reads the first 72 bytes alone, here as where
    /// the hash was made. It repeats the password with a NUL behind it, so that `a`, NUL, `a` would count as
    /// `a`: no password with one was ever hashed by it.
    pub fn verify(&self, password: &[u8]) -> bool {
        let matched = match self.given {
            Given::Password => {
                bcrypt::verify(password, &self.text).map(|matched| matched && !password.contains(&0))
            }
            Given::Sha256 => {
                let hashed = Secret::new(HEXLOWER.encode(digest(&SHA256, password).as_ref()));
                bcrypt::verify(hashed.expose(), &self.text)
            }
        };
        matched.unwrap_or(false)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShaCrypt(String);

impl ShaCrypt {
    /// Reads `$5$rounds=…$salt$hash` (SHA-256) or `$6$…` (SHA-512), where the rounds may be left out.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let length = if text.starts_with("$5$") { 43 } else { 86 };
        let mut fields = text.get(3..).ok_or(Unusable::Malformed)?.split('$').peekable();
        if let Some(rounds) = fields.next_if(|field| field.starts_with("rounds=")) {
            let rounds: u32 = rounds["rounds=".len()..].parse().map_err(|_| Unusable::Malformed)?;
            match rounds {
                sha_crypt::Params::ROUNDS_MIN..=SHA_CRYPT_ROUNDS_MAX => {}
                0..sha_crypt::Params::ROUNDS_MIN => return Err(Unusable::Malformed),
                _ => return Err(Unusable::TooCostly),
            }
        }
        let (salt, hash) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let whole = (1..=16).contains(&salt.len()) && hash.len() == length && fields.next().is_none();
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'.' || c == b'/';
        let plain = salt.bytes().all(plain) && hash.bytes().all(plain);
        if whole && plain { Ok(Self(text.to_owned())) } else { Err(Unusable::Malformed) }
    }

    /// Whether the password is the one that was hashed.
    pub fn verify(&self, password: &[u8]) -> bool {
        sha_crypt::ShaCrypt::default().verify_password(password, self.0.as_str()).is_ok()
    }
}

/// Apache's MD5-crypt, which htpasswd makes unless it is told otherwise: a thousand rounds of MD5, whatever
/// the machine, so that guesses cost nearly nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Apr1 {
    text: String,
    salt: [u8; 8],
}

impl Apr1 {
    /// Reads `$apr1$salt$hash`, with the eight letters of salt that all tools write.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let (salt, hash) =
            text.strip_prefix("$apr1$").and_then(|rest| rest.split_once('$')).ok_or(Unusable::Malformed)?;
        let plain = |text: &str| text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.' || c == b'/');
        let salt = salt.as_bytes().try_into().ok().filter(|_| plain(salt) && plain(hash) && hash.len() == 22);
        salt.map(|salt| Self { text: text.to_owned(), salt }).ok_or(Unusable::Malformed)
    }

    /// Whether the password is the one that was hashed. Constant time in the comparison.
    pub fn verify(&self, password: &[u8]) -> bool {
        let text = Secret::new(apr1::to_hash_string(apr1::encode(password, self.salt), self.salt));
        verify_slices_are_equal(text.expose(), self.text.as_bytes()).is_ok()
    }
}

/// Apache's `{SHA}`: the SHA-1 of the password, without salt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sha1([u8; 20]);

impl Sha1 {
    /// Reads `{SHA}` and the hash in base64.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let encoded = text.strip_prefix("{SHA}").ok_or(Unusable::Malformed)?;
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| Unusable::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| Unusable::Malformed)
    }

    /// Whether the password is the one that was hashed. Constant time.
    pub fn verify(&self, password: &[u8]) -> bool {
        verify_slices_are_equal(digest(&SHA1_FOR_LEGACY_USE_ONLY, password).as_ref(), &self.0).is_ok()
    }
}
