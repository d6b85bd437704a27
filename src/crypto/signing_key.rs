//! Signing keys: made, kept as PKCS#8, named by their thumbprint (RFC 7638), shown as JWK (RFC 7517).

use crate::domain::algorithm::Algorithm;
use crate::domain::secret::Secret;
use crate::error::Fault;
use crate::ports::{Entropy, draw};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType,
    Jwk, OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse, RSAKeyParameters, RSAKeyType,
    ThumbprintHash,
};
use std::fmt;

/// A private key, ready to sign.
pub struct SigningKey {
    pub kid: String,
    pub algorithm: Algorithm,
    /// The public half as JSON, with `kid`, `alg` and `use`.
    pub jwk: String,
    pkcs8: Secret<Vec<u8>>,
    pair: Pair,
}

/// The key as the crypto library keeps it. The crate `jsonwebtoken` would parse it for every token, which
/// takes as long as signing.
enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

/// A public key, ready to verify.
#[derive(Clone)]
pub struct VerifyingKey {
    pub kid: String,
    pub algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl SigningKey {
    /// Makes a new key. One of Ed25519 is 32 random bytes (RFC 8032 §5.1.5), which `entropy` gives; the other
    /// types insist on the crypto library's own random source. In each process that source first measures for
    /// some tens of milliseconds how much the processor's timing jitters, and nobody else here asks it.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the library refuses.
    pub fn generate(algorithm: Algorithm, entropy: &dyn Entropy) -> Result<Self, Fault> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            Algorithm::EdDsa => ed25519(&Secret::new(draw(entropy))),
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map(|der| der.as_ref().to_vec()),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa3072).and_then(|pair| {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                Ok(der.as_ref().to_vec())
            }),
        };
        Self::from_pkcs8(algorithm, Secret::new(pkcs8.map_err(|error| unusable(&error))?))
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`Fault::Storage`] when the bytes are no key of this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: Secret<Vec<u8>>) -> Result<Self, Fault> {
        let pair = Pair::from_pkcs8(algorithm, &pkcs8).map_err(|error| unusable(&error))?;
        let mut jwk = Jwk { common: CommonParameters::default(), algorithm: pair.public() };
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|error| unusable(&error))?;
        jwk.common.key_algorithm = Some(jose(algorithm).into());
        jwk.common.key_id = Some(kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let jwk = serde_json::to_string(&jwk).map_err(|error| unusable(&error))?;
        Ok(Self { kid, algorithm, jwk, pkcs8, pair })
    }

    /// The private key as PKCS#8 DER, for sealing.
    #[must_use]
    pub const fn pkcs8(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// The signature of a JWS (RFC 7518 §3.1, RFC 8037 §3.1) over its first two parts.
    ///
    /// # Errors
    /// [`Fault::Internal`] when the library refuses.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let refused = |error| Fault::Internal(format!("an access token can't be signed: {error}"));
        let random = SystemRandom::new();
        match &self.pair {
            Pair::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Es256(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
        }
        .map_err(refused)
    }
}

impl Pair {
    fn from_pkcs8(algorithm: Algorithm, pkcs8: &Secret<Vec<u8>>) -> Result<Self, KeyRejected> {
        let der = pkcs8.expose();
        match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Self::EdDsa),
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Self::Es256)
            }
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(der).map(Self::Rs256),
        }
    }

    /// The public half, as the parameters of a JWK (RFC 7518 §6.2 and §6.3, RFC 8037 §2).
    fn public(&self) -> AlgorithmParameters {
        match self {
            Self::EdDsa(pair) => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: BASE64URL_NOPAD.encode(pair.public_key().as_ref()),
            }),
            Self::Es256(pair) => {
                // SEC 1 §2.3.3, uncompressed: 4, then the two coordinates of 32 bytes.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    key_type: EllipticCurveKeyType::EC,
                    curve: EllipticCurve::P256,
                    x: BASE64URL_NOPAD.encode(x),
                    y: BASE64URL_NOPAD.encode(y),
                })
            }
            Self::Rs256(pair) => {
                let public = pair.public_key();
                AlgorithmParameters::RSA(RSAKeyParameters {
                    key_type: RSAKeyType::RSA,
                    n: BASE64URL_NOPAD.encode(public.modulus().big_endian_without_leading_zero()),
                    e: BASE64URL_NOPAD.encode(public.exponent().big_endian_without_leading_zero()),
                })
            }
        }
    }
}

impl VerifyingKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// [`Fault::Storage`] when the text is no public key as JWK.
    pub fn from_jwk(kid: &str, algorithm: Algorithm, jwk: &str) -> Result<Self, Fault> {
        let jwk: Jwk = serde_json::from_str(jwk).map_err(|error| unusable(&error))?;
        let decoding = DecodingKey::from_jwk(&jwk).map_err(|error| unusable(&error))?;
        Ok(Self { kid: kid.to_owned(), algorithm, decoding })
    }
}

pub(super) const fn jose(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    }
}

/// The PKCS#8 of the key that 32 random bytes are.
fn ed25519(seed: &Secret<[u8; 32]>) -> Result<Vec<u8>, Unspecified> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| Unspecified)?;
    pair.to_pkcs8v1().map(|der| der.as_ref().to_vec())
}

fn unusable(error: &dyn fmt::Display) -> Fault {
    Fault::Storage(format!("a signing key can't be used: {error}"))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
