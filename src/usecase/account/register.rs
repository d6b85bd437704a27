//! Registration: the same answer, in the same time, whether or not the address is taken. What the one
//! case does and the other doesn't, the other rehearses: the same statements, undone.

use super::password::{Owner, check_policy};
use crate::config::Registration as Mode;
use crate::crypto::password::PasswordHashText;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::password::Password;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::users;
use crate::store::tables::users::NewUser;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::LinkMail;

/// What a person registers with.
#[derive(Clone, Debug)]
pub struct Registration {
    pub email: Email,
    pub password: Password,
    pub name: Name,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Registered {
    /// A mail says what comes next: a link, or that the address has an account.
    VerificationSent,
    /// Verification is off: the account is ready.
    Ready(Box<User>),
}

/// Registers a new account.
///
/// # Errors
/// `registration_closed`; `weak_password`; `email_taken` where verification is off (where it is on,
/// the address's owner is told by mail, and nobody else); `overloaded`; `storage_unavailable`.
pub fn register(app: &App, caller: &Caller, new: &Registration) -> Result<Registered, Error> {
    if app.config.registration == Mode::Closed {
        return Err(Refusal::RegistrationClosed.into());
    }
    check_policy(app, &new.password, Owner { email: &new.email, name: &new.name })?;
    let hash = app.gate.hash(&new.password, draw(app.entropy()))?;
    let user = new_user(app, new, hash);
    if app.config.email_verification.required {
        let (verification, _) = compose::compose(app, MailKind::VerifyEmail);
        let (repeated, _) = compose::compose(app, MailKind::AlreadyRegistered);
        app.store.write(caller, move |tx| with_verification(tx, &user, &verification, &repeated))
    } else {
        app.store.write(caller, move |tx| at_once(tx, &user))
    }
}

fn new_user(app: &App, new: &Registration, hash: PasswordHashText) -> NewUser {
    NewUser {
        id: UserId::new(app.now(), app.id_entropy()),
        email: new.email.clone(),
        email_verified_at: None,
        name: new.name.clone(),
        password_hash: Some(hash.0),
    }
}

fn with_verification(
    tx: &mut Tx<'_>,
    user: &NewUser,
    verification: &LinkMail,
    repeated: &LinkMail,
) -> Result<Decision<Registered>, Fault> {
    let stand_in = stand_in(user)?;
    if let Some(owner) = users::find_by_email(tx, &user.email)? {
        tx.dry_run(|tx| create(tx, &stand_in, verification))?;
        // Whoever reads the mailbox may set a new password; the one given here is dropped. Were it
        // kept for an unverified account, a stranger's password could come to a verified address.
        if !repeated.queue(tx, owner.id, &owner.email)? {
            tx.dry_run(|tx| repeated.queue_unbounded(tx, owner.id, &owner.email))?;
        }
        tx.audit(&Event::RegistrationRepeated, owner.id)?;
    } else {
        create(tx, user, verification)?;
        tx.dry_run(|tx| repeated.queue(tx, user.id, &user.email).map(drop))?;
        tx.audit(&Event::UserRegistered, user.id)?;
    }
    Ok(Decision::Grant(Registered::VerificationSent))
}

fn create(tx: &mut Tx<'_>, user: &NewUser, verification: &LinkMail) -> Result<(), Fault> {
    users::insert(tx, user)?;
    verification.queue(tx, user.id, &user.email).map(drop)
}

/// The same account under an address that nobody has, for a rehearsal.
fn stand_in(user: &NewUser) -> Result<NewUser, Fault> {
    let email = Email::parse(&format!("{}@rehearsal.invalid", user.id));
    let email = email.map_err(|_| Fault::Internal("an id makes no address".into()))?;
    Ok(NewUser { email, ..user.clone() })
}

fn at_once(tx: &mut Tx<'_>, user: &NewUser) -> Result<Decision<Registered>, Fault> {
    if users::find_by_email(tx, &user.email)?.is_some() {
        tx.audit(&Event::RegistrationRepeated, Subject::default())?;
        return Ok(Decision::Refuse(Refusal::EmailTaken));
    }
    users::insert(tx, user)?;
    tx.audit(&Event::UserRegistered, user.id)?;
    let made =
        users::find(tx, user.id)?.ok_or_else(|| Fault::Internal("a new account is not there".into()))?;
    Ok(Decision::Grant(Registered::Ready(Box::new(made))))
}
