//! Whether a provider would do, looked at piece by piece for `authctl provider test`, past all copies.

use super::line::Line;
use super::secret;
use crate::config::{Provider, ProviderKind};
use crate::domain::time::Timestamp;
use crate::domain::url::Url;
use crate::oidc::discovery::Metadata;
use crate::oidc::fault::{ProviderFault, Step};
use crate::oidc::kinds;
use crate::ports::http_client::HttpResponse;
use crate::usecase::app::App;
use jiff::fmt::rfc2822;
use std::time::Duration;

/// How far apart two clocks may be: ID tokens are taken with a minute's leeway, and a `Date` says whole
/// seconds.
const APART: Duration = Duration::from_secs(50);

/// What was found of one piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Stable, snake_case: `discovery`, `keys`, `pkce`, `clock`, `secret`, `redirect_uri`.
    pub name: &'static str,
    pub is_good: bool,
    /// One line for people.
    pub says: String,
}

impl Check {
    fn good(name: &'static str, says: impl Into<String>) -> Self {
        Self { name, is_good: true, says: says.into() }
    }

    fn bad(name: &'static str, says: impl Into<String>) -> Self {
        Self { name, is_good: false, says: says.into() }
    }

    fn of(name: &'static str, result: Result<String, ProviderFault>) -> Self {
        match result {
            Ok(says) => Self::good(name, says),
            Err(fault) => Self::bad(name, fault.to_string()),
        }
    }
}

/// Looks at everything that can be without a person who signs in. Each piece is there once; `keys`, `pkce`
/// and `clock` are left out where what they stand on failed, or where the kind has none.
#[must_use]
pub fn inspect(app: &App, provider: &Provider) -> Vec<Check> {
    let state = app.providers.of(&provider.name);
    let mut checks = match Line::open(app, provider, &state) {
        Ok(line) => server(&line),
        Err(fault) => vec![Check::bad("discovery", fault.to_string())],
    };
    checks.push(Check::of("secret", client_secret(app, provider)));
    checks.push(redirect(app, provider));
    checks
}

fn server(line: &Line<'_>) -> Vec<Check> {
    if let Some(metadata) = kinds::of(line.provider.kind).fixed(line.provider) {
        return fixed(line, &metadata);
    }
    let (metadata, answer) = match line.discover() {
        Ok(found) => found,
        Err(fault) => return vec![Check::bad("discovery", fault.to_string())],
    };
    let says = format!("the metadata of {} are good", metadata.issuer.as_metadata());
    let keys = line.ask_for_keys(&metadata);
    let keys = keys.map(|keys| match keys.count() {
        1 => "1 key for signatures".to_owned(),
        count => format!("{count} keys for signatures"),
    });
    vec![
        Check::good("discovery", says),
        Check::of("keys", keys),
        Check::good("pkce", pkce(&metadata)),
        clock(line.app.now(), &answer),
    ]
}

/// Nobody has to sign in for an answer that says no.
fn fixed(line: &Line<'_>, metadata: &Metadata) -> Vec<Check> {
    let endpoint = metadata.userinfo_endpoint.as_deref().unwrap_or_default();
    match line.get(Step::UserInfo, endpoint, None) {
        Ok(answer) if answer.status < 500 => vec![
            Check::good("discovery", format!("{endpoint} answers; this kind needs no metadata")),
            clock(line.app.now(), &answer),
        ],
        Ok(answer) => {
            let fault = ProviderFault::Status { step: Step::UserInfo, code: answer.status };
            vec![Check::bad("discovery", fault.to_string())]
        }
        Err(fault) => vec![Check::bad("discovery", fault.to_string())],
    }
}

fn pkce(metadata: &Metadata) -> &'static str {
    match metadata.promises_s256 {
        Some(true) => "S256 is taken",
        Some(false) => "S256 is not named among its methods; it is sent all the same",
        None => "nothing is said of PKCE; S256 is sent all the same",
    }
}

fn clock(now: Timestamp, answer: &HttpResponse) -> Check {
    let Ok(theirs) = rfc2822::parse(answer.header("date")) else {
        return Check::good("clock", "the provider doesn't say its time");
    };
    let theirs = Timestamp::from_secs(theirs.timestamp().as_second());
    let apart = now.since(theirs).max(theirs.since(now));
    let says = format!("the provider's clock is {} s from this one", apart.as_secs());
    if apart <= APART {
        Check::good("clock", says)
    } else {
        Check::bad("clock", format!("{says}; set the one that is wrong, or no ID token will be taken"))
    }
}

fn client_secret(app: &App, provider: &Provider) -> Result<String, ProviderFault> {
    Ok(match secret::read(provider, app.now())? {
        None => "none: a public client, which proves itself by PKCE alone".to_owned(),
        Some(_) if provider.kind == ProviderKind::Apple => "the key in its file makes secrets".to_owned(),
        Some(_) => "its file can be read".to_owned(),
    })
}

fn redirect(app: &App, provider: &Provider) -> Check {
    let uri = provider.redirect_uri(&app.config.public_url);
    let is_https = uri.starts_with("https://");
    let is_private = Url::parse(&uri).is_ok_and(|url| url.is_private());
    match provider.kind {
        ProviderKind::Apple if !is_https => {
            Check::bad("redirect_uri", format!("{uri} (Apple takes https alone: set public_url)"))
        }
        _ if !is_private => {
            Check::bad("redirect_uri", format!("{uri} (providers take https alone: set public_url)"))
        }
        _ => Check::good("redirect_uri", uri),
    }
}
