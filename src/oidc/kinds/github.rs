//! GitHub: OAuth 2.0 without an ID token. The key is the numeric `id`, an address comes from the list of
//! addresses alone, the primary one, verified. It takes S256 since July 2025.

use super::kind::{Authority, EmailRule, Kind, Person, Server};
use crate::config::Provider;
use crate::domain::email::Email;
use crate::domain::identity::{Claimed, StatedEmail};
use crate::oidc::claims::of_user;
use crate::oidc::discovery::{ClientAuth, Metadata};
use crate::oidc::document::Document;
use crate::oidc::fault::{ProviderFault, Step};
use crate::oidc::issuer::ExpectedIssuer;
use serde::Deserialize;

const HOME: &str = "https://github.com";

/// See the module.
pub const KIND: Kind = Kind {
    home: HOME,
    server: Server::Fixed(metadata),
    scopes: &["read:user", "user:email"],
    fresh: &[("prompt", "select_account")],
    person: Person::GithubUser,
    email: EmailRule { flag: "verified", texts: &[], authority: Authority::Flag },
    ..Kind::STANDARD
};

/// The API has a host of its own; a GitHub of one's own has it below the same.
fn api(home: &str) -> String {
    if home == HOME { "https://api.github.com".to_owned() } else { format!("{home}/api/v3") }
}

fn metadata(home: &str) -> Metadata {
    Metadata {
        issuer: ExpectedIssuer::Exactly(format!("{home}/login/oauth")),
        authorization_endpoint: format!("{home}/login/oauth/authorize"),
        token_endpoint: format!("{home}/login/oauth/access_token"),
        userinfo_endpoint: Some(format!("{}/user", api(home))),
        jwks_uri: None,
        algorithms: Vec::new(),
        client_auth: ClientAuth::Post,
        promises_iss: false,
        promises_auth_time: false,
        promises_s256: Some(true),
    }
}

/// Where the addresses of whoever has the token stand.
#[must_use]
pub fn emails_endpoint(provider: &Provider) -> String {
    format!("{}/user/emails?per_page=100", api(KIND.home(provider).trim_end_matches('/')))
}

#[derive(Deserialize)]
struct Address {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: bool,
}

/// The address that counts in the list of addresses. `None`: there is none, or the token doesn't open the
/// list, as where the app lacks the permission.
///
/// # Errors
/// [`ProviderFault::Status`], [`ProviderFault::NotJson`].
pub fn email(code: u16, body: &str) -> Result<Option<StatedEmail>, ProviderFault> {
    let step = Step::Emails;
    match code {
        200 => {}
        403 | 404 => return Ok(None),
        code => return Err(ProviderFault::Status { step, code }),
    }
    let all: Vec<Address> = serde_json::from_str(body).map_err(|_| ProviderFault::NotJson { step })?;
    let one = all.into_iter().find(|one| one.primary && one.verified);
    let email = one.and_then(|one| Email::parse(&one.email).ok());
    Ok(email.map(|email| StatedEmail { email, verified: true, authoritative: true }))
}

/// What the user's document and the address say.
///
/// # Errors
/// [`ProviderFault::Member`] without a numeric `id`.
pub fn claimed(
    provider: &Provider,
    user: &Document,
    email: Option<StatedEmail>,
) -> Result<Claimed, ProviderFault> {
    of_user(KIND.home(provider).trim_end_matches('/'), provider, user, email)
}
