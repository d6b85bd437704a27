//! The web origins whose pages may read answers (CORS).

use crate::config::Config;
use crate::transport::message::{Headers, Response};

/// What a page of another origin may read of an answer's head.
const EXPOSED: &str = "RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";

/// The origin of a request from a web page, when `origins` lists it to the letter.
pub fn allowed<'a>(headers: &'a Headers, origins: &[String]) -> Option<&'a str> {
    let origin = headers.single("origin").ok()??;
    origins.iter().any(|allowed| allowed == origin).then_some(origin)
}

/// Lets the page that asked read the answer, if its origin is listed. `headers` of `None`: there was no sound
/// request.
#[must_use]
pub fn share(mut response: Response, headers: Option<&Headers>, config: &Config) -> Response {
    let origins = &config.cors.origins;
    if !origins.is_empty() {
        response = response.header("vary", "Origin");
    }
    match headers.and_then(|headers| allowed(headers, origins)) {
        Some(origin) => response
            .header("access-control-allow-origin", origin.to_owned())
            .header("access-control-allow-credentials", "true")
            .header("access-control-expose-headers", EXPOSED),
        None => response,
    }
}

/// Answers a browser that asks whether a page of another origin may send a request (Fetch §3.3). `None`: it
/// is no such question, or the origin isn't listed.
#[must_use]
pub fn preflight(
    method: &str,
    headers: &Headers,
    config: &Config,
    methods: impl FnOnce() -> String,
) -> Option<Response> {
    if method != "OPTIONS" || headers.all("access-control-request-method").next().is_none() {
        return None;
    }
    allowed(headers, &config.cors.origins)?;
    let preflight = Response::empty(204)
        .header("access-control-allow-methods", methods())
        .header("access-control-allow-headers", "Authorization, Content-Type, X-CSRF-Token, X-Request-Id")
        .header("access-control-max-age", "600");
    Some(preflight)
}
