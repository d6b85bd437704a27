//! `/admin/sessions`.

use super::{cursor, page};
use crate::api::call::Call;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::session::list;
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;
use crate::views;

pub fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let (user, limit, after) = (fields.optional_user("user"), fields.limit("limit"), cursor(fields, "after"));
    let sessions = list::page(app, &call.caller, user.as_ref(), limit, after.as_deref())?;
    Ok(page(&sessions, views::listed_session))
}

pub fn end(app: &App, call: Call) -> Result<Response, Error> {
    tokens::revoke(app, &call.caller, &Target::Session(call.parameter("id").to_owned()))?;
    Ok(Response::empty(204))
}
