//! A provider that is wrong in one thing at a time: each refused, with its reason, and the unbroken one
//! taken.

use super::signer::{Signer, half_hash};
use super::stand_in::Script;
use super::{REDIRECT_URI, Stage};
use authd::config::ProviderKind;
use authd::domain::secret::Secret;
use authd::oidc::fault::ProviderFault;
use authd::usecase::federation::provider::{Awaited, Callback, claimed, refusal};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Which of the maps of a [`Script`].
type Where = fn(&mut Script) -> &mut Map<String, Value>;

const CLAIMS: Where = |script| &mut script.claims;
const HEADER: Where = |script| &mut script.header;
const TOKEN: Where = |script| &mut script.token;
const METADATA: Where = |script| &mut script.metadata;
const CALLBACK: Where = |script| &mut script.callback;
const USERINFO: Where = |script| &mut script.userinfo;

/// The reason of the fault that one changed member leads to.
fn reason(place: Where, name: &str, value: &Value) -> (&'static str, String) {
    let stage = Stage::new(ProviderKind::Oidc);
    stage.stand_in.set(|script| drop(place(script).insert(name.into(), value.clone())));
    match stage.sign_in() {
        Ok(claimed) => ("taken", format!("{claimed:?}")),
        Err(fault) => (fault.reason(), fault.to_string()),
    }
}

#[test]
fn an_unbroken_provider_is_taken() {
    let stage = Stage::new(ProviderKind::Oidc);
    let claimed = stage.sign_in().unwrap();
    assert_eq!((claimed.key.issuer, claimed.key.subject), (stage.stand_in.origin(), "42".into()));
    let email = claimed.email.unwrap();
    assert_eq!((email.email.as_str(), email.verified, email.authoritative), ("ann@example.com", true, false));
    assert_eq!(claimed.name.as_str(), "Ann Lee");
    assert_eq!(stage.stand_in.asked().len(), 3, "metadata, token, keys: {:?}", stage.stand_in.asked());
}

#[test]
fn one_broken_thing_is_enough() {
    let now = 1_795_334_400;
    let null = Value::Null;
    for (place, name, value, expected) in [
        (CLAIMS, "iss", json!("https://evil.example"), "id_token_claim"),
        (CLAIMS, "iss", null.clone(), "id_token_claim"),
        (CLAIMS, "sub", null.clone(), "id_token_claim"),
        (CLAIMS, "sub", json!(42), "id_token_claim"),
        (CLAIMS, "sub", json!("x".repeat(256)), "id_token_claim"),
        (CLAIMS, "aud", json!("another client"), "id_token_claim"),
        (CLAIMS, "aud", json!(["another client"]), "id_token_claim"),
        (CLAIMS, "aud", json!(["another client", super::stand_in::CLIENT]), "id_token_claim"),
        (CLAIMS, "azp", json!("another client"), "id_token_claim"),
        (CLAIMS, "exp", json!(now - 60), "id_token_claim"),
        (CLAIMS, "exp", null.clone(), "id_token_claim"),
        (CLAIMS, "iat", json!(now + 61), "id_token_claim"),
        (CLAIMS, "iat", json!(now - 601), "id_token_claim"),
        (CLAIMS, "iat", null.clone(), "id_token_claim"),
        (CLAIMS, "nbf", json!(now + 61), "id_token_claim"),
        (CLAIMS, "nonce", json!("nonce of another sign-in"), "id_token_claim"),
        (CLAIMS, "nonce", null.clone(), "id_token_claim"),
        (CLAIMS, "at_hash", json!(half_hash("another token")), "id_token_claim"),
        (HEADER, "alg", json!("none"), "id_token_algorithm"),
        (HEADER, "alg", json!("HS256"), "id_token_algorithm"),
        (HEADER, "alg", json!("PS256"), "id_token_algorithm"),
        (HEADER, "alg", null.clone(), "id_token_header"),
        (HEADER, "kid", json!("key-2"), "id_token_unknown_key"),
        (HEADER, "jwk", Signer::other("key-1").jwk(), "id_token_header"),
        (HEADER, "jku", json!("https://evil.example/jwks"), "id_token_header"),
        (HEADER, "x5u", json!("https://evil.example/cert"), "id_token_header"),
        (HEADER, "crit", json!(["exp"]), "id_token_header"),
        (HEADER, "typ", json!("at+jwt"), "id_token_header"),
        (TOKEN, "id_token", null.clone(), "member"),
        (TOKEN, "id_token", json!("e30.e30.e30"), "id_token_header"),
        (TOKEN, "id_token", json!("nonsense"), "id_token_malformed"),
        (TOKEN, "token_type", json!("mac"), "member"),
        (TOKEN, "access_token", null.clone(), "id_token_claim"),
        (TOKEN, "error", json!("invalid_client"), "error"),
        (TOKEN, "error", json!("invalid_grant"), "refused"),
        (METADATA, "issuer", json!("https://evil.example"), "issuer"),
        (METADATA, "token_endpoint", json!("http://evil.example/token"), "metadata"),
        (METADATA, "authorization_endpoint", json!("javascript:alert(1)"), "metadata"),
        (METADATA, "jwks_uri", null.clone(), "metadata"),
        (METADATA, "id_token_signing_alg_values_supported", json!(["HS256", "none"]), "metadata"),
        (METADATA, "id_token_signing_alg_values_supported", json!(["ES256"]), "id_token_algorithm"),
        (METADATA, "token_endpoint_auth_methods_supported", json!(["tls_client_auth"]), "metadata"),
        // The stand-in takes Basic alone: what the metadata say is obeyed.
        (METADATA, "token_endpoint_auth_methods_supported", json!(["client_secret_post"]), "error"),
        (CALLBACK, "iss", json!("https://evil.example"), "issuer"),
        (CALLBACK, "iss", null.clone(), "issuer"),
        (CALLBACK, "code", json!("a code of another's"), "refused"),
    ] {
        let (reason, says) = reason(place, name, &value);
        assert_eq!(reason, expected, "{name} {value}: {says}");
    }
}

#[test]
fn what_a_provider_may_leave_out_is_not_missed() {
    for (place, name, value) in [
        (CLAIMS, "at_hash", Value::Null),
        (CLAIMS, "azp", json!(super::stand_in::CLIENT)),
        (HEADER, "kid", Value::Null),
        (HEADER, "typ", Value::Null),
        (METADATA, "id_token_signing_alg_values_supported", Value::Null),
        (METADATA, "token_endpoint_auth_methods_supported", Value::Null),
        (METADATA, "code_challenge_methods_supported", Value::Null),
        (METADATA, "userinfo_endpoint", Value::Null),
    ] {
        assert_eq!(reason(place, name, &value).0, "taken", "{name} {value}");
    }
    let silent = Stage::new(ProviderKind::Oidc);
    silent.stand_in.set(|script| {
        script.metadata.insert("authorization_response_iss_parameter_supported".into(), json!(false));
        script.callback.insert("iss".into(), Value::Null);
    });
    assert!(silent.sign_in().is_ok(), "`iss` is demanded where it is promised");
}

#[test]
fn a_forged_signature_is_none() {
    let stage = Stage::new(ProviderKind::Oidc);
    stage.stand_in.set(|script| script.forger = Some(Signer::other("key-1")));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "id_token_signature");
}

#[test]
fn userinfo_of_another_person_is_refused() {
    let stage = Stage::new(ProviderKind::Oidc);
    stage.stand_in.set(|script| drop(script.claims.insert("email".into(), Value::Null)));
    assert_eq!(stage.sign_in().unwrap().email.unwrap().email.as_str(), "ann@example.com", "userinfo's");
    for sub in [json!("43"), json!(42), Value::Null] {
        stage.stand_in.set(|script| drop(USERINFO(script).insert("sub".into(), sub.clone())));
        assert_eq!(stage.sign_in().unwrap_err().reason(), "member", "{sub}");
    }
    stage.stand_in.set(|script| drop(script.instead.insert("/userinfo", (200, "<html>".into()))));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "not_json");
    stage.stand_in.set(|script| drop(script.instead.insert("/userinfo", (503, "{}".into()))));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "status");
}

#[test]
fn a_code_counts_once_and_for_its_own_sign_in() {
    let stage = Stage::new(ProviderKind::Oidc);
    let returned = stage.returned().unwrap();
    assert!(stage.claimed(&returned).is_ok());
    assert_eq!(stage.claimed(&returned).unwrap_err().reason(), "refused");

    let returned = stage.returned().unwrap();
    let judge = |nonce: &str, verifier: &str, redirect_uri: &str| {
        let verifier = Secret::new(verifier.to_owned());
        let awaited = Awaited { nonce, verifier: &verifier, redirect_uri, asked_again_at: None };
        let iss = stage.stand_in.origin();
        let callback = Callback { code: &returned.fields["code"], iss: Some(&iss), user: None };
        claimed(&stage.world.app, &stage.provider, &callback, &awaited).unwrap_err().reason()
    };
    assert_eq!(judge(super::NONCE, &"v".repeat(43), REDIRECT_URI), "refused", "PKCE");
    assert_eq!(judge(super::NONCE, super::VERIFIER, "https://evil.example/"), "refused");
    assert_eq!(judge("another", super::VERIFIER, REDIRECT_URI), "id_token_claim");
}

#[test]
fn answers_that_are_none_are_told_apart() {
    for (end, status, body, expected) in [
        ("openid-configuration", 200, "<!doctype html><title>Log in</title>", "not_json"),
        ("openid-configuration", 404, "{}", "status"),
        ("openid-configuration", 200, "{\"issuer\":", "not_json"),
        ("/jwks", 200, "<html>", "not_json"),
        ("/jwks", 200, "{\"keys\":[]}", "member"),
        ("/jwks", 500, "{}", "status"),
        ("/token", 200, "<html>", "not_json"),
        ("/token", 502, "<html>", "status"),
        ("/token", 302, "", "status"),
        ("/token", 200, "access_token=a&token_type=bearer", "not_json"),
    ] {
        let stage = Stage::new(ProviderKind::Oidc);
        stage.stand_in.set(|script| drop(script.instead.insert(end, (status, body.into()))));
        let fault = stage.sign_in().unwrap_err();
        assert_eq!(fault.reason(), expected, "{end} {status} {body}: {fault}");
        assert!(!fault.to_string().contains("s3cret"), "{fault}");
    }
}

#[test]
fn a_no_is_the_providers_only_if_it_says_so_itself() {
    let stage = Stage::new(ProviderKind::Oidc);
    let own = stage.stand_in.origin();
    let of = |error: &str, iss: Option<&str>| refusal(&stage.world.app, &stage.provider, error, iss);
    let denied = ProviderFault::Refused { error: "access_denied".into() };
    assert_eq!(of("access_denied", Some(&own)), denied);
    assert_eq!(of("server_error", Some(&own)).reason(), "error");
    assert_eq!(of("access_denied", Some("https://evil.example")).reason(), "issuer");
    assert_eq!(of("access_denied", None).reason(), "issuer", "it promises to say who it is");
}

#[test]
fn a_token_is_as_old_as_the_sign_in() {
    let stage = Stage::new(ProviderKind::Oidc);
    let made = stage.world.now().as_secs();
    stage.stand_in.set(|script| {
        script.claims.insert("iat".into(), json!(made));
        script.claims.insert("exp".into(), json!(made + 86_400));
    });
    stage.world.advance(Duration::from_secs(600));
    assert!(stage.sign_in().is_ok());
    stage.world.advance(Duration::from_secs(1));
    assert_eq!(stage.sign_in().unwrap_err().reason(), "id_token_claim", "kept by somebody");
}

#[test]
fn a_secret_that_can_not_be_read_is_told_and_not_sent() {
    let mut stage = Stage::new(ProviderKind::Oidc);
    let returned = stage.returned().unwrap();
    let path = stage.provider.client_secret_file.clone().unwrap();
    std::fs::write(&path, "\nnot the first line\n").unwrap();
    assert_eq!(stage.claimed(&returned).unwrap_err().reason(), "secret");
    std::fs::remove_file(&path).unwrap();
    let fault = stage.claimed(&returned).unwrap_err();
    assert!(fault.to_string().contains("oauth.acme.client_secret_file"), "{fault}");
    assert_eq!(stage.stand_in.count("/token"), 0);
    stage.provider.client_secret_file = None;
    assert_eq!(stage.claimed(&returned).unwrap_err().reason(), "error", "this one knows no public clients");
}
