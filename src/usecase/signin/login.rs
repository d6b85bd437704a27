//! Login with address and password. With a second factor it gives a ticket, and nothing else.

use super::first_step::{FirstStep, Passed};
use super::hash_costs;
use super::locked_tries;
use super::lockout;
use super::lockout::{Attempt, Counted};
use super::proof::FirstFactor;
use crate::crypto::password::PasswordHashText;
use crate::crypto::password_tag::{self, PasswordTag};
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::identity::ProviderProof;
use crate::domain::mail::MailKind;
use crate::domain::password::Password;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tables::users::Credential;
use crate::store::tables::{registrations, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose;
use crate::usecase::mail::compose::QueuedMail;

pub use super::first_step::{LoggedIn, PASSWORD_TICKET_PREFIX, TICKET_PREFIX, TICKET_TTL};
pub use super::session_start::Tokens;
pub use super::started::Started;

/// What a person logs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub email: Email,
    pub password: Password,
}

/// What was found out before the transaction, by hashing.
#[derive(Clone, Debug)]
struct Verified {
    /// The hash that the password matched; `None`: it matched none.
    hash: Option<String>,
    /// A new hash in its place, where parameters have risen.
    rehashed: Option<PasswordHashText>,
    /// What a registration that waits would have of the password.
    tag: PasswordTag,
}

/// What the transaction needs besides.
struct Prepared {
    verification_required: bool,
    step: FirstStep,
    locked_notice: QueuedMail,
}

/// Logs a person in.
///
/// # Errors
/// `invalid_credentials`, the same for an unknown address and a wrong password; `too_many_attempts`,
/// the same for every address; with the right password `account_disabled` or `email_not_verified`;
/// `overloaded`; `storage_unavailable`.
pub fn login(app: &App, caller: &Caller, credentials: &Credentials) -> Result<LoggedIn, Error> {
    let attempt = Attempt::new(app, caller, credentials.email.key());
    let email = credentials.email.clone();
    let now = app.now();
    let (credential, locked) = app.store.read(|query| {
        let credential = users::find_credential(query, &email)?;
        let user = credential.as_ref().map(|credential| credential.user.id);
        let locked = attempt.locked_until(query, user, now)?.map(|until| (until, user));
        Ok((credential, locked))
    })?;
    if let Some((until, user)) = locked {
        let typed = user.is_none().then(|| email.to_string());
        let subject = user.map_or_else(Subject::default, Subject::from);
        return Err(locked_tries::refuse(app, caller, &attempt, subject, typed, until));
    }
    let verified = verify(app, credential, credentials)?;
    let (step, tickets) = FirstStep::new(app, caller, FirstFactor::Password);
    let prepared = Prepared {
        verification_required: app.config.email_verification.required,
        step,
        locked_notice: compose::notice(app, caller, MailKind::AccountLocked),
    };
    let passed = app.store.write(caller, move |tx| decide(tx, &attempt, &email, &verified, &prepared))?;
    Ok(tickets.logged_in(passed))
}

/// Hashes once for every login, whoever it is for.
fn verify(app: &App, credential: Option<Credential>, shown: &Credentials) -> Result<Verified, Fault> {
    let password = &shown.password;
    let stored = credential.and_then(|credential| credential.password_hash).map(PasswordHashText);
    let matched = match &stored {
        Some(hash) => app.gate.verify(hash, password)?,
        None => app.gate.verify_nobody(hash_costs::of_nobody(app, &shown.email.key()), password)?,
    };
    let hash = stored.filter(|_| matched);
    let rehashed = match &hash {
        Some(hash) if app.gate.is_outdated(hash) => Some(app.gate.hash(password, draw(app.entropy()))?),
        _ => None,
    };
    let tag = app.password_tag_key.tag(&shown.email, password);
    Ok(Verified { hash: hash.map(|hash| hash.0), rehashed, tag })
}

fn decide(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    email: &Email,
    verified: &Verified,
    prepared: &Prepared,
) -> Result<Decision<Passed>, Fault> {
    let credential = users::find_credential(tx, email)?;
    let user = credential.as_ref().map(|credential| credential.user.id);
    let subject = user.map_or_else(Subject::default, Subject::from);
    let typed = || subject.user.is_none().then(|| email.to_string());
    let now = tx.now();
    if let Some(until) = attempt.locked_until(tx, user, now)? {
        return Ok(Decision::Refuse(lockout::refuse(tx, subject, typed(), until)?));
    }
    let user = match check_account(credential, verified, prepared.verification_required, now) {
        Ok(user) => user,
        Err((why, refusal)) if refusal == Refusal::InvalidCredentials => {
            // Whether or not the address has an account: the one tells as little as the other. It counts as
            // every failure does, so that nobody learns this way what others have registered with.
            let pending = is_pending(tx, email, &verified.tag)?;
            let (why, refusal) =
                if pending { (LoginFailure::Pending, Refusal::EmailNotVerified) } else { (why, refusal) };
            tx.audit(&Event::LoginFailed { why, email: typed() }, subject)?;
            count(tx, attempt, email, prepared)?;
            return Ok(Decision::Refuse(refusal));
        }
        Err((why, refusal)) => {
            tx.audit(&Event::LoginFailed { why, email: typed() }, subject)?;
            return Ok(Decision::Refuse(refusal));
        }
    };
    if let (Some(old), Some(rehashed)) = (&verified.hash, &verified.rehashed)
        && users::replace_hash(tx, user.id, old, &rehashed.0)?
    {
        tx.audit(&Event::PasswordRehashed, user.id)?;
    }
    Ok(Decision::Grant(prepared.step.pass(tx, attempt, user, &ProviderProof::default())?))
}

/// Whether a registration waits for the address with this password.
fn is_pending(tx: &Tx<'_>, email: &Email, shown: &PasswordTag) -> Result<bool, Fault> {
    let waiting = registrations::list_tags(tx, email, tx.now())?;
    Ok(waiting.iter().any(|tag| password_tag::is_same(tag, shown)))
}

fn count(tx: &mut Tx<'_>, attempt: &Attempt, email: &Email, prepared: &Prepared) -> Result<(), Fault> {
    let user = users::find_by_email(tx, email)?;
    let counted = attempt.count(tx, user.as_ref().map(|user| user.id))?;
    if let (Counted::AccountLocked, Some(user)) = (counted, user) {
        prepared.locked_notice.queue(tx, user.id, &user.email)?;
    }
    Ok(())
}

/// Judges the account as it stands inside the transaction: a password that was changed while the old
/// one was being hashed counts as wrong.
fn check_account(
    credential: Option<Credential>,
    verified: &Verified,
    verification_required: bool,
    now: Timestamp,
) -> Result<User, (LoginFailure, Refusal)> {
    let wrong = |why| Err((why, Refusal::InvalidCredentials));
    let Some(Credential { user, password_hash, password_term }) = credential else {
        return wrong(LoginFailure::UnknownEmail);
    };
    if password_hash.is_none() {
        return wrong(LoginFailure::NoPassword);
    }
    if verified.hash.is_none() || verified.hash != password_hash {
        return wrong(LoginFailure::WrongPassword);
    }
    if password_term.has_ended(now) {
        return wrong(LoginFailure::PasswordEnded);
    }
    if user.disabled_at.is_some() {
        return Err((LoginFailure::Disabled, Refusal::AccountDisabled));
    }
    if verification_required && user.email_verified_at.is_none() {
        return Err((LoginFailure::Unverified, Refusal::EmailNotVerified));
    }
    Ok(user)
}
