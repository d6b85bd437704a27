//! The sessions that a browser has in its cookies when somebody logs in there anew: of the API's cookies, of
//! the pages' one, or of both. Its cookies are about to be replaced, so that nobody could end them there any
//! more; and whoever put them there must not have them beside the new one.

use crate::crypto::refresh::{RefreshKey, RefreshToken};
use crate::crypto::session_cookie::{Place, SessionCookie, SessionCookieKey};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::domain::id::{SessionId, UserId};
use crate::error::Fault;
use crate::store::tables::sessions;
use crate::store::tables::sessions::SaltedSession;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use std::sync::Arc;
use std::time::Duration;

/// What names one, and what tells whether the browser really had it.
#[derive(Clone, Debug)]
pub(in crate::usecase) enum BrowserSession {
    Token(RefreshToken, Arc<RefreshKey>),
    Cookie(SessionCookie, Arc<SessionCookieKey>),
}

impl BrowserSession {
    /// Those of the caller's browser.
    pub(in crate::usecase) fn all_of(app: &App, caller: &Caller) -> Vec<Self> {
        let read = |text: &str| match RefreshToken::parse(text) {
            Some(token) => Some(Self::Token(token, Arc::clone(&app.refresh_key))),
            None => SessionCookie::parse(text, Place::Own)
                .map(|cookie| Self::Cookie(cookie, Arc::clone(&app.session_cookie_key))),
        };
        caller.browser_sessions.iter().filter_map(|text| read(text.expose())).collect()
    }

    /// Finds whose it is, if it lives: used within `idle`, where it has no span of its own. `None`: nobody's.
    pub(in crate::usecase) fn owner(&self, tx: &Tx<'_>, idle: Duration) -> Result<Option<UserId>, Fault> {
        let found = sessions::find_salted(tx, self.id())?;
        let lives = |found: &SaltedSession| self.names(found) && found.session.is_alive(tx.now(), idle);
        Ok(found.filter(lives).map(|found| found.session.user))
    }

    /// Ends it, whoever's it is. What authd didn't make ends nothing, nor does a cookie that was replaced.
    pub(super) fn end(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        let found = sessions::find_salted(tx, self.id())?;
        let Some(SaltedSession { session, .. }) = found.filter(|found| self.names(found)) else {
            return Ok(());
        };
        if sessions::end(tx, session.id)? {
            tx.audit(&Event::SessionReplaced, (session.user, session.id))?;
        }
        Ok(())
    }

    const fn id(&self) -> SessionId {
        match self {
            Self::Token(token, _) => token.session,
            Self::Cookie(cookie, _) => cookie.named.session,
        }
    }

    fn names(&self, found: &SaltedSession) -> bool {
        match self {
            Self::Token(token, key) => key.is_authentic(token, &found.salt),
            Self::Cookie(cookie, key) => {
                cookie.named.generation == found.session.generation
                    && key.is_authentic(cookie, &found.salt, Place::Own)
            }
        }
    }
}
