//! The key that signs now, and those that verify, as actions ask for them.

use crate::crypto::signing_key::VerifyingKey;
use crate::domain::caller::Caller;
use crate::error::{Decision, Error, Fault};
use crate::store::tables::keys;
use crate::usecase::app::App;
use crate::usecase::app::keyring::Signer;
use serde_json::Value;
use std::sync::Arc;

/// The key of this name, if the database has (or had) it: the caller also asks whether it has it still.
pub(in crate::usecase) fn verifying(app: &App, kid: &str) -> Result<Option<VerifyingKey>, Fault> {
    app.keyring.verifying(&app.store, kid)
}

/// Whether signing a token takes too long for a thread on which others wait.
#[must_use]
pub fn signs_slowly(app: &App) -> bool {
    app.keyring.signs_slowly()
}

/// The key that signs now, asked for before a transaction. Its row is changed first where its tokens live
/// longer than it says.
pub(in crate::usecase) fn current(app: &App) -> Result<Signer, Error> {
    let keyring = Arc::clone(&app.keyring);
    match app.store.read(|query| keyring.ready(query))? {
        Some(signer) => Ok(signer),
        None => app.store.write(&Caller::system(), move |tx| keyring.current(tx).map(Decision::Grant)),
    }
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
            serde_json::from_str(jwk)
                .map_err(|error| Fault::Storage(format!("a public key is no JSON: {error}")))
        })
        .collect();
    Ok(serde_json::json!({ "keys": keys? }))
}
