//! What Firebase exports of a password, turned into what a login needs, without the project's secret.
//!
//! Firebase derives a key from password and salt with scrypt, and encrypts the project's signer key with it
//! (AES-256 in counter mode). What it exports is that ciphertext: signer key XOR key stream. With the signer
//! key at hand, the key stream comes out of it, and is as good to verify a password against: whoever gets the
//! same stream has the same key. So the signer key is used during the import and stored nowhere. What is
//! stored is worth what any scrypt hash of that cost is worth to a thief.

use super::Foreign;
use super::unusable::Unusable;
use crate::crypto::password::text::PasswordHashText;
use crate::domain::secret::Secret;
use data_encoding::BASE64_NOPAD;

/// The PHC name of the scheme, authd's own.
pub(super) const SCHEME: &str = "firebase-scrypt";

/// A project's parameters: "Password hash parameters" in Firebase's console.
#[derive(Clone, Debug)]
pub struct Parameters {
    pub signer_key: Secret<Vec<u8>>,
    pub salt_separator: Vec<u8>,
    /// scrypt's `r`.
    pub rounds: u32,
    /// The binary logarithm of scrypt's `N`.
    pub mem_cost: u8,
}

/// Turns an exported hash and salt into the form that is stored.
///
/// # Errors
/// [`Unusable`]: `Malformed` also when the hash is not as long as the signer key, which then belongs to
/// another project.
pub fn adopt(parameters: &Parameters, hash: &[u8], salt: &[u8]) -> Result<PasswordHashText, Unusable> {
    let signer_key = parameters.signer_key.expose();
    if hash.len() != signer_key.len() {
        return Err(Unusable::Malformed);
    }
    let stream: Vec<u8> = hash.iter().zip(signer_key).map(|(cipher, key)| cipher ^ key).collect();
    let salt = [salt, &parameters.salt_separator].concat();
    let text = format!(
        "${SCHEME}$ln={},r={}${}${}",
        parameters.mem_cost,
        parameters.rounds,
        BASE64_NOPAD.encode(&salt),
        BASE64_NOPAD.encode(&stream)
    );
    Foreign::parse(&text)?;
    Ok(PasswordHashText(text))
}
