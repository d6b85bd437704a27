//! Answers that several handlers give alike.

use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::account::admin::Paged;
use crate::usecase::app::App;
use crate::usecase::session::browser::SessionCookie;
use crate::usecase::session::csrf;
use crate::usecase::signin::login::{LoggedIn, Started, Tokens};
use crate::views;
use crate::web::token_transport::TokenTransport;
use crate::web::{cookies, session_cookie};
use serde::Serialize;

/// `Cache-Control` of documents that change with a release or a key rotation. A key that begins to sign is
/// fetched by a client that doesn't know it, so five minutes harm nobody.
pub const CACHEABLE: &str = "public, max-age=300";

/// Answers with a JSON body.
pub fn json(status: u16, value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(512);
    serde_json::to_writer(&mut body, value)
        .expect("what is shown has text for keys, and no value that can't be written");
    Response::with_body(status, "application/json", body)
}

/// Answers with a page of a list.
pub fn page<'a, T, V: Serialize>(page: &'a Paged<T, String>, view: impl Fn(&'a T) -> V) -> Response {
    json(200, &views::page(page, view))
}

/// Hands over what a session has begun or goes on with, the way that the caller's own came.
///
/// # Errors
/// Those of making tokens.
pub fn started(app: &App, transport: TokenTransport, started: Started) -> Result<Response, Error> {
    let TokenTransport::SessionCookie { remembered } = transport else {
        return Ok(tokens(app, transport, &started.tokens(app)?));
    };
    let csrf = csrf::value(app, started.session.id);
    let response = json(200, &views::session_of_browser(&started, started.standing(app), &csrf, app.now()));
    Ok(session_cookie::set(response, &started.session_cookie(app, remembered)))
}

/// Hands over what a first or a second step has come to.
///
/// # Errors
/// Those of making tokens.
pub fn logged_in(app: &App, transport: TokenTransport, so_far: LoggedIn) -> Result<Response, Error> {
    match so_far {
        LoggedIn::Started(new) => started(app, transport, *new),
        LoggedIn::SecondStep(ticket, methods) => Ok(json(200, &views::second_step(&ticket, methods))),
        LoggedIn::PasswordChange(ticket) => Ok(json(200, &views::password_change(&ticket))),
    }
}

/// Sets the cookie that has taken the place of the caller's. `None`: they came by another way.
pub fn renewed(response: Response, cookie: Option<&SessionCookie>) -> Response {
    match cookie {
        Some(cookie) => session_cookie::set(response, cookie),
        None => response,
    }
}

/// Hands tokens over, the way that the caller's own came.
pub fn tokens(app: &App, transport: TokenTransport, tokens: &Tokens) -> Response {
    match transport {
        TokenTransport::Body => json(200, &views::tokens(tokens, app.now())),
        // What came by a browser's session asks for none: see `started`.
        TokenTransport::Cookies | TokenTransport::SessionCookie { .. } => {
            let csrf = csrf::value(app, tokens.session);
            let response = json(200, &views::session_in_cookies(tokens, &csrf, app.now()));
            cookies::set(response, tokens, &csrf, app.config.cookies.same_site)
        }
    }
}

/// Says that a session has ended; the cookies that held it go with it.
pub fn ended(app: &App, transport: TokenTransport) -> Response {
    match transport {
        TokenTransport::Body => Response::empty(204),
        TokenTransport::Cookies => cookies::end(Response::empty(204), app.config.cookies.same_site),
        TokenTransport::SessionCookie { .. } => session_cookie::end(Response::empty(204)),
    }
}
