//! `/2fa`.

use super::{factor, json};
use crate::api::call::Call;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::account::two_factor;
use crate::usecase::app::App;
use crate::views;

pub fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::two_factor(&two_factor::status(app, &call.caller)?)))
}

pub fn set_up(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::two_factor_setup(&two_factor::setup(app, &call.caller)?)))
}

pub fn enable(app: &App, mut call: Call) -> Result<Response, Error> {
    let codes = two_factor::enable(app, &call.caller, &call.fields.token("code"))?;
    Ok(json(200, &views::recovery_codes(&codes)))
}

pub fn disable(app: &App, mut call: Call) -> Result<Response, Error> {
    let password = call.fields.password("password");
    let factor = factor(&mut call.fields).ok_or(Refusal::InvalidCode)?;
    two_factor::disable(app, &call.caller, &password, &factor)?;
    Ok(Response::empty(204))
}

pub fn replace_recovery_codes(app: &App, mut call: Call) -> Result<Response, Error> {
    let codes = two_factor::new_recovery_codes(app, &call.caller, &call.fields.token("code"))?;
    Ok(json(200, &views::recovery_codes(&codes)))
}
