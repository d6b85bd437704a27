//! A provider's metadata: OpenID Connect Discovery 1.0 §3 and §4, RFC 8414.

use super::algorithm::SigningAlgorithm;
use super::fault::{ProviderFault, Step, quoted};
use super::issuer::ExpectedIssuer;
use super::pkce;
use crate::domain::url::Url;
use serde::Deserialize;
use serde_json::error::Category;

/// How a client proves itself at the token endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientAuth {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// What authd needs to know of a provider's server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// As a callback's `iss` spells it.
    pub issuer: ExpectedIssuer,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    /// `None`: it has none.
    pub userinfo_endpoint: Option<String>,
    /// `None`: it signs nothing.
    pub jwks_uri: Option<String>,
    /// What its ID tokens may be signed with.
    pub algorithms: Vec<SigningAlgorithm>,
    pub client_auth: ClientAuth,
    /// Its callbacks name the issuer (RFC 9207 §3).
    pub promises_iss: bool,
    /// Its ID tokens can say when the person proved who they are.
    pub promises_auth_time: bool,
    /// Whether it says that it takes PKCE with S256. `None`: it says nothing of PKCE.
    pub promises_s256: Option<bool>,
}

#[derive(Deserialize)]
struct Wire {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: Option<String>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
    code_challenge_methods_supported: Option<Vec<String>>,
    claims_supported: Option<Vec<String>>,
}

/// Where an issuer's metadata stand (OpenID Connect Discovery 1.0 §4.1).
#[must_use]
pub fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Reads the metadata of an OpenID provider. It must be `issuer`'s to the letter.
///
/// # Errors
/// [`ProviderFault::NotJson`], [`ProviderFault::Issuer`], [`ProviderFault::Metadata`].
pub fn parse(text: &str, issuer: &ExpectedIssuer) -> Result<Metadata, ProviderFault> {
    if !text.trim_start().starts_with('{') {
        return Err(ProviderFault::NotJson { step: Step::Metadata });
    }
    let wire: Wire = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => ProviderFault::Metadata { why: quoted(&error.to_string()) },
        _ => ProviderFault::NotJson { step: Step::Metadata },
    })?;
    if wire.issuer != issuer.as_metadata() {
        return Err(ProviderFault::issuer(Step::Metadata, issuer.as_metadata(), &wire.issuer));
    }
    let jwks_uri = wire.jwks_uri.ok_or_else(|| unusable("it has no jwks_uri"))?;
    for (name, url) in [
        ("authorization_endpoint", Some(&wire.authorization_endpoint)),
        ("token_endpoint", Some(&wire.token_endpoint)),
        ("userinfo_endpoint", wire.userinfo_endpoint.as_ref()),
        ("jwks_uri", Some(&jwks_uri)),
    ] {
        url.map_or(Ok(()), |url| check_endpoint(url))
            .map_err(|why| unusable(&format!("its {name} {why}")))?;
    }
    Ok(Metadata {
        issuer: issuer.clone(),
        authorization_endpoint: wire.authorization_endpoint,
        token_endpoint: wire.token_endpoint,
        userinfo_endpoint: wire.userinfo_endpoint,
        jwks_uri: Some(jwks_uri),
        algorithms: algorithms(wire.id_token_signing_alg_values_supported)?,
        client_auth: client_auth(wire.token_endpoint_auth_methods_supported.as_deref())?,
        promises_iss: wire.authorization_response_iss_parameter_supported == Some(true),
        promises_auth_time: wire
            .claims_supported
            .is_some_and(|claims| claims.iter().any(|claim| claim == "auth_time")),
        promises_s256: wire
            .code_challenge_methods_supported
            .map(|methods| methods.iter().any(|method| method == pkce::METHOD)),
    })
}

fn unusable(why: &str) -> ProviderFault {
    ProviderFault::Metadata { why: why.to_owned() }
}

/// An endpoint is where codes and secrets go: over https, or to this machine.
fn check_endpoint(url: &str) -> Result<(), &'static str> {
    let parsed = Url::parse(url)?;
    if !parsed.is_private() {
        return Err("must begin with https://");
    }
    // RFC 6749 §3.1 and §3.2.
    if url.contains('#') { Err("must not have a fragment") } else { Ok(()) }
}

fn algorithms(names: Option<Vec<String>>) -> Result<Vec<SigningAlgorithm>, ProviderFault> {
    let Some(names) = names else { return Ok(vec![SigningAlgorithm::DEFAULT]) };
    let taken: Vec<SigningAlgorithm> =
        names.iter().filter_map(|name| SigningAlgorithm::parse(name)).collect();
    if taken.is_empty() {
        return Err(unusable("it signs ID tokens with no algorithm that is taken"));
    }
    Ok(taken)
}

/// `client_secret_basic` where there is a choice, and where nothing is said (Discovery §3).
fn client_auth(methods: Option<&[String]>) -> Result<ClientAuth, ProviderFault> {
    let Some(methods) = methods else { return Ok(ClientAuth::Basic) };
    let has = |name: &str| methods.iter().any(|method| method == name);
    if has("client_secret_basic") {
        Ok(ClientAuth::Basic)
    } else if has("client_secret_post") || has("none") {
        Ok(ClientAuth::Post)
    } else {
        Err(unusable("clients can't prove themselves there by a secret"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "issuer": "https://id.example",
            "authorization_endpoint": "https://id.example/authorize?a=b",
            "token_endpoint": "https://id.example/token",
            "userinfo_endpoint": "https://api.example/userinfo",
            "jwks_uri": "https://keys.example/jwks",
            "id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "authorization_response_iss_parameter_supported": true,
            "code_challenge_methods_supported": ["plain", "S256"],
            "anything": {"else": [1, 2]},
        })
    }

    fn read(document: &Value) -> Result<Metadata, ProviderFault> {
        parse(&document.to_string(), &ExpectedIssuer::Exactly("https://id.example".into()))
    }

    fn with(name: &str, value: Value) -> Result<Metadata, ProviderFault> {
        let mut document = good();
        document[name] = value;
        read(&document)
    }

    #[test]
    fn metadata_are_read() {
        let metadata = read(&good()).unwrap();
        let algorithms = ["ES256", "RS256"].map(|name| SigningAlgorithm::parse(name).unwrap());
        assert_eq!(metadata.algorithms, algorithms, "and no other");
        assert_eq!((metadata.client_auth, metadata.promises_iss), (ClientAuth::Basic, true));
        assert_eq!(metadata.promises_s256, Some(true));
        let silent = json!({"issuer": "https://id.example", "authorization_endpoint": "https://id.example/a",
            "token_endpoint": "https://id.example/t", "jwks_uri": "https://id.example/j"});
        let silent = read(&silent).unwrap();
        assert_eq!(silent.algorithms, [SigningAlgorithm::DEFAULT]);
        assert_eq!((silent.client_auth, silent.promises_iss), (ClientAuth::Basic, false));
        assert_eq!((silent.promises_s256, silent.userinfo_endpoint), (None, None));
        let post = with("token_endpoint_auth_methods_supported", json!(["client_secret_post"])).unwrap();
        assert_eq!(post.client_auth, ClientAuth::Post);
    }

    #[test]
    fn an_issuer_that_differs_in_a_letter_is_another() {
        for issuer in ["https://id.example/", "https://ID.example", "http://id.example", ""] {
            let fault = with("issuer", json!(issuer)).unwrap_err();
            assert!(matches!(fault, ProviderFault::Issuer { .. }), "{issuer}: {fault:?}");
        }
    }

    #[test]
    fn metadata_that_can_not_be_used_are_refused() {
        for (name, value) in [
            ("token_endpoint", json!("http://id.example/token")),
            ("token_endpoint", json!("https://ann:pw@id.example/token")),
            ("token_endpoint", Value::Null),
            ("token_endpoint", json!(7)),
            ("authorization_endpoint", json!("javascript:alert(1)")),
            ("authorization_endpoint", json!("https://id.example/a#b")),
            ("authorization_endpoint", json!("https://id.example/\r\nset-cookie: a=b")),
            ("userinfo_endpoint", json!("ftp://id.example/")),
            ("jwks_uri", json!("file:///etc/passwd")),
            ("jwks_uri", Value::Null),
            ("id_token_signing_alg_values_supported", json!(["HS256", "none"])),
            ("id_token_signing_alg_values_supported", json!([])),
            ("token_endpoint_auth_methods_supported", json!(["private_key_jwt"])),
            ("authorization_response_iss_parameter_supported", json!("yes")),
        ] {
            let fault = with(name, value.clone()).unwrap_err();
            assert!(matches!(fault, ProviderFault::Metadata { .. }), "{name} {value}: {fault:?}");
        }
        for text in ["", "<html></html>", "[]", "{", "{\"issuer\":"] {
            let fault = parse(text, &ExpectedIssuer::Exactly(String::new())).unwrap_err();
            assert_eq!(fault, ProviderFault::NotJson { step: Step::Metadata }, "{text}");
        }
    }

    #[test]
    fn this_machine_may_be_asked_without_https() {
        assert!(with("token_endpoint", json!("http://127.0.0.1:8080/token")).is_ok());
    }

    #[test]
    fn metadata_stand_below_the_issuer() {
        let at = "https://id.example/realms/a/.well-known/openid-configuration";
        assert_eq!(address("https://id.example/realms/a"), at);
        assert_eq!(address("https://id.example/realms/a/"), at);
    }
}
