//! The cookie of a browser's session: how one is made, and how the next takes its place.
//!
//! The row of such a session is like any other. What keeps it from having a refresh token beside its cookie
//! is that a generation is handed out once, to one of both: by whoever began the session, or changed its
//! password, and chose ([`Started`](super::started::Started)). The other one would take the root key to make.

use crate::crypto::refresh::Salt;
use crate::crypto::session_cookie::{Named, Place};
use crate::domain::access::{Carrier, SignedIn};
use crate::domain::secret::Secret;
use crate::domain::session::Session;
use crate::error::{Fault, whole_secs};
use crate::store::tables::sessions;
use crate::store::tables::sessions::SaltedSession;
use crate::store::tx::Tx;
use crate::usecase::app::App;

/// What a browser is to keep of its session.
#[derive(Clone, Debug)]
pub struct SessionCookie {
    pub value: Secret<String>,
    /// The rest of the session's life, in seconds. `None`: until the browser is closed.
    pub max_age_s: Option<u64>,
    /// What its pages send with whatever changes anything.
    pub csrf: String,
}

/// What a cookie is made of.
#[derive(Clone, Debug)]
pub(in crate::usecase) struct CookieParts {
    pub session: Session,
    pub salt: Salt,
    /// Whether "stay signed in" was ticked.
    pub remembered: bool,
}

impl CookieParts {
    /// Makes it. Nothing is signed and nothing is written.
    pub(in crate::usecase) fn cookie(&self, app: &App) -> SessionCookie {
        let Self { session, salt, remembered } = self;
        let named = Named { session: session.id, generation: session.generation, remembered: *remembered };
        SessionCookie {
            value: app.session_cookie_key.value(named, salt, Place::Own),
            max_age_s: remembered.then(|| whole_secs(session.expires_at.since(app.now()))),
            csrf: app.csrf_key.value(session.id),
        }
    }
}

/// Replaces the cookie that somebody has shown, which counts no more: what the next is made of. `None`: they
/// have shown none. Whether theirs still counts was asked before, in this transaction.
pub(in crate::usecase) fn rotate(tx: &mut Tx<'_>, me: &SignedIn) -> Result<Option<CookieParts>, Fault> {
    let Carrier::SessionCookie { generation, remembered } = me.carrier else {
        return Ok(None);
    };
    sessions::renew(tx, me.session, generation)?;
    let next = sessions::find_salted(tx, me.session)?;
    Ok(next.map(|SaltedSession { session, salt }| CookieParts { session, salt, remembered }))
}
