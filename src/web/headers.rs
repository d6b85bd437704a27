//! Header fields that both faces read and write alike.

use crate::domain::caller::cut_user_agent;
use crate::error::whole_secs;
use crate::transport::message::{Headers, Response};
use crate::usecase::app::rate_limit::BudgetState;
use std::borrow::Cow;
use std::time::Duration;

/// `Retry-After` where all threads or the database are busy, in seconds: the longest queue is worked off in
/// less.
pub const BUSY_RETRY_AFTER_S: u32 = 2;

/// Takes away what may stand around a part of a header's value: spaces and tabs (RFC 9110 §5.6.3). Whatever
/// else Unicode calls white space is part of the value.
#[must_use]
pub fn trim(part: &str) -> &str {
    part.trim_matches([' ', '\t'])
}

/// As [`trim`], for a value that may be no UTF-8.
#[must_use]
pub fn trim_bytes(part: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = part.iter().position(is_text).unwrap_or(part.len());
    let end = part.iter().rposition(is_text).map_or(start, |last| last + 1);
    &part[start..end]
}

/// Converts a span for `Retry-After`: whole seconds, rounded up, at least one.
#[must_use]
pub fn retry_after_s(span: Duration) -> u32 {
    u32::try_from(whole_secs(span)).unwrap_or(u32::MAX)
}

/// Adds what the response doesn't say by itself, in this order.
#[must_use]
pub fn add_missing(mut response: Response, standard: &[(&'static str, &'static str)]) -> Response {
    // The request's id comes on top, and `Vary` where origins are listed.
    response.headers.reserve(standard.len() + 2);
    for (name, value) in standard {
        if response.headers.iter().all(|(own, _)| own != name) {
            response = response.header(name, *value);
        }
    }
    response
}

/// The fields that tell of a budget (draft-ietf-httpapi-ratelimit-headers-10): `RateLimit-Policy`, of how
/// many requests in how many seconds, and `RateLimit`, how many are left now, and in how many seconds all of
/// them will be.
#[must_use]
pub fn of_budget(state: &BudgetState) -> [(&'static str, Cow<'static, str>); 2] {
    let name = state.budget.name();
    let policy = format!("\"{name}\";q={};w={}", state.rate.events, whole_secs(state.rate.window));
    let left = format!("\"{name}\";r={};t={}", state.remaining, whole_secs(state.reset));
    [("ratelimit-policy", policy.into()), ("ratelimit", left.into())]
}

/// What the client says it is, as much of it as is kept. `None`: nothing, or more than one thing.
#[must_use]
pub fn user_agent(headers: &Headers) -> Option<String> {
    headers.single("user-agent").ok().flatten().map(cut_user_agent)
}

/// Whether a body is of this media type, without a content coding, and in UTF-8 if it says so.
#[must_use]
pub fn has_media_type(headers: &Headers, wanted: &str) -> bool {
    let content_type = headers.single("content-type").ok().flatten();
    headers.all("content-encoding").next().is_none()
        && content_type.is_some_and(|sent| is_media_type(sent, wanted))
}

fn is_media_type(content_type: &str, wanted: &str) -> bool {
    let mut parts = content_type.split(';').map(trim);
    let media = parts.next().is_some_and(|media| media.eq_ignore_ascii_case(wanted));
    media
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_spelled_in_any_case_and_is_utf_8() {
        let form = "application/x-www-form-urlencoded";
        for good in [form, "Application/X-WWW-Form-urlencoded ; charset=UTF-8"] {
            assert!(is_media_type(good, form), "{good}");
        }
        for bad in [
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
            "application/x-www-form-urlencoded; charset=utf-16",
        ] {
            assert!(!is_media_type(bad, form), "{bad}");
        }
    }
}
