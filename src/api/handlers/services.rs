//! `/verify`, `/introspect`, `/revoke`, and the metadata of RFC 8414.

use super::json;
use super::operations::CACHEABLE;
use crate::api::call::Call;
use crate::api::metadata;
use crate::domain::name::Name;
use crate::domain::role::RoleName;
use crate::error::Error;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::session::forward_auth;
use crate::usecase::session::forward_auth::Demands;
use crate::usecase::session::{introspect, tokens};
use crate::views;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What is encoded of ASCII: what a header can't carry, the sign of the encoding itself, and the plus that
/// some decoders take for a space. A name of plain letters stays as it is.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b'+');

/// All four headers are always there, if empty: a proxy that copies them leaves none of the client's own.
pub fn verify(_: &App, mut call: Call) -> Result<Response, Error> {
    let demands = Demands { roles: call.fields.roles("role"), permissions: call.fields.permissions("permission") };
    let me = &forward_auth::verify(&call.caller, &demands)?.account;
    let groups: Vec<_> = me.roles.iter().map(RoleName::as_str).collect();
    Ok(Response::empty(200)
        .header("remote-user", me.id.to_string())
        .header("remote-email", me.email.to_string())
        .header("remote-name", encoded(&me.name))
        .header("remote-groups", groups.join(",")))
}

fn encoded(name: &Name) -> String {
    utf8_percent_encode(name.as_str(), ENCODED).to_string()
}

pub fn introspect(app: &App, mut call: Call) -> Result<Response, Error> {
    let found = introspect::introspect(app, &call.caller, &call.fields.token("token"))?;
    Ok(json(200, &views::introspection(found.as_ref(), &app.config.tokens.issuer)))
}

pub fn revoke(app: &App, mut call: Call) -> Result<Response, Error> {
    tokens::revoke_shown(app, &call.caller, &call.fields.token("token"))?;
    Ok(Response::empty(200))
}

pub fn metadata(app: &App, _: Call) -> Result<Response, Error> {
    Ok(json(200, &metadata::document(&app.config)).header("cache-control", CACHEABLE))
}
