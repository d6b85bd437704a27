//! Another's second factor, as an operator looks after it: enrolling it, turning it on with its owner at
//! hand, checking a code, taking it away. One's own is `two_factor`.

use super::admin::find;
use super::password::void_old_proofs;
use super::reference::{UserRef, change, change_fresh, find_under};
use super::two_factor;
use super::two_factor::{Draft, Enabling, NewCodes, Setup};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::mail::MailKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Refusal};
use crate::store::tables::second_factor;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::require;
use crate::usecase::signin::factor::{FACTOR_FAILURES_MAX, Factor, FactorCheck, FactorVerdict};

/// A user's second factor as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    pub user: User,
    /// `None`: off.
    pub enabled_at: Option<Timestamp>,
    /// Wrong codes in a row.
    pub failures: u32,
    /// Too many of them: it answers no more until it is reset.
    pub blocked: bool,
    pub recovery_codes_left: u32,
}

/// Gives how an account's second factor stands.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`; the store's.
pub fn second_factor(app: &App, caller: &Caller, of: &UserRef) -> Result<SecondFactor, Error> {
    let user = find(app, caller, of)?;
    Ok(app.store.read(|query| {
        let factor = second_factor::find(query, user.id)?;
        let failures = factor.as_ref().map_or(0, |factor| factor.failures);
        Ok(SecondFactor {
            enabled_at: factor.and_then(|factor| factor.enabled_at),
            failures,
            blocked: failures >= FACTOR_FAILURES_MAX,
            recovery_codes_left: second_factor::count_recovery_codes(query, user.id)?,
            user: user.clone(),
        })
    })?)
}

/// What taking a second factor away came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FactorReset {
    /// It was on.
    Taken,
    /// It was only begun, and waited for its first code: nobody needs to hear of it.
    Dropped,
    /// There was none; nothing was changed.
    Nothing,
}

/// Takes the second factor away from somebody who lost it, or whose factor answers no more.
///
/// # Errors
/// `forbidden` without `users:write`, or for somebody who holds a permission of authd's own that the caller
/// doesn't; `fresh_login_required` for a user; `not_found`; the store's.
pub fn reset_second_factor(app: &App, caller: &Caller, of: &UserRef) -> Result<FactorReset, Error> {
    require(caller, "users:write")?;
    let fresh = require_fresh_if_user(app, caller)?;
    let (changer, of) = (caller.clone(), of.clone());
    let notice = compose::notice(app, caller, MailKind::TwoFactorDisabled);
    fresh.write(app, caller, move |tx| {
        let user = match find_under(tx, &changer, &of)? {
            Decision::Grant(user) => user,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        let had_any = second_factor::delete(tx, user.id)?;
        if user.totp_at.is_none() {
            let reset = if had_any { FactorReset::Dropped } else { FactorReset::Nothing };
            return Ok(Decision::Grant(reset));
        }
        void_old_proofs(tx, user.id, None)?;
        tx.audit(&Event::SecondFactorReset, user.id)?;
        notice.queue(tx, user.id, &user.email)?;
        Ok(Decision::Grant(FactorReset::Taken))
    })
}

/// A secret that was handed out for a user.
#[derive(Clone, Debug)]
pub struct Enrolment {
    pub user: User,
    pub setup: Setup,
}

/// Hands out a new secret for a user. Nothing is on until a code for it comes back, from the operator
/// ([`confirm_enrolment`]) or from the user's own session; an older secret that waited for one is void.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; `already_enabled`; the store's.
pub fn enrol(app: &App, caller: &Caller, of: &UserRef) -> Result<Enrolment, Error> {
    require(caller, "users:write")?;
    let user = find(app, caller, of)?;
    let Draft { setup, sealed } = two_factor::draft(app, &user)?;
    // By id from here on: the secret is sealed for this account, whoever has the address by now.
    let (user, ()) = change_fresh(app, caller, &UserRef::Id(user.id), move |tx, user| {
        two_factor::enrol(tx, user.id, &sealed)
    })?;
    Ok(Enrolment { user, setup })
}

/// Turns an enrolled factor on with a code for its secret; gives the recovery codes, this once. That code's
/// step is spent, and every session of the user ends.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; `already_enabled`; `invalid_code`, also where nothing is
/// enrolled; the store's.
pub fn confirm_enrolment(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    code: &Secret<String>,
) -> Result<Vec<Secret<String>>, Error> {
    let (enabling, shown) = Enabling::new(app, caller, code);
    change_fresh(app, caller, of, move |tx, user| enabling.run(tx, user, None))?;
    Ok(shown)
}

/// Gives a user ten new recovery codes, shown this once; the old ones die.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found` for the user, or for a second factor that is on; the
/// store's.
pub fn replace_recovery_codes(
    app: &App,
    caller: &Caller,
    of: &UserRef,
) -> Result<Vec<Secret<String>>, Error> {
    let NewCodes { shown, hashes } = two_factor::new_codes(app);
    let notice = compose::notice(app, caller, MailKind::RecoveryCodesReplaced);
    change_fresh(app, caller, of, move |tx, user| {
        if !user.has_two_factor() {
            return Ok(Decision::Refuse(is_off(user)));
        }
        second_factor::replace_recovery_codes(tx, user.id, &hashes)?;
        tx.audit(&Event::RecoveryCodesReplaced, user.id)?;
        notice.queue(tx, user.id, &user.email)?;
        Ok(Decision::Grant(()))
    })?;
    Ok(shown)
}

/// Checks a code of a user's app as a login does: a good one's step is spent, a wrong one counts as a
/// failure, and a factor that answers no more has no good one.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found` for the user, or for a second factor that is on;
/// `invalid_code`; the store's.
pub fn check_code(app: &App, caller: &Caller, of: &UserRef, code: &Secret<String>) -> Result<User, Error> {
    let (check, shown) = (FactorCheck::new(app, caller), Factor::Code(code.clone()));
    change(app, caller, of, move |tx, user| {
        if user.totp_at.is_none() {
            return Ok(Decision::Refuse(is_off(user)));
        }
        if check.spend(tx, user, &shown)? == FactorVerdict::Wrong {
            return Ok(Decision::Refuse(Refusal::InvalidCode));
        }
        tx.audit(&Event::SecondFactorChecked, user.id)?;
        Ok(Decision::Grant(()))
    })
}

fn is_off(user: &User) -> Refusal {
    Refusal::not_found("active second factor of", user.email.as_str())
}
