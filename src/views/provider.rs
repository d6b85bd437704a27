//! Providers of identities, as the configuration has them.

use super::text::Text;
use crate::config::Provider;
use crate::usecase::federation::provider::Check;
use schemars::JsonSchema;
use serde::Serialize;

/// A provider of identities, as the configuration has it, without its secret.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ConfiguredProvider<'a> {
    /// As it stands in URLs.
    name: &'a str,
    /// `oidc`, `google`, `microsoft`, `github`, `gitlab`, `discord` or `apple`.
    kind: &'static str,
    /// What people call it.
    display_name: &'a str,
    client_id: &'a str,
    /// Null: the kind's own.
    issuer: Option<&'a str>,
    /// What is to be entered at the provider, to the letter.
    redirect_uri: Text<String>,
    /// Whether somebody without an account gets one, where registration is open.
    sign_up: bool,
    /// `never` or `verified`: when an identity may take an account that has its address.
    link_by_email: &'static str,
}

/// Shows a provider, which sends browsers back below `public_url`.
#[must_use]
pub fn configured_provider<'a>(provider: &'a Provider, public_url: &str) -> ConfiguredProvider<'a> {
    ConfiguredProvider {
        name: provider.name.as_str(),
        kind: provider.kind.name(),
        display_name: &provider.display_name,
        client_id: &provider.client_id,
        issuer: Some(provider.issuer.as_str()).filter(|issuer| !issuer.is_empty()),
        redirect_uri: Text(provider.redirect_uri(public_url)),
        sign_up: provider.sign_up,
        link_by_email: provider.link_by_email.name(),
    }
}

/// What was found of one piece of a provider.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ProviderCheck<'a> {
    /// `discovery`, `keys`, `pkce`, `clock`, `secret` or `redirect_uri`.
    check: &'static str,
    /// `ok` or `bad`.
    state: &'static str,
    /// What is so; of `redirect_uri`, the URI to enter at the provider.
    says: &'a str,
}

/// Shows what was found of one piece of a provider.
#[must_use]
pub fn provider_check(check: &Check) -> ProviderCheck<'_> {
    ProviderCheck { check: check.name, state: if check.is_good { "ok" } else { "bad" }, says: &check.says }
}
