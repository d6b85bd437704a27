//! Signing keys.

use super::page::PageItem;
use super::text::{AnyObject, Time};
use crate::domain;
use crate::domain::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A signing key, without its private half.
#[derive(Serialize, JsonSchema, Debug)]
pub struct SigningKey<'a> {
    /// RFC 7638 thumbprint.
    kid: &'a str,
    algorithm: &'static str,
    state: &'static str,
    created_at: Time,
    /// Null: it signs.
    retired_at: Option<Time>,
    /// From then on no token that it signed can still live.
    keep_until: Option<Time>,
}

/// Shows a signing key, without its private half. `now` decides whether its time is over.
#[must_use]
pub fn signing_key(key: &domain::signing_key::SigningKey, now: Timestamp) -> SigningKey<'_> {
    SigningKey {
        kid: &key.kid,
        algorithm: key.algorithm.name(),
        state: key.state(now).name(),
        created_at: Time(key.created_at),
        retired_at: key.retired.map(|retired| Time(retired.at)),
        keep_until: key.retired.map(|retired| Time(retired.keep_until)),
    }
}

impl PageItem for SigningKey<'_> {
    const PAGE: &'static str = "SigningKeyPage";
    const ORDER: &'static str = "Oldest first.";
}

/// The public halves of the signing keys: a JWK set (RFC 7517 §5).
#[derive(Serialize, JsonSchema, Debug)]
pub struct KeySet<'a> {
    /// JWKs (RFC 7517 §4).
    #[schemars(with = "Vec<AnyObject>")]
    keys: &'a [Value],
}

/// Shows a JWK set, whose keys are as the JOSE library writes them.
#[must_use]
pub fn key_set(jwks: &Value) -> KeySet<'_> {
    KeySet { keys: jwks["keys"].as_array().map_or(&[], Vec::as_slice) }
}
