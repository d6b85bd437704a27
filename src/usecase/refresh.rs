//! Refreshing: the newest token of a session is exchanged for the next, once. One that was used
//! before ends the session, access tokens included.

use super::app::App;
use super::keyring;
use super::signin::{Tokens, issue};
use crate::crypto::refresh::{RefreshToken, Salt};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::SessionId;
use crate::domain::session::{Lifetime, Rotation, Session};
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::sessions::{self, Salted};
use crate::store::tx::Tx;
use crate::store::users;

/// The session that a refresh token names; whether it may, only [`refresh`] tells. `None`: the text has
/// not the form of one.
#[must_use]
pub fn session_of(token: &str) -> Option<SessionId> {
    RefreshToken::parse(token).map(|token| token.session)
}

/// Rotates a refresh token.
///
/// # Errors
/// `invalid_token` for one that is wrong, used or too old, or whose session or account has ended.
pub fn refresh(app: &App, caller: &Caller, token: &str) -> Result<Tokens, Error> {
    let token = RefreshToken::parse(token).ok_or(Refusal::InvalidToken)?;
    // Whoever can't have got the token from authd is turned away without a write.
    let salted = app.store.read(|query| sessions::find_salted(query, token.session))?.ok_or(Refusal::InvalidToken)?;
    if !app.refresh_key.is_authentic(&token, &salted.salt) {
        return Err(Refusal::InvalidToken.into());
    }
    let (lifetime, signer) = (app.lifetime(), keyring::current(app)?);
    let (user, session, salt) = app.store.write(caller, move |tx| decide(tx, &token, lifetime))?;
    issue(app, &signer, user, &session, &salt).map_err(Error::from)
}

fn decide(tx: &mut Tx<'_>, token: &RefreshToken, lifetime: Lifetime) -> Result<Decision<(User, Session, Salt)>, Fault> {
    let refused = Ok(Decision::Refuse(Refusal::InvalidToken));
    let Some(Salted { mut session, salt }) = sessions::find_salted(tx, token.session)? else {
        return refused;
    };
    let Some(user) = users::find(tx, session.user)?.filter(|user| user.disabled_at.is_none()) else {
        return refused;
    };
    match session.judge(token.generation, tx.now(), lifetime) {
        Rotation::Dead => refused,
        Rotation::Reuse => {
            sessions::end(tx, session.id)?;
            tx.audit(&Event::RefreshTokenReused, (user.id, session.id))?;
            refused
        }
        Rotation::SameSuccessor => Ok(Decision::Grant((user, session, salt))),
        Rotation::Rotate => {
            if !sessions::rotate(tx, session.id, token.generation)? {
                return refused;
            }
            session.generation += 1;
            session.last_used_at = tx.now();
            tx.audit(&Event::TokenRefreshed, (user.id, session.id))?;
            Ok(Decision::Grant((user, session, salt)))
        }
    }
}
