//! One function a route: takes the fields, calls one use-case, writes the answer. No rules in here.

pub mod account;
pub mod admin;
pub mod operations;
pub mod services;
pub mod session;
pub mod two_factor;

use super::wire::Fields;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::session::csrf;
use crate::usecase::signin::factor::Factor;
use crate::usecase::signin::login::Tokens;
use crate::views;
use crate::web::cookies;
use crate::web::cookies::Carrier;
use serde::Serialize;

/// What the caller showed of a second factor. `None`: nothing.
fn factor(fields: &mut Fields) -> Option<Factor> {
    let code = fields.optional_token("code").map(Factor::Code);
    code.or_else(|| fields.optional_token("recovery_code").map(Factor::RecoveryCode))
}

/// Hands tokens over, the way that the caller's own came.
fn tokens(app: &App, carrier: Carrier, tokens: &Tokens) -> Response {
    match carrier {
        Carrier::Body => json(200, &views::tokens(tokens, app.now())),
        Carrier::Cookies => {
            let csrf = csrf::value(app, tokens.session);
            let response = json(200, &views::session_in_cookies(tokens, &csrf, app.now()));
            cookies::set(response, tokens, &csrf, app.config.cookies.same_site)
        }
    }
}

/// Says that a session has ended; the cookies that held it go with it.
fn ended(app: &App, carrier: Carrier) -> Response {
    match carrier {
        Carrier::Body => Response::empty(204),
        Carrier::Cookies => cookies::clear(Response::empty(204), app.config.cookies.same_site),
    }
}

fn json(status: u16, value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(512);
    serde_json::to_writer(&mut body, value)
        .expect("what is shown has text for keys, and no value that can't be written");
    Response::with_body(status, "application/json", body)
}
