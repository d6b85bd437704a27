//! Tokens that are wrong in one thing each, and the one that isn't.

use super::*;
use crate::oidc::algorithm::SigningAlgorithm;
use crate::oidc::issuer::PERSONAL_ACCOUNTS;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RsaKeyPair,
};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use serde_json::json;
use std::sync::OnceLock;

const NOW: i64 = 1_795_334_400;
const TENANT: &str = "0f9d1b7e-4c2a-4a57-8f3e-2b6c1d0e9a85";

/// A provider that signs with Ed25519.
struct Provider {
    pair: Ed25519KeyPair,
    jwk: Value,
    issuer: ExpectedIssuer,
    algorithms: Vec<SigningAlgorithm>,
}

impl Provider {
    fn new() -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = aws_lc_rs::signature::KeyPair::public_key(&pair);
        let jwk =
            json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": BASE64URL_NOPAD.encode(x.as_ref())});
        let algorithms = ["EdDSA", "RS256"].map(|name| SigningAlgorithm::parse(name).unwrap()).to_vec();
        Self { pair, jwk, issuer: ExpectedIssuer::Exactly("https://id.example".into()), algorithms }
    }

    fn keys(&self) -> KeySet {
        KeySet::parse(&json!({"keys": [self.jwk]}).to_string()).unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }

    fn judge(&self, token: &str) -> Result<Document, TokenFlaw> {
        self.judge_proved(token, None)
    }

    fn judge_proved(&self, token: &str, since: Option<ProvedSince>) -> Result<Document, TokenFlaw> {
        let access_token = Secret::new("access".to_owned());
        let expected = Expected {
            issuer: &self.issuer,
            client_id: "client",
            nonce: "nonce",
            algorithms: &self.algorithms,
            access_token: Some(&access_token),
            now: Timestamp::from_secs(NOW),
            proved_since: since,
        };
        verify(token, &self.keys(), &expected)
    }
}

fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT", "x5t": "harmless"})
}

fn claims() -> Value {
    json!({"iss": "https://id.example", "sub": "42", "aud": "client", "exp": NOW + 300, "iat": NOW - 1,
        "nonce": "nonce", "email": "ann@example.com"})
}

/// With one member in another's place; `null` takes it away.
fn with(mut document: Value, name: &str, value: &Value) -> Value {
    if value.is_null() {
        document.as_object_mut().unwrap().remove(name);
    } else {
        document[name] = value.clone();
    }
    document
}

fn half_hash(name: &str, text: &str) -> String {
    BASE64URL_NOPAD.encode(&SigningAlgorithm::parse(name).unwrap().half_hash(text))
}

#[test]
fn a_good_token_is_taken() {
    let provider = Provider::new();
    let taken = provider.judge(&provider.sign(&header(), &claims())).unwrap();
    assert_eq!((taken.text("sub"), taken.text("email")), (Some("42"), Some("ann@example.com")));
}

#[test]
fn what_may_differ_may() {
    let provider = Provider::new();
    for (name, value) in [
        ("aud", json!(["client"])),
        ("azp", json!("client")),
        ("exp", json!(NOW - 59)),
        ("exp", json!(1_795_334_401.5)),
        ("iat", json!(NOW + 60)),
        ("iat", json!(NOW - 600)),
        ("nbf", json!(NOW + 60)),
        ("at_hash", json!(half_hash("EdDSA", "access"))),
    ] {
        let token = provider.sign(&header(), &with(claims(), name, &value));
        assert!(provider.judge(&token).is_ok(), "{name} {value}");
    }
    let shared = with(with(claims(), "aud", &json!(["account", "client"])), "azp", &json!("client"));
    assert!(provider.judge(&provider.sign(&header(), &shared)).is_ok());
    for (name, value) in [("kid", Value::Null), ("typ", Value::Null), ("typ", json!("jwt"))] {
        let token = provider.sign(&with(header(), name, &value), &claims());
        assert!(provider.judge(&token).is_ok(), "{name} {value}");
    }
}

#[test]
fn one_wrong_claim_is_enough() {
    let provider = Provider::new();
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://id.example/")),
        ("iss", json!(["https://id.example"])),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!(42)),
        ("aud", Value::Null),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("aud", json!(["other"])),
        ("aud", json!(["client", 7])),
        ("aud", json!({"client": true})),
        ("azp", json!("other")),
        ("azp", json!(["client"])),
        ("exp", Value::Null),
        ("exp", json!(NOW - 60)),
        ("exp", json!(0)),
        ("exp", json!((NOW + 300).to_string())),
        ("iat", Value::Null),
        ("iat", json!(NOW + 61)),
        ("iat", json!(NOW - 601)),
        ("iat", json!("now")),
        ("nbf", json!(NOW + 61)),
        ("nbf", json!("now")),
        ("nonce", Value::Null),
        ("nonce", json!("")),
        ("nonce", json!("nonce2")),
        ("nonce", json!(["nonce"])),
        ("at_hash", json!(half_hash("EdDSA", "another"))),
        ("at_hash", json!(half_hash("RS256", "access"))),
        ("at_hash", json!("")),
        ("at_hash", json!(7)),
    ] {
        let token = provider.sign(&header(), &with(claims(), name, &value));
        assert_eq!(provider.judge(&token), Err(TokenFlaw::Claim(name)), "{name} {value}");
    }
    let shared = provider.sign(&header(), &with(claims(), "aud", &json!(["account", "client"])));
    assert_eq!(
        provider.judge(&shared),
        Err(TokenFlaw::Claim("azp")),
        "for others too, and nobody says by whom"
    );
}

#[test]
fn a_header_brings_no_key_and_names_no_other_algorithm() {
    let provider = Provider::new();
    let flaw = |name: &str, value: Value| {
        provider.judge(&provider.sign(&with(header(), name, &value), &claims())).unwrap_err()
    };
    for (name, value) in [
        ("jwk", provider.jwk.clone()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AAAA"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("typ", json!("at+jwt")),
        ("typ", json!("logout+jwt")),
        ("typ", json!(7)),
        ("kid", json!(7)),
        ("alg", Value::Null),
        ("alg", json!(7)),
    ] {
        assert_eq!(flaw(name, value.clone()), TokenFlaw::Header(name), "{name} {value}");
    }
    for name in ["none", "None", "nOnE", "HS256", "HS512", "ES512", "", "PS256", "ES256"] {
        assert_eq!(flaw("alg", json!(name)), TokenFlaw::Algorithm(name.into()), "{name}");
    }
    assert_eq!(flaw("alg", json!("RS256")), TokenFlaw::UnknownKey, "the key is for another");
    assert_eq!(flaw("kid", json!("k2")), TokenFlaw::UnknownKey);
}

#[test]
fn a_token_that_its_key_did_not_sign_is_not_its() {
    let provider = Provider::new();
    let good = provider.sign(&header(), &claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let other = with(claims(), "sub", &json!("1"));
    let swapped = format!("{}.{}.{signature}", part(&header()), part(&other));
    assert_eq!(provider.judge(&swapped), Err(TokenFlaw::Signature));
    assert_eq!(provider.judge(&format!("{message}.")), Err(TokenFlaw::Signature));
    let evil = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let forged = BASE64URL_NOPAD.encode(evil.sign(message.as_bytes()).as_ref());
    assert_eq!(provider.judge(&format!("{message}.{forged}")), Err(TokenFlaw::Signature));

    // The public key as the secret of an HMAC (CVE-2015-9235).
    let public = provider.jwk["x"].as_str().unwrap();
    for key in [public.as_bytes().to_vec(), BASE64URL_NOPAD.decode(public.as_bytes()).unwrap()] {
        let message = format!("{}.{}", part(&with(header(), "alg", &json!("HS256"))), part(&claims()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), message.as_bytes());
        let token = format!("{message}.{}", BASE64URL_NOPAD.encode(tag.as_ref()));
        assert_eq!(provider.judge(&token), Err(TokenFlaw::Algorithm("HS256".into())));
    }
}

#[test]
fn what_is_no_token_is_malformed() {
    let provider = Provider::new();
    let good = provider.sign(&header(), &claims());
    let (head, rest) = good.split_once('.').unwrap();
    let long = with(claims(), "email", &json!("x".repeat(MAX_BYTES)));
    for token in [
        String::new(),
        "a.b".into(),
        format!("{good}.{head}"),
        format!("{good}.a.b"),
        format!("{head}=.{rest}"),
        format!("[].{rest}"),
        format!("{}.{rest}", part(&json!([]))),
        provider.sign(&header(), &json!([1])),
        provider.sign(&header(), &long),
    ] {
        assert_eq!(provider.judge(&token), Err(TokenFlaw::Malformed), "{}", &token[..token.len().min(80)]);
    }
}

#[test]
fn a_key_of_one_directory_signs_for_no_other() {
    let mut provider = Provider::new();
    let template = "https://login.example/{tenantid}/v2.0";
    provider.issuer = ExpectedIssuer::AnyTenant(template.into());
    let token = |provider: &Provider, tenant: &str, issuer: &str| {
        let claims = with(with(claims(), "tid", &json!(tenant)), "iss", &json!(issuer));
        provider.judge(&provider.sign(&header(), &claims))
    };
    let (ours, personal) = (of(template, TENANT), of(template, PERSONAL_ACCOUNTS));
    assert!(token(&provider, TENANT, &ours).is_ok());
    assert_eq!(token(&provider, PERSONAL_ACCOUNTS, &ours), Err(TokenFlaw::Claim("iss")));
    assert_eq!(token(&provider, "{tenantid}", template), Err(TokenFlaw::Claim("iss")));
    provider.jwk["issuer"] = json!(template);
    assert!(token(&provider, TENANT, &ours).is_ok());
    provider.jwk["issuer"] = json!(personal);
    assert_eq!(token(&provider, TENANT, &ours), Err(TokenFlaw::Claim("iss")));
    assert!(token(&provider, PERSONAL_ACCOUNTS, &personal).is_ok());
}

/// A key of each type but Ed25519, which all the others here are about, as the library signs with it.
fn keys() -> &'static [(EncodingKey, &'static [&'static str]); 3] {
    static KEYS: OnceLock<[(EncodingKey, &[&str]); 3]> = OnceLock::new();
    KEYS.get_or_init(|| {
        let random = SystemRandom::new();
        let ecdsa = |algorithm| {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EncodingKey::from_ec_der(pkcs8.as_ref())
        };
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
        // PKCS #1 stands in it behind a head of 26 bytes (RFC 8017 §A.1).
        let rsa = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
        [
            (rsa, &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..]),
            (ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING), &["ES256"]),
            (ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING), &["ES384"]),
        ]
    })
}

#[test]
fn every_algorithm_that_is_taken_verifies() {
    let mut provider = Provider::new();
    for (key, names) in keys() {
        for name in *names {
            let algorithm = SigningAlgorithm::parse(name).unwrap();
            let jwk = Jwk::from_encoding_key(key, algorithm.jose()).unwrap();
            provider.jwk = serde_json::to_value(&jwk).unwrap();
            provider.jwk["kid"] = json!("k1");
            provider.algorithms = vec![algorithm];
            let mut head = jsonwebtoken::Header::new(algorithm.jose());
            head.kid = Some("k1".into());
            let bound = with(claims(), "at_hash", &json!(half_hash(name, "access")));
            let token = jsonwebtoken::encode(&head, &bound, key).unwrap();
            assert!(provider.judge(&token).is_ok(), "{name}");
            let (message, _) = token.rsplit_once('.').unwrap();
            assert_eq!(provider.judge(&format!("{message}.AAAA")), Err(TokenFlaw::Signature), "{name}");
            provider.algorithms = vec![SigningAlgorithm::parse("EdDSA").unwrap()];
            assert_eq!(provider.judge(&token), Err(TokenFlaw::Algorithm((*name).into())), "not promised");
        }
    }
}

#[test]
fn whoever_is_asked_once_more_has_proved_it_since() {
    let provider = Provider::new();
    let since = |must_be_told| Some(ProvedSince { at: Timestamp::from_secs(NOW - 30), must_be_told });
    let told = |auth_time: Value| {
        let mut claims = claims();
        claims["auth_time"] = auth_time;
        provider.sign(&header(), &claims)
    };
    let flaw = TokenFlaw::Claim("auth_time");
    for must_be_told in [true, false] {
        assert!(provider.judge_proved(&told(json!(NOW - 10)), since(must_be_told)).is_ok());
        assert!(
            provider.judge_proved(&told(json!(NOW - 90)), since(must_be_told)).is_ok(),
            "a minute's leeway"
        );
        for bad in [json!(NOW - 91), json!("now"), json!([NOW])] {
            assert_eq!(
                provider.judge_proved(&told(bad.clone()), since(must_be_told)),
                Err(flaw.clone()),
                "{bad}"
            );
        }
    }
    let silent = provider.sign(&header(), &claims());
    assert_eq!(provider.judge_proved(&silent, since(true)), Err(flaw.clone()));
    assert!(provider.judge_proved(&silent, since(false)).is_ok());
    assert!(provider.judge(&told(json!(NOW - 86_400))).is_ok(), "nobody was asked anew");
    assert_eq!(provider.judge(&told(json!("yesterday"))), Err(flaw));
}
