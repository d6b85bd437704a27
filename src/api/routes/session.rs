//! Sessions: login and its second step, refreshing, logging out.

use crate::api::answer::{ended, json, logged_in, renewed, tokens};
use crate::api::call::Call;
use crate::api::route::{self, Access, Later, Route, any_of, nothing};
use crate::api::{bodies, schema};
use crate::error::{Error, Refusal};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::require_user;
use crate::usecase::session::reauthenticate::{reauthenticate, reauthenticate_by_passkey};
use crate::usecase::session::{browser, list, logout, refresh};
use crate::usecase::signin::login::Credentials;
use crate::usecase::signin::{login, second_factor};
use crate::views;

pub static SESSIONS: &[Route] = &[
    Route::post("/api/auth/login", "login", Access::Public, login)
        .summary("Log in with address and password")
        .lane(Lane::Hash)
        .limit(Budget::Login)
        .body(&bodies::CREDENTIALS)
        .answers(&[any_of(
            200,
            "A new session, or what is due before: the second step, or another password.",
            schema::LOGGED_IN,
        )])
        .problems(&[
            (401, "invalid_credentials"),
            (403, "email_not_verified"),
            (403, "account_disabled"),
            (429, "too_many_attempts"),
        ]),
    Route::post("/api/auth/2fa/verify", "verify_second_step", Access::Public, verify)
        .summary("Finish a login with the second factor")
        .limit(Budget::Login)
        .body(&bodies::SECOND_STEP)
        .answers(&[any_of(200, "A new session, or another password is due.", schema::SECOND_STEP_DONE)])
        .problems(&[(401, "invalid_code"), (403, "account_disabled"), (429, "too_many_attempts")]),
    Route::post("/api/auth/refresh", "refresh", Access::Refresh, refresh)
        .summary("Exchange a refresh token for the next tokens")
        .after_commit(refresh_later)
        .limit(Budget::Token)
        .body(&bodies::REFRESH)
        .answers(&[any_of(200, "The session goes on.", schema::SESSION_TOKENS)])
        .problems(&[(401, "invalid_token")]),
    Route::post("/api/auth/reauthenticate", "reauthenticate", Access::User, prove_again)
        .summary("Make the session fresh, as a new login would, by proving once more who one is")
        .before_second_factor()
        .lane(Lane::Hash)
        .limit(Budget::Login)
        .body(&bodies::REAUTHENTICATION)
        .answers(&[nothing(204, "It is fresh, and goes on; its tokens are good as before.")])
        .problems(&[(401, "invalid_code"), (403, "invalid_credentials"), (429, "too_many_attempts")]),
    Route::post("/api/auth/session/token", "make_session_token", Access::Browser, make_token)
        .summary(
            "An access token of a browser's session, for a script of its pages that talks to other services",
        )
        .lane(Lane::Read)
        .limit(Budget::Token)
        .answers(&[route::json(
            200,
            "It dies with the session. There is no refresh token: ask again.",
            &schema::SESSION_TOKEN,
        )]),
    Route::post("/api/auth/logout", "logout", Access::User, logout)
        .summary("End this session")
        .before_second_factor()
        .answers(&[nothing(204, "The session has ended, its tokens with it.")]),
    Route::post("/api/auth/logout/all", "logout_everywhere", Access::User, logout_everywhere)
        .summary("End every session of the caller")
        .answers(&[nothing(204, "All sessions have ended, this one too.")]),
    Route::get("/api/auth/sessions", "list_sessions", Access::User, list)
        .summary("The caller's sessions")
        .answers(&[route::json(200, "The sessions that live.", &schema::SESSIONS)]),
    Route::delete("/api/auth/sessions/{id}", "end_session", Access::User, end)
        .summary("End one of the caller's sessions")
        .answers(&[nothing(204, "The session has ended.")])
        .problems(&[(404, "not_found")]),
];

fn login(app: &App, mut call: Call) -> Result<Response, Error> {
    let credentials =
        Credentials { email: call.fields.email("email"), password: call.fields.password("password") };
    logged_in(app, call.token_transport, login::login(app, &call.caller, &credentials)?)
}

fn verify(app: &App, mut call: Call) -> Result<Response, Error> {
    let ticket = call.fields.token("ticket");
    let factor = call.fields.factor().ok_or(Refusal::InvalidCode)?;
    let so_far = second_factor::verify(app, &call.caller, ticket.expose(), &factor)?;
    logged_in(app, call.token_transport, so_far)
}

fn prove_again(app: &App, mut call: Call) -> Result<Response, Error> {
    let password = call.fields.optional_password("password");
    let cookie = match (call.fields.passkey(), password) {
        (Some(shown), None) => reauthenticate_by_passkey(app, &call.caller, &shown)?,
        (Some(_), Some(_)) => {
            let message = "a passkey is both factors: send it, or a password";
            return Err(Refusal::invalid("password", "conflict", message).into());
        }
        (None, password) => {
            reauthenticate(app, &call.caller, password.as_ref(), call.fields.factor().as_ref())?
        }
    };
    Ok(renewed(Response::empty(204), cookie.as_ref()))
}

fn refresh(app: &App, mut call: Call) -> Result<Response, Error> {
    let next = refresh::refresh(app, &call.caller, call.fields.token("refresh_token").expose())?;
    Ok(tokens(app, call.token_transport, &next))
}

fn refresh_later(app: &App, mut call: Call) -> Later<'_> {
    Box::pin(async move {
        let token = call.fields.token("refresh_token");
        let next = refresh::refresh_later(app, &call.caller, token.expose()).await?;
        Ok(tokens(app, call.token_transport, &next))
    })
}

fn make_token(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::session_token(&browser::access_token(app, &call.caller)?)))
}

fn logout(app: &App, call: Call) -> Result<Response, Error> {
    logout::logout(app, &call.caller)?;
    Ok(ended(app, call.token_transport))
}

fn logout_everywhere(app: &App, call: Call) -> Result<Response, Error> {
    logout::everywhere(app, &call.caller)?;
    Ok(ended(app, call.token_transport))
}

fn list(app: &App, call: Call) -> Result<Response, Error> {
    let current = require_user(&call.caller)?.session;
    let sessions = list::list_own(app, &call.caller)?;
    Ok(json(200, &views::own_sessions(&sessions, current)))
}

fn end(app: &App, call: Call) -> Result<Response, Error> {
    let id = call.parameter("id");
    list::end_own(app, &call.caller, id)?;
    // One's own session takes its cookies along.
    let own = require_user(&call.caller)?.session.to_string() == id;
    Ok(if own { ended(app, call.token_transport) } else { Response::empty(204) })
}
