//! The OpenAPI 3.1 document, printed from the table of routes.

use super::problem;
use super::routes::{Access, Answer, Content, ROUTES, Route, parameter};
use super::schema::{self, Shape};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document as JSON text. It is the same for the life of the process.
#[must_use]
pub fn document() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| print().to_string());
    &TEXT
}

fn print() -> Value {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.name().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "authd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Accounts and sessions. Errors are problem documents (RFC 9457); bodies are one strict JSON object.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    })
}

fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    schema::problem(&mut schemas);
    for route in ROUTES {
        if let Some(body) = route.request {
            schemas.insert(body.name.into(), body.schema());
        }
        for answer in route.answers {
            if let Content::Json(object) = answer.content {
                Shape::Object(object).collect(&mut schemas);
            }
        }
    }
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
    if route.access == Access::User {
        operation["security"] = json!([{"bearer": []}]);
    }
    let parameters: Vec<Value> = route.path.split('/').filter_map(parameter).map(path_parameter).collect();
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.request {
        let content = json!({"schema": reference(body.name), "example": schema::example(body.example)});
        operation["requestBody"] = json!({"required": true, "content": {"application/json": content}});
    }
    operation
}

fn path_parameter(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}})
}

fn response(answer: &Answer) -> Value {
    match answer.content {
        Content::Nothing => json!({"description": answer.about}),
        Content::Document => {
            json!({"description": answer.about, "content": {"application/json": {"schema": {"type": "object"}}}})
        }
        Content::Json(object) => {
            let content = json!({"schema": reference(object.name), "example": schema::example(object.example)});
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

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
