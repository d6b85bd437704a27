//! The value that a page must send with what it does by cookie, so that another site's page, which
//! can't read it, can't do the same.

use crate::domain::id::SessionId;
use crate::ports::draw;
use crate::usecase::app::App;
use data_encoding::BASE64URL_NOPAD;

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

/// Draws what a browser that is signed in nowhere keeps in a cookie, so that forms can be told to be of it.
#[must_use]
pub fn new_browser(app: &App) -> String {
    BASE64URL_NOPAD.encode(&draw::<16>(app.entropy()))
}

/// The value of the forms that a browser with this cookie is shown.
#[must_use]
pub fn value_of_browser(app: &App, cookie: &str) -> String {
    app.csrf_key.value_of_browser(cookie)
}

/// Whether `value` is of a form that a browser with this cookie was shown. Constant time.
#[must_use]
pub fn is_of_browser(app: &App, cookie: &str, value: &str) -> bool {
    app.csrf_key.is_of_browser(cookie, value)
}
