//! Providers of identities, and the identities that sign in to an account.

use super::page::PageItem;
use super::text::{Id, Text, Time};
use crate::config::Provider;
use crate::domain;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::ProviderName;
use schemars::JsonSchema;
use serde::Serialize;

/// The providers that people can sign in with.
#[derive(Serialize, JsonSchema, Debug)]
pub struct SignInProviders<'a> {
    /// By name.
    providers: Vec<SignInProvider<'a>>,
}

/// A server whose accounts may sign in here.
#[derive(Serialize, JsonSchema, Debug)]
pub struct SignInProvider<'a> {
    /// As it stands in URLs.
    name: Text<&'a ProviderName>,
    /// `oidc`, `google`, `microsoft`, `github`, `gitlab`, `discord` or `apple`.
    kind: &'static str,
    /// What people call it.
    display_name: &'a str,
}

/// Shows the providers to whoever wants to sign in.
#[must_use]
pub fn sign_in_providers(providers: &[Provider]) -> SignInProviders<'_> {
    SignInProviders { providers: providers.iter().map(sign_in_provider).collect() }
}

fn sign_in_provider(provider: &Provider) -> SignInProvider<'_> {
    let Provider { name, kind, display_name, .. } = provider;
    SignInProvider { name: Text(name), kind: kind.name(), display_name }
}

/// Where a browser goes to link an identity.
#[derive(Serialize, JsonSchema, Debug)]
pub struct LinkBegun<'a> {
    /// At the provider; it counts for 10 minutes, in this browser.
    authorization_url: &'a str,
}

/// Shows where linking begins.
#[must_use]
pub const fn link_begun(authorization_url: &str) -> LinkBegun<'_> {
    LinkBegun { authorization_url }
}

/// An account elsewhere that signs in here.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Identity<'a> {
    id: Id<IdentityId>,
    /// As the configuration names it.
    provider: Text<&'a ProviderName>,
    /// Who vouches for the subject.
    issuer: &'a str,
    /// Who it is there.
    subject: &'a str,
    /// What the provider stated last; it only informs. Null: nothing.
    email: Option<&'a str>,
    /// UTC.
    linked_at: Time,
    /// Null: nobody has signed in by it.
    last_used_at: Option<Time>,
}

/// Shows an identity.
#[must_use]
pub fn identity(identity: &domain::identity::Identity) -> Identity<'_> {
    Identity {
        id: Id(identity.id),
        provider: Text(&identity.provider),
        issuer: &identity.key.issuer,
        subject: &identity.key.subject,
        email: identity.email.as_deref(),
        linked_at: Time(identity.linked_at),
        last_used_at: identity.last_used_at.map(Time),
    }
}

impl PageItem for Identity<'_> {
    const PAGE: &'static str = "IdentityPage";
    const ORDER: &'static str = "In the order in which they were linked.";
}

/// The identities of the caller.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Identities<'a> {
    /// In the order in which they were linked.
    identities: Vec<Identity<'a>>,
}

/// Shows the identities of the caller.
#[must_use]
pub fn own_identities(identities: &[domain::identity::Identity]) -> Identities<'_> {
    Identities { identities: identities.iter().map(identity).collect() }
}

/// An identity of somebody, as an operator sees it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct IdentityOf<'a> {
    user_id: Id<UserId>,
    #[serde(flatten)]
    identity: Identity<'a>,
}

/// Shows an identity together with whose it is.
#[must_use]
pub fn identity_of(of: &domain::identity::Identity) -> IdentityOf<'_> {
    IdentityOf { user_id: Id(of.user), identity: identity(of) }
}
