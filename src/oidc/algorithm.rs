//! Which algorithms an ID token may be signed with: asymmetric ones alone. With HMAC the client's secret
//! would be the key, and whoever knows a public key could take it for one (CVE-2015-9235).

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use jsonwebtoken::Algorithm;

/// The names of RFC 7518 §3.1 and RFC 8037 §3.1 that are taken. `none` and all of HMAC are not among them.
const TAKEN: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// An algorithm that ID tokens may be signed with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SigningAlgorithm(Algorithm);

impl SigningAlgorithm {
    /// What a provider signs with that doesn't say (OpenID Connect Core §3.1.3.7).
    pub const DEFAULT: Self = Self(Algorithm::RS256);

    /// Finds an algorithm by its name in JOSE. `None`: it is none that is taken.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        TAKEN.iter().find(|(taken, _)| *taken == name).map(|(_, algorithm)| Self(*algorithm))
    }

    /// As the library knows it.
    pub(super) const fn jose(self) -> Algorithm {
        self.0
    }

    /// The left half of a text's hash, by which `at_hash` binds an access token (OpenID Connect Core
    /// §3.1.3.6). With Ed25519 it is of SHA-512, which is part of that.
    pub(super) fn half_hash(self, text: &str) -> Vec<u8> {
        let hash = match self.0 {
            Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &SHA384,
            Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &SHA512,
            _ => &SHA256,
        };
        let hash = digest::digest(hash, text.as_bytes());
        hash.as_ref()[..hash.as_ref().len() / 2].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;

    #[test]
    fn symmetric_ones_and_none_are_not_taken() {
        for name in ["none", "None", "HS256", "HS384", "HS512", "rs256", "ES512", "ES256K", "RSA-OAEP", ""] {
            assert_eq!(SigningAlgorithm::parse(name), None, "{name}");
        }
        assert!(TAKEN.iter().all(|(name, _)| SigningAlgorithm::parse(name).is_some()));
    }

    /// The example of OpenID Connect Core §A.3.
    #[test]
    fn a_half_hash_is_that_of_the_standard() {
        let half = SigningAlgorithm::DEFAULT.half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(BASE64URL_NOPAD.encode(&half), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
