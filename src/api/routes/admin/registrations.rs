//! `/admin/registrations`: those that wait for the link in their mail.

use super::PAGE_AFTER;
use crate::api::answer::{json, page};
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::schema::USER;
use crate::api::schema::admin as schema;
use crate::domain::id::RegistrationId;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::account::registrations;
use crate::usecase::account::registrations::RegistrationRef;
use crate::usecase::app::App;
use crate::views;

pub static REGISTRATIONS: &[Route] = &[
    Route::get(
        "/api/auth/admin/registrations",
        "admin_list_registrations",
        Access::Permission("users:read"),
        list,
    )
    .summary("Registrations that wait for their link, oldest first")
    .query(PAGE_AFTER)
    .answers(&[route::json(200, "A page of registrations.", &schema::REGISTRATIONS)])
    .problems(&[(400, "invalid_cursor")]),
    Route::post(
        "/api/auth/admin/registrations/{id}",
        "admin_confirm_registration",
        Access::Permission("users:write"),
        confirm,
    )
    .summary("Make the account as the link would, and void the others of the address")
    .fresh()
    .answers(&[route::json(201, "The account, its address verified.", &USER)])
    .problems(&[(404, "not_found"), (409, "email_taken")]),
    Route::delete(
        "/api/auth/admin/registrations/{id}",
        "admin_delete_registration",
        Access::Permission("users:write"),
        delete,
    )
    .summary("Delete a registration that waits; its link is void")
    .answers(&[nothing(204, "It is gone.")])
    .problems(&[(404, "not_found")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    let waiting = registrations::list(app, &call.caller, limit, after.as_deref())?;
    Ok(page(&waiting, views::pending_registration))
}

fn confirm(app: &App, call: Call) -> Result<Response, Error> {
    let user = registrations::confirm(app, &call.caller, &registration(&call)?)?;
    Ok(json(201, &views::user(&user, app.now())))
}

fn delete(app: &App, call: Call) -> Result<Response, Error> {
    registrations::delete(app, &call.caller, &registration(&call)?)?;
    Ok(Response::empty(204))
}

/// The registration that the path names, by id alone.
fn registration(call: &Call) -> Result<RegistrationRef, Refusal> {
    let id = call.parameter("id");
    RegistrationId::parse(id).map(RegistrationRef::Id).ok_or_else(|| Refusal::not_found("registration", id))
}
