//! The signing keys. A key that was unsealed once is remembered; whether it still counts is asked of
//! the database at every use, so that what an operator retires is refused on the next request.

use super::app::App;
use super::signing_key;
use crate::crypto::seal::Sealer;
use crate::crypto::signing_key::{SigningKey, VerifyingKey};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::keys::{self, StoredKey};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Debug)]
struct Loaded {
    signing: SigningKey,
    verifying: VerifyingKey,
}

#[derive(Debug)]
pub struct Keyring {
    sealer: Sealer,
    loaded: RwLock<HashMap<String, Arc<Loaded>>>,
}

impl Keyring {
    pub(super) fn new(sealer: Sealer) -> Self {
        Self { sealer, loaded: RwLock::new(HashMap::new()) }
    }

    fn remembered(&self, kid: &str) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    fn load(&self, stored: &StoredKey) -> Result<Arc<Loaded>, Fault> {
        if let Some(loaded) = self.remembered(&stored.kid) {
            return Ok(loaded);
        }
        let algorithm = signing_key::algorithm(stored)?;
        let pkcs8 = self.sealer.open(stored.kid.as_bytes(), &stored.private_sealed)?;
        let loaded = Arc::new(Loaded {
            signing: SigningKey::from_pkcs8(algorithm, pkcs8)?,
            verifying: VerifyingKey::from_jwk(&stored.kid, algorithm, &stored.jwk)?,
        });
        let mut all = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(stored.kid.clone(), Arc::clone(&loaded));
        Ok(loaded)
    }
}

fn find(app: &App, kid: &str) -> Result<Option<Arc<Loaded>>, Fault> {
    if let Some(loaded) = app.keyring.remembered(kid) {
        return Ok(Some(loaded));
    }
    match app.store.read(|query| keys::find(query, kid))? {
        Some(stored) => app.keyring.load(&stored).map(Some),
        None => Ok(None),
    }
}

/// The key of this name, if the database has (or had) it: the caller also asks whether it has it still.
pub(super) fn verifying(app: &App, kid: &str) -> Result<Option<VerifyingKey>, Fault> {
    Ok(find(app, kid)?.map(|loaded| loaded.verifying.clone()))
}

/// The key that signs now. Fetched before the transaction whose outcome it signs: what was committed can
/// then be handed out.
#[derive(Debug)]
pub(super) struct Signer(Arc<Loaded>);

impl Signer {
    pub(super) fn key(&self) -> &SigningKey {
        &self.0.signing
    }
}

/// The key that signs now. Its row says for how long the tokens live that it signs, before it signs one:
/// a rotation keeps the key for that long.
pub(super) fn current(app: &App) -> Result<Signer, Error> {
    let ttl = app.config.tokens.access_ttl;
    let mut stored = app.store.read(|query| keys::find_current(query))?.ok_or_else(none)?;
    if stored.token_ttl < ttl {
        stored = app.store.write(&Caller::system(), move |tx| {
            let stored = keys::find_current(tx)?.ok_or_else(none)?;
            keys::save_token_ttl(tx, &stored.kid, stored.token_ttl.max(ttl))?;
            Ok(Decision::Grant(stored))
        })?;
    }
    Ok(Signer(app.keyring.load(&stored)?))
}

fn none() -> Fault {
    Fault::Storage("the database has no signing key; `authd serve` makes one".into())
}

/// Makes the first signing key where there is none. Whether it did.
///
/// # Errors
/// Those of the store and of the crypto library.
pub(super) fn ensure(app: &App) -> Result<bool, Error> {
    if app.store.read(|query| keys::find_current(query))?.is_some() {
        return Ok(false);
    }
    let stored = generate(app)?;
    app.store.write(&Caller::system(), move |tx| {
        if keys::find_current(tx)?.is_some() {
            return Ok(Decision::Grant(false));
        }
        keys::insert(tx, &stored)?;
        tx.audit(&Event::SigningKeyCreated { kid: stored.kid.clone() }, Subject::default())?;
        Ok(Decision::Grant(true))
    })
}

/// Draws a key of the configured algorithm, sealed and ready to be stored.
pub(super) fn generate(app: &App) -> Result<StoredKey, Fault> {
    let key = loop {
        let key = SigningKey::generate(app.config.tokens.algorithm)?;
        // A name that is typed as an argument must not look like a flag. One in 64 would.
        if !key.kid.starts_with('-') {
            break key;
        }
    };
    Ok(StoredKey {
        private_sealed: app.keyring.sealer.seal(app.entropy(), key.kid.as_bytes(), key.pkcs8().expose()),
        kid: key.kid,
        algorithm: key.algorithm.name().into(),
        jwk: key.jwk,
        created_at: app.now(),
        retired_at: None,
        token_ttl: app.config.tokens.access_ttl,
        keep_until: app.now(),
    })
}

/// The public keys as a JWK set (RFC 7517 §5).
///
/// # Errors
/// The store's.
pub fn jwks(app: &App) -> Result<Value, Error> {
    let now = app.now();
    let public = app.store.read(|query| keys::list_public(query, now))?;
    let keys: Result<Vec<Value>, Fault> = public
        .iter()
        .map(|jwk| {
            serde_json::from_str(jwk).map_err(|error| Fault::Storage(format!("a public key is no JSON: {error}")))
        })
        .collect();
    Ok(serde_json::json!({ "keys": keys? }))
}
