//! What authd can do: one function an action, one write transaction each. Both faces call these and
//! nothing below, so that the command line and HTTP can't differ in what they do.
//!
//! Every function takes the app and the caller first. Authorization is asked here, by [`require`].
//!
//! The floors, from below. `tests/it/tidy` reads this table and holds it.
//!
//! | floor | owns | may import |
//! | --- | --- | --- |
//! | [`app`] | the app and its parts, the worker of every background thread, mail templates | nothing |
//! | [`reauthenticate`] | whether a login is fresh | app |
//! | [`keys`] | signing keys and API keys | app, reauthenticate |
//! | [`mail`] | mail as it is composed, queued and delivered | app |
//! | [`signin`] | the lockout, the factors, and the start of a session | app, keys, mail |
//! | [`account`] | accounts, for owners and administrators | app, reauthenticate, keys, mail, signin |
//! | [`gate`] | applications behind the gate, and who may use each | app, reauthenticate, signin, account |
//! | [`federation`] | accounts elsewhere that sign in here | app, reauthenticate, mail, signin, account |
//! | [`session`] | sessions and their tokens | app, reauthenticate, keys, mail, signin, account, gate |
//! | [`audit`] | the audit log, read, checked and pruned | app, account |
//! | [`operator`] | backups, transfers, doctor | app, keys, mail, signin, account, federation, gate, audit |

pub mod account;
pub mod app;
pub mod audit;
pub mod federation;
pub mod gate;
pub mod keys;
pub mod mail;
pub mod operator;
mod paging;
pub mod reauthenticate;
pub mod session;
pub mod signin;

use crate::domain::access::{Actor, OWN_PERMISSIONS, SignedIn, Standing};
use crate::domain::caller::Caller;
use crate::domain::role::Permission;
use crate::error::Refusal;

/// Refuses unless the caller holds `permission` (`area:action`).
///
/// # Errors
/// [`Refusal::Unauthenticated`] for nobody, [`Refusal::Forbidden`] for somebody without it, those of
/// [`require_full_standing`].
pub fn require(caller: &Caller, permission: &str) -> Result<(), Refusal> {
    require_full_standing(caller)?;
    if caller.actor.may(permission) {
        Ok(())
    } else if caller.actor == Actor::Anonymous {
        Err(Refusal::Unauthenticated)
    } else {
        Err(Refusal::Forbidden { permission: permission.into() })
    }
}

/// Refuses to hand out more of authd than the caller holds, by a key, a role, or a way into an account. What
/// the permissions of other programs mean is for those to judge.
///
/// # Errors
/// As [`require`].
pub fn require_own(caller: &Caller, handed_out: &[Permission]) -> Result<(), Refusal> {
    let opened =
        OWN_PERMISSIONS.into_iter().filter(|own| handed_out.iter().any(|permission| permission.covers(own)));
    opened.into_iter().try_for_each(|own| require(caller, own))
}

/// Refuses to change what holds more of authd than the caller does: an account, with all that hangs on it, a
/// role, an API key. `held` are its permissions, as they are inside the transaction that changes it.
/// Operators stand above everybody; over the permissions of other programs, which mean nothing here, anybody
/// does who may change accounts at all.
///
/// # Errors
/// As [`require`].
pub fn require_over(caller: &Caller, held: &[Permission]) -> Result<(), Refusal> {
    require_own(caller, held)
}

/// As [`require_over`] for everybody at once: the caller holds all that there is of authd.
///
/// # Errors
/// As [`require`].
pub fn require_over_everybody(caller: &Caller) -> Result<(), Refusal> {
    OWN_PERMISSIONS.into_iter().try_for_each(|own| require(caller, own))
}

/// Refuses a user who must set up a second factor first.
///
/// # Errors
/// [`Refusal::TwoFactorSetupRequired`].
pub fn require_full_standing(caller: &Caller) -> Result<(), Refusal> {
    match &caller.actor {
        Actor::User(SignedIn { standing: Standing::SecondFactorDue, .. }) => {
            Err(Refusal::TwoFactorSetupRequired)
        }
        Actor::User(SignedIn { standing: Standing::Full, .. })
        | Actor::Anonymous
        | Actor::ApiKey(_)
        | Actor::Operator(_)
        | Actor::System => Ok(()),
    }
}

/// The signed-in user behind the caller.
///
/// # Errors
/// [`Refusal::Unauthenticated`] when it is somebody else; those of [`require_full_standing`].
pub fn require_user(caller: &Caller) -> Result<&SignedIn, Refusal> {
    require_full_standing(caller)?;
    require_any_user(caller)
}

/// As [`require_user`], but takes one who must set up a second factor first: for what leads to it, and the
/// way out.
///
/// # Errors
/// [`Refusal::Unauthenticated`] when it is somebody else.
pub fn require_any_user(caller: &Caller) -> Result<&SignedIn, Refusal> {
    match &caller.actor {
        Actor::User(user) => Ok(user),
        Actor::Anonymous | Actor::ApiKey(_) | Actor::Operator(_) | Actor::System => {
            Err(Refusal::Unauthenticated)
        }
    }
}
