//! The secret with which a client proves itself: a file's first line, or, with Apple, a JWT that a key signs,
//! made anew for each request.

use super::fault::ProviderFault;
use crate::config::Provider;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use std::time::Duration;

/// Who Apple's servers are, as the `aud` of a secret.
const APPLE: &str = "https://appleid.apple.com";

/// How long a secret of Apple's counts. Six months are allowed; it is used at once.
const LIFETIME: Duration = Duration::from_secs(300);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    aud: &'a str,
    sub: &'a str,
}

/// The secret in a file's text.
///
/// # Errors
/// [`ProviderFault::Secret`] where its first line is empty.
pub fn from_file(text: &Secret<String>) -> Result<Secret<String>, ProviderFault> {
    match text.expose().lines().next().map(str::trim_end) {
        Some(line) if !line.is_empty() => Ok(Secret::new(line.to_owned())),
        _ => Err(unusable("its file has nothing in its first line")),
    }
}

/// Apple's secret: a JWT signed by the key (PKCS #8, PEM) in a file's text.
///
/// # Errors
/// [`ProviderFault::Secret`] where the text is no such key.
pub fn of_apple(
    text: &Secret<String>,
    provider: &Provider,
    now: Timestamp,
) -> Result<Secret<String>, ProviderFault> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(text.expose().as_bytes())
        .map_err(|_| unusable("its file has no private key as PEM (BEGIN PRIVATE KEY)"))?;
    let key = EncodingKey::from_ec_der(der.secret_pkcs8_der());
    let mut header = Header::new(Algorithm::ES256);
    header.typ = None;
    header.kid = Some(provider.key_id.clone());
    let claims = Claims {
        iss: &provider.team_id,
        iat: now.as_secs(),
        exp: now.plus(LIFETIME).as_secs(),
        aud: APPLE,
        sub: &provider.client_id,
    };
    jsonwebtoken::encode(&header, &claims, &key)
        .map(Secret::new)
        .map_err(|_| unusable("the key in its file is not one for ES256 (P-256)"))
}

fn unusable(why: &str) -> ProviderFault {
    ProviderFault::Secret { why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProviderKind;
    use crate::oidc::kinds::tests::provider;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
    };
    use data_encoding::{BASE64, BASE64URL_NOPAD};
    use serde_json::{Value, json};

    #[test]
    fn a_secret_is_the_first_line() {
        let read =
            |text: &str| from_file(&Secret::new(text.to_owned())).map(|secret| secret.expose().clone());
        assert_eq!(read("s3cret\r\nmore").as_deref(), Ok("s3cret"));
        assert_eq!(read(" with space \n").as_deref(), Ok(" with space"));
        assert!(read("").is_err() && read("\nx").is_err());
    }

    #[test]
    fn apples_secret_is_a_short_jwt_by_its_key() {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            BASE64.encode(pkcs8.as_ref())
        );
        let mut apple = provider(ProviderKind::Apple);
        (apple.team_id, apple.key_id) = ("TEAM".into(), "KEY".into());
        let now = Timestamp::from_secs(1_795_334_400);
        let secret = of_apple(&Secret::new(pem), &apple, now).unwrap();
        let parts: Vec<&str> = secret.expose().split('.').collect();
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
        assert_eq!(json(parts[0]), json!({"alg": "ES256", "kid": "KEY"}));
        let claims =
            json!({"iss": "TEAM", "iat": 1_795_334_400, "exp": 1_795_334_700, "aud": APPLE, "sub": "client"});
        assert_eq!(json(parts[1]), claims);
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        public.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &decode(parts[2])).unwrap();

        for text in ["", "s3cret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            let fault = of_apple(&Secret::new(text.into()), &apple, now).unwrap_err();
            assert!(matches!(fault, ProviderFault::Secret { .. }), "{text}");
        }
    }
}
