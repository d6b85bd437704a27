//! Signing in by a passkey alone.

use super::ceremony::{self, Begun, Purpose, require_enabled};
use super::check::{PasskeyCheck, PasskeyVerdict, ShownPasskey, Use};
use crate::domain::audit::{Event, LoginFailure};
use crate::domain::caller::Caller;
use crate::domain::passkey::KeyStorage;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::signin::lockout::Attempt;
use crate::usecase::signin::proof::FirstFactor;
use crate::usecase::signin::session_start::Start;
use crate::usecase::signin::started::Started;
use crate::webauthn::{RequestOptions, UserVerification, request_options};

/// Begins a sign-in: the browser offers what it has for this domain. Nothing is kept of it.
///
/// # Errors
/// `not_found` while passkeys are off.
pub fn start(app: &App) -> Result<Begun<RequestOptions>, Refusal> {
    require_enabled(app)?;
    let rp_id = &app.config.passkeys.rp_id;
    let options = |challenge: &[u8]| request_options(rp_id, challenge, &[], UserVerification::Required);
    Ok(ceremony::begin(app, Purpose::SignIn, options))
}

/// Signs in whoever has shown a passkey; their device has verified them, so no other factor is asked for.
///
/// # Errors
/// `invalid_credentials`, the same for a passkey that nobody has, one that is refused, and a ceremony that is
/// dead; `account_disabled`; `email_not_verified`; `not_found` while passkeys are off; the store's.
pub fn finish(app: &App, caller: &Caller, shown: &ShownPasskey) -> Result<Started, Error> {
    require_enabled(app)?;
    let start = Start::new(app, caller, FirstFactor::Passkey(KeyStorage::Hardware).alone());
    // Whose it is, the passkey says. Nothing is guessed here, so that no lock of the account's is in the way.
    let attempt = Attempt::new(app, caller, String::new());
    let (check, shown) = (PasskeyCheck::new(app), shown.clone());
    let verified_alone = app.config.email_verification.required;
    let (salt, signer) = (start.salt, current_key::current(app)?);
    let (user, session) = app.store.write(caller, move |tx| {
        let PasskeyVerdict::Right { user, storage } = check.spend(tx, &shown, Use::Alone)? else {
            return Ok(Decision::Refuse(Refusal::InvalidCredentials));
        };
        let user = users::find(tx, user)?
            .ok_or_else(|| Fault::Internal("a passkey of nobody's was found".into()))?;
        if user.disabled_at.is_some() {
            tx.audit(&Event::LoginFailed { why: LoginFailure::Disabled, email: None }, user.id)?;
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        if user.email_verified_at.is_none() && verified_alone {
            tx.audit(&Event::LoginFailed { why: LoginFailure::Unverified, email: None }, user.id)?;
            return Ok(Decision::Refuse(Refusal::EmailNotVerified));
        }
        let attempt = attempt.at(user.email.key());
        let start = start.proved_by(FirstFactor::Passkey(storage).alone());
        Ok(Decision::Grant(start.run(tx, &attempt, user)?))
    })?;
    Ok(Started { user, session, salt, signer })
}
