//! The identities that sign in to an account: one's own, and those that an operator looks after.

use super::providers::{self, display_name};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{Identity, IdentityKey};
use crate::domain::mail::MailKind;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::{Page, Paged};
use crate::store::tables::{identities, oauth_codes, users};
use crate::store::tx::Tx;
use crate::usecase::account::identities::withdraw_all;
use crate::usecase::account::reference::{UserRef, change_fresh, find_in};
use crate::usecase::account::ways_in::WaysIn;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::reauthenticate::require_fresh;
use crate::usecase::{require, require_any_user};

/// Lists those of the caller.
///
/// # Errors
/// `unauthenticated`; the store's.
pub fn list_own(app: &App, caller: &Caller) -> Result<Vec<Identity>, Error> {
    let me = require_any_user(caller)?.account.id;
    Ok(app.store.read(|query| identities::list_of(query, me))?)
}

/// Unlinks one of the caller's own, and withdraws the roles that it granted.
///
/// # Errors
/// `fresh_login_required`; `not_found`; `last_way_in` where nothing else signs in; the store's.
pub fn unlink_own(app: &App, caller: &Caller, id: &str) -> Result<(), Error> {
    let fresh = require_fresh(app, caller)?;
    let me = fresh.me.account.id;
    let identity = find_of(app, me, id)?;
    let (notice, ways) = (notice_of(app, caller, &identity), WaysIn::of(app));
    app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        let Some(user) = users::find(tx, me)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        if !ways.are_there_without_identity(tx, &user, &identity)? {
            return Ok(Decision::Refuse(Refusal::LastWayIn));
        }
        unlink_in(tx, &user, &identity, &notice)
    })
}

/// A page of somebody's, in the order in which they were linked: `limit` of them (at least 1), after the
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
) -> Result<Paged<Identity, String>, Error> {
    require(caller, "users:read")?;
    check_limit(limit)?;
    let after = start(cursor::List::Identities, after, cursor::decode)?.map(IdentityId::from_bytes);
    let user = app.store.read(|query| find_in(query, of))?.ok_or_else(|| of.missing())?;
    let page = Page { limit, after };
    let Paged { items, next } = app.store.read(|query| identities::list_page(query, user.id, page))?;
    Ok(Paged { items, next: next.map(|id| cursor::encode(cursor::List::Identities, id.as_bytes())) })
}

/// Links an identity to somebody on an operator's word.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found` for the user or the provider; `validation_failed` for a
/// subject that can't be one, or where the issuer can't be told; `identity_in_use`; the store's.
pub fn link(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    provider: &str,
    subject: &str,
) -> Result<Linked, Error> {
    // Before anything that is looked up: what there is, is told to nobody who may not change it.
    require(caller, "users:write")?;
    let provider = providers::find(app, provider)?;
    let issuer = providers::issuer(provider)?;
    let key = IdentityKey::parse(&issuer, subject)
        .map_err(|message| Refusal::invalid("subject", "invalid", message))?;
    let (id, name, now) = (IdentityId::new(app.now(), app.id_entropy()), provider.name.clone(), app.now());
    let notice = compose::identity_notice(app, caller, MailKind::IdentityLinked, &provider.display_name);
    let (_, linked) = change_fresh(app, caller, of, move |tx, user| {
        match identities::find_by_key(tx, &key)? {
            Some(identity) if identity.user == user.id => {
                return Ok(Decision::Grant(Linked { identity, changed: false }));
            }
            Some(_) => return Ok(Decision::Refuse(Refusal::IdentityInUse)),
            None => {}
        }
        let (key, provider) = (key.clone(), name.clone());
        let identity =
            Identity { id, user: user.id, provider, key, email: None, linked_at: now, last_used_at: None };
        identities::insert(tx, &identity)?;
        tx.audit(&Event::identity_linked(&identity), user.id)?;
        notice.queue(tx, user.id, &user.email)?;
        Ok(Decision::Grant(Linked { identity, changed: true }))
    })?;
    Ok(linked)
}

/// An identity, and whether it was linked only now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    pub identity: Identity,
    pub changed: bool,
}

/// Finds one that is about to be unlinked, and whether the account is left without a way in: for whoever is
/// about to be asked.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; the store's.
pub fn unlinkable(app: &App, caller: &Caller, of: &UserRef, id: &str) -> Result<Unlinkable, Error> {
    require(caller, "users:write")?;
    let user = app.store.read(|query| find_in(query, of))?.ok_or_else(|| of.missing())?;
    let identity = find_of(app, user.id, id)?;
    let ways = WaysIn::of(app);
    let others = app.store.read(|query| ways.are_there_without_identity(query, &user, &identity))?;
    Ok(Unlinkable { identity, is_last_way_in: !others })
}

/// See [`unlinkable`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unlinkable {
    pub identity: Identity,
    pub is_last_way_in: bool,
}

/// Unlinks one of somebody's, and withdraws the roles that it granted. That nothing else signs in to the
/// account is for whoever asks to know.
///
/// # Errors
/// `forbidden` without `users:write`, or for a user who holds a permission of authd's own that the caller
/// doesn't; `fresh_login_required` for a user; `not_found`; the store's.
pub fn unlink(app: &App, caller: &Caller, of: &UserRef, id: &str) -> Result<Identity, Error> {
    require(caller, "users:write")?;
    // Whether it is theirs is told to nobody who may not change the account.
    let missing = missing(id);
    let identity = match IdentityId::parse(id) {
        Some(id) => app.store.read(|query| identities::find(query, id))?,
        None => None,
    };
    let found = identity.map(|identity| (notice_of(app, caller, &identity), identity));
    let (_, gone) = change_fresh(app, caller, of, move |tx, user| {
        let Some((notice, identity)) = &found else {
            return Ok(Decision::Refuse(missing.clone()));
        };
        Ok(unlink_in(tx, user, identity, notice)?.map(|()| identity.clone()))
    })?;
    Ok(gone)
}

fn unlink_in(
    tx: &mut Tx<'_>,
    user: &User,
    identity: &Identity,
    notice: &compose::QueuedMail,
) -> Result<Decision<()>, Fault> {
    if identities::find(tx, identity.id)?.is_none_or(|found| found.user != user.id) {
        return Ok(Decision::Refuse(missing(&identity.id.to_string())));
    }
    withdraw_all(tx, identity)?;
    oauth_codes::delete_of_user(tx, user.id)?;
    identities::delete(tx, identity.id)?;
    tx.audit(&Event::identity_unlinked(identity), user.id)?;
    notice.queue(tx, user.id, &user.email)?;
    Ok(Decision::Grant(()))
}

fn find_of(app: &App, user: UserId, id: &str) -> Result<Identity, Error> {
    let missing = || missing(id);
    let parsed = IdentityId::parse(id).ok_or_else(missing)?;
    let found = app.store.read(|query| identities::find(query, parsed))?;
    Ok(found.filter(|identity| identity.user == user).ok_or_else(missing)?)
}

fn missing(id: &str) -> Refusal {
    Refusal::not_found("identity", id)
}

fn notice_of(app: &App, caller: &Caller, identity: &Identity) -> compose::QueuedMail {
    let name = display_name(app, &identity.provider);
    compose::identity_notice(app, caller, MailKind::IdentityUnlinked, &name)
}
