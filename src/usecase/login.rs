//! Login with address and password, and the tokens that a login gives.

use super::app::App;
use super::keyring;
use crate::crypto::jwt::{self, AccessClaims};
use crate::crypto::password::PasswordHashText;
use crate::crypto::refresh::Salt;
use crate::domain::audit::{Event, LoginFailure, Subject};
use crate::domain::caller::Caller;
use crate::domain::email::Email;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::password::Password;
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::ports::draw;
use crate::store::tx::Tx;
use crate::store::users::Credential;
use crate::store::{sessions, users};

/// What a login (or a refresh) gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access_token: Secret<String>,
    /// The access token's life, in seconds.
    pub expires_in: u64,
    pub refresh_token: Secret<String>,
    /// The rest of the session's life, in seconds.
    pub refresh_expires_in: u64,
    pub session: SessionId,
    pub user: User,
}

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
}

/// Everything random that a new session needs, drawn before the transaction.
#[derive(Clone, Debug)]
struct NewSession {
    id: SessionId,
    salt: Salt,
}

/// Logs a person in.
///
/// # Errors
/// `invalid_credentials`, the same for an unknown address and a wrong password; with the right
/// password `account_disabled` or `email_not_verified`; `overloaded`; `storage_unavailable`.
pub fn login(app: &App, caller: &Caller, credentials: &Credentials) -> Result<Tokens, Error> {
    let verified = verify(app, credentials)?;
    let new = NewSession { id: SessionId::new(app.now(), app.id_entropy()), salt: draw(app.entropy()) };
    let rules = Rules {
        verification_required: app.config.email_verification.required,
        session_ttl: app.config.tokens.refresh_ttl,
    };
    let (asked, email) = (caller.clone(), credentials.email.clone());
    let salt = new.salt;
    let (user, session) = app.store.write(caller, move |tx| decide(tx, &asked, &email, &verified, &new, rules))?;
    issue(app, user, &session, &salt).map_err(Error::from)
}

/// Hashes once for every login, whoever it is for.
fn verify(app: &App, credentials: &Credentials) -> Result<Verified, Fault> {
    let credential = app.store.read(|query| users::find_credential(query, &credentials.email))?;
    let stored = credential.and_then(|credential| credential.password_hash).map(PasswordHashText);
    let password = &credentials.password;
    let matched = match &stored {
        Some(hash) => app.gate.verify(hash, password)?,
        None => app.gate.verify_nobody(password)?,
    };
    let hash = stored.filter(|_| matched);
    let rehashed = match &hash {
        Some(hash) if app.gate.is_outdated(hash) => Some(app.gate.hash(password, draw(app.entropy()))?),
        _ => None,
    };
    Ok(Verified { hash: hash.map(|hash| hash.0), rehashed })
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    verification_required: bool,
    session_ttl: std::time::Duration,
}

fn decide(
    tx: &mut Tx<'_>,
    caller: &Caller,
    email: &Email,
    verified: &Verified,
    new: &NewSession,
    rules: Rules,
) -> Result<Decision<(User, Session)>, Fault> {
    let credential = users::find_credential(tx, email)?;
    if let Err((why, refusal)) = judge(credential.as_ref(), verified, rules) {
        let typed = credential.is_none().then(|| email.to_string());
        let subject = credential.map_or_else(Subject::default, |found| found.user.id.into());
        tx.audit(&Event::LoginFailed { why, email: typed }, subject)?;
        return Ok(Decision::Refuse(refusal));
    }
    let user = credential.ok_or_else(|| Fault::Internal("a login without an account was let through".into()))?.user;
    if let (Some(old), Some(rehashed)) = (&verified.hash, &verified.rehashed) {
        users::replace_hash(tx, user.id, old, &rehashed.0)?;
    }
    users::save_login(tx, user.id)?;
    let session = session_of(tx, caller, &user, new, rules);
    sessions::insert(tx, &session, &new.salt)?;
    tx.audit(&Event::LoginSucceeded, (user.id, session.id))?;
    let user = User { last_login_at: Some(tx.now()), ..user };
    Ok(Decision::Grant((user, session)))
}

/// Judges the account as it stands inside the transaction: a password that was changed while the old
/// one was being hashed counts as wrong.
fn judge(credential: Option<&Credential>, verified: &Verified, rules: Rules) -> Result<(), (LoginFailure, Refusal)> {
    let wrong = |why| Err((why, Refusal::InvalidCredentials));
    let Some(credential) = credential else {
        return wrong(LoginFailure::UnknownEmail);
    };
    if credential.password_hash.is_none() {
        return wrong(LoginFailure::NoPassword);
    }
    if verified.hash.is_none() || verified.hash != credential.password_hash {
        return wrong(LoginFailure::WrongPassword);
    }
    if credential.user.disabled_at.is_some() {
        return Err((LoginFailure::Disabled, Refusal::AccountDisabled));
    }
    if rules.verification_required && credential.user.email_verified_at.is_none() {
        return Err((LoginFailure::Unverified, Refusal::EmailNotVerified));
    }
    Ok(())
}

fn session_of(tx: &Tx<'_>, caller: &Caller, user: &User, new: &NewSession, rules: Rules) -> Session {
    let now = tx.now();
    Session {
        id: new.id,
        user: user.id,
        generation: 0,
        created_at: now,
        last_used_at: now,
        expires_at: now.plus(rules.session_ttl),
        ended_at: None,
        auth_time: now,
        amr: vec!["pwd".into()],
        ip: caller.ip,
        user_agent: caller.user_agent.clone(),
    }
}

/// Makes the tokens of a session as it stands.
pub(super) fn issue(app: &App, user: User, session: &Session, salt: &Salt) -> Result<Tokens, Fault> {
    let now = app.now();
    let ttl = app.config.tokens.access_ttl;
    let claims = AccessClaims {
        issuer: app.config.tokens.issuer.clone(),
        audience: app.config.tokens.audience.clone(),
        user: user.id,
        session: session.id,
        token: TokenId::new(now, app.id_entropy()),
        client_id: "authd".into(),
        issued_at: now,
        not_before: now,
        expires_at: now.plus(ttl),
        auth_time: session.auth_time,
        amr: session.amr.clone(),
        roles: user.roles.iter().map(ToString::to_string).collect(),
        permissions: user.permissions.iter().map(ToString::to_string).collect(),
    };
    Ok(Tokens {
        access_token: keyring::with_current(app, |key| jwt::sign(key, &claims))?,
        expires_in: ttl.as_secs(),
        refresh_token: app.refresh_key.token(session.id, session.generation, salt),
        refresh_expires_in: session.expires_at.since(now).as_secs(),
        session: session.id,
        user,
    })
}
