//! The signing keys. A key that was unsealed once is remembered; whether it still counts is asked of
//! the database at every use, so that what an operator retires is refused on the next request.

use super::app::App;
use crate::crypto::seal::Sealer;
use crate::crypto::signing_key::{SigningKey, VerifyingKey};
use crate::domain::algorithm::Algorithm;
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
        let algorithm = Algorithm::parse(&stored.algorithm)
            .ok_or_else(|| Fault::Storage(format!("a signing key has the unknown algorithm {}", stored.algorithm)))?;
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

pub(super) fn current(app: &App) -> Result<Signer, Fault> {
    let missing = || Fault::Storage("the database has no signing key; `authd serve` makes one".into());
    let kid = app.store.read(|query| keys::find_current(query))?.ok_or_else(missing)?;
    find(app, &kid)?.map(Signer).ok_or_else(missing)
}

/// Makes the first signing key where there is none. Whether it did.
///
/// # Errors
/// Those of the store and of the crypto library.
pub(super) fn ensure(app: &App) -> Result<bool, Error> {
    if app.store.read(|query| keys::find_current(query))?.is_some() {
        return Ok(false);
    }
    let key = SigningKey::generate(app.config.tokens.algorithm)?;
    let stored = StoredKey {
        kid: key.kid.clone(),
        algorithm: key.algorithm.name().into(),
        jwk: key.jwk.clone(),
        private_sealed: app.keyring.sealer.seal(app.entropy(), key.kid.as_bytes(), key.pkcs8().expose()),
        created_at: app.now(),
        retired_at: None,
    };
    app.store.write(&Caller::system(), move |tx| {
        if keys::find_current(tx)?.is_some() {
            return Ok(Decision::Grant(false));
        }
        keys::insert(tx, &stored)?;
        tx.audit(&Event::SigningKeyCreated { kid: stored.kid.clone() }, Subject::default())?;
        Ok(Decision::Grant(true))
    })
}

/// The public keys as a JWK set (RFC 7517 §5).
///
/// # Errors
/// The store's.
pub fn jwks(app: &App) -> Result<Value, Error> {
    let stored = app.store.read(|query| keys::list(query))?;
    let keys: Result<Vec<Value>, Fault> = stored
        .iter()
        .map(|key| {
            serde_json::from_str(&key.jwk).map_err(|error| Fault::Storage(format!("a public key is no JSON: {error}")))
        })
        .collect();
    Ok(serde_json::json!({ "keys": keys? }))
}
