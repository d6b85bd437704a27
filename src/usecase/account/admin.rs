//! Accounts, as those who look after them see them.

use super::password::{Owner, check_policy, void_old_proofs};
use super::reference::{UserRef, change, check_domain, find_in, find_under, is_last_admin, remove};
use super::roles;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::link::LinkKind;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::password::{Password, PasswordTerm};
use crate::domain::role::RoleName;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::page::Page;
use crate::store::tables::users::NewUser;
use crate::store::tables::{failures, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::LinkMail;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::require;

use std::time::Duration;

pub use crate::store::page::{LIMIT_DEFAULT, LIMIT_MAX, Paged};
pub use crate::store::tables::users::Filter;

/// One account.
///
/// # Errors
/// `forbidden` without `users:read`; `not_found`; the store's.
pub fn find(app: &App, caller: &Caller, of: &UserRef) -> Result<User, Error> {
    require(caller, "users:read")?;
    Ok(app.store.read(|query| find_in(query, of))?.ok_or_else(|| of.missing())?)
}

/// A page of accounts, in the order in which they were made: `limit` of them (at least 1), after the
/// `next` of the page before. `after` of `None`: from the beginning.
///
/// # Errors
/// `forbidden` without `users:read`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn list(
    app: &App,
    caller: &Caller,
    filter: &Filter,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<User, String>, Error> {
    require(caller, "users:read")?;
    check_limit(limit)?;
    let after = start(cursor::List::Users, after, cursor::decode)?;
    let page = Page { limit, after: after.map(UserId::from_bytes) };
    let now = app.now();
    let Paged { items, next } = app.store.read(|query| users::list(query, filter, now, page))?;
    Ok(Paged { items, next: next.map(|id| cursor::encode(cursor::List::Users, id.as_bytes())) })
}

/// Whether an enabled user has the role `admin`: if not, the operator is told how to make one.
///
/// # Errors
/// The store's.
pub fn has_admin(app: &App) -> Result<bool, Error> {
    Ok(app.store.read(|query| users::has_enabled_admin(query, None))?)
}

/// How long a password unused lives that was made for somebody.
pub const TEMPORARY_PASSWORD_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a password that an operator sets is good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Term {
    Lasting,
    /// For the next login, which asks for another, and for [`TEMPORARY_PASSWORD_TTL`] at most.
    Temporary,
}

impl Term {
    /// The term of a password that is set at this moment.
    fn from(self, now: Timestamp) -> PasswordTerm {
        match self {
            Self::Lasting => PasswordTerm::Lasting,
            Self::Temporary => PasswordTerm::Temporary { ends_at: Some(now.plus(TEMPORARY_PASSWORD_TTL)) },
        }
    }
}

/// How a new account comes by its password.
#[derive(Clone, Debug)]
pub enum FirstPassword {
    Set(Password),
    /// As [`FirstPassword::Set`], but good for the first login alone: see [`Term::Temporary`].
    Temporary(Password),
    /// By a link that is mailed, and given to the one who invites.
    Invite,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verified {
    Yes,
    /// A verification link is mailed.
    No,
}

#[derive(Clone, Debug)]
pub struct NewAccount {
    pub email: Email,
    pub name: Name,
    pub roles: Vec<RoleName>,
    pub verified: Verified,
    pub password: FirstPassword,
}

/// A new account, and the link to set its password where it was invited.
#[derive(Clone, Debug)]
pub struct Added {
    pub user: User,
    pub invitation: Option<Secret<String>>,
}

/// Makes an account.
///
/// # Errors
/// `forbidden` without `users:write`, or for a role with a permission of authd's own that the caller does
/// not hold; `fresh_login_required` for a user; `validation_failed` for an address that no mail reaches,
/// but for an operator; `email_taken`; `not_found` for an unknown role; `weak_password`; `overloaded`; the
/// store's.
pub fn add(app: &App, caller: &Caller, new: NewAccount) -> Result<Added, Error> {
    require(caller, "users:write")?;
    let fresh = require_fresh_if_user(app, caller)?;
    check_domain(caller, "email", &new.email)?;
    let password_hash = match &new.password {
        FirstPassword::Set(password) | FirstPassword::Temporary(password) => {
            check_policy(app, password, Owner { email: &new.email, name: &new.name })?;
            Some(app.gate.hash(password, draw(app.entropy()))?.0)
        }
        FirstPassword::Invite => None,
    };
    let (link, invitation) = match (&new.password, new.verified) {
        (FirstPassword::Invite, _) => {
            let (draft, url) = compose::compose(app, LinkKind::Invitation);
            (Some(draft), Some(url))
        }
        (FirstPassword::Set(_) | FirstPassword::Temporary(_), Verified::No) => {
            (Some(compose::compose(app, LinkKind::VerifyEmail).0), None)
        }
        (FirstPassword::Set(_) | FirstPassword::Temporary(_), Verified::Yes) => (None, None),
    };
    let term = match &new.password {
        FirstPassword::Temporary(_) => Term::Temporary,
        FirstPassword::Set(_) | FirstPassword::Invite => Term::Lasting,
    };
    let now = app.now();
    let row = NewUser {
        id: UserId::new(now, app.id_entropy()),
        email: new.email,
        email_verified_at: (new.verified == Verified::Yes).then_some(now),
        name: new.name,
        password_hash,
    };
    let (giver, roles) = (caller.clone(), new.roles);
    let user = fresh.write(app, caller, move |tx| {
        let added = insert(tx, &giver, &row, &roles, link.as_ref())?;
        if let Decision::Grant(user) = &added {
            let now = tx.now();
            users::save_password_term(tx, user.id, term.from(now))?;
        }
        Ok(added)
    })?;
    Ok(Added { user, invitation })
}

pub(in crate::usecase) fn insert(
    tx: &mut Tx<'_>,
    giver: &Caller,
    new: &NewUser,
    wanted: &[RoleName],
    link: Option<&LinkMail>,
) -> Result<Decision<User>, Fault> {
    if users::find_by_email(tx, &new.email)?.is_some() {
        return Ok(Decision::Refuse(Refusal::EmailTaken));
    }
    if let Some(refusal) = roles::cannot_give(tx, giver, wanted)? {
        return Ok(Decision::Refuse(refusal));
    }
    users::insert(tx, new)?;
    tx.audit(&Event::UserCreated, new.id)?;
    roles::give(tx, new.id, wanted)?;
    if let Some(link) = link {
        link.queue_unbounded(tx, new.id, &new.email)?;
        if new.password_hash.is_none() {
            tx.audit(&Event::UserInvited, new.id)?;
        }
    }
    let user =
        users::find(tx, new.id)?.ok_or_else(|| Fault::Internal("a new account is not there".into()))?;
    Ok(Decision::Grant(user))
}

/// Sets a new password; every session of the user ends.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; `weak_password`; `overloaded`; the store's.
pub fn set_password(
    app: &App,
    caller: &Caller,
    of: &UserRef,
    password: &Password,
    term: Term,
) -> Result<User, Error> {
    require(caller, "users:write")?;
    let user = find(app, caller, of)?;
    check_policy(app, password, Owner { email: &user.email, name: &user.name })?;
    let hash = app.gate.hash(password, draw(app.entropy()))?;
    let notice = compose::notice(app, caller, MailKind::PasswordChanged);
    change(app, caller, of, move |tx, user| {
        let now = tx.now();
        users::save_password(tx, user.id, &hash.0)?;
        users::save_password_term(tx, user.id, term.from(now))?;
        void_old_proofs(tx, user.id, None)?;
        tx.audit(&Event::PasswordSet, user.id)?;
        notice.queue(tx, user.id, &user.email)?;
        Ok(Decision::Grant(()))
    })
}

/// Makes and mails a link to set a password. The old one, if there is one, stays until then.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; the store's.
pub fn invite(app: &App, caller: &Caller, of: &UserRef) -> Result<Added, Error> {
    require(caller, "users:write")?;
    let (draft, url) = compose::compose(app, LinkKind::Invitation);
    let user = change(app, caller, of, move |tx, user| {
        draft.queue_unbounded(tx, user.id, &user.email)?;
        tx.audit(&Event::UserInvited, user.id)?;
        Ok(Decision::Grant(()))
    })?;
    Ok(Added { user, invitation: Some(url) })
}

/// A link to set a new password, for an operator to hand over.
#[derive(Clone, Debug)]
pub struct ResetLink {
    pub user: User,
    pub url: Secret<String>,
}

/// Makes the link that a request for a new password mails, and mails nothing. It voids an older one; the old
/// password stays until it is opened.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; `account_disabled`, since there the link would do nothing;
/// the store's.
pub fn reset_link(app: &App, caller: &Caller, of: &UserRef) -> Result<ResetLink, Error> {
    let (link, url) = compose::compose(app, LinkKind::ResetPassword);
    let user = change(app, caller, of, move |tx, user| {
        if user.disabled_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        link.hand_over(tx, user.id)?;
        tx.audit(&Event::PasswordResetRequested, user.id)?;
        Ok(Decision::Grant(()))
    })?;
    Ok(ResetLink { user, url })
}

/// Mails the owner a link to set a new password, on an administrator's word. It voids an older one; the old
/// password stays until it is opened.
///
/// # Errors
/// As [`reset_link`].
pub fn mail_reset_link(app: &App, caller: &Caller, of: &UserRef) -> Result<User, Error> {
    let (link, _) = compose::compose(app, LinkKind::ResetPassword);
    change(app, caller, of, move |tx, user| {
        if user.disabled_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        link.queue_unbounded(tx, user.id, &user.email)?;
        tx.audit(&Event::PasswordResetRequested, user.id)?;
        Ok(Decision::Grant(()))
    })
}

/// Disables an account and ends its sessions. A second time it changes nothing.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; `last_admin`; the store's.
pub fn disable(app: &App, caller: &Caller, of: &UserRef) -> Result<User, Error> {
    change(app, caller, of, disable_in)
}

pub(in crate::usecase) fn disable_in(tx: &mut Tx<'_>, user: &User) -> Result<Decision<()>, Fault> {
    if user.disabled_at.is_some() {
        return Ok(Decision::Grant(()));
    }
    if is_last_admin(tx, user)? {
        return Ok(Decision::Refuse(Refusal::LastAdmin));
    }
    let now = tx.now();
    users::save_disabled(tx, user.id, Some(now))?;
    void_old_proofs(tx, user.id, None)?;
    tx.audit(&Event::UserDisabled, user.id)?;
    Ok(Decision::Grant(()))
}

/// Enables an account again. A second time it changes nothing.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; the store's.
pub fn enable(app: &App, caller: &Caller, of: &UserRef) -> Result<User, Error> {
    change(app, caller, of, enable_in)
}

pub(in crate::usecase) fn enable_in(tx: &mut Tx<'_>, user: &User) -> Result<Decision<()>, Fault> {
    if user.disabled_at.is_some() {
        users::save_disabled(tx, user.id, None)?;
        tx.audit(&Event::UserEnabled, user.id)?;
    }
    Ok(Decision::Grant(()))
}

/// Takes an account out of the database, with its sessions, roles, links and mails. The audit log
/// keeps its id.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; `last_admin`; the store's.
pub fn delete(app: &App, caller: &Caller, of: &UserRef) -> Result<User, Error> {
    require(caller, "users:write")?;
    let (changer, of) = (caller.clone(), of.clone());
    app.store.write(caller, move |tx| delete_in(tx, &changer, &of))
}

/// Finds the accounts that [`delete`] would take out one after the other, refuses as it would, and changes
/// nothing: for whoever is about to be asked.
///
/// # Errors
/// As [`delete`].
pub fn deletable(app: &App, caller: &Caller, all: &[UserRef]) -> Result<Vec<User>, Error> {
    require(caller, "users:write")?;
    let (changer, all) = (caller.clone(), all.to_vec());
    app.store.write(caller, move |tx| {
        tx.dry_run(|tx| {
            let mut found = Vec::with_capacity(all.len());
            for of in &all {
                match delete_in(tx, &changer, of)? {
                    Decision::Grant(user) => found.push(user),
                    Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
                }
            }
            Ok(Decision::Grant(found))
        })
    })
}

pub(in crate::usecase) fn delete_in(
    tx: &mut Tx<'_>,
    changer: &Caller,
    of: &UserRef,
) -> Result<Decision<User>, Fault> {
    let user = match find_under(tx, changer, of)? {
        Decision::Grant(user) => user,
        refused @ Decision::Refuse(_) => return Ok(refused),
    };
    if is_last_admin(tx, &user)? {
        return Ok(Decision::Refuse(Refusal::LastAdmin));
    }
    remove(tx, &user)?;
    tx.audit(&Event::UserDeleted, user.id)?;
    Ok(Decision::Grant(user))
}

/// Ends every lock on an account; gives how many held. A second time it changes nothing.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; the store's.
pub fn unlock(app: &App, caller: &Caller, of: &UserRef) -> Result<u32, Error> {
    require(caller, "users:write")?;
    let (changer, of) = (caller.clone(), of.clone());
    app.store.write(caller, move |tx| {
        let user = match find_under(tx, &changer, &of)? {
            Decision::Grant(user) => user,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        Ok(Decision::Grant(unlock_in(tx, &user)?))
    })
}

/// Ends every lock on an account; gives how many held.
pub(super) fn unlock_in(tx: &mut Tx<'_>, user: &User) -> Result<u32, Fault> {
    let locks = failures::clear_all(tx, &user.email.key())?;
    if locks > 0 {
        tx.audit(&Event::UserUnlocked, user.id)?;
    }
    Ok(locks)
}
