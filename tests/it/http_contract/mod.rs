//! The HTTP contract, held against the table of routes over a real socket.

mod bodies;
mod documents;
mod flows;
mod routing;

use crate::daemon::{Answer, Daemon, JSON};
use authd::http::routes::{Access, Method, Route, routes};
use serde_json::Value;

/// What a route needs besides its body: a token where it isn't public.
fn proof(daemon: &Daemon, route: &Route) -> Option<String> {
    (route.access == Access::User).then(|| format!("Bearer {}", daemon.token()))
}

/// A path of the route, with something in place of its braces.
fn path_of(route: &Route) -> String {
    route.path.replace("{id}", "0198a0b2-7c00-7000-8000-000000000001")
}

fn method_names() -> [&'static str; 4] {
    [Method::Get, Method::Post, Method::Patch, Method::Delete].map(Method::name)
}

fn routes_at(path: &str) -> Vec<&'static Route> {
    routes().filter(|route| route.path == path).collect()
}
