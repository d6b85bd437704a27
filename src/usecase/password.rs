//! Passwords: the policy, asking for a new one, and setting it with a link.

use super::app::App;
use super::mail;
use crate::crypto::opaque;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::password::{Password, Policy};
use crate::error::{Decision, Error, Refusal};
use crate::ports::draw;
use crate::store::links;
use crate::store::{sessions, users};

/// Whose password is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub email: &'a Email,
    pub name: &'a Name,
}

/// Holds a new password against the policy.
pub(super) fn judge(app: &App, password: &Password, owner: Owner<'_>) -> Result<(), Refusal> {
    let policy = Policy { min_length: app.config.password.min_length };
    policy
        .judge(password, owner.email, owner.name.as_str())
        .map_err(|weakness| Refusal::WeakPassword { reason: weakness.reason() })
}

/// Sends a link to set a new password, if there is such an account. The caller learns nothing either
/// way: each writes one transaction.
///
/// # Errors
/// The store's.
pub fn request_reset(app: &App, caller: &Caller, email: &Email) -> Result<(), Error> {
    let (reset, _) = mail::compose(app, MailKind::ResetPassword);
    let email = email.clone();
    app.store.write(caller, move |tx| {
        let user = users::find_by_email(tx, &email)?;
        if let Some(user) = user.iter().find(|user| user.disabled_at.is_none()) {
            reset.queue(tx, user.id, &user.email)?;
        }
        let subject = user.map_or_else(Subject::default, |user| user.id.into());
        tx.audit(&Event::PasswordResetRequested, subject)?;
        Ok(Decision::Grant(()))
    })
}

/// Spends a reset link or an invitation: the new password holds, every session of the user ends, and
/// the address counts as verified, because the link came by it.
///
/// # Errors
/// `invalid_token` when the link is wrong, spent, replaced or too old; `weak_password`, which leaves
/// the link good.
pub fn reset(app: &App, caller: &Caller, token: &str, password: &Password) -> Result<(), Error> {
    let hash = opaque::parse(LinkKind::ResetPassword, token).ok_or(Refusal::InvalidLink)?;
    let now = app.now();
    let owner = app.store.read(|query| match links::find_owner(query, LinkKind::ResetPassword, &hash, now)? {
        Some(id) => users::find(query, id),
        None => Ok(None),
    })?;
    let owner = owner.ok_or(Refusal::InvalidLink)?;
    judge(app, password, Owner { email: &owner.email, name: &owner.name })?;
    let new_hash = app.gate.hash(password, draw(app.entropy()))?;
    app.store.write(caller, move |tx| {
        let Some(id) = links::spend(tx, LinkKind::ResetPassword, &hash)? else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        users::save_password(tx, id, &new_hash.0)?;
        users::save_verified(tx, id)?;
        sessions::end_of_user(tx, id, None)?;
        tx.audit(&Event::PasswordReset, id)?;
        Ok(Decision::Grant(()))
    })
}
