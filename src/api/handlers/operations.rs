//! What other programs ask: keys, the OpenAPI document, health.

use super::json;
use crate::api::call::Call;
use crate::api::openapi;
use crate::error::{Error, Fault};
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::operator::health;
use crate::views;

/// For documents that change with a release or a key rotation. A key that begins to sign is fetched
/// by a client that doesn't know it, so five minutes harm nobody.
pub(super) const CACHEABLE: &str = "public, max-age=300";

pub fn jwks(app: &App, _: Call) -> Result<Response, Error> {
    Ok(json(200, &views::key_set(&current_key::jwks(app)?)).header("cache-control", CACHEABLE))
}

pub fn openapi(_: &App, _: Call) -> Result<Response, Error> {
    let document = openapi::document().as_bytes().to_vec();
    Ok(Response::with_body(200, "application/json", document).header("cache-control", CACHEABLE))
}

pub fn health(_: &App, _: Call) -> Result<Response, Error> {
    Ok(json(200, &views::health()))
}

/// Whatever keeps the database from a write, the answer is 503: a balancer shall look elsewhere.
pub fn ready(app: &App, _: Call) -> Result<Response, Error> {
    health::ready(app).map_err(|error| Fault::StorageUnavailable(error.to_string()))?;
    Ok(json(200, &views::readiness()))
}
