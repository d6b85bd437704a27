//! The session that a browser has in its cookies when somebody logs in there anew. Its cookies are about to
//! be replaced, so that nobody could end it there any more; and whoever put it there must not have it beside
//! the new one.

use crate::crypto::refresh::{RefreshKey, RefreshToken};
use crate::domain::audit::Event;
use crate::domain::caller::Caller;
use crate::error::Fault;
use crate::store::tables::sessions;
use crate::store::tx::Tx;
use crate::usecase::app::App;
use std::sync::Arc;

/// What names it, and what tells whether the browser really had it.
#[derive(Clone, Debug)]
pub(super) struct BrowserSession {
    token: RefreshToken,
    key: Arc<RefreshKey>,
}

impl BrowserSession {
    /// That of the caller's browser. `None`: it has none.
    pub fn of(app: &App, caller: &Caller) -> Option<Self> {
        let token = RefreshToken::parse(caller.browser_session.as_ref()?.expose())?;
        Some(Self { token, key: Arc::clone(&app.refresh_key) })
    }

    /// Ends it, whoever's it is. A token that authd didn't make ends nothing.
    pub fn end(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        let found = sessions::find_salted(tx, self.token.session)?;
        let Some(found) = found.filter(|found| self.key.is_authentic(&self.token, &found.salt)) else {
            return Ok(());
        };
        if sessions::end(tx, found.session.id)? {
            tx.audit(&Event::SessionReplaced, (found.session.user, found.session.id))?;
        }
        Ok(())
    }
}
