//! The OpenAPI 3.1 document, printed from the table of routes.

use super::problem;
use super::route::{Access, Content, ResponseSpec, Route, parameter};
use super::schema;
use super::schema::reference;
use super::table::routes;
use super::wire::{Field, Kind, Presence};
use crate::web::cookies;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document as JSON text. It is the same for the life of the process.
#[must_use]
pub fn document() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| print().to_string());
    &TEXT
}

const ABOUT: &str = "Accounts and sessions. Errors are problem documents (RFC 9457); bodies are one strict JSON object. \
    Where a network's requests count against a budget, answers tell of it by `RateLimit-Policy` and `RateLimit`. \
    They don't where nothing is counted: `/verify` and the health checks, which proxies and balancers ask in \
    everybody's name, a path or a method that isn't served (404, 405), and what is refused before its path is \
    looked at.";

fn print() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.name().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "authd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "api_key": {"type": "http", "scheme": "bearer", "bearerFormat": "authd_key_…"},
                "client": {
                    "type": "http", "scheme": "basic",
                    "description": "An OAuth client (RFC 6749 §2.3.1): its id is the name of an API key, its secret the key.",
                },
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookies::ACCESS},
                "session_cookie": {
                    "type": "apiKey", "in": "cookie", "name": cookies::SESSION,
                    "description": "The session of a browser that signed in on a page of authd's own.",
                },
                "refresh_cookie": {"type": "apiKey", "in": "cookie", "name": cookies::REFRESH},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    })
}

/// Of a route without a budget, which is why its answers tell of none.
const UNLIMITED: &str = "Counts against no rate limit, so its answers have no `RateLimit`.";

fn schemas() -> Map<String, Value> {
    let mut schemas = schema::components();
    schemas.extend(routes().filter_map(|route| route.request).map(|body| (body.name.into(), body.schema())));
    schemas.sort_keys();
    schemas
}

fn operation(route: &Route) -> Value {
    let mut responses = Map::new();
    for answer in route.answers {
        responses.insert(answer.status.to_string(), response(answer));
    }
    for (status, codes) in route.all_problems() {
        responses.insert(status.to_string(), problem_response(status, &codes));
    }
    let mut operation = json!({"operationId": route.id, "summary": route.summary, "responses": responses});
    match route.access {
        Access::Public => {}
        Access::User if route.method.is_safe() => {
            operation["security"] = json!([{"bearer": []}, {"cookie": []}, {"session_cookie": []}]);
        }
        Access::User => {
            operation["security"] =
                json!([{"bearer": []}, {"cookie": [], "csrf": []}, {"session_cookie": [], "csrf": []}]);
        }
        Access::Browser => operation["security"] = json!([{"session_cookie": [], "csrf": []}]),
        Access::Service => operation["security"] = json!([{"api_key": []}, {"client": []}]),
        Access::Permission(_) if route.method.is_safe() => {
            operation["security"] =
                json!([{"bearer": []}, {"cookie": []}, {"session_cookie": []}, {"api_key": []}]);
        }
        Access::Permission(_) => {
            operation["security"] = json!([
                {"bearer": []}, {"cookie": [], "csrf": []}, {"session_cookie": [], "csrf": []},
                {"api_key": []},
            ]);
        }
        Access::Holder => {
            operation["security"] = json!([
                {"bearer": []}, {"cookie": [], "csrf": []}, {"session_cookie": [], "csrf": []},
                {"api_key": []}, {"client": []},
            ]);
        }
        Access::Refresh => operation["security"] = json!([{}, {"refresh_cookie": [], "csrf": []}]),
    }
    if let Access::Permission(permission) = route.access {
        operation["description"] = format!("Needs the permission `{permission}`.").into();
    }
    if route.limit.is_none() {
        operation["description"] = UNLIMITED.into();
    }
    let in_path = route.path.split('/').filter_map(parameter).map(path_parameter);
    let parameters: Vec<Value> = in_path.chain(route.query.iter().map(query_parameter)).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.request {
        let content = json!({"schema": reference(body.name), "example": schema::example(body.example)});
        operation["requestBody"] =
            json!({"required": !body.may_be_empty(), "content": {body.encoding.media_type(): content}});
    }
    operation
}

fn path_parameter(name: &str) -> Value {
    let schema = match name {
        "role" => Kind::Role.schema(),
        "app" | "provider" => Kind::AppName.schema(),
        _ => json!({"type": "string", "format": "uuid"}),
    };
    json!({"name": name, "in": "path", "required": true, "schema": schema})
}

fn query_parameter(field: &Field) -> Value {
    let required = field.presence == Presence::Required;
    let one = field.kind.schema();
    // An array in a query is the parameter once for each item, unless another style is named.
    let schema =
        if field.presence == Presence::Repeated { json!({"type": "array", "items": one}) } else { one };
    json!({
        "name": field.name, "in": "query", "required": required, "description": field.about, "schema": schema,
    })
}

fn response(answer: &ResponseSpec) -> Value {
    match answer.content {
        Content::Nothing => json!({"description": answer.about}),
        Content::Document => {
            let content = json!({"schema": {"type": "object"}});
            json!({"description": answer.about, "content": {"application/json": content}})
        }
        Content::Json(object) => {
            let content =
                json!({"schema": reference(object.name), "example": schema::example(object.example)});
            json!({"description": answer.about, "content": {"application/json": content}})
        }
        Content::AnyOf(objects) => {
            let schemas: Vec<Value> = objects.iter().map(|object| reference(object.name)).collect();
            let examples: Map<String, Value> = objects
                .iter()
                .map(|object| (object.name.to_owned(), json!({"value": schema::example(object.example)})))
                .collect();
            let content = json!({"schema": {"anyOf": schemas}, "examples": examples});
            json!({"description": answer.about, "content": {"application/json": content}})
        }
    }
}

fn problem_response(status: u16, codes: &[&str]) -> Value {
    let code = codes.first().copied().unwrap_or_default();
    let example = json!({
        "type": format!("urn:authd:problem:{code}"),
        "title": "In a few words",
        "status": status,
        "detail": "What happened, and what to do next",
        "code": code,
        "request_id": "0198a0b2-7c00-7000-8000-000000000003",
    });
    let description = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
    let content = json!({"schema": reference("Problem"), "example": example});
    json!({"description": description, "content": {problem::CONTENT_TYPE: content}})
}
