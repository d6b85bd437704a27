//! `/admin/users/{id}/passkeys`.

use super::PAGE_AFTER;
use crate::api::answer::page;
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::schema::admin as schema;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::account::passkeys;
use crate::usecase::app::App;
use crate::views;

pub static PASSKEYS: &[Route] = &[
    Route::get(
        "/api/auth/admin/users/{id}/passkeys",
        "admin_list_passkeys",
        Access::Permission("users:read"),
        list,
    )
    .summary("The passkeys of a user")
    .query(PAGE_AFTER)
    .answers(&[route::json(200, "A page of passkeys.", &schema::PASSKEYS)])
    .problems(&[(400, "invalid_cursor"), (404, "not_found")]),
    Route::delete(
        "/api/auth/admin/users/{id}/passkeys/{passkey}",
        "admin_remove_passkey",
        Access::Permission("users:write"),
        remove,
    )
    .summary("Remove one of them, even if nothing else signs in; the user's sessions end")
    .fresh()
    .answers(&[nothing(204, "It signs in no more.")])
    .problems(&[(404, "not_found")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    Ok(page(&passkeys::page(app, &call.caller, &call.user()?, limit, after.as_deref())?, views::passkey))
}

fn remove(app: &App, call: Call) -> Result<Response, Error> {
    passkeys::delete(app, &call.caller, &call.user()?, call.parameter("passkey"))?;
    Ok(Response::empty(204))
}
