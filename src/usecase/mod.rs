//! What authd can do: one function an action, one write transaction each. Both faces call these and
//! nothing below, so that the command line and HTTP can't differ in what they do.
//!
//! Every function takes the app and the caller first. Authorization is asked here, by [`require`].

pub mod app;
pub mod audit;
pub mod authenticate;
mod bell;
mod blocklist;
pub mod complete;
pub mod csrf;
pub mod db;
pub mod email;
pub mod files;
pub mod health;
pub mod keyring;
pub mod letter;
pub mod link;
pub mod link_request;
mod lockout;
pub mod login;
pub mod logout;
pub mod mail;
pub mod me;
pub mod outbox;
pub mod password;
pub mod proof;
pub mod rate_limit;
pub mod refresh;
pub mod register;
pub mod role;
pub mod second_step;
pub mod sender;
pub mod session;
mod signin;
pub mod token;
pub mod two_factor;
pub mod user;
pub mod view;

use crate::domain::caller::Caller;
use crate::error::Refusal;

/// Refuses unless the caller holds `permission` (`area:action`).
///
/// # Errors
/// [`Refusal::Unauthenticated`] for nobody, [`Refusal::Forbidden`] for somebody without it.
pub fn require(caller: &Caller, permission: &str) -> Result<(), Refusal> {
    use crate::domain::access::Actor;
    if caller.actor.may(permission) {
        Ok(())
    } else if caller.actor == Actor::Anonymous {
        Err(Refusal::Unauthenticated)
    } else {
        Err(Refusal::Forbidden { permission: permission.into() })
    }
}

/// The signed-in user behind the caller.
///
/// # Errors
/// [`Refusal::Unauthenticated`] when it is somebody else.
pub fn require_user(caller: &Caller) -> Result<&crate::domain::access::SignedIn, Refusal> {
    match &caller.actor {
        crate::domain::access::Actor::User(user) => Ok(user),
        _ => Err(Refusal::Unauthenticated),
    }
}
