//! The daemon's face: what authd says over HTTP. Authorization is the use-cases'; this room parses
//! requests, authenticates them, calls one use-case each, and writes the answer.
//!
//! A request's way: `server` (bytes to a bounded request) → `router` (route, caller, fields) →
//! `handlers` → a use-case → `problem` or JSON → `router` (headers) → `server`.

pub mod message;
pub mod openapi;
pub mod problem;
pub mod router;
pub mod routes;
pub mod schema;
pub mod server;
pub mod wire;

mod handlers;
mod json;
mod origin;
