//! `/register`, `/email/*`, `/password/*` and `/me`.

use super::{ended, factor, json, tokens};
use crate::api::call::Call;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::account::register::{Registered, Registration};
use crate::usecase::account::{email, me, password, register};
use crate::usecase::app::App;
use crate::views;

pub fn register(app: &App, mut call: Call) -> Result<Response, Error> {
    let new = Registration {
        email: call.fields.email("email"),
        password: call.fields.password("password"),
        name: call.fields.optional_name("name").unwrap_or_default(),
    };
    Ok(match register::register(app, &call.caller, &new)? {
        Registered::VerificationSent => json(202, &views::verification_sent()),
        Registered::Ready(user) => json(201, &views::user(&user, app.now())),
    })
}

pub fn request_email_verification(app: &App, mut call: Call) -> Result<Response, Error> {
    email::request_verification(app, &call.caller, &call.fields.email("email"))?;
    Ok(Response::empty(202))
}

pub fn confirm_email_verification(app: &App, mut call: Call) -> Result<Response, Error> {
    let user = email::confirm(app, &call.caller, call.fields.token("token").expose())?;
    Ok(json(200, &views::user(&user, app.now())))
}

pub fn request_password_reset(app: &App, mut call: Call) -> Result<Response, Error> {
    password::request_reset(app, &call.caller, &call.fields.email("email"))?;
    Ok(Response::empty(202))
}

pub fn confirm_password_reset(app: &App, mut call: Call) -> Result<Response, Error> {
    let (token, new) = (call.fields.token("token"), call.fields.password("new_password"));
    password::reset(app, &call.caller, token.expose(), &new)?;
    Ok(Response::empty(204))
}

pub fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::user(me::show(&call.caller)?, app.now())))
}

pub fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let change = me::Change { name: call.fields.optional_name("name") };
    Ok(json(200, &views::user(&me::change(app, &call.caller, &change)?, app.now())))
}

pub fn request_email_change(app: &App, mut call: Call) -> Result<Response, Error> {
    email::request_change(app, &call.caller, &call.fields.email("new_email"))?;
    Ok(Response::empty(202))
}

pub fn confirm_email_change(app: &App, mut call: Call) -> Result<Response, Error> {
    let user = email::confirm_change(app, &call.caller, call.fields.token("token").expose())?;
    Ok(json(200, &views::user(&user, app.now())))
}

pub fn change_password(app: &App, mut call: Call) -> Result<Response, Error> {
    let change = password::Change {
        current: call.fields.password("current_password"),
        new: call.fields.password("new_password"),
        factor: factor(&mut call.fields),
    };
    Ok(tokens(app, call.carrier, &password::change(app, &call.caller, &change)?))
}

pub fn delete(app: &App, mut call: Call) -> Result<Response, Error> {
    me::delete(app, &call.caller, &call.fields.password("password"))?;
    Ok(ended(app, call.carrier))
}

pub fn events(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, before) = (call.fields.limit("limit"), call.fields.optional_token("before"));
    let page = me::events(app, &call.caller, limit, before.as_ref().map(|before| before.expose().as_str()))?;
    Ok(json(200, &views::own_events(&page)))
}
