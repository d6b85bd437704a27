//! Discord: OAuth 2.0 without an ID token. `verified` and `email` stand in `/users/@me`, the latter may be
//! missing. Its metadata (RFC 8414) promise `iss` in the callback.

use super::kind::{Authority, EmailRule, Kind, Person, Server};
use crate::config::Provider;
use crate::domain::identity::Claimed;
use crate::oidc::claims::{of_user, stated};
use crate::oidc::discovery::{ClientAuth, Metadata};
use crate::oidc::document::Document;
use crate::oidc::fault::ProviderFault;
use crate::oidc::issuer::ExpectedIssuer;

/// See the module.
pub const KIND: Kind = Kind {
    home: "https://discord.com",
    server: Server::Fixed(metadata),
    scopes: &["identify", "email"],
    fresh: &[("prompt", "consent")],
    person: Person::DiscordUser,
    email: EmailRule { flag: "verified", texts: &[], authority: Authority::AllowedDomains },
    ..Kind::STANDARD
};

fn metadata(home: &str) -> Metadata {
    Metadata {
        issuer: ExpectedIssuer::Exactly(home.to_owned()),
        authorization_endpoint: format!("{home}/oauth2/authorize"),
        token_endpoint: format!("{home}/api/oauth2/token"),
        userinfo_endpoint: Some(format!("{home}/api/users/@me")),
        jwks_uri: None,
        algorithms: Vec::new(),
        client_auth: ClientAuth::Basic,
        promises_iss: true,
        promises_auth_time: false,
        promises_s256: Some(true),
    }
}

/// What the user's document says.
///
/// # Errors
/// [`ProviderFault::Member`] without a numeric `id`.
pub fn claimed(provider: &Provider, user: &Document) -> Result<Claimed, ProviderFault> {
    let email = stated(user, user, KIND.email, provider);
    of_user(KIND.home(provider).trim_end_matches('/'), provider, user, email)
}
