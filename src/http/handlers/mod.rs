//! One function a route: takes the fields, calls one use-case, writes the answer. No rules in here.

pub mod account;
pub mod operations;
pub mod session;

use super::message::Response;
use serde_json::Value;

fn json(status: u16, value: &Value) -> Response {
    Response::with_body(status, "application/json", value.to_string().into_bytes())
}
