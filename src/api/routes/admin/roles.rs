//! `/admin/roles`.

use super::PAGE_AFTER;
use crate::api::answer::{json, page};
use crate::api::bodies;
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::schema::admin as schema;
use crate::domain::name::Name;
use crate::domain::role::Role;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::account::roles;
use crate::usecase::account::roles::{Changes, PermissionChange};
use crate::usecase::app::App;
use crate::views;

pub static ROLES: &[Route] = &[
    Route::get("/api/auth/admin/roles", "admin_list_roles", Access::Permission("roles:read"), list)
        .summary("All roles")
        .query(PAGE_AFTER)
        .answers(&[route::json(200, "A page of roles.", &schema::ROLES)])
        .problems(&[(400, "invalid_cursor")]),
    Route::post("/api/auth/admin/roles", "admin_add_role", Access::Permission("roles:write"), add)
        .summary("Make a role")
        .fresh()
        .body(&bodies::NEW_ROLE)
        .answers(&[route::json(201, "The role.", &schema::ROLE)])
        .problems(&[(409, "already_exists")]),
    Route::get("/api/auth/admin/roles/{role}", "admin_show_role", Access::Permission("roles:read"), show)
        .summary("One role")
        .answers(&[route::json(200, "The role.", &schema::ROLE)])
        .problems(&[(404, "not_found")]),
    Route::patch(
        "/api/auth/admin/roles/{role}",
        "admin_change_role",
        Access::Permission("roles:write"),
        change,
    )
    .summary("Change a role; it counts on the next request of everybody who has it")
    .fresh()
    .body(&bodies::ROLE_CHANGES)
    .answers(&[route::json(200, "The role as it is now.", &schema::ROLE)])
    .problems(&[(404, "not_found"), (409, "built_in_role")]),
    Route::delete(
        "/api/auth/admin/roles/{role}",
        "admin_delete_role",
        Access::Permission("roles:write"),
        delete,
    )
    .summary("Delete a role and take it from everybody")
    .fresh()
    .answers(&[nothing(204, "The role is gone.")])
    .problems(&[(404, "not_found"), (409, "built_in_role")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    Ok(page(&roles::page(app, &call.caller, limit, after.as_deref())?, views::role))
}

fn add(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let new = Role {
        name: fields.role("name"),
        description: text(&fields.optional_name("description").unwrap_or_default()),
        permissions: fields.optional_permissions("permissions").unwrap_or_default(),
    };
    Ok(json(201, &views::role(&roles::add(app, &call.caller, &new)?)))
}

fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::role(&roles::find(app, &call.caller, &call.role()?)?.role)))
}

fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let name = call.role()?;
    let changes = Changes {
        description: call.fields.optional_name("description").as_ref().map(text),
        permissions: call
            .fields
            .optional_permissions("permissions")
            .map_or(PermissionChange::Keep, PermissionChange::Replace),
    };
    Ok(json(200, &views::role(&roles::edit(app, &call.caller, &name, &changes)?.role)))
}

fn delete(app: &App, call: Call) -> Result<Response, Error> {
    roles::delete(app, &call.caller, &call.role()?)?;
    Ok(Response::empty(204))
}

/// A description is bounded and cleaned as a person's name is.
fn text(description: &Name) -> String {
    description.as_str().to_owned()
}
