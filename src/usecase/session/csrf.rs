//! The value that a page must send with what it does by cookie, so that another site's page, which
//! can't read it, can't do the same.

use crate::domain::id::SessionId;
use crate::usecase::app::App;

/// The value of a session, for its page to read.
#[must_use]
pub fn value(app: &App, session: SessionId) -> String {
    app.csrf_key.value(session)
}

/// Whether `value` is the session's own. Constant time.
#[must_use]
pub fn is_authentic(app: &App, session: SessionId, value: &str) -> bool {
    app.csrf_key.is_authentic(session, value)
}
