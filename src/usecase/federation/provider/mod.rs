//! The client of one configured provider: where a browser is sent, and who it is that comes back.
//!
//! Nothing here waits inside a transaction. How long it can take: ten seconds for all that one call asks.

mod inspect;
mod line;
mod secret;

pub use inspect::{Check, inspect};

use crate::config::Provider;
use crate::domain::identity::{Claimed, StatedEmail};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::oidc::authorization::{self, AuthorizationRequest};
use crate::oidc::claims;
use crate::oidc::discovery::Metadata;
use crate::oidc::document::Document;
use crate::oidc::fault::{ProviderFault, Step, TokenFlaw};
use crate::oidc::id_token::{self, Expected, ProvedSince};
use crate::oidc::kinds;
use crate::oidc::kinds::kind::Person;
use crate::oidc::kinds::{apple, discord, github};
use crate::oidc::token_request::{self, Exchange};
use crate::oidc::tokens::{self, Tokens};
use crate::oidc::userinfo;
use crate::usecase::app::App;
use line::Line;
use std::sync::Arc;

/// What a browser brings back from the provider, unjudged.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'a> {
    pub code: &'a str,
    /// Who says that it sent the browser back (RFC 9207).
    pub iss: Option<&'a str>,
    /// Apple's field with the name, JSON.
    pub user: Option<&'a str>,
}

/// What was laid down when the browser was sent out.
#[derive(Clone, Copy, Debug)]
pub struct Awaited<'a> {
    pub nonce: &'a str,
    pub verifier: &'a Secret<String>,
    pub redirect_uri: &'a str,
    /// When the provider was asked to ask once more who it is. `None`: it was not.
    pub asked_again_at: Option<Timestamp>,
}

/// The URL that a browser is sent to.
///
/// # Errors
/// [`ProviderFault`], where its metadata aren't at hand and can't be had.
pub fn authorization_url(
    app: &App,
    provider: &Provider,
    ask: &AuthorizationRequest<'_>,
) -> Result<String, ProviderFault> {
    let metadata = metadata(app, provider)?;
    Ok(authorization::url(&metadata, kinds::of(provider.kind), provider, ask))
}

/// What a callback with an `error` means: [`ProviderFault::Refused`], or that it is not the provider's.
#[must_use]
pub fn refusal(app: &App, provider: &Provider, error: &str, iss: Option<&str>) -> ProviderFault {
    let checked = metadata(app, provider).and_then(|metadata| authorization::check_issuer(&metadata, iss));
    checked.map_or_else(|fault| fault, |()| authorization::refusal(error))
}

/// Exchanges the code of a callback, checks all that comes of it, and gives what the provider says of whoever
/// came back. The caller has checked the state and spent it.
///
/// # Errors
/// [`ProviderFault`].
pub fn claimed(
    app: &App,
    provider: &Provider,
    callback: &Callback<'_>,
    awaited: &Awaited<'_>,
) -> Result<Claimed, ProviderFault> {
    let state = app.providers.of(&provider.name);
    let line = Line::open(app, provider, &state)?;
    let metadata = line.metadata()?;
    // Before the code is sent anywhere: it may be another provider's (mix-up).
    authorization::check_issuer(&metadata, callback.iss)?;
    let tokens = exchange(&line, &metadata, callback.code, awaited)?;
    match kinds::of(provider.kind).person {
        Person::IdToken => by_id_token(&line, &metadata, &tokens, awaited),
        Person::IdTokenOfApple => {
            let mut claimed = by_id_token(&line, &metadata, &tokens, awaited)?;
            claimed.name = callback.user.map(apple::name).unwrap_or_default();
            Ok(claimed)
        }
        Person::GithubUser => {
            let token = access_token(&tokens)?;
            let user = user(&line, &metadata, token)?;
            github::claimed(provider, &user, github_email(&line, token)?)
        }
        Person::DiscordUser => discord::claimed(provider, &user(&line, &metadata, access_token(&tokens)?)?),
    }
}

/// Without a turn where they are at hand: nobody is asked.
fn metadata(app: &App, provider: &Provider) -> Result<Arc<Metadata>, ProviderFault> {
    if let Some(metadata) = kinds::of(provider.kind).fixed(provider) {
        return Ok(Arc::new(metadata));
    }
    let state = app.providers.of(&provider.name);
    match state.metadata.at_hand(app.elapsed()) {
        Some(metadata) => metadata,
        None => Line::open(app, provider, &state)?.metadata(),
    }
}

fn exchange(
    line: &Line<'_>,
    metadata: &Metadata,
    code: &str,
    awaited: &Awaited<'_>,
) -> Result<Tokens, ProviderFault> {
    let secret = secret::read(line.provider, line.app.now())?;
    let request = token_request::exchange(
        metadata,
        &Exchange {
            client_id: &line.provider.client_id,
            client_secret: secret.as_ref(),
            code,
            verifier: awaited.verifier,
            redirect_uri: awaited.redirect_uri,
        },
    );
    let answer = line.post(request)?;
    tokens::parse(answer.status, &answer.body)
}

fn by_id_token(
    line: &Line<'_>,
    metadata: &Metadata,
    tokens: &Tokens,
    awaited: &Awaited<'_>,
) -> Result<Claimed, ProviderFault> {
    let (provider, kind) = (line.provider, kinds::of(line.provider.kind));
    let member = |name| ProviderFault::Member { step: Step::Token, name };
    let token = tokens.id_token.as_ref().ok_or_else(|| member("id_token"))?.expose();
    let expected = Expected {
        issuer: &kind.discovery(provider).1,
        client_id: &provider.client_id,
        nonce: awaited.nonce,
        algorithms: &metadata.algorithms,
        access_token: tokens.access_token.as_ref(),
        now: line.app.now(),
        proved_since: awaited
            .asked_again_at
            .map(|at| ProvedSince { at, must_be_told: kind.limits_age() && metadata.promises_auth_time }),
    };
    let keys = line.keys(metadata)?;
    let mut verified = id_token::verify(token, &keys, &expected);
    if verified == Err(TokenFlaw::UnknownKey) {
        verified = id_token::verify(token, &line.newer_keys(metadata, &keys), &expected);
    }
    let id_token = verified?;
    let endpoint = metadata.userinfo_endpoint.as_ref();
    let userinfo = match (endpoint, tokens.access_token.as_ref()) {
        (Some(_), Some(token)) if claims::wants_userinfo(kind, provider, &id_token) => {
            let userinfo = user(line, metadata, token)?;
            userinfo::check_subject(&userinfo, &id_token)?;
            Some(userinfo)
        }
        _ => None,
    };
    claims::of_id_token(kind, provider, &id_token, userinfo.as_ref())
}

fn access_token(tokens: &Tokens) -> Result<&Secret<String>, ProviderFault> {
    let fault = ProviderFault::Member { step: Step::Token, name: "access_token" };
    tokens.access_token.as_ref().ok_or(fault)
}

fn user(line: &Line<'_>, metadata: &Metadata, token: &Secret<String>) -> Result<Document, ProviderFault> {
    let endpoint = metadata.userinfo_endpoint.as_deref().unwrap_or_default();
    let answer = line.get(Step::UserInfo, endpoint, Some(token))?;
    userinfo::parse(Step::UserInfo, answer.status, &answer.body)
}

fn github_email(line: &Line<'_>, token: &Secret<String>) -> Result<Option<StatedEmail>, ProviderFault> {
    let answer = line.get(Step::Emails, &github::emails_endpoint(line.provider), Some(token))?;
    github::email(answer.status, &answer.body)
}
