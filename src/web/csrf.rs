//! Requests that a browser sends with cookies, though another site's page asked for them: refused by
//! what the browser says of the request, and by a value that only the session's own page can read.

use super::rejection::Rejection;
use crate::config::Config;
use crate::domain::id::SessionId;
use crate::transport::message::Headers;
use crate::usecase::app::App;
use crate::usecase::session::csrf;

/// Refuses what another site's page sends (Fetch Metadata §2.3, RFC 6454 §7). A page on another origin
/// of this site is refused, too, unless `cors.origins` lists it. A client that says nothing of the kind
/// is no browser of today: for it the session's own value decides.
///
/// # Errors
/// [`Rejection::CrossSite`].
pub fn check_site(headers: &Headers, config: &Config) -> Result<(), Rejection> {
    check(headers, config, "cookies count only for pages of this site; send the request from one")
}

/// As [`check_site`], for a client's id and secret: once a person has typed them into a browser's dialog,
/// it adds them to whatever any page sends here.
///
/// # Errors
/// [`Rejection::CrossSite`].
pub fn check_site_of_client(headers: &Headers, config: &Config) -> Result<(), Rejection> {
    check(
        headers,
        config,
        "Basic counts for no other site's page; send the request from a program, or as Bearer",
    )
}

fn check(headers: &Headers, config: &Config, says: &'static str) -> Result<(), Rejection> {
    let refused = || Rejection::CrossSite(says);
    let origin = headers.single("origin").map_err(|_| refused())?;
    let is_ours =
        |origin: &str| origin == config.public_url || config.cors.origins.iter().any(|known| known == origin);
    if origin.is_some_and(|origin| !is_ours(origin)) {
        return Err(refused());
    }
    match headers.single("sec-fetch-site").map_err(|_| refused())? {
        None | Some("same-origin" | "none") => Ok(()),
        Some("same-site") if origin.is_some() => Ok(()),
        Some(_) => Err(refused()),
    }
}

/// Refuses what doesn't carry the session's value in `X-CSRF-Token`.
///
/// # Errors
/// [`Rejection::CrossSite`].
pub fn check_value(app: &App, headers: &Headers, session: SessionId) -> Result<(), Rejection> {
    let value = headers.single("x-csrf-token").ok().flatten();
    if value.is_some_and(|value| csrf::is_authentic(app, session, value)) {
        return Ok(());
    }
    Err(Rejection::CrossSite("send the value of the cookie __Host-authd_csrf in the header X-CSRF-Token"))
}

/// Whether a form was sent by a page of `origin`, for all that the browser says of it: see
/// [`is_same_origin`]. Under `Referrer-Policy: no-referrer` it says `null` for its origin.
#[must_use]
pub fn is_own_page(headers: &Headers, origin: &str) -> bool {
    let is_own = |sent: Option<&str>| sent.is_some_and(|sent| sent == "null" || sent == origin);
    is_same_origin(headers) && headers.all("origin").all(is_own)
}

/// Whether a request was sent by a page of the very origin that it goes to, or by a person, for all that the
/// browser says of it (Fetch Metadata §2.3).
#[must_use]
pub fn is_same_origin(headers: &Headers) -> bool {
    headers.all("sec-fetch-site").all(|site| matches!(site, Some("same-origin" | "none")))
}
