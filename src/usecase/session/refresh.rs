//! Refreshing: the newest token of a session is exchanged for the next, once. One that was used
//! before ends the session, access tokens included.

use crate::crypto::refresh::{RefreshKey, RefreshToken, Salt};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::SessionId;
use crate::domain::mail::MailKind;
use crate::domain::session::{Lifetime, Rotation, Session};
use crate::domain::user::User;
use crate::error::{Decision, Error, Fault, Refusal};
use crate::store::tables::sessions;
use crate::store::tables::sessions::SaltedSession;
use crate::store::tables::users;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use crate::usecase::app::keyring::{Keyring, Signer};
use crate::usecase::mail::compose::MailWriter;
use crate::usecase::signin::session_start::{Tokens, issue};
use std::sync::Arc;

/// The session that a refresh token names; whether it may, only [`refresh`] tells. `None`: the text has
/// not the form of one.
#[must_use]
pub fn session_of(token: &str) -> Option<SessionId> {
    RefreshToken::parse(token).map(|token| token.session)
}

/// Whether a refresh token's session goes on, so that the token may yet be good: of a session that has ended,
/// or of an account that is disabled, none is, and what authd didn't make never was.
///
/// # Errors
/// The store's.
pub fn goes_on(app: &App, token: &str) -> Result<bool, Error> {
    let Some(token) = RefreshToken::parse(token) else {
        return Ok(false);
    };
    let (now, idle) = (app.now(), app.lifetime().idle);
    let goes_on = app.store.read_snapshot(|query| {
        let found = sessions::find_salted(query, token.session)?;
        let found = found.filter(|found| app.refresh_key.is_authentic(&token, &found.salt));
        let Some(session) = found.map(|found| found.session).filter(|session| session.is_alive(now, idle))
        else {
            return Ok(false);
        };
        Ok(users::find(query, session.user)?.is_some_and(|user| user.disabled_at.is_none()))
    })?;
    Ok(goes_on)
}

/// Rotates a refresh token.
///
/// All of it is one job of the writer's, without a read beside it: while others commit, a read on a
/// connection of its own waits for SQLite's locks and finds its page cache void, and costs more than the
/// rotation. A token that authd didn't make is turned away there, and nothing is written.
///
/// # Errors
/// `invalid_token` for one that is wrong, used or too old, or whose session or account has ended.
pub fn refresh(app: &App, caller: &Caller, token: &str) -> Result<Tokens, Error> {
    let rotated = app.store.write(caller, rotation(app, token)?)?;
    rotated.tokens(app)
}

/// As [`refresh`], for a task of the transport: no thread waits for the disk. The rotation is handed in at
/// once, and is committed even if whoever asked for it has gone.
///
/// # Errors
/// As [`refresh`].
pub async fn refresh_later(app: &App, caller: &Caller, token: &str) -> Result<Tokens, Error> {
    let rotated = app.store.write_later(caller, rotation(app, token)?).await?;
    rotated.tokens(app)
}

/// The transaction that both are.
fn rotation(
    app: &App,
    token: &str,
) -> Result<impl FnMut(&mut Tx<'_>) -> Result<Decision<Rotated>, Fault> + Send + use<>, Refusal> {
    let token = RefreshToken::parse(token).ok_or(Refusal::InvalidToken)?;
    let context = RefreshContext {
        keyring: Arc::clone(&app.keyring),
        key: Arc::clone(&app.refresh_key),
        lifetime: app.lifetime(),
        writer: MailWriter::new(app),
    };
    Ok(move |tx: &mut Tx<'_>| decide(tx, &token, &context))
}

/// What the transaction judges with.
struct RefreshContext {
    keyring: Arc<Keyring>,
    key: Arc<RefreshKey>,
    lifetime: Lifetime,
    writer: MailWriter,
}

/// What the next tokens are made of.
struct Rotated {
    user: User,
    session: Session,
    salt: Salt,
    signer: Signer,
}

impl Rotated {
    fn tokens(self, app: &App) -> Result<Tokens, Error> {
        issue(app, &self.signer, self.user, &self.session, &self.salt).map_err(Error::from)
    }
}

fn decide(
    tx: &mut Tx<'_>,
    token: &RefreshToken,
    context: &RefreshContext,
) -> Result<Decision<Rotated>, Fault> {
    let refused = Ok(Decision::Refuse(Refusal::InvalidToken));
    let Some(SaltedSession { mut session, salt }) = sessions::find_salted(tx, token.session)? else {
        return refused;
    };
    // Before anything else is judged: who only knows a session's id learns nothing and ends nothing.
    if !context.key.is_authentic(token, &salt) {
        return refused;
    }
    let Some(user) = users::find(tx, session.user)?.filter(|user| user.disabled_at.is_none()) else {
        return refused;
    };
    match session.rotation(token.generation, tx.now(), context.lifetime) {
        Rotation::Dead => refused,
        Rotation::Reuse => {
            sessions::end(tx, session.id)?;
            tx.audit(&Event::RefreshTokenReused, (user.id, session.id))?;
            let notice = context.writer.notice(tx, MailKind::RefreshTokenReused);
            notice.queue(tx, user.id, &user.email)?;
            refused
        }
        Rotation::SameSuccessor => {
            Ok(Decision::Grant(Rotated { user, session, salt, signer: context.keyring.current(tx)? }))
        }
        Rotation::Rotate => {
            let signer = context.keyring.current(tx)?;
            if !sessions::rotate(tx, session.id, token.generation)? {
                return refused;
            }
            session.generation += 1;
            session.last_used_at = tx.now();
            tx.audit(&Event::TokenRefreshed, (user.id, session.id))?;
            Ok(Decision::Grant(Rotated { user, session, salt, signer }))
        }
    }
}
