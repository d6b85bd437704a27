//! `/admin/users/{id}/identities`.

use super::PAGE_AFTER;
use crate::api::answer::page;
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::schema::admin as schema;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::federation::identities;
use crate::views;

pub static IDENTITIES: &[Route] = &[
    Route::get(
        "/api/auth/admin/users/{id}/identities",
        "admin_list_identities",
        Access::Permission("users:read"),
        list,
    )
    .summary("The accounts elsewhere that sign in to a user's")
    .query(PAGE_AFTER)
    .answers(&[route::json(200, "A page of identities.", &schema::IDENTITIES)])
    .problems(&[(400, "invalid_cursor"), (404, "not_found")]),
    Route::delete(
        "/api/auth/admin/users/{id}/identities/{identity}",
        "admin_unlink_identity",
        Access::Permission("users:write"),
        unlink,
    )
    .summary("Unlink one of them, even if nothing else signs in; the roles that it granted go")
    .fresh()
    .answers(&[nothing(204, "It signs in no more.")])
    .problems(&[(404, "not_found")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    Ok(page(&identities::page(app, &call.caller, &call.user()?, limit, after.as_deref())?, views::identity))
}

fn unlink(app: &App, call: Call) -> Result<Response, Error> {
    identities::unlink(app, &call.caller, &call.user()?, call.parameter("identity"))?;
    Ok(Response::empty(204))
}
