//! The signing keys. A key that was unsealed once is remembered; whether it still counts is asked of
//! the database at every use, so that what an operator retires is refused on the next request.

use super::App;
use crate::config::Tokens;
use crate::crypto::seal::Sealer;
use crate::crypto::signing_key::{SigningKey, VerifyingKey};
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::keys;
use crate::store::tables::keys::StoredKey;
use crate::store::tx::{Query, Tx};
use crate::usecase::keys::signing_keys;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

#[derive(Debug)]
struct Loaded {
    signing: SigningKey,
    verifying: VerifyingKey,
}

#[derive(Debug)]
pub struct Keyring {
    sealer: Sealer,
    /// How long the tokens live that a login or a refresh gives.
    ttl: Duration,
    /// Whether the key that signs takes long: the one that was asked for last, before that one as configured.
    slow: AtomicBool,
    loaded: RwLock<HashMap<String, Arc<Loaded>>>,
}

impl Keyring {
    pub(in crate::usecase) fn new(sealer: Sealer, tokens: &Tokens) -> Self {
        Self {
            sealer,
            ttl: tokens.access_ttl,
            slow: AtomicBool::new(tokens.algorithm.signs_slowly()),
            loaded: RwLock::new(HashMap::new()),
        }
    }

    /// The key that signs now, asked for in the transaction whose outcome it signs, before anything is changed:
    /// what was committed can then be handed out. Its row says for how long the tokens live that it signs,
    /// before it signs one: a rotation keeps the key for that long.
    pub(in crate::usecase) fn current(&self, tx: &mut Tx<'_>) -> Result<Signer, Fault> {
        let signing = keys::find_signing(tx)?.ok_or_else(none)?;
        if signing.token_ttl < self.ttl {
            keys::save_token_ttl(tx, &signing.kid, self.ttl)?;
        }
        self.signer(tx, &signing.kid)
    }

    fn signer(&self, query: &impl Query, kid: &str) -> Result<Signer, Fault> {
        let loaded = match self.remembered(kid) {
            Some(loaded) => loaded,
            None => self.load(&keys::find(query, kid)?.ok_or_else(none)?)?,
        };
        self.slow.store(loaded.signing.algorithm.signs_slowly(), Relaxed);
        Ok(Signer(loaded))
    }

    fn remembered(&self, kid: &str) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    fn load(&self, stored: &StoredKey) -> Result<Arc<Loaded>, Fault> {
        if let Some(loaded) = self.remembered(&stored.kid) {
            return Ok(loaded);
        }
        let algorithm = signing_keys::algorithm(stored)?;
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
pub(in crate::usecase) fn verifying(app: &App, kid: &str) -> Result<Option<VerifyingKey>, Fault> {
    Ok(find(app, kid)?.map(|loaded| loaded.verifying.clone()))
}

/// The key that signs now: whoever has it can sign.
#[derive(Debug)]
pub(in crate::usecase) struct Signer(Arc<Loaded>);

impl Signer {
    pub(in crate::usecase) fn key(&self) -> &SigningKey {
        &self.0.signing
    }
}

/// Whether signing a token takes too long for a thread on which others wait. For where to do it, not for what: another
/// process may have changed the key.
#[must_use]
pub fn signs_slowly(app: &App) -> bool {
    app.keyring.slow.load(Relaxed)
}

/// As [`Keyring::current`], before a transaction.
pub(in crate::usecase) fn current(app: &App) -> Result<Signer, Error> {
    let keyring = Arc::clone(&app.keyring);
    let ready = app.store.read(|query| {
        let signing = keys::find_signing(query)?.ok_or_else(none)?;
        if signing.token_ttl < keyring.ttl { Ok(None) } else { keyring.signer(query, &signing.kid).map(Some) }
    })?;
    match ready {
        Some(signer) => Ok(signer),
        None => app.store.write(&Caller::system(), move |tx| keyring.current(tx).map(Decision::Grant)),
    }
}

fn none() -> Fault {
    Fault::Storage("the database has no signing key; `authd serve` makes one".into())
}

/// Makes the first signing key where there is none. Whether it did.
///
/// # Errors
/// Those of the store and of the crypto library.
pub(in crate::usecase) fn ensure(app: &App) -> Result<bool, Error> {
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
pub(in crate::usecase) fn generate(app: &App) -> Result<StoredKey, Fault> {
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
