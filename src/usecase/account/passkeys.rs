//! Passkeys of accounts: one's own, and those that an operator looks after. Signing in by them is
//! `signin::passkey`.

use super::password::void_old_proofs;
use super::reference::{UserRef, change_fresh, find_in};
use super::ways_in::WaysIn;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::passkey::Passkey;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::{Page, Paged};
use crate::store::tables::passkeys::StoredPasskey;
use crate::store::tables::{passkeys, second_factor, users};
use crate::store::tx::{Query, Tx};
use crate::usecase::app::App;
use crate::usecase::mail::compose::{self, QueuedMail};
use crate::usecase::paging::{check_limit, start};
use crate::usecase::reauthenticate::require_fresh;
use crate::usecase::signin::passkey::ceremony::require_enabled;
use crate::usecase::{require, require_any_user};

/// Lists those of the caller, in the order in which they were added.
///
/// # Errors
/// `unauthenticated`; `not_found` while passkeys are off; the store's.
pub fn list_own(app: &App, caller: &Caller) -> Result<Vec<Passkey>, Error> {
    require_enabled(app)?;
    let me = require_any_user(caller)?.account.id;
    Ok(app.store.read(|query| list_in(query, me))?)
}

/// Gives one of the caller's another name.
///
/// # Errors
/// `unauthenticated`; `not_found`, also while passkeys are off; the store's.
pub fn rename_own(app: &App, caller: &Caller, id: &str, name: &Name) -> Result<Passkey, Error> {
    require_enabled(app)?;
    let me = require_any_user(caller)?.account.id;
    let (missing, id, name) = (missing(id), PasskeyId::parse(id), name.clone());
    app.store.write(caller, move |tx| {
        let Some(found) = find_of(tx, me, id)? else {
            return Ok(Decision::Refuse(missing.clone()));
        };
        passkeys::rename(tx, found.id, &name)?;
        Ok(Decision::Grant(Passkey { name: name.clone(), ..found }))
    })
}

/// Deletes one of the caller's. Their other sessions end; with the last second factor go the recovery codes.
///
/// # Errors
/// `fresh_login_required`; `not_found`, also while passkeys are off; `last_way_in` where nothing else signs
/// in; the store's.
pub fn delete_own(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    require_enabled(app)?;
    let fresh = require_fresh(app, caller)?;
    let (me, session) = (fresh.me.account.id, fresh.me.session);
    let (missing, id) = (missing(id), PasskeyId::parse(id));
    let (removal, ways) = (Removal::new(app, caller), WaysIn::of(app));
    app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        let Some(found) = find_of(tx, me, id)? else {
            return Ok(Decision::Refuse(missing.clone()));
        };
        let user = found_user(users::find(tx, me)?)?;
        if !ways.are_there_without_passkey(tx, &user, &found)? {
            return Ok(Decision::Refuse(Refusal::LastWayIn));
        }
        removal.run(tx, &user, &found)?;
        void_old_proofs(tx, me, Some(session))?;
        Ok(Decision::Grant(()))
    })
}

/// A page of somebody's, in the order in which they were added: `limit` of them (at least 1), after the
/// `next` of the page before.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`; `invalid_cursor`; `validation_failed` for a limit of 0; the
/// store's.
pub fn page(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<Passkey, String>, Error> {
    require(caller, "users:read")?;
    check_limit(limit)?;
    let after = start(cursor::List::Passkeys, after, cursor::decode)?.map(PasskeyId::from_bytes);
    let user = app.store.read(|query| find_in(query, of))?.ok_or_else(|| of.missing())?;
    let page = Page { limit, after };
    let Paged { items, next } = app.store.read(|query| passkeys::list_page(query, user.id, page))?;
    let items = items.into_iter().map(|stored| stored.passkey).collect();
    Ok(Paged { items, next: next.map(|id| cursor::encode(cursor::List::Passkeys, id.as_bytes())) })
}

/// Finds one of somebody's that is about to be deleted, and what is left without it: for whoever is about
/// to be asked.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; the store's.
pub fn deletable(app: &App, caller: &Caller, of: &UserRef, id: &str) -> Result<Deletable, Error> {
    require(caller, "users:write")?;
    let user = app.store.read(|query| find_in(query, of))?.ok_or_else(|| of.missing())?;
    let ways = WaysIn::of(app);
    let found = app.store.read(|query| {
        let Some(passkey) = find_of(query, user.id, PasskeyId::parse(id))? else {
            return Ok(None);
        };
        let is_last_way_in = !ways.are_there_without_passkey(query, &user, &passkey)?;
        Ok(Some(Deletable { passkey, is_last_way_in }))
    })?;
    Ok(found.ok_or_else(|| missing(id))?)
}

/// See [`deletable`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deletable {
    pub passkey: Passkey,
    pub is_last_way_in: bool,
}

/// Deletes one of somebody's, on an operator's word. Their sessions end.
///
/// # Errors
/// `forbidden` without `users:write`, or for a user who holds a permission of authd's own that the caller
/// doesn't; `fresh_login_required` for a user; `not_found`; the store's.
pub fn delete(app: &App, caller: &Caller, of: &UserRef, id: &str) -> Result<Passkey, Error> {
    let (missing, id) = (missing(id), PasskeyId::parse(id));
    let removal = Removal::new(app, caller);
    let (_, gone) = change_fresh(app, caller, of, move |tx, user| {
        let Some(found) = find_of(tx, user.id, id)? else {
            return Ok(Decision::Refuse(missing.clone()));
        };
        removal.run(tx, user, &found)?;
        void_old_proofs(tx, user.id, None)?;
        Ok(Decision::Grant(found))
    })?;
    Ok(gone)
}

/// Deleting passkeys, whoever does it: what is composed before the transaction.
#[derive(Clone, Debug)]
struct Removal {
    notice: QueuedMail,
}

impl Removal {
    fn new(app: &App, caller: &Caller) -> Self {
        Self { notice: compose::notice(app, caller, MailKind::PasskeyRemoved) }
    }

    fn run(&self, tx: &mut Tx<'_>, user: &User, passkey: &Passkey) -> Result<(), Fault> {
        remove_in(tx, passkey)?;
        self.notice.queue(tx, user.id, &user.email)
    }
}

/// Deletes one, and the recovery codes where it was the last second factor.
fn remove_in(tx: &mut Tx<'_>, passkey: &Passkey) -> Result<(), Fault> {
    passkeys::delete(tx, passkey.id)?;
    second_factor::delete_codes_without_factor(tx, passkey.user)?;
    tx.audit(&Event::passkey_removed(passkey), passkey.user)
}

/// Deletes all of somebody's whose account changes hands, or is recovered.
pub(in crate::usecase) fn remove_all_in(tx: &mut Tx<'_>, user: UserId) -> Result<(), Fault> {
    for passkey in list_in(tx, user)? {
        remove_in(tx, &passkey)?;
    }
    Ok(())
}

/// Finds one of a user by its id. `None`, also for an id that is none: they have none of it.
fn find_of(query: &impl Query, user: UserId, id: Option<PasskeyId>) -> Result<Option<Passkey>, Fault> {
    let found = id.map(|id| passkeys::find(query, id)).transpose()?.flatten();
    Ok(found.map(|found| found.passkey).filter(|passkey| passkey.user == user))
}

fn list_in(query: &impl Query, user: UserId) -> Result<Vec<Passkey>, Fault> {
    let all = passkeys::list_of(query, user)?;
    Ok(all.into_iter().map(|StoredPasskey { passkey, .. }| passkey).collect())
}

fn found_user(user: Option<User>) -> Result<User, Fault> {
    user.ok_or_else(|| Fault::Internal("an account went while it was signed in".into()))
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found("passkey", id)
}
