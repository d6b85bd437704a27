//! What other programs ask: keys, the OpenAPI document, health.

use crate::api::handlers::operations;
use crate::api::route::Handler::Now;
use crate::api::route::{Access, Answer, Content, Method, Route, json};
use crate::api::schema;
use crate::transport::Lane;
use crate::usecase::app::rate_limit::Budget;

pub static OPERATIONS: &[Route] = &[
    Route {
        method: Method::Get,
        path: "/api/auth/.well-known/jwks.json",
        id: "jwks",
        summary: "The public keys that access tokens are signed with",
        access: Access::Public,
        lane: Lane::Short,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: &[json(200, "A JWK set (RFC 7517 §5).", &schema::KEY_SET)],
        problems: &[],
        handler: Now(operations::jwks),
    },
    Route {
        method: Method::Get,
        path: "/.well-known/jwks.json",
        id: "jwks_at_root",
        summary: "The same, where some clients look for it",
        access: Access::Public,
        lane: Lane::Short,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: &[json(200, "A JWK set (RFC 7517 §5).", &schema::KEY_SET)],
        problems: &[],
        handler: Now(operations::jwks),
    },
    Route {
        method: Method::Get,
        path: "/api/auth/openapi.json",
        id: "openapi",
        summary: "This document",
        access: Access::Public,
        lane: Lane::Read,
        limit: Some(Budget::Default),
        query: &[],
        request: None,
        answers: &[Answer { status: 200, about: "OpenAPI 3.1.", content: Content::Document }],
        problems: &[],
        handler: Now(operations::openapi),
    },
    Route {
        method: Method::Get,
        path: "/healthz",
        id: "health",
        summary: "Whether the process lives",
        access: Access::Public,
        lane: Lane::Short,
        limit: None,
        query: &[],
        request: None,
        answers: &[json(200, "It does.", &schema::HEALTH)],
        problems: &[],
        handler: Now(operations::health),
    },
    Route {
        method: Method::Get,
        path: "/readyz",
        id: "readiness",
        summary: "Whether the database takes writes",
        access: Access::Public,
        lane: Lane::Write,
        limit: None,
        query: &[],
        request: None,
        answers: &[json(200, "It does.", &schema::READINESS)],
        problems: &[],
        handler: Now(operations::ready),
    },
];
