//! The caller's own password, asked for once more.

use super::hash_costs;
use super::locked_tries;
use super::lockout::{self, Attempt, Counted};
use crate::crypto::password::PasswordHashText;
use crate::domain::audit::{Event, LoginFailure};
use crate::domain::caller::Caller;
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::user::User;
use crate::error::{Decision, Error, Refusal};
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::mail::compose;

/// Checks the caller's own password, where the account has one: who signs in with others proves who they are
/// by a fresh login alone. Gives the hash that it matched, as [`check`] does; `None`: there is no password.
///
/// # Errors
/// As [`check`]; `validation_failed` where none was shown and the account has one.
pub(in crate::usecase) fn check_if_any(
    app: &App,
    caller: &Caller,
    user: &User,
    password: Option<&Password>,
) -> Result<Option<String>, Error> {
    match password {
        Some(password) => check(app, caller, user, password).map(Some),
        None if has_password(app, user.id)? => Err(Refusal::invalid(
            "password",
            "missing",
            "the account has a password, which is asked for here",
        )
        .into()),
        None => Ok(None),
    }
}

/// Whether an account has a password.
///
/// # Errors
/// The store's.
pub(in crate::usecase) fn has_password(app: &App, user: UserId) -> Result<bool, Error> {
    Ok(app.store.read(|query| users::find_password_hash(query, user))?.is_some())
}

/// Checks the caller's own password, counted by the lockout like a login.
///
/// Gives the hash that it matched: whoever acts on this proof makes sure that it still stands.
pub(in crate::usecase) fn check(
    app: &App,
    caller: &Caller,
    user: &User,
    password: &Password,
) -> Result<String, Error> {
    let attempt = Attempt::new(app, caller, user.email.key());
    let (id, now) = (user.id, app.now());
    let (stored, until) = app.store.read(|query| {
        Ok((users::find_password_hash(query, id)?, attempt.locked_until(query, Some(id), now)?))
    })?;
    if let Some(until) = until {
        return Err(locked_tries::refuse(app, caller, &attempt, id.into(), None, until));
    }
    let stored = stored.map(PasswordHashText);
    let matched = match &stored {
        Some(hash) => app.gate.verify(hash, password)?,
        None => app.gate.verify_nobody(hash_costs::of_nobody(app, &attempt.account), password)?,
    };
    let (notice, to) = (compose::notice(app, caller, MailKind::AccountLocked), user.email.clone());
    app.store.write(caller, move |tx| {
        let now = tx.now();
        if let Some(until) = attempt.locked_until(tx, Some(id), now)? {
            return Ok(Decision::Refuse(lockout::refuse(tx, id, None, until)?));
        }
        if let (Some(hash), true) = (&stored, matched) {
            return Ok(Decision::Grant(hash.0.clone()));
        }
        tx.audit(&Event::LoginFailed { why: LoginFailure::WrongPassword, email: None }, id)?;
        if attempt.count(tx, Some(id))? == Counted::AccountLocked {
            notice.queue(tx, id, &to)?;
        }
        Ok(Decision::Refuse(Refusal::WrongPassword))
    })
}
