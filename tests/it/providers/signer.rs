//! Keys of a stand-in, and tokens signed by them, with whatever a test wants in them.

use authd::domain::time::Timestamp;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, UnparsedPublicKey,
};
use data_encoding::{BASE64_MIME, BASE64URL_NOPAD};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// An RSA key, which signs by RS256 as nearly all providers do.
#[derive(Clone)]
pub struct Signer {
    pub kid: String,
    pair: &'static RsaKeyPair,
}

/// Making one takes its time: there are two for all tests.
fn pair(second: bool) -> &'static RsaKeyPair {
    static PAIRS: [OnceLock<RsaKeyPair>; 2] = [OnceLock::new(), OnceLock::new()];
    PAIRS[usize::from(second)].get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
}

impl Signer {
    pub fn new(kid: &str) -> Self {
        Self { kid: kid.into(), pair: pair(false) }
    }

    /// Another key of this name.
    pub fn other(kid: &str) -> Self {
        Self { kid: kid.into(), pair: pair(true) }
    }

    pub fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": BASE64URL_NOPAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": BASE64URL_NOPAD.encode(public.exponent().big_endian_without_leading_zero())})
    }

    /// Signs what `header` says by this key, whatever `alg` it names.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

/// PKCE's challenge, and the left half of a hash as `at_hash` has it (for SHA-256).
pub fn s256(text: &str) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

pub fn half_hash(text: &str) -> String {
    BASE64URL_NOPAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}

/// The key that a developer has of Apple.
pub struct AppleKey {
    pub pem: String,
    public: Vec<u8>,
}

impl AppleKey {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        let body = BASE64_MIME.encode(pkcs8.as_ref()).replace("\r\n", "\n");
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n");
        Self { pem, public: pair.public_key().as_ref().to_vec() }
    }

    /// Whether a client's secret is what Apple takes, for this client, team and key.
    pub fn takes(&self, secret: &str, client: &str, team: &str, kid: &str, now: Timestamp) -> bool {
        let Some((message, signature)) = secret.rsplit_once('.') else { return false };
        let Some((header, claims)) = message.split_once('.') else { return false };
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap_or_default();
        let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap_or_default();
        let (header, claims) = (json(header), json(claims));
        let seconds = |name: &str| claims[name].as_i64().unwrap_or_default();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.public);
        public.verify(message.as_bytes(), &decode(signature)).is_ok()
            && (header["alg"] == "ES256" && header["kid"] == kid)
            && (claims["iss"] == team && claims["sub"] == client)
            && claims["aud"] == "https://appleid.apple.com"
            && (seconds("iat") <= now.as_secs() && seconds("exp") > now.as_secs())
            // Six months are the most that Apple takes; authd makes one for five minutes.
            && seconds("exp") - seconds("iat") <= 300
    }
}
