//! Minting: an access token from an operator's hands, for scripts and tests. Nobody proved anything for
//! it, so it has no refresh token and is never fresh; a session of its own makes it listed and revocable.

use crate::config::span_text;
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Decision, Error, Refusal};
use crate::ports::draw;
use crate::store::tables::keys;
use crate::usecase::account::reference::{UserRef, find_in};
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::require;
use crate::usecase::signin::session_start;
use crate::usecase::signin::session_start::{Issue, SessionBound};
use std::time::Duration;

/// A minted token, and what it is.
#[derive(Clone, Debug)]
pub struct Minted {
    pub access_token: Secret<String>,
    pub token: TokenId,
    pub session: SessionId,
    pub user: User,
    /// In seconds.
    pub expires_in: u64,
    pub expires_at: Timestamp,
}

/// Mints an access token for a user, which lives for `ttl` (`None`: as long as those of a login).
///
/// # Errors
/// `forbidden` for anybody but an operator; `not_found`; `account_disabled`; `validation_failed` for a
/// life below a second or above a session's; `conflict` when the signing key goes meanwhile; the store's.
pub fn mint(app: &App, caller: &Caller, of: &UserRef, ttl: Option<Duration>) -> Result<Minted, Error> {
    require(caller, "tokens:mint")?;
    let ttl = life(app, ttl)?;
    let id = SessionId::new(app.now(), app.id_entropy());
    let token = TokenId::new(app.now(), app.id_entropy());
    let (salt, signer, of) = (draw(app.entropy()), current_key::current(app)?, of.clone());
    let (kid, bound) = (signer.key().kid.clone(), SessionBound::of(app));
    let (user, session) = app.store.write(caller, move |tx| {
        let Some(user) = find_in(tx, &of)? else {
            return Ok(Decision::Refuse(of.missing()));
        };
        if user.disabled_at.is_some() {
            return Ok(Decision::Refuse(Refusal::AccountDisabled));
        }
        let session = unproven(id, &user, tx.now(), ttl);
        session_start::insert(tx, &session, &salt, bound)?;
        // The key is to verify for as long as the token lives, even if it is retired by now.
        if !keys::keep_at_least(tx, &kid, session.expires_at)? {
            let reason = "the signing key was retired meanwhile; run the command again".into();
            return Ok(Decision::Refuse(Refusal::Conflict { reason }));
        }
        let minted = Event::TokenMinted { jti: token.to_string(), expires_at: session.expires_at };
        tx.audit(&minted, (user.id, session.id))?;
        Ok(Decision::Grant((user, session)))
    })?;
    let issue = Issue { token, now: session.created_at, expires_at: session.expires_at };
    let access_token = session_start::access_token(app, &signer, &user, &session, issue)?;
    let (expires_in, expires_at) = (ttl.as_secs(), session.expires_at);
    Ok(Minted { access_token, token, session: session.id, user, expires_in, expires_at })
}

fn life(app: &App, ttl: Option<Duration>) -> Result<Duration, Refusal> {
    let most = app.config.tokens.refresh_ttl;
    let ttl = ttl.unwrap_or_else(|| app.config.tokens.access_ttl.min(most));
    if ttl < Duration::from_secs(1) || ttl > most {
        let message =
            format!("a token lives at least 1s and at most {} (tokens.refresh_ttl)", span_text(most));
        return Err(Refusal::invalid("ttl", "out_of_range", message));
    }
    Ok(ttl)
}

/// A session for which nobody proved who they are. It lives unused to its end: nothing can refresh it.
fn unproven(id: SessionId, user: &User, now: Timestamp, ttl: Duration) -> Session {
    Session {
        id,
        user: user.id,
        generation: 0,
        oldest: 0,
        created_at: now,
        last_used_at: now,
        expires_at: now.plus(ttl),
        ended_at: None,
        auth_time: None,
        amr: Vec::new(),
        provider_amr: Vec::new(),
        ip: None,
        user_agent: None,
        idle: Some(ttl),
    }
}
