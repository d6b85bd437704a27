//! PBKDF2 (RFC 8018) and scrypt (RFC 7914), bare and as Firebase uses it, in PHC strings.

use super::unusable::Unusable;
use crate::domain::secret::Secret;
use argon2::password_hash::phc::PasswordHash;
use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use std::num::NonZeroU32;

/// The highest cost that is verified, in applications of the HMAC: some two seconds.
const PBKDF2_WORK_MAX: u64 = 5_000_000;

/// The most memory, in blocks of 128 bytes (`N·r`): 128 MiB.
const SCRYPT_MEMORY_MAX: u64 = 1 << 20;

/// The most work, in the same blocks (`N·r·p`): some two seconds.
const SCRYPT_WORK_MAX: u64 = 1 << 22;

/// The lengths of a derived key that count as a hash of a password.
const HASH_BYTES: std::ops::RangeInclusive<usize> = 10..=64;

/// The longest salt taken.
const SALT_BYTES_MAX: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Digest {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    const fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pbkdf2 {
    digest: Digest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Pbkdf2 {
    /// Checks the parameters of a hash: the lengths, and that it is not too costly.
    pub fn new(digest: Digest, iterations: u32, salt: Vec<u8>, hash: Vec<u8>) -> Result<Self, Unusable> {
        let iterations = NonZeroU32::new(iterations).ok_or(Unusable::Malformed)?;
        check_lengths(&salt, &hash)?;
        let blocks = hash.len().div_ceil(digest.bytes()) as u64;
        if u64::from(iterations.get()) * blocks > PBKDF2_WORK_MAX {
            return Err(Unusable::TooCostly);
        }
        Ok(Self { digest, iterations, salt, hash })
    }

    /// Reads `$pbkdf2-sha256$i=…,l=…$salt$hash`; plain `pbkdf2` is the one with SHA-1.
    pub fn parse_phc(text: &str) -> Result<Self, Unusable> {
        let phc = Phc::parse(text)?;
        let digest = match phc.hash.algorithm.as_str() {
            "pbkdf2" | "pbkdf2-sha1" => Digest::Sha1,
            "pbkdf2-sha256" => Digest::Sha256,
            "pbkdf2-sha384" => Digest::Sha384,
            "pbkdf2-sha512" => Digest::Sha512,
            _ => return Err(Unusable::Unsupported),
        };
        Self::new(digest, phc.number("i")?, phc.salt()?, phc.output()?)
    }

    /// Whether the password is the one that was hashed. Constant time in the comparison.
    pub fn verify(&self, password: &[u8]) -> bool {
        pbkdf2::verify(self.digest.algorithm(), self.iterations, &self.salt, password, &self.hash).is_ok()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scrypt {
    log_n: u8,
    r: u32,
    p: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Scrypt {
    /// Checks the parameters of a hash: the lengths, and that it takes neither too much memory nor too long.
    pub fn new(log_n: u8, r: u32, p: u32, salt: Vec<u8>, hash: Vec<u8>) -> Result<Self, Unusable> {
        check_lengths(&salt, &hash)?;
        if log_n == 0 || r == 0 || p == 0 {
            return Err(Unusable::Malformed);
        }
        let memory = 1u64.checked_shl(log_n.into()).and_then(|n| n.checked_mul(r.into()));
        let memory = memory.filter(|memory| *memory <= SCRYPT_MEMORY_MAX).ok_or(Unusable::TooCostly)?;
        memory.checked_mul(p.into()).filter(|work| *work <= SCRYPT_WORK_MAX).ok_or(Unusable::TooCostly)?;
        scrypt::Params::new(log_n, r, p).map_err(|_| Unusable::Malformed)?;
        Ok(Self { log_n, r, p, salt, hash })
    }

    /// Reads `$scrypt$ln=…,r=…,p=…$salt$hash`.
    pub fn parse_phc(text: &str) -> Result<Self, Unusable> {
        let phc = Phc::parse(text)?;
        let log_n = u8::try_from(phc.number("ln")?).map_err(|_| Unusable::TooCostly)?;
        Self::new(log_n, phc.number("r")?, phc.number("p")?, phc.salt()?, phc.output()?)
    }

    /// Whether the password is the one that was hashed. Constant time in the comparison.
    pub fn verify(&self, password: &[u8]) -> bool {
        self.derive(password, self.hash.len())
            .is_some_and(|derived| verify_slices_are_equal(derived.expose(), &self.hash).is_ok())
    }

    fn derive(&self, password: &[u8], length: usize) -> Option<Secret<Vec<u8>>> {
        let params = scrypt::Params::new(self.log_n, self.r, self.p).ok()?;
        let mut output = vec![0; length];
        scrypt::scrypt(password, &self.salt, &params, &mut output).ok()?;
        Some(Secret::new(output))
    }
}

/// Firebase's scrypt: what it derives is a key, whose AES-256-CTR key stream is what is compared. See
/// [`super::firebase`] for where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Firebase(Scrypt);

impl Firebase {
    /// Reads `$firebase-scrypt$ln=…,r=…$salt$keystream`.
    pub fn parse_phc(text: &str) -> Result<Self, Unusable> {
        let phc = Phc::parse(text)?;
        let log_n = u8::try_from(phc.number("ln")?).map_err(|_| Unusable::TooCostly)?;
        Scrypt::new(log_n, phc.number("r")?, 1, phc.salt()?, phc.output()?).map(Self)
    }

    /// Whether the password is the one that was hashed. Constant time in the comparison.
    pub fn verify(&self, password: &[u8]) -> bool {
        self.key_stream(password)
            .is_some_and(|stream| verify_slices_are_equal(stream.expose(), &self.0.hash).is_ok())
    }

    fn key_stream(&self, password: &[u8]) -> Option<Secret<Vec<u8>>> {
        let key = self.0.derive(password, 32)?;
        let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key.expose()).ok()?).ok()?;
        // Firebase's counter begins at zero: each key encrypts one text only.
        let mut stream = vec![0; self.0.hash.len()];
        key.less_safe_encrypt(&mut stream, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
        Some(Secret::new(stream))
    }
}

fn check_lengths(salt: &[u8], hash: &[u8]) -> Result<(), Unusable> {
    if salt.len() <= SALT_BYTES_MAX && HASH_BYTES.contains(&hash.len()) {
        Ok(())
    } else {
        Err(Unusable::Malformed)
    }
}

struct Phc {
    hash: PasswordHash,
}

impl Phc {
    fn parse(text: &str) -> Result<Self, Unusable> {
        let hash = PasswordHash::new(text).map_err(|_| Unusable::Malformed)?;
        Ok(Self { hash })
    }

    fn number(&self, name: &str) -> Result<u32, Unusable> {
        self.hash.params.get_decimal(name).ok_or(Unusable::Malformed)
    }

    fn salt(&self) -> Result<Vec<u8>, Unusable> {
        self.hash.salt.as_ref().map(|salt| salt.as_ref().to_vec()).ok_or(Unusable::Malformed)
    }

    fn output(&self) -> Result<Vec<u8>, Unusable> {
        self.hash.hash.as_ref().map(|output| output.as_bytes().to_vec()).ok_or(Unusable::Malformed)
    }
}
