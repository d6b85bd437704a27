//! The HTTP contract, held against the table of routes over a real socket.

mod bodies;
mod documents;
mod flows;
mod forbidden;
mod forms;
mod fresh;
mod routing;
mod views;

use crate::browser::Browser;
use crate::daemon::{Answer, Daemon, JSON};
use authd::api::route::{Access, Method, Route};
use authd::api::table::routes;
use authd::api::wire::Encoding;
use serde_json::Value;

/// What a route needs besides its body, where it isn't public: the headers with a token, a key or a cookie.
type Proof = Vec<(&'static str, String)>;

fn proof(daemon: &Daemon, route: &Route) -> Proof {
    let token = match route.access {
        Access::Public | Access::Refresh => return Vec::new(),
        Access::Browser => {
            daemon.token();
            return Browser::sign_in(daemon, "tess@example.com").headers();
        }
        Access::User | Access::Holder => daemon.token(),
        Access::Permission(_) => daemon.token_of("root@example.com", &["admin"]),
        Access::Service => daemon.key("gate", &[]),
    };
    vec![("authorization", format!("Bearer {token}"))]
}

fn as_sent(proof: &Proof) -> impl Iterator<Item = (&str, &str)> {
    proof.iter().map(|(name, value)| (*name, value.as_str()))
}

/// A path of the route, with something in place of its braces.
fn path_of(route: &Route) -> String {
    route
        .path
        .replace("{id}", "0198a0b2-7c00-7000-8000-000000000001")
        .replace("{role}", "nobodys-role")
        .replace("{app}", "nobodys-app")
        .replace("{provider}", "nobodys-provider")
        .replace("{passkey}", "0198a0b2-7c00-7000-8000-000000000008")
        .replace("{identity}", "0198a0b2-7c00-7000-8000-000000000007")
}

/// The example of the route's body as it is sent, with its type.
fn example_of(route: &Route) -> ((&'static str, &'static str), String) {
    let Some(body) = route.request else {
        return (JSON, String::new());
    };
    match body.encoding {
        Encoding::Json => (JSON, body.example.to_owned()),
        Encoding::Form => {
            let fields: Value = serde_json::from_str(body.example).unwrap();
            let mut form = form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields.as_object().unwrap() {
                form.append_pair(name, value.as_str().unwrap());
            }
            (("content-type", Encoding::Form.media_type()), form.finish())
        }
    }
}

fn takes_json(route: &Route) -> bool {
    route.method != Method::Any && route.request.is_none_or(|body| body.encoding == Encoding::Json)
}

fn method_names() -> [&'static str; 5] {
    [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete].map(Method::name)
}

fn routes_at(path: &str) -> Vec<&'static Route> {
    routes().filter(|route| route.path == path).collect()
}
