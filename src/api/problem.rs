//! Problem documents (RFC 9457): how refusals, faults and the transport's own troubles look over HTTP.
//!
//! Nothing here has a `_` arm, nor has `web/status.rs`: a new refusal doesn't compile until both know it.

use crate::error::{Error, Fault, FieldError, Refusal};
use crate::transport::Trouble;
use crate::transport::message::Response;
use crate::views;
use crate::web::headers::{BUSY_RETRY_AFTER_S, retry_after_s};
use crate::web::rejection::{RateLimited, Rejection};
use crate::web::status;
use std::borrow::Cow;

pub const CONTENT_TYPE: &str = "application/problem+json";

/// RFC 6750 §3.
const CHALLENGE: &str = r#"Bearer realm="authd""#;
const CHALLENGE_INVALID_TOKEN: &str = r#"Bearer realm="authd", error="invalid_token""#;
/// RFC 6749 §5.2: where a client came by Basic, so does the challenge.
const CHALLENGE_CLIENT: &str = r#"Basic realm="authd""#;

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

    /// Makes a 400 `bad_request` for what can't be taken as it was sent; `detail` says what to send instead.
    #[must_use]
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(400, "bad_request", "Bad request", detail)
    }

    /// Makes a 400 `malformed_json`; `detail` says why the body is not taken for JSON.
    #[must_use]
    pub fn malformed_json(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed_json", "Malformed JSON", detail)
    }

    /// Makes a 404 `not_found` for a path that no route has.
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

    /// Makes a 415 `unsupported_media_type`; `wanted` is the media type that the route reads.
    #[must_use]
    pub fn unsupported_media_type(wanted: &str) -> Self {
        let detail =
            format!("send the body as `Content-Type: {wanted}`, in UTF-8 and without a content coding");
        Self::new(415, "unsupported_media_type", "Unsupported media type", detail)
    }

    /// What the transport says in a handler's stead. `all_methods` is what `Allow` says where no path is
    /// known.
    #[must_use]
    pub fn of_trouble(trouble: Trouble, all_methods: fn() -> String) -> Self {
        let status = status::of_trouble(trouble);
        match trouble {
            Trouble::BadRequest(why) => Self::bad_request(format!("{why}; send one sound HTTP/1.1 request")),
            Trouble::HeadersTooLarge => Self::new(
                status,
                "headers_too_large",
                "Headers too large",
                "the request's head has at most 16 KiB and 100 header fields; send fewer or shorter ones",
            ),
            Trouble::BodyTooLarge => {
                Self::new(status, "body_too_large", "Body too large", "a body has at most 64 KiB; send less")
            }
            Trouble::RequestTimeout => Self::new(
                status,
                "request_timeout",
                "Request timeout",
                "the request did not come in time, 10 s for its head and 15 s for all of it; send it again",
            ),
            Trouble::ExpectationFailed => Self::new(
                status,
                "expectation_failed",
                "Expectation failed",
                "the only expectation met here is 100-continue; send the request without Expect",
            ),
            Trouble::MethodRefused => Self::method_not_allowed(all_methods()),
            Trouble::Crowded | Trouble::Overloaded => Self::overloaded(status, BUSY_RETRY_AFTER_S),
            Trouble::Panicked => Self::internal(status),
        }
    }

    /// The same whatever is wrong: the name, the key, or how they are written.
    fn bad_client() -> Self {
        let refusal = Refusal::InvalidToken;
        let (status, title) = (status::of_refusal(&refusal), status::title_of_refusal(&refusal));
        let detail = "these are no name and key that belong together and count; \
             the client's id is the name of an API key, its secret the key";
        Self::new(status, refusal.code(), title, detail).header("www-authenticate", CHALLENGE_CLIENT)
    }

    fn overloaded(status: u16, retry_after_s: u32) -> Self {
        let detail =
            "there is too much to do at once and nothing was done; try again after the time in Retry-After";
        Self::new(status, "overloaded", "Overloaded", detail).retry_after(retry_after_s)
    }

    fn internal(status: u16) -> Self {
        let detail = "authd failed; its operator finds the reason in the log under this request_id";
        Self::new(status, "internal", "Internal error", detail)
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
        let (status, title) = (status::of_refusal(refusal), status::title_of_refusal(refusal));
        let problem = Self::new(status, refusal.code(), title, status::detail_of_refusal(refusal));
        match refusal {
            Refusal::InvalidToken => problem.header("www-authenticate", CHALLENGE_INVALID_TOKEN),
            Refusal::Unauthenticated | Refusal::InvalidCredentials | Refusal::InvalidCode => {
                problem.header("www-authenticate", CHALLENGE)
            }
            Refusal::TooManyAttempts { retry_after } => problem.retry_after(retry_after_s(*retry_after)),
            Refusal::Invalid(errors) => Self { errors: errors.clone(), ..problem },
            Refusal::InvalidLink
            | Refusal::InvalidTicket
            | Refusal::WrongPassword
            | Refusal::FreshLoginRequired
            | Refusal::TwoFactorSetupRequired
            | Refusal::Forbidden { .. }
            | Refusal::RoleRequired { .. }
            | Refusal::AppNotAllowed { .. }
            | Refusal::EmailNotVerified
            | Refusal::AccountDisabled
            | Refusal::RegistrationClosed
            | Refusal::NotFound { .. }
            | Refusal::EmailTaken
            | Refusal::AlreadyEnabled
            | Refusal::AlreadyExists { .. }
            | Refusal::Conflict { .. }
            | Refusal::LastAdmin
            | Refusal::ProviderFailed
            | Refusal::ProviderRefused
            | Refusal::StateMismatch
            | Refusal::LinkRequired
            | Refusal::IdentityInUse
            | Refusal::EmailRequired
            | Refusal::DomainNotAllowed
            | Refusal::LastWayIn
            | Refusal::BuiltInRole { .. }
            | Refusal::BadCursor
            | Refusal::PasswordRequired
            | Refusal::WeakPassword { .. } => problem,
        }
    }
}

/// A fault's own text stays here.
impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        let status = status::of_fault(fault);
        match fault {
            Fault::Overloaded { retry_after } => Self::overloaded(status, retry_after_s(*retry_after)),
            Fault::StorageUnavailable(_) => {
                let detail = "the database can't be written just now and nothing was changed; try again soon";
                Self::new(status, fault.code(), "Storage unavailable", detail).retry_after(BUSY_RETRY_AFTER_S)
            }
            Fault::Storage(_)
            | Fault::CheckFailed(_)
            | Fault::Permission(_)
            | Fault::Config(_)
            | Fault::Stopped(_)
            | Fault::Internal(_) => Self::internal(status),
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

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::Ambiguous(what_to_send) => Self::bad_request(what_to_send.clone()),
            Rejection::CrossSite(proof) => Self::new(403, "csrf_failed", "Cross-site request", *proof),
            Rejection::RateLimited(RateLimited { retry_after }) => {
                let seconds = retry_after_s(*retry_after);
                let detail = format!("too many requests from this network; wait {seconds} s and try again");
                Self::new(429, "rate_limited", "Too many requests", detail).retry_after(seconds)
            }
            Rejection::DeadCookies(_) => Self::from(&Refusal::InvalidToken),
            Rejection::BadClient => Self::bad_client(),
            Rejection::Error(error) => error.into(),
        }
    }
}
