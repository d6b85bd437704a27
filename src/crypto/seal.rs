//! Sealing what must be readable again: AES-256-GCM under a key derived from the root key.
//!
//! A sealed value is `version (1) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`. The context (which row it
//! belongs to) is authenticated with it, so that a value moved to another row doesn't open.

use super::root_key::{Purpose, RootKey};
use crate::domain::secret::Secret;
use crate::error::Fault;
use crate::ports::{Entropy, draw};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const VERSION: u8 = 1;

/// Seals and opens the values of one [`Purpose`].
#[derive(Debug)]
pub struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// Derives the key for this purpose from the root key.
    #[must_use]
    pub fn new(root: &RootKey, purpose: Purpose) -> Self {
        let key = root.derive(purpose);
        let key = UnboundKey::new(&AES_256_GCM, key.expose())
            .expect("a derived key has the length that AES-256 takes");
        Self { key: LessSafeKey::new(key) }
    }

    /// Encrypts a value, bound to `context`: it opens only under the same one.
    ///
    /// # Panics
    /// When the plaintext is too long for AES-GCM (64 GiB).
    #[must_use]
    pub fn seal(&self, entropy: &dyn Entropy, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = draw(entropy);
        let mut body = plaintext.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut body)
            .expect("the plaintext is shorter than 64 GiB");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        sealed
    }

    /// Decrypts a value that was sealed under the same `context`.
    ///
    /// # Errors
    /// [`Fault::Storage`] when the value was changed, moved, or sealed under another root key.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret<Vec<u8>>, Fault> {
        let unreadable = || {
            Fault::Storage(
                "a sealed value doesn't open: it was changed, or the key file is another one".into(),
            )
        };
        let (version, rest) = sealed.split_first().ok_or_else(unreadable)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(unreadable)?;
        if *version != VERSION {
            return Err(unreadable());
        }
        let mut body = body.to_vec();
        let plaintext = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut body)
            .map_err(|_| unreadable())?;
        Ok(Secret::new(plaintext.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn opens_only_in_its_own_place_unchanged() {
        let entropy = SystemEntropy;
        let root = RootKey::generate(&entropy);
        let sealer = Sealer::new(&root, Purpose::Mail);
        let sealed = sealer.seal(&entropy, b"row 1", b"hello");
        assert_eq!(sealer.open(b"row 1", &sealed).unwrap().expose(), b"hello");
        assert!(sealer.open(b"row 2", &sealed).is_err());
        assert!(Sealer::new(&root, Purpose::SigningKeys).open(b"row 1", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer.open(b"row 1", &changed).is_err(), "byte {at}");
            assert!(sealer.open(b"row 1", &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
