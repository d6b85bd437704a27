//! Verifying that an address belongs to the account's owner.

use super::app::App;
use super::mail;
use crate::crypto::opaque;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::links;
use crate::store::users;

/// Sends a new verification link, if there is an account with this address that needs one. The caller
/// learns nothing either way, not even from the time: each way writes one transaction.
///
/// # Errors
/// The store's.
pub fn request_verification(app: &App, caller: &Caller, email: &Email) -> Result<(), Error> {
    let (verification, _) = mail::compose(app, MailKind::VerifyEmail);
    let email = email.clone();
    app.store.write(caller, move |tx| {
        let user = users::find_by_email(tx, &email)?;
        if let Some(user) = user.iter().find(|user| user.email_verified_at.is_none()) {
            verification.queue(tx, user.id, &user.email)?;
        }
        let subject = user.map_or_else(Subject::default, |user| user.id.into());
        tx.audit(&Event::EmailVerificationRequested, subject)?;
        Ok(Decision::Grant(()))
    })
}

/// Spends a verification link.
///
/// # Errors
/// `invalid_token` when it is wrong, spent, replaced or older than 24 hours.
pub fn confirm(app: &App, caller: &Caller, token: &str) -> Result<User, Error> {
    let hash = opaque::parse(LinkKind::VerifyEmail, token).ok_or(Refusal::InvalidLink)?;
    app.store.write(caller, move |tx| {
        let Some(id) = links::spend(tx, LinkKind::VerifyEmail, &hash)? else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        users::save_verified(tx, id)?;
        tx.audit(&Event::EmailVerified, id)?;
        let user = users::find(tx, id)?.ok_or_else(|| Fault::Internal("a link outlived its account".into()))?;
        Ok(Decision::Grant(user))
    })
}
