//! Proving once more who one is, in a session that goes on.

use crate::domain::access::SignedIn;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::passkey::KeyStorage;
use crate::domain::password::Password;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{sessions, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::reauthenticate::require_fresh_of_any;
use crate::usecase::require_any_user;
use crate::usecase::signin::factor::{Factor, FactorCheck, FactorVerdict};
use crate::usecase::signin::lockout::{self, Attempt};
use crate::usecase::signin::passkey::ceremony::require_enabled;
use crate::usecase::signin::passkey::check::{PasskeyCheck, PasskeyVerdict, ShownPasskey, Use};
use crate::usecase::signin::password;
use crate::usecase::signin::proof::{FirstFactor, Proof, SecondFactor};
use crate::usecase::signin::session_cookie::{self, CookieParts, SessionCookie};
use crate::usecase::signin::session_start::{Life, life, prove_anew};
use std::time::Duration;

/// Makes the caller's session fresh, by the password and, where one is on, the second factor; gives the next
/// cookie where the person has shown one. The session lives no longer for it, and access tokens from before
/// its last refresh count no more. A session of an account without a password must be fresh already, by a new
/// login.
///
/// # Errors
/// `validation_failed` where no password is shown and there is one; `fresh_login_required` where there is
/// none; `invalid_credentials`, counted by the lockout; `too_many_attempts`; `invalid_code` where a second
/// factor is on and not shown right; `overloaded`; the store's.
pub fn reauthenticate(
    app: &App,
    caller: &Caller,
    password: Option<&Password>,
    factor: Option<&Factor>,
) -> Result<Option<SessionCookie>, Error> {
    let me = require_any_user(caller)?.clone();
    let user = app.store.read(|query| users::find(query, me.account.id))?.ok_or(Refusal::InvalidToken)?;
    let Some(proven) = password::check_if_any(app, caller, &user, password)? else {
        // Who signs in with others proves it by doing so once more.
        return require_fresh_of_any(app, caller).map(|_| None);
    };
    let (check, factor, idle) = (FactorCheck::new(app, caller), factor.cloned(), app.lifetime().idle);
    let lives = [FirstFactor::Password.alone(), FirstFactor::Password.and(SecondFactor::Code)]
        .map(|proof| life(&app.config, proof));
    let next = app.store.write(caller, move |tx| {
        let Some(user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if users::find_password_hash(tx, user.id)?.as_ref() != Some(&proven) {
            return Ok(Decision::Refuse(Refusal::WrongPassword));
        }
        if !goes_on(tx, &me, idle)? {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        }
        let (proof, life) = if user.has_two_factor() {
            let shown = factor.as_ref().map(|factor| check.spend(tx, &user, factor)).transpose()?;
            let Some(FactorVerdict::Right(second)) = shown else {
                return Ok(Decision::Refuse(Refusal::InvalidCode));
            };
            (FirstFactor::Password.and(second), lives[1])
        } else {
            (FirstFactor::Password.alone(), lives[0])
        };
        Ok(Decision::Grant(renew(tx, &me, proof, life)?))
    })?;
    Ok(next.map(|next| next.cookie(app)))
}

/// The same by a passkey, which is two factors in one.
///
/// # Errors
/// `invalid_credentials` where the passkey is not the caller's, is refused, or its ceremony is dead:
/// counted by the lockout; `too_many_attempts`; `not_found` while passkeys are off; the store's.
pub fn reauthenticate_by_passkey(
    app: &App,
    caller: &Caller,
    shown: &ShownPasskey,
) -> Result<Option<SessionCookie>, Error> {
    require_enabled(app)?;
    let me = require_any_user(caller)?.clone();
    let (check, shown, idle) = (PasskeyCheck::new(app), shown.clone(), app.lifetime().idle);
    let attempt = Attempt::new(app, caller, me.account.email.key());
    let life = life(&app.config, FirstFactor::Passkey(KeyStorage::Hardware).alone());
    let next = app.store.write(caller, move |tx| {
        if !goes_on(tx, &me, idle)? {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        }
        if let Some(until) = attempt.locked_until(tx, Some(me.account.id), tx.now())? {
            return Ok(Decision::Refuse(lockout::refuse(tx, me.account.id, None, until)?));
        }
        let verdict = check.spend(tx, &shown, Use::AloneBy(me.account.id))?;
        let PasskeyVerdict::Right { storage, .. } = verdict else {
            attempt.count(tx, Some(me.account.id))?;
            return Ok(Decision::Refuse(Refusal::WrongPassword));
        };
        Ok(Decision::Grant(renew(tx, &me, FirstFactor::Passkey(storage).alone(), life)?))
    })?;
    Ok(next.map(|next| next.cookie(app)))
}

/// Whether the session is alive, and what was shown of it counts still. `idle`: how long it may be unused.
fn goes_on(tx: &Tx<'_>, me: &SignedIn, idle: Duration) -> Result<bool, Fault> {
    let found = sessions::find(tx, me.session)?;
    Ok(found.is_some_and(|found| found.is_alive(tx.now(), idle) && me.carrier.counts(found.generation)))
}

/// Makes it fresh; gives what the next cookie is made of, where one was shown.
fn renew(tx: &mut Tx<'_>, me: &SignedIn, proof: Proof, life: Life) -> Result<Option<CookieParts>, Fault> {
    let amr = prove_anew(tx, me.session, proof, life)?;
    tx.audit(&Event::Reauthenticated { amr }, (me.account.id, me.session))?;
    session_cookie::rotate(tx, me)
}
