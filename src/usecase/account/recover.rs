//! The way back for somebody who has lost everything: a link that an operator makes and hands over, also
//! where there is no mail.

use super::identities::unlink_all_in;
use super::passkeys::remove_all_in;
use super::password::{Owner, check_policy, void_old_proofs};
use super::reference::{UserRef, change_fresh};
use crate::crypto::opaque::{self, OpaqueHash};
use crate::crypto::password::PasswordHashText;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::links::Spent;
use crate::store::tables::{links, second_factor, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::QueuedMail;
use crate::usecase::mail::handed_over;
use crate::usecase::signin::lockout::Attempt;
use crate::usecase::signin::proof::FirstFactor;
use crate::usecase::signin::session_start::Start;
use crate::usecase::signin::started::Started;

/// A link to get back in, for an operator to hand over.
#[derive(Clone, Debug)]
pub struct RecoveryLink {
    pub user: User,
    pub url: Secret<String>,
}

/// Makes a link by which somebody gets back in without password, second factor or mail. It voids an older
/// one, works once, within an hour; until then nothing changes.
///
/// # Errors
/// `forbidden` without `users:write`, or for a user who holds a permission of authd's own that the caller
/// doesn't; `fresh_login_required` for a user; `not_found`; `account_disabled` and `email_not_verified`,
/// since there the link would let nobody in; the store's.
pub fn make_link(app: &App, caller: &Caller, of: &UserRef) -> Result<RecoveryLink, Error> {
    let (link, url) = handed_over::handed_over(app, LinkKind::Recovery);
    let (user, ()) = change_fresh(app, caller, of, move |tx, user| {
        if user.disabled_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        if user.email_verified_at.is_none() {
            return Ok(Decision::Refuse(Refusal::EmailNotVerified));
        }
        link.insert(tx, user.id)?;
        tx.audit(&Event::RecoveryLinkMade, user.id)?;
        Ok(Decision::Grant(()))
    })?;
    Ok(RecoveryLink { user, url })
}

/// Spends the link: the new password holds, every other factor, passkey, identity and session of the account
/// is gone, its locks end, and a fresh session begins, in which a passkey or an app can be set up.
///
/// # Errors
/// `invalid_token` when the link is wrong, spent, replaced or too old; `weak_password`, which leaves it good;
/// `overloaded`; the store's.
pub fn recover(app: &App, caller: &Caller, token: &str, password: &Password) -> Result<Started, Error> {
    let hash = opaque::parse(LinkKind::Recovery.prefix(), token).ok_or(Refusal::InvalidLink)?;
    let now = app.now();
    let owner =
        app.store.read(|query| match links::find_owner(query, &[LinkKind::Recovery], &hash, now)? {
            Some(id) => users::find(query, id),
            None => Ok(None),
        })?;
    let owner = owner.filter(|owner| owner.disabled_at.is_none()).ok_or(Refusal::InvalidLink)?;
    check_policy(app, password, Owner { email: &owner.email, name: &owner.name })?;
    let recovery = Recovery {
        hash,
        new_hash: app.gate.hash(password, draw(app.entropy()))?,
        start: Start::new(app, caller, FirstFactor::Password.alone()),
        attempt: Attempt::new(app, caller, owner.email.key()),
        notice: compose::notice(app, caller, MailKind::AccountRecovered),
    };
    let (salt, signer) = (recovery.start.salt, current_key::current(app)?);
    let (user, session) = app.store.write(caller, move |tx| recovery.run(tx))?;
    Ok(Started { user, session, salt, signer })
}

/// Finds whose link it is, and spends nothing. `None`: it is wrong, spent, replaced or too old.
///
/// # Errors
/// The store's.
pub fn peek(app: &App, token: &str) -> Result<Option<Email>, Error> {
    let Some(hash) = opaque::parse(LinkKind::Recovery.prefix(), token) else {
        return Ok(None);
    };
    let now = app.now();
    Ok(app.store.read(|query| links::find_email(query, &[LinkKind::Recovery], &hash, now))?)
}

/// What is drawn, hashed and composed before the transaction.
struct Recovery {
    hash: OpaqueHash,
    new_hash: PasswordHashText,
    start: Start,
    attempt: Attempt,
    notice: QueuedMail,
}

impl Recovery {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Decision<(User, Session)>, Fault> {
        let Some(Spent { user: id, .. }) = links::spend(tx, &[LinkKind::Recovery], &self.hash)? else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        let owner = users::find(tx, id)?;
        if owner.is_none_or(|owner| owner.disabled_at.is_some() || owner.email_verified_at.is_none()) {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        }
        users::save_password(tx, id, &self.new_hash.0)?;
        remove_all_in(tx, id)?;
        second_factor::delete(tx, id)?;
        unlink_all_in(tx, id)?;
        void_old_proofs(tx, id, None)?;
        links::delete_of_kind(tx, id, LinkKind::Recovery)?;
        tx.audit(&Event::AccountRecovered, id)?;
        let user = users::find(tx, id)?.ok_or_else(|| Fault::Internal("a link is nobody's".into()))?;
        self.notice.queue(tx, id, &user.email)?;
        Ok(Decision::Grant(self.start.run(tx, &self.attempt, user)?))
    }
}
