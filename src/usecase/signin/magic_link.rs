//! Signing in by a mail alone: a browser asks, and shows what it got then beside the link, or the code, that
//! came in the mail. The one without the other signs nobody in, so that a mail that is opened elsewhere, by
//! its owner or for a stranger, lets nobody else in.
//!
//! Whether the address has an account, no answer tells: a wish for one that has none waits, counts guesses
//! and ends as any other, and nothing it is shown is right.

use super::first_step::{FirstStep, LoggedIn, Passed};
use super::locked_tries;
use super::lockout;
use super::lockout::{Attempt, Counted};
use super::proof::FirstFactor;
use crate::crypto::mailed_code::MailedCodeKey;
use crate::crypto::opaque::{self, OpaqueHash};
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::identity::ProviderProof;
use crate::domain::link::{LinkKind, MAGIC_REQUEST_PREFIX};
use crate::domain::mail::MailKind;
use crate::domain::secret::Secret;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::links::GoodLink;
use crate::store::tables::magic_requests::MagicRequest;
use crate::store::tables::{links, magic_requests, sessions, tickets, users};
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::mail::compose::MailWriter;
use crate::usecase::mail::link_requests;
use std::sync::Arc;

/// A wish is dead after this many wrong codes.
pub const CODE_FAILURES_MAX: u32 = 5;

/// What came in the mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mailed {
    /// The secret in the link.
    Token(Secret<String>),
    /// The eight digits.
    Code(Secret<String>),
}

/// What it led to.
#[derive(Clone, Debug)]
pub struct Confirmed {
    pub logged_in: LoggedIn,
    /// Whether the address came to be verified by it, and a password that was set before counts no more.
    pub password_voided: bool,
}

/// What a link is to the browser that opens it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Opened {
    /// It was asked for here, to sign in as this address.
    Here(Email),
    /// It was asked for in another browser, which takes this code.
    Elsewhere(Secret<String>),
}

/// Has a mail sent that signs in the browser which shows what it is given here, if the address has an
/// account. The caller learns nothing either way: see `mail::link_requests`.
///
/// # Errors
/// `not_found` while `magic_link.enabled` is off; the store's.
pub fn request(app: &App, caller: &Caller, email: &Email) -> Result<Secret<String>, Error> {
    require_enabled(app)?;
    link_requests::note_browser(app, caller, email)
}

/// Signs in whoever asked for a mail and shows what came in it. The address is verified by that; a password
/// that was set before it was, perhaps by somebody else, counts no more, nor does whatever it has begun.
///
/// # Errors
/// `invalid_token` when the wish, the link or the code is wrong, spent, replaced, or older than ten minutes,
/// or five wrong codes were shown; `too_many_attempts`, the same for every address; `not_found` while
/// `magic_link.enabled` is off; the store's.
pub fn confirm(app: &App, caller: &Caller, request: &str, mailed: &Mailed) -> Result<Confirmed, Error> {
    require_enabled(app)?;
    let request = opaque::parse(MAGIC_REQUEST_PREFIX, request).ok_or(Refusal::InvalidLink)?;
    let now = app.now();
    let found = app.store.read(|query| {
        let waiting = magic_requests::find(query, &request, now)?;
        let Some(waiting) = waiting.filter(|waiting| waiting.failures < CODE_FAILURES_MAX) else {
            return Ok(None);
        };
        let attempt = Attempt::new(app, caller, waiting.email.key());
        let owner = users::find_by_email(query, &waiting.email)?.map(|owner| owner.id);
        let locked = attempt.locked_until(query, owner, now)?;
        Ok(Some((waiting, attempt, owner, locked)))
    })?;
    let (waiting, attempt, owner, locked) = found.ok_or(Refusal::InvalidLink)?;
    if let Some(until) = locked {
        let typed = owner.is_none().then(|| waiting.email.to_string());
        let subject = owner.map_or_else(Subject::default, Subject::from);
        return Err(locked_tries::refuse(app, caller, &attempt, subject, typed, until));
    }
    let (step, tickets) = FirstStep::new(app, caller, FirstFactor::Email);
    let confirmation = Confirmation {
        request,
        shown: Shown::of(mailed),
        attempt,
        step,
        code_key: Arc::clone(&app.mailed_code_key),
        writer: MailWriter::new(app),
    };
    let (passed, password_voided) = app.store.write(caller, move |tx| confirmation.decide(tx))?;
    Ok(Confirmed { logged_in: tickets.logged_in(passed), password_voided })
}

/// Finds out what a link is to a browser, which has or hasn't the secret of a wish, and spends nothing.
/// `None`: the link is good for nothing any more.
///
/// # Errors
/// `not_found` while `magic_link.enabled` is off; the store's.
pub fn peek(app: &App, token: &str, request: Option<&str>) -> Result<Option<Opened>, Error> {
    require_enabled(app)?;
    let Some(token) = opaque::parse(LinkKind::MagicLink.prefix(), token) else {
        return Ok(None);
    };
    let request = request.and_then(|request| opaque::parse(MAGIC_REQUEST_PREFIX, request));
    let now = app.now();
    let waiting = app.store.read(|query| match links::find_magic_by_token(query, &token)? {
        Some(link) => magic_requests::find_of_link(query, link.id, now),
        None => Ok(None),
    })?;
    let waiting = waiting.filter(|waiting| waiting.failures < CODE_FAILURES_MAX);
    Ok(waiting.map(|waiting| {
        if request == Some(waiting.request_hash) {
            Opened::Here(waiting.email)
        } else {
            Opened::Elsewhere(app.mailed_code_key.code(&token))
        }
    }))
}

/// Whether another code may be shown with a wish: it is neither wrong nor dead or too old.
///
/// # Errors
/// The store's.
pub fn is_waiting(app: &App, request: &str) -> Result<bool, Error> {
    let Some(request) = opaque::parse(MAGIC_REQUEST_PREFIX, request) else {
        return Ok(false);
    };
    let now = app.now();
    let waiting = app.store.read(|query| magic_requests::find(query, &request, now))?;
    Ok(waiting.is_some_and(|waiting| waiting.failures < CODE_FAILURES_MAX))
}

/// Refuses while signing in by mail is off.
///
/// # Errors
/// `not_found`.
pub fn require_enabled(app: &App) -> Result<(), Refusal> {
    if app.config.magic_link.enabled { Ok(()) } else { Err(Refusal::not_found("route", "")) }
}

/// What was shown, ready to be compared.
#[derive(Debug)]
enum Shown {
    /// `None`: it can be no link's.
    Token(Option<OpaqueHash>),
    Code(Secret<String>),
}

impl Shown {
    fn of(mailed: &Mailed) -> Self {
        match mailed {
            Mailed::Token(token) => Self::Token(opaque::parse(LinkKind::MagicLink.prefix(), token.expose())),
            Mailed::Code(code) => Self::Code(code.clone()),
        }
    }
}

struct Confirmation {
    request: OpaqueHash,
    shown: Shown,
    attempt: Attempt,
    step: FirstStep,
    code_key: Arc<MailedCodeKey>,
    writer: MailWriter,
}

impl Confirmation {
    /// What comes next, and whether a password was voided.
    fn decide(&self, tx: &mut Tx<'_>) -> Result<Decision<(Passed, bool)>, Fault> {
        let now = tx.now();
        let waiting = magic_requests::find(tx, &self.request, now)?;
        let Some(waiting) = waiting.filter(|waiting| waiting.failures < CODE_FAILURES_MAX) else {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        let owner = users::find_by_email(tx, &waiting.email)?;
        let id = owner.as_ref().map(|owner| owner.id);
        if let Some(until) = self.attempt.locked_until(tx, id, now)? {
            let typed = id.is_none().then(|| waiting.email.to_string());
            let subject = id.map_or_else(Subject::default, Subject::from);
            return Ok(Decision::Refuse(lockout::refuse(tx, subject, typed, until)?));
        }
        // What an account was sent dies when it is disabled or deleted, or gets another address.
        let link = links::find_magic(tx, waiting.id)?;
        let shown = self.is_right(&waiting, link.as_ref());
        let (Some(owner), Some(link), true) = (&owner, link, shown) else {
            self.count(tx, &waiting, owner.as_ref())?;
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        };
        if links::spend(tx, &[LinkKind::MagicLink], &link.token_hash)?.is_none() {
            return Ok(Decision::Refuse(Refusal::InvalidLink));
        }
        magic_requests::delete(tx, waiting.id)?;
        let (owner, voided) = self.verify(tx, owner)?;
        let passed = self.step.pass(tx, &self.attempt, owner, &ProviderProof::default())?;
        Ok(Decision::Grant((passed, voided)))
    }

    /// Whether what was shown belongs to the wish. A code is compared with one even where there is no link.
    fn is_right(&self, waiting: &MagicRequest, link: Option<&GoodLink>) -> bool {
        match &self.shown {
            Shown::Token(token) => link.is_some_and(|link| *token == Some(link.token_hash)),
            Shown::Code(code) => {
                let of = link.map_or(&waiting.request_hash, |link| &link.token_hash);
                self.code_key.is_code(of, code.expose()) && link.is_some()
            }
        }
    }

    /// Counts a wrong code. The secret of a link is nothing to guess at: with a wrong one, an older mail was
    /// opened.
    fn count(&self, tx: &mut Tx<'_>, waiting: &MagicRequest, owner: Option<&User>) -> Result<(), Fault> {
        if matches!(self.shown, Shown::Token(_)) {
            return Ok(());
        }
        magic_requests::count_failure(tx, waiting.id)?;
        let subject = owner.map_or_else(Subject::default, |owner| owner.id.into());
        let email = owner.is_none().then(|| waiting.email.to_string());
        tx.audit(&Event::LoginFailed { why: LoginFailure::WrongMailedCode, email }, subject)?;
        let counted = self.attempt.count(tx, owner.map(|owner| owner.id))?;
        if let (Counted::AccountLocked, Some(owner)) = (counted, owner) {
            self.writer.notice(tx, MailKind::AccountLocked).queue(tx, owner.id, &owner.email)?;
        }
        Ok(())
    }

    /// The address is its owner's, who has shown it. Whoever set a password while nobody had, may have been
    /// somebody else: it counts no more, nor do the sessions, half logins and links that came of it.
    fn verify(&self, tx: &mut Tx<'_>, owner: &User) -> Result<(User, bool), Fault> {
        if owner.email_verified_at.is_some() || !users::save_verified(tx, owner.id)? {
            return Ok((owner.clone(), false));
        }
        tx.audit(&Event::EmailVerified, owner.id)?;
        let voided = users::clear_password(tx, owner.id)?;
        if voided {
            sessions::end_of_user(tx, owner.id, None)?;
            tickets::delete_of_user(tx, owner.id)?;
            links::delete_of_user(tx, owner.id)?;
            tx.audit(&Event::PasswordVoided, owner.id)?;
            self.writer.notice(tx, MailKind::PasswordVoided).queue(tx, owner.id, &owner.email)?;
        }
        let verified = users::find(tx, owner.id)?;
        Ok((verified.ok_or_else(|| Fault::Internal("an account went while it signed in".into()))?, voided))
    }
}
