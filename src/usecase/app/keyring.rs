//! The signing keys. A key that was unsealed once is remembered; whether it still counts is asked of
//! the database at every use, so that what an operator retires is refused on the next request.

use super::ports::Ports;
use crate::config::Tokens;
use crate::crypto::seal::Sealer;
use crate::crypto::signing_key::{SigningKey, VerifyingKey};
use crate::domain::algorithm::Algorithm;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::Store;
use crate::store::tables::keys::{self, StoredKey};
use crate::store::tx::{Query, Tx};
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
    /// The configured algorithm, of which a new key is.
    algorithm: Algorithm,
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
            algorithm: tokens.algorithm,
            ttl: tokens.access_ttl,
            slow: AtomicBool::new(tokens.algorithm.signs_slowly()),
            loaded: RwLock::new(HashMap::new()),
        }
    }

    /// The key that signs now, asked for in the transaction whose outcome it signs, before anything is
    /// changed: what was committed can then be handed out. Its row says for how long the tokens live that it
    /// signs, before it signs one: a rotation keeps the key for that long.
    pub(in crate::usecase) fn current(&self, tx: &mut Tx<'_>) -> Result<Signer, Fault> {
        let signing = keys::find_signing(tx)?.ok_or_else(none)?;
        if signing.token_ttl < self.ttl {
            keys::save_token_ttl(tx, &signing.kid, self.ttl)?;
        }
        self.signer(tx, &signing.kid)
    }

    fn signer(&self, query: &impl Query, kid: &str) -> Result<Signer, Fault> {
        let loaded = match self.unsealed(kid) {
            Some(loaded) => loaded,
            None => self.load(&keys::find(query, kid)?.ok_or_else(none)?)?,
        };
        self.slow.store(loaded.signing.algorithm.signs_slowly(), Relaxed);
        Ok(Signer(loaded))
    }

    /// As [`Keyring::current`], in a read. `None`: the key's row must be changed first.
    pub(in crate::usecase) fn ready(&self, query: &impl Query) -> Result<Option<Signer>, Fault> {
        let signing = keys::find_signing(query)?.ok_or_else(none)?;
        if signing.token_ttl < self.ttl { Ok(None) } else { self.signer(query, &signing.kid).map(Some) }
    }

    /// Whether signing a token takes too long for a thread on which others wait. For where to do it, not for
    /// what: another process may have changed the key.
    pub(in crate::usecase) fn signs_slowly(&self) -> bool {
        self.slow.load(Relaxed)
    }

    /// The key of this name, if the database has (or had) it: the caller also asks whether it has it still.
    pub(in crate::usecase) fn verifying(
        &self,
        store: &Store,
        kid: &str,
    ) -> Result<Option<VerifyingKey>, Fault> {
        let loaded = match self.unsealed(kid) {
            Some(loaded) => Some(loaded),
            None => {
                store.read(|query| keys::find(query, kid))?.map(|stored| self.load(&stored)).transpose()?
            }
        };
        Ok(loaded.map(|loaded| loaded.verifying.clone()))
    }

    /// Draws a key of the configured algorithm, sealed and ready to be stored.
    pub(in crate::usecase) fn generate(&self, ports: &Ports) -> Result<StoredKey, Fault> {
        let key = loop {
            let key = SigningKey::generate(self.algorithm, &*ports.entropy)?;
            // A name that is typed as an argument must not look like a flag. One in 64 would.
            if !key.kid.starts_with('-') {
                break key;
            }
        };
        let now = ports.clock.now();
        Ok(StoredKey {
            private_sealed: self.sealer.seal(&*ports.entropy, key.kid.as_bytes(), key.pkcs8().expose()),
            kid: key.kid,
            algorithm: key.algorithm.name().into(),
            jwk: key.jwk,
            created_at: now,
            retired_at: None,
            token_ttl: self.ttl,
            keep_until: now,
        })
    }

    /// Makes the first signing key where there is none. Whether it did.
    ///
    /// # Errors
    /// Those of the store and of the crypto library.
    pub(super) fn ensure(&self, store: &Store, ports: &Ports) -> Result<bool, Error> {
        if store.read(|query| keys::find_current(query))?.is_some() {
            return Ok(false);
        }
        let stored = self.generate(ports)?;
        store.write(&Caller::system(), move |tx| {
            if keys::find_current(tx)?.is_some() {
                return Ok(Decision::Grant(false));
            }
            insert_first(tx, &stored)?;
            Ok(Decision::Grant(true))
        })
    }

    fn unsealed(&self, kid: &str) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    fn load(&self, stored: &StoredKey) -> Result<Arc<Loaded>, Fault> {
        if let Some(loaded) = self.unsealed(&stored.kid) {
            return Ok(loaded);
        }
        let algorithm = algorithm_of(stored)?;
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

/// Inserts the first signing key, or the first again.
pub(in crate::usecase) fn insert_first(tx: &mut Tx<'_>, key: &StoredKey) -> Result<(), Fault> {
    keys::insert(tx, key)?;
    tx.audit(&Event::SigningKeyCreated { kid: key.kid.clone() }, Subject::default())
}

/// The key that signs now: whoever has it can sign.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct Signer(Arc<Loaded>);

impl Signer {
    pub(in crate::usecase) fn key(&self) -> &SigningKey {
        &self.0.signing
    }
}

fn none() -> Fault {
    Fault::Storage("the database has no signing key; `authd serve` makes one".into())
}

/// The algorithm that a stored key is for.
pub(in crate::usecase) fn algorithm_of(stored: &StoredKey) -> Result<Algorithm, Fault> {
    Algorithm::parse(&stored.algorithm).ok_or_else(|| {
        Fault::Storage(format!("a signing key has the unknown algorithm {}", stored.algorithm))
    })
}
