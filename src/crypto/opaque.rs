//! Opaque secrets: a prefix that says what they are, then 32 random bytes in base64url. The store
//! keeps their SHA-256 alone, which is enough for secrets that nobody can guess.

use crate::domain::link::LinkKind;
use crate::domain::secret::Secret;
use crate::ports::{Entropy, draw};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;

/// The SHA-256 of a whole opaque secret: what the store keeps and looks up.
pub type OpaqueHash = [u8; 32];

/// Draws a new secret; gives it and what to store of it.
#[must_use]
pub fn generate(kind: LinkKind, entropy: &dyn Entropy) -> (Secret<String>, OpaqueHash) {
    let bytes = Secret::new(draw::<32>(entropy));
    let text = Secret::new(format!("{}{}", kind.prefix(), BASE64URL_NOPAD.encode(bytes.expose())));
    let hash = sha256(text.expose());
    (text, hash)
}

/// The stored form of a secret that was handed in. `None` when it is not, to the letter, one of this
/// kind: right prefix, exact length, canonical encoding.
#[must_use]
pub fn parse(kind: LinkKind, text: &str) -> Option<OpaqueHash> {
    let body = text.strip_prefix(kind.prefix())?;
    let bytes = Secret::new(BASE64URL_NOPAD.decode(body.as_bytes()).ok()?);
    (bytes.expose().len() == 32).then(|| sha256(text))
}

fn sha256(text: &str) -> OpaqueHash {
    digest(&SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn only_the_exact_text_is_the_secret() {
        let (text, hash) = generate(LinkKind::VerifyEmail, &SystemEntropy);
        let text = text.expose().as_str();
        assert_eq!(parse(LinkKind::VerifyEmail, text), Some(hash));
        assert_eq!(parse(LinkKind::ResetPassword, text), None);
        for other in [&text[..text.len() - 1], &format!("{text}="), &format!("{text}A"), &format!(" {text}"), ""] {
            assert_eq!(parse(LinkKind::VerifyEmail, other), None, "{other:?}");
        }
    }
}
