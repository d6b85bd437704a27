//! `/admin/api-keys`.

use super::PAGE_AFTER;
use crate::api::answer::{json, page};
use crate::api::bodies;
use crate::api::call::Call;
use crate::api::route::{self, Access, Route, nothing};
use crate::api::schema::admin as schema;
use crate::domain::id::ApiKeyId;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::keys::api_keys;
use crate::usecase::keys::api_keys::{ApiKeyRef, NewApiKey};
use crate::views;

pub static API_KEYS: &[Route] = &[
    Route::get("/api/auth/admin/api-keys", "admin_list_api_keys", Access::Permission("keys:write"), list)
        .summary("All API keys, expired ones too")
        .query(PAGE_AFTER)
        .answers(&[route::json(200, "A page of keys, without their secrets.", &schema::API_KEYS)])
        .problems(&[(400, "invalid_cursor")]),
    Route::post("/api/auth/admin/api-keys", "admin_add_api_key", Access::Permission("keys:write"), add)
        .summary("Make an API key")
        .fresh()
        .body(&bodies::NEW_API_KEY)
        .answers(&[route::json(201, "The key, shown this once.", &schema::NEW_API_KEY)])
        .problems(&[(409, "already_exists")]),
    Route::delete(
        "/api/auth/admin/api-keys/{id}",
        "admin_revoke_api_key",
        Access::Permission("keys:write"),
        revoke,
    )
    .summary("Revoke an API key")
    .fresh()
    .answers(&[nothing(204, "It counts no more.")])
    .problems(&[(404, "not_found")]),
];

fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), call.fields.cursor("after"));
    Ok(page(&api_keys::page(app, &call.caller, limit, after.as_deref())?, views::api_key))
}

fn add(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let new = NewApiKey {
        name: fields.key_name("name"),
        permissions: fields.optional_permissions("permissions").unwrap_or_default(),
        ttl: fields.optional_seconds("ttl_s"),
    };
    Ok(json(201, &views::new_api_key(&api_keys::add(app, &call.caller, &new)?)))
}

fn revoke(app: &App, call: Call) -> Result<Response, Error> {
    let text = call.parameter("id");
    let id = ApiKeyId::parse(text).ok_or_else(|| Refusal::not_found("API key", text))?;
    api_keys::revoke(app, &call.caller, &ApiKeyRef::Id(id))?;
    Ok(Response::empty(204))
}
