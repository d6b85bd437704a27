//! One's own account.

use super::app::App;
use super::require_user;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::name::Name;
use crate::domain::user::User;
use crate::error::{Decision, Error, Refusal};
use crate::store::users;

/// The caller's account.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn show(app: &App, caller: &Caller) -> Result<User, Error> {
    let me = require_user(caller)?;
    let user = app.store.read(|query| users::find(query, me.user))?;
    Ok(user.ok_or(Refusal::InvalidToken)?)
}

/// What to change. `None`: leave it.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub name: Option<Name>,
}

/// Changes the caller's account; what stays the same leaves no trace.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn change(app: &App, caller: &Caller, change: &Change) -> Result<User, Error> {
    let (me, change) = (require_user(caller)?.clone(), change.clone());
    app.store.write(caller, move |tx| {
        let Some(mut user) = users::find(tx, me.user)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if let Some(name) = change.name.as_ref().filter(|name| **name != user.name) {
            users::save_name(tx, me.user, name)?;
            tx.audit(&Event::ProfileChanged, (me.user, me.session))?;
            user.name = name.clone();
        }
        Ok(Decision::Grant(user))
    })
}
