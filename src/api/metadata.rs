//! What this server says of itself to clients of OAuth (RFC 8414), as far as the table of routes bears it
//! out: an endpoint that isn't served isn't named, and no grant is, since there is none.

use crate::config::Config;
use serde_json::{Map, Value, json};

const JWKS: &str = "/api/auth/.well-known/jwks.json";

/// Each endpoint that there may be: its route, its name in the document, and what it takes as proof of who
/// asks. An API key is an access token of its own kind, and goes as one (RFC 6750), or as the secret of a
/// client that is called as the key is (RFC 6749 §2.3.1).
const ENDPOINTS: [(&str, &str, &str); 2] = [
    ("/api/auth/introspect", "introspection_endpoint", "introspection_endpoint_auth_methods_supported"),
    ("/api/auth/revoke", "revocation_endpoint", "revocation_endpoint_auth_methods_supported"),
];

/// The document. `has_path` says whether a path is served. Its two empty lists stand there because clients
/// take their absence for the grants of a browser's login, which this server doesn't have.
#[must_use]
pub fn document(config: &Config, has_path: fn(&str) -> bool) -> Value {
    let at = |path: &str| Value::from(format!("{}{path}", config.public_url));
    let mut document = Map::new();
    document.insert("issuer".into(), config.tokens.issuer.as_str().into());
    document.insert("jwks_uri".into(), at(JWKS));
    document.insert("response_types_supported".into(), json!([]));
    document.insert("grant_types_supported".into(), json!([]));
    for (path, endpoint, methods) in ENDPOINTS {
        if has_path(path) {
            document.insert(endpoint.into(), at(path));
            document.insert(methods.into(), json!(["Bearer", "client_secret_basic"]));
        }
    }
    Value::Object(document)
}
