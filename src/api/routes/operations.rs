//! What other programs ask: keys, the OpenAPI document, health.

use crate::api::answer::{CACHEABLE, json};
use crate::api::call::Call;
use crate::api::route::{self, Access, Content, ResponseSpec, Route, TableInfo};
use crate::api::schema;
use crate::error::{Error, Fault};
use crate::transport::Lane;
use crate::transport::message::Response;
use crate::usecase::app::App;
use crate::usecase::keys::current_key;
use crate::usecase::operator::health;
use crate::views;

pub static OPERATIONS: &[Route] = &[
    Route::get("/api/auth/.well-known/jwks.json", "jwks", Access::Public, jwks)
        .summary("The public keys that access tokens are signed with")
        .lane(Lane::Short)
        .answers(&[route::json(200, "A JWK set (RFC 7517 §5).", &schema::KEY_SET)]),
    Route::get("/.well-known/jwks.json", "jwks_at_root", Access::Public, jwks)
        .summary("The same, where some clients look for it")
        .lane(Lane::Short)
        .answers(&[route::json(200, "A JWK set (RFC 7517 §5).", &schema::KEY_SET)]),
    Route::of_table("/api/auth/openapi.json", "openapi", openapi)
        .summary("This document")
        .answers(&[ResponseSpec { status: 200, about: "OpenAPI 3.1.", content: Content::Document }]),
    Route::get("/healthz", "health", Access::Public, health)
        .summary("Whether the process lives")
        .lane(Lane::Short)
        .asks_nothing()
        .unlimited()
        .answers(&[route::json(200, "It does.", &schema::HEALTH)]),
    Route::get("/readyz", "readiness", Access::Public, ready)
        .summary("Whether the database takes writes")
        .lane(Lane::Write)
        .unlimited()
        .answers(&[route::json(200, "It does.", &schema::READINESS)]),
];

fn jwks(app: &App, _: Call) -> Result<Response, Error> {
    Ok(json(200, &views::key_set(&current_key::jwks(app)?)).header("cache-control", CACHEABLE))
}

fn openapi(_: &App, table: TableInfo) -> Result<Response, Error> {
    Ok(Response::with_body(200, "application/json", (table.openapi)()).header("cache-control", CACHEABLE))
}

fn health(_: &App, _: Call) -> Result<Response, Error> {
    Ok(json(200, &views::health()))
}

/// Whatever keeps the database from a write, the answer is 503: a balancer shall look elsewhere.
fn ready(app: &App, _: Call) -> Result<Response, Error> {
    health::ready(app).map_err(|error| Fault::StorageUnavailable(error.to_string()))?;
    Ok(json(200, &views::readiness()))
}
