//! One's own account.

use super::admin::Paged;
use super::reference::{is_last_admin, remove};
use crate::domain::audit::{Event, Line};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::name::Name;
use crate::domain::password::Password;
use crate::domain::user::User;
use crate::error::{Decision, Error, Refusal};
use crate::store::audit::log;
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::reauthenticate::require_fresh;
use crate::usecase::signin::password as signin_password;
use crate::usecase::{require_any_user, require_user};

/// The caller's account, as it was read when their token was checked.
///
/// # Errors
/// `unauthenticated`.
pub fn show(caller: &Caller) -> Result<&User, Refusal> {
    Ok(&require_user(caller)?.account)
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
        let Some(mut user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if let Some(name) = change.name.as_ref().filter(|name| **name != user.name) {
            users::save_name(tx, me.account.id, name)?;
            let event = Event::ProfileChanged { fields: vec!["name"] };
            tx.audit(&event, (me.account.id, me.session))?;
            user.name = name.clone();
        }
        Ok(Decision::Grant(user))
    })
}

/// Takes one's own account, and everything personal, out of the database. The audit log keeps the id. An
/// account without a password is deleted without one.
///
/// # Errors
/// `fresh_login_required`; `invalid_credentials`, counted by the lockout; `too_many_attempts`;
/// `last_admin`; the store's.
pub fn delete(app: &App, caller: &Caller, password: Option<&Password>) -> Result<(), Error> {
    let fresh = require_fresh(app, caller)?;
    let me = fresh.me.clone();
    let fresh = fresh.with_password(signin_password::check_if_any(app, caller, &me.account, password)?);
    app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        let Some(user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if is_last_admin(tx, &user)? {
            return Ok(Decision::Refuse(Refusal::LastAdmin));
        }
        remove(tx, &user)?;
        tx.audit(&Event::UserDeleted, me.account.id)?;
        Ok(Decision::Grant(()))
    })
}

/// Whether the caller's account has a password, and is not signed in to with others alone.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn has_password(app: &App, caller: &Caller) -> Result<bool, Error> {
    signin_password::has_password(app, require_any_user(caller)?.account.id)
}

/// A page of one's own security events, newest first: `limit` of them (at least 1), before the `next`
/// of the page before. `before` of `None`: from the newest.
///
/// # Errors
/// `unauthenticated`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn events(
    app: &App,
    caller: &Caller,
    limit: u32,
    before: Option<&str>,
) -> Result<Paged<Line, String>, Error> {
    let me = require_user(caller)?;
    check_limit(limit)?;
    let before = start(cursor::List::Events, before, cursor::decode_number)?;
    let user = me.account.id.to_string();
    let Paged { items, next } = app.store.read_log(|query| log::list_of_user(query, &user, limit, before))?;
    Ok(Paged { items, next: next.map(|seq| cursor::encode_number(cursor::List::Events, seq)) })
}
