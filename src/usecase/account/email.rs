//! Verifying that an address belongs to the account's owner, and changing it.

use super::reference::check_domain;
use super::registrations::confirm_by_link;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::links;
use crate::store::tables::links::Spent;
use crate::store::tables::{failures, registrations, sessions, tickets, users};
use crate::store::tx::Query;
use crate::usecase::app::App;
use crate::usecase::mail::{compose, link_requests};
use crate::usecase::reauthenticate::require_fresh;

/// Has a new verification link sent, if there is an account with this address that needs one. The caller
/// learns nothing either way: see `mail::link_requests`.
///
/// # Errors
/// The store's.
pub fn request_verification(app: &App, caller: &Caller, email: &Email) -> Result<(), Error> {
    link_requests::note(app, caller, LinkKind::VerifyEmail, email)
}

/// Spends a verification link. That of a registration makes the account, with the password and the name that
/// it was made with, and voids the others of the address. `password`: what was shown beside the link.
///
/// # Errors
/// `invalid_token` when it is wrong, spent, replaced or older than 24 hours. For a registration
/// `password_required`, where others wait for the address with another password; `invalid_credentials` for a
/// password that is not the one it was made with, counted by the lockout; `too_many_attempts`; `email_taken`
/// when somebody has come to have the address since. The store's.
pub fn confirm(app: &App, caller: &Caller, token: &str, password: Option<&Password>) -> Result<User, Error> {
    let hash = opaque::parse(LinkKind::VerifyEmail.prefix(), token).ok_or(Refusal::InvalidLink)?;
    let now = app.now();
    match app.store.read(|query| registrations::find_by_token(query, &hash, now))? {
        Some(waiting) => confirm_by_link(app, caller, hash, &waiting.registration.email, password),
        None => verify(app, caller, hash),
    }
}

/// Spends the link of an account whose address is not verified yet.
fn verify(app: &App, caller: &Caller, hash: OpaqueHash) -> Result<User, Error> {
    app.store.write(caller, move |tx| {
        let Some(spent) = links::spend(tx, &[LinkKind::VerifyEmail], &hash)? else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        users::save_verified(tx, spent.user)?;
        tx.audit(&Event::EmailVerified, spent.user)?;
        Ok(Decision::Grant(user_of_link(tx, spent.user)?))
    })
}

/// Sends a link to the new address, and a notice to the old one. Whether the new one is taken, or had
/// its mails for this hour, the caller doesn't learn: not by the notice either, which they can read.
///
/// # Errors
/// `fresh_login_required`; `validation_failed` for an address that no mail reaches; the store's.
pub fn request_change(app: &App, caller: &Caller, new: &Email) -> Result<(), Error> {
    let fresh = require_fresh(app, caller)?;
    check_domain(caller, "new_email", new)?;
    let me = fresh.me.clone();
    let (link, _) = compose::compose(app, LinkKind::ChangeEmail);
    let link = link.for_change(new, me.session);
    let notice = compose::change_notice(app, caller, MailKind::EmailChangeRequested, new);
    let new = new.clone();
    app.store.write(caller, move |tx| {
        if let Some(refusal) = fresh.lapsed(tx, tx.now())? {
            return Ok(Decision::Refuse(refusal));
        }
        let Some(user) = users::find(tx, me.account.id)? else {
            return Ok(Decision::Refuse(Refusal::InvalidToken));
        };
        let taken = users::find_by_email(tx, &new)?.is_some_and(|other| other.id != me.account.id);
        // The older link dies whatever comes of this wish, and after the same work: else it would tell.
        links::delete_of_kind(tx, me.account.id, LinkKind::ChangeEmail)?;
        if link.is_over_bound(tx, &new)? || taken {
            tx.dry_run(|tx| link.queue_unbounded(tx, me.account.id, &new))?;
        } else {
            link.queue_unbounded(tx, me.account.id, &new)?;
        }
        notice.queue(tx, me.account.id, &user.email)?;
        tx.audit(&Event::EmailChangeRequested, (me.account.id, me.session))?;
        Ok(Decision::Grant(()))
    })
}

/// Spends the link of a change of address: it holds from now on, and every session but the one that
/// asked ends.
///
/// # Errors
/// `invalid_token` when the link is wrong, spent, replaced or older than 24 hours, or the session that asked
/// has ended; `email_taken` when
/// somebody else has come to have the address since.
pub fn confirm_change(app: &App, caller: &Caller, token: &str) -> Result<User, Error> {
    let hash = opaque::parse(LinkKind::ChangeEmail.prefix(), token).ok_or(Refusal::InvalidLink)?;
    app.store.write(caller, move |tx| {
        let spent = links::spend(tx, &[LinkKind::ChangeEmail], &hash)?;
        let Some(Spent { user: id, email: Some(new), session: Some(session), .. }) = spent else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        // Whatever ended the session that asked (a logout, a new password, a second factor) took the wish
        // back with it.
        if sessions::find(tx, session)?.is_none_or(|session| session.ended_at.is_some()) {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        }
        if users::find_by_email(tx, &new)?.is_some_and(|other| other.id != id) {
            return Ok(Decision::Refuse(Refusal::EmailTaken));
        }
        let old = user_of_link(tx, id)?.email;
        failures::clear_all(tx, &old.key())?;
        let now = tx.now();
        users::save_email(tx, id, &new, Some(now))?;
        links::delete_of_user(tx, id)?;
        tickets::delete_of_user(tx, id)?;
        sessions::end_of_user(tx, id, Some(session))?;
        tx.audit(&Event::EmailChanged, id)?;
        Ok(Decision::Grant(user_of_link(tx, id)?))
    })
}

fn user_of_link(query: &impl Query, id: UserId) -> Result<User, Fault> {
    users::find(query, id)?.ok_or_else(|| Fault::Internal("a link outlived its account".into()))
}
