//! What a visit comes to that shows no page of its own: a way on to where a person can do something about it,
//! or a page that says what happened.

use super::form::BadForm;
use super::stop::Stop;
use super::visit::Visit;
use crate::error::{Error, Fault, Refusal};
use crate::transport::Trouble;
use crate::transport::message::Response;
use crate::web::headers::{BUSY_RETRY_AFTER_S, retry_after_s};
use crate::web::rejection::{RateLimited, Rejection};
use crate::web::{request, status};
use form_urlencoded::byte_serialize;
use std::time::Duration;

const SIGN_IN: &str = "/auth/sign-in";
const CONFIRM: &str = "/auth/confirm";
const SECOND_FACTOR: &str = "/auth/account/two-factor";

/// Answers in the stead of a handler that stopped.
#[must_use]
pub fn stopped(visit: &mut Visit<'_>, stop: Stop) -> Response {
    match stop {
        Stop::NotFound => visit.message(404, "not_found", None),
        Stop::Form(bad) => bad_form(visit, bad),
        Stop::Rejection(Rejection::Error(Error::Refused(refusal))) => refused(visit, &refusal),
        Stop::Rejection(Rejection::Error(Error::Failed(fault))) => failed(visit, fault),
        Stop::Rejection(Rejection::RateLimited(RateLimited { retry_after })) => too_many(visit, retry_after),
        Stop::Rejection(Rejection::DeadCookies(_)) => sign_in(visit),
        Stop::Rejection(Rejection::CrossSite(_)) => bad_form(visit, BadForm::CrossSite),
        Stop::Rejection(Rejection::Ambiguous(_) | Rejection::BadClient) => {
            visit.message(400, "odd_request", None)
        }
    }
}

/// Answers for a path that no page has, or a method that its page doesn't.
#[must_use]
pub fn method_not_allowed(visit: &mut Visit<'_>, allow: &'static str) -> Response {
    visit.message(405, "wrong_method", None).header("allow", allow)
}

/// Answers for the trouble that the transport has with a request.
#[must_use]
pub fn trouble(visit: &mut Visit<'_>, trouble: Trouble) -> Response {
    let status = status::of_trouble(trouble);
    match trouble {
        Trouble::BadRequest(_)
        | Trouble::HeadersTooLarge
        | Trouble::BodyTooLarge
        | Trouble::ExpectationFailed => visit.message(status, "odd_request", None),
        Trouble::RequestTimeout => visit.message(status, "slow_request", None),
        Trouble::MethodRefused => method_not_allowed(visit, "GET, HEAD, POST"),
        Trouble::Crowded | Trouble::Overloaded => busy(visit, status, BUSY_RETRY_AFTER_S),
        Trouble::Panicked => internal(visit, status),
    }
}

fn refused(visit: &mut Visit<'_>, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Unauthenticated | Refusal::InvalidToken => sign_in(visit),
        Refusal::FreshLoginRequired => and_back(visit, CONFIRM),
        Refusal::TwoFactorSetupRequired => visit.see_other(SECOND_FACTOR),
        Refusal::TooManyAttempts { retry_after } => too_many(visit, *retry_after),
        Refusal::NotFound { .. } => visit.message(404, "not_found", None),
        Refusal::Forbidden { .. } | Refusal::RoleRequired { .. } => {
            let text = visit.explain(refusal);
            visit.message(403, "forbidden", Some(text))
        }
        refusal => {
            let text = visit.explain(refusal);
            visit.message(status::of_refusal(refusal), "refused", Some(text))
        }
    }
}

/// To the sign-in page and, once that is done, back. A browser whose session is over forgets it.
fn sign_in(visit: &mut Visit<'_>) -> Response {
    let response = and_back(visit, SIGN_IN);
    if visit.has_session_cookie() { visit.forget_session(response) } else { response }
}

fn and_back(visit: &Visit<'_>, to: &str) -> Response {
    let back = visit.way_back();
    let back: String = byte_serialize(back.as_bytes()).collect();
    visit.see_other(format!("{to}?return_to={back}"))
}

fn bad_form(visit: &mut Visit<'_>, bad: BadForm) -> Response {
    match bad {
        BadForm::UnsupportedMediaType => visit.message(415, "unreadable_form", None),
        BadForm::Malformed => visit.message(400, "odd_request", None),
        BadForm::NotTheWholeLink => visit.message(400, "incomplete_link", None),
        BadForm::CrossSite => visit.message(403, "foreign_form", None),
    }
}

fn too_many(visit: &mut Visit<'_>, retry_after: Duration) -> Response {
    let text = visit.explain(&Refusal::TooManyAttempts { retry_after });
    let seconds = retry_after_s(retry_after).to_string();
    visit.message(429, "too_many_attempts", Some(text)).header("retry-after", seconds)
}

/// A fault's text is logged and stays here.
fn failed(visit: &mut Visit<'_>, fault: Fault) -> Response {
    let status = status::of_fault(&fault);
    let seconds = match &fault {
        Fault::Overloaded { retry_after } => Some(retry_after_s(*retry_after)),
        Fault::StorageUnavailable(_) => Some(BUSY_RETRY_AFTER_S),
        Fault::Storage(_)
        | Fault::CheckFailed(_)
        | Fault::Permission(_)
        | Fault::Config(_)
        | Fault::Stopped(_)
        | Fault::Internal(_) => None,
    };
    request::report(visit.request_id(), &fault.into());
    match seconds {
        Some(seconds) => busy(visit, status, seconds),
        None => internal(visit, status),
    }
}

fn busy(visit: &mut Visit<'_>, status: u16, retry_after_s: u32) -> Response {
    visit.message(status, "busy", None).header("retry-after", retry_after_s.to_string())
}

/// The page shows the request's id, by which the operator finds what went wrong.
fn internal(visit: &mut Visit<'_>, status: u16) -> Response {
    visit.message(status, "internal", None)
}
