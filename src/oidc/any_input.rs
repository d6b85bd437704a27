//! Whatever a provider sends, or somebody in its stead: nothing here panics, and nothing but the right thing
//! is taken.

use super::document::Document;
use super::fault::{ProviderFault, quoted};
use super::id_token::{Expected, verify};
use super::issuer::ExpectedIssuer;
use super::jwks::KeySet;
use super::kinds::tests::provider;
use super::kinds::{self, apple, discord, github};
use super::{algorithm::SigningAlgorithm, authorization, claims, discovery, tokens};
use crate::config::ProviderKind;
use crate::domain::time::Timestamp;
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// JSON of any form, with the names that mean something here.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "(true|1|https://id\\.example|client|RSA|OKP|EC|P-256|Ed25519|AQAB|ann@example\\.com)"
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        "(iss|sub|aud|azp|exp|iat|nonce|at_hash|auth_time|tid|hd|amr|email|email_verified|xms_edov|verified|name|id)",
        "(issuer|jwks_uri|authorization_endpoint|token_endpoint|userinfo_endpoint|keys|kty|crv|x|y|n|e|kid|alg|use)",
        "(error|access_token|id_token|token_type|firstName|primary|key_ops)",
        ".{0,6}",
    ];
    leaf.prop_recursive(4, 48, 10, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..10)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn judge(token: &str, keys: &KeySet) -> bool {
    let issuer = ExpectedIssuer::Exactly("https://id.example".into());
    let algorithms = ["EdDSA", "RS256", "ES256"].map(|name| SigningAlgorithm::parse(name).unwrap());
    let expected = Expected {
        issuer: &issuer,
        client_id: "client",
        nonce: "nonce",
        algorithms: &algorithms,
        access_token: None,
        now: Timestamp::from_secs(1_795_334_400),
        proved_since: None,
    };
    verify(token, keys, &expected).is_ok()
}

fn some_keys() -> KeySet {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    KeySet::parse(&json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]}).to_string()).unwrap()
}

proptest! {
    #[test]
    fn no_text_panics_a_reader(text in ".{0,200}", code in any::<u16>()) {
        let issuer = ExpectedIssuer::Exactly("https://id.example".into());
        prop_assert!(discovery::parse(&text, &issuer).is_err());
        prop_assert!(KeySet::parse(&text).is_err());
        prop_assert!(tokens::parse(code, &text).is_err());
        prop_assert!(!judge(&text, &some_keys()));
        let _ = (github::email(code, &text), apple::name(&text), Document::parse(&text));
        prop_assert!(quoted(&text).chars().all(|c| !c.is_control()));
        let named = authorization::refusal(&text).to_string();
        prop_assert!(!named.chars().any(char::is_control));
    }

    #[test]
    fn no_document_panics_a_reader(value in any_json(), other in any_json()) {
        let text = value.to_string();
        let issuer = ExpectedIssuer::Exactly("https://id.example".into());
        let _ = (discovery::parse(&text, &issuer), tokens::parse(200, &text), github::email(200, &text));
        if let Ok(keys) = KeySet::parse(&text) {
            prop_assert!(keys.count() > 0);
        }
        let (one, two) = (Document::parse(&text), Document::parse(&other.to_string()));
        let one = one.unwrap_or_default();
        for kind in [ProviderKind::Oidc, ProviderKind::Google, ProviderKind::Microsoft, ProviderKind::Apple] {
            let mut provider = provider(kind);
            provider.role_claim = Some("aud".into());
            let said = claims::of_id_token(kinds::of(kind), &provider, &one, two.as_ref());
            if let Ok(said) = said {
                let email = said.email;
                prop_assert!(email.is_none_or(|email| email.verified || !email.authoritative));
            }
        }
        let said = discord::claimed(&provider(ProviderKind::Discord), &one);
        let is_member = matches!(said, Err(ProviderFault::Member { .. }));
        prop_assert!(said.is_ok() || is_member);
    }

    #[test]
    fn no_token_without_a_signature_is_taken(
        header in any_json(),
        claims in any_json(),
        tail in any::<Vec<u8>>(),
    ) {
        let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let mut header = header;
        if let Some(members) = header.as_object_mut() {
            members.insert("alg".into(), "EdDSA".into());
        }
        let token = format!(
            "{}.{}.{}",
            part(header.to_string().as_bytes()),
            part(claims.to_string().as_bytes()),
            part(&tail)
        );
        prop_assert!(!judge(&token, &some_keys()));
    }
}
