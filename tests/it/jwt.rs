//! Access tokens: every check of the promises, each by a token that is right in all but one thing.

use authd::crypto::jwt::{AccessClaims, Expected, TokenError, authenticate, sign};
use authd::crypto::signing_key::{SigningKey, VerifyingKey};
use authd::domain::algorithm::Algorithm;
use authd::domain::id::{SessionId, TokenId, UserId};
use authd::domain::time::Timestamp;
use authd::ports::SystemEntropy;
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::convert::Infallible;

const NOW: Timestamp = Timestamp::from_secs(1_795_334_400);

fn claims() -> AccessClaims {
    AccessClaims {
        issuer: "https://auth.example.com".into(),
        audience: "authd".into(),
        user: UserId::new(NOW, [1; 10]),
        session: SessionId::new(NOW, [2; 10]),
        generation: 0,
        token: TokenId::new(NOW, [3; 10]),
        client_id: "authd".into(),
        issued_at: NOW,
        not_before: NOW,
        expires_at: Timestamp::from_secs(NOW.as_secs() + 900),
        auth_time: Some(NOW),
        amr: vec!["pwd".into()],
        roles: Some(vec!["editor".into()]),
        permissions: Some(vec!["posts:write".into()]),
    }
}

struct Signer {
    key: SigningKey,
    verifying: VerifyingKey,
}

impl Signer {
    fn new(algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm, &SystemEntropy).unwrap();
        let verifying = VerifyingKey::from_jwk(&key.kid, algorithm, &key.jwk).unwrap();
        Self { key, verifying }
    }

    fn check_at(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let expected = Expected { issuer: "https://auth.example.com", audience: "authd", now };
        let find_key =
            |kid: &str| Ok::<_, Infallible>((kid == self.verifying.kid).then(|| self.verifying.clone()));
        let Ok(found) = authenticate(token, find_key);
        let claims = found?.claims;
        claims.validate(expected).map(|()| claims)
    }

    fn check(&self, token: &str) -> Result<AccessClaims, TokenError> {
        self.check_at(token, NOW)
    }

    /// Signs any header and any claims with this key, as an attacker who had it would.
    fn forge(&self, header: &Value, payload: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(payload));
        let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(self.key.pkcs8().expose()).unwrap();
        format!("{message}.{}", BASE64URL_NOPAD.encode(pair.sign(message.as_bytes()).as_ref()))
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.key.kid})
    }
}

fn payload() -> Value {
    let token = sign(&Signer::new(Algorithm::EdDsa).key, &claims()).unwrap();
    let part = token.expose().split('.').nth(1).unwrap().to_owned();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in Algorithm::ALL {
        let signer = Signer::new(algorithm);
        let token = sign(&signer.key, &claims()).unwrap();
        assert_eq!(signer.check(token.expose()), Ok(claims()), "{algorithm}");
        let jwk: Value = serde_json::from_str(&signer.key.jwk).unwrap();
        assert_eq!(jwk["alg"], algorithm.name());
        assert_eq!(jwk["use"], "sig");
        assert_eq!(jwk["kid"], signer.key.kid);
        assert!(jwk.get("d").is_none(), "a public key holds nothing private");
    }
}

#[test]
fn the_forger_makes_good_tokens_when_nothing_is_wrong() {
    let signer = Signer::new(Algorithm::EdDsa);
    assert_eq!(signer.check(&signer.forge(&signer.header(), &payload())), Ok(claims()));
}

#[test]
fn a_header_is_ours_to_the_letter() {
    let signer = Signer::new(Algorithm::EdDsa);
    let with = |name: &str, value: Value| {
        let mut header = signer.header();
        header[name] = value;
        signer.check(&signer.forge(&header, &payload()))
    };
    assert_eq!(with("typ", json!("JWT")), Err(TokenError::Header));
    assert_eq!(with("typ", json!("AT+JWT")), Err(TokenError::Header));
    assert_eq!(with("typ", Value::Null), Err(TokenError::Header));
    assert_eq!(with("alg", json!("none")), Err(TokenError::UnknownKey));
    assert_eq!(with("alg", json!("HS256")), Err(TokenError::UnknownKey));
    assert_eq!(with("alg", json!("eddsa")), Err(TokenError::UnknownKey));
    assert_eq!(with("kid", json!("../../etc/passwd")), Err(TokenError::UnknownKey));
    for name in ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "cty"] {
        assert_eq!(with(name, json!(["exp"])), Err(TokenError::Header), "{name}");
    }
    for name in ["typ", "alg", "kid"] {
        let mut header = signer.header();
        header.as_object_mut().unwrap().remove(name);
        assert_eq!(signer.check(&signer.forge(&header, &payload())), Err(TokenError::Header), "{name}");
    }
}

#[test]
fn every_claim_is_required_and_typed() {
    let signer = Signer::new(Algorithm::EdDsa);
    let good = payload();
    for name in good.as_object().unwrap().keys() {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(
            signer.check(&signer.forge(&signer.header(), &without)),
            Err(TokenError::Claims),
            "without {name}"
        );
        let mut wrong = good.clone();
        wrong[name] = if good[name].is_string() { json!(7) } else { json!("1795334400") };
        assert_eq!(
            signer.check(&signer.forge(&signer.header(), &wrong)),
            Err(TokenError::Claims),
            "{name} of another type"
        );
    }
    for (name, value, flaw) in [
        ("iss", json!("https://evil.example"), TokenError::Issuer),
        ("aud", json!("other"), TokenError::Audience),
        ("aud", json!(["authd"]), TokenError::Claims),
        ("sub", json!("ann"), TokenError::Claims),
        ("jti", json!(""), TokenError::Claims),
        ("sid", json!("1"), TokenError::Claims),
        ("exp", json!(1e300), TokenError::Claims),
        ("nbf", json!(NOW.as_secs() + 6), TokenError::NotYet),
        ("iat", json!(NOW.as_secs() + 6), TokenError::NotYet),
        ("exp", json!(NOW.as_secs()), TokenError::Expired),
        ("exp", json!(-1), TokenError::Expired),
    ] {
        let mut changed = good.clone();
        changed[name] = value;
        assert_eq!(signer.check(&signer.forge(&signer.header(), &changed)), Err(flaw), "{name}");
    }
}

#[test]
fn expiry_is_exact_and_leeway_is_five_seconds_at_the_start_only() {
    let signer = Signer::new(Algorithm::EdDsa);
    let token = sign(&signer.key, &claims()).unwrap();
    let at = |secs: i64, millis: i64| Timestamp::from_millis((NOW.as_secs() + secs) * 1000 + millis);
    assert!(signer.check_at(token.expose(), at(899, 999)).is_ok());
    assert_eq!(signer.check_at(token.expose(), at(900, 0)), Err(TokenError::Expired));
    assert!(signer.check_at(token.expose(), at(-5, 0)).is_ok());
    assert_eq!(signer.check_at(token.expose(), at(-6, 0)), Err(TokenError::NotYet));
}

#[test]
fn another_key_or_algorithm_does_not_pass() {
    let (ours, theirs) = (Signer::new(Algorithm::EdDsa), Signer::new(Algorithm::EdDsa));
    assert_eq!(ours.check(sign(&theirs.key, &claims()).unwrap().expose()), Err(TokenError::UnknownKey));
    let stolen_name = theirs.forge(&ours.header(), &payload());
    assert_eq!(ours.check(&stolen_name), Err(TokenError::Signature));
    // A key of ours, asked to serve as the secret of a symmetric algorithm (RFC 8725 §2.1).
    let confused = ours.forge(&json!({"typ": "at+jwt", "alg": "HS256", "kid": ours.key.kid}), &payload());
    assert_eq!(ours.check(&confused), Err(TokenError::UnknownKey));
}

proptest! {
    #[test]
    fn a_changed_token_never_passes(at in 0usize..400, byte in any::<u8>()) {
        let signer = Signer::new(Algorithm::EdDsa);
        let token = sign(&signer.key, &claims()).unwrap().expose().clone();
        let mut bytes = token.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes)
            && changed != token
        {
            prop_assert!(signer.check(&changed).is_err());
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,300}") {
        prop_assert!(Signer::new(Algorithm::EdDsa).check(&text).is_err());
    }

    #[test]
    fn any_three_parts_are_refused_without_a_panic(
        header in ".{0,80}",
        payload in ".{0,80}",
        tail in ".{0,80}",
    ) {
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let token = format!("{}.{}.{}", part(&header), part(&payload), part(&tail));
        prop_assert!(Signer::new(Algorithm::EdDsa).check(&token).is_err());
    }
}
