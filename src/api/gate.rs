//! What the gate's question may come with besides what every route takes: the cookie of an application's
//! host. A person's browser without one is led to where it can have it.

use crate::domain::access::SignedIn;
use crate::error::{Error, Refusal};
use crate::transport::message::{Head, Response};
use crate::usecase::app::App;
use crate::usecase::session::browser;
use crate::web::rejection::Rejection;
use crate::web::{app_cookies, forwarded, question, token_transport};
use form_urlencoded::byte_serialize;

/// The path at an application's host where a browser begins to sign in.
const START: &str = "/.authd/start";

/// What becomes of a question that came with no session of authd's own.
pub enum AtGate {
    SignedIn(Box<SignedIn>),
    /// A browser is led to where it signs in.
    Start(Response),
}

/// Looks at the cookie of the application's host; `rejection` says what was wrong with all the rest.
///
/// # Errors
/// `rejection`, for what asks about no application, or is no browser that goes to a page; the store's.
pub fn admit(app: &App, head: &Head, rejection: Rejection) -> Result<AtGate, Rejection> {
    let is_unknown = matches!(
        rejection,
        Rejection::Error(Error::Refused(Refusal::Unauthenticated | Refusal::InvalidToken))
            | Rejection::DeadCookies(_)
    );
    // Of what the application itself may have in that header, a bearer token alone is taken for one of
    // authd's.
    if !is_unknown || token_transport::bearer(&head.headers)?.is_some() {
        return Err(rejection);
    }
    let Some(application) = question::asked_about(app, head)? else {
        return Err(rejection);
    };
    if let Some(cookie) = app_cookies::session(&head.headers)?
        && let Some(user) = browser::authenticate_at_app(app, &application, cookie)?
    {
        return Ok(AtGate::SignedIn(Box::new(user)));
    }
    let trusted = &app.config.proxy.trusted;
    if app.config.pages.enabled && forwarded::is_navigation(head, trusted) {
        let path = forwarded::path(head, trusted).unwrap_or("/");
        let path: String = byte_serialize(path.as_bytes()).collect();
        let start = format!("{}{START}?return_to={path}", application.origin);
        return Ok(AtGate::Start(Response::empty(302).header("location", start)));
    }
    Err(rejection)
}
