//! Signing in by a mail alone.

use crate::api::answer::{json, logged_in};
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, any_of};
use crate::api::{bodies, schema};
use crate::domain::secret::Secret;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::app::rate_limit::Budget;
use crate::usecase::signin::magic_link::{self, Mailed};
use crate::views;

pub static MAGIC_LINKS: &[Route] = &[
    Route::post("/api/auth/magic-link/request", "request_magic_link", Access::Public, request)
        .summary("Send a link and a code to sign in with; `magic_link.enabled` turns this on")
        .limit(Budget::Mail)
        .body(&bodies::ADDRESS)
        .answers(&[route::json(
            202,
            "A mail is on its way, if there is such an account.",
            &schema::MAGIC_LINK_REQUESTED,
        )])
        .problems(&[(404, "not_found")]),
    Route::post("/api/auth/magic-link/confirm", "confirm_magic_link", Access::Public, confirm)
        .summary("Log in with what came in the mail, in the browser that asked for it")
        .limit(Budget::Login)
        .body(&bodies::MAGIC_LINK)
        .answers(&[any_of(200, "A new session, or what is due before: the second step.", schema::LOGGED_IN)])
        .problems(&[(400, "invalid_token"), (404, "not_found"), (429, "too_many_attempts")]),
];

fn request(app: &App, mut call: Call) -> Result<Response, Error> {
    let request = magic_link::request(app, &call.caller, &call.fields.email("email"))?;
    Ok(json(202, &views::magic_link_requested(&request)))
}

fn confirm(app: &App, mut call: Call) -> Result<Response, Error> {
    let request = call.fields.token("request");
    let mailed = match call.fields.optional_token("token") {
        Some(token) => Mailed::Token(token),
        // People type it as it is shown, in two groups.
        None => Mailed::Code(Secret::new(call.fields.token("code").expose().split_whitespace().collect())),
    };
    let confirmed = magic_link::confirm(app, &call.caller, request.expose(), &mailed)?;
    logged_in(app, call.token_transport, confirmed.logged_in)
}
