//! The tables of routes. What isn't in it isn't served; the router, the OpenAPI document and the tests
//! read them.

use super::route::{Method, Route, allow, parameter};
use super::routes::{
    account, admin, federation, magic_link, operations, passkeys, service, session, two_factor,
};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Every route, table by table.
pub fn routes() -> impl Iterator<Item = &'static Route> + Clone {
    let tables = [
        account::ACCOUNTS,
        session::SESSIONS,
        magic_link::MAGIC_LINKS,
        two_factor::TWO_FACTOR,
        passkeys::PASSKEYS,
        federation::FEDERATION,
        service::SERVICES,
        admin::users::USERS,
        admin::identities::IDENTITIES,
        admin::passkeys::PASSKEYS,
        admin::registrations::REGISTRATIONS,
        admin::roles::ROLES,
        admin::sessions::SESSIONS,
        admin::audit::AUDIT,
        admin::api_keys::API_KEYS,
        admin::apps::APPS,
        admin::mails::MAILS,
        admin::signing_keys::SIGNING_KEYS,
        operations::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

/// A path of the table, and the routes that it has: one a method.
#[derive(Debug)]
pub struct Resource {
    pub path: &'static str,
    routes: Vec<&'static Route>,
}

impl Resource {
    /// Finds the route that takes requests with this method.
    #[must_use]
    pub fn route(&self, method: &str) -> Option<&'static Route> {
        self.routes.iter().copied().find(|route| route.method.takes(method))
    }

    /// What `Allow` says here.
    #[must_use]
    pub fn allow(&self) -> String {
        allow(self.methods())
    }

    fn methods(&self) -> impl Iterator<Item = Method> {
        self.routes.iter().map(|route| route.method)
    }
}

/// Finds what a path belongs to. One without anything to fill in is looked up: the most used take no walk
/// through the table. `None`: nothing is served there.
#[must_use]
pub fn find(path: &str) -> Option<&'static Resource> {
    static TABLE: LazyLock<(HashMap<&str, Resource>, Vec<Resource>)> = LazyLock::new(|| {
        let (mut plain, mut templates) = (HashMap::new(), Vec::<Resource>::new());
        for route in routes() {
            let resource = || Resource { path: route.path, routes: Vec::new() };
            if !route.path.contains('{') {
                plain.entry(route.path).or_insert_with(resource).routes.push(route);
            } else if let Some(known) = templates.iter_mut().find(|known| known.path == route.path) {
                known.routes.push(route);
            } else {
                templates.push(Resource { routes: vec![route], ..resource() });
            }
        }
        (plain, templates)
    });
    let (plain, templates) = &*TABLE;
    plain.get(path).or_else(|| templates.iter().find(|resource| parameters(resource.path, path).is_some()))
}

/// The segments of `path` that stand for the braces of `template`. `None`: it is another path. Nothing is
/// decoded or folded: there is one spelling of every path.
#[must_use]
pub fn parameters<'p>(template: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let (mut wanted, mut segments, mut parameters) = (template.split('/'), path.split('/'), Vec::new());
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return Some(parameters),
            (Some(wanted), Some(segment)) => match parameter(wanted) {
                Some(name) if !segment.is_empty() => parameters.push((name, segment)),
                None if wanted == segment => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// What `Allow` says where no path is known.
#[must_use]
pub fn all_methods() -> String {
    allow(routes().map(|route| route.method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_belongs_to_two_templates() {
        let filled = |path: &str| path.replace("{id}", "x").replace("{role}", "x");
        for route in routes() {
            let path = filled(route.path);
            let others = routes().filter(|other| other.path != route.path);
            let also: Vec<_> = others.filter(|other| parameters(other.path, &path).is_some()).collect();
            assert!(also.is_empty(), "{path} belongs to {also:?}, too");
        }
    }
}
