//! The cookies of an application's host, which its proxy leads to authd for: what a browser began with, and
//! its session there.

use super::cookies;
use super::cookies::hidden;
use super::rejection::Rejection;
use crate::config::SameSite;
use crate::transport::message::{Headers, Response};
use crate::usecase::gate::enter::{Entered, STATE_TTL};

/// The session at this host: it counts for the gate's question about its application alone.
pub const SESSION: &str = "__Host-authd_app";

/// What the browser has begun with.
pub const STATE: &str = "__Host-authd_state";

/// Finds the value of the session's cookie. `None`: it was not sent.
///
/// # Errors
/// [`Rejection::Ambiguous`] when it stands twice.
pub fn session(headers: &Headers) -> Result<Option<&str>, Rejection> {
    cookies::find(headers, SESSION)
}

/// Finds the state that the browser has begun with. `None`: it has not.
///
/// # Errors
/// [`Rejection::Ambiguous`] when it stands twice.
pub fn state(headers: &Headers) -> Result<Option<&str>, Rejection> {
    cookies::find(headers, STATE)
}

/// Keeps the state, for as long as a sign-in may take.
#[must_use]
pub fn set_state(response: Response, state: &str) -> Response {
    response.header("set-cookie", hidden(STATE, state, Some(STATE_TTL.as_secs()), SameSite::Lax))
}

/// Sets the session. The state stays for its time, since another window may yet come back with it.
#[must_use]
pub fn enter(response: Response, entered: &Entered) -> Response {
    let cookie = hidden(SESSION, entered.cookie.expose(), entered.max_age_s, SameSite::Lax);
    response.header("set-cookie", cookie)
}

/// Takes the session away, and the state.
#[must_use]
pub fn leave(response: Response) -> Response {
    response
        .header("set-cookie", hidden(SESSION, "", Some(0), SameSite::Lax))
        .header("set-cookie", hidden(STATE, "", Some(0), SameSite::Lax))
}
