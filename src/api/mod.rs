//! The daemon's face: what authd says over HTTP. Authorization is the use-cases'; this room parses
//! requests, authenticates them, calls one use-case each, and writes the answer.
//!
//! A request's way: `transport` (bytes to a bounded request) → `router` (route, budget, caller, fields) → a
//! handler of `routes` → a use-case → `answer` or `problem` → `router` (headers) → `transport`.

mod answer;
mod authenticate;
pub mod bodies;
pub mod call;
mod gate;
mod json;
mod metadata;
pub mod openapi;
pub mod problem;
pub mod route;
pub mod router;
mod routes;
pub mod schema;
pub mod table;
pub mod wire;
