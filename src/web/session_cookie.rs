//! The cookie of a browser's session, as pages set and read it. Unlike the API's it is Lax: a Strict one is
//! missing on the first request that comes from a mail or from another site.

use super::cookies;
use super::cookies::{CSRF, hidden, readable};
use super::rejection::{DeadCookies, Rejection};
use crate::config::SameSite;
use crate::domain::access::SignedIn;
use crate::domain::secret::Secret;
use crate::transport::message::{Headers, Response};
use crate::usecase::app::App;
use crate::usecase::session::browser;
use crate::usecase::session::browser::SessionCookie;

pub const NAME: &str = cookies::SESSION;

/// Finds who it is whose browser sent the cookie. `None`: it sent none, or one that counts no more.
///
/// # Errors
/// [`Rejection::Ambiguous`] when it stands twice; the store's.
pub fn signed_in(app: &App, headers: &Headers) -> Result<Option<SignedIn>, Rejection> {
    match cookies::find(headers, NAME)? {
        Some(value) => Ok(browser::authenticate(app, value)?),
        None => Ok(None),
    }
}

/// Gives what the browser has of sessions already, in whatever cookies: see
/// [`Caller`](crate::domain::caller::Caller).
///
/// # Errors
/// [`Rejection::Ambiguous`] when one stands twice.
pub fn browser_sessions(headers: &Headers) -> Result<Vec<Secret<String>>, Rejection> {
    let found = [cookies::find(headers, cookies::REFRESH)?, cookies::find(headers, NAME)?];
    Ok(found.into_iter().flatten().map(|text| Secret::new(text.to_owned())).collect())
}

/// Sets the cookie, and the value that its pages send back. The API's cookies go: whatever session they were
/// of has ended, or is none of this browser's any more.
#[must_use]
pub fn set(response: Response, cookie: &SessionCookie) -> Response {
    let life = cookie.max_age_s;
    let response = response
        .header("set-cookie", hidden(NAME, cookie.value.expose(), life, SameSite::Lax))
        .header("set-cookie", readable(CSRF, &cookie.csrf, life, SameSite::Lax));
    cookies::clear_tokens(response, SameSite::Lax)
}

/// Takes a cookie away that counts no more, and nothing else.
#[must_use]
pub fn clear(response: Response) -> Response {
    cookies::clear(response, DeadCookies::Session, SameSite::Lax)
}

/// Says that the session has ended in this browser: every cookie of ours goes by its name, and what the pages
/// left there goes with them (Clear Site Data §3.1). Not `"cookies"`, which would take those of all hosts of
/// the site.
#[must_use]
pub fn end(response: Response) -> Response {
    let response = cookies::clear(response, DeadCookies::Session, SameSite::Lax);
    cookies::end(response, SameSite::Lax)
}
