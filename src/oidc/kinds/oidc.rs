//! Any OpenID provider with discovery: Keycloak, Entra, Okta, Authentik, Zitadel. Keycloak has an issuer for
//! each realm, and asks anew for `prompt=login` alone.

use super::kind::Kind;

/// OpenID Connect, nothing added.
pub const KIND: Kind = Kind::STANDARD;
