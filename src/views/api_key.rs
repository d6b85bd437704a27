//! API keys.

use super::page::PageItem;
use super::text::{Id, Revealed, Texts, Time};
use crate::domain;
use crate::domain::id::ApiKeyId;
use crate::domain::role::Permission;
use crate::usecase::keys::api_keys::Added;
use schemars::JsonSchema;
use serde::Serialize;

/// An API key, without its secret.
#[derive(Serialize, JsonSchema, Debug)]
pub struct ApiKey<'a> {
    /// UUIDv7.
    id: Id<ApiKeyId>,
    /// As the audit log names the service.
    name: &'a str,
    /// Sorted; `area:action` or `area:*`.
    permissions: Texts<'a, Permission>,
    /// UTC.
    created_at: Time,
    /// Null: never.
    expires_at: Option<Time>,
    /// To the minute or so. Null: never.
    last_used_at: Option<Time>,
}

/// Shows an API key, without its secret.
#[must_use]
pub fn api_key(key: &domain::api_key::ApiKey) -> ApiKey<'_> {
    ApiKey {
        id: Id(key.id),
        name: key.name.as_str(),
        permissions: Texts(&key.permissions),
        created_at: Time(key.created_at),
        expires_at: key.expires_at.map(Time),
        last_used_at: key.last_used_at.map(Time),
    }
}

impl PageItem for ApiKey<'_> {
    const PAGE: &'static str = "ApiKeyPage";
    const ORDER: &'static str = "By name; expired ones too.";
}

/// A new API key, with its secret.
#[derive(Serialize, JsonSchema, Debug)]
pub struct CreatedApiKey<'a> {
    #[serde(flatten)]
    about: ApiKey<'a>,
    /// The key itself, shown this once, for `Authorization: Bearer`.
    key: Revealed<'a>,
}

/// Shows a new API key, with its secret.
#[must_use]
pub fn new_api_key(added: &Added) -> CreatedApiKey<'_> {
    CreatedApiKey { about: api_key(&added.key), key: Revealed(&added.secret) }
}
