//! `/admin/roles`.

use super::{cursor, json, page, role_of};
use crate::api::call::Call;
use crate::domain::name::Name;
use crate::domain::role::Role;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::account::roles;
use crate::usecase::account::roles::Changes;
use crate::usecase::app::App;
use crate::views;

pub fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), cursor(&mut call.fields, "after"));
    Ok(page(&roles::page(app, &call.caller, limit, after.as_deref())?, views::role))
}

pub fn add(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let new = Role {
        name: fields.role("name"),
        description: text(&fields.optional_name("description").unwrap_or_default()),
        permissions: fields.optional_permissions("permissions").unwrap_or_default(),
    };
    Ok(json(201, &views::role(&roles::add(app, &call.caller, &new)?)))
}

pub fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::role(&roles::find(app, &call.caller, &role_of(&call)?)?.role)))
}

pub fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let name = role_of(&call)?;
    let changes = Changes {
        description: call.fields.optional_name("description").as_ref().map(text),
        permissions: call.fields.optional_permissions("permissions"),
    };
    Ok(json(200, &views::role(&roles::edit(app, &call.caller, &name, &changes)?.role)))
}

pub fn delete(app: &App, call: Call) -> Result<Response, Error> {
    roles::delete(app, &call.caller, &role_of(&call)?)?;
    Ok(Response::empty(204))
}

/// A description is bounded and cleaned as a person's name is.
fn text(description: &Name) -> String {
    description.as_str().to_owned()
}
