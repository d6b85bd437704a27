//! Changing an account's address and name on an operator's word.

use super::admin::Verified;
use super::password::void_old_proofs;
use super::reference::{UserRef, check_domain, find_under};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::{failures, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::{LinkMail, QueuedMail};
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::require;

/// What an account shall be. `None`: as it is.
#[derive(Clone, Debug)]
pub struct Changes {
    pub email: Option<Email>,
    pub name: Option<Name>,
    /// `Yes`: the address, new or old, counts as verified. `No`: a new one doesn't, and a verification link
    /// is mailed to it; the old one stays as it is.
    pub verified: Verified,
}

/// One thing about an account that is not as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    Email,
    Verified,
    Name,
}

/// An account as it is now, and what is different. Nothing: it was so already.
#[derive(Clone, Debug)]
pub struct Edited {
    pub user: User,
    pub changed: Vec<Changed>,
}

/// Changes an account; what stays the same leaves no trace. Another address ends what the old one was proof
/// of: sessions, links, logins that wait for their second step; the old one is told.
///
/// # Errors
/// `forbidden` without `users:write`, or for somebody who holds a permission of authd's own that the caller
/// doesn't; `fresh_login_required` for a user; `validation_failed` for an address that no mail reaches, but
/// for an operator; `not_found`; `email_taken`, and then nothing is changed; the store's.
pub fn edit(app: &App, caller: &Caller, of: &UserRef, changes: &Changes) -> Result<Edited, Error> {
    require(caller, "users:write")?;
    let fresh = require_fresh_if_user(app, caller)?;
    if let Some(new) = &changes.email {
        check_domain(caller, "email", new)?;
    }
    let moving = changes.email.as_ref().map(|new| Move::new(app, caller, new, changes.verified));
    let (changer, of, changes) = (caller.clone(), of.clone(), changes.clone());
    fresh.write(app, caller, move |tx| {
        let user = match find_under(tx, &changer, &of)? {
            Decision::Grant(user) => user,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        let mut changed = Vec::new();
        if let Some(moving) = moving.as_ref().filter(|moving| moving.new != user.email) {
            if users::find_by_email(tx, &moving.new)?.is_some_and(|other| other.id != user.id) {
                return Ok(Decision::Refuse(Refusal::EmailTaken));
            }
            moving.run(tx, &user)?;
            changed.push(Changed::Email);
        }
        if changes.verified == Verified::Yes && verify_in(tx, &user)? {
            changed.push(Changed::Verified);
        }
        if let Some(name) = &changes.name
            && rename_in(tx, &user, name)?
        {
            changed.push(Changed::Name);
        }
        let user = users::find(tx, user.id)?.ok_or_else(|| Fault::Internal("an account vanished".into()))?;
        Ok(Decision::Grant(Edited { user, changed }))
    })
}

/// Takes the address as verified. Whether it was not before.
pub(in crate::usecase) fn verify_in(tx: &mut Tx<'_>, user: &User) -> Result<bool, Fault> {
    let verified = users::save_verified(tx, user.id)?;
    if verified {
        tx.audit(&Event::EmailVerified, user.id)?;
    }
    Ok(verified)
}

/// Whether the name was another before.
pub(in crate::usecase) fn rename_in(tx: &mut Tx<'_>, user: &User, name: &Name) -> Result<bool, Fault> {
    if *name == user.name {
        return Ok(false);
    }
    users::save_name(tx, user.id, name)?;
    tx.audit(&Event::ProfileChanged { fields: vec!["name"] }, user.id)?;
    Ok(true)
}

/// From one address to another, with the mails that go with it.
struct Move {
    new: Email,
    notice: QueuedMail,
    /// `None`: the operator's word is enough.
    link: Option<LinkMail>,
}

impl Move {
    fn new(app: &App, caller: &Caller, new: &Email, verified: Verified) -> Self {
        Self {
            new: new.clone(),
            notice: compose::change_notice(app, caller, MailKind::EmailChanged, new),
            link: (verified == Verified::No).then(|| compose::compose(app, LinkKind::VerifyEmail).0),
        }
    }

    /// The new address must be free.
    fn run(&self, tx: &mut Tx<'_>, user: &User) -> Result<(), Fault> {
        failures::clear_all(tx, &user.email.key())?;
        users::save_email(tx, user.id, &self.new, None)?;
        void_old_proofs(tx, user.id, None)?;
        tx.audit(&Event::EmailChanged, user.id)?;
        self.notice.queue(tx, user.id, &user.email)?;
        match &self.link {
            Some(link) => link.queue_unbounded(tx, user.id, &self.new),
            None => Ok(()),
        }
    }
}
