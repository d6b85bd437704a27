//! `/admin/api-keys`.

use super::{cursor, json, page};
use crate::api::call::Call;
use crate::domain::id::ApiKeyId;
use crate::error::{Error, Refusal};
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::keys::api_keys;
use crate::usecase::keys::api_keys::{ApiKeyRef, NewApiKey};
use crate::views;

pub fn list(app: &App, mut call: Call) -> Result<Response, Error> {
    let (limit, after) = (call.fields.limit("limit"), cursor(&mut call.fields, "after"));
    Ok(page(&api_keys::page(app, &call.caller, limit, after.as_deref())?, views::api_key))
}

pub fn add(app: &App, mut call: Call) -> Result<Response, Error> {
    let fields = &mut call.fields;
    let new = NewApiKey {
        name: fields.key_name("name"),
        permissions: fields.optional_permissions("permissions").unwrap_or_default(),
        ttl: fields.optional_seconds("ttl_s"),
    };
    Ok(json(201, &views::new_api_key(&api_keys::add(app, &call.caller, &new)?)))
}

pub fn revoke(app: &App, call: Call) -> Result<Response, Error> {
    let text = call.parameter("id");
    let id = ApiKeyId::parse(text).ok_or_else(|| Refusal::not_found("API key", text))?;
    api_keys::revoke(app, &call.caller, &ApiKeyRef::Id(id))?;
    Ok(Response::empty(204))
}
