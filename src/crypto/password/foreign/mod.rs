//! Password hashes of imported users, made by other systems. They are verified as they are, and replaced by
//! an argon2id hash at the next login.
//!
//! Nothing here makes such a hash. What one may cost is bounded before it is computed, so that an import
//! can't make one login take minutes or the machine's memory. `argon2id` verifies argon2 itself, of
//! every variant.

mod crypt;
mod django;
pub mod firebase;
mod kdf;
mod unusable;

pub use unusable::Unusable;

use super::argon2id;
use super::text::PasswordHashText;
use crate::domain::password::{HashCost, Password};
use kdf::{Firebase, Pbkdf2, Scrypt};

/// The costliest argon2 hash that is imported, unless authd's own costs more: 128 MiB, and 1 GiB written in
/// all passes together.
const ARGON2_MEMORY_KIB_MAX: u32 = 128 * 1024;
const ARGON2_WORK_KIB_MAX: u64 = 1024 * 1024;
const ARGON2_PARALLELISM_MAX: u32 = 16;

/// A hash, read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Foreign {
    Bcrypt(crypt::Bcrypt),
    ShaCrypt(crypt::ShaCrypt),
    Apr1(crypt::Apr1),
    Sha1(crypt::Sha1),
    Pbkdf2(Pbkdf2),
    Scrypt(Scrypt),
    Firebase(Firebase),
}

impl Foreign {
    /// Reads a hash and checks its cost against the bounds. Pure.
    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let first = text.split('$').find(|part| !part.is_empty()).unwrap_or_default();
        match (text.starts_with('$'), first) {
            (true, "2a" | "2b" | "2y") => crypt::Bcrypt::parse(text).map(Self::Bcrypt),
            (true, "5" | "6") => crypt::ShaCrypt::parse(text).map(Self::ShaCrypt),
            (true, "apr1") => crypt::Apr1::parse(text).map(Self::Apr1),
            (true, "pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha384" | "pbkdf2-sha512") => {
                Pbkdf2::parse_phc(text).map(Self::Pbkdf2)
            }
            (true, "scrypt") => Scrypt::parse_phc(text).map(Self::Scrypt),
            (true, firebase::SCHEME) => Firebase::parse_phc(text).map(Self::Firebase),
            (false, "pbkdf2_sha256" | "pbkdf2_sha1" | "scrypt" | "bcrypt" | "bcrypt_sha256") => {
                django::parse(text)
            }
            _ if text.starts_with("{SHA}") => crypt::Sha1::parse(text).map(Self::Sha1),
            _ => Err(Unusable::Unsupported),
        }
    }

    /// Whether the password is the one that was hashed. Constant time in the comparison.
    pub(super) fn verify(&self, password: &Password) -> bool {
        let password = password.expose().as_bytes();
        match self {
            Self::Bcrypt(hash) => hash.verify(password),
            Self::ShaCrypt(hash) => hash.verify(password),
            Self::Apr1(hash) => hash.verify(password),
            Self::Sha1(hash) => hash.verify(password),
            Self::Pbkdf2(hash) => hash.verify(password),
            Self::Scrypt(hash) => hash.verify(password),
            Self::Firebase(hash) => hash.verify(password),
        }
    }
}

/// Whether the hash of an imported user is so quick to compute that whoever steals it guesses most passwords:
/// Apache's, of MD5 and of SHA-1.
#[must_use]
pub fn is_weak(text: &PasswordHashText) -> bool {
    text.0.starts_with("$apr1$") || text.0.starts_with("{SHA}")
}

/// Brings a hash that is about to be imported into the form in which it is stored, once it is sure that a
/// login can verify it. `own` is what authd's hashes cost here: whatever is configured is not too dear.
///
/// # Errors
/// [`Unusable`].
pub fn adopt(text: &str, own: HashCost) -> Result<PasswordHashText, Unusable> {
    // Django writes argon2's own text behind its name for the scheme.
    let text = text.strip_prefix("argon2$").map_or_else(|| text.to_owned(), |phc| format!("${phc}"));
    let text = PasswordHashText(text);
    if argon2id::is_argon2(&text) {
        let cost = argon2id::check(&text).map_err(|_| Unusable::Malformed)?;
        let work = u64::from(cost.memory_kib).saturating_mul(cost.iterations.into());
        let own_work = u64::from(own.memory_kib).saturating_mul(own.iterations.into());
        let bearable = cost.memory_kib <= ARGON2_MEMORY_KIB_MAX.max(own.memory_kib)
            && work <= ARGON2_WORK_KIB_MAX.max(own_work)
            && cost.parallelism <= ARGON2_PARALLELISM_MAX.max(own.parallelism);
        return if bearable { Ok(text) } else { Err(Unusable::TooCostly) };
    }
    Foreign::parse(&text.0)?;
    Ok(text)
}
