//! PKCE (RFC 7636): the code that comes back is worth nothing without the verifier. Always `S256`.

use crate::domain::secret::Secret;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;

/// The one method that is used.
pub const METHOD: &str = "S256";

/// The challenge that goes through the browser for a verifier that doesn't.
#[must_use]
pub fn challenge(verifier: &Secret<String>) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, verifier.expose().as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    #[test]
    fn a_challenge_is_that_of_the_standard() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
