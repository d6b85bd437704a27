//! Cookie mode: a session's tokens in cookies that no script can read, and a value beside them that
//! the page's own script can (see `csrf`).

use super::headers::trim_bytes;
use super::rejection::{DeadCookies, Rejection};
use crate::config::SameSite;
use crate::transport::message::{Ambiguous, Headers, Response};
use crate::usecase::signin::login::Tokens;

/// The access token.
pub const ACCESS: &str = "__Host-authd_access";
pub const REFRESH: &str = "__Host-authd_refresh";
/// A browser's session, of the pages: see `session_cookie`.
pub const SESSION: &str = "__Host-authd_session";
/// What the page sends back in `X-CSRF-Token`.
pub const CSRF: &str = "__Host-authd_csrf";

/// Finds the value of one of our cookies. `None`: it was not sent.
///
/// # Errors
/// [`Rejection::Ambiguous`] when it stands twice, or in one of several headers (RFC 6265bis §5.8): which one
/// was set by us can't be told.
///
/// A name counts byte by byte, with nothing around it but what browsers drop themselves, spaces and tabs. To
/// a browser any other character is part of the name, so that another host of the site may set such a cookie
/// for ours: `__Host-` protects only names that begin with it.
pub fn find<'a>(headers: &'a Headers, name: &str) -> Result<Option<&'a str>, Rejection> {
    let header = headers.single_bytes("cookie");
    let header = header.map_err(|Ambiguous| Rejection::ambiguous("send one header Cookie"))?;
    let pairs = header.unwrap_or_default().split(|byte| *byte == b';').filter_map(name_and_value);
    let mut values = pairs.filter(|(known, _)| *known == name.as_bytes()).map(|(_, value)| value);
    let value = match (values.next(), values.next()) {
        (_, Some(_)) => return Err(Rejection::ambiguous(format!("send the cookie {name} once"))),
        (value, None) => value.filter(|value| !value.is_empty()),
    };
    let text = value.map(std::str::from_utf8).transpose();
    text.map_err(|_| Rejection::ambiguous(format!("send the cookie {name} as it was set")))
}

fn name_and_value(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    Some((trim_bytes(&pair[..equals]), trim_bytes(&pair[equals + 1..])))
}

/// Sets all three. Each lives as long as what it holds.
#[must_use]
pub fn set(response: Response, tokens: &Tokens, csrf: &str, same_site: SameSite) -> Response {
    let (access, refresh) = (tokens.access_token.expose(), tokens.refresh_token.expose());
    response
        .header("set-cookie", hidden(ACCESS, access, Some(tokens.expires_in), same_site))
        .header("set-cookie", hidden(REFRESH, refresh, Some(tokens.refresh_expires_in), same_site))
        .header("set-cookie", readable(CSRF, csrf, Some(tokens.refresh_expires_in), same_site))
}

/// Takes away what can be of no use any more.
#[must_use]
pub fn clear(response: Response, dead: DeadCookies, same_site: SameSite) -> Response {
    match dead {
        DeadCookies::Access => response.header("set-cookie", hidden(ACCESS, "", Some(0), same_site)),
        DeadCookies::All => {
            clear_tokens(response, same_site).header("set-cookie", readable(CSRF, "", Some(0), same_site))
        }
        DeadCookies::Session => response.header("set-cookie", hidden(SESSION, "", Some(0), SameSite::Lax)),
    }
}

/// Takes away both tokens.
#[must_use]
pub(super) fn clear_tokens(response: Response, same_site: SameSite) -> Response {
    response
        .header("set-cookie", hidden(ACCESS, "", Some(0), same_site))
        .header("set-cookie", hidden(REFRESH, "", Some(0), same_site))
}

/// Says that a session has ended in this browser: its cookies go, and what the site's pages and answers left
/// there (Clear Site Data §3.1). Not `"cookies"`, which would take those of all hosts of the site.
#[must_use]
pub fn end(response: Response, same_site: SameSite) -> Response {
    clear(response, DeadCookies::All, same_site).header("clear-site-data", r#""cache", "storage""#)
}

/// `__Host-` asks for `Secure`, `Path=/` and no `Domain`: no other host, and nobody without TLS, can
/// set such a cookie. `max_age_s` of `None`: it lives until the browser is closed.
pub(super) fn readable(name: &str, value: &str, max_age_s: Option<u64>, same_site: SameSite) -> String {
    let same_site = match same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
    };
    let life = max_age_s.map_or_else(String::new, |seconds| format!(" Max-Age={seconds};"));
    format!("{name}={value}; Path=/;{life} Secure; SameSite={same_site}")
}

/// As [`readable`], but no script sees it.
pub(super) fn hidden(name: &str, value: &str, max_age_s: Option<u64>, same_site: SameSite) -> String {
    readable(name, value, max_age_s, same_site) + "; HttpOnly"
}
