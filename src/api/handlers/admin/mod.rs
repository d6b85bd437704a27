//! `/admin`: what `authctl` does, for programs.

pub mod api_keys;
pub mod audit;
pub mod roles;
pub mod sessions;
pub mod users;

use super::json;
use crate::api::call::Call;
use crate::api::wire::Fields;
use crate::domain::id::UserId;
use crate::domain::role::RoleName;
use crate::error::Refusal;
use crate::transport::message::Response;
use crate::usecase::account::admin::Paged;
use crate::usecase::account::reference::UserRef;
use crate::views;
use serde::Serialize;

/// A page of a list.
fn page<'a, T, V: Serialize>(page: &'a Paged<T, String>, view: impl Fn(&'a T) -> V) -> Response {
    json(200, &views::page(page, view))
}

/// The cursor that a page begins after, by the name of its parameter.
fn cursor(fields: &mut Fields, name: &str) -> Option<String> {
    fields.optional_token(name).map(|cursor| cursor.expose().clone())
}

/// The user that the path names, by id alone.
fn user_of(call: &Call) -> Result<UserRef, Refusal> {
    let id = call.parameter("id");
    UserId::parse(id).map(UserRef::Id).ok_or_else(|| Refusal::not_found("user", id))
}

/// The role that the path names.
fn role_of(call: &Call) -> Result<RoleName, Refusal> {
    let name = call.parameter("role");
    RoleName::parse(name).map_err(|_| Refusal::not_found("role", name))
}
