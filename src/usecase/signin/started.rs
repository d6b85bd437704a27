//! A session that has begun, before anything of it is handed out: a program gets tokens, a browser's page a
//! cookie.

use super::required_factor::standing;
use super::session_cookie::{CookieParts, SessionCookie};
use super::session_start::{Tokens, issue};
use crate::crypto::refresh::Salt;
use crate::domain::access::Standing;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::error::Error;
use crate::usecase::app::App;
use crate::usecase::app::keyring::Signer;

/// A session that has begun, or goes on with what replaces all that was handed out of it before.
#[derive(Clone, Debug)]
pub struct Started {
    pub user: User,
    pub session: Session,
    pub(in crate::usecase) salt: Salt,
    pub(in crate::usecase) signer: Signer,
}

impl Started {
    /// How the account stands: whether it must set up a second factor first.
    #[must_use]
    pub fn standing(&self, app: &App) -> Standing {
        standing(&app.config, &self.user)
    }

    /// Makes tokens, for a program or for cookie mode.
    ///
    /// # Errors
    /// [`Fault::Internal`](crate::error::Fault::Internal) when the access token can't be signed.
    pub fn tokens(self, app: &App) -> Result<Tokens, Error> {
        let Self { user, session, salt, signer } = self;
        issue(app, &signer, user, &session, &salt).map_err(Error::from)
    }

    /// Makes the cookie for a browser; no access token is made. `remember`: it outlives the browser's window,
    /// and lives as long as the session.
    #[must_use]
    pub fn session_cookie(self, app: &App, remember: bool) -> SessionCookie {
        CookieParts { session: self.session, salt: self.salt, remembered: remember }.cookie(app)
    }
}
