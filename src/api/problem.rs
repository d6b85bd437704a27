//! Problem documents (RFC 9457): how refusals, faults and the transport's own troubles look over HTTP.
//!
//! Nothing here has a `_` arm: a new refusal doesn't compile until it has a status.

use crate::error::{Error, Fault, FieldError, Refusal, whole_secs};
use crate::transport::Trouble;
use crate::transport::message::Response;
use crate::views;
use std::borrow::Cow;
use std::time::Duration;

pub const CONTENT_TYPE: &str = "application/problem+json";

/// How long to wait when all threads or the database are busy, in seconds: the longest queue is
/// worked off in less.
const BUSY_S: u32 = 2;

/// RFC 6750 §3.
const CHALLENGE: &str = r#"Bearer realm="authd""#;
const CHALLENGE_INVALID_TOKEN: &str = r#"Bearer realm="authd", error="invalid_token""#;

#[derive(Clone, Debug)]
pub struct Problem {
    pub status: u16,
    /// Stable, snake_case.
    pub code: &'static str,
    title: &'static str,
    /// For people: what happened, and what to do next. No internals.
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u32>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl Problem {
    fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { status, code, title, detail, errors: Vec::new(), retry_after_s: None, headers: Vec::new() }
    }

    fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self.header("retry-after", seconds.to_string())
    }

    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad_request", "Bad request", detail)
    }

    #[must_use]
    pub fn malformed_json(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed_json", "Malformed JSON", detail)
    }

    #[must_use]
    pub fn no_such_route() -> Self {
        let detail = "nothing is served at this path; /api/auth/openapi.json lists what is, spelled exactly";
        Self::new(404, "not_found", "Not found", detail)
    }

    /// `allow` lists the methods that the path does have.
    #[must_use]
    pub fn method_not_allowed(allow: impl Into<String>) -> Self {
        let detail = "this path is not served with this method; the header Allow lists those that are";
        Self::new(405, "method_not_allowed", "Method not allowed", detail).header("allow", allow.into())
    }

    #[must_use]
    pub fn unsupported_media_type(wanted: &str) -> Self {
        let detail = format!("send the body as `Content-Type: {wanted}`, in UTF-8 and without a content coding");
        Self::new(415, "unsupported_media_type", "Unsupported media type", detail)
    }

    /// What the cookies of a session ask for came from another site's page, or without proof that it didn't.
    #[must_use]
    pub fn csrf_failed(detail: impl Into<String>) -> Self {
        Self::new(403, "csrf_failed", "Cross-site request", detail)
    }

    /// The network's budget is spent.
    #[must_use]
    pub fn rate_limited(retry_after: Duration) -> Self {
        let seconds = u32::try_from(whole_secs(retry_after)).unwrap_or(u32::MAX);
        let detail = format!("too many requests from this network; wait {seconds} s and try again");
        Self::new(429, "rate_limited", "Too many requests", detail).retry_after(seconds)
    }

    /// The document, with the headers that go with it.
    #[must_use]
    pub fn response(self, request_id: &str) -> Response {
        let document = views::Problem {
            kind: format!("urn:authd:problem:{}", self.code),
            title: self.title,
            status: self.status,
            detail: &self.detail,
            code: self.code,
            request_id,
            errors: self.errors.iter().map(views::field_error).collect(),
            retry_after_s: self.retry_after_s,
        };
        let body = serde_json::to_vec(&document).expect("a problem document has text for keys");
        let mut response = Response::with_body(self.status, CONTENT_TYPE, body);
        response.headers.extend(self.headers);
        response
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let (title, status) = refusal.problem();
        let problem = Self::new(status, refusal.code(), title, refusal.to_string());
        match refusal {
            Refusal::InvalidToken => problem.header("www-authenticate", CHALLENGE_INVALID_TOKEN),
            Refusal::Unauthenticated | Refusal::InvalidCredentials | Refusal::InvalidCode => {
                problem.header("www-authenticate", CHALLENGE)
            }
            Refusal::TooManyAttempts { retry_after } => problem.retry_after(seconds(*retry_after)),
            Refusal::Invalid(errors) => Self { errors: errors.clone(), ..problem },
            Refusal::InvalidLink
            | Refusal::WrongPassword
            | Refusal::FreshLoginRequired
            | Refusal::Forbidden { .. }
            | Refusal::RoleRequired { .. }
            | Refusal::EmailNotVerified
            | Refusal::AccountDisabled
            | Refusal::RegistrationClosed
            | Refusal::NotFound { .. }
            | Refusal::EmailTaken
            | Refusal::AlreadyEnabled
            | Refusal::AlreadyExists { .. }
            | Refusal::Conflict { .. }
            | Refusal::LastAdmin
            | Refusal::BuiltInRole { .. }
            | Refusal::BadCursor
            | Refusal::WeakPassword { .. } => problem,
        }
    }
}

/// For `Retry-After`: whole seconds, enough of them.
fn seconds(span: Duration) -> u32 {
    u32::try_from(whole_secs(span)).unwrap_or(u32::MAX)
}

/// A fault's own text stays here.
impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Overloaded { retry_after } => overloaded(seconds(*retry_after)),
            Fault::StorageUnavailable(_) => {
                let detail = "the database can't be written just now and nothing was changed; try again soon";
                Self::new(503, fault.code(), "Storage unavailable", detail).retry_after(BUSY_S)
            }
            Fault::Storage(_) | Fault::Permission(_) | Fault::Config(_) | Fault::Internal(_) => internal(),
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::Failed(fault) => fault.into(),
        }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::BadRequest(why) => Self::bad_request(format!("{why}; send one sound HTTP/1.1 request")),
            Trouble::HeadersTooLarge => Self::new(
                431,
                "headers_too_large",
                "Headers too large",
                "the request's head has at most 16 KiB and 100 header fields; send fewer or shorter ones",
            ),
            Trouble::BodyTooLarge => {
                Self::new(413, "body_too_large", "Body too large", "a body has at most 64 KiB; send less")
            }
            Trouble::RequestTimeout => Self::new(
                408,
                "request_timeout",
                "Request timeout",
                "the request did not come in time, 10 s for its head and 15 s for all of it; send it again",
            ),
            Trouble::ExpectationFailed => Self::new(
                417,
                "expectation_failed",
                "Expectation failed",
                "the only expectation met here is 100-continue; send the request without Expect",
            ),
            Trouble::MethodRefused => Self::method_not_allowed(super::table::all_methods()),
            Trouble::Crowded | Trouble::Overloaded => overloaded(BUSY_S),
            Trouble::Panicked => internal(),
        }
    }
}

fn overloaded(retry_after_s: u32) -> Problem {
    let detail = "there is too much to do at once and nothing was done; try again after the time in Retry-After";
    Problem::new(503, "overloaded", "Overloaded", detail).retry_after(retry_after_s)
}

fn internal() -> Problem {
    let detail = "authd failed; its operator finds the reason in the log under this request_id";
    Problem::new(500, "internal", "Internal error", detail)
}
