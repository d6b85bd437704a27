//! Whether a token is good: what services ask (RFC 7662) that don't verify by themselves.

use super::authenticate;
use super::tokens::find_authentic;
use crate::crypto::refresh::RefreshToken;
use crate::domain::access::{Actor, Standing};
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::secret::Secret;
use crate::domain::session::Rotation;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::error::{Error, Fault, Refusal};
use crate::store::tables::users;
use crate::usecase::app::App;
use crate::usecase::signin::required_factor::standing;
use crate::usecase::signin::session_start::CLIENT_ID;

/// A token that is good.
#[derive(Clone, Debug)]
pub struct Introspected {
    pub token: Kind,
    /// As the account is now: a role that was taken away is not told of, whatever the token says.
    pub user: User,
    pub session: SessionId,
    pub client_id: String,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What sort of token it is, with what only that sort says.
#[derive(Clone, Debug)]
pub enum Kind {
    Access { token: TokenId, audience: String, not_before: Timestamp },
    Refresh,
}

/// Looks at an access token or a refresh token, without spending or changing anything. `None`: it is neither,
/// or not good (any more); a service isn't told why, lest it become a place to try tokens at.
///
/// # Errors
/// `unauthenticated` unless a service or an operator asks; the store's.
pub fn introspect(app: &App, caller: &Caller, token: &Secret<String>) -> Result<Option<Introspected>, Error> {
    if !matches!(caller.actor, Actor::ApiKey(_) | Actor::Operator(_)) {
        return Err(Refusal::Unauthenticated.into());
    }
    Ok(match RefreshToken::parse(token.expose()) {
        Some(refresh) => of_refresh(app, &refresh)?,
        None => of_access(app, token.expose())?,
    })
}

fn of_access(app: &App, text: &str) -> Result<Option<Introspected>, Fault> {
    let Ok((token, owner)) = authenticate::inspect(app, text)? else {
        return Ok(None);
    };
    // Good for setting up a second factor here, and for nothing elsewhere.
    if owner.standing == Standing::SecondFactorDue {
        return Ok(None);
    }
    let claims = &token.claims;
    Ok(Some(Introspected {
        token: Kind::Access {
            token: claims.token,
            audience: claims.audience.clone(),
            not_before: claims.not_before,
        },
        user: owner.account,
        session: claims.session,
        client_id: claims.client_id.clone(),
        issued_at: claims.issued_at,
        expires_at: claims.expires_at,
    }))
}

fn of_refresh(app: &App, token: &RefreshToken) -> Result<Option<Introspected>, Fault> {
    let Some(salted) = find_authentic(app, token)? else {
        return Ok(None);
    };
    let (session, lifetime) = (salted.session, app.lifetime());
    if session.rotation(token.generation, app.now(), lifetime) != Rotation::Rotate {
        return Ok(None);
    }
    let user = app.store.read(|query| users::find(query, session.user))?;
    let unused_until = session.last_used_at.plus(session.idle.unwrap_or(lifetime.idle));
    let counts = |user: &User| user.disabled_at.is_none() && standing(&app.config, user) == Standing::Full;
    Ok(user.filter(counts).map(|user| Introspected {
        token: Kind::Refresh,
        user,
        session: session.id,
        client_id: CLIENT_ID.to_owned(),
        issued_at: session.last_used_at,
        expires_at: session.expires_at.min(unused_until),
    }))
}
