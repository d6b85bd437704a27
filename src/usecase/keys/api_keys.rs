//! API keys: made, listed, changed and revoked.

use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::api_key::{ApiKey, ApiKeyName, PREFIX};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::id::ApiKeyId;
use crate::domain::role::Permission;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::Paged;
use crate::store::tables::api_keys;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::paging::by_name;
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::{require, require_over, require_own};
use std::time::Duration;

/// A key, by its id or by the name that it has now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApiKeyRef {
    Id(ApiKeyId),
    Name(ApiKeyName),
}

impl ApiKeyRef {
    fn missing(&self) -> Refusal {
        match self {
            Self::Id(id) => Refusal::not_found("API key", id.to_string()),
            Self::Name(name) => missing(name),
        }
    }
}

/// A key that is about to be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub name: ApiKeyName,
    pub permissions: Vec<Permission>,
    /// `None`: it never expires.
    pub ttl: Option<Duration>,
}

/// A key and its secret, which nothing can show again.
#[derive(Clone, Debug)]
pub struct Added {
    pub key: ApiKey,
    pub secret: Secret<String>,
}

/// Makes a key.
///
/// # Errors
/// `forbidden` without `keys:write`, or for a permission of authd's own that the caller does not hold;
/// `fresh_login_required` for a user; `validation_failed` for a life below a second; `already_exists`; the
/// store's.
pub fn add(app: &App, caller: &Caller, new: &NewApiKey) -> Result<Added, Error> {
    require(caller, "keys:write")?;
    require_own(caller, &new.permissions)?;
    let fresh = require_fresh_if_user(app, caller)?;
    let (draft, secret) = Draft::new(app, new);
    let key = fresh.write(app, caller, move |tx| draft.add_in(tx))?;
    Ok(Added { key, secret })
}

/// A key with its id and the hash of its secret, which are drawn before the transaction.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Draft {
    id: ApiKeyId,
    hash: OpaqueHash,
    new: NewApiKey,
}

impl Draft {
    /// The draft, and the secret.
    pub(in crate::usecase) fn new(app: &App, new: &NewApiKey) -> (Self, Secret<String>) {
        let id = ApiKeyId::new(app.now(), app.id_entropy());
        let (secret, hash) = opaque::generate(PREFIX, app.entropy());
        (Self { id, hash, new: new.clone() }, secret)
    }

    pub(in crate::usecase) fn add_in(&self, tx: &mut Tx<'_>) -> Result<Decision<ApiKey>, Fault> {
        let new = &self.new;
        if new.ttl.is_some_and(|ttl| ttl < Duration::from_secs(1)) {
            return Ok(Decision::Refuse(Refusal::invalid("ttl", "out_of_range", "a key lives at least 1s")));
        }
        if api_keys::find(tx, &new.name)?.is_some() {
            return Ok(Decision::Refuse(Refusal::AlreadyExists {
                what: "API key",
                name: new.name.to_string(),
            }));
        }
        let now = tx.now();
        let key = ApiKey {
            id: self.id,
            name: new.name.clone(),
            permissions: sorted(&new.permissions),
            created_at: now,
            expires_at: new.ttl.map(|ttl| now.plus(ttl)),
            last_used_at: None,
        };
        api_keys::insert(tx, &key, &self.hash)?;
        tx.audit(
            &Event::ApiKeyCreated { name: key.name.to_string(), id: key.id.to_string() },
            Subject::default(),
        )?;
        Ok(Decision::Grant(key))
    }
}

/// A page of the keys, by name, expired ones too: `limit` of them (at least 1), after the `next` of the
/// page before.
///
/// # Errors
/// `forbidden` without `keys:write`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn page(
    app: &App,
    caller: &Caller,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<ApiKey, String>, Error> {
    require(caller, "keys:write")?;
    by_name(cursor::List::ApiKeys, limit, after, |page| {
        app.store.read(|query| api_keys::list_page(query, &page))
    })
}

/// The key of this name. `None`: there is none.
///
/// # Errors
/// `forbidden` without `keys:write`; the store's.
pub fn find(app: &App, caller: &Caller, name: &ApiKeyName) -> Result<Option<ApiKey>, Error> {
    require(caller, "keys:write")?;
    Ok(app.store.read(|query| api_keys::find(query, name))?)
}

/// What to change. `None`: leave it.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub permissions: Option<Vec<Permission>>,
    pub expires_at: Option<Expiry>,
}

/// When a key ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    Never,
    At(Timestamp),
}

/// Changes what a key may do and how long; what stays the same leaves no trace.
///
/// # Errors
/// `forbidden` without `keys:write`, or for a permission of authd's own that the caller does not hold, given
/// or taken; `fresh_login_required` for a user; `not_found`; the store's.
pub fn edit(app: &App, caller: &Caller, name: &ApiKeyName, change: &Change) -> Result<ApiKey, Error> {
    require(caller, "keys:write")?;
    require_own(caller, change.permissions.as_deref().unwrap_or_default())?;
    let (changer, name, change) = (caller.clone(), name.clone(), change.clone());
    let fresh = require_fresh_if_user(app, caller)?;
    fresh.write(app, caller, move |tx| edit_in(tx, &changer, &name, &change))
}

pub(in crate::usecase) fn edit_in(
    tx: &mut Tx<'_>,
    changer: &Caller,
    name: &ApiKeyName,
    change: &Change,
) -> Result<Decision<ApiKey>, Fault> {
    let Some(before) = api_keys::find(tx, name)? else {
        return Ok(Decision::Refuse(missing(name)));
    };
    if let Err(refusal) = require_over(changer, &before.permissions) {
        return Ok(Decision::Refuse(refusal));
    }
    let key = changed(&before, change);
    if key != before {
        api_keys::save(tx, &key)?;
        tx.audit(
            &Event::ApiKeyChanged { name: key.name.to_string(), id: key.id.to_string() },
            Subject::default(),
        )?;
    }
    Ok(Decision::Grant(key))
}

/// Takes a key away: it counts no more on the next request, and its name is free.
///
/// # Errors
/// `forbidden` without `keys:write`, or for a key that holds more of authd than the caller;
/// `fresh_login_required` for a user; `not_found`; the store's.
pub fn revoke(app: &App, caller: &Caller, of: &ApiKeyRef) -> Result<ApiKey, Error> {
    require(caller, "keys:write")?;
    let (changer, of) = (caller.clone(), of.clone());
    let fresh = require_fresh_if_user(app, caller)?;
    fresh.write(app, caller, move |tx| revoke_in(tx, &changer, &of))
}

pub(in crate::usecase) fn revoke_in(
    tx: &mut Tx<'_>,
    changer: &Caller,
    of: &ApiKeyRef,
) -> Result<Decision<ApiKey>, Fault> {
    let found = match of {
        ApiKeyRef::Id(id) => api_keys::find_by_id(tx, *id)?,
        ApiKeyRef::Name(name) => api_keys::find(tx, name)?,
    };
    let Some(key) = found else {
        return Ok(Decision::Refuse(of.missing()));
    };
    if let Err(refusal) = require_over(changer, &key.permissions) {
        return Ok(Decision::Refuse(refusal));
    }
    api_keys::delete(tx, key.id)?;
    tx.audit(
        &Event::ApiKeyRevoked { name: key.name.to_string(), id: key.id.to_string() },
        Subject::default(),
    )?;
    Ok(Decision::Grant(key))
}

fn changed(key: &ApiKey, change: &Change) -> ApiKey {
    ApiKey {
        permissions: change.permissions.as_deref().map_or_else(|| key.permissions.clone(), sorted),
        expires_at: match change.expires_at {
            None => key.expires_at,
            Some(Expiry::Never) => None,
            Some(Expiry::At(time)) => Some(time),
        },
        ..key.clone()
    }
}

fn sorted(permissions: &[Permission]) -> Vec<Permission> {
    let mut permissions = permissions.to_vec();
    permissions.sort();
    permissions.dedup();
    permissions
}

fn missing(name: &ApiKeyName) -> Refusal {
    Refusal::not_found("API key", name.as_str())
}
