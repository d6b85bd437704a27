//! `/admin/apps`.

use super::PAGE_AFTER;
use crate::api::answer::{json, page};
use crate::api::bodies;
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::schema::admin as schema;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::gate::apps;
use crate::usecase::gate::apps::{Changes, NewApp};
use crate::views;

pub static APPS: &[Route] = &[
    Route::get("/api/auth/admin/apps", "admin_list_apps", Access::Permission("apps:read"), list)
        .summary("All applications behind the gate")
        .query(PAGE_AFTER)
        .answers(&[route::json(200, "A page of applications.", &schema::APPS)])
        .problems(&[(400, "invalid_cursor")]),
    Route::post("/api/auth/admin/apps", "admin_add_app", Access::Permission("apps:write"), add)
        .summary("Make the gate know an application")
        .fresh()
        .body(&bodies::NEW_APP)
        .answers(&[route::json(201, "The application.", &schema::APP)])
        .problems(&[(404, "not_found"), (409, "already_exists"), (409, "conflict")]),
    Route::get("/api/auth/admin/apps/{app}", "admin_show_app", Access::Permission("apps:read"), show)
        .summary("One application")
        .answers(&[route::json(200, "The application.", &schema::APP)])
        .problems(&[(404, "not_found")]),
    Route::patch("/api/auth/admin/apps/{app}", "admin_change_app", Access::Permission("apps:write"), change)
        .summary(
            "Change where an application stands, or who may use it; it counts on everybody's next request",
        )
        .fresh()
        .body(&bodies::APP_CHANGES)
        .answers(&[route::json(200, "The application as it is now.", &schema::APP)])
        .problems(&[(404, "not_found"), (409, "conflict")]),
    Route::delete("/api/auth/admin/apps/{app}", "admin_delete_app", Access::Permission("apps:write"), delete)
        .summary("Delete an application; the gate lets nobody into it any more")
        .fresh()
        .answers(&[nothing(204, "The application is gone.")])
        .problems(&[(404, "not_found")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    Ok(page(&apps::page(app, &call.caller, limit, after.as_deref())?, views::app))
}

fn add(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let new = NewApp {
        name: fields.app_name("name"),
        origin: fields.app_origin("url"),
        allow: fields.allow("allow"),
    };
    Ok(json(201, &views::app(&apps::add(app, &call.caller, &new)?)))
}

fn show(app: &App, call: Call) -> Result<Response, Error> {
    Ok(json(200, &views::app(&apps::find(app, &call.caller, &call.app()?)?)))
}

fn change(app: &App, mut call: Call) -> Result<Response, Error> {
    let name = call.app()?;
    let changes = Changes {
        origin: call.fields.optional_app_origin("url"),
        allow: call.fields.optional_allow("allow"),
    };
    Ok(json(200, &views::app(&apps::edit(app, &call.caller, &name, &changes)?.app)))
}

fn delete(app: &App, call: Call) -> Result<Response, Error> {
    apps::delete(app, &call.caller, &call.app()?)?;
    Ok(Response::empty(204))
}
