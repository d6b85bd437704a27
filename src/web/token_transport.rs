//! How tokens travel: in `Authorization` and in bodies, or in cookies that no script can read; and a
//! browser's session, whose cookie is no token and may do what one may.

use super::rejection::{DeadCookies, Rejection};
use super::{cookies, csrf, headers, session_cookie};
use crate::domain::access::SignedIn;
use crate::domain::secret::Secret;
use crate::error::{Error, Refusal};
use crate::transport::message::{Ambiguous, Headers};
use crate::usecase::app::App;
use crate::usecase::session::{authenticate, refresh};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenTransport {
    /// In `Authorization` and in bodies.
    Body,
    /// The answer to what came by cookie sets cookies, and shows no token.
    Cookies,
    /// By the cookie of a browser's session: the answer sets its next one, and shows no token.
    SessionCookie {
        /// Whether it outlives the browser's window.
        remembered: bool,
    },
}

/// Who asks, and how they show it.
pub type FoundUser = Result<(SignedIn, TokenTransport), Rejection>;

/// Reads the token of `Authorization: Bearer …` (RFC 6750 §2.1). `None`: there is none, or another scheme.
///
/// # Errors
/// [`Rejection::Ambiguous`] when the header stands twice.
pub fn bearer(sent: &Headers) -> Result<Option<&str>, Rejection> {
    Ok(credentials(sent, "bearer")?.filter(|token| !token.is_empty()))
}

/// Reads what follows `scheme`, in any case, in `Authorization`. `None`: there is none, or another scheme.
///
/// # Errors
/// [`Rejection::Ambiguous`] when the header stands twice.
pub fn credentials<'a>(sent: &'a Headers, scheme: &str) -> Result<Option<&'a str>, Rejection> {
    let value = sent.single("authorization");
    let value = value.map_err(|Ambiguous| Rejection::ambiguous("send the header Authorization once"))?;
    let (found, credentials) = value.map_or(("", ""), |value| value.split_once(' ').unwrap_or((value, "")));
    Ok(found.eq_ignore_ascii_case(scheme).then(|| headers::trim(credentials)))
}

/// Finds the user whose access token came by cookie, or whose browser's session did, for a request that
/// changes nothing. The access token counts first.
///
/// # Errors
/// [`Refusal::Unauthenticated`] without either cookie; [`Rejection::DeadCookies`] where what came is good no
/// more; the store's.
pub fn user_by_cookie(app: &App, headers: &Headers) -> FoundUser {
    let Some(token) = cookies::find(headers, cookies::ACCESS)? else {
        return user_by_session_cookie(app, headers);
    };
    let error = match authenticate::bearer(app, token) {
        Ok(user) => return Ok((user, TokenTransport::Cookies)),
        Err(error) => error,
    };
    // What is left of an older login takes nothing from the session that is there.
    if error == Error::Refused(Refusal::InvalidToken)
        && let Some(user) = session_cookie::signed_in(app, headers)?
    {
        return Ok(with_transport(user));
    }
    Err(dead_cookies(app, headers, error))
}

/// As [`user_by_cookie`], for a request that changes something: another site's page must not ask for it.
///
/// # Errors
/// [`Rejection::CrossSite`], besides those of [`user_by_cookie`].
pub fn user_by_cookie_of_own_page(app: &App, headers: &Headers) -> FoundUser {
    of_own_page(app, headers, &[cookies::ACCESS, cookies::SESSION], user_by_cookie)
}

/// As [`user_by_cookie_of_own_page`], by the cookie of a browser's session alone.
///
/// # Errors
/// As there.
pub fn user_by_session_cookie_of_own_page(app: &App, headers: &Headers) -> FoundUser {
    of_own_page(app, headers, &[cookies::SESSION], user_by_session_cookie)
}

fn of_own_page(
    app: &App,
    headers: &Headers,
    names: &[&str],
    find: fn(&App, &Headers) -> FoundUser,
) -> FoundUser {
    let mut shown = false;
    for name in names {
        shown |= cookies::find(headers, name)?.is_some();
    }
    if !shown {
        return Err(Refusal::Unauthenticated.into());
    }
    csrf::check_site(headers, &app.config)?;
    let (user, transport) = find(app, headers)?;
    csrf::check_value(app, headers, user.session)?;
    Ok((user, transport))
}

fn user_by_session_cookie(app: &App, headers: &Headers) -> FoundUser {
    if cookies::find(headers, cookies::SESSION)?.is_none() {
        return Err(Refusal::Unauthenticated.into());
    }
    let user = session_cookie::signed_in(app, headers)?;
    user.map(with_transport).ok_or(Rejection::DeadCookies(DeadCookies::Session))
}

fn with_transport(user: SignedIn) -> (SignedIn, TokenTransport) {
    let transport = TokenTransport::SessionCookie { remembered: user.carrier.is_remembered() };
    (user, transport)
}

/// Why the access token of the cookie is refused, and what that means for the cookies: where the session goes
/// on, the other one is still worth something.
fn dead_cookies(app: &App, headers: &Headers, error: Error) -> Rejection {
    if error != Error::Refused(Refusal::InvalidToken) {
        return error.into();
    }
    let refresh = match cookies::find(headers, cookies::REFRESH) {
        Ok(token) => token,
        Err(rejection) => return rejection,
    };
    match refresh.map_or(Ok(false), |token| refresh::goes_on(app, token)) {
        Ok(true) => Rejection::DeadCookies(DeadCookies::Access),
        Ok(false) => Rejection::DeadCookies(DeadCookies::All),
        Err(error) => error.into(),
    }
}

/// Reads the refresh token of the cookie, for a page of this site. `None`: there is no such cookie.
///
/// # Errors
/// [`Rejection::CrossSite`]; [`Rejection::DeadCookies`] for what is no refresh token.
pub fn refresh_cookie(app: &App, headers: &Headers) -> Result<Option<Secret<String>>, Rejection> {
    let Some(token) = cookies::find(headers, cookies::REFRESH)? else {
        return Ok(None);
    };
    csrf::check_site(headers, &app.config)?;
    let session = refresh::session_of(token).ok_or(Rejection::DeadCookies(DeadCookies::All))?;
    csrf::check_value(app, headers, session)?;
    Ok(Some(Secret::new(token.to_owned())))
}
