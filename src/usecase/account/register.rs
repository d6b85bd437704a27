//! Registration: the same answer, after the same work, whether or not the address is taken. Where addresses
//! are verified, it leaves a registration that waits for its link; the account is made when that is opened
//! (`super::registrations`).

use super::password::{Owner, check_policy};
use super::reference::check_domain;
use crate::config::{Provider, Registration as Mode};
use crate::crypto::password::PasswordHashText;
use crate::crypto::password_tag::PasswordTag;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::{RegistrationId, UserId};
use crate::domain::identity::Claimed;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::password::Password;
use crate::domain::registration::WAITS;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::registrations::{NewCredential, NewRegistration};
use crate::store::tables::users::NewUser;
use crate::store::tables::{registrations, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::app::mail_templates::MailContext;
use crate::usecase::mail::compose::{self, HourlyBound, QueuedMail};

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

/// Registers somebody.
///
/// # Errors
/// `registration_closed`; `validation_failed` for an address that no mail reaches; `weak_password`;
/// `email_taken` where verification is off (where it is on, the address's owner is told by mail, and nobody
/// else); `overloaded`; `storage_unavailable`.
pub fn register(app: &App, caller: &Caller, new: &Registration) -> Result<Registered, Error> {
    if app.config.registration == Mode::Closed {
        return Err(Refusal::RegistrationClosed.into());
    }
    check_domain(caller, "email", &new.email)?;
    check_policy(app, &new.password, Owner { email: &new.email, name: &new.name })?;
    let hash = app.gate.hash(&new.password, draw(app.entropy()))?;
    if app.config.email_verification.required {
        let wish = Wish::prepare(app, caller, new, hash);
        app.store.write(caller, move |tx| wish.keep(tx))
    } else {
        let user = new_user(app, new, hash);
        app.store.write(caller, move |tx| at_once(tx, &user))
    }
}

/// A registration, and both mails of which one is sent.
#[derive(Debug)]
struct Wish {
    new: NewRegistration,
    link: QueuedMail,
    repeated: QueuedMail,
    bound: HourlyBound,
}

impl Wish {
    fn prepare(app: &App, caller: &Caller, new: &Registration, hash: PasswordHashText) -> Self {
        let tag = app.password_tag_key.tag(&new.email, &new.password);
        Self::new(app, caller, &new.email, &new.name, (NewCredential::Password(hash.0), tag), None)
    }

    fn new(
        app: &App,
        caller: &Caller,
        email: &Email,
        name: &Name,
        (credential, password_tag): (NewCredential, PasswordTag),
        provider: Option<String>,
    ) -> Self {
        let registered = MailContext { provider, ..MailContext::of(caller, app.now()) };
        let (link, token_hash) = compose::registration_link(app, registered, WAITS);
        let new = NewRegistration {
            id: RegistrationId::new(app.now(), app.id_entropy()),
            email: email.clone(),
            name: name.clone(),
            credential,
            password_tag,
            token_hash,
            ip: caller.ip.map(|ip| ip.to_string()),
            user_agent: caller.user_agent.clone(),
        };
        let repeated = compose::notice(app, caller, MailKind::AlreadyRegistered);
        Self { new, link, repeated, bound: HourlyBound::new(app) }
    }

    /// The row is kept in either case, and where the address has had its mails for this hour, too: else a
    /// login with the password would tell the one case from the other. Only the mail differs: the owner of a
    /// taken address is told, and gets no link, so that nothing can come of this registration.
    fn keep(&self, tx: &mut Tx<'_>) -> Result<Decision<Registered>, Fault> {
        let owner = users::find_by_email(tx, &self.new.email)?;
        registrations::insert(tx, &self.new)?;
        let (mail, user, to) = match &owner {
            Some(owner) => (&self.repeated, Some(owner.id), &owner.email),
            None => (&self.link, None, &self.new.email),
        };
        if self.bound.is_reached(tx, to)? {
            tx.dry_run(|tx| mail.queue(tx, user, to))?;
        } else {
            mail.queue(tx, user, to)?;
        }
        let registration = self.new.id.to_string();
        match user {
            Some(user) => tx.audit(&Event::RegistrationRepeated, user)?,
            None => tx.audit(&Event::RegistrationRequested { registration }, Subject::default())?,
        }
        Ok(Decision::Grant(Registered::VerificationSent))
    }
}

/// The wish for an account that an identity signs in to, whose address its provider has not verified.
#[derive(Debug)]
pub(in crate::usecase) struct IdentityWish(Wish);

impl IdentityWish {
    /// Draws and composes what is needed. `None`: the provider states no address.
    pub(in crate::usecase) fn prepare(
        app: &App,
        caller: &Caller,
        provider: &Provider,
        claimed: &Claimed,
    ) -> Option<Self> {
        let email = &claimed.email.as_ref()?.email;
        let credential =
            NewCredential::Identity { provider: provider.name.clone(), key: claimed.key.clone() };
        let tag = app.password_tag_key.tag_of_identity(email, &claimed.key);
        let called = Some(provider.display_name.clone());
        Some(Self(Wish::new(app, caller, email, &claimed.name, (credential, tag), called)))
    }

    /// Waits for the link in the mail to be opened.
    pub(in crate::usecase) fn keep(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        self.0.keep(tx).map(drop)
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

fn at_once(tx: &mut Tx<'_>, user: &NewUser) -> Result<Decision<Registered>, Fault> {
    if users::find_by_email(tx, &user.email)?.is_some() {
        tx.audit(&Event::RegistrationRepeated, Subject::default())?;
        return Ok(Decision::Refuse(Refusal::EmailTaken));
    }
    users::insert(tx, user)?;
    tx.audit(&Event::UserRegistered { registration: None }, user.id)?;
    let made =
        users::find(tx, user.id)?.ok_or_else(|| Fault::Internal("a new account is not there".into()))?;
    Ok(Decision::Grant(Registered::Ready(Box::new(made))))
}
