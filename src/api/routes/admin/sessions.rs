//! `/admin/sessions`: everybody's sessions.

use super::OF_USER;
use crate::api::answer::page;
use crate::api::call::Call;
use crate::api::route::{self, AFTER, Access, LIMIT, Route, nothing};
use crate::api::schema::admin as schema;
use crate::api::wire::Field;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::session::list::{self, Which};
use crate::usecase::session::tokens;
use crate::usecase::session::tokens::Target;
use crate::views;

const SESSIONS_OF: &[Field] = &[OF_USER, LIMIT, AFTER];

pub static SESSIONS: &[Route] = &[
    Route::get("/api/auth/admin/sessions", "admin_list_sessions", Access::Permission("sessions:read"), list)
        .summary("Sessions that live, newest first")
        .query(SESSIONS_OF)
        .answers(&[route::json(200, "A page of sessions.", &schema::SESSIONS)])
        .problems(&[(400, "invalid_cursor"), (404, "not_found")]),
    Route::delete(
        "/api/auth/admin/sessions/{id}",
        "admin_end_session",
        Access::Permission("sessions:revoke"),
        end,
    )
    .summary("End a session")
    .answers(&[nothing(204, "The session has ended.")])
    .problems(&[(404, "not_found")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let (user, limit, after) = (fields.optional_user("user"), fields.limit("limit"), fields.cursor("after"));
    let sessions = list::page(app, &call.caller, user.as_ref(), Which::Alive, limit, after.as_deref())?;
    Ok(page(&sessions, views::listed_session))
}

fn end(app: &App, call: Call) -> Result<Response, Error> {
    tokens::revoke(app, &call.caller, &Target::Session(call.parameter("id").to_owned()))?;
    Ok(Response::empty(204))
}
