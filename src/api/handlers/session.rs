//! `/login`, `/2fa/verify`, `/refresh`, `/logout` and `/sessions`.

use super::{ended, factor, json, tokens};
use crate::api::call::Call;
use crate::api::route::Later;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::require_user;
use crate::usecase::session::{list, logout, refresh};
use crate::usecase::signin::login::{Credentials, LoggedIn};
use crate::usecase::signin::{login, second_factor};
use crate::views;

pub fn login(app: &App, mut call: Call) -> Result<Response, Error> {
    let credentials = Credentials { email: call.fields.email("email"), password: call.fields.password("password") };
    Ok(match login::login(app, &call.caller, &credentials)? {
        LoggedIn::Tokens(new) => tokens(app, call.carrier, &new),
        LoggedIn::SecondStep(ticket) => json(200, &views::second_step(&ticket)),
    })
}

pub fn verify(app: &App, mut call: Call) -> Result<Response, Error> {
    let ticket = call.fields.token("ticket");
    let factor = factor(&mut call.fields).ok_or(Refusal::InvalidCode)?;
    let new = second_factor::verify(app, &call.caller, ticket.expose(), &factor)?;
    Ok(tokens(app, call.carrier, &new))
}

pub fn refresh(app: &App, mut call: Call) -> Result<Response, Error> {
    let next = refresh::refresh(app, &call.caller, call.fields.token("refresh_token").expose())?;
    Ok(tokens(app, call.carrier, &next))
}

pub fn refresh_later(app: &App, mut call: Call) -> Later<'_> {
    Box::pin(async move {
        let token = call.fields.token("refresh_token");
        let next = refresh::refresh_later(app, &call.caller, token.expose()).await?;
        Ok(tokens(app, call.carrier, &next))
    })
}

pub fn logout(app: &App, call: Call) -> Result<Response, Error> {
    logout::logout(app, &call.caller)?;
    Ok(ended(app, call.carrier))
}

pub fn logout_everywhere(app: &App, call: Call) -> Result<Response, Error> {
    logout::everywhere(app, &call.caller)?;
    Ok(ended(app, call.carrier))
}

pub fn list(app: &App, call: Call) -> Result<Response, Error> {
    let current = require_user(&call.caller)?.session;
    let sessions = list::list_own(app, &call.caller)?;
    Ok(json(200, &views::own_sessions(&sessions, current)))
}

pub fn end(app: &App, call: Call) -> Result<Response, Error> {
    let id = call.parameter("id");
    list::end_own(app, &call.caller, id)?;
    // One's own session takes its cookies along.
    let own = require_user(&call.caller)?.session.to_string() == id;
    Ok(if own { ended(app, call.carrier) } else { Response::empty(204) })
}
