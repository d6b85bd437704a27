//! Registrations that wait: making an account of one, by its link or on an operator's word, and deleting it.
//!
//! Nobody has shown that the address is theirs before the link in its mail is opened, and the account is made
//! then, with what that registration was made with. A link shows whose mailbox it is, the password beside it
//! whose registration: where others wait with another password, it is wanted, too.

use super::admin::Paged;
use crate::config::Registration as Mode;
use crate::crypto::opaque::OpaqueHash;
use crate::crypto::password_tag::{self, PasswordTag};
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::cursor;
use crate::domain::email::Email;
use crate::domain::id::{IdentityId, RegistrationId, UserId};
use crate::domain::identity::{Identity, ProviderName};
use crate::domain::password::Password;
use crate::domain::registration::Registration;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::page::Page;
use crate::store::tables::registrations::{NewCredential, Waiting};
use crate::store::tables::users::NewUser;
use crate::store::tables::{identities, mails, registrations, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::paging::{check_limit, start};
use crate::usecase::reauthenticate::require_fresh_if_user;
use crate::usecase::require;
use crate::usecase::signin::lockout::{self, Attempt};

/// Spends the link of a registration for `email`. `password`: what was shown beside it.
///
/// # Errors
/// `registration_closed`, where it was closed meanwhile; `invalid_token`; `password_required`;
/// `invalid_credentials`, counted by the lockout; `too_many_attempts`; `email_taken` when somebody has come
/// to have the address since; the store's.
pub(super) fn confirm_by_link(
    app: &App,
    caller: &Caller,
    token_hash: OpaqueHash,
    email: &Email,
    password: Option<&Password>,
) -> Result<User, Error> {
    if app.config.registration == Mode::Closed {
        return Err(Refusal::RegistrationClosed.into());
    }
    let attempt = Attempt::new(app, caller, email.key());
    let shown = password.map(|password| app.password_tag_key.tag(email, password));
    let id = UserId::new(app.now(), app.id_entropy());
    let open = open_providers(app);
    app.store.write(caller, move |tx| {
        let now = tx.now();
        let Some(linked) = registrations::find_by_token(tx, &token_hash, now)? else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        match meant(tx, &attempt, linked, shown.as_ref())? {
            Ok(waiting) if is_closed(&waiting, &open) => Ok(Decision::Refuse(Refusal::RegistrationClosed)),
            Ok(waiting) => make_account(tx, id, &waiting),
            Err(refusal) => Ok(Decision::Refuse(refusal)),
        }
    })
}

/// The providers whose people get an account with an address that those have not verified: where domains are
/// listed, such an address is in none of them.
fn open_providers(app: &App) -> Vec<ProviderName> {
    let open = app.config.oauth.iter().filter(|known| known.sign_up && known.allowed_domains.is_empty());
    open.map(|provider| provider.name.clone()).collect()
}

/// Whether its provider is one of those no more: that may have been changed since it began to wait.
fn is_closed(waiting: &Waiting, open: &[ProviderName]) -> bool {
    match &waiting.credential {
        NewCredential::Password(_) => false,
        NewCredential::Identity { provider, .. } => !open.contains(provider),
    }
}

/// The registration that a link and the password beside it mean. Any link of the address will do: its owner
/// may have lost the mail of hers, or a stranger had the newest sent. Without a password it is the link's.
fn meant(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    linked: Waiting,
    shown: Option<&PasswordTag>,
) -> Result<Result<Waiting, Refusal>, Fault> {
    let Some(shown) = shown else {
        let required = linked.registration.password_required;
        return Ok(if required { Err(Refusal::PasswordRequired) } else { Ok(linked) });
    };
    let (now, email) = (tx.now(), &linked.registration.email);
    let user = users::find_by_email(tx, email)?.map(|user| user.id);
    let subject = user.map_or_else(Subject::default, Subject::from);
    let typed = user.is_none().then(|| email.to_string());
    // Who has the link has the mailbox: strangers can't guess here, and must not keep its owner out.
    if let Some(until) = attempt.network_locked_until(tx, now)? {
        return lockout::refuse(tx, subject, typed, until).map(Err);
    }
    let waiting = registrations::list_of(tx, email, now)?;
    if let Some(hers) = waiting.into_iter().find(|one| password_tag::is_same(shown, &one.password_tag)) {
        return Ok(Ok(hers));
    }
    tx.audit(&Event::LoginFailed { why: LoginFailure::WrongPassword, email: typed }, subject)?;
    attempt.count(tx, user)?;
    Ok(Err(Refusal::InvalidCredentials))
}

/// The others of the address are void, whoever made them. They wait out their day all the same, as those for
/// a taken address do: whoever made one can't see by a login when the address came to have an account.
fn make_account(tx: &mut Tx<'_>, id: UserId, waiting: &Waiting) -> Result<Decision<User>, Fault> {
    let (now, registration) = (tx.now(), &waiting.registration);
    if users::find_by_email(tx, &registration.email)?.is_some() {
        return Ok(Decision::Refuse(Refusal::EmailTaken));
    }
    let identity = identity_of(waiting, id, now);
    if let Some(identity) = &identity
        && identities::find_by_key(tx, &identity.key)?.is_some()
    {
        return Ok(Decision::Refuse(Refusal::IdentityInUse));
    }
    let user = NewUser {
        id,
        email: registration.email.clone(),
        email_verified_at: Some(now),
        name: registration.name.clone(),
        password_hash: match &waiting.credential {
            NewCredential::Password(hash) => Some(hash.clone()),
            NewCredential::Identity { .. } => None,
        },
    };
    users::insert(tx, &user)?;
    registrations::delete(tx, registration.id)?;
    registrations::void_links_of(tx, &registration.email)?;
    mails::save_user(tx, &registration.email, id)?;
    tx.audit(&Event::UserRegistered { registration: Some(registration.id.to_string()) }, id)?;
    tx.audit(&Event::EmailVerified, id)?;
    if let Some(identity) = &identity {
        identities::insert(tx, identity)?;
        tx.audit(&Event::identity_linked(identity), id)?;
    }
    let made = users::find(tx, id)?.ok_or_else(|| Fault::Internal("a new account is not there".into()))?;
    Ok(Decision::Grant(made))
}

/// The identity that signs in to the account. Its registration's id goes on as its own. `None`: a password
/// does.
fn identity_of(waiting: &Waiting, user: UserId, now: Timestamp) -> Option<Identity> {
    let NewCredential::Identity { provider, key } = &waiting.credential else {
        return None;
    };
    Some(Identity {
        id: IdentityId::from_bytes(*waiting.registration.id.as_bytes()),
        user,
        provider: provider.clone(),
        key: key.clone(),
        email: Some(waiting.registration.email.to_string()),
        linked_at: now,
        last_used_at: None,
    })
}

/// Registrations as an operator names them: all of an address, or one by its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegistrationRef {
    Id(RegistrationId),
    Email(Email),
}

impl RegistrationRef {
    /// Reads an address or an id.
    ///
    /// # Errors
    /// `not_found`: what is neither an address nor an id names none.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some(id) = RegistrationId::parse(text) {
            return Ok(Self::Id(id));
        }
        Email::parse(text).map(Self::Email).map_err(|_| Refusal::not_found("registration", text))
    }

    fn missing(&self) -> Refusal {
        match self {
            Self::Id(id) => Refusal::not_found("registration", id.to_string()),
            Self::Email(email) => Refusal::not_found("registration", email.to_string()),
        }
    }
}

/// Finds those that are meant, newest first; never none.
fn find_in(query: &Tx<'_>, of: &RegistrationRef) -> Result<Result<Vec<Waiting>, Refusal>, Fault> {
    let now = query.now();
    let found = match of {
        RegistrationRef::Id(id) => registrations::find(query, *id, now)?.into_iter().collect(),
        RegistrationRef::Email(email) => registrations::list_of(query, email, now)?,
    };
    Ok(if found.is_empty() { Err(of.missing()) } else { Ok(found) })
}

/// A page of those that wait, oldest first: `limit` of them (at least 1), after the `next` of the page
/// before. `after` of `None`: from the beginning.
///
/// # Errors
/// `forbidden` without `users:read`; `invalid_cursor`; `validation_failed` for a limit of 0; the store's.
pub fn list(
    app: &App,
    caller: &Caller,
    limit: u32,
    after: Option<&str>,
) -> Result<Paged<Registration, String>, Error> {
    require(caller, "users:read")?;
    check_limit(limit)?;
    let after = start(cursor::List::Registrations, after, cursor::decode)?;
    let page = Page { limit, after: after.map(RegistrationId::from_bytes) };
    let now = app.now();
    let Paged { items, next } = app.store.read(|query| registrations::list(query, now, page))?;
    Ok(Paged { items, next: next.map(|id| cursor::encode(cursor::List::Registrations, id.as_bytes())) })
}

/// Makes the account as its link would, on the word of somebody who knows whose registration it is.
///
/// # Errors
/// `forbidden` without `users:write`; `fresh_login_required` for a user; `not_found`; `conflict` where an
/// address is named for which others wait with another password; `email_taken`; the store's.
pub fn confirm(app: &App, caller: &Caller, of: &RegistrationRef) -> Result<User, Error> {
    require(caller, "users:write")?;
    let fresh = require_fresh_if_user(app, caller)?;
    let (of, id) = (of.clone(), UserId::new(app.now(), app.id_entropy()));
    fresh.write(app, caller, move |tx| match find_in(tx, &of)?.and_then(|found| the_one(&of, found)) {
        Ok(waiting) => make_account(tx, id, &waiting),
        Err(refusal) => Ok(Decision::Refuse(refusal)),
    })
}

/// The one that is meant of those found, of which there is one at least. An address means its newest, where
/// nobody has registered with another password, not even one that waits no more.
fn the_one(of: &RegistrationRef, mut found: Vec<Waiting>) -> Result<Waiting, Refusal> {
    let newest = found.swap_remove(0);
    if matches!(of, RegistrationRef::Id(_)) || !newest.registration.password_required {
        return Ok(newest);
    }
    let email = &newest.registration.email;
    let reason = format!(
        "registrations with different passwords wait for {email}, or did; find out whose is whose, and name one \
         by its id"
    );
    Err(Refusal::Conflict { reason })
}

/// Finds the registrations that [`delete`] would delete, newest first.
///
/// # Errors
/// As [`delete`].
pub fn find(app: &App, caller: &Caller, of: &RegistrationRef) -> Result<Vec<Registration>, Error> {
    require(caller, "users:write")?;
    let of = of.clone();
    app.store.write(caller, move |tx| {
        Ok(match find_in(tx, &of)? {
            Ok(found) => Decision::Grant(found.into_iter().map(|waiting| waiting.registration).collect()),
            Err(refusal) => Decision::Refuse(refusal),
        })
    })
}

/// Deletes registrations: their links are void. Gives those that were there.
///
/// # Errors
/// `forbidden` without `users:write`; `not_found`; the store's.
pub fn delete(app: &App, caller: &Caller, of: &RegistrationRef) -> Result<Vec<Registration>, Error> {
    require(caller, "users:write")?;
    let of = of.clone();
    app.store.write(caller, move |tx| {
        let found = match find_in(tx, &of)? {
            Ok(found) => found,
            Err(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        let mut deleted = Vec::new();
        for Waiting { registration, .. } in found {
            registrations::delete(tx, registration.id)?;
            let event = Event::RegistrationDeleted { registration: registration.id.to_string() };
            tx.audit(&event, Subject::default())?;
            deleted.push(registration);
        }
        Ok(Decision::Grant(deleted))
    })
}
