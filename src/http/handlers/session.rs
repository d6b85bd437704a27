//! `/login`, `/refresh`, `/logout` and `/sessions`.

use super::json;
use crate::error::Error;
use crate::http::message::Response;
use crate::http::router::Call;
use crate::usecase::app::App;
use crate::usecase::login::Credentials;
use crate::usecase::{login, logout, refresh, require_user, session, view};

pub fn login(app: &App, mut call: Call) -> Result<Response, Error> {
    let credentials = Credentials { email: call.fields.email("email"), password: call.fields.password("password") };
    let tokens = login::login(app, &call.caller, &credentials)?;
    Ok(json(200, &view::tokens(&tokens, app.now())))
}

pub fn refresh(app: &App, mut call: Call) -> Result<Response, Error> {
    let tokens = refresh::refresh(app, &call.caller, call.fields.token("refresh_token").expose())?;
    Ok(json(200, &view::tokens(&tokens, app.now())))
}

pub fn logout(app: &App, call: Call) -> Result<Response, Error> {
    logout::logout(app, &call.caller)?;
    Ok(Response::empty(204))
}

pub fn logout_everywhere(app: &App, call: Call) -> Result<Response, Error> {
    logout::everywhere(app, &call.caller)?;
    Ok(Response::empty(204))
}

pub fn list(app: &App, call: Call) -> Result<Response, Error> {
    let current = require_user(&call.caller)?.session;
    let sessions = session::list_own(app, &call.caller)?;
    let sessions: Vec<_> = sessions.iter().map(|session| view::own_session(session, current)).collect();
    Ok(json(200, &serde_json::json!({"sessions": sessions})))
}

pub fn end(app: &App, call: Call) -> Result<Response, Error> {
    session::end_own(app, &call.caller, call.parameter("id"))?;
    Ok(Response::empty(204))
}
