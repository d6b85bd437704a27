//! Passkeys, and the ceremonies by which they are made and used.

use super::page::PageItem;
use super::text::{AllRevealed, Id, Text, Time};
use crate::domain;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::secret::Secret;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A ceremony that has begun (WebAuthn Level 3 §7).
#[derive(Serialize, JsonSchema, Debug)]
pub struct PasskeyCeremony<'a> {
    /// Comes back with what the browser says, within 5 minutes.
    ceremony: &'a str,
    /// For `parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` in the browser.
    #[serde(rename = "publicKey")]
    public_key: OptionsObject,
}

/// The standard's own JSON.
#[derive(Serialize, JsonSchema, Debug)]
#[schemars(inline)]
struct OptionsObject(#[schemars(with = "serde_json::Map<String, Value>")] Value);

/// Shows a ceremony that has begun. `options`: an object.
#[must_use]
pub const fn passkey_ceremony(ceremony: &str, options: Value) -> PasskeyCeremony<'_> {
    PasskeyCeremony { ceremony, public_key: OptionsObject(options) }
}

/// A public key that signs somebody in.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Passkey<'a> {
    id: Id<PasskeyId>,
    /// As its owner calls it; may be empty.
    name: &'a str,
    /// UTC.
    created_at: Time,
    /// Null: never.
    last_used_at: Option<Time>,
    /// Whether it was kept by a service, or on several devices, when it was used last.
    backed_up: bool,
    /// The domain that it was made for.
    rp_id: &'a str,
    /// How a browser reaches its device, such as `internal`, `hybrid`, `usb`; sorted.
    transports: &'a [String],
}

impl PageItem for Passkey<'_> {
    const PAGE: &'static str = "PasskeyPage";
    const ORDER: &'static str = "In the order in which they were added.";
}

/// Shows a passkey.
#[must_use]
pub fn passkey(passkey: &domain::passkey::Passkey) -> Passkey<'_> {
    Passkey {
        id: Id(passkey.id),
        name: passkey.name.as_str(),
        created_at: Time(passkey.created_at),
        last_used_at: passkey.last_used_at.map(Time),
        backed_up: passkey.backed_up,
        rp_id: &passkey.rp_id,
        transports: &passkey.transports,
    }
}

/// The caller's passkeys.
#[derive(Serialize, JsonSchema, Debug)]
pub struct Passkeys<'a> {
    /// In the order in which they were added.
    passkeys: Vec<Passkey<'a>>,
}

/// Shows the caller's passkeys.
#[must_use]
pub fn own_passkeys(all: &[domain::passkey::Passkey]) -> Passkeys<'_> {
    Passkeys { passkeys: all.iter().map(passkey).collect() }
}

/// A passkey of somebody, as an operator sees it.
#[derive(Serialize, JsonSchema, Debug)]
pub struct PasskeyOf<'a> {
    user_id: Id<UserId>,
    #[serde(flatten)]
    passkey: Passkey<'a>,
}

/// Shows a passkey together with whose it is.
#[must_use]
pub fn passkey_of(of: &domain::passkey::Passkey) -> PasskeyOf<'_> {
    PasskeyOf { user_id: Id(of.user), passkey: passkey(of) }
}

/// A passkey that was added.
#[derive(Serialize, JsonSchema, Debug)]
pub struct PasskeyAdded<'a> {
    #[serde(flatten)]
    passkey: Passkey<'a>,
    /// Ten, each good once in the place of a factor, where this is the account's first second factor. Null:
    /// there was one before.
    recovery_codes: Option<AllRevealed<'a>>,
}

/// Shows a passkey that was added. `recovery_codes`: those that came with it.
#[must_use]
pub fn passkey_added<'a>(
    added: &'a domain::passkey::Passkey,
    recovery_codes: Option<&'a [Secret<String>]>,
) -> PasskeyAdded<'a> {
    PasskeyAdded { passkey: passkey(added), recovery_codes: recovery_codes.map(AllRevealed) }
}

/// The origins whose pages may use these passkeys (§5.11).
#[derive(Serialize, JsonSchema, Debug)]
pub struct RelatedOrigins<'a> {
    origins: Vec<Text<&'a str>>,
}

/// Shows the related origins.
#[must_use]
pub fn related_origins(origins: &[String]) -> RelatedOrigins<'_> {
    RelatedOrigins { origins: origins.iter().map(|origin| Text(origin.as_str())).collect() }
}
