//! The way to a provider and back: the URL that a browser is sent to (RFC 6749 §4.1.1, OpenID Connect Core
//! §3.1.2.1), and who it is that sends it back (RFC 9207).

use super::discovery::Metadata;
use super::fault::{ProviderFault, Step, quoted};
use super::kinds::kind::Kind;
use super::pkce;
use crate::config::Provider;
use crate::domain::secret::Secret;
use form_urlencoded::Serializer;

/// What one sign-in brings along.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    pub state: &'a str,
    pub nonce: &'a str,
    /// PKCE's; its challenge goes out.
    pub verifier: &'a Secret<String>,
    /// Registered with the provider, to the letter.
    pub redirect_uri: &'a str,
    /// Whether the provider is to ask who it is even if it knows.
    pub fresh: bool,
}

/// What is not the provider's or a person's no in a callback (RFC 6749 §4.1.2.1).
const FAILURES: [&str; 2] = ["server_error", "temporarily_unavailable"];

/// The URL that a browser is sent to.
#[must_use]
pub fn url(metadata: &Metadata, kind: &Kind, provider: &Provider, ask: &AuthorizationRequest<'_>) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", ask.redirect_uri)
        .append_pair("scope", &scopes(kind, provider))
        .append_pair("state", ask.state)
        .append_pair("code_challenge", &pkce::challenge(ask.verifier))
        .append_pair("code_challenge_method", pkce::METHOD);
    if kind.has_id_token() {
        query.append_pair("nonce", ask.nonce);
    }
    query.extend_pairs(kind.parameters);
    if ask.fresh {
        query.extend_pairs(kind.fresh);
    }
    // RFC 6749 §3.1: the endpoint may have a query of its own, which is kept.
    let joint = if metadata.authorization_endpoint.contains('?') { '&' } else { '?' };
    format!("{}{joint}{}", metadata.authorization_endpoint, query.finish())
}

/// What the kind needs, then what the configuration asks for on top, each once.
fn scopes(kind: &Kind, provider: &Provider) -> String {
    let mut scopes: Vec<&str> = kind.scopes.to_vec();
    for scope in &provider.scopes {
        if !scopes.contains(&scope.as_str()) {
            scopes.push(scope);
        }
    }
    scopes.join(" ")
}

/// Whether the callback is the provider's (RFC 9207 §2.4): `iss` must be its issuer where it is there, and be
/// there where the provider promises it. With two providers, one of which is evil, nothing else tells whose
/// code it is.
///
/// # Errors
/// [`ProviderFault::Issuer`].
pub fn check_issuer(metadata: &Metadata, iss: Option<&str>) -> Result<(), ProviderFault> {
    let admitted = match iss {
        Some(iss) => metadata.issuer.admits_callback(iss),
        None => !metadata.promises_iss,
    };
    if admitted {
        return Ok(());
    }
    Err(ProviderFault::issuer(Step::Callback, metadata.issuer.as_metadata(), iss.unwrap_or_default()))
}

/// What a callback's `error` means.
#[must_use]
pub fn refusal(error: &str) -> ProviderFault {
    let is_failure = FAILURES.contains(&error);
    let error = quoted(error);
    if is_failure {
        ProviderFault::Error { step: Step::Callback, error }
    } else {
        ProviderFault::Refused { error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProviderKind;
    use crate::oidc::discovery;
    use crate::oidc::kinds::{self, tests::provider};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn metadata(promises: bool) -> Metadata {
        let document = json!({"issuer": "https://id.example", "jwks_uri": "https://id.example/j",
            "authorization_endpoint": "https://id.example/a?tenant=1",
            "token_endpoint": "https://id.example/t",
            "authorization_response_iss_parameter_supported": promises});
        let issuer = crate::oidc::issuer::ExpectedIssuer::Exactly("https://id.example".into());
        discovery::parse(&document.to_string(), &issuer).unwrap()
    }

    fn asked(kind: ProviderKind, fresh: bool) -> BTreeMap<String, String> {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        let redirect_uri = "https://auth.example.com/api/auth/oauth/acme/callback";
        let ask =
            AuthorizationRequest { state: "s&t=1", nonce: "n", verifier: &verifier, redirect_uri, fresh };
        let mut provider = provider(kind);
        provider.scopes = vec!["groups".into(), "openid".into()];
        let url = url(&metadata(false), kinds::of(kind), &provider, &ask);
        let query = url.strip_prefix("https://id.example/a?tenant=1&").expect("the endpoint's own is kept");
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn a_browser_takes_everything_along_but_the_verifier() {
        let query = asked(ProviderKind::Oidc, false);
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "client"),
            ("redirect_uri", "https://auth.example.com/api/auth/oauth/acme/callback"),
            ("scope", "openid email profile groups"),
            ("state", "s&t=1"),
            ("nonce", "n"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(query.len(), 8);
    }

    #[test]
    fn asking_anew_is_said_in_each_kinds_own_words() {
        let prompt = |kind| asked(kind, true).get("prompt").cloned();
        assert_eq!(prompt(ProviderKind::Oidc).as_deref(), Some("login"));
        assert_eq!(prompt(ProviderKind::Microsoft).as_deref(), Some("login"));
        assert_eq!(prompt(ProviderKind::Google).as_deref(), Some("select_account"), "it has no `login`");
        assert_eq!(prompt(ProviderKind::Apple), None);
        assert_eq!(asked(ProviderKind::Google, false).get("prompt"), None);
        let apple = asked(ProviderKind::Apple, false);
        assert_eq!(apple.get("response_mode").map(String::as_str), Some("form_post"));
        assert_eq!(asked(ProviderKind::Github, false).get("nonce"), None, "it signs nothing");
    }

    #[test]
    fn the_issuer_is_checked_when_sent_and_demanded_when_promised() {
        for promises in [true, false] {
            assert_eq!(check_issuer(&metadata(promises), Some("https://id.example")), Ok(()));
            for other in ["https://evil.example", "https://id.example/", ""] {
                assert!(check_issuer(&metadata(promises), Some(other)).is_err(), "{other}");
            }
        }
        assert_eq!(check_issuer(&metadata(false), None), Ok(()));
        assert!(check_issuer(&metadata(true), None).is_err());
    }

    #[test]
    fn a_no_is_told_from_a_failure() {
        assert_eq!(refusal("access_denied"), ProviderFault::Refused { error: "access_denied".into() });
        assert!(matches!(refusal("server_error"), ProviderFault::Error { .. }));
        let ProviderFault::Refused { error } = refusal(&"x\n\u{1b}".repeat(500)) else { panic!() };
        assert!(error.len() <= 120 && !error.chars().any(char::is_control));
    }
}
