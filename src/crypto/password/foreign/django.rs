//! Hashes as Django writes them: `algorithm$cost$salt$hash`.

use super::Foreign;
use super::crypt::{Bcrypt, Given};
use super::kdf::{Digest, Pbkdf2, Scrypt};
use super::unusable::Unusable;
use data_encoding::BASE64;

/// Reads a hash as Django stores it.
pub fn parse(text: &str) -> Result<Foreign, Unusable> {
    let (scheme, rest) = text.split_once('$').ok_or(Unusable::Malformed)?;
    let fields: Vec<&str> = rest.split('$').collect();
    match (scheme, fields.as_slice()) {
        ("pbkdf2_sha256", [iterations, salt, hash]) => pbkdf2(Digest::Sha256, iterations, salt, hash),
        ("pbkdf2_sha1", [iterations, salt, hash]) => pbkdf2(Digest::Sha1, iterations, salt, hash),
        ("scrypt", [n, salt, r, p, hash]) => {
            let n: u32 = number(n)?;
            if !n.is_power_of_two() {
                return Err(Unusable::Malformed);
            }
            let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| Unusable::Malformed)?;
            let salt = salt.as_bytes().to_vec();
            Scrypt::new(log_n, number(r)?, number(p)?, salt, decode(hash)?).map(Foreign::Scrypt)
        }
        // What follows is bcrypt's own text, whose `$` makes the field before it empty.
        ("bcrypt", _) => Bcrypt::parse_given(rest, Given::Password).map(Foreign::Bcrypt),
        ("bcrypt_sha256", _) => Bcrypt::parse_given(rest, Given::Sha256).map(Foreign::Bcrypt),
        _ => Err(Unusable::Malformed),
    }
}

fn pbkdf2(digest: Digest, iterations: &str, salt: &str, hash: &str) -> Result<Foreign, Unusable> {
    Pbkdf2::new(digest, number(iterations)?, salt.as_bytes().to_vec(), decode(hash)?).map(Foreign::Pbkdf2)
}

fn number(text: &str) -> Result<u32, Unusable> {
    text.parse().map_err(|_| Unusable::Malformed)
}

fn decode(text: &str) -> Result<Vec<u8>, Unusable> {
    BASE64.decode(text.as_bytes()).map_err(|_| Unusable::Malformed)
}
