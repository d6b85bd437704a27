//! Revoking what was issued.

use super::{authenticate, browser};
use crate::crypto::jwt;
use crate::crypto::refresh::RefreshToken;
use crate::domain::access::Actor;
use crate::domain::audit::{Event, Subject};
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::sessions;
use crate::store::tables::sessions::SaltedSession;
use crate::store::tx::Tx;
use crate::usecase::account::reference;
use crate::usecase::account::reference::UserRef;
use crate::usecase::app::App;
use crate::usecase::{require, require_over_everybody};
use std::time::Duration;

/// What to revoke.
#[derive(Clone, Debug)]
pub enum Target {
    /// One session, with its refresh token and all its access tokens.
    Session(String),
    /// Every session of a user.
    User(UserRef),
    /// One access token, by its `jti`.
    Jti(String),
    /// Whatever this token belongs to: the session of a refresh token or of a browser's cookie, or one access
    /// token.
    Token(String),
    /// Every session of everybody.
    All,
}

/// Revokes; gives how many sessions or tokens ended by it. What has ended already is not an error.
///
/// # Errors
/// `forbidden` without `sessions:revoke`, or for somebody who holds more of authd than the caller; where
/// whose it is can't be told, anybody might. Whoever shows a token may end it, whosever it is. `not_found`
/// for an unknown session or user, and for a `jti` that no session can have given; `validation_failed` for
/// a text that is no token or no `jti`; the store's.
pub fn revoke(app: &App, caller: &Caller, target: &Target) -> Result<u64, Error> {
    require(caller, "sessions:revoke")?;
    match target {
        Target::Session(id) => revoke_session(app, caller, id),
        Target::User(of) => revoke_user(app, caller, of),
        Target::Jti(jti) => {
            require_over_everybody(caller)?;
            let jti =
                TokenId::parse(jti).ok_or_else(|| Refusal::invalid("jti", "invalid", "a jti is a UUID"))?;
            if !could_be_given(app, jti)? {
                return Err(Refusal::not_found("access token", jti.to_string()).into());
            }
            // Whose it is, only the token itself could tell; none outlives the session that lives the
            // longest. That may have begun under another configuration than this one.
            let tokens = &app.config.tokens;
            let longest = app.now().plus(tokens.access_ttl.max(tokens.refresh_ttl));
            let last = app.store.read(|query| sessions::find_last_end(query))?;
            let expires_at = last.map_or(longest, |last| last.max(longest));
            revoke_access(app, caller, jti, Subject::default(), expires_at)
        }
        Target::Token(text) => revoke_text(app, caller, text),
        Target::All => {
            require_over_everybody(caller)?;
            app.store.write(caller, |tx| {
                let sessions = sessions::end_all(tx)?;
                if sessions > 0 {
                    tx.audit(&Event::LoggedOutEverywhere { sessions }, Subject::default())?;
                }
                Ok(Decision::Grant(sessions))
            })
        }
    }
}

/// Ends what a token belongs to (RFC 7009): the session of a refresh token or of a browser's cookie, or one
/// access token. Whoever may end
/// anybody's sessions may show any token, a user one of their own. Nothing is said of what isn't the caller's
/// or is no token: it counts for nobody anyhow.
///
/// # Errors
/// `unauthenticated` for nobody; `forbidden` for a service without `sessions:revoke`; the store's.
pub fn revoke_shown(app: &App, caller: &Caller, token: &Secret<String>) -> Result<(), Error> {
    let text = token.expose();
    if let Err(refusal) = require(caller, "sessions:revoke") {
        let Actor::User(me) = &caller.actor else {
            return Err(refusal.into());
        };
        if owner(app, text)? != Some(me.account.id) {
            return Ok(());
        }
    }
    match revoke_text(app, caller, text) {
        Ok(_) | Err(Error::Refused(Refusal::InvalidToken | Refusal::NotFound { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whose token it is, where it is authentic.
fn owner(app: &App, text: &str) -> Result<Option<UserId>, Fault> {
    if browser::is_cookie(text) {
        return Ok(browser::find_session_anywhere(app, text)?.map(|session| session.user));
    }
    Ok(match RefreshToken::parse(text) {
        Some(token) => find_authentic(app, &token)?.map(|salted| salted.session.user),
        None => authenticate::inspect(app, text)?.ok().map(|(_, owner)| owner.account.id),
    })
}

fn revoke_session(app: &App, caller: &Caller, id: &str) -> Result<u64, Error> {
    let missing = Refusal::not_found("session", id);
    let id = SessionId::parse(id).ok_or_else(|| missing.clone())?;
    let changer = caller.clone();
    app.store.write(caller, move |tx| {
        let Some(session) = sessions::find(tx, id)? else {
            return Ok(Decision::Refuse(missing.clone()));
        };
        match reference::find_under(tx, &changer, &UserRef::Id(session.user))? {
            Decision::Grant(_) => Ok(Decision::Grant(end_session(tx, &session)?)),
            Decision::Refuse(refusal) => Ok(Decision::Refuse(refusal)),
        }
    })
}

/// Ends it; gives how many ended by it.
fn end_session(tx: &mut Tx<'_>, session: &Session) -> Result<u64, Fault> {
    if !sessions::end(tx, session.id)? {
        return Ok(0);
    }
    tx.audit(&Event::SessionRevoked, (session.user, session.id))?;
    Ok(1)
}

fn revoke_user(app: &App, caller: &Caller, of: &UserRef) -> Result<u64, Error> {
    let (changer, of) = (caller.clone(), of.clone());
    app.store.write(caller, move |tx| {
        let user = match reference::find_under(tx, &changer, &of)? {
            Decision::Grant(user) => user,
            Decision::Refuse(refusal) => return Ok(Decision::Refuse(refusal)),
        };
        let sessions = sessions::end_of_user(tx, user.id, None)?;
        if sessions > 0 {
            tx.audit(&Event::LoggedOutEverywhere { sessions }, user.id)?;
        }
        Ok(Decision::Grant(sessions))
    })
}

/// How far the clocks of those who give tokens may be apart, or one of them be set back.
const JTI_SLACK: Duration = Duration::from_secs(3600);

/// Whether a session may have given an access token of this `jti`. Nobody remembers these, but each says
/// when it was made, and a session gives tokens from its beginning to its last use, and for the grace after
/// it. What no session can have given is a slip of whoever typed it.
fn could_be_given(app: &App, jti: TokenId) -> Result<bool, Fault> {
    let (made, slack) = (jti.made_at(), app.lifetime().grace + JTI_SLACK);
    app.store.read(|query| sessions::was_used(query, made.minus(slack), made.plus(slack)))
}

/// Remembers a `jti` until its token is dead by itself.
fn revoke_access(
    app: &App,
    caller: &Caller,
    jti: TokenId,
    subject: Subject,
    expires_at: Timestamp,
) -> Result<u64, Error> {
    app.store.write(caller, move |tx| {
        if !sessions::revoke_token(tx, jti, expires_at)? {
            return Ok(Decision::Grant(0));
        }
        tx.audit(&Event::TokenRevoked { jti: jti.to_string() }, subject)?;
        Ok(Decision::Grant(1))
    })
}

fn revoke_text(app: &App, caller: &Caller, text: &str) -> Result<u64, Error> {
    if let Some(token) = RefreshToken::parse(text) {
        let Some(SaltedSession { session, .. }) = find_authentic(app, &token)? else {
            return Err(Refusal::InvalidToken.into());
        };
        return app.store.write(caller, move |tx| Ok(Decision::Grant(end_session(tx, &session)?)));
    }
    if browser::is_cookie(text) {
        let session = browser::find_session_anywhere(app, text)?.ok_or(Refusal::InvalidToken)?;
        return app.store.write(caller, move |tx| Ok(Decision::Grant(end_session(tx, &session)?)));
    }
    match authenticate::inspect(app, text)? {
        Ok((token, _)) => {
            let claims = &token.claims;
            let subject = Subject::from((claims.user, claims.session));
            revoke_access(app, caller, claims.token, subject, claims.expires_at)
        }
        // It is as good as revoked.
        Err(authenticate::RejectReason::Invalid(jwt::TokenError::Expired)) => Ok(0),
        Err(authenticate::RejectReason::Invalid(_)) => Err(Refusal::InvalidToken.into()),
        Err(_) => Ok(0),
    }
}

pub(in crate::usecase) fn find_authentic(
    app: &App,
    token: &RefreshToken,
) -> Result<Option<sessions::SaltedSession>, Fault> {
    let salted = app.store.read(|query| sessions::find_salted(query, token.session))?;
    Ok(salted.filter(|salted| app.refresh_key.is_authentic(token, &salted.salt)))
}
