//! A provider's public keys (RFC 7517). Keys that can't verify signatures, and those of a kind that is not
//! known, are passed over (§5).

use super::algorithm::SigningAlgorithm;
use super::fault::{ProviderFault, Step};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// All keys of a provider that may have signed an ID token.
#[derive(Clone)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Clone)]
pub(super) struct Key {
    kid: Option<String>,
    /// The one algorithm that it is for. `None`: any of its type.
    algorithm: Option<String>,
    /// Whose tokens it signs, with Microsoft, which serves many issuers' keys as one set. `None`: any.
    pub(super) issuer: Option<String>,
    shape: Shape,
    pub(super) decoding: DecodingKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Rsa,
    P256,
    P384,
    Ed25519,
}

#[derive(Deserialize)]
struct Wire {
    keys: Vec<Value>,
}

impl KeySet {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// [`ProviderFault::NotJson`]; [`ProviderFault::Member`] where it has no `keys`, or none that can be
    /// used.
    pub fn parse(text: &str) -> Result<Self, ProviderFault> {
        let value: Value =
            serde_json::from_str(text).map_err(|_| ProviderFault::NotJson { step: Step::Keys })?;
        let fault = ProviderFault::Member { step: Step::Keys, name: "keys" };
        let wire: Wire = serde_json::from_value(value).map_err(|_| fault.clone())?;
        let keys: Vec<Key> = wire.keys.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() { Err(fault) } else { Ok(Self { keys }) }
    }

    /// How many keys can be used.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// The key that a token's header names, if it suits the algorithm. A header without `kid` names the only
    /// one that does.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: SigningAlgorithm) -> Option<&Key> {
        let mut suitable = self.keys.iter().filter(|key| key.suits(algorithm));
        match kid {
            Some(kid) => suitable.find(|key| key.kid.as_deref() == Some(kid)),
            None => suitable.next().filter(|_| suitable.next().is_none()),
        }
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let (algorithm, issuer) = (text("alg"), text("issuer"));
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let for_signatures = jwk.common.public_key_use.as_ref().is_none_or(|u| *u == PublicKeyUse::Signature);
        let operations = jwk.common.key_operations.as_ref();
        if !for_signatures || operations.is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
            return None;
        }
        let shape = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Shape::Rsa,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Shape::P256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => Shape::P384,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Shape::Ed25519,
            _ => return None,
        };
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        Some(Self { kid: jwk.common.key_id, algorithm, issuer, shape, decoding })
    }

    fn suits(&self, algorithm: SigningAlgorithm) -> bool {
        let shape = match algorithm.jose() {
            Algorithm::ES256 => Shape::P256,
            Algorithm::ES384 => Shape::P384,
            Algorithm::EdDSA => Shape::Ed25519,
            _ => Shape::Rsa,
        };
        let named = self.algorithm.as_deref();
        self.shape == shape && named.is_none_or(|named| SigningAlgorithm::parse(named) == Some(algorithm))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.kid)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519(kid: &str, more: &Value) -> Value {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": X});
        for (name, value) in more.as_object().unwrap() {
            key[name] = value.clone();
        }
        key
    }

    fn of(keys: &[Value]) -> Result<KeySet, ProviderFault> {
        KeySet::parse(&json!({"keys": keys}).to_string())
    }

    fn finds(set: &KeySet, kid: Option<&str>, algorithm: &str) -> bool {
        set.find(kid, SigningAlgorithm::parse(algorithm).unwrap()).is_some()
    }

    #[test]
    fn what_can_not_verify_is_passed_over() {
        let set = of(&[
            ed25519("a", &json!({})),
            ed25519("enc", &json!({"use": "enc"})),
            ed25519("sign", &json!({"key_ops": ["sign"]})),
            json!({"kty": "oct", "kid": "hmac", "k": X, "alg": "HS256"}),
            json!({"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": X}),
            json!({"kty": "EC", "crv": "secp256k1", "kid": "bitcoin", "x": X, "y": X}),
            json!({"kty": "OKP", "crv": "X25519", "kid": "dh", "x": X}),
            json!("nonsense"),
            json!({}),
        ]);
        let set = set.unwrap();
        assert_eq!(format!("{set:?}"), "[Some(\"a\")]");
        assert_eq!(set.count(), 1);
    }

    #[test]
    fn a_key_is_found_by_kid_and_algorithm() {
        let set = of(&[
            ed25519("a", &json!({"alg": "EdDSA", "use": "sig"})),
            ed25519("b", &json!({"alg": "ES256"})),
            json!({"kty": "EC", "crv": "P-256", "kid": "c", "x": X, "y": X}),
        ]);
        let set = set.unwrap();
        assert!(finds(&set, Some("a"), "EdDSA") && finds(&set, Some("c"), "ES256"));
        for (kid, algorithm) in
            [("a", "ES256"), ("b", "EdDSA"), ("b", "ES256"), ("c", "RS256"), ("c", "ES384")]
        {
            assert!(!finds(&set, Some(kid), algorithm), "{kid} {algorithm}");
        }
        assert!(!finds(&set, Some("d"), "EdDSA"));
        assert!(finds(&set, None, "EdDSA"), "the only one that suits");
        let two = of(&[ed25519("a", &json!({})), ed25519("b", &json!({}))]).unwrap();
        assert!(!finds(&two, None, "EdDSA"), "which is it?");
    }

    #[test]
    fn a_set_without_usable_keys_is_a_fault() {
        for text in
            ["{}", "[]", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"]
        {
            let fault = ProviderFault::Member { step: Step::Keys, name: "keys" };
            assert_eq!(KeySet::parse(text).unwrap_err(), fault, "{text}");
        }
        let fault = KeySet::parse("<html>").unwrap_err();
        assert_eq!(fault, ProviderFault::NotJson { step: Step::Keys });
    }
}
