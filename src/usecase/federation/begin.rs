//! Sending a browser to a provider, to sign in or to link an identity.

use super::attempt::{ATTEMPT_TTL, Browser, GoesOn, Kept, STATE_PREFIX};
use super::provider;
use crate::config::Provider;
use crate::crypto::opaque;
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, UserId};
use crate::domain::secret::Secret;
use crate::error::{Decision, Error, Refusal};
use crate::oidc::authorization::AuthorizationRequest;
use crate::store::tables::oauth_attempts::{self, Attempt};
use crate::usecase::app::App;
use crate::usecase::reauthenticate::require_fresh;

/// What somebody who is to be sent there wants.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub provider: &'a Provider,
    pub goes_on: GoesOn,
    /// The provider is to ask once more who it is, however long it has known them.
    pub again: bool,
    /// What the browser has kept of an earlier one. `None`: nothing.
    pub browser: Option<&'a str>,
}

/// A browser on its way.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The provider's address to go to.
    pub url: String,
    /// For the browser to keep, for [`ATTEMPT_TTL`].
    pub browser: Secret<String>,
}

/// Begins a sign-in.
///
/// # Errors
/// `validation_failed` for an address or a challenge that can't be; `provider_failed`; the store's.
pub fn sign_in(app: &App, caller: &Caller, wish: Wish<'_>) -> Result<Begun, Error> {
    if let GoesOn::FrontEnd { redirect_to, code_challenge } = &wish.goes_on {
        check_listed(app, redirect_to)?;
        check_challenge(code_challenge)?;
    }
    begin(app, caller, wish, None)
}

/// Begins to link an identity to the caller's account: it counts for this browser, and as long as the session
/// that asks lives.
///
/// # Errors
/// `fresh_login_required`; `email_not_verified`; as [`sign_in`].
pub fn link(app: &App, caller: &Caller, wish: Wish<'_>) -> Result<Begun, Error> {
    let me = require_fresh(app, caller)?.me;
    // Else whoever registered with somebody's address would go on signing in once they have come by it.
    if me.account.email_verified_at.is_none() {
        return Err(Refusal::EmailNotVerified.into());
    }
    if let GoesOn::Linked { redirect_to: Some(redirect_to) } = &wish.goes_on {
        check_listed(app, redirect_to)?;
    }
    begin(app, caller, wish, Some((me.account.id, me.session)))
}

fn begin(
    app: &App,
    caller: &Caller,
    wish: Wish<'_>,
    links: Option<(UserId, SessionId)>,
) -> Result<Begun, Error> {
    let (state, state_hash) = opaque::generate(STATE_PREFIX, app.entropy());
    let (nonce, _) = opaque::generate("", app.entropy());
    let (verifier, _) = opaque::generate("", app.entropy());
    let request = AuthorizationRequest {
        state: state.expose(),
        nonce: nonce.expose(),
        verifier: &verifier,
        redirect_uri: &wish.provider.redirect_uri(&app.config.public_url),
        fresh: wish.again,
    };
    // Nothing is kept of a sign-in that can't begin.
    let url = provider::authorization_url(app, wish.provider, &request).map_err(|fault| {
        let provider = &wish.provider.name;
        tracing::warn!(%provider, why = %fault, "a sign-in with a provider could not begin");
        Refusal::ProviderFailed
    })?;
    let kept = Kept {
        nonce: nonce.expose().clone(),
        verifier: verifier.expose().clone(),
        goes_on: wish.goes_on,
        asked_again_at: wish.again.then(|| app.now().as_millis()),
    };
    let browser = Browser::known_or_new(app, wish.browser);
    let attempt = Attempt { browser_hash: browser.hash, sealed: kept.seal(app, &state_hash), links };
    let name = wish.provider.name.clone();
    app.store.write(caller, move |tx| {
        oauth_attempts::insert(tx, &state_hash, &name, &attempt, tx.now().plus(ATTEMPT_TTL))?;
        Ok(Decision::Grant(()))
    })?;
    Ok(Begun { url, browser: browser.value })
}

fn check_listed(app: &App, redirect_to: &str) -> Result<(), Refusal> {
    if app.config.redirects.allowed.iter().any(|allowed| allowed == redirect_to) {
        return Ok(());
    }
    let message = "must be an address that redirects.allowed lists, to the letter";
    Err(Refusal::invalid("redirect_to", "invalid", message))
}

/// The challenge of a verifier by S256 (RFC 7636 §4.2): the SHA-256 in base64url.
fn check_challenge(challenge: &str) -> Result<(), Refusal> {
    let decoded = data_encoding::BASE64URL_NOPAD.decode(challenge.as_bytes());
    if decoded.is_ok_and(|hash| hash.len() == 32) {
        return Ok(());
    }
    let message = "must be the SHA-256 of your verifier in base64url, without padding (S256, RFC 7636)";
    Err(Refusal::invalid("code_challenge", "invalid", message))
}
